"""`ops --predict mps`: which operators MPS has in one torch version, on any machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mpsdoctor import machine, support
from mpsdoctor.check import Collected, Context, Finding, Severity, Shape, Skip, UnusableRequestError, finding, typed
from mpsdoctor.facts import assume_shapes
from mpsdoctor.facts.operators import PredictionFacts
from mpsdoctor.texts import Each, Part, as_data
from mpsdoctor.worker.shapes import PlannedProbe, StepTree, Wheel
from mpsdoctor_checks.operators.collect import DTYPES, PLAN
from mpsdoctor_checks.operators.model import Target, place_of, run_step
from mpsdoctor_checks.operators.named import select_probes

TREE, WHEEL = "mpsdoctor_worker.steps.own_model:tree", "mpsdoctor_worker.steps.calltree:wheel"
MOST = 12  # operators that are named in a detail
PREDICTED: dict[str, tuple[str, Severity]] = {"stops": ("MPS361", "error"), "fallback": ("MPS362", "warning")}


def examine(
    context: Context,
    wanted: Target | None,
    names: Sequence[str],
    version: str | None,
    seconds: float,
    macos: str | None = None,
) -> Collected:
    """Facts and findings. The operators are those of a training step, those named, or the catalogue's."""
    context.progress(Part("listing_operators"))
    wheel = ask_worker(context, WHEEL, Wheel)
    folder = Path(*wheel["parts"])
    there = support.support_for(version, folder, wheel["version"], macos or present_macos(context))
    if not there.letters:
        raise UnusableRequestError(str(there.note or Part("nothing_known", {"version": there.version})))
    calls, unseen = calls_of(context, wanted, names, seconds)
    known = support.by_aten(support.known_failures(folder) or {}) if there.source == "installed" else {}
    predictions = support.predict(calls, there)
    places = {prediction.op: place_of(prediction.place) for prediction in predictions if prediction.place}
    prediction = support.predictions_as_json(predictions, there, known, places, unseen)
    text = support.predictions_as_text(predictions, there, known, places, unseen)
    facts: PredictionFacts = {
        "source": "prediction",
        "results": [],
        "prediction": prediction,
        "said": str(text),
        "said_values": as_data(text),
    }
    return {**facts}, findings(predictions, prediction, str(wanted)) if wanted else []


def present_macos(context: Context) -> str | None:
    """The macOS that this runs on; None on another system."""
    facts = assume_shapes(context.facts).get("chip") or machine.facts()
    return facts["os_version"] if facts["os"] == "Darwin" else None


def calls_of(
    context: Context, wanted: Target | None, names: Sequence[str], seconds: float
) -> tuple[list[support.Call | str], support.Unseen]:
    """The calls to predict: with what they are made of and the person's lines for a step, by name otherwise."""
    if wanted:
        recorded = run_step(context, wanted, seconds, TREE, StepTree)
        unseen = support.Unseen([*map(place_of, recorded["questions"])], recorded["left_out"])
        return [support.call_of(node) for node in recorded["calls"]], unseen
    plan = ask_worker(context, PLAN, list[PlannedProbe], level="thorough", dtypes=DTYPES["quick"])
    probes = [probe for name in names for probe in select_probes(plan, name)] if names else plan
    return list(dict.fromkeys(probe.op for probe in probes)), support.Unseen()


def ask_worker(context: Context, call: str, shape: type[Shape], **args: Any) -> Shape:
    """The answer of a worker that has torch."""
    answer = context.worker().call(call, **args)
    if answer.outcome != "ok":
        raise Skip(answer.reason)
    return typed(answer, shape)


def findings(predictions: Sequence[support.Prediction], prediction: support.Predicted, target: str) -> list[Finding]:
    """One finding about a step that MPS is not expected to run as it is."""
    rows = [row for row in prediction["results"] if row["outcome"] is not None]
    if prediction["answer"] not in ("stops", "fallback") or not rows:
        return []
    code, severity = PREDICTED[prediction["answer"]]
    says = {operator.op: support.describe_prediction(operator, prediction["torch"]) for operator in predictions}
    lines = [line_values(row, says[row["op"]]) for row in rows[:MOST]]
    rest = len(rows) - MOST
    predicted = finding(
        code,
        severity,
        {"torch": prediction["torch"], "operators": rows},
        target=target,
        first=Part("op_sentence", lines[0]),
        lines=Each("op_line", lines, "\n"),
        rest=Part("more", {"more_count": rest}) if rest > 0 else Part(""),
    )
    return [predicted]


def line_values(row: support.PredictionRow, says: Part) -> dict[str, object]:
    """One operator of the prediction: what it is made of, what is said of it, and where it is called."""
    needs = list(row["needs"])
    return {
        "op": row["op"],
        "made_of": Part("made_of", {"needs": needs}) if needs else Part(""),
        "needs_of": Part("needs_of", {"needs": needs}) if needs else Part(""),
        "says": says,
        "called_at": Part("called_at", {"place": row["place"]}) if row["place"] else Part(""),
    }
