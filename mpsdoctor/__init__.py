"""mpsdoctor: which device to train on with PyTorch, measured.

`get_optimal_device()` is what training scripts call. Importing the package imports neither torch nor Textual.
"""

from mpsdoctor.runtime.device import get_optimal_device
from mpsdoctor.runtime.device_info import DeviceInfo

__version__ = "0.1.0"
__all__ = ["DeviceInfo", "__version__", "get_optimal_device"]
