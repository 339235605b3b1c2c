"""A second language can stand beside English with no change of code: values hold no English."""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from helpers import rows as rows_of
from helpers.judgements import in_words
from mpsdoctor import doubts, process, sandbox, support, texts, verdict
from mpsdoctor.check import Context, Finding, Job, finding
from mpsdoctor.facts import build_facts
from mpsdoctor.formats import Style
from mpsdoctor.formats import operators as operators_format
from mpsdoctor.support.known_failures import KnownFailure
from mpsdoctor.texts import Each, Part, Wording, Words
from mpsdoctor.worker import torch_facts
from mpsdoctor.worker.operators import comparison, opinfos, reference
from mpsdoctor.worker.operators.catalogue.entry import Law
from mpsdoctor.worker.shapes import Judgement, PlannedProbe
from mpsdoctor.worker.steps import replay
from mpsdoctor_checks import build
from mpsdoctor_checks.operators import answers, queue
from mpsdoctor_checks.operators import rules as operator_rules
from mpsdoctor_checks.operators.deaths import Deaths
from mpsdoctor_checks.operators.grouping import group_rows
from mpsdoctor_checks.operators.judgements import judgement_of
from mpsdoctor_checks.operators.results import facts_of
from mpsdoctor_checks.training import compiling, correctness, disturbance, lanes, plan, race, records, rules
from mpsdoctor_checks.training.advice import crossover, hints
from mpsdoctor_checks.training.advice import rules as advice_rules
from mpsdoctor_checks.training.narrator import Narrator, timing

ENGLISH, PHRASES = texts.texts("en"), texts.phrases("en")
FIELD = re.compile(r"(\{\{|\}\}|\{[^{}]*\})")
WORD = re.compile(r"(?<![\w./:=~-])[A-Za-z][a-z]+(?![\w/:=~(-]|\.\w)")
PLACE = re.compile(r"\S+:\d+ in \w+")  # as tracebacks have it, and the same in each language
# Names that are the same in each language: devices, workloads, layouts, directions, operators, units, levels.
NAMES = [
    "Apple",
    "AdamW",
    "CPU",
    "KiB",
    "MiB",
    "GiB",
    "Linux",
    "NNPACK",
    "torch",
    "gloo",
    "cnn",
    "mlp",
    "lstm",
    "transformer",
    "transformers",
    "fabric",
    "step",
    "small",
    "medium",
    "large",
    "float",
    "bfloat",
    "forward",
    "backward",
    "contiguous",
    "sliced",
    "transposed",
    "cumsum",
    "linear",
    "serious",
    "warning",
    "critical",
    "fair",
    "thorough",
    "true",
    "false",
    "cpu",
    "mps",
    "xpu",
    "nan",
    "inf",
    "fused",
]
UNIT = re.compile(r"(?<=[\d] )(?:ms|s|µs)\b")  # the same in every language
# What torch, Python and the system say, as it was said.
STRANGERS = (
    "RuntimeError: MPS backend out of memory (MPS allocated: 7.9 GB)",
    "NotImplementedError: The operator 'aten::foo' is not currently implemented",
    "RuntimeError: shape mismatch",
    "shape mismatch",
    "RuntimeError: fused=True is not supported",
    "ModuleNotFoundError: No module named 'fan'",
    "torch could not be imported",
    # a line of code, and the names of libraries
    'TrainingArguments(..., use_cpu=device.type == "cpu")',
    "Fabric(accelerator=device.type, devices=1)",
    "transformers",
    "fabric",
    # an entry of the known issues is as its source tells it
    "In torch 2.8.0 linear with a non-contiguous weight or input is silently wrong; generated text turns to gibberish.",
    "torch 2.7.1 or >= 2.9; .contiguous() on weight and input",
    "RuntimeError: view size is not compatible",
    "ValueError: invalid tensor type",
    "timed out",
    "addcmul-noncontiguous",
    "cnn medium mps",
    "weight or input is a transposed view; the graph-free fast path takes it as contiguous",
    # an operator's name in the table of chips, a word of the page `report`
    "ReLU of 2.1 million",
)


