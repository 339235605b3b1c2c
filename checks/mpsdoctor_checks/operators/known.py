"""What PyTorch's own tests expect to fail on MPS, put beside the results that are not right."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mpsdoctor.support import by_aten, known_failures
from mpsdoctor.texts import as_data
from mpsdoctor.worker.shapes import ProbeResult


def annotate(rows: Iterable[ProbeResult], torch_folder: Path) -> None:
    """Add the sentences of the installed wheel's lists as `known` to rows that are not ok."""
    known = by_aten(known_failures(torch_folder) or {})
    for row in rows:
        entries = known.get(row["op"], ()) if row["outcome"] != "ok" else ()
        sentences = [entry.sentence() for entry in entries if entry.concerns(row["dtype"], row["direction"])]
        distinct = {str(sentence): sentence for sentence in sentences}
        if distinct:
            row["known"] = list(distinct)
            row["known_values"] = list(map(as_data, distinct.values()))
