"""Waits, in a Python that `mpsdoctor race` or `run` has started, until torch is imported. Costs under a millisecond.

`MPSDOCTOR_STEER` names the device to train on, `MPSDOCTOR_RACE` and `MPSDOCTOR_WATCH` where the doctor of a race or of
`run --watch` listens, `MPSDOCTOR_EXPLAIN` the Python of a doctor that explains the error which ends the program.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Callable, Dict

    After = Dict[str, Callable[[ModuleType], object]]

PACKAGE = "mpsdoctor_worker"  # by which name the rest is imported: the script's environment may not have mpsdoctor
SEED = 0
PATIENCE = 10.0  # seconds for an explanation, which takes a fifth of one
# Modules of libraries that do not go by what torch says is there; `steering` has what is done to each.
LIBRARIES = (
    *("transformers.training_args", "skorch.net"),
    *("stable_baselines3.common.utils", "ultralytics.utils.torch_utils"),
)


class Loader:
    """Loads a module as its own loader does, then calls back."""

    def __init__(self, loader: Any, after: After) -> None:
        self.loader, self.after = loader, after

    def create_module(self, spec: Any) -> Any:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """What goes wrong in the call back is told and keeps no script from running."""
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        module.__loader__ = self.loader
        self.loader.exec_module(module)
        call = self.after.pop(module.__name__, None)
        try:
            if call:
                call(module)
        except Exception as error:
            sys.stderr.write("mpsdoctor: %s is not steered: %r\n" % (module.__name__, error))


class Finder:
    """Stands before all finders, and has them find as ever; `after` is called with modules that have loaded."""

    def __init__(self, after: After) -> None:
        self.after = after

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in self.after:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find and finder is not self else None
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):
                    spec.loader = Loader(spec.loader, self.after)
                return spec
        return None


def begin() -> None:
    """Wait for torch, and for what is steered or seeded beside it."""
    doctor = os.environ.get("MPSDOCTOR_EXPLAIN")
    if doctor:
        explain_errors(doctor)
    device, race = os.environ.get("MPSDOCTOR_STEER"), os.environ.get("MPSDOCTOR_RACE")
    if not (device or os.environ.get("MPSDOCTOR_WATCH")):
        return
    after: After = {"torch": begin_with, **dict.fromkeys(LIBRARIES if device else (), steer)}
    if race:
        import random

        random.seed(SEED)
        after["numpy"] = lambda numpy: numpy.random.seed(SEED)
    sys.meta_path.insert(0, Finder(after))


def explain_errors(doctor: str) -> None:
    """After an error that ends the program has been shown as ever: what it means, on stderr, where the doctor knows."""
    show = sys.excepthook

    def show_and_explain(kind: Any, error: Any, trace: Any) -> None:
        show(kind, error, trace)
        if issubclass(kind, Exception) and sys.stderr:
            try:
                sys.stderr.write(explanation(doctor, kind, error, trace))
            except Exception:  # an error has been shown already: ours would hide it
                return

    sys.excepthook = show_and_explain


def explanation(doctor: str, kind: Any, error: Any, trace: Any) -> str:
    """The likeliest cause in a few lines, in the person's language; nothing where none is likely."""
    import subprocess
    import traceback

    text = "".join(traceback.format_exception(kind, error, trace)).encode("utf-8", "replace")
    variables = {name: value for name, value in os.environ.items() if name != "MPSDOCTOR_EXPLAIN"}
    command = [doctor, "-P", "-m", "mpsdoctor", "explain", "--in-brief", "-"]
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    done = subprocess.run(command, input=text, stdout=pipe, stderr=nowhere, env=variables, timeout=PATIENCE, check=True)
    told = done.stdout.decode("utf-8", "replace")
    return "\n" + told if told.strip() else ""


def begin_with(torch: ModuleType) -> None:
    """torch has been imported: steer it, in a race count its steps, listen to it for who watches."""
    device, watch = os.environ.get("MPSDOCTOR_STEER"), os.environ.get("MPSDOCTOR_WATCH")
    if device:
        package("beginning").begin(torch, device, os.environ.get("MPSDOCTOR_RACE"), SEED)
    if watch:
        package("watching").begin(torch, watch)


def steer(module: ModuleType) -> None:
    package("steering").LIBRARIES[module.__name__](module, os.environ["MPSDOCTOR_STEER"])


def package(module_name: str) -> Any:
    """A module of the package beside this folder, under a name that nobody else has."""
    import importlib
    from importlib.util import module_from_spec, spec_from_file_location

    if PACKAGE not in sys.modules:
        root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        file = os.path.join(root, "__init__.py")
        spec = spec_from_file_location(PACKAGE, file, submodule_search_locations=[root])
        if spec is None or spec.loader is None:
            raise ImportError(f"{file} is missing")
        module = module_from_spec(spec)
        sys.modules[PACKAGE] = module
        spec.loader.exec_module(module)
    return importlib.import_module(f"{PACKAGE}.injected.{module_name}")
