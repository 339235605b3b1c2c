"""Starts the training as a process of its own, as launchers do."""

import subprocess
import sys
from pathlib import Path

sys.exit(subprocess.call([sys.executable, "-u", str(Path(__file__).with_name("loop.py")), *sys.argv[1:]]))
