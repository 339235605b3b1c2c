"""Measured advice: what is tried, what is left out, and how rows become findings and hints."""

from __future__ import annotations

import time
from typing import Any

import pytest

from mpsdoctor.check import Finding, Sandbox
from mpsdoctor.runtime.shapes import CpuSettings
from mpsdoctor_checks.training import cpu_settings
from mpsdoctor_checks.training.advice import experiments, hints, rules, ways
from mpsdoctor_checks.training.lanes import Lane
from mpsdoctor_checks.training.plan import Workload
from mpsdoctor_checks.training.stages import Say

ALL_KINDS = {"crossover", "item", "threads", "copy", "autocast", "channels_last", "fused"}


def row(kind: str, speedup: float, ci95: list[Any], device: str = "mps", **more: Any) -> Any:
    head = {"kind": kind, "workload": "cnn", "size": "medium", "device": device, "dtype": "float32", "outcome": "ok"}
    figures = {"speedup": speedup, "ci95": ci95, "usual_ms": 10.0, "step_ms": 10 / speedup, "blocks": 6}
    rest: dict[str, Any] = {"detail": "", "stopped": "decided", "way": kind}
    told: Any = {**head, **figures, **rest, **more}
    maker = ways.FIGURES.get(kind)
    run: Any = {"losses": {ways.USUAL: [2.0, 1.0], kind: [2.0, 1.01]}}
    return told | maker(told, run) if maker else told


CROSSOVER = row(
    "crossover",
    1.0,
    [90.0, 103.0],
    batch=96,
    batches=[{"batch": 64, "speedup": 0.8}, {"batch": 128, "speedup": 1.2}],
)
FUSED = row("fused", 1.8, [1.7, 1.9], way="AdamW(fused=True)")
READING = row("item", 0.4, [0.38, 0.42])


def facts(*rows: Any, doubtful: bool = False) -> Any:
    settings = {} if doubtful else cpu_settings.best_settings(rows)
    return {"advice": list(rows), "batches": {}, "settings": settings, "doubtful": doubtful}


def findings(*rows: Any) -> list[Finding]:
    return [finding for rule in rules.RULES for finding in rule(facts(*rows))]


def told(*rows: Any) -> tuple[list[str], list[str]]:
    """Titles of findings, and hints."""
    return [finding.title for finding in findings(*rows)], list(map(str, hints.hints(facts(*rows))))


def test_the_crossover_is_told_with_its_interval() -> None:
    """`mps overtakes the CPU at batch 96`, with how a script asks for its own batch."""
    (finding,) = findings(CROSSOVER)
    assert (finding.code, finding.severity) == ("MPS506", "info")
    assert finding.title == "mps overtakes the CPU at batch 96 of cnn medium (90 to 103)"
    assert finding.remedy is not None
    assert finding.remedy.commands == ("device, info = get_optimal_device(workload='cnn', batch_size=96)",)
    assert list(map(str, hints.hints(facts(CROSSOVER)))) == [finding.title]


def test_no_crossover_is_no_hint() -> None:
    """A range without a crossover is told as such, and gives nobody advice."""
    titles, advised = told({**CROSSOVER, "batch": None, "ci95": [None, None], "detail": "the CPU is faster"})
    assert titles == ["mps and the CPU do not change places within the batches measured"]
    assert advised == []


def test_reading_the_loss_costs_what_was_measured() -> None:
    """Steps of 10 ms that take 25 when the loss is read cost 15, and the interval follows the ratio's."""
    assert READING["cost_ms"] == pytest.approx(15.0)
    assert READING["cost_ci95_ms"] == pytest.approx([10 / 0.42 - 10, 10 / 0.38 - 10])
    titles, advised = told(READING)
    assert titles == ["reading the loss in every step costs 15.0 ms on mps"]
    assert "15.0 ms (13.8 ms to 16.3 ms)" in advised[0]


def test_the_share_of_copying() -> None:
    """A step that is 1.25 times as fast without the copy spends a fifth on it."""
    found = row("copy", 1.25, [1.2, 1.3])
    assert found["share"] == pytest.approx(0.2)
    titles, advised = told(found)
    assert titles == ["copying the batch takes 20% of a step on mps"]
    assert "20 % (17 to 23 %)" in advised[0]


@pytest.mark.parametrize("kind", ["item", "copy", "autocast", "channels_last"])
@pytest.mark.parametrize(
    ("ci95", "word"), [([0.97, 1.03], "5 %|nothing|no difference"), ([0.7, 1.4], "not clear")], ids=["same", "open"]
)
def test_nothing_is_advised_without_a_clear_difference(kind: str, ci95: list[float], word: str) -> None:
    """Inside the band there is nothing to gain, and a wide interval is said to be unclear; neither is a hint."""
    (finding,) = findings(row(kind, 1.0, ci95))
    assert any(each in finding.title for each in word.split("|"))
    assert finding.remedy is None
    assert told(row(kind, 1.0, ci95))[1] == []


