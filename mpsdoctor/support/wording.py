"""Predictions in words and as data: for a person, and for `--json`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, TypedDict

from mpsdoctor.support.history import load_history, minor, operator, order
from mpsdoctor.support.known_failures import KnownFailure
from mpsdoctor.support.limits import FALLBACK_ON
from mpsdoctor.support.prediction import STOPS, Prediction
from mpsdoctor.support.versions import Support

# CONTRACT's outcome names for what a run would show; None where only running tells.
OUTCOMES = {"missing": "unimplemented", "sizes": "unimplemented", "dtype": "dtype", "fallback": "fallback"}
OverallAnswer = Literal["runs", "fallback", "stops", "unknown"]
ANSWERS: dict[OverallAnswer, str] = {
    "runs": "every operator has what it needs",
    "fallback": f"runs with {FALLBACK_ON} only",
    "stops": "does not run",
    "unknown": "nothing is known against it, but not every operator is known",
}
Known = Mapping[str, Sequence[KnownFailure]]
Places = Mapping[str, str]


def overall_answer(predictions: Iterable[Prediction]) -> OverallAnswer:
    """The answer that predictions make together: "runs", "fallback" (needs the variable set), "stops" or "unknown"."""
    predictions = list(predictions)
    stops = [prediction for prediction in predictions if prediction.verdict in STOPS]
    if stops:
        return "fallback" if all(prediction.fallback for prediction in stops) else "stops"
    return "unknown" if not predictions or any(p.verdict == "unknown" for p in predictions) else "runs"


def sentence(prediction: Prediction, have: str) -> str:
    """One prediction in words, where `have` is the present torch version."""
    parts = f" needs {', '.join(prediction.needs)}" if prediction.needs else ""
    return f"{prediction.op}{parts}: {describe_prediction(prediction, have)}"


def describe_prediction(prediction: Prediction, have: str) -> str:
    """A prediction in words, without the operator's name."""
    return f"{describe_verdict(prediction, minor(have) or have)}{describe_fallback(prediction)}"


def describe_verdict(prediction: Prediction, have: str) -> str:
    if prediction.verdict == "composite":
        return "made of operators that MPS has"
    if prediction.verdict == "fallback":
        return "always runs on the CPU, whatever the fallback is set to"
    if prediction.reason is not None:
        return prediction.reason
    if prediction.since is None:
        last = load_history().versions[-1]
        return "MPS has it" if prediction.verdict == "kernel" else f"MPS has it in no torch up to {last}"
    ahead = prediction.verdict == "missing" and minor(have) is not None and order(prediction.since) > order(have)
    return f"MPS has it since torch {prediction.since}" + (f", you have {have}" if ahead else "")


def describe_fallback(prediction: Prediction) -> str:
    """What the fallback does for an operator that stops."""
    if prediction.verdict not in STOPS or prediction.fallback is None:
        return ""
    return f"; with {FALLBACK_ON} it runs on the CPU" if prediction.fallback else "; the fallback does not help"


def predictions_as_text(
    predictions: Sequence[Prediction], support: Support, known: Known | None = None, places: Places | None = None
) -> str:
    """The predictions for a person: the answer, what stands in the way, what is not known, how many need nothing.

    `known` are PyTorch's known failures by aten name, shown beside the operators that stop; `places` in words where
    each operator is called.
    """
    return "\n".join(lines(predictions, support, known or {}, places or {})) + "\n"


def lines(predictions: Sequence[Prediction], support: Support, known: Known, places: Places) -> Iterator[str]:
    yield f"MPS with torch {support.version}, predicted from PyTorch's declarations; nothing was run"
    if support.note:
        yield support.note
    if not support.letters:
        return
    yield ANSWERS[overall_answer(predictions)]
    for title, verdicts in (("In the way", STOPS), ("On the CPU", {"fallback"}), ("Not known", {"unknown"})):
        group = [prediction for prediction in predictions if prediction.verdict in verdicts]
        if group:
            yield ""
            yield f"{title} ({len(group)})"
        for prediction in group:
            yield f"  {sentence(prediction, support.version)}"
            if prediction.op in places:
                yield f"    first called at {places[prediction.op]}"
            yield from (f"    {failure.sentence()}" for failure in failures_of(prediction, known))
    count = sum(prediction.verdict in ("kernel", "composite") for prediction in predictions)
    yield ""
    yield f"{count} of {len(predictions)} operators have what they need. Only running tells whether they compute right."


def failures_of(prediction: Prediction, known: Known) -> Sequence[KnownFailure]:
    """What PyTorch's tests say of an operator in float32."""
    entries = known.get(f"aten::{operator(prediction.op)}", ())
    return [entry for entry in entries if entry.concerns("float32", "backward")]


class PredictionRow(TypedDict):
    """A prediction; `outcome` is what a probe is expected to report, null where only running tells."""

    op: str
    verdict: str
    since: str | None
    fallback: bool | None
    needs: tuple[str, ...]
    reason: str | None
    outcome: str | None
    sentence: str
    known_failures: list[str]
    place: str | None


class Predicted(TypedDict):
    """The predictions as JSON, with the answer that they make together."""

    device: str
    torch: str
    source: str
    note: str | None
    answer: OverallAnswer
    results: list[PredictionRow]


def predictions_as_json(
    predictions: Sequence[Prediction], support: Support, known: Known | None = None, places: Places | None = None
) -> Predicted:
    """The predictions as JSON."""
    rows = [row(prediction, support, known or {}, places or {}) for prediction in predictions]
    return {
        "device": "mps",
        "torch": support.version,
        "source": support.source,
        "note": support.note,
        "answer": overall_answer(predictions),
        "results": rows,
    }


def row(prediction: Prediction, support: Support, known: Known, places: Places) -> PredictionRow:
    return {
        "op": prediction.op,
        "verdict": prediction.verdict,
        "since": prediction.since,
        "fallback": prediction.fallback,
        "needs": prediction.needs,
        "reason": prediction.reason,
        "outcome": OUTCOMES.get(prediction.verdict),
        "sentence": sentence(prediction, support.version),
        "known_failures": [failure.sentence() for failure in failures_of(prediction, known)],
        "place": places.get(prediction.op),
    }
