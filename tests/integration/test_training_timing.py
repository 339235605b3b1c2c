"""What the timing of training is accepted by, and that a timer that does not wait for the device is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpers import proofs
from mpsdoctor_checks.training.lanes import Lane
from mpsdoctor_checks.training.plan import Workload
from mpsdoctor_checks.training.statistics import median

PLANTED = 0.5  # the device takes 24 ms for a step, of which launching is 2 ms
MLP = Workload("mlp", "small")


@pytest.fixture(scope="module")
def running() -> Iterator[dict[str, Lane]]:
    with proofs.lanes(step_ms=12, speed=PLANTED) as found:
        yield found


@pytest.fixture(params=[True, False], ids=["ours", "one that does not wait"])
def waits(running: dict[str, Lane], request: pytest.FixtureRequest) -> Iterator[bool]:
    """Whether the timer of these workers waits for the device; one that does not is the negative control."""
    really: bool = request.param
    proofs.wait(running, really)
    yield really
    proofs.wait(running, True)


def test_the_winner_is_the_faster_one(running: dict[str, Lane], waits: bool) -> None:
    """A device half as fast as the CPU loses; without waiting for it, it does not."""
    found = proofs.race(MLP, running, share=1.0)
    assert proofs.decided(PLANTED, found["winner"]) is waits


def test_step_times_are_those_of_pytorch(running: dict[str, Lane], waits: bool) -> None:
    """Medians are within 5 % of torch.utils.benchmark.Timer's for the same step; without waiting they never are.

    Another program that runs meanwhile may be in the way of one try, or two.
    """
    tries = (proofs.beside_torch(MLP, running["sim"], seconds=0.01, rounds=3) for _ in range(3))
    assert any(proofs.agree(median(found["ours"]), median(found["torch"])) for found in tries) is waits