def test_autocast_tells_speed_and_losses() -> None:
    """The gain comes with how far the losses are from float32's, and float16 with a word about its scaler."""
    found = row("autocast", 1.8, [1.7, 1.9], dtype="float16")
    assert found["loss_apart"] == pytest.approx(0.01)
    (finding,) = findings(found)
    assert finding.title == "float16 autocast trains 1.8 times as fast as float32 on mps"
    assert "within 0.01" in finding.detail
    assert finding.remedy is not None
    assert "GradScaler" in finding.remedy.text
    other = findings({**found, "dtype": "bfloat16"})[0].remedy
    assert other is not None
    assert "GradScaler" not in other.text


def test_a_way_that_trains_wrong_is_a_warning() -> None:
    """Autocast whose losses leave the tolerance is not advised, however fast it is."""
    wrong = {**ways.blank("autocast", Workload("cnn", "small"), "mps", "diverged", "loss 3 at step 2")}
    (finding,) = findings({**wrong, "way": "bfloat16"})
    assert (finding.code, finding.severity) == ("MPS508", "warning")
    assert "loss 3 at step 2" in finding.detail


def threads(count: int, speedup: float, workload: str = "cnn") -> Any:
    ci95 = [speedup * 0.99, speedup * 1.01]
    return row("threads", speedup, ci95, "cpu", threads=count, workload=workload, way=experiments.name_of(count))


@pytest.mark.parametrize(
    ("rows", "best"),
    [
        ([threads(4, 1.3), threads(2, 1.1)], 4),
        ([threads(4, 1.04)], None),
        ([threads(4, 1.3), threads(4, 0.8, "transformer"), threads(2, 1.1)], 2),
        ([threads(4, 1.3), threads(4, 1.0, "transformer")], 4),
        ([], None),
    ],
    ids=["fastest", "not clearly", "slower elsewhere", "no slower elsewhere", "none"],
)
def test_the_best_number_of_threads(rows: list[Any], best: int | None) -> None:
    """It is clearly faster on one workload and clearly slower on none; else torch's own number stays."""
    assert ways.best_threads(rows) == best
    assert len(list(map(str, hints.hints(facts(*rows))))) == (1 if best else 0)


@pytest.mark.parametrize(
    ("default", "machine", "counts"),
    [
        (8, {"performance_cores": 8, "efficiency_cores": 2}, [1, 2, 4, 10]),
        (10, {"performance_cores": 6, "efficiency_cores": 4}, [1, 2, 4, 6, 8]),
        (2, {"performance_cores": None}, [1]),
        (1, {}, []),
    ],
)
def test_which_numbers_of_threads_are_tried(default: int, machine: dict[str, int | None], counts: list[int]) -> None:
    """Doubling up to the physical cores, all of these, the performance cores; never the default itself."""
    assert ways.thread_counts(default, **machine) == counts


def test_growth_is_a_warning_with_its_bytes() -> None:
    """A leak is told a step and in 10,000 steps, and is a hint."""
    grown = {"bytes_per_step": 2.0**20, "ci95": [2.0**20, 2.0**20], "first_bytes": 10, "last_bytes": 99, "steps": 40}
    found = {**row("memory", 1.0, [1.0, 1.0]), **grown, "peak_bytes": 99}
    (finding,) = findings(found)
    assert (finding.code, finding.severity) == ("MPS526", "warning")
    assert "grows by 1 MiB a training step" in finding.title
    assert "9.77 GiB" in finding.detail
    assert list(map(str, hints.hints(facts(found)))) == ["memory of mps grows by 1 MiB a step of cnn medium"]


def bench(
    budget: str,
    seconds: float,
    ms: dict[str, float],
    devices: tuple[str, ...] = ("cpu", "mps"),
    runs: Any = (),
) -> experiments.Bench:
    """A bench whose workloads took so many milliseconds a step, by size."""
    results: Any = [
        {"device": device, "workload": family, "size": size, "step_ms": each, "outcome": "ok"}
        for device in devices
        for family in ("cnn", "transformer", "mlp", "lstm")
        for size, each in ms.items()
    ]
    lanes = {device: Lane(device, Sandbox("python"), ready=True) for device in devices}
    end = time.monotonic() + seconds
    silent: Say = lambda blocks=None, left=None: None  # noqa: E731
    return experiments.Bench(budget, lanes, results, [], runs, [1, 2], end, lambda: None, lambda workload, what: silent)


