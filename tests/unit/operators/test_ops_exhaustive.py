"""The accounting of samples that kill or hang their worker, and the choice of what to run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mpsdoctor.check import Answer, UnusableRequestError
from mpsdoctor_checks.operators import exhaustive, named
from mpsdoctor_checks.operators.deaths import Deaths
from mpsdoctor_checks.operators.exhaustive import Task


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(Task("exp", "aten::exp", "float32"), tmp_path / "notes")


@dataclass
class Made:
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
        return self.task.goes_on(answer, self.deaths)


def test_a_crash_costs_its_sample_alone(made: Made) -> None:
    """The sample that was noted last is the one that crashed, and the next one is run after it."""
    assert made.ends("crash", detail="SIGSEGV", at=(1, "forward", 2, 1))
    assert made.task.first == 2
    rows = {(row["variant"], row["direction"]): row["outcome"] for row in made.task.rows("cpu")}
    assert rows == {
        ("sample 1", "forward"): "crash",
        ("1 samples", "forward"): "ok",
        ("1 samples", "backward"): "ok",
    }


def test_a_crash_in_the_gradient_counts_for_the_gradient(made: Made) -> None:
    """A worker that died in the backward pass of the first sample of its turn did not die before it."""
    assert made.ends("crash", detail="SIGABRT", at=(0, "backward", 1, 1))
    assert made.task.bad == {(0, "backward"): {"outcome": "crash", "detail": "SIGABRT"}}


def test_an_operator_that_dies_again_is_left(made: Made) -> None:
    """Two deaths of a kind are enough, for each costs an import; the rest of its samples is told as not tried."""
    assert made.ends("crash", at=(0, "forward", 1, 0))
    assert not made.deaths.too_many_of("aten::exp")
    assert made.ends("crash", at=(1, "forward", 1, 0))
    made.task.left = made.deaths.too_many_of("aten::exp_")
    assert [row["outcome"] for row in made.task.rows("cpu")] == ["crash", "crash", "skipped"]


def test_notes_of_an_earlier_turn_are_not_taken_for_this_one(made: Made) -> None:
    """A worker that died before it noted anything leaves what it noted for another job, which does not count."""
    assert made.ends("ok", {"next": 3, "done": {"forward": 3, "backward": 0}}, at=(2, "forward", 3, 0))
    assert not made.ends("crash", detail="SIGKILL")
    assert made.task.bad == {(3, "forward"): {"outcome": "crash", "detail": "SIGKILL"}}


def test_a_turn_ends_or_goes_on(made: Made) -> None:
    """A worker that hands back is asked for the rest; one that is done is not."""
    assert made.ends("ok", {"next": 4, "done": {"forward": 4, "backward": 4}})
    assert made.task.first == 4
    assert not made.ends("ok", {"next": None, "done": {"forward": 2, "backward": 2}})
    assert made.task.done == {"forward": 6, "backward": 6}


def test_samples_that_cannot_be_made_are_an_error(made: Made) -> None:
    """An entry whose samples raise an error is told, once."""
    assert not made.ends("error", {}, "ValueError: no samples")
    assert [row["outcome"] for row in made.task.rows("cpu")] == ["error"]


PLAN = [
    ["nn.functional.gelu", "aten::gelu", "float32"],
    ["std", "aten::std", "float32"],
    ["std.unbiased", "aten::std", "float32"],
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
    assert [one[0] for one in exhaustive.chosen(PLAN, [name])] == full


def test_an_unknown_entry_is_answered_with_the_nearest() -> None:
    """A name that does not exist names those that do."""
    with pytest.raises(UnusableRequestError, match=r"no operator 'gleu'; did you mean gelu\?"):
        exhaustive.chosen(PLAN, ["gleu"])


PROBES = [
    ["cumsum", "aten::cumsum", "float32", "contiguous", "forward"],
    ["cumsum", "aten::cumsum_", "float32", "inplace", "forward"],
    ["sum.all", "aten::sum", "float32", "contiguous", "forward"],
]


@pytest.mark.parametrize(
    ("name", "count"), [("cumsum", 2), ("aten::cumsum", 2), ("cumsum_", 1), ("sum", 1), ("sum.all", 1)]
)
def test_probes_are_found_by_each_of_their_names(name: str, count: int) -> None:
    """An operator means its in-place form too; an underscore means that alone; entries have names of their own."""
    assert len(named.chosen(PROBES, name)) == count


def test_an_unknown_operator_is_answered_with_the_nearest() -> None:
    """A typing error gets the closest match."""
    with pytest.raises(UnusableRequestError, match="did you mean cumsum"):
        named.chosen(PROBES, "aten::cumsumm")
