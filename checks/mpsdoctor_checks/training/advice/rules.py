"""From measured advice to findings. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from mpsdoctor.check import Finding, finding
from mpsdoctor.facts.advice import Advice, AdviceFacts
from mpsdoctor.facts.training import detail_of
from mpsdoctor.texts import Each, Part, Wording
from mpsdoctor_checks.training.advice import growth, hints, ways
from mpsdoctor_checks.training.rules import Values, by_device, label, name_of, why

if TYPE_CHECKING:
    from mpsdoctor.thresholds import Standing

Rule = Callable[[AdviceFacts], Iterator[Finding]]
SOON = 10_000  # steps, after which the text says how many bytes are lost
EVIDENCE = ("threads", "speedup", "ci95", "blocks", "stopped")
GROWTH = ("bytes_per_step", "ci95", "first_bytes", "last_bytes", "peak_bytes", "steps", "blocks")
SEVERAL = ("crossover", "threads")  # kinds that more than one workload has, which is named with them


class Words(NamedTuple):
    """The finding for a kind of row: its code, its own figures, and the standing that has a remedy."""

    code: str
    acts_on: Standing
    figures: tuple[str, ...] = ()


WORDS: dict[str, Words] = {
    "item": Words("MPS507", "slower", ("cost_ms", "cost_ci95_ms", "usual_ms")),
    "autocast": Words("MPS508", "faster", ("dtype", "losses", "loss_apart")),
    "copy": Words("MPS525", "faster", ("share",)),
    "channels_last": Words("MPS527", "faster"),
    "fused": Words("MPS530", "faster"),
    "nnpack": Words("MPS531", "faster"),
}


def measured(facts: AdviceFacts) -> Iterator[Finding]:
    """One finding for each way to train that was raced against the usual one."""
    for kind, words in WORDS.items():
        for row in rows_of(facts, kind):
            standing = hints.standing(row)
            yield finding(
                words.code,
                "info",
                {key: value for key, value in row.items() if key != "blocks_ms"},
                remedy=unless_doubtful(facts, standing == words.acts_on),
                said=Part(standing),
                doubt=doubt(facts),
                **pick(row, ("workload", "size", "device", "speedup", "ci95", *words.figures)),
                **(autocast_call(row) if kind == "autocast" else {}),
            )


def pick(row: Mapping[str, object], keys: Iterable[str]) -> Values:
    """Some fields of a row."""
    return {key: row[key] for key in keys}


def autocast_call(row: Advice) -> Values:
    """What torch.autocast is called with, and whether its gradients need scaling."""
    return {"backend": row["device"].partition(":")[0], "scaler": Part("scaler" if row["dtype"] == "float16" else "")}


def doubt(facts: AdviceFacts) -> Part:
    """Figures of a disturbed run are shown as doubtful."""
    return Part("doubtful" if facts["doubtful"] else "")


def unless_doubtful(facts: AdviceFacts, wanted: bool) -> str | None:
    """The remedy if it is wanted; figures of a disturbed run have none."""
    return "remedy" if wanted and not facts["doubtful"] else None


def rows_of(facts: AdviceFacts, kind: str) -> list[Advice]:
    """Rows with figures."""
    return [row for row in facts["advice"] if row["kind"] == kind and row["outcome"] == "ok"]


def crossover(facts: AdviceFacts) -> Iterator[Finding]:
    for device, rows in by_device(rows_of(facts, "crossover")).items():
        met = [row for row in rows if row["batch"]]
        call = "device, info = get_optimal_device(workload={workload!r}, batch_size={batch})"
        yield finding(
            "MPS506",
            "info",
            {label(row): pick(row, ("batch", "ci95", "batches", "stopped")) for row in rows},
            remedy=unless_doubtful(facts, bool(met)),
            commands=(call.format(workload=met[0]["workload"], batch=met[0]["batch"]),) if met else (),
            said=Part("met" if met else "apart"),
            doubt=doubt(facts),
            device=device,
            crossings=Each("crossing", [crossing(row) for row in met], ", "),
            rows=Each("row", [{**name_of(row), "found": surroundings(row)} for row in rows]),
        )


def crossing(row: Advice) -> Values:
    low, high = (Part("end", {"end": end}) if end else Part("outside") for end in row["ci95"] or ())
    return {**name_of(row), "batch": row["batch"], "low": low, "high": high}


def surroundings(row: Advice) -> Part:
    """Why there is no crossover, or what was measured around it."""
    if row["detail"]:
        return Part("why", {"why": detail_of(row)})
    batches = [{"batch": batch["batch"], "speedup": batch["speedup"]} for batch in row["batches"]]
    return Part("batches", {"batches": Each("batch", batches, ", ")})


def threads(facts: AdviceFacts) -> Iterator[Finding]:
    rows, best = rows_of(facts, "threads"), ways.best_threads(facts["advice"])
    if rows:
        values = [{**name_of(row), **pick(row, ("speedup", "ci95")), "way": ways.describe_row(row)} for row in rows]
        yield finding(
            "MPS509",
            "info",
            {f"{label(row)} {row['way']}": pick(row, EVIDENCE) for row in rows},
            remedy=unless_doubtful(facts, bool(best)),
            said=Part("none" if not best else "several" if best > 1 else "one"),
            doubt=doubt(facts),
            best=best,
            rows=Each("row", values),
        )


def memory(facts: AdviceFacts) -> Iterator[Finding]:
    for device, rows in by_device(rows_of(facts, "memory")).items():
        growing = [row for row in rows if growth.grows(row)]
        if growing:
            rate = max(row["bytes_per_step"] for row in growing)
            values = [{**name_of(row), **pick(row, ("bytes_per_step", "ci95", "steps"))} for row in growing]
            yield finding(
                "MPS526",
                "warning",
                {label(row): pick(row, GROWTH) for row in growing},
                device=device,
                rate=rate,
                rows=Each("row", values),
                steps=SOON,
                soon=rate * SOON,
            )


def failed(facts: AdviceFacts) -> Iterator[Finding]:
    """Ways to train that fail where the usual one does not."""
    for row in facts["advice"]:
        if row["outcome"] not in ("ok", "skipped", "unsupported"):
            yield finding(
                WORDS[row["kind"]].code if row["kind"] in WORDS else "MPS509",
                "warning",
                {"detail": row["detail"]},
                title="wrong",
                detail="wrong_so",
                remedy="as_usual",
                workload=row["workload"],
                size=row["size"],
                way=ways.describe_row(row),
                device=row["device"],
                outcome=Part(row["outcome"]),
                why=why(row),
            )


def unsupported(facts: AdviceFacts) -> Iterator[Finding]:
    """Ways to train that this torch does not have on a device."""
    rows = [row for row in facts["advice"] if row["outcome"] == "unsupported"]
    if rows:
        values = [{"way": ways.describe_row(row), "device": row["device"], "why": why(row)} for row in rows]
        pairs = {(row["way"], row["device"]): row for row in rows}
        lacking = Each(
            "way_on", [{"way": ways.describe_row(row), "device": row["device"]} for row in pairs.values()], ", "
        )
        yield finding("MPS532", "info", {"advice": rows}, lacking=lacking, rows=Each("row", values))


def left_out(facts: AdviceFacts) -> Iterator[Finding]:
    experiments: dict[str, dict[tuple[str, str | None], None]] = {}
    reasons: dict[str, Wording] = {}
    for row in facts["advice"]:
        if row["outcome"] == "skipped":
            key = (row["kind"], row["workload"] if row["kind"] in SEVERAL else None)
            experiments.setdefault(row["detail"], {})[key] = None
            reasons.setdefault(row["detail"], detail_of(row))
    if reasons:
        values = [
            {"experiments": Each("experiment", [experiment(*key) for key in keys], ", "), "why": reasons[detail]}
            for detail, keys in experiments.items()
        ]
        yield finding("MPS528", "info", rows=Each("row", values))


def experiment(kind: str, workload: str | None) -> dict[str, Part]:
    return {"experiment": Part(kind, {"workload": workload} if workload else {})}


RULES: tuple[Rule, ...] = (
    crossover,
    measured,
    threads,
    memory,
    failed,
    unsupported,
    left_out,
)
