"""`mpsdoctor run -- CMD`: starts a trainer as the profile says, in place of this process. The standard library alone.

It is read before anything else of the command line, for a person waits for it at every start of a training.
"""

from __future__ import annotations

import os
import sys

from mpsdoctor.runtime import profile
from mpsdoctor.runtime.fingerprint import fingerprint
from mpsdoctor.runtime.profile_format import DEVICE, ProfileError, printable

TYPE_CHECKING = False  # typing's own constant costs 3 ms
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mpsdoctor.runtime.shapes import CpuSettings, Fingerprint, Profile

USAGE = 2


def parse(arguments: Sequence[str]) -> tuple[str | None, str | None, list[str]] | None:
    """The options of `run` and the command; None for what the whole command line has to look at, as errors and help.

    That is `--watch` too: what samples a training takes longer to import than what starts one.
    """
    given: dict[str, str | None] = {"--device": None, "--profile": None}
    rest = list(arguments)
    while rest and rest[0].startswith("-"):
        word = rest.pop(0)
        if word == "--":
            break
        name, separator, value = word.partition("=")
        if name not in given or not (separator or rest):
            return None
        given[name] = value if separator else rest.pop(0)
    device = given["--device"]
    if not rest or (device is not None and not is_device(device)):
        return None
    return device, given["--profile"], rest


def is_device(name: str) -> bool:
    import re

    return re.fullmatch(DEVICE, name) is not None


def start(command: Sequence[str], device: str | None = None, path: str | None = None) -> int:
    """Become the command, on a device if one is named, else on the profile's; the exit code where that fails."""
    content = read_valid(path)
    variables = environment(content, device)
    sys.stderr.flush()
    try:
        os.execvpe(command[0], list(command), variables)
    except (OSError, ValueError) as error:
        complain_of_start(command[0], error)
    return USAGE


def complain_of_start(program: str, error: Exception) -> None:
    why = getattr(error, "strerror", None) or str(error)
    complain(f"{printable(repr(program))} cannot be started: {why}")


def read_valid(path: str | None) -> Profile | None:
    """The profile, if there is one that holds here; what keeps it from being used is told."""
    try:
        content = profile.read(profile.locate(path))
    except FileNotFoundError:
        complain("there is no profile; starting without it")
        return None
    except ProfileError as error:
        complain(f"{error}; starting without it")
        return None
    changed = profile.changes(content["fingerprint"], present())
    if changed:
        complain(f"the profile is stale ({'; '.join(changed)}) and not used; run 'mpsdoctor'")
        return None
    if lines := settings_as_code(content["settings"]):
        complain(f"measured as best for training on this CPU: {'; '.join(lines)}")
    return content


def environment(content: Profile | None, device: str | None) -> dict[str, str]:
    """This process' environment with what steers a trainer; a variable that is set already keeps its value."""
    variables = {**(content["environment"] if content else {}), **os.environ}
    chosen = device or wish(os.environ) or of_profile(content)
    injected = {**injection(chosen, variables.get("PYTHONPATH")), "MPSDOCTOR_EXPLAIN": sys.executable}
    if chosen is None:
        return {**variables, **injected}
    if device:  # is an argument, which outranks what is set
        force = {"MPSDOCTOR_FORCE_MPS": "1" if device == "mps" else "0"}
        variables.update({"MPSDOCTOR_DEVICE": device, "KERAS_TORCH_DEVICE": device, **force})
    variables.setdefault("KERAS_TORCH_DEVICE", chosen)
    return {**variables, **injected}


def injection(device: str | None, python_path: str | None) -> dict[str, str]:
    """What has each Python of a command read our start-up file first, which waits until torch is imported."""
    from pathlib import Path

    start = str(Path(__file__).resolve().parents[1] / "worker" / "injected" / "start")
    steer = {"MPSDOCTOR_STEER": device} if device else {}
    return {"PYTHONPATH": os.pathsep.join(filter(None, (start, python_path))), **steer}


def wish(variables: Mapping[str, str]) -> str | None:
    """The device that variables ask for."""
    if variables.get("MPSDOCTOR_FORCE_MPS") == "1":
        return "mps"
    named = variables.get("MPSDOCTOR_DEVICE")
    return named if named and is_device(named) else None


def of_profile(content: Profile | None) -> str | None:
    if content is None:
        return None
    from mpsdoctor.runtime.measured import force_holds

    if (
        content["force_mps"]
        and force_holds(content, read_torch_version())
        and os.environ.get("MPSDOCTOR_FORCE_MPS") != "0"
    ):
        return "mps"
    return content["recommended"]["device"]


def complain(message: str) -> None:
    """A word on stderr, which may be closed."""
    if sys.stderr:
        sys.stderr.write(f"mpsdoctor: {message}\n")


def read_torch_version() -> str | None:
    """The version of this environment's torch, read from its files: importing it takes over a second."""
    import re
    from pathlib import Path

    for folder in sys.path:
        try:
            source = Path(folder, "torch", "version.py").read_text(encoding="utf-8")
        except (OSError, ValueError):
            continue
        match = re.search(r"^__version__ = ['\"]([^'\"]+)", source, re.MULTILINE)
        return match[1] if match else None
    return None


def present() -> Fingerprint:
    """The fingerprint of this environment; without a torch here, torch is not compared."""
    return {**fingerprint(None), "torch": read_torch_version()}


def settings_as_code(settings: CpuSettings) -> list[str]:
    """How a script applies the settings of a profile that torch does not have by itself."""
    lines = []
    if settings.get("num_threads") is not None:
        lines.append(f"torch.set_num_threads({settings['num_threads']})")
    if settings.get("nnpack") is False:
        lines.append("torch.backends.nnpack.set_flags(False)")
    return lines


def main(arguments: Sequence[str]) -> None:
    """`mpsdoctor run …` as typed; returns where the whole command line has to look at it."""
    parsed = parse(arguments)
    if parsed is None:
        return
    device, path, command = parsed
    sys.exit(start(command, device, path))
