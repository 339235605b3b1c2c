"""The data file of causes, read once: what gives a cause away, and the words for it."""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent.parent / "data"
CAUSES = DATA / "causes.toml"


@functools.cache
def load_causes() -> dict[str, dict[str, Any]]:
    """Causes by name, and the tables `words` and `settings` beside them, as the file has them."""
    return tomllib.loads(CAUSES.read_text(encoding="utf-8"))
