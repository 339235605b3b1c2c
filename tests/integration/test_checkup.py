"""Check-ups with checks of strangers: each may fail in its own way, and the others go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.support import check, install, mpsdoctor, processes_left, report

WELL = """
from mpsdoctor.check import Finding, Remedy
id = "well"
title = "A check that does well"
needs = ("chip",)
def run(context):
    context.progress("half way", 1, 2)
    yield {"number": 1, "chip": context.facts["chip"]["os"], "nan": float("nan"), "budget": context.budget}
    yield Finding("WELL101", "info", "seen", "something", {"n": 3}, Remedy("nothing", ("true",)), ("https://x",))
"""


def stranger(body: str, name: str = "odd", head: str = "") -> str:
    """A check whose run has this body."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    seconds = '{"quick": 0.1, "standard": 0.1, "thorough": 0.1}'
    return (
        "import ctypes, os, re, sys, time\nfrom mpsdoctor.check import Finding, Skip\n"
        f"id = {name!r}\ntitle = 'An odd check'\nseconds = {seconds}\npatience = 1.0\n{head}\n"
        f"def run(context):\n{lines}\n"
    )


BODIES = {
    "raises": ("raise ValueError('no such luck')", "MPS901"),
    "leaves": ("sys.exit(0)", "MPS901"),
    "interrupts": ("raise KeyboardInterrupt", "MPS901"),
    "yields rubbish": ("yield 42", "MPS901"),
    "yields without end": ("while True: yield {'a': 1}", "MPS901"),
    "yields a finding of wrong types": ("yield Finding('X', 'fatal', 5)", "MPS901"),
    "hangs": ("time.sleep(600)", "MPS902"),
    "hangs in C": ("re.match(r'(a+)+$', 'a' * 40 + 'b')", "MPS902"),
    "crashes": ("ctypes.string_at(0)", "MPS903"),
    "exits": ("os._exit(0)", "MPS903"),
    "is killed": ("os.kill(os.getpid(), 9)", "MPS903"),
    "prints escapes": ("print('\\x1b[2J')", "MPS904"),
    "finds escapes": ("yield Finding('ODD101', 'info', '\\x1b]0;owned\\x07')", "MPS904"),
    "tells escapes in facts": ("yield {'a': ['\\x1b[31m']}", "MPS904"),
}


@pytest.mark.parametrize("how", BODIES)
def test_a_check_that_fails_costs_that_check_only(tmp_path: Path, how: str) -> None:
    """It is reported as an error with its own code, what it found before is kept, and the next one runs."""
    body, code = BODIES[how]
    before = "yield Finding('ODD100', 'info', 'found before')\n"
    env = install(tmp_path, odd=stranger(before + body), well=WELL)
    document = report("--only", "odd,well", env=env)
    odd, well = check(document, "odd"), check(document, "well")
    codes = [finding["code"] for finding in odd["findings"]]
    assert (odd["status"], codes[0], codes[-1]) == ("error", "ODD100", code)
    assert (well["status"], well["facts"]["number"]) == ("pass", 1)
    assert document["exit"] == 3
    assert "\x1b" not in str(document)
    assert not processes_left()


HEADS = {
    "does not import": "import no_such_module",
    "leaves while it loads": "sys.exit(5)",
    "has another id": "id = 'other'",
    "has no title": "del title",
    "has needs that are none": "needs = 5",
}


@pytest.mark.parametrize("how", HEADS)
def test_a_check_that_cannot_be_loaded_is_reported(tmp_path: Path, how: str) -> None:
    """A module that does not load, or is no check, is an error of its own."""
    env = install(tmp_path, odd=stranger("return None", head=HEADS[how]), well=WELL)
    document = report("--only", "odd,well", env=env)
    odd = check(document, "odd")
    assert (odd["status"], odd["findings"][0]["code"]) == ("error", "MPS905")
    assert check(document, "well")["status"] == "pass"


def test_a_flood_of_prints_costs_nothing(tmp_path: Path) -> None:
    """Twenty megabytes printed by a check reach neither the report nor the doctor's memory."""
    env = install(tmp_path, odd=stranger("for _ in range(20_000): print('x' * 1000)"), well=WELL)
    done = mpsdoctor("--json", "--only", "odd,well", env=env)
    assert done.returncode == 0
    assert "xxxx" not in done.stdout + done.stderr