def pseudo(template: str) -> str:
    """A template of another language: its own words stand in «», the fields are the same."""
    return "".join(part if FIELD.fullmatch(part) or not part else f"«{part}»" for part in FIELD.split(template))


OTHER = {name: pseudo(phrase) for name, phrase in PHRASES.items()}


def english_in(template: str, values: Mapping[str, Any], parts: Mapping[str, str] | None = None) -> list[str]:
    """English words of a text that is filled in another language, from values that went through a report."""
    words = Words("en", {**OTHER, **{name: pseudo(part) for name, part in (parts or {}).items()}})
    filled = words.fill(pseudo(template), texts.from_data(json.loads(json.dumps(texts.as_data(values)))))
    for stranger in STRANGERS:
        filled = filled.replace(stranger, "")
    filled = UNIT.sub("", filled)
    ours = PLACE.sub("", re.sub("«[^«»]*»", "|", filled))
    return [word for word in WORD.findall(ours) if word not in NAMES]


def english_of(part: Part) -> list[str]:
    """As `english_in`, of a sentence of its own."""
    return english_in("{it}", {"it": part})


def english_left(told: Finding) -> list[str]:
    """English words that are left in a finding that is told in another language."""
    assert told.values is not None
    text, values = ENGLISH[told.code], dict(told.values)
    names = {"title": "title", "detail": "detail", **values.pop("templates", {})}
    return [word for name in names.values() if name for word in english_in(text.template(name), values, text.parts)]


EXAMPLES = [code for code in ENGLISH if code not in ("MPS202", "MPS207", "MPS209", "MPS901")]  # strangers' words alone


@pytest.mark.parametrize("code", EXAMPLES)
def test_the_example_of_a_finding_holds_no_english(code: str) -> None:
    """Every finding of the examples can be told in another language from its values."""
    text = ENGLISH[code]
    templates = (text.title, text.detail, text.remedy)
    assert [word for template in templates for word in english_in(template, text.example, text.parts)] == []


def curve(*losses: float, gradient: float = 1.0) -> Any:
    return {"losses": list(losses), "gradients": {"0.weight": [gradient]}, "seconds": [0.1] * len(losses)}


def fault(other: Any) -> Wording:
    wrong = correctness.compare(curve(1.0), other, "float32")
    assert wrong
    return wrong.detail


def refusal() -> Wording:
    allowance = compiling.Allowance(1.0)
    allowance.add(plan.Workload("mlp", "small"), {"mps": 2.0})
    return allowance.refuse(plan.Workload("cnn", "small")) or ""


def no_crossover(*speedups: float) -> Wording:
    points = [crossover.Point(8 << place, speed, (0.99 * speed, 1.01 * speed)) for place, speed in enumerate(speedups)]
    return crossover.find(points).why_not


def death(status: int) -> Wording:
    ending = process.how_it_ended(status)
    answer = sandbox.Answer(Job("m:f"), "crash", detail=f"{ending}\nlast words", ending=ending)
    return lanes.explain(answer)[1]


def prediction() -> Wording:
    there = support.support_in("2.0")
    return support.predictions_as_text(
        support.predict(["aten::cumsum", "aten::lerp_.Scalar", "aten::none"], there), there
    )


SENTENCES: dict[str, Callable[[], Wording | None]] = {
    "loss": lambda: fault(curve(2.0)),
    "NaN": lambda: fault(curve(math.nan)),
    "gradient": lambda: fault(curve(1.0, gradient=9.0)),
    "infinite gradient": lambda: fault(curve(1.0, gradient=math.inf)),
    "compiling": refusal,
    "tie": lambda: race.standing([1.0] * 20)[1],
    "few pairs": lambda: race.standing([1.0])[1],
    "always faster": lambda: no_crossover(2.0, 3.0),
    "one batch": lambda: no_crossover(1.0),
    "several crossovers": lambda: no_crossover(2.0, 0.5, 2.0),
    "no torch": lambda: support.support_in("3.4").note,
    "known failure": lambda: KnownFailure("topk", "undefined", ("float16",), "backward", "before 14.4").sentence(),
    "prediction": prediction,
}


