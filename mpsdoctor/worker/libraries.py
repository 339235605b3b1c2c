"""Which packages an interpreter has, by their metadata: nothing is imported."""

from __future__ import annotations

import json
import os
from typing import Dict, List, Optional

from .torch_facts import read_version
from .torch_shapes import Packages


def packages(names: List[str]) -> Packages:
    """The version of each package that is there, and the back end that Keras is set to."""
    versions = {name: read_version(name) for name in names}
    return {"versions": {name: found for name, found in versions.items() if found}, "keras_backend": keras_backend()}


def keras_backend() -> Optional[str]:
    """As Keras decides it: by the variable, else by its file; None where neither says."""
    named = os.environ.get("KERAS_BACKEND")
    if named:
        return named
    home = os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")
    try:
        with open(os.path.join(home, "keras.json"), encoding="utf-8") as file:
            content: Dict[str, object] = json.load(file)
        return str(content["backend"])
    except (OSError, ValueError, LookupError, TypeError):
        return None
