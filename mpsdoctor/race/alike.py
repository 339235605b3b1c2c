"""Right before fast: whether two runs of a script train alike, and if not, whether their start explains it. Pure."""

from __future__ import annotations

import math
from typing import NamedTuple

from mpsdoctor.race.runs import Run
from mpsdoctor.texts import Part
from mpsdoctor.worker.shapes import Losses
from mpsdoctor_checks.training import correctness
from mpsdoctor_checks.training.correctness import Fault
from mpsdoctor_checks.training.statistics import median

ONE_BY_ONE = 10  # first losses that are compared; later ones differ by what rounding grows to
SAME = 1e-5  # relative distance of sums that are the same but for rounding
LATE = 30  # common losses, from which on their level is compared too
FAR = 2.0  # times the other's level: no rounding explains that


class Likeness(NamedTuple):
    """Whether two runs train alike: None where that cannot be said; and the words for it."""

    alike: bool | None
    wording: Part


def fault_of(reference: Run, run: Run) -> Fault | None:
    """What is wrong with a run's losses; None where nothing is, or where another start explains it."""
    bad = run.first_bad_loss()
    if bad:
        return Fault("nan", bad[0], Part("loss_not_finite", {"loss": str(bad[1]), "step": bad[0]}))
    if run is reference or why_apart(reference, run):
        return None
    return compare_steps(reference, run) or compare_levels(reference, run)


def likeness_of(reference: Run, run: Run) -> Likeness:
    """Whether they train alike, for who reads the answer."""
    steps = common_steps(reference, run)
    if not steps:
        return Likeness(None, Part("race_no_losses"))
    fault = compare_steps(reference, run) or compare_levels(reference, run)
    figures = {"apart": largest_apart(reference, run, steps), "steps": len(steps), "device": run.device}
    if not fault:
        return Likeness(True, Part("race_alike", figures))
    why = why_apart(reference, run)
    if why:
        level = "race_level_same" if compare_levels(reference, run) is None else "race_level_apart"
        return Likeness(None, Part("race_not_comparable", {**figures, "why": why, "level": Part(level)}))
    return Likeness(False, Part("race_not_alike", {**figures, "fault": fault.detail}))


def common_steps(reference: Run, run: Run) -> list[int]:
    return sorted(reference.losses.keys() & run.losses.keys())


def largest_apart(reference: Run, run: Run, steps: list[int]) -> float:
    """The largest relative distance within the first steps; 0 where losses are equal, or not finite."""
    pairs = [(reference.losses[step], run.losses[step]) for step in steps[:ONE_BY_ONE]]
    apart = [abs(got - wanted) / max(abs(wanted), 1e-12) for wanted, got in pairs]
    return max((value for value in apart if math.isfinite(value)), default=0.0)


def compare_steps(reference: Run, run: Run) -> Fault | None:
    """The first loss that is further away than its dtype and the steps so far explain, or such a first gradient."""
    steps = common_steps(reference, run)[:ONE_BY_ONE]
    against = Part("race_against", {"device": reference.device})
    wanted, got = (
        Losses(
            losses=[side.losses[step] for step in steps],
            seconds=[],
            gradients=side.learnt["gradients"] if side.learnt else {},
        )
        for side in (reference, run)
    )
    return correctness.compare(wanted, got, coarsest(reference, run), against)


def compare_levels(reference: Run, run: Run) -> Fault | None:
    """Whether the later losses lie on another level."""
    steps = common_steps(reference, run)
    late = steps[len(steps) // 2 :]
    if len(steps) < LATE:
        return None
    wanted, got = (median([abs(side.losses[step]) + 1e-12 for step in late]) for side in (reference, run))
    begun = abs(reference.losses[steps[0]])
    if max(wanted, got) < FAR * min(wanted, got) or max(wanted, got) < 0.1 * begun:
        return None
    against = Part("race_against", {"device": reference.device})
    figures = {"loss": got, "step": late[-1], "wanted": wanted, "against": against, "allowed": wanted * (FAR - 1)}
    return Fault("diverged", late[-1], Part("loss_apart", figures))


def coarsest(*runs: Run) -> str:
    """The dtype that allows losses to differ most."""
    dtypes = {dtype for run in runs if run.learnt for dtype in (*run.learnt["dtypes"], run.learnt["autocast"])}
    return next((dtype for dtype in ("bfloat16", "float16") if dtype in dtypes), "float32")


def why_apart(reference: Run, run: Run) -> Part | None:
    """What explains other losses: another start, other data, numbers drawn on the device. None: nothing does."""
    wanted, got = reference.learnt, run.learnt
    if not wanted or not got:
        return None
    if differ(wanted["weights"], got["weights"]):
        return Part("race_other_weights")
    if differ(wanted["batches"], got["batches"]) or differ(wanted["inputs"], got["inputs"]):
        return Part("race_other_batches")
    return Part("race_draws", {"device": run.device}) if got["draws"] or wanted["draws"] else None


def differ(first: list[float], second: list[float]) -> bool:
    """Whether sums differ by more than rounding; of what only one side has seen nothing can be said."""
    pairs = zip(first, second, strict=False)
    return any(not math.isclose(one, other, rel_tol=SAME, abs_tol=SAME) for one, other in pairs)
