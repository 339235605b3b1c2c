"""The racing stop over simulated streams of blocks: planted ratios, noise, drift; no clock."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import pytest

from mpsdoctor_checks.training import plan, race, stages
from mpsdoctor_checks.training.race import decide, finished, run_race, standing, turns
from mpsdoctor_checks.training.statistics import ratios

RUNS = 40
Stream = Callable[[str], float]


def stream(seed: int, ratio: float, noise: float, drift: float = 0.0) -> Stream:
    """Seconds a step on a CPU of 10 ms and a device `ratio` times as fast, both slowed by `drift` a block."""
    draw = random.Random(seed)
    moment = [0]

    def block(device: str) -> float:
        moment[0] += 1
        step = 0.01 / (ratio if device == "sim" else 1.0)
        return step * draw.lognormvariate(0.0, noise) * (1 + drift) ** moment[0]

    return block


def raced(block: Stream, most: int = 40) -> tuple[str, str, int]:
    """Standing, why, and rounds of a race that has time for so many rounds."""
    blocks: dict[str, list[float]] = {}
    run_race(["cpu", "sim"], blocks, block, lambda: len(blocks["cpu"]) >= most)
    answer, why = standing(ratios(blocks["cpu"], blocks["sim"]))
    return answer, str(why), len(blocks["cpu"])


@pytest.mark.parametrize("noise", [0.005, 0.03, 0.1])
@pytest.mark.parametrize("ratio", [0.25, 0.5, 0.9, 0.97, 1.0, 1.03, 1.1, 2.0, 4.0])
def test_never_a_wrong_winner(ratio: float, noise: float) -> None:
    """Within ±5 % nobody wins, beyond it never the slower one, in at most 1 of 40 races at any noise."""
    allowed = {"tie"} | ({"faster"} if ratio > 1.05 else {"slower"} if ratio < 0.95 else set())
    wrong = [seed for seed in range(RUNS) if raced(stream(seed, ratio, noise))[0] not in allowed]
    assert len(wrong) <= 1


@pytest.mark.parametrize("ratio", [0.25, 0.5, 0.9, 1.1, 2.0, 4.0])
def test_a_clear_winner_is_named(ratio: float) -> None:
    """Blocks within 2 % of each other name the winner of every race that is not within 5 %."""
    expected = "faster" if ratio > 1 else "slower"
    assert {raced(stream(seed, ratio, 0.015))[0] for seed in range(RUNS)} == {expected}


def test_a_tie_is_an_answer() -> None:
    """Equal devices end as a tie because the interval lies inside the band, before the rounds are used up."""
    answers = [raced(stream(seed, 1.0, 0.02)) for seed in range(RUNS)]
    assert {(answer, why) for answer, why, _ in answers} == {("tie", "within 5 % of each other")}
    assert max(rounds for _, _, rounds in answers) < race.MOST_ROUNDS


@pytest.mark.parametrize("ratio", [4.0, 6.0, 0.25])
def test_a_lopsided_race_ends_within_a_fifth(ratio: float) -> None:
    """A ratio of 4 is decided within a fifth of the rounds that a share of the budget holds, most often after three."""
    rounds = [raced(stream(seed, ratio, 0.08))[2] for seed in range(RUNS)]
    assert max(rounds) <= stages.ROUNDS / 5
    assert sorted(rounds)[RUNS // 2] == 3


@pytest.mark.parametrize("drift", [-0.01, 0.01])
def test_drift_hits_both(drift: float) -> None:
    """A machine that slows down by 1 % a block, half as slow again after forty, makes no winner."""
    assert {raced(stream(seed, 1.0, 0.01, drift))[0] for seed in range(RUNS)} == {"tie"}


def test_running_out_of_time_is_too_close_to_call() -> None:
    """A race that ends undecided says so, and whether that is for want of blocks."""
    for most, words in ((9, "too close to call"), (5, "too few blocks")):
        answer, why, rounds = raced(stream(3, 1.06, 0.2), most=most)
        assert (answer, rounds) == ("tie", most)
        assert words in why


def test_few_pairs_need_a_large_ratio() -> None:
    """Fewer pairs than an interval of this level takes decide only what is far apart; that they agree may be chance."""
    assert decide([1.2] * 7) is None
    assert decide([1.2] * 8) == "faster"
    assert decide([1.2] * 6, race.AT_THE_END) == "faster"
    assert decide([1.0] * 7) is None
    assert decide([1.0] * 8) == "tie"
    assert decide([1.6, 1.6, 1.6]) is None
    assert decide([2.5, 2.6, 2.7]) == "faster"
    assert decide([0.4, 0.38, 0.37]) == "slower"


@pytest.mark.parametrize("ratio", [0.97, 1.03])
def test_looking_often_does_not_make_a_winner(ratio: float) -> None:
    """Though blocks vary by 10 % and the race is looked at after each pair, less than 1 race in 100 errs."""
    wrong = [seed for seed in range(500) if raced(stream(seed, ratio, 0.1))[0] != "tie"]
    assert len(wrong) < 5


def test_turns_alternate() -> None:
    """The order of a round is that of the one before, reversed."""
    assert turns({"cpu": [], "sim": []}, "cpu") == ["cpu", "sim"]
    assert turns({"cpu": [1.0], "sim": [1.0]}, "cpu") == ["sim", "cpu"]


def test_a_decided_device_takes_no_more_turns() -> None:
    """With three devices the race goes on between those that are still open."""
    blocks = {"cpu": [1.0] * 4, "far": [0.2] * 4, "near": [0.9, 1.1, 0.95, 1.05]}
    assert turns(blocks, "cpu") == ["cpu", "near"]


def test_a_device_that_fails_drops_out() -> None:
    """The others race on without the one whose block never came."""
    blocks: dict[str, list[float]] = {}
    steps = {"cpu": 1.0, "good": 0.25}
    run_race(["cpu", "bad", "good"], blocks, steps.get, lambda: False)
    assert set(blocks) == {"cpu", "good"}
    assert len(blocks["good"]) == 3


def test_without_the_baseline_there_is_no_race() -> None:
    """If the CPU's block never comes, nothing is compared."""
    blocks: dict[str, list[float]] = {}
    run_race(["cpu", "sim"], blocks, {"sim": 1.0}.get, lambda: False)
    assert "cpu" not in blocks


