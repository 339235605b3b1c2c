"""Python imports this at its start, as the folder stands first in PYTHONPATH; then the one that it would have imported.

What watches over a training script is in `mpsdoctor_start`; where that fails, the script runs as if nothing were here.
"""

import os
import sys


def begin():  # any Python may read this file, also one without annotations
    """Start watching, then take this folder off the path: scripts that are started find it by PYTHONPATH."""
    here = os.path.dirname(os.path.abspath(__file__))
    try:
        if sys.version_info >= (3, 9):
            import mpsdoctor_start

            mpsdoctor_start.begin()
    except Exception as error:
        sys.stderr.write("mpsdoctor: %s cannot be steered: %r\n" % (sys.executable, error))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]


def chain():
    """Import the sitecustomize that stands further down the path, in this one's place, if there is one."""
    this = sys.modules.pop(__name__)
    try:
        import sitecustomize  # noqa: F401
    except ImportError as error:
        if error.name != "sitecustomize":
            raise
    finally:
        sys.modules.setdefault(__name__, this)


begin()
chain()