@pytest.mark.parametrize("name", SENTENCES)
def test_a_sentence_holds_no_english(name: str) -> None:
    """What checks say beside their findings is a part with values too."""
    sentence = SENTENCES[name]()
    assert isinstance(sentence, Part)
    assert str(sentence)
    assert [word for word in english_of(sentence) if word not in ("topk", "weight")] == []


IDLE: dict[str, Any] = {"cpu_percent": 1.0, "swap_in_bytes": 0, "swap_out_bytes": 0, "thermal_state": "serious"}
BUSY: dict[str, Any] = {"cpu_percent": 90.0, "swap_in_bytes": 1 << 30, "swap_out_bytes": 1 << 30, "on_battery": True}
PRESSED: dict[str, Any] = {"pressure": "critical", "thermal_state": "fair", "low_power": True}


def test_disturbances_hold_no_english() -> None:
    """Neither in the finding about them nor among the doubts of the verdict."""
    moments: Any = {"before": IDLE, "between": [80.0, 80.0], "after": {**BUSY, **PRESSED}}
    parts = disturbance.find_disturbances(moments)
    facts: Any = {"disturbances": list(map(str, parts)), "disturbances_values": list(map(texts.as_data, parts))}
    facts |= {"conditions": moments, "alone": True}
    (told,) = rules.disturbed(facts)
    assert len(parts) == 9
    assert all(str(part) in told.detail for part in parts)
    assert english_left(told) == []
    (doubt,) = doubts.disturbances(facts)
    assert [word for reason in doubt.reasons for word in english_of(reason)] == []


def advice(kind: str, part: Part | None = None, **figures: Any) -> dict[str, Any]:
    row = {"kind": kind, "workload": "cnn", "size": "medium", "device": "mps", "dtype": "float16", "outcome": "ok"}
    usual = {
        "way": kind,
        "threads": 4,
        "speedup": 1.8,
        "ci95": [1.7, 1.9],
        "usual_ms": 10.0,
        "stopped": "",
        "blocks": 9,
    }
    detail = {"detail": str(part or ""), "detail_values": texts.as_values(part or "")}
    return {**row, **usual, **detail, **figures}


LEAK: dict[str, Any] = {
    "bytes_per_step": 1 << 20,
    "ci95": [1 << 20, 1 << 20],
    "first_bytes": 10,
    "last_bytes": 99,
    "peak_bytes": 99,
}
ADVICE = [
    advice("crossover", batch=96, ci95=[90.0, None], batches=[]),
    advice("item", way="reading the loss", ci95=[0.3, 0.4], cost_ms=6.0, cost_ci95_ms=[5.8, 6.2]),
    advice("copy", way="batches there", share=0.2, share_ci95=[0.18, 0.22]),
    advice("autocast", way="float16", loss_apart=0.01, losses=6),
    advice("threads", way="4 threads", device="cpu"),
    advice("channels_last"),
    advice("fused", way="AdamW(fused=True)"),
    advice("nnpack", way="without NNPACK", device="cpu"),
    advice("memory", **LEAK, steps=40),
]


def test_hints_hold_no_english() -> None:
    """Each kind of advice is a hint, and hints and findings can be told in another language."""
    facts: Any = {"advice": ADVICE, "settings": {"num_threads": 4}, "doubtful": False}
    parts = hints.hints(facts)
    assert len(parts) == len(ADVICE)
    assert [word for part in parts for word in english_of(part)] == []
    assert [word for rule in advice_rules.RULES for told in rule(facts) for word in english_left(told)] == []


