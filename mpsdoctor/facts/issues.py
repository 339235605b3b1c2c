"""Facts of `known-issues`."""

from __future__ import annotations

from typing import Literal, TypedDict

from mpsdoctor.texts import Wording, WordingData, from_values

Recorded = Literal["bad", "good", "unknown"]


class _IssueRow(TypedDict):
    id: str
    kind: str
    device: str
    recorded: Recorded
    outcome: str
    detail: str


class IssueRow(_IssueRow, total=False):
    """What came of a canary on a device; `op` and `core` as of its entry."""

    op: str
    core: bool
    detail_values: WordingData


class ExpectedByTorch(TypedDict):
    """What PyTorch's own list in the wheel expects to fail on MPS, by operator: probed by us, or by nobody here."""

    probed: list[str]
    not_probed: list[str]


class _IssueFacts(TypedDict):
    issues: list[IssueRow]
    torch: str | None
    macos: str | None
    chip: str | None


class IssueFacts(_IssueFacts, total=False):
    """Of the check; `expected_by_torch` is there where the wheel has such a list."""

    expected_by_torch: ExpectedByTorch


WRONG = ("wrong", "nan", "crash", "hang", "leak", "error", "slow")  # outcomes that are not fine
RULING_OUT = ("wrong", "nan", "crash", "hang", "error")  # of a canary that every training depends on


def detail_of(row: IssueRow) -> Wording:
    return from_values(row["detail"], row.get("detail_values"))
