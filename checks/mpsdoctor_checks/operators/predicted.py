"""`ops --predict mps`: which operators MPS has in one torch version, told on any machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mpsdoctor import support
from mpsdoctor.check import Collected, Context, Finding, Remedy, Skip, UnusableRequestError
from mpsdoctor.support import FALLBACK_ON
from mpsdoctor_checks.operators.collect import DTYPES, PLAN
from mpsdoctor_checks.operators.model import Target, place_of, run_step
from mpsdoctor_checks.operators.named import chosen

TREE, WHEEL = "mpsdoctor_worker.steps.own_model:tree", "mpsdoctor_worker.steps.calltree:wheel"
MOST = 12  # operators that are named in a detail


def examine(
    context: Context, wanted: Target | None, names: Sequence[str], version: str | None, seconds: float
) -> Collected:
    """Facts and findings. The operators are those of a training step, those named, or the catalogue's."""
    context.progress("prediction: the operators that are called")
    wheel = asked(context, WHEEL)
    folder = Path(*wheel["parts"])
    there = support.support_in(version) if version else support.support_of_installed(folder, wheel["version"])
    if not there.letters:
        raise UnusableRequestError(there.note or f"nothing is known of torch {there.version}")
    calls, places = calls_of(context, wanted, names, seconds)
    known = {} if version else support.by_aten(support.known_failures(folder) or {})
    predictions = support.predict(calls, there)
    told = support.data(predictions, there, known, places)
    said = support.text(predictions, there, known, places)
    facts = {"source": "prediction", "results": [], "prediction": told, "said": said}
    return facts, list(findings(predictions, told, str(wanted))) if wanted else []


def calls_of(
    context: Context, wanted: Target | None, names: Sequence[str], seconds: float
) -> tuple[list[support.Call | str], dict[str, str]]:
    """The calls to predict: with what they are made of and the person's lines for a step, by name otherwise."""
    if wanted:
        recorded = run_step(context, wanted, seconds, TREE)
        places = {op: place_of(frame) for op, frame in recorded["places"].items() if frame}
        return [support.call_of(node) for node in recorded["calls"]], places
    plan = asked(context, PLAN, level="thorough", dtypes=DTYPES["quick"])
    probes = [probe for name in names for probe in chosen(plan, name)] if names else plan
    return list(dict.fromkeys(probe[1] for probe in probes)), {}


def asked(context: Context, call: str, **args: Any) -> Any:
    """The answer of a worker that has torch."""
    answer = context.worker().call(call, **args)
    if answer.outcome != "ok":
        raise Skip(answer.reason)
    return answer.value


def findings(predictions: Sequence[support.Prediction], told: dict[str, Any], target: str) -> list[Finding]:
    """One finding about a step that MPS is not expected to run as it is."""
    rows = [row for row in told["results"] if row["outcome"] is not None]
    if told["answer"] not in ("stops", "fallback") or not rows:
        return []
    stops = told["answer"] == "stops"
    title = f"{target} needs {rows[0]['sentence'].replace(' needs ', ', made of ', 1)}"
    lines = "\n".join(row["sentence"] + (f" ({row['place']})" if row["place"] else "") for row in rows[:MOST])
    more = f"\nand {len(rows) - MOST} more" if len(rows) > MOST else ""
    means = "predicted from PyTorch's declarations, nothing was run on MPS"
    evidence = {"torch": told["torch"], "operators": rows}
    remedy = Remedy("Upgrade torch, replace these operators, or move their tensors to the CPU for the call.")
    helped = Remedy("Set it before the program that imports torch starts.", (f"export {FALLBACK_ON}",))
    detail = f"{means}:\n{lines}{more}"
    if stops:
        return [Finding("MPS361", "error", title, detail, evidence, remedy)]
    return [Finding("MPS362", "warning", title, detail, evidence, helped)]
