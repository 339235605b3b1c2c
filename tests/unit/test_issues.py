"""What the known issues say of a torch, a macOS and a chip: exactly what the data has, bounds included."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import mpsdoctor
from mpsdoctor.issues import DATA, Surroundings, links_of, read_issues, recorded_of
from mpsdoctor.runtime.known import known_issues

ISSUES = {issue["id"]: issue for issue in read_issues()}
TORCHES = [f"2.{minor}.{patch}" for minor in range(2, 16) for patch in (0, 1, 2)]
SYSTEMS = ["13.0", "13.7", "14.0", "14.3.1", "14.4", "14.8", "15.0", "15.6.1", "26.0", "26.2", "26.3", "26.4", "27.0"]
SYSTEMS += ["27.0.1", "27.1"]


def triple(version: str) -> list[int]:
    return [*map(int, version.split(".")), 0, 0][:3]


def macos_holds(condition: str, macos: str) -> bool:
    """The condition in another way than the product's: by comparing with each bound, spelled out."""
    if "||" in condition:
        return any(macos_holds(part.strip(), macos) for part in condition.split("||"))
    if "," in condition:
        return all(macos_holds(part.strip(), macos) for part in condition.split(","))
    if condition.startswith("=="):
        return (macos + ".").startswith(condition[2:] + ".")
    if condition.startswith(">="):
        return triple(macos) >= triple(condition[2:])
    assert condition.startswith("<")
    return triple(macos) < triple(condition[1:])


@pytest.mark.parametrize("torch", TORCHES)
def test_what_is_recorded_is_what_the_data_says(torch: str) -> None:
    """For each torch and macOS: wrong within the bounds, right from the fix on, else not known."""
    for issue in ISSUES.values():
        if issue["chip"] or issue["condition"]:
            continue
        begin, end = issue["torch_first_bad"], issue["torch_fixed"]
        for macos in SYSTEMS:
            told = recorded_of(issue, Surroundings(torch, macos))
            if (end and triple(torch) >= triple(end)) or (issue["macos"] and not macos_holds(issue["macos"], macos)):
                assert told == "good"
            elif begin and triple(torch) < triple(begin):
                assert told in ("good", "unknown")
            elif end or issue["status"] == "open" or not begin or torch.startswith(begin.rpartition(".")[0] + "."):
                assert told == "bad", issue["id"]
            else:  # closed without a version
                assert told in ("bad", "unknown")


@pytest.mark.parametrize(
    ("issue", "torch", "macos", "expected"),
    [
        ("linear-transposed-weight-no-graph", "2.8.0", "15.6", "bad"),
        ("linear-transposed-weight-no-graph", "2.8.0", "14.7", "good"),
        ("linear-transposed-weight-no-graph", "2.9.0", "15.6", "good"),
        ("linear-transposed-weight-no-graph", "2.7.1", "15.6", "good"),  # stated as where it begins
        ("argmax-ignores-nan", "2.3.0", "15.6", "unknown"),  # the oldest that somebody looked at is 2.3.1
        ("argmax-ignores-nan", "2.12.1", "15.6", "bad"),
        ("gradient-of-sum-through-matmul", "2.12.0", "26.3.2", "bad"),
        ("gradient-of-sum-through-matmul", "2.12.0", "26.4", "good"),
        ("gradient-of-sum-through-matmul", "2.12.0", "27.0.1", "bad"),
        ("gradient-of-sum-through-matmul", "2.12.0", "27.1", "good"),
        ("gradient-of-sum-through-matmul", "2.12.0", None, "unknown"),
        ("scalar-assignments-macos14-4", "2.2.1", "14", "unknown"),  # 14.4 may be meant
        ("scalar-assignments-macos14-4", "2.2.1", "13", "good"),
        ("conv2d-channel-slice-of-channels-last", "2.11.0", "26.0", "bad"),
        ("conv2d-channel-slice-of-channels-last", "2.12.0", "26.0", "unknown"),  # closed, nobody says in which version
    ],
)
def test_bounds(issue: str, torch: str, macos: str | None, expected: str) -> None:
    """Both ends of a range, a macOS of which the minor number is not told, and an end that nobody told."""
    assert recorded_of(ISSUES[issue], Surroundings(torch, macos)) == expected


@pytest.mark.parametrize(
    "torch", ["2.14.0.dev20260701", "2.15.0a0+git1f3c", "2.14.0+mine", "2.14.0rc1", "", None, "main"]
)
def test_a_version_that_nobody_knows_is_not_taken_for_good(torch: str | None) -> None:
    """Nightlies and builds of one's own may hold anything."""
    told = {recorded_of(issue, Surroundings(torch, "15.6", "Apple M1", "arm64", False)) for issue in ISSUES.values()}
    assert "good" not in told


