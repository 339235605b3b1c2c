"""What is seen of a training: where its parameters are, what it starts from, which data it reads, whose code it is."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import sysconfig
from typing import Any, Dict, List, Optional, Tuple

from ..race_shapes import Place
from ..training import sessions

SAMPLED = 8  # parameters, and numbers of each
FIRST_BATCHES = 8
LARGEST_GRADIENT = 1 << 20  # numbers
SKETCHED = 32  # gradients
OWN_FILES = 60  # of a project; more are not looked through for a device's name


class Looks:
    """Filled while the first steps are made."""

    def __init__(self) -> None:
        self.weights: List[float] = []
        self.batches: List[float] = []
        self.inputs: List[float] = []
        self.gradients: Dict[str, List[float]] = {}
        self.dtypes: set[str] = set()
        self.moves: Dict[str, Place] = {}  # the last place where a module was put on a device, by its type
        self.epoch_batches: Optional[int] = None
        self.fetched = 0
        self.ahead = 0
        self._devices: Dict[int, set[str]] = {}

    def look_at_weights(self, optimizer: Any) -> None:
        """Some numbers of the first parameters, and of the gradients of their first step."""
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        for parameter in parameters[:SAMPLED]:
            numbers = parameter.detach().flatten()[:SAMPLED].to("cpu").double()
            self.weights.append(float(numbers.sum()))
        small = [(str(place), one) for place, one in enumerate(parameters) if one.numel() <= LARGEST_GRADIENT]
        with contextlib.suppress(Exception):  # sparse gradients, and whatever else is no plain tensor
            self.gradients = sessions.sketch_gradients(small[:SKETCHED])

    def look_at_devices(self, optimizer: Any, loss: Any) -> None:
        """Where the parameters of an optimizer are; without one, where the loss is."""
        if optimizer is None:
            self._devices.setdefault(0, set()).update({loss.device.type} if loss is not None else ())
        elif id(optimizer) not in self._devices:
            parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
            self._devices[id(optimizer)] = {parameter.device.type for parameter in parameters}
            self.dtypes |= {str(parameter.dtype).rpartition(".")[2] for parameter in parameters}

    def devices_of_all(self) -> List[str]:
        return sorted({device for devices in self._devices.values() for device in devices})

    def note_move(self, device: str) -> None:
        place = own_place()
        if place:
            self.moves[device] = place

    def look_at_loader(self, loader: Any) -> None:
        """How many batches an epoch has, and how many are fetched before they are asked for."""
        with contextlib.suppress(TypeError):  # of a stream nobody knows
            self.epoch_batches = max(len(loader), self.epoch_batches or 0)  # those of a validation have fewer
        workers = getattr(loader, "num_workers", 0) or 0
        self.ahead = workers * (getattr(loader, "prefetch_factor", None) or 0)

    def fetched_ahead(self, steps: int) -> int:
        """Steps that find their data fetched while others had their turn, as far as a block can spare them."""
        return min(self.ahead, steps)

    def look_at_batch(self, batch: Any) -> bool:
        """Keep a sum of the first tensor of a batch; whether to look at more."""
        tensor = first_tensor(batch)
        if tensor is not None and tensor.device.type == "cpu":
            self.batches.append(float(tensor.detach().flatten()[:64].double().sum()))
        return len(self.batches) < FIRST_BATCHES

    def look_at_input(self, arguments: Any) -> bool:
        """Keep a sum of the first tensor that a module is called with; whether there was one."""
        tensor = first_tensor(arguments)
        if tensor is not None:
            self.inputs.append(float(tensor.detach().flatten()[:64].to("cpu").double().sum()))
        return tensor is not None


def first_tensor(value: Any, depth: int = 3) -> Any:
    """The first tensor in what a loader gives, None without any."""
    if hasattr(value, "detach") and hasattr(value, "flatten"):
        return value
    if depth and isinstance(value, (list, tuple, dict)):
        parts = value.values() if isinstance(value, dict) else value
        return next((found for found in (first_tensor(part, depth - 1) for part in parts) if found is not None), None)
    return None


def generator_state(torch: Any, device: str) -> str:
    """What tells whether random numbers were drawn on an accelerator itself; empty where that is not known."""
    kind = device.partition(":")[0]
    try:
        state = None if kind == "cpu" else getattr(torch, kind).get_rng_state()
        return "" if state is None else hashlib.sha256(bytes(state.cpu().numpy().tobytes())).hexdigest()
    except Exception:  # a back end without it, or a torch without numpy
        return ""


def read(torch: Any, losses: List[Tuple[int, Any]]) -> List[Tuple[int, float]]:
    """Losses as numbers, those of a device read at once."""
    if not losses:
        return []
    tensors = [loss.reshape(()).to(dtype=torch.float32) for _, loss in losses]
    try:
        values = torch.stack(tensors).tolist()
    except Exception:  # they lie on several devices
        values = [float(tensor) for tensor in tensors]
    return [(step, value) for (step, _), value in zip(losses, values)]


def own_files() -> List[str]:
    """The files of the person's project that are loaded: neither Python's nor those of installed packages."""
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    files = [main, *[getattr(module, "__file__", None) for module in list(sys.modules.values())]]
    own = [os.path.abspath(file) for file in files if file and file.endswith(".py") and is_own(file)]
    return list(dict.fromkeys(own))[:OWN_FILES]


def own_place() -> Optional[Place]:
    """Where the person's code is right now."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        if is_own(frame.f_code.co_filename):
            return {"file": os.path.abspath(frame.f_code.co_filename), "line": frame.f_lineno}
        frame = frame.f_back
    return None


_HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_FOREIGN = tuple(
    os.path.abspath(folder) + os.sep
    for folder in {*(sysconfig.get_paths().get(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")), _HERE}
    if folder
)


def is_own(file: str) -> bool:
    """Whether a file is the person's; `<frozen …>` and the like are not."""
    path = os.path.abspath(file)
    installed = f"{os.sep}site-packages{os.sep}" in path or f"{os.sep}dist-packages{os.sep}" in path
    return not (file.startswith("<") or installed or path.startswith(_FOREIGN))