def test_what_was_left_out_or_failed_holds_no_english() -> None:
    """Details of rows come with their values, from which the findings are filled."""
    skipped = records.left_out(plan.Workload("cnn", "medium"), ["mps"], Part("budget_spent", {"seconds": 3.0})).results
    rows = [records.blank(plan.Workload("mlp", "small"), "mps", "crash", death(status)) for status in (-11, 3)]
    facts: Any = {"results": [*skipped, *rows]}
    told = [*rules.left_out(facts), *rules.failures(facts)]
    assert [one.code for one in told] == ["MPS505", "MPS512"]
    assert skipped[0]["detail"] == "left out, the 3 s of this budget went to more telling workloads"
    assert rows[1]["detail"] == "exit status 3\nlast words"
    assert "mlp small: exit status 3." in told[1].detail
    assert [word for one in told for word in english_left(one) if not word.startswith("SIG")] == []


@pytest.mark.parametrize("outcome", ["skipped", "nan", "unsupported"])
def test_advice_without_figures_holds_no_english(outcome: str) -> None:
    """Why a way to train was not measured, went wrong, or does not exist."""
    kinds = ("fused", "item", "threads", "nnpack")
    reason = Part("needs_seconds", {"needed": 3.0, "left": 1.0})
    facts: Any = {
        "advice": [advice(kind, reason, outcome=outcome) for kind in kinds],
        "settings": {},
        "doubtful": False,
    }
    told = [one for rule in advice_rules.RULES for one in rule(facts)]
    assert told
    assert [word for one in told for word in english_left(one)] == []


@pytest.mark.parametrize("place", ["train.py:7 in forward", None])
@pytest.mark.parametrize("phase", ["forward", "backward", "optimizer"])
def test_the_place_of_a_call_holds_no_english(phase: str, place: str | None) -> None:
    """Where in a step an operator is called, with the module it belongs to."""
    row: Any = {"op": "aten::cumsum", "outcome": "wrong", "direction": "forward", "phase": phase, "place": place}
    row |= {"made_at": "train.py:3 in build" if place else None, "module": None, "variants": [""], "count": 1}
    row |= {"code": None, **in_words(JUDGEMENTS["numbers"]())}
    answer = answers.answer_of([row], 1)
    (told,) = answers.finding_of("mps", answer, "train.py:build", build_facts({}))
    assert english_left(told) == []


ONES, LAW = torch.ones(2, 3, dtype=torch.float64), Law(0.5, 0.288675, 0.0, 1.0)


def compared(*values: torch.Tensor, expected: torch.Tensor = ONES) -> Judgement:
    return comparison.compare_all(list(values), [expected] * len(values), values[0].dtype, "sim", 1.0)


def changed(value: float) -> torch.Tensor:
    numbers = torch.ones(2, 3)
    numbers[1, 2] = value
    return numbers


def judged_again(*runs: Callable[[], list[torch.Tensor]]) -> Judgement:
    return reference.judge(runs[0], runs[1:], torch.float32, "sim")


def fails() -> list[torch.Tensor]:
    raise RuntimeError("shape mismatch")


def asking_for_float64() -> Judgement:
    """A sample that the device refuses, of a call that computes in float64."""
    sample: Any = SimpleNamespace(device="xpu", judge=lambda direction: fails(), asks_for_double=lambda: True)
    return opinfos.Sample.judge_safely(sample, "forward")


def given_up(outcome: str) -> Judgement:
    deaths = Deaths()
    deaths.note("aten::cumsum", outcome)
    deaths.note("aten::cumsum", outcome)
    return judgement_of("skipped", deaths.too_many_of("aten::cumsum") or "")


def unanswered(outcome: Any, ending: Part) -> Judgement:
    answer = sandbox.Answer(Job("m:f"), outcome, detail=str(ending), ending=ending)
    return queue.row_of(PlannedProbe("cumsum", "aten::cumsum", "float32", "sliced", "forward"), "sim", answer)


