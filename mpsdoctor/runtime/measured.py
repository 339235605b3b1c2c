"""What a profile says was measured, in the few words of a log. The standard library alone, for trainers import it."""

from __future__ import annotations

from mpsdoctor.runtime.profile_format import printable
from mpsdoctor.runtime.workloads import answering_size
from mpsdoctor.thresholds import standing

TYPE_CHECKING = False  # typing's own constant costs 3 ms of the 15 that `import mpsdoctor` has
if TYPE_CHECKING:
    from collections.abc import Sequence

    from mpsdoctor.runtime.device import Question
    from mpsdoctor.runtime.shapes import KnownWrong, Profile

    Answer = tuple[str, str, str]  # device, reason, and what the reason rests on

NAMED = 3  # operators in a line
LONGEST = 160  # characters of a reason in a line
WRONG = "wrong"  # the outcome that goes without saying
TO_DO = "see whether your model is concerned: mpsdoctor ops --model train.py:build"


def shorten(text: str, limit: int = LONGEST) -> str:
    """The first clause of a recorded reason in one line, without the advice that it begins with.

    "Train on the CPU: mps takes twice as long; …" is "mps takes twice as long". A cut is marked, and between words.
    """
    clause = printable(text.partition("; ")[0], 4 * limit)
    head, _, rest = clause.partition(": ")
    clause = rest if rest and head.startswith("Train on ") else clause
    if len(clause) <= limit:
        return clause
    words, _, _ = clause[: limit - 1].rpartition(" ")
    return f"{words.rstrip(' ,;:(') or clause[: limit - 2]} …"


def basis(profile: Profile, *, sure: bool) -> str:
    """`profile of 2026-11-20, high confidence`; the confidence only where the answer is the recommendation itself."""
    confidence = profile["recommended"].get("confidence") if sure else None
    made = printable(profile["created"] or "", 40).partition("T")[0]
    parts = [
        f"profile of {made}" if made else "profile",
        f"{printable(confidence, 20)} confidence" if confidence else "",
    ]
    return ", ".join(filter(None, parts))


def choose_measured(profile: Profile, question: Question) -> Answer:
    """The device measured for the workload asked for, else for training at large."""
    recommended, workload = profile["recommended"], question.workload
    device = recommended["device"]
    reason = shorten(recommended.get("reason") or "the check-up recommends it")
    answer = device, reason, basis(profile, sure=True)
    if question.batch_size is not None and (at_batch := _choose_at_batch(profile, question, question.batch_size)):
        return (*at_batch, basis(profile, sure=False))
    if workload is None:
        return answer
    name, sizes = printable(workload, 60), profile["workloads"].get(workload)
    if not sizes:
        measured = ", ".join(printable(name, 40) for name in sorted(profile["workloads"])[:8]) or "none"
        question.warnings.append(f"workload '{name}' was not measured (measured: {measured})")
        return answer
    size = answering_size(sizes)
    winner, speedup = sizes[size]["device"], sizes[size].get("speedup")
    if winner == "tie":
        return device, f"no device is clearly faster for {name}; {reason}", answer[2]
    gain = f", {speedup:.3g} times the CPU's speed" if speedup and winner != "cpu" else ""
    because = f"measured as the fastest for {name} ({printable(size, 40)}{gain})"
    return winner, because, basis(profile, sure=False)


def _choose_at_batch(profile: Profile, question: Question, batch: int) -> tuple[str, str] | None:
    """Device and reason at a batch size; None, with a warning, where no batches of the workload were measured."""
    if question.workload is None:
        question.warnings.append(f"batch_size={batch} is not used, for it goes with a workload and none was named")
        return None
    name, rows = printable(question.workload, 60), profile["batches"].get(question.workload)
    if not rows:
        question.warnings.append(f"batch_size={batch} is not used: no batches of '{name}' were measured")
        return None
    from mpsdoctor.runtime.batches import judge_batch

    device, reason, warning = judge_batch(batch, name, rows)
    question.warnings += [warning] if warning else []
    return device, reason


def factor(speedup: float) -> str:
    """`0.5×`, in two digits and without powers of ten."""
    return f"{speedup:.0f}×" if speedup >= 10 else f"{max(speedup, 0.01):.2g}×"


def rows_of(profile: Profile, device: str) -> list[KnownWrong]:
    """What was found wrong on a device, whatever its index."""
    kind = device.partition(":")[0]
    return [row for row in profile["known_wrong"] if row["device"].partition(":")[0] == kind]


def name_wrong(row: KnownWrong) -> str:
    """`softmax` for what is wrong in float32, `lstm (crash)`, `sum (wrong in float16)`."""
    name, what = printable(row["id"].rpartition("::")[2], 60), printable(row.get("what") or WRONG, 40)
    return name if what == WRONG else f"{name} ({what})"


def list_wrong(rows: list[KnownWrong]) -> str:
    """The first names, and how many more there are."""
    names = ", ".join(map(name_wrong, rows[:NAMED]))
    return f"{names} and {len(rows) - NAMED} more" if len(rows) > NAMED else names


def speed_of(profile: Profile, question: Question, device: str) -> str:
    """`0.5×` the CPU's speed, as measured for the workload asked for, else over all; "" where nobody knows."""
    if question.batch_size is not None:
        return ""
    sizes = profile["workloads"].get(question.workload) if question.workload else None
    entry = sizes[answering_size(sizes)] if sizes else profile["speeds"].get(device)
    speedup, ci95 = (entry.get("speedup"), entry.get("ci95")) if entry else (None, None)
    if not entry or not speedup:
        return ""
    settled = entry.get("device") != "tie" and (not ci95 or is_settled(ci95))
    return factor(speedup) if settled else "not clearly faster"


def is_settled(ci95: Sequence[float]) -> bool:
    """Whether the interval of a ratio says which is faster, or that neither is."""
    return standing(ci95[0], ci95[1]) != "open"


def force_holds(profile: Profile, torch_version: str | None) -> bool:
    """Whether the profile forces MPS on a trainer with this torch; one that nobody knows is taken for the same."""
    until = profile.get("force_mps_torch")
    return profile["force_mps"] and (until is None or torch_version is None or until == torch_version)
