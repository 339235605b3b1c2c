"""`mpsdoctor compare` as a person or a CI job types it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mpsdoctor.cli import compare as command
from mpsdoctor.cli.options import Options

RECORDED = Path(__file__).parents[1] / "unit" / "recorded"
GOOD = RECORDED / "cpu-only.json"
BAD = RECORDED / "trouble.json"


def mpsdoctor(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mpsdoctor", *args], capture_output=True, text=True, timeout=60, check=False
    )


def test_what_is_worse_ends_with_1() -> None:
    """And the text says what it is."""
    done = mpsdoctor("compare", str(GOOD), str(BAD))
    assert done.returncode == 1
    assert "✗ worse MPS311: none → error" in done.stdout
    assert done.stderr == ""


def test_json_is_one_document_that_follows_its_schema() -> None:
    """Also with the option before the command; what is better ends with 0."""
    done = mpsdoctor("--json", "compare", str(BAD), str(GOOD))
    document, schema = json.loads(done.stdout), json.loads(mpsdoctor("schema", "compare").stdout)
    jsonschema.validate(document, schema)
    assert document["schema_version"] == 1
    assert {change["direction"] for change in document["changes"]} >= {"better"}
    assert done.returncode == int(any(change["direction"] == "worse" for change in document["changes"]))


@pytest.mark.parametrize(("name", "begins"), [("c.json", "{"), ("c.html", "<!doctype html>"), ("c.md", "## mpsdoctor")])
def test_the_name_of_a_file_tells_its_format(
    name: str, begins: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """As of a check-up; nothing goes to stdout."""
    file = tmp_path / name
    assert command.show(Options(files=(str(file),)), GOOD, GOOD) == 0
    assert file.read_text().startswith(begins)
    assert capsysbinary.readouterr().out == b""


def report(**changes: Any) -> str:
    return json.dumps({**json.loads(GOOD.read_text()), **changes})


NO_REPORTS = {
    "missing.json": (None, "No such file or directory"),
    "empty.json": ("", "is no whole JSON document"),
    "cut.json": (report()[:2000], "is no whole JSON document, perhaps cut off"),
    "events.jsonl": ('{"event": "started"}\n{"event": "finished"}\n', "as --format jsonl writes them"),
    "profile.json": ('{"schema": 1, "fingerprint": {}, "created": "x"}', "is a profile, not a report"),
    "newer.json": (report(schema_version=2), "schema_version 2, and this mpsdoctor reads 1"),
    "race.json": ('{"schema_version": 1, "command": [], "devices": []}', "is not a report of mpsdoctor"),
    "list.json": ("[1, 2]", "is not a report of mpsdoctor"),
    "deep.json": ("[" * 5000 + "]" * 5000, "is not a report of mpsdoctor"),
    "text.json": ("mpsdoctor 0.1.0 · quick check-up", "is no whole JSON document"),
    "wrong.json": (report(devices=5), "is not a report of mpsdoctor"),
}


@pytest.mark.parametrize("second", [False, True])
@pytest.mark.parametrize("name", NO_REPORTS)
def test_what_is_no_report_is_one_clear_line(
    name: str, second: bool, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """With its file and what it is instead; exit code 2, nothing on stdout."""
    content, expected = NO_REPORTS[name]
    file = tmp_path / name
    if content is not None:
        file.write_text(content)
    assert command.show(Options(as_json=True), *((GOOD, file) if second else (file, GOOD))) == 2
    said = capsysbinary.readouterr()
    lines = said.err.decode().splitlines()
    assert (said.out, len(lines)) == (b"", 1)
    assert expected in lines[0]
    assert name in lines[0]


def test_a_folder_is_no_report(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """Nor is what cannot be opened."""
    assert command.show(Options(), tmp_path, GOOD) == 2
    assert b"Is a directory" in capsysbinary.readouterr().err


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_what_a_windows_shell_wrote_is_read(
    encoding: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Its `>` writes a mark first, or two bytes a character."""
    file = tmp_path / "r.json"
    file.write_text(report(), encoding=encoding)
    assert command.show(Options(), file, GOOD) == 0


def test_formats_of_a_check_up_that_a_comparison_lacks_are_refused() -> None:
    """With those that it has."""
    done = mpsdoctor("--format", "junit", "compare", str(GOOD), str(GOOD))
    assert (done.returncode, done.stdout) == (2, "")
    assert "compare has no format junit; it has text, json, markdown, html" in done.stderr