# As the worker makes them, or the doctor where it does not answer.
JUDGEMENTS: dict[str, Callable[[], Judgement]] = {
    "numbers": lambda: compared(changed(3.0)),
    "integers": lambda: compared(torch.tensor([1, 2]), expected=torch.tensor([1, 3])),
    "NaN": lambda: compared(changed(math.nan)),
    "other infinity": lambda: compared(changed(1.0), expected=ONES * math.inf),
    "shape": lambda: compared(torch.ones(3)),
    "dtype": lambda: compared(torch.ones(2, 3, dtype=torch.int64)),
    "too few results": lambda: comparison.compare_all([], [ONES], torch.float32, "sim", 1.0),
    "one of several": lambda: compared(torch.ones(2, 3), changed(3.0)),
    "run to run": lambda: judged_again(lambda: [torch.rand(50)], lambda: [torch.ones(50).double()]),
    "shapes": lambda: reference.compare_shapes([torch.ones(3)], [ONES]),
    "random NaN": lambda: reference.compare_shapes([changed(math.nan)], [ONES]),
    "random bounds": lambda: comparison.compare_distribution(torch.rand(8192) * 2 - 0.5, LAW),
    "random high": lambda: comparison.compare_distribution(torch.rand(8192) + 0.1, LAW),
    "random mean": lambda: comparison.compare_distribution(torch.rand(8192) * 0.5, LAW),
    "random spread": lambda: comparison.compare_distribution(torch.full((8192,), 0.5), LAW),
    "no reference": lambda: judged_again(lambda: [ONES], fails),
    "stranger's operator": lambda: replay.probe({"op": "own::cumsum", "args": [], "kwargs": {}}, "cpu", "forward"),
    "float64": asking_for_float64,
    "killed": lambda: given_up("crash"),
    "hung": lambda: given_up("timeout"),
    "crash": lambda: unanswered("crash", process.how_it_ended(-11)),
    "timeout": lambda: unanswered("timeout", Part("no_answer_within", {"seconds": 10.0})),
}


@pytest.mark.parametrize("name", JUDGEMENTS)
def test_what_a_call_came_to_holds_no_english(name: str) -> None:
    """Neither the detail of a row nor the finding that quotes it, on an accelerator and of the CPU's self-test."""
    judgement = in_words(JUDGEMENTS[name]())
    assert judgement["detail"]
    sentence = texts.from_values("", judgement["detail_values"])
    assert isinstance(sentence, Part)
    assert str(sentence) == judgement["detail"]
    assert [word for word in english_of(sentence) if not word.startswith("SIG")] == []
    outcome = judgement["outcome"] if judgement["outcome"] != "skipped" else "wrong"
    rows: Any = [
        {**judgement, **rows_of.probe("aten::cumsum", outcome, device, detail=judgement["detail"])}
        for device in ("cpu", "mps")
    ]
    told = operator_rules.judge({**facts_of([]), "results": group_rows(rows)}, build_facts({}))
    assert len(told) == 2
    assert all(judgement["detail"] in one.detail for one in told)
    assert [word for one in told for word in english_left(one) if not word.startswith("SIG")] == []


def test_details_are_shown_in_the_language_of_who_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row's detail is filled anew from its values; where they fill nothing, English is shown."""
    english = texts.page
    monkeypatch.setattr(texts, "_language", "xx")
    monkeypatch.setattr(texts, "page", lambda language, name: english("en", name))
    monkeypatch.setattr(texts, "phrases", {"en": PHRASES, "xx": OTHER}.__getitem__)
    row: Any = {**rows_of.probe("aten::sum", "wrong"), "variants": ["sliced"], **in_words(compared(torch.ones(3)))}
    assert row["detail"] == "shape [3], reference [2, 3]"
    assert show(row) == "«shape »[3]«, reference »[2, 3]"
    for values in ({"part": "no_such", "values": {}}, {"part": "other_shape", "values": {}}, {}, None):
        assert show({**row, "detail_values": values}) == row["detail"]


