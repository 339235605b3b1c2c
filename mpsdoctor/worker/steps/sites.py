"""Where a step is: the person's lines, the module that runs and where it was made, the forward call of a gradient."""

from __future__ import annotations

import os
import re
import sys
import sysconfig
from types import FrameType
from typing import Any, Callable, Iterator

import torch

from ..shapes import CallSite, Frame

FRAMES = 4  # of the user's, innermost first
TORCH = os.path.dirname(os.path.abspath(torch.__file__))
OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HIDDEN = (TORCH, OURS, sysconfig.get_paths()["stdlib"])
LEADING = ("_dynamo", "_compile.py", "_ops.py", "overrides.py", "utils/_python_dispatch.py", "utils/_contextlib.py")
BETWEEN = (*(os.path.join(TORCH, *part.split("/")) for part in LEADING), OURS, HIDDEN[-1])
SITE = "site-packages"
NOTED = re.compile(r'File "([^"]+)", line (\d+), in (\S+)')
# What starts the backward pass, by torch's version: frames outside of it are those of `loss.backward()`.
ENGINE = ("_engine_run_backward", "backward", "grad")


def users_frames(frame: FrameType | None) -> list[Frame]:
    """The innermost frames that are neither torch's, ours nor Python's own: file, line, function.

    Frames of other libraries count only if there is none in the user's own files.
    """
    own: list[Frame] = []
    libraries: list[Frame] = []
    while frame and len(own) < FRAMES:
        code = frame.f_code
        add_frame({"file": code.co_filename, "line": frame.f_lineno, "function": code.co_name}, own, libraries)
        frame = frame.f_back
    return own or libraries[:FRAMES]


def add_frame(frame: Frame, own: list[Frame], libraries: list[Frame]) -> None:
    """Add a frame to the user's own or to those of libraries, or to neither."""
    file = frame["file"]
    if SITE in file and not file.startswith(HIDDEN[:2]):
        libraries.append(frame)
    elif is_own(file):
        own.append(frame)


def is_own(file: str) -> bool:
    """Whether a file is the person's: neither torch's, ours, Python's own nor another library's."""
    return SITE not in file and not file.startswith((*HIDDEN, "<"))


def is_torchs(file: str) -> bool:
    return file.startswith(TORCH)


def is_between(file: str) -> bool:
    """Whether a file only leads from a call to what watches it."""
    return file.startswith(BETWEEN)


def callers(frame: FrameType | None) -> Iterator[FrameType]:
    """A frame and those that called it, innermost first."""
    while frame:
        yield frame
        frame = frame.f_back


def frames_in_backward(frame: FrameType | None) -> list[Frame]:
    """The person's own frames within the backward pass: a hook, or a backward function of their own."""
    own: list[Frame] = []
    for part in callers(frame):
        file, name = part.f_code.co_filename, part.f_code.co_name
        if name in ENGINE and file.startswith(os.path.join(TORCH, "autograd")):
            return own
        add_frame({"file": file, "line": part.f_lineno, "function": name}, own, [])
    return []


def forward_frames(node: Any) -> list[Frame]:
    """The user's frames of the forward call that a node belongs to, as anomaly mode notes them."""
    own: list[Frame] = []
    libraries: list[Frame] = []
    for text in reversed(node.metadata.get("traceback_", ())):
        match = NOTED.search(text)
        if match:
            add_frame({"file": match[1], "line": int(match[2]), "function": match[3]}, own, libraries)
    return (own or libraries)[:FRAMES]


def forward_stacks() -> Any:
    """Let torch before 2.1, whose nodes have no number to be known by, note the stack of each forward call."""
    return torch.autograd.set_detect_anomaly(sequence_number() is None, check_nan=False)


def sequence_number() -> int | None:
    """The number the next node of the autograd graph gets; None before torch 2.1."""
    peek = getattr(torch._C._autograd, "_get_sequence_nr", None)
    return int(peek()) if peek else None


def current_node() -> Any:
    """The node of the autograd graph whose gradient is being computed, or None."""
    peek = getattr(torch._C, "_current_autograd_node", None)
    return peek() if peek else None


class Modules:
    """Remembers where each module is made and which one runs: torch's own containers call their parts without a line
    of the user's.
    """

    def __init__(self) -> None:
        self.places: dict[int, list[Frame]] = {}
        self.made: list[torch.nn.Module] = []  # kept alive, so that none gets the id of another
        self.running: list[torch.nn.Module] = []
        self.names: dict[int, str] = {}
        self.called: Callable[[torch.nn.Module], None] = lambda module: None
        self._originals: dict[str, Any] = {}

    def __enter__(self) -> Modules:
        kind: Any = torch.nn.Module
        original_init, original_call = kind.__init__, kind.__call__
        self._originals = {"__init__": original_init, "__call__": original_call}
        places, made, running, known = self.places, self.made, self.running, set()

        def init(module: Any, *args: Any, **kwargs: Any) -> None:
            if id(module) not in places:
                places[id(module)] = users_frames(sys._getframe(1))
                made.append(module)
            original_init(module, *args, **kwargs)

        def call(module: Any, *args: Any, **kwargs: Any) -> Any:
            running.append(module)
            if id(module) not in known:
                known.add(id(module))
                self.called(module)
            try:
                return original_call(module, *args, **kwargs)
            finally:
                running.pop()

        kind.__init__, kind.__call__ = init, call
        return self

    def __exit__(self, *error: object) -> None:
        for name, original in self._originals.items():
            setattr(torch.nn.Module, name, original)

    def name(self, model: torch.nn.Module | None) -> None:
        """Tell modules by their names in a model."""
        self.names = {id(part): name for name, part in model.named_modules()} if model is not None else {}

    def site(self, frame: FrameType | None) -> CallSite:
        """Where the step is right now."""
        module = self.running[-1] if self.running else None
        name = self.names.get(id(module), "")
        # where one of torch's own modules is made tells the user more than torch's line that calls it
        made = self.places.get(id(module), [])[:1] if is_builtin(module) else []
        label = f"{name} ({type(module).__name__})" if module is not None and name else None
        inside = len(self.running) > 1 and is_builtin(self.running[-2])
        return {"frames": users_frames(frame), "made": made, "module": label, "contained": inside}


def place_of(site: CallSite) -> Frame | None:
    """The person's line that tells most: inside torch's containers the one that made the module."""
    nearest = site["made"] if site["contained"] else site["frames"]
    return next(iter([*nearest, *site["frames"], *site["made"]]), None)


def is_builtin(module: torch.nn.Module | None) -> bool:
    """Whether a module is of a class of torch's own."""
    return module is not None and type(module).__module__.startswith("torch.nn")


class Sites:
    """The sites of forward calls by the numbers of their nodes in the autograd graph, for gradients."""

    def __init__(self, modules: Modules) -> None:
        self.modules = modules
        self.by_number: dict[int, CallSite] = {}

    def current(self, *, keep: bool) -> tuple[CallSite, bool]:
        """The site, and whether it is in the backward pass, where it is that of the forward call.

        With `keep`, it is kept for the gradient of what was called last.
        """
        frame, node = sys._getframe(1), current_node()
        if node is None:
            site, number = self.modules.site(frame), sequence_number()
            if number is not None and keep:
                self.by_number.setdefault(number - 1, site)
            return site, False
        own = frames_in_backward(frame)
        number = node._sequence_nr() if hasattr(node, "_sequence_nr") else None
        unknown: CallSite = {"frames": own or forward_frames(node), "made": [], "module": None, "contained": False}
        return unknown if own else self.by_number.get(-1 if number is None else number, unknown), True
