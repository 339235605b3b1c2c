"""mpsdoctor: which device to train on with PyTorch, measured.

`get_optimal_device()` is what training scripts call, `known_issues()` tells what is recorded as wrong. Importing the
package imports neither torch nor Textual.
"""

TYPE_CHECKING = False  # typing's own constant costs 3 ms of the 15 that `import mpsdoctor` has
if TYPE_CHECKING:
    from mpsdoctor.runtime.device import get_optimal_device
    from mpsdoctor.runtime.device_info import DeviceInfo
    from mpsdoctor.runtime.known import KnownIssue, known_issues

__version__ = "0.2.0"
__all__ = ["DeviceInfo", "KnownIssue", "__version__", "get_optimal_device", "known_issues"]

# What scripts ask for is imported then: `mpsdoctor run` and the screen start without it.
LATER = {"get_optimal_device": "device", "DeviceInfo": "device_info", "KnownIssue": "known", "known_issues": "known"}


def __getattr__(name: str) -> object:
    if name not in LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    found: object = getattr(importlib.import_module(f"mpsdoctor.runtime.{LATER[name]}"), name)
    globals()[name] = found
    return found