def show(row: Any) -> str:
    """The last line that `ops` prints of a row."""
    *_, line = operators_format.table([row], Style(), lambda text, colour: text, everything=False)
    return line.strip()


class Answering:
    """A context whose worker gives one answer."""

    def __init__(self, answer: sandbox.Answer) -> None:
        self.answer = answer

    def worker(self, device: str) -> Any:
        return SimpleNamespace(call=lambda name, **args: self.answer)

    def progress(self, text: Wording) -> None:
        """Nobody listens."""


def off_by(error: float) -> sandbox.Answer:
    """What a worker answers of a device whose sums are wrong."""
    numbers = {"cpu": {"sum": torch.tensor(1.0)}, "xpu": {"sum": torch.tensor(1.0 + error)}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch_facts, "_compute_small_step", lambda torch, device: numbers[device])
        patch.setattr(torch, "ones", lambda *args, **more: None)
        return sandbox.Answer(Job("m:f"), "ok", torch_facts.try_device("xpu"))


DEVICES: dict[str, tuple[Callable[[], sandbox.Answer], str, str]] = {
    "wrong": (lambda: off_by(2.0), "computes wrong numbers: sum is off by 2", "MPS207"),
    "hung": (
        lambda: sandbox.Answer(Job("m:f"), "timeout", ending=Part("no_answer_within", {"seconds": 60.0})),
        "timeout: no answer within 60 s",
        "MPS207",
    ),
    "absent": (lambda: sandbox.Answer(Job("m:f"), "ok"), "torch does not offer it here", "MPS212"),
}


@pytest.mark.parametrize("name", DEVICES)
def test_why_a_device_cannot_be_used_holds_no_english(name: str) -> None:
    """Neither in the finding, nor in the verdict's reasons."""
    answer, reason, code = DEVICES[name]
    device = build.try_device(Answering(answer()), "xpu", offered=name != "absent")  # type: ignore[arg-type]
    assert device["reason"] == reason
    facts = {**build_facts({}), "devices": [device], "asked_for": ["xpu"], "offered": ["cpu"], "refused": {}}
    (told,) = [one for rule in (build.unusable, build.not_offered) for one in rule(facts)]  # type: ignore[arg-type]
    assert told.code == code
    assert english_left(told) == []
    why = verdict.why_unusable(device)
    assert str(why) == reason
    assert isinstance(why, Part)
    assert english_of(why) == []


def test_english_in_values_is_seen() -> None:
    """A sentence that is a value does not pass."""
    conditions = Each("condition", [{"condition": "it ran hot"}])
    others: dict[str, Any] = {"waiting": Part(""), "kept": Part(""), "steps": [Part("again")]}
    assert english_left(finding("MPS521", "warning", conditions=conditions, **others)) == [
        "it",
        "ran",
        "hot",
    ]


def test_progress_holds_no_english() -> None:
    """What a check is doing goes out in English, with the values for another language."""
    said: list[dict[str, Any]] = []
    context: Any = SimpleNamespace(say=said.append)
    context.progress = functools.partial(Context.progress, context)
    workload = plan.Workload("cnn", "small")
    Narrator(context, workload, timing(["cpu", "mps"]), ["cpu", "mps"])({"cpu": [0.1, 0.1]}, 3.0)
    ways = Each("way", [{"way": Part("way_threads", {"threads": count})} for count in (4, 8)], "and")
    Narrator(context, workload, Part("trying_ways", {"ways": ways, "device": "cpu"}))()
    context.progress("as a stranger says it")
    assert [message["text"] for message in said] == [
        "timing cpu and mps: cnn small, cpu 100 ms ± 0 %, at most 3 s more",
        "trying 4 threads and 8 threads on cpu: cnn small",
        "as a stranger says it",
    ]
    assert said[2]["values"] is None
    parts = [texts.from_values(message["text"], message["values"]) for message in said[:2]]
    assert [word for part in parts for word in english_of(part)] == []  # type: ignore[arg-type]
