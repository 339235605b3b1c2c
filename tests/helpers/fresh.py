"""A machine whose new environments are filled without the network: they see what is installed here, after their own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

SITE = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
INSTALLED = "\n".join(path for path in sys.path if path.endswith("site-packages"))
PYTHON = f"""#!/bin/sh
'{sys.executable}' "$@" || exit
if [ "$1 $2" = "-m venv" ]; then
  for folder in "$@"; do :; done
  echo '{INSTALLED}' > "$folder/{SITE}/outside.pth"
fi
"""
# pip installs what it is given and nothing besides; `false` is how it spells that it builds with what is there.
PIP = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "false", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def machine(folder: Path, wheels: Path | None = None) -> dict[str, str]:
    """The environment of its processes: `python` first on PATH, and `wheels` the folder that pip finds packages in."""
    programs = folder / "programs"
    programs.mkdir()
    for name in ("python", "python3"):
        (programs / name).write_text(PYTHON)
        (programs / name).chmod(0o755)
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    env |= PIP | {"PATH": os.pathsep.join([str(programs), os.environ["PATH"]]), "HOME": str(folder)}
    return env | ({"PIP_FIND_LINKS": str(wheels), "PIP_IGNORE_INSTALLED": "1"} if wheels else {})