def test_endings_of_wheels_are_releases() -> None:
    """`+cpu` and `+cu130` tell what a wheel was built for."""
    issue = ISSUES["max-ignores-nan"]
    assert [recorded_of(issue, Surroundings(f"2.5.0{end}", "15.6")) for end in ("", "+cpu", "+cu130")] == ["good"] * 3


@pytest.mark.parametrize(
    ("issue", "here", "expected"),
    [
        ("mm-inner-dimension-32767", Surroundings("2.10.0", "15.6", "Apple M2 Pro"), "bad"),
        ("mm-inner-dimension-32767", Surroundings("2.10.0", "15.6", "Apple M3"), "good"),
        ("mm-inner-dimension-32767", Surroundings("2.10.0", "15.6", "Apple M12"), "good"),
        ("mm-inner-dimension-32767", Surroundings("2.10.0", "15.6", None), "unknown"),
        ("virtual-mac-allocation-fails", Surroundings("2.10.0", "15.6", "Apple M1 (Virtual)"), "bad"),
        ("virtual-mac-allocation-fails", Surroundings("2.10.0", "15.6", "Apple M1", virtual=True), "bad"),
        ("virtual-mac-allocation-fails", Surroundings("2.10.0", "15.6", "Apple M1", virtual=False), "good"),
        ("argmax-int-rosetta", Surroundings("2.1.0", "13.6", "Apple M1", "x86_64"), "bad"),
        ("argmax-int-rosetta", Surroundings("2.1.0", "13.6", "Apple M1", "arm64"), "good"),
        ("multinomial-rosetta-first-index", Surroundings("2.1.0", "12.6", "Apple M1", "arm64"), "bad"),
        ("nnpack-conv2d-slow-on-arm", Surroundings("2.13.0", "26.0", "Apple M4", "arm64"), "bad"),
        ("nnpack-conv2d-slow-on-arm", Surroundings("2.13.0", None, "AMD EPYC", "x86_64"), "good"),
    ],
)
def test_chips_and_kinds_of_python(issue: str, here: Surroundings, expected: str) -> None:
    """A chip counts by its generation, a virtual machine by what it says, a Python by what it is built for."""
    assert recorded_of(ISSUES[issue], here) == expected


def test_scripts_are_told_what_is_recorded() -> None:
    """`known_issues(torch=, macos=)`: all that a person needs of each, those of any chip among them."""
    told = {issue.id: issue for issue in known_issues(torch="2.8.0", macos="15.6")}
    linear = told["linear-transposed-weight-no-graph"]
    assert (linear.kind, linear.op, linear.torch, linear.macos) == ("wrong", "aten::linear", ">=2.8.0,<2.9.0", ">=15")
    assert linear.workaround
    assert linear.links[0] == "https://github.com/pytorch/pytorch/issues/161640"
    assert told["bmm-inner-dimension-32767"].chip == "M1|M2"
    assert "bmm-inner-dimension-32767" not in {issue.id for issue in known_issues("2.8.0", "15.6", chip="Apple M4")}
    assert "linear-transposed-weight-no-graph" not in {issue.id for issue in known_issues("2.9.1", "15.6")}
    assert repr(linear).startswith("KnownIssue('linear-transposed-weight-no-graph'")


def test_only_text_is_a_version() -> None:
    with pytest.raises(TypeError, match="torch takes a text"):
        known_issues(torch=2.8)  # type: ignore[arg-type]


def test_neither_the_question_nor_the_import_loads_torch() -> None:
    """`known_issues()` answers for what is here without importing torch, and the bare import reads no data."""
    program = (
        "import sys, mpsdoctor; assert 'json' not in sys.modules; told = mpsdoctor.known_issues();"
        "assert 'torch' not in sys.modules; print(len(told))"
    )
    done = subprocess.run([sys.executable, "-S", "-c", PATHS + program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "known_issues" in mpsdoctor.__all__


PATHS = f"import sys; sys.path[:0] = {[str(Path(mpsdoctor.__file__).parents[1])]!r};"


def test_links_lead_to_the_sources() -> None:
    issue: Any = {"source": ["pytorch/pytorch#7", "docs.pytorch.org.io/page"]}
    assert list(links_of(issue)) == ["https://github.com/pytorch/pytorch/issues/7", "https://docs.pytorch.org.io/page"]


def test_entries_are_in_the_order_of_their_ids() -> None:
    """So that two changes do not meet at the end of the file; one line each."""
    names = [json.loads(line)["id"] for line in DATA.read_text(encoding="utf-8").splitlines()]
    assert names == sorted(set(names))