def test_a_title_with_escapes_is_neutralised_and_an_error(tmp_path: Path) -> None:
    """A terminal never sees what a stranger wrote into a title, in any place that shows it."""
    env = install(tmp_path, odd=stranger("return None", head="title = 'nice\\x1b[2Jtitle'"))
    done = mpsdoctor("--only", "odd", env=env)
    assert done.returncode == 3
    assert "nice\\x1b[2Jtitle" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr + mpsdoctor("checks", env=env).stdout


def test_facts_findings_and_progress_of_a_good_check_arrive(tmp_path: Path) -> None:
    """A module of ten lines is a check: needs bring facts, NaN is null, progress is told on stderr."""
    env = install(tmp_path, well=WELL)
    done = mpsdoctor("--format", "jsonl", "--only", "well", "--budget", "quick", env=env)
    assert "half way (1 of 2)" in done.stderr
    document = report("--only", "well", "--budget", "quick", env=env)
    well = check(document, "well")
    assert well["facts"] == {"number": 1, "chip": "Linux", "nan": None, "budget": "quick"}
    assert well["source"] == "strangers 1.0"
    assert well["findings"][0]["remedy"] == {"text": "nothing", "commands": ["true"]}
    assert [result["id"] for result in document["checks"]] == ["chip", "well"]


def test_needs_decide_the_order_and_a_failing_need_skips(tmp_path: Path) -> None:
    """Checks run after what they need; a need that failed, is missing or was skipped skips with a reason."""
    fails = stranger("return Finding('BAD101', 'error', 'it is bad')", "fails")
    after = stranger("return {'ran': True}", "after", "needs = ('fails',)")
    later = stranger("return {'ran': True}", "later", "needs = ('after',)")
    missing = stranger("return {'ran': True}", "missing", "needs = ('no-such',)")
    env = install(tmp_path, later=later, after=after, fails=fails, missing=missing)
    document = report("--only", "later,missing", env=env)
    results = {result["id"]: (result["status"], result["reason"]) for result in document["checks"]}
    assert sorted(results) == ["after", "fails", "later", "missing"]
    order = [name for name in results if name != "missing"]
    assert order == ["fails", "after", "later"]
    assert results["after"] == ("skip", "needs fails, which ended as fail: it is bad")
    assert results["later"][0] == "skip"
    assert results["missing"] == ("skip", "needs no-such, which did not run")
    assert document["exit"] == 1


def test_checks_that_need_each_other_are_reported(tmp_path: Path) -> None:
    """A circle of needs is an error that names it; other checks run."""
    env = install(
        tmp_path,
        one=stranger("return {}", "one", "needs = ('two',)"),
        two=stranger("return {}", "two", "needs = ('one',)"),
        well=WELL,
    )
    document = report("--only", "one,well", env=env)
    assert [check(document, name)["status"] for name in ("one", "two", "well")] == ["error", "error", "pass"]
    assert "need each other" in check(document, "one")["findings"][0]["detail"]


def test_a_check_may_skip_itself(tmp_path: Path) -> None:
    """Skip is no failure, and its text is the reason."""
    env = install(tmp_path, odd=stranger("raise Skip('nothing to examine')"))
    document = report("--only", "odd", env=env)
    assert (check(document, "odd")["status"], check(document, "odd")["reason"]) == ("skip", "nothing to examine")
    assert document["exit"] == 0


def test_two_checks_of_one_id_are_told_apart(tmp_path: Path) -> None:
    """A stranger cannot take the place of a built-in check."""
    env = install(tmp_path, chip=stranger("return {'os': 'forged'}", "chip"))
    document = report("--only", "chip", env=env)
    assert check(document, "chip")["source"].startswith("mpsdoctor ")
    listed = mpsdoctor("checks", env=env).stdout
    assert "another check has the id 'chip'" in listed


def test_an_unknown_check_is_refused_with_the_closest_name() -> None:
    """A misspelt id is a usage error that says what exists."""
    done = mpsdoctor("--only", "trainig")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean training?" in done.stderr
    assert "chip, build" in done.stderr


def test_what_a_strangers_check_changes_stays_with_it(tmp_path: Path) -> None:
    """Environment variables, the folder and prints of one check do not reach another."""
    leaves = stranger("os.environ['PYTORCH_LEAK'] = '1'; os.chdir('/'); print('left behind')", "leaves")
    looks = stranger("return {'leak': os.environ.get('PYTORCH_LEAK'), 'folder': os.getcwd()}", "looks")
    env = install(tmp_path, leaves=leaves, looks=looks)
    facts = check(report("--only", "leaves,looks", env=env), "looks")["facts"]
    assert facts["leak"] is None
    assert facts["folder"] != "/"