def test_one_device_needs_few_blocks() -> None:
    """With nothing to compare with, steady blocks end after six and unsteady ones after ten."""
    assert finished({"cpu": [1.0] * 6}, "cpu")
    assert not finished({"cpu": [1.0, 2.0] * 3}, "cpu")
    assert finished({"cpu": [1.0, 2.0] * 5}, "cpu")


@pytest.mark.parametrize("budget", ["quick", "standard", "thorough"])
def test_shares_use_up_the_budget(budget: str) -> None:
    """Workloads that use their shares use the whole budget, and nothing after it."""
    left, seconds = plan.workloads(budget), 30.0
    while left:
        seconds -= plan.share(left, seconds)
        left = left[1:]
    assert math.isclose(seconds, 0.0, abs_tol=1e-9)


def test_every_budget_has_all_families() -> None:
    """Quick has the small sizes, standard medium too, thorough large as well; each is foreseen from a smaller one."""
    sizes = {budget: list(dict.fromkeys(workload.size for workload in plan.workloads(budget))) for budget in plan.SIZES}
    assert sizes == {
        "quick": ["small"],
        "standard": ["small", "medium"],
        "thorough": ["small", "medium", "large"],
    }
    assert all(len(plan.workloads(budget)) == 4 * len(sizes[budget]) for budget in sizes)


def test_a_size_is_foreseen_from_the_one_before() -> None:
    """A step takes five times as long on the CPU as in the next smaller size, at least, and as long on a device."""
    rows: Any = [
        {"workload": family, "size": size, "device": device, "outcome": outcome, "step_ms": step_ms}
        for family, size, device, outcome, step_ms in [
            ("mlp", "medium", "cpu", "ok", 400.0),
            ("mlp", "medium", "sim", "ok", 70.0),
            ("mlp", "small", "cpu", "ok", 3.0),
            ("cnn", "medium", "cpu", "skipped", None),
        ]
    ]
    assert plan.least_step(plan.Workload("mlp", "large"), rows) == pytest.approx(2.07)
    assert plan.least_step(plan.Workload("mlp", "medium"), rows) == pytest.approx(0.015)
    assert plan.least_step(plan.Workload("mlp", "small"), rows) == 0
    assert plan.least_step(plan.Workload("cnn", "large"), rows) == 0
