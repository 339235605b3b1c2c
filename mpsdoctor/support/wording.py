"""Predictions in words and as data: for a person, and for `--json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypedDict

from mpsdoctor.support.foreign import library
from mpsdoctor.support.history import load_history, minor, operator, order
from mpsdoctor.support.known_failures import KnownFailure
from mpsdoctor.support.prediction import STOPS, Prediction
from mpsdoctor.support.unseen import Unseen, unseen_part
from mpsdoctor.support.versions import Support
from mpsdoctor.texts import Each, Part, WordingData, as_values
from mpsdoctor.worker.shapes import Frame

# CONTRACT's outcome names for what a run would show; None where only running tells.
OUTCOMES = {
    "missing": "unimplemented",
    "sizes": "unimplemented",
    "options": "error",
    "dtype": "dtype",
    "devices": "error",
    "fallback": "fallback",
}
OverallAnswer = Literal["runs", "fallback", "stops", "unknown"]
Known = Mapping[str, Sequence[KnownFailure]]
Places = Mapping[str, str]


def overall_answer(predictions: Iterable[Prediction]) -> OverallAnswer:
    """The answer that predictions make together: "runs", "fallback" (needs the variable set), "stops" or "unknown"."""
    predictions = list(predictions)
    stops = [prediction for prediction in predictions if prediction.verdict in STOPS]
    if stops:
        return "fallback" if all(prediction.fallback for prediction in stops) else "stops"
    judged = [prediction for prediction in predictions if prediction.verdict != "unknown"]
    return "runs" if judged and not any(library(p.op) is None for p in unjudged(predictions)) else "unknown"


def unjudged(predictions: Iterable[Prediction]) -> list[Prediction]:
    """The predictions that nothing is known for."""
    return [prediction for prediction in predictions if prediction.verdict == "unknown"]


def headline(predictions: Sequence[Prediction]) -> Part:
    """The answer in words: for what runs, what of it is on the CPU, what was not judged, and the macOS it needs."""
    answer = overall_answer(predictions)
    if answer != "runs":
        return Part(f"answer_{answer}")
    on_cpu = sum(prediction.verdict == "fallback" for prediction in predictions)
    foreign = unjudged(predictions)
    libraries = sorted({library(prediction.op) or "" for prediction in foreign})
    macos = [prediction.before[0] for prediction in predictions if prediction.before]
    values = {
        "all": Part("" if on_cpu or foreign else "runs_whole"),
        "unjudged": counted("runs_unjudged", len(foreign), {"libraries": libraries}),
        "on_cpu": counted("runs_on_cpu", on_cpu, {}),
        "before": Part("runs_from_macos", {"macos": max(macos, key=order)}) if macos else Part(""),
    }
    return Part("answer_runs", values)


def counted(name: str, count: int, values: Mapping[str, object]) -> Part:
    """A template for one, or the one for several; nothing for none."""
    ending = "" if count > 1 else "_one"
    return Part(name + ending, {**values, "count": count}) if count else Part("")


def sentence(prediction: Prediction, have: str) -> str:
    """One prediction in words, where `have` is the present torch version."""
    return str(sentence_part(prediction, have))


def sentence_part(prediction: Prediction, have: str) -> Part:
    """As `sentence`, for any language."""
    parts = Part("predicted_needs", {"needs": prediction.needs}) if prediction.needs else Part("")
    return Part("predicted", {"op": prediction.op, "parts": parts, "says": describe_prediction(prediction, have)})


def describe_prediction(prediction: Prediction, have: str) -> Part:
    """A prediction in words, without the operator's name."""
    verdict = describe_verdict(prediction, minor(have) or have)
    more = prediction.calls - 1 if prediction.also else 0
    words = {
        "verdict": verdict,
        "fallback": describe_fallback(prediction),
        "before": describe_macos(prediction),
        "more": Part("predicted_more", {"more_count": more}) if more else Part(""),
    }
    return Part("predicted_says", words)


def describe_macos(prediction: Prediction) -> Part:
    """What an older macOS says to a call that is otherwise expected to run."""
    if prediction.before is None:
        return Part("")
    macos, message = prediction.before
    return Part("needs_macos", {"macos": macos, "message": message})


def describe_verdict(prediction: Prediction, have: str) -> Part:
    if prediction.verdict == "composite":
        return Part("mps_composite")
    if prediction.verdict == "fallback":
        return Part("mps_always_on_cpu")
    if prediction.reason is not None:
        return prediction.reason
    if prediction.since is None:
        last = load_history().versions[-1]
        return Part("mps_has") if prediction.verdict == "kernel" else Part("mps_never_had", {"last": last})
    since = prediction.since
    if prediction.verdict == "missing" and minor(have) is not None and order(since) > order(have):
        return Part("mps_since_you_have", {"since": since, "have": have})
    return Part("mps_since", {"since": since})


def describe_fallback(prediction: Prediction) -> Part:
    """What the fallback does for an operator that stops."""
    if prediction.verdict not in STOPS or prediction.fallback is None:
        return Part("")
    return Part("fallback_helps" if prediction.fallback else "fallback_does_not_help")


