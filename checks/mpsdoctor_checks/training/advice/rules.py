"""From measured advice to findings. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from mpsdoctor.check import Finding, finding
from mpsdoctor.texts import Each, Part
from mpsdoctor_checks.training.advice import growth, hints, ways
from mpsdoctor_checks.training.rules import by_device, named, why

if TYPE_CHECKING:
    from mpsdoctor.thresholds import Standing

Facts = Mapping[str, Any]
Row = Mapping[str, Any]
SOON = 10_000  # steps, within which growth is told in bytes
EVIDENCE = ("threads", "speedup", "ci95", "blocks", "stopped")
GROWTH = ("bytes_per_step", "ci95", "first_bytes", "last_bytes", "peak_bytes", "steps", "blocks")
SEVERAL = ("crossover", "threads")  # kinds that are asked of more than one workload, and told with it


class Telling(NamedTuple):
    """How a kind of row is told: its code, the standing at which there is something to do, and figures of its own."""

    code: str
    acts_on: Standing
    figures: tuple[str, ...] = ()


TELLINGS: dict[str, Telling] = {
    "item": Telling("MPS507", "slower", ("cost_ms", "cost_ci95_ms", "usual_ms")),
    "autocast": Telling("MPS508", "faster", ("dtype", "losses", "loss_apart")),
    "copy": Telling("MPS525", "faster", ("share",)),
    "channels_last": Telling("MPS527", "faster"),
    "fused": Telling("MPS530", "faster"),
    "nnpack": Telling("MPS531", "faster"),
}


def measured(facts: Facts) -> Iterator[Finding]:
    """One finding for each way to train that was raced against the usual one."""
    for kind, telling in TELLINGS.items():
        for row in rows_of(facts, kind):
            standing = hints.standing(row)
            yield finding(
                telling.code,
                "info",
                {key: value for key, value in row.items() if key != "blocks_ms"},
                remedy=unless_doubtful(facts, standing == telling.acts_on),
                said=Part(standing),
                doubt=doubt(facts),
                **{key: row[key] for key in ("workload", "size", "device", "speedup", "ci95", *telling.figures)},
                **(call_of(row) if kind == "autocast" else {}),
            )


def call_of(row: Row) -> dict[str, Any]:
    """What torch.autocast is called with, and whether its gradients need scaling."""
    return {"backend": row["device"].partition(":")[0], "scaler": Part("scaler" if row["dtype"] == "float16" else "")}


def doubt(facts: Facts) -> Part:
    """Figures of a disturbed run are shown as doubtful."""
    return Part("doubtful" if facts["doubtful"] else "")


def unless_doubtful(facts: Facts, wanted: bool) -> str | None:
    """The remedy, if there is one to give: nobody is told to act on figures of a disturbed run."""
    return "remedy" if wanted and not facts["doubtful"] else None


def rows_of(facts: Facts, kind: str) -> list[Row]:
    """Rows with figures."""
    return [row for row in facts["advice"] if row["kind"] == kind and row["outcome"] == "ok"]


def crossover(facts: Facts) -> Iterator[Finding]:
    for device, rows in by_device(rows_of(facts, "crossover")).items():
        met = [row for row in rows if row["batch"]]
        call = "device, info = get_optimal_device(workload={workload!r}, batch_size={batch})"
        yield finding(
            "MPS506",
            "info",
            {hints.label(row): {key: row[key] for key in ("batch", "ci95", "batches", "stopped")} for row in rows},
            remedy=unless_doubtful(facts, bool(met)),
            commands=(call.format_map(met[0]),) if met else (),
            said=Part("met" if met else "apart"),
            doubt=doubt(facts),
            device=device,
            crossings=Each("crossing", [crossing(row) for row in met], ", "),
            rows=Each("row", [{**named(row), "found": found(row)} for row in rows]),
        )


def crossing(row: Row) -> dict[str, Any]:
    low, high = (Part("end", {"end": end}) if end else Part("outside") for end in row["ci95"])
    return {**named(row), "batch": row["batch"], "low": low, "high": high}


def found(row: Row) -> Part:
    """Why there is no crossover, or what was measured around it."""
    if row["detail"]:
        return Part("why", {"why": row["detail"]})
    batches = [{"batch": each["batch"], "speedup": each["speedup"]} for each in row["batches"]]
    return Part("batches", {"batches": Each("batch", batches, ", ")})


def threads(facts: Facts) -> Iterator[Finding]:
    rows, best = rows_of(facts, "threads"), ways.best_threads(facts["advice"])
    if rows:
        yield finding(
            "MPS509",
            "info",
            {f"{hints.label(row)} {row['way']}": {key: row[key] for key in EVIDENCE} for row in rows},
            remedy=unless_doubtful(facts, bool(best)),
            said=Part("none" if not best else "several" if best > 1 else "one"),
            doubt=doubt(facts),
            best=best,
            rows=Each("row", [{**named(row), **{key: row[key] for key in ("way", "speedup", "ci95")}} for row in rows]),
        )


def memory(facts: Facts) -> Iterator[Finding]:
    for device, rows in by_device(rows_of(facts, "memory")).items():
        some = [row for row in rows if growth.grows(row)]
        if some:
            rate = max(float(row["bytes_per_step"]) for row in some)
            told = [{**named(row), **{key: row[key] for key in ("bytes_per_step", "ci95", "steps")}} for row in some]
            yield finding(
                "MPS526",
                "warning",
                {hints.label(row): {key: row[key] for key in GROWTH} for row in some},
                device=device,
                rate=rate,
                rows=Each("row", told),
                steps=SOON,
                soon=rate * SOON,
            )


def failed(facts: Facts) -> Iterator[Finding]:
    """Ways to train that went wrong where the usual one did not."""
    for row in facts["advice"]:
        if row["outcome"] not in ("ok", "skipped", "unsupported"):
            yield finding(
                TELLINGS[row["kind"]].code if row["kind"] in TELLINGS else "MPS509",
                "warning",
                {"detail": row["detail"]},
                title="wrong",
                detail="wrong_so",
                remedy="as_usual",
                **named(row),
                way=row["way"],
                device=row["device"],
                outcome=Part(row["outcome"]),
                why=why(row["detail"]),
            )


def unsupported(facts: Facts) -> Iterator[Finding]:
    """Ways to train that this torch does not have on a device."""
    rows = [row for row in facts["advice"] if row["outcome"] == "unsupported"]
    if rows:
        told = [{"way": row["way"], "device": row["device"], "why": why(row["detail"])} for row in rows]
        lacking = [{"way": way, "device": device} for way, device in dict.fromkeys(map(way_on, rows))]
        yield finding("MPS532", "info", {"advice": rows}, lacking=Each("way_on", lacking, ", "), rows=Each("row", told))


def way_on(row: Row) -> tuple[str, str]:
    return row["way"], row["device"]


def left_out(facts: Facts) -> Iterator[Finding]:
    reasons: dict[str, dict[tuple[str, str | None], None]] = {}
    for row in facts["advice"]:
        if row["outcome"] == "skipped":
            asked = (row["kind"], row["workload"] if row["kind"] in SEVERAL else None)
            reasons.setdefault(row["detail"], {})[asked] = None
    if reasons:
        told = [
            {"experiments": Each("experiment", list(map(experiment, some)), ", "), "why": each}
            for each, some in reasons.items()
        ]
        yield finding("MPS528", "info", rows=Each("row", told))


def experiment(asked: tuple[str, str | None]) -> dict[str, Any]:
    kind, workload = asked
    return {"experiment": Part(kind, {"workload": workload} if workload else {})}


RULES: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    crossover,
    measured,
    threads,
    memory,
    failed,
    unsupported,
    left_out,
)
