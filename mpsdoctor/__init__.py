"""mpsdoctor: which device to train on with PyTorch, measured.

`get_optimal_device()` is what training scripts call. Importing the package imports neither torch nor Textual.
"""

TYPE_CHECKING = False  # typing's own constant costs 3 ms
if TYPE_CHECKING:
    from mpsdoctor.runtime.device import get_optimal_device
    from mpsdoctor.runtime.device_info import DeviceInfo

__version__ = "0.1.0"
__all__ = ["DeviceInfo", "__version__", "get_optimal_device"]


def __getattr__(name: str) -> object:
    """What training scripts ask for is imported then: `mpsdoctor run` and the screen start without it."""
    if name == "get_optimal_device":
        from mpsdoctor.runtime.device import get_optimal_device as found
    elif name == "DeviceInfo":
        from mpsdoctor.runtime.device_info import DeviceInfo as found  # type: ignore[assignment]
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found
