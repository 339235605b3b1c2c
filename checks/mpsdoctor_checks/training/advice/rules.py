"""From measured advice to findings. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from mpsdoctor.check import Finding, Remedy
from mpsdoctor_checks.training.advice import growth, hints, ways
from mpsdoctor_checks.training.rules import by_device, first_line

if TYPE_CHECKING:
    from mpsdoctor.thresholds import Standing

Facts = Mapping[str, Any]
Row = Mapping[str, Any]
SOON = 10_000  # steps, within which growth is told in bytes
EVIDENCE = ("threads", "speedup", "ci95", "blocks", "stopped")
NAMES = {
    "crossover": "the crossover of {workload}",
    "item": "the cost of reading the loss",
    "threads": "numbers of CPU threads on {workload}",
    "copy": "the share of copying",
    "autocast": "float16 and bfloat16",
    "channels_last": "channels_last",
    "fused": "AdamW(fused=True)",
}


class Telling(NamedTuple):
    """How a kind of row is told: a title for each standing, the figures in words, what to do, and at which standing."""

    code: str
    titles: Mapping[Standing, str]
    detail: Callable[[Row], str]
    acts_on: Standing
    remedy: Callable[[Row], str]


def scaled(row: Row) -> str:
    autocast = f'torch.autocast("{row["device"].partition(":")[0]}", dtype=torch.{row["dtype"]})'
    scaler = ", with a GradScaler in long trainings, for small gradients vanish in float16"
    more = scaler if row["dtype"] == "float16" else ""
    return f"Run the forward pass under {autocast}{more}; watch the loss of your own model."


TELLINGS: dict[str, Telling] = {
    "item": Telling(
        "MPS507",
        {
            "slower": "reading the loss in every step costs {cost_ms:.3g} ms on {device}",
            "same": "reading the loss in every step costs less than 5 % of a step on {device}",
            "faster": "reading the loss in every step costs nothing on {device}",
            "open": "what reading the loss in every step costs on {device} is not clear",
        },
        lambda row: f"Each .item() waits until {row['device']} is done: {hints.label(row)}, {hints.cost(row)}.",
        "slower",
        lambda row: "Add up loss.detach() on the device, and call .item() every 50 steps or so.",
    ),
    "autocast": Telling(
        "MPS508",
        {
            "faster": "{dtype} autocast trains {speedup:.3g} times as fast as float32 on {device}",
            "same": "{dtype} autocast gains nothing on {device}",
            "slower": "{dtype} autocast is slower than float32 on {device}: {speedup:.3g} times",
            "open": "whether {dtype} autocast is faster on {device} is not clear",
        },
        lambda row: (
            f"{hints.label(row)} {hints.times(row)} as fast, losses of {row['losses']} steps within "
            f"{row['loss_apart']:.1g} of float32's."
        ),
        "faster",
        scaled,
    ),
    "copy": Telling(
        "MPS525",
        {
            "faster": "copying the batch takes {share:.0%} of a step on {device}",
            "same": "copying the batch takes less than 5 % of a step on {device}",
            "slower": "copying the batch takes nothing of a step on {device}",
            "open": "what copying the batch takes of a step on {device} is not clear",
        },
        lambda row: f"{hints.label(row)} with batches that lie there already trains {hints.times(row)} as fast.",
        "faster",
        lambda row: "Keep data that fits on the device; else copy the next batch while the last one is computed.",
    ),
    "channels_last": Telling(
        "MPS527",
        {
            "faster": "channels_last trains convolutions {speedup:.3g} times as fast on {device}",
            "same": "channels_last makes no difference on {device}",
            "slower": "channels_last slows convolutions down on {device}: {speedup:.3g} times",
            "open": "whether channels_last is faster on {device} is not clear",
        },
        lambda row: f"{hints.label(row)} with weights and images in that layout trains {hints.times(row)} as fast.",
        "faster",
        lambda row: "Use model.to(memory_format=torch.channels_last), and the same for the images.",
    ),
    "fused": Telling(
        "MPS530",
        {
            "faster": "AdamW(fused=True) trains {speedup:.3g} times as fast on {device}",
            "same": "AdamW(fused=True) makes no difference on {device}",
            "slower": "AdamW(fused=True) is slower on {device}: {speedup:.3g} times",
            "open": "whether AdamW(fused=True) is faster on {device} is not clear",
        },
        lambda row: (
            f"{hints.label(row)} {hints.times(row)} as fast. As usual AdamW calls a dozen operators for each "
            "parameter, fused it is one for all."
        ),
        "faster",
        lambda row: "Use torch.optim.AdamW(model.parameters(), fused=True); Adam and SGD take it too.",
    ),
    "nnpack": Telling(
        "MPS531",
        {
            "faster": "the CPU trains convolutions {speedup:.3g} times as fast without NNPACK",
            "same": "NNPACK makes no difference on the CPU",
            "slower": "the CPU trains convolutions faster with NNPACK, as it does unless told otherwise",
            "open": "whether the CPU trains convolutions faster without NNPACK is not clear",
        },
        lambda row: (
            f"{hints.label(row)} without NNPACK trains {hints.times(row)} as fast. torch gives float32 convolutions of "
            "16 images and more to NNPACK here; devices were compared with the CPU at its better setting."
        ),
        "faster",
        lambda row: (
            "Begin a training on the CPU with torch.backends.nnpack.set_flags(False); the profile keeps the setting."
        ),
    ),
}


def measured(facts: Facts) -> Iterator[Finding]:
    """One finding for each way to train that was raced against the usual one."""
    for kind, telling in TELLINGS.items():
        for row in rows_of(facts, kind):
            standing = hints.standing(row)
            yield Finding(
                telling.code,
                "info",
                telling.titles[standing].format(**row),
                telling.detail(row),
                {key: value for key, value in row.items() if key != "blocks_ms"},
                Remedy(telling.remedy(row)) if standing == telling.acts_on else None,
            )


def rows_of(facts: Facts, kind: str) -> list[Row]:
    """Rows with figures."""
    return [row for row in facts["advice"] if row["kind"] == kind and row["outcome"] == "ok"]


def crossover(facts: Facts) -> Iterator[Finding]:
    for device, rows in by_device(rows_of(facts, "crossover")).items():
        met = [row for row in rows if row["batch"]]
        title = f"{device} and the CPU do not change places within the batches measured"
        remedy = None
        if met:
            title = f"{device} overtakes the CPU at {', '.join(map(hints.crossing, met))}"
            call = f"device, info = get_optimal_device(workload={met[0]['workload']!r}, batch_size={met[0]['batch']})"
            remedy = Remedy(
                "Smaller batches train faster on the CPU. A script can ask for its own batch size.", (call,)
            )
        told = [f"{hints.label(row)}: {row['detail'] or hints.measured(row)}" for row in rows]
        evidence = {
            hints.label(row): {key: row[key] for key in ("batch", "ci95", "batches", "stopped")} for row in rows
        }
        yield Finding("MPS506", "info", title, "; ".join(told) + ".", evidence, remedy)


def threads(facts: Facts) -> Iterator[Finding]:
    rows, best = rows_of(facts, "threads"), ways.best_threads(facts["advice"])
    if rows:
        figures = "; ".join(f"{hints.label(row)} with {row['way']} {hints.times(row)}" for row in rows)
        yield Finding(
            "MPS509",
            "info",
            f"{best} CPU thread{'s train' if best > 1 else ' trains'} faster than torch's own number"
            if best
            else "no number of CPU threads is clearly faster than torch's own",
            f"Speed on the CPU against torch's own number of threads: {figures}.",
            {f"{hints.label(row)} {row['way']}": {key: row[key] for key in EVIDENCE} for row in rows},
            Remedy(f"Begin a training with torch.set_num_threads({best}); the profile keeps the number.")
            if best
            else None,
        )


def memory(facts: Facts) -> Iterator[Finding]:
    for device, rows in by_device(rows_of(facts, "memory")).items():
        some = [row for row in rows if growth.grows(row)]
        if some:
            worst = max(some, key=lambda row: float(row["bytes_per_step"]))
            rate, soon = worst["bytes_per_step"], hints.size(worst["bytes_per_step"] * SOON)
            figures = "; ".join(told_growth(row) for row in some)
            yield Finding(
                "MPS526",
                "warning",
                f"memory in use on {device} grows by {hints.size(rate)} a training step",
                f"It grew steadily, block after block: {figures}. After {SOON:,} steps that is {soon}: the training "
                "swaps or runs out of memory.",
                {hints.label(row): {key: row[key] for key in GROWTH} for row in some},
                Remedy(
                    "Save checkpoints, so that a long training can start again in a fresh process; try another torch "
                    f"version. Your own models on {device} will grow by their own figure: watch the first 1,000 steps."
                ),
            )


GROWTH = ("bytes_per_step", "ci95", "first_bytes", "last_bytes", "peak_bytes", "steps", "blocks")


def told_growth(row: Row) -> str:
    low, high = map(hints.size, row["ci95"])
    return f"{hints.label(row)} {hints.size(row['bytes_per_step'])} a step ({low} to {high}) over {row['steps']} steps"


def failed(facts: Facts) -> Iterator[Finding]:
    """Ways to train that went wrong where the usual one did not."""
    for row in facts["advice"]:
        if row["outcome"] not in ("ok", "skipped", "unsupported"):
            told = f"{hints.label(row)} trains as usual, but so: {row['outcome']}, {first_line(row['detail'])}."
            yield Finding(
                TELLINGS[row["kind"]].code if row["kind"] in TELLINGS else "MPS509",
                "warning",
                f"{row['way']} does not train right on {row['device']}",
                told,
                {"detail": row["detail"]},
                Remedy(
                    "Train as usual on this device: in float32, in torch's own layout, with its own number of threads."
                ),
            )


def unsupported(facts: Facts) -> Iterator[Finding]:
    """Ways to train that this torch does not have on a device."""
    rows = [row for row in facts["advice"] if row["outcome"] == "unsupported"]
    if rows:
        told = "; ".join(f"{row['way']} on {row['device']}: {first_line(row['detail'])}" for row in rows)
        names = ", ".join(dict.fromkeys(f"{row['way']} on {row['device']}" for row in rows))
        yield Finding("MPS532", "info", f"this torch has no {names}", f"{told}.", {"advice": rows})


def left_out(facts: Facts) -> Iterator[Finding]:
    some = [row for row in facts["advice"] if row["outcome"] == "skipped"]
    reasons: dict[str, list[str]] = {}
    for row in some:
        reasons.setdefault(row["detail"], []).append(NAMES[row["kind"]].format(**row))
    if reasons:
        told = [f"{', '.join(dict.fromkeys(names))}: {why}" for why, names in reasons.items()]
        yield Finding(
            "MPS528",
            "info",
            "some advice was not measured",
            "; ".join(told) + ".",
            remedy=Remedy("A larger budget measures more.", ("mpsdoctor --only training --budget thorough",)),
        )


def doubted(rule: Callable[[Facts], Iterator[Finding]]) -> Callable[[Facts], Iterator[Finding]]:
    """A rule about figures: those of a disturbed run are shown as doubtful, and nobody is told to act on them."""

    def told(facts: Facts) -> Iterator[Finding]:
        for finding in rule(facts):
            title = f"{finding.title} (doubtful)" if facts["doubtful"] else finding.title
            yield replace(finding, title=title, remedy=None if facts["doubtful"] else finding.remedy)

    return told


RULES: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    doubted(crossover),
    doubted(measured),
    doubted(threads),
    memory,
    failed,
    unsupported,
    left_out,
)