def left_out(given: experiments.Bench) -> dict[str, str]:
    """Why each experiment is left out, by kind and workload; where it is not, the size that it is made in."""

    def done(*asked: Any) -> Any:
        experiment, workload, device = asked[:3] if isinstance(asked[0], experiments.Experiment) else (None, *asked[:2])
        kind = experiment.kind if experiment else "crossover"
        return experiments.Outcome([ways.blank(kind, workload, device, "ok", workload.size)])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiments, "run_race", done)
        patch.setattr(experiments, "run_sweep", done)
        rows = [each for outcome in experiments.run_all(given) for each in outcome.advice]
    return {f"{each['kind']} {each['workload']}": each["detail"] for each in rows}


def made(given: experiments.Bench) -> list[str]:
    return [name for name, why in left_out(given).items() if why in experiments.SIZES]


def test_the_quick_budget_has_no_experiments_and_thorough_all() -> None:
    """Standard has the cheap ones, and what belongs to a larger budget says so."""
    fast = {"medium": 3.0, "small": 1.0}
    assert set(left_out(bench("quick", 9.0, fast)).values()) == {
        "belongs to the standard budget",
        "belongs to the thorough budget",
    }
    assert made(bench("standard", 9.0, fast)) == [
        "fused cnn",
        "item cnn",
        "crossover cnn",
        "threads cnn",
        "copy cnn",
        "crossover transformer",
    ]
    assert set(left_out(bench("thorough", 60.0, fast)).values()) == {"medium"}


def test_what_does_not_fit_is_left_out_with_its_seconds() -> None:
    """Steps of a second leave no room in 3 s, and both numbers are told."""
    slow = {"medium": 1000.0, "small": 900.0}
    assert left_out(bench("standard", 3.0, slow))["item cnn"] == "needs about 71 s, 3 s were left"


def test_small_sizes_stand_in_for_slow_medium_ones() -> None:
    """Advice from a small model is better than none."""
    assert left_out(bench("standard", 9.0, {"medium": 1000.0, "small": 5.0}))["item cnn"] == "small"


def test_time_that_others_leave_is_used() -> None:
    """What needs more than its part is made at the end, with all that is left."""
    given = bench("thorough", 60.0, {"medium": 900.0}, ("cpu", "mps"))
    assert left_out(given)["item cnn"].startswith("needs about")
    assert left_out(bench("thorough", 80.0, {"medium": 900.0}))["item cnn"] == "medium"


def test_the_cpu_alone_has_advice_too() -> None:
    """Threads, autocast and layout can be tried without an accelerator; the rest compares with one."""
    given = bench("thorough", 60.0, {"medium": 3.0, "small": 1.0}, ("cpu",))
    assert {name.split()[0] for name in made(given)} == {"threads", "autocast", "channels_last"}


def test_a_device_that_was_given_up_is_asked_nothing() -> None:
    """The reason why stands in place of the figures."""
    given = bench("thorough", 60.0, {"medium": 3.0, "small": 1.0})
    given.lanes["mps"].out = "mps was given up after a timeout in training"
    found = left_out(given)
    assert found["item cnn"] == "mps was given up after a timeout in training"
    assert found["threads cnn"] == "medium"


def test_left_out_is_told_once_by_reason() -> None:
    """All that was not measured stands in one finding with what would measure it."""
    given = bench("quick", 9.0, {"small": 1.0})
    rows = [each for outcome in experiments.run_all(given) for each in outcome.advice]
    assert {each["kind"] for each in rows} == ALL_KINDS
    (finding,) = findings(*rows)
    assert finding.code == "MPS528"
    assert "belongs to the thorough budget" in finding.detail
    assert finding.remedy is not None


def test_what_nnpack_could_not_be_compared_with_is_left_out_by_name() -> None:
    """Where training as usual fails on the CPU there is no figure without NNPACK either, and that is said."""
    (finding,) = findings({**row("nnpack", 1.0, [1.0, 1.0], "cpu"), "outcome": "skipped", "detail": "it crashed"})
    assert (finding.code, finding.detail) == ("MPS528", "NNPACK: it crashed.")


def test_a_fused_optimizer_that_is_faster_is_a_hint() -> None:
    """With its figure, and the line to write."""
    (finding,) = findings(FUSED)
    assert (finding.code, finding.title) == ("MPS530", "AdamW(fused=True) trains 1.8 times as fast on mps")
    assert finding.remedy is not None
    assert "fused=True" in finding.remedy.text
    assert list(map(str, hints.hints(facts(FUSED)))) == [
        "AdamW(…, fused=True) trains cnn medium 1.8 times (1.7 to 1.9) as fast on mps"
    ]


