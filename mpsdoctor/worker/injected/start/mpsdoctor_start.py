"""Waits, in a Python that `mpsdoctor race` or `run` has started, until torch is imported. Costs under a millisecond.

`MPSDOCTOR_STEER` names the device to train on, `MPSDOCTOR_RACE` where the doctor of a race listens.
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
    device, race = os.environ.get("MPSDOCTOR_STEER"), os.environ.get("MPSDOCTOR_RACE")
    if not device:
        return
    after: After = {"torch": begin_with, **dict.fromkeys(LIBRARIES, steer)}
    if race:
        import random

        random.seed(SEED)
        after["numpy"] = lambda numpy: numpy.random.seed(SEED)
    sys.meta_path.insert(0, Finder(after))


def begin_with(torch: ModuleType) -> None:
    """torch has been imported: steer it, and in a race count its steps."""
    package().beginning.begin(torch, os.environ["MPSDOCTOR_STEER"], os.environ.get("MPSDOCTOR_RACE"), SEED)


def steer(module: ModuleType) -> None:
    package().steering.LIBRARIES[module.__name__](module, os.environ["MPSDOCTOR_STEER"])


def package() -> Any:
    """The package beside this folder, under a name that nobody else has."""
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
    importlib.import_module(f"{PACKAGE}.injected.beginning")
    return importlib.import_module(f"{PACKAGE}.injected")
