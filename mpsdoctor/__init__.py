"""mpsdoctor: which device to train on with PyTorch, measured.

`get_optimal_device()` is what training scripts call. Importing the package imports neither torch nor Textual.
"""

from mpsdoctor.device import DeviceInfo, get_optimal_device

__version__ = "0.1.0"
__all__ = ["DeviceInfo", "__version__", "get_optimal_device"]