def test_a_way_that_this_torch_lacks_is_no_warning() -> None:
    """Autocast or a fused optimizer that a device does not have is told in one line."""
    (finding,) = findings(
        {**FUSED, "outcome": "unsupported", "detail": "RuntimeError: fused=True requires …", "way": "it"}
    )
    assert (finding.code, finding.severity, finding.title) == ("MPS532", "info", "this torch has no it on mps")


@pytest.mark.parametrize(
    ("change", "settings"),
    [
        ({}, {"nnpack": False}),
        ({"ci95": [0.99, 1.2]}, {}),
        ({"ci95": [0.2, 0.3]}, {}),
        ({"outcome": "diverged"}, {"nnpack": False}),
        ({"outcome": "crash"}, {}),
    ],
)
def test_nnpack_is_off_where_that_is_faster_or_it_is_wrong(change: Any, settings: CpuSettings) -> None:
    """The setting that the profile keeps; what is not clear keeps torch's own."""
    nnpack: Any = {**row("nnpack", 5.9, [5.5, 6.2], "cpu"), **change}
    assert cpu_settings.best_settings([nnpack]) == settings


def test_settings_of_the_cpu_come_together() -> None:
    """The number of threads and the path, each from its own experiment."""
    rows = [row("nnpack", 5.9, [5.5, 6.2], "cpu"), row("threads", 1.5, [1.4, 1.6], "cpu", threads=6, way="6 threads")]
    assert cpu_settings.best_settings(rows) == {"num_threads": 6, "nnpack": False}


def test_figures_of_a_disturbed_run_are_doubtful_and_ask_for_nothing() -> None:
    """`1 thread trains 43.5 times as fast` was measured on a busy processor: nobody is told to act on it."""
    wild = row("threads", 43.5, [20.0, 60.0], "cpu", threads=1, way="1 thread")
    found = [each for rule in rules.RULES for each in rule(facts(wild, FUSED, CROSSOVER, doubtful=True))]
    assert len(found) == 3
    assert all(each.title.endswith("(doubtful)") and each.remedy is None for each in found)


def test_what_compiles_anew_needs_the_seconds_of_a_first_step() -> None:
    """Another batch size is compiled like the workload was; another optimizer is not."""
    run = {"workload": "cnn", "size": "small", "batch": 16, "compiling_s": {"cpu": 0.0, "mps": 30.0}}
    given = bench("standard", 9.0, {"small": 1.0}, runs=(run,))
    assert left_out(given)["crossover cnn"].startswith("needs about 3")
    assert left_out(given)["fused cnn"] == "small"


def test_a_win_over_a_cpu_with_too_many_threads_is_raced_again() -> None:
    """Only where the accelerator won that very workload, and another number of threads is clearly faster there."""
    threads = row("threads", 1.5, [1.4, 1.6], "cpu", threads=6, way="6 threads")
    head: Any = {"workload": "cnn", "size": "medium", "device": "mps"}
    rows: list[Any] = [{**head, "winner": winner} for winner in ("cpu", "mps")]
    lost, won = rows
    assert cpu_settings.find_unfair([won], [threads]) == [(("cnn", "medium"), 6)]
    assert cpu_settings.find_unfair([lost], [threads]) == []
    unclear: Any = {**threads, "ci95": [1.0, 1.9]}
    elsewhere: Any = {**won, "workload": "mlp"}
    assert cpu_settings.find_unfair([won], [unclear]) == []
    assert cpu_settings.find_unfair([elsewhere], [threads]) == []


@pytest.mark.parametrize(
    ("found", "code", "title"),
    [
        (row("copy", 1.25, [1.2, 1.3]), "MPS525", "copying the batch takes 20% of a step on mps"),
        (
            row("channels_last", 0.8, [0.79, 0.81]),
            "MPS527",
            "channels_last slows convolutions down on mps: 0.8 times",
        ),
        (
            row("nnpack", 5.9, [5.8, 6.0], "cpu", way="without NNPACK"),
            "MPS531",
            "the CPU trains convolutions 5.9 times as fast without NNPACK",
        ),
        (threads(4, 1.3), "MPS509", "4 CPU threads train faster than torch's own number"),
        (threads(4, 1.0), "MPS509", "no number of CPU threads is clearly faster than torch's own"),
    ],
)
def test_a_way_to_train_has_its_code(found: Any, code: str, title: str) -> None:
    """Each way that was raced against the usual one is told under its own code."""
    assert [(finding.code, finding.severity, finding.title) for finding in findings(found)] == [(code, "info", title)]
