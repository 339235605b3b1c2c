"""What `get_optimal_device` answers beside the device. The standard library alone, and as little of it as possible."""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own constant costs 3 ms of the 15 that `import mpsdoctor` has
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from mpsdoctor.runtime.shapes import CpuSettings

    Fields = dict[str, Any]  # FIELDS with their values, as pickle takes them apart

FIELDS = (
    "device",
    "source",
    "reason",
    "basis",
    "hints",
    "warnings",
    "stale",
    "known_wrong",
    "settings",
    "profile_path",
)


class DeviceInfo(str):
    """Why this device, as one sentence; scripts print, join and search it like any other text. Immutable.

    `.source` is "argument", "environment", "profile" or "policy"; `.basis` is what a measured reason rests on, as in
    "profile of 2026-11-20, high confidence", else empty; `.hints`, `.warnings` and `.stale` (what changed since the
    profile was made) are tuples of sentences; `.known_wrong` is a tuple of what was found wrong here on the device, as
    aten names of operators or ids of known issues; `.settings` is a copy of the profile's, such as
    `{"num_threads": 8, "nnpack": False}`; `.profile_path` is the profile looked at, or None.
    """

    __slots__ = tuple(f"_{name}" if name == "settings" else name for name in FIELDS)
    device: str
    source: str
    reason: str
    basis: str
    hints: tuple[str, ...]
    warnings: tuple[str, ...]
    stale: tuple[str, ...]
    known_wrong: tuple[str, ...]
    profile_path: str | None
    _settings: CpuSettings

    def __new__(cls, **fields: Any) -> DeviceInfo:
        basis = f" ({fields['basis']})" if fields["basis"] else ""
        info = super().__new__(cls, f"training on {fields['device']}{basis}: {fields['reason']}")
        for name, slot in zip(FIELDS, cls.__slots__, strict=True):
            object.__setattr__(info, slot, fields[name])
        return info

    @property
    def settings(self) -> CpuSettings:
        return self._settings.copy()

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"DeviceInfo is immutable, so its {name} stays as it is")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"DeviceInfo is immutable, so its {name} stays as it is")

    def __reduce__(self) -> tuple[Callable[..., DeviceInfo], tuple[Fields]]:
        return _restore, ({name: getattr(self, name) for name in FIELDS},)

    def __repr__(self) -> str:
        return f"DeviceInfo({', '.join(f'{name}={getattr(self, name)!r}' for name in FIELDS)})"


def _restore(fields: Fields) -> DeviceInfo:
    return DeviceInfo(**fields)
