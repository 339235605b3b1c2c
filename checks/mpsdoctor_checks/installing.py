"""How to install into the examined environment: commands that name its interpreter, and what to do where pip cannot."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from mpsdoctor.facts.build import PythonFacts
from mpsdoctor.texts import Part

ARM64_PYTHON = (
    "/opt/homebrew/bin/brew install python@3.13",
    "/opt/homebrew/bin/python3.13 -m venv .venv",
    "uv venv --python cpython-3.13-macos-aarch64",
    "CONDA_SUBDIR=osx-arm64 conda create -n arm64 python=3.13",
)


def quote_path(path: str) -> str:
    """A path for a shell; the ~ that stands for the home folder stays outside the quotes, which would keep it."""
    home, slash, rest = path.partition("/") if path.startswith("~/") else ("", "", path)
    return home + slash + shlex.quote(rest)


def torch(python: PythonFacts, arguments: str = "torch") -> tuple[Part, tuple[str, ...]]:
    """A sentence to follow the remedy's, empty where pip can do it, and the commands.

    `python` are the facts of the examined interpreter; what is not known of it is taken to be as usual.
    """
    interpreter = quote_path(python.get("executable") or "python3")
    if python.get("externally_managed"):
        own = (f"{interpreter} -m venv .venv", f".venv/bin/python -m pip install {arguments}")
        return Part("externally_managed"), own
    if python.get("pip") is False:
        return Part("no_pip"), (f"uv pip install --python {interpreter} {arguments}", f"{interpreter} -m ensurepip")
    return Part("pip_works"), (f"{interpreter} -m pip install {arguments}",)


def beside_torch(python: PythonFacts, packages: Sequence[str]) -> str:
    """The command that installs packages where torch is; where pip may not, torch and they get an environment."""
    if python.get("externally_managed"):
        return " && ".join(torch(python, " ".join(["torch", *packages]))[1])
    return torch(python, " ".join(packages))[1][0]
