"""The accounting of samples that kill or hang their worker, and the choice of what to run."""

from __future__ import annotations

import pytest

from mpsdoctor.check import Answer
from mpsdoctor.ops import exhaustive, named
from mpsdoctor.ops.exhaustive import Task
from mpsdoctor.ops.session import UnusableRequestError


def task(*places: tuple[int, str]) -> Task:
    """A task whose worker has announced these samples."""
    made = Task("exp", "aten::exp", "float32")
    for number, direction in places:
        made.take({"at": [number, direction]})
    return made


def ended(made: Task, outcome: str, value: object = None, detail: str = "") -> bool:
    return made.goes_on(Answer(made.job("cpu"), outcome, value, detail))  # type: ignore[arg-type]


def test_a_crash_costs_its_sample_alone() -> None:
    """The sample that was announced last is the one that crashed, and the next one is run after it."""
    made = task((0, "forward"), (0, "backward"), (1, "forward"))
    assert ended(made, "crash", detail="SIGSEGV")
    assert made.first == (2, "forward")
    rows = {(row["variant"], row["direction"]): row["outcome"] for row in made.rows("cpu")}
    assert rows == {
        ("sample 1", "forward"): "crash",
        ("1 samples", "forward"): "ok",
        ("1 samples", "backward"): "ok",
    }


def test_a_crash_in_the_gradient_counts_for_the_gradient() -> None:
    """A worker that died in the backward pass of the first sample of its turn did not die before it."""
    made = task((0, "forward"), (0, "backward"))
    assert ended(made, "crash", detail="SIGABRT")
    assert made.bad == {(0, "backward"): {"outcome": "crash", "detail": "SIGABRT"}}


def test_an_operator_that_dies_again_is_left() -> None:
    """Two deaths of one entry are enough: each costs an import."""
    made = task((0, "forward"))
    assert ended(made, "crash")
    made.take({"at": [1, "forward"]})
    assert not ended(made, "timeout")
    assert [verdict["outcome"] for verdict in made.bad.values()] == ["crash", "timeout"]


def test_a_turn_ends_or_goes_on() -> None:
    """A worker that hands back is asked for the rest; one that is done is not."""
    made = task((0, "forward"))
    assert ended(made, "ok", {"next": [4, "forward"]})
    assert made.first == (4, "forward")
    assert not ended(made, "ok", {"next": None})


def test_samples_that_cannot_be_made_are_an_error() -> None:
    """An entry whose samples raise an error is told, once."""
    made = task()
    assert not ended(made, "error", {}, "ValueError: no samples")
    assert [row["outcome"] for row in made.rows("cpu")] == ["error"]


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
