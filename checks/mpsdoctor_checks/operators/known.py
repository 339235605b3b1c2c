"""What PyTorch's own tests expect to fail on MPS, put beside the results that are not right."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mpsdoctor.support import by_aten, known_failures


def annotate(rows: Iterable[dict[str, Any]], torch_folder: Path) -> None:
    """Give rows that are not ok what the installed wheel's lists say of them, as sentences under `known`."""
    known = by_aten(known_failures(torch_folder) or {})
    for row in rows:
        entries = known.get(row["op"], ()) if row["outcome"] != "ok" else ()
        said = [entry.sentence() for entry in entries if entry.concerns(row["dtype"], row["direction"])]
        if said:
            row["known"] = list(dict.fromkeys(said))
