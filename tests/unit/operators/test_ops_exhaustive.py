"""The accounting of samples that kill or hang their worker, and the choice of what to run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mpsdoctor.check import Answer, UnusableRequestError
from mpsdoctor.worker.shapes import PlannedInfo, PlannedProbe
from mpsdoctor_checks.operators import exhaustive, named
from mpsdoctor_checks.operators.deaths import Deaths
from mpsdoctor_checks.operators.exhaustive import Task


@pytest.fixture
def turns(tmp_path: Path) -> Turns:
    return Turns(Task("exp", "aten::exp", "float32"), tmp_path / "notes")


@dataclass
class Turns:
    """A task, and what its worker noted and answered."""

    task: Task
    notes: Path
    deaths: Deaths = field(default_factory=Deaths)

    def ends(
        self, outcome: str, value: object = None, detail: str = "", at: tuple[int, str, int, int] | None = None
    ) -> bool:
        """End a turn whose worker had noted a sample, its direction, and how many it had begun forward and backward."""
        job = self.task.job("cpu", self.notes)
        if at:
            number, direction, *done = at
            place = (job.args["ticket"], number, direction == "backward", *done)
            self.notes.write_bytes(exhaustive.NOTES.pack(*place))
        answer = Answer(job, outcome, value, detail)  # type: ignore[arg-type]  # one of its literals
        return self.task.end_turn(answer, self.deaths)


def test_a_crash_costs_its_sample_alone(turns: Turns) -> None:
    """The sample that was noted last is the one that crashed, and the next one is run after it."""
    assert turns.ends("crash", detail="SIGSEGV", at=(1, "forward", 2, 1))
    assert turns.task.first == 2
    rows = {(row["variant"], row["direction"]): row["outcome"] for row in turns.task.rows("cpu")}
    assert rows == {
        ("sample 1", "forward"): "crash",
        ("1 samples", "forward"): "ok",
        ("1 samples", "backward"): "ok",
    }


def test_a_crash_in_the_gradient_counts_for_the_gradient(turns: Turns) -> None:
    """A worker that died in the backward pass of the first sample of its turn did not die before it."""
    assert turns.ends("crash", detail="SIGABRT", at=(0, "backward", 1, 1))
    assert turns.task.faults == {(0, "backward"): {"outcome": "crash", "detail": "SIGABRT"}}


def test_an_operator_that_dies_again_is_left(turns: Turns) -> None:
    """Two deaths of a kind are enough, for each costs an import; the rest of its samples is told as not tried."""
    assert turns.ends("crash", at=(0, "forward", 1, 0))
    assert not turns.deaths.too_many_of("aten::exp")
    assert turns.ends("crash", at=(1, "forward", 1, 0))
    turns.task.reason = turns.deaths.too_many_of("aten::exp_")
    assert [row["outcome"] for row in turns.task.rows("cpu")] == ["crash", "crash", "skipped"]


def test_notes_of_an_earlier_turn_are_not_taken_for_this_one(turns: Turns) -> None:
    """A worker that died before it noted anything leaves what it noted for another job, which does not count."""
    assert turns.ends("ok", {"next": 3, "done": {"forward": 3, "backward": 0}}, at=(2, "forward", 3, 0))
    assert not turns.ends("crash", detail="SIGKILL")
    assert turns.task.faults == {(3, "forward"): {"outcome": "crash", "detail": "SIGKILL"}}


def test_a_turn_ends_or_goes_on(turns: Turns) -> None:
    """A worker that hands back is asked for the rest; one that is done is not."""
    assert turns.ends("ok", {"next": 4, "done": {"forward": 4, "backward": 4}})
    assert turns.task.first == 4
    assert not turns.ends("ok", {"next": None, "done": {"forward": 2, "backward": 2}})
    assert turns.task.counts == {"forward": 6, "backward": 6}


def test_samples_that_cannot_be_made_are_an_error(turns: Turns) -> None:
    """An entry whose samples raise an error is told, once."""
    assert not turns.ends("error", {}, "ValueError: no samples")
    assert [row["outcome"] for row in turns.task.rows("cpu")] == ["error"]


PLAN = [
    PlannedInfo("nn.functional.gelu", "aten::gelu", "float32"),
    PlannedInfo("std", "aten::std", "float32"),
    PlannedInfo("std.unbiased", "aten::std", "float32"),
]


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("gelu", ["nn.functional.gelu"]),
        ("nn.functional.gelu", ["nn.functional.gelu"]),
        ("aten::std", ["std", "std.unbiased"]),
        ("std.unbiased", ["std.unbiased"]),
    ],
)
def test_entries_are_found_by_each_of_their_names(name: str, full: list[str]) -> None:
    """Full name, name without `nn.functional`, aten name."""
    assert [planned.name for planned in exhaustive.select_infos(PLAN, [name])] == full


def test_an_unknown_entry_is_answered_with_the_nearest() -> None:
    """A name that does not exist names those that do."""
    with pytest.raises(UnusableRequestError, match=r"no operator 'gleu'; did you mean gelu\?"):
        exhaustive.select_infos(PLAN, ["gleu"])


PROBES = [
    PlannedProbe("cumsum", "aten::cumsum", "float32", "contiguous", "forward"),
    PlannedProbe("cumsum", "aten::cumsum_", "float32", "inplace", "forward"),
    PlannedProbe("sum.all", "aten::sum", "float32", "contiguous", "forward"),
]


@pytest.mark.parametrize(
    ("name", "count"), [("cumsum", 2), ("aten::cumsum", 2), ("cumsum_", 1), ("sum", 1), ("sum.all", 1)]
)
def test_probes_are_found_by_each_of_their_names(name: str, count: int) -> None:
    """An operator means its in-place form too; an underscore means that alone; entries have names of their own."""
    assert len(named.select_probes(PROBES, name)) == count


def test_an_unknown_operator_is_answered_with_the_nearest() -> None:
    """A typing error gets the closest match."""
    with pytest.raises(UnusableRequestError, match="did you mean cumsum"):
        named.select_probes(PROBES, "aten::cumsumm")
