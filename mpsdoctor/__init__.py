"""mpsdoctor: which device to train on with PyTorch, measured.

`get_optimal_device()` is what training scripts call, `known_issues()` tells what is recorded as wrong. Importing the
package imports neither torch nor Textual.
"""

from mpsdoctor.runtime.device import get_optimal_device
from mpsdoctor.runtime.device_info import DeviceInfo

TYPE_CHECKING = False  # typing's own constant costs 3 ms of the 15 that `import mpsdoctor` has
if TYPE_CHECKING:
    from mpsdoctor.runtime.known import KnownIssue, known_issues

__version__ = "0.1.0"
__all__ = ["DeviceInfo", "KnownIssue", "__version__", "get_optimal_device", "known_issues"]


def __getattr__(name: str) -> object:
    """What few scripts ask for, imported when they do: `re` and `json` cost 10 ms."""
    if name not in ("KnownIssue", "known_issues"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mpsdoctor.runtime import known

    found: object = getattr(known, name)
    return found
