"""Which canaries are tried, in which order, and why the others are not."""

from __future__ import annotations

import pytest

from mpsdoctor.issues import Surroundings, read_issues
from mpsdoctor_checks.known_issues.plan import Candidate, Limits, arguments_of, candidates, why_not

ISSUES = read_issues()
BY_ID = {issue["id"]: issue for issue in ISSUES}
MAC = Surroundings("2.8.0", "15.6", "Apple M2", "arm64", False)
GIB = 1 << 30


def names(device: str, here: Surroundings = MAC) -> list[str]:
    return [candidate.issue["id"] for candidate in candidates(ISSUES, device, here)]


def test_recorded_ones_come_first() -> None:
    """For torch 2.8.0 on macOS 15: what is wrong there, then what nobody knows, then what is right there."""
    planned = [each for each in candidates(ISSUES, "mps", MAC) if (each.issue["memory_mib"] or 0) < 500]
    planned = [each for each in planned if not each.issue["canary"].startswith("compiled:")]
    ranks = [("bad", "unknown", "good").index(each.recorded) for each in planned]
    assert ranks == sorted(ranks)
    assert ranks.count(0) > 25


def test_of_the_recorded_ones_core_comes_first_and_what_kills_last() -> None:
    bad = [each.issue for each in candidates(ISSUES, "mps", MAC) if each.recorded == "bad"]
    small = [issue for issue in bad if (issue["memory_mib"] or 0) < 500 and not issue["canary"].startswith("compiled:")]
    lengthy = [issue["kind"] in ("leak", "slow") for issue in small]
    assert lengthy == sorted(lengthy)
    small = [issue for issue, many in zip(small, lengthy, strict=True) if not many]
    fatal = [issue["kind"] in ("crash", "hang") for issue in small]
    assert fatal == sorted(fatal)
    core = [not issue["core"] for issue, deadly in zip(small, fatal, strict=True) if not deadly]
    assert core == sorted(core)


def test_each_device_has_its_own() -> None:
    """The CPU's own library on the CPU, all others on every accelerator."""
    assert names("cpu") == ["nnpack-conv2d-slow-on-arm"]
    assert set(names("mps")) == set(names("xpu:0")) == BY_ID.keys() - {"nnpack-conv2d-slow-on-arm"}


def test_nothing_is_recorded_of_other_accelerators() -> None:
    assert {each.recorded for each in candidates(ISSUES, "cuda", MAC)} == {"unknown"}


def reason(issue: str, recorded: str = "bad", **limits: object) -> str | None:
    given: dict[str, object] = {"free_bytes": 64 * GIB, **limits}
    why = why_not(Candidate(BY_ID[issue], "mps", recorded), Limits(**given))  # type: ignore[arg-type]
    return why.name if why else None


@pytest.mark.parametrize(
    ("issue", "limits", "expected"),
    [
        ("sort-transposed-input", {}, None),
        ("sort-transposed-input", {"free_bytes": None}, None),
        ("replication-pad-backward-hang", {}, "canary_dangerous"),
        ("replication-pad-backward-hang", {"thorough": True}, "canary_dangerous"),
        ("replication-pad-backward-hang", {"dangerous": True}, None),
        ("compile-layer-norm-512", {}, "canary_compiles"),
        ("compile-layer-norm-512", {"thorough": True}, None),
        ("any-over-2-32-elements", {}, None),
        ("any-over-2-32-elements", {"recorded": "good"}, "canary_large"),
        ("any-over-2-32-elements", {"recorded": "good", "thorough": True}, None),
        ("any-over-2-32-elements", {"free_bytes": 6 * GIB}, "canary_too_large"),
        ("any-over-2-32-elements", {"free_bytes": None}, "canary_free_unknown"),
        ("boolean-index-varying-size", {"free_bytes": GIB // 8}, "canary_too_large"),
    ],
)
def test_what_is_left_out(issue: str, limits: dict[str, object], expected: str | None) -> None:
    """Dangerous ones unless they are asked for, compilers and gigabytes in little time, what does not fit in memory."""
    assert reason(issue, **limits) == expected  # type: ignore[arg-type]


def test_what_the_worker_is_told() -> None:
    """All of it is JSON data, and an exception counts only where the entry is about one."""
    told = arguments_of(Candidate(BY_ID["argmax-transposed-input-error"], "mps", "bad"), 0.1)
    assert (told["may_raise"], told["lucky"], told["device"]) == (True, False, "mps")
    assert arguments_of(Candidate(BY_ID["var-large-macos27"], "mps", "bad"), 0.1)["lucky"] is True