def predictions_as_text(
    predictions: Sequence[Prediction],
    support: Support,
    known: Known | None = None,
    places: Places | None = None,
    unseen: Unseen | None = None,
) -> Part:
    """The predictions for a person: the answer, what stands in the way, what is not known, how many need nothing.

    `known` are PyTorch's known failures by aten name, shown beside the operators that stop; `places` in words where
    each operator is called.
    """
    note = Part("prediction_note", {"note": support.note}) if support.note else Part("")
    rest = known_part(predictions, support, known or {}, places or {}) if support.letters else Part("")
    values = {
        "version": support.version,
        "macos": Part("prediction_macos", {"macos": support.macos}) if support.macos else Part(""),
        "note": note,
        "rest": rest,
        "unseen": unseen_part(unseen or Unseen()),
    }
    return Part("prediction", values)


def known_part(predictions: Sequence[Prediction], support: Support, known: Known, places: Places) -> Part:
    """The answer with the operators that are named."""
    titles = (("in_the_way", STOPS), ("on_the_cpu", {"fallback"}), ("not_known", {"unknown"}))
    grouped = [(title, [each for each in predictions if each.verdict in verdicts]) for title, verdicts in titles]
    grouped.append(("by_macos", [*{each.before: each for each in reversed(predictions) if each.before}.values()][::-1]))
    groups = []
    for title, group in grouped:
        operators = [operator_values(prediction, support, known, places) for prediction in group]
        values = {"title": Part(f"title_{title}"), "operators": Each("prediction_operator", operators, "")}
        groups += [{**values, "count": len(group)}] if group else []
    return Part(
        "prediction_known",
        {
            "answer": headline(predictions),
            "groups": Each("prediction_group", groups, ""),
            "count": sum(prediction.verdict in ("kernel", "composite") for prediction in predictions),
            "total": len(predictions),
        },
    )


def operator_values(prediction: Prediction, support: Support, known: Known, places: Places) -> dict[str, Part | Each]:
    failures = [{"failure": failure.sentence()} for failure in failures_of(prediction, known)]
    place = places.get(prediction.op)
    return {
        "sentence": sentence_part(prediction, support.version),
        "called": Part("prediction_called", {"place": place, "made": made_part(prediction)}) if place else Part(""),
        "failures": Each("prediction_failure", failures, ""),
    }


def made_part(prediction: Prediction) -> Part:
    """Where the module of torch's was made that calls an operator, if that is not the place that is told."""
    if prediction.made is None or prediction.made == prediction.place:
        return Part("")
    return Part("prediction_made", {"made_at": line_text(prediction.made)})


def line_text(frame: Frame) -> str:
    """`train.py:12`."""
    return f"{Path(frame['file']).name}:{frame['line']}"


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
    reason_values: WordingData | None
    sentence: str
    sentence_values: WordingData | None
    known_failures: list[str]
    known_failures_values: list[WordingData | None]
    place: str | None
    made_at: str | None
    also: tuple[str, ...]
    calls: int


class Predicted(TypedDict):
    """The predictions as JSON, with the answer that they make together."""

    device: str
    torch: str
    macos: str | None
    source: str
    note: str | None
    note_values: WordingData | None
    answer: OverallAnswer
    headline: str
    headline_values: WordingData | None
    results: list[PredictionRow]
    questions: list[str]
    left_out: dict[str, str]


def predictions_as_json(
    predictions: Sequence[Prediction],
    support: Support,
    known: Known | None = None,
    places: Places | None = None,
    unseen: Unseen | None = None,
) -> Predicted:
    """The predictions as JSON."""
    rows = [row(prediction, support, known or {}, places or {}) for prediction in predictions]
    return {
        "device": "mps",
        "torch": support.version,
        "macos": support.macos,
        "source": support.source,
        "note": str(support.note) if support.note else None,
        "note_values": as_values(support.note) if support.note else None,
        "answer": overall_answer(predictions),
        "headline": str(headline(predictions)),
        "headline_values": as_values(headline(predictions)),
        "results": rows,
        "questions": list(unseen.questions) if unseen else [],
        "left_out": dict(unseen.left_out) if unseen else {},
    }


def row(prediction: Prediction, support: Support, known: Known, places: Places) -> PredictionRow:
    sentence, reason = sentence_part(prediction, support.version), prediction.reason
    failures = [failure.sentence() for failure in failures_of(prediction, known)]
    return {
        "op": prediction.op,
        "verdict": prediction.verdict,
        "since": prediction.since,
        "fallback": prediction.fallback,
        "needs": prediction.needs,
        "reason": str(reason) if reason else None,
        "reason_values": as_values(reason) if reason else None,
        "outcome": OUTCOMES.get(prediction.verdict),
        "sentence": str(sentence),
        "sentence_values": as_values(sentence),
        "known_failures": list(map(str, failures)),
        "known_failures_values": list(map(as_values, failures)),
        "place": places.get(prediction.op),
        "made_at": line_text(prediction.made) if prediction.made else None,
        "also": prediction.also,
        "calls": prediction.calls,
    }
