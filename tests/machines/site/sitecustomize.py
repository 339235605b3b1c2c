"""Tells a Python started under `replay.environment` what the kernel of the replayed machine would."""

import ctypes
import json
import os
import pathlib
import platform
import sys

_told = json.loads(pathlib.Path(os.environ["MPSDOCTOR_TEST_MACHINE"], "kernel.json").read_text(encoding="utf-8"))
# Its own cache answers for uname, system, machine and, on top of them, platform.
platform._uname_cache = platform.uname_result(*_told["uname"])
platform._platform_cache.clear()
platform.mac_ver = lambda *_, **__: (_told["mac_ver"], ("", "", ""), _told["uname"][4])

_told_system = platform.system


def _system() -> str:
    """The replayed system; but torch looks for the libraries of the machine that it really runs on."""
    asking = sys._getframe(1).f_globals.get("__name__", "")
    return "Linux" if asking == "torch" or asking.startswith("torch.") else _told_system()


platform.system = _system


class _Library(ctypes.CDLL):
    """On a real Mac its own kernel would answer in the replayed one's place."""

    def __getattr__(self, name):
        if name == "sysctlbyname":
            raise AttributeError(name)
        return super().__getattr__(name)


ctypes.CDLL = _Library
