"""Machines out of files that anybody may have made."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from helpers.hostile import change
from helpers.machines_of import machine
from mpsdoctor.formats import Style, merged, schemas
from mpsdoctor.intake import UnfitError
from mpsdoctor.merging import merge
from mpsdoctor.merging.reading import as_json, merge_files, read_file, read_machine, unite
from mpsdoctor.merging.shapes import FleetMachine, FleetReport

RECORDED = Path(__file__).parents[1] / "recorded"


def whole() -> FleetReport:
    machines = [machine(0), machine(1, 2.0), FleetMachine(2, "killed", detail="x"), machine(3)]
    return merge(machines, 4)


def kept(own: FleetMachine, size: int) -> bytes:
    """A file as each machine keeps its own report."""
    return as_json(FleetReport((own,), (), (), size=size))


def test_the_files_that_machines_kept_make_the_same_report() -> None:
    """Byte for byte what gathering gave."""
    gathered = whole()
    files = [read_file(kept(own, 4), 0) for own in gathered.machines]
    assert as_json(merge_files(files)) == as_json(gathered)


def test_a_whole_report_merges_to_itself() -> None:
    assert as_json(merge_files([read_file(as_json(whole()), 0)])) == as_json(whole())


def test_plain_reports_become_ranks_in_their_order() -> None:
    files = [
        read_file((RECORDED / f"{name}.json").read_bytes(), rank) for rank, name in enumerate(("cpu-only", "trouble"))
    ]
    assert [(row.rank, row.outcome) for row in merge_files(files).machines] == [(0, "ok"), (1, "ok")]


def test_what_a_machine_kept_stands_for_what_nobody_heard_of_it() -> None:
    """So rank 0's report and the file of a machine that was late make the whole."""
    late = FleetMachine(1, "late", detail="still at work")
    assert unite([machine(0), late, machine(1)]) == [machine(0), machine(1)]
    assert unite([machine(1), late]) == [machine(1)]
    with pytest.raises(UnfitError, match="two different reports of rank 1"):
        unite([machine(1), machine(1, 2.0)])


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"\x80\x04\x95", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[1]", "no machine"),
        (b'{"rank": -1, "outcome": "late"}', "no machine"),
        (b'{"rank": 1, "outcome": "splendid"}', "no machine"),
        (b'{"rank": 1, "outcome": "ok"}', "a machine that is ok has a report"),
        (b'{"rank": 1, "outcome": "ok", "report": {"schema_version": 2}}', "schema_version 2"),
        (b'{"rank": 1, "outcome": "ok", "report": {"a": 1}}', "not a report"),
        (b'{"rank": 1, "outcome": "late", "ranks": [' + b"1," * 5000 + b"1]}", "no machine"),
    ],
)
def test_what_is_no_machine_is_refused_with_the_reason(raw: bytes, why: str) -> None:
    with pytest.raises(UnfitError, match=why):
        read_machine(raw)


def test_no_machine_is_larger_than_any_report() -> None:
    with pytest.raises(UnfitError, match="bytes"):
        read_machine(b" " * ((64 << 20) + 1))


def test_texts_of_machines_do_nothing_to_a_terminal() -> None:
    """Nor make lines of their own."""
    sent = {"rank": 1, "outcome": "late", "detail": "\x1b[2Jgone\n::error::forged", "interface": "en0\x07"}
    read = read_machine(json.dumps(sent).encode())
    assert (read.detail, read.interface) == ("\\x1b[2Jgone ::error::forged", "en0\\x07")


def test_the_report_follows_its_schema() -> None:
    """Also after a round through files."""
    schema = schemas.schema("fleet")
    jsonschema.validate(json.loads(as_json(whole())), schema)
    jsonschema.validate(json.loads(merged.FORMATS["json"].render(whole(), Style())), schema)


def test_changed_reports_are_refused_or_shown() -> None:
    """Whatever a stranger changed in a report of many machines, no format raises."""
    chance = random.Random(18)
    sound: Any = json.loads(as_json(whole()))
    shown = 0
    for _ in range(150):
        document = sound
        for _ in range(chance.randint(1, 3)):
            document = change(document, chance)
        try:
            fleet = merge_files([read_file(json.dumps(document).encode(), 0)])
        except UnfitError:
            continue
        shown += 1
        for form in merged.FORMATS.values():
            assert form.render(fleet, Style())
    assert shown > 20
    assert msgspec.json.encode(sound)
