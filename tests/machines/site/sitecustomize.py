"""Tells a Python started under `replay.environment` what the kernel of the replayed machine would."""

import json
import os
import pathlib
import platform

_told = json.loads(pathlib.Path(os.environ["MPSDOCTOR_TEST_MACHINE"], "kernel.json").read_text(encoding="utf-8"))
# Its own cache answers for uname, system, machine and, on top of them, platform.
platform._uname_cache = platform.uname_result(*_told["uname"])
platform._platform_cache.clear()
platform.mac_ver = lambda *_, **__: (_told["mac_ver"], ("", "", ""), _told["uname"][4])
