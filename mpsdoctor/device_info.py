"""What `get_optimal_device` answers beside the device. The standard library alone, and as little of it as possible."""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own constant costs 3 ms of the 15 that `import mpsdoctor` has
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class DeviceInfo:
    """Why this device: `str(info)` is one sentence. Immutable.

    `.source` is "argument", "environment", "profile" or "policy"; `.hints`, `.warnings` and `.stale` (what
    changed since the profile was made) are tuples of sentences; `.profile_path` is the profile looked at, or
    None.
    """

    __slots__ = ("device", "hints", "profile_path", "reason", "source", "stale", "warnings")
    device: str
    source: str
    reason: str
    hints: tuple[str, ...]
    warnings: tuple[str, ...]
    stale: tuple[str, ...]
    profile_path: str | None

    def __init__(self, **fields: Any) -> None:
        for name in self.__slots__:
            object.__setattr__(self, name, fields[name])

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"DeviceInfo is immutable, so its {name} stays as it is")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"DeviceInfo is immutable, so its {name} stays as it is")

    def __reduce__(self) -> tuple[Callable[..., DeviceInfo], tuple[dict[str, Any]]]:
        return _info, ({name: getattr(self, name) for name in self.__slots__},)

    def __str__(self) -> str:
        return f"training on {self.device}: {self.reason}"

    def __repr__(self) -> str:
        return f"DeviceInfo({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"


def _info(fields: dict[str, Any]) -> DeviceInfo:
    return DeviceInfo(**fields)
