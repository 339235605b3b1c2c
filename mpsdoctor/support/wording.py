"""Predictions in words and as data: for a person, and for `--json`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Literal

from mpsdoctor.support.history import load_history, minor, operator, order
from mpsdoctor.support.known_failures import KnownFailure
from mpsdoctor.support.limits import FALLBACK_ON
from mpsdoctor.support.prediction import STOPS, Prediction
from mpsdoctor.support.versions import Support

# CONTRACT's outcome names for what a run would show; None where only running tells.
OUTCOMES = {"missing": "unimplemented", "sizes": "unimplemented", "dtype": "dtype", "fallback": "fallback"}
Whole = Literal["runs", "fallback", "stops", "unknown"]
ANSWERS: dict[Whole, str] = {
    "runs": "every operator has what it needs",
    "fallback": f"runs with {FALLBACK_ON} only",
    "stops": "does not run",
    "unknown": "nothing is known against it, but not every operator is known",
}
Known = Mapping[str, Sequence[KnownFailure]]
Places = Mapping[str, str]


def whole(predictions: Iterable[Prediction]) -> Whole:
    """What the predictions say together: "runs", "fallback" (needs the variable set), "stops" or "unknown"."""
    every = list(predictions)
    stops = [one for one in every if one.verdict in STOPS]
    if stops:
        return "fallback" if all(one.fallback for one in stops) else "stops"
    return "unknown" if not every or any(one.verdict == "unknown" for one in every) else "runs"


def sentence(prediction: Prediction, have: str) -> str:
    """One prediction in words, where `have` is the torch version that is there."""
    parts = f" needs {', '.join(prediction.needs)}" if prediction.needs else ""
    return f"{prediction.op}{parts}: {says(prediction, have)}"


def says(prediction: Prediction, have: str) -> str:
    """What is said of the operator in it."""
    return f"{saying(prediction, minor(have) or have)}{taken_over(prediction)}"


def saying(prediction: Prediction, have: str) -> str:
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


def taken_over(prediction: Prediction) -> str:
    """What the fallback does for an operator that stops."""
    if prediction.verdict not in STOPS or prediction.fallback is None:
        return ""
    return f"; with {FALLBACK_ON} it runs on the CPU" if prediction.fallback else "; the fallback does not help"


def text(
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
    yield ANSWERS[whole(predictions)]
    for title, verdicts in (("In the way", STOPS), ("On the CPU", {"fallback"}), ("Not known", {"unknown"})):
        chosen = [one for one in predictions if one.verdict in verdicts]
        if chosen:
            yield ""
            yield f"{title} ({len(chosen)})"
        for one in chosen:
            yield f"  {sentence(one, support.version)}"
            if one.op in places:
                yield f"    first called at {places[one.op]}"
            yield from (f"    {each.sentence()}" for each in said_of(one, known))
    count = sum(one.verdict in ("kernel", "composite") for one in predictions)
    yield ""
    yield f"{count} of {len(predictions)} operators have what they need. Only running tells whether they compute right."


def said_of(prediction: Prediction, known: Known) -> Sequence[KnownFailure]:
    """What PyTorch's tests say of an operator in float32."""
    entries = known.get(f"aten::{operator(prediction.op)}", ())
    return [one for one in entries if one.concerns("float32", "backward")]


def data(
    predictions: Sequence[Prediction], support: Support, known: Known | None = None, places: Places | None = None
) -> dict[str, Any]:
    """The predictions as JSON: `answer`, `torch`, `source`, `note` and `results`."""
    at = places or {}
    return {
        "device": "mps",
        "torch": support.version,
        "source": support.source,
        "note": support.note,
        "answer": whole(predictions),
        "results": [{**row(one, support, known or {}), "place": at.get(one.op)} for one in predictions],
    }


def row(prediction: Prediction, support: Support, known: Known) -> dict[str, Any]:
    """One prediction; `outcome` is what a probe is expected to come to, null where only running tells."""
    return {
        **asdict(prediction),
        "outcome": OUTCOMES.get(prediction.verdict),
        "sentence": sentence(prediction, support.version),
        "known_failures": [one.sentence() for one in said_of(prediction, known)],
    }
