"""Known issues of PyTorch: what is recorded, and whether that says that a torch, a macOS and a chip are bad.

The standard library alone and Python 3.9 syntax, for training scripts import it by way of `known_issues`.
"""

from __future__ import annotations

import json
from pathlib import Path

TYPE_CHECKING = False  # typing's own constant costs 3 ms of the 15 that `import mpsdoctor` has
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Literal

    from mpsdoctor.runtime.shapes import Issue

    Recorded = Literal["bad", "good", "unknown"]
    Truth = bool | None  # None: not known

DATA = Path(__file__).parent / "data" / "known_issues.jsonl"
# What a published wheel was built for, as its version ends; any other ending is a build of somebody's own.
PUBLISHED = ("cpu", "cu", "xpu", "rocm")
# How a version was found below which nothing is wrong; by all other ways it is the oldest that somebody looked at.
SURE_BEGIN = ("stated", "regression", "inferred from the wheels")
_numbers: dict[str | None, tuple[int, ...]] = {}  # of versions, of which few are distinct
BEYOND = 1 << 30  # stands for the parts of a version that are not told, at their largest
COMPARISONS: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ">=": lambda version, bound: version >= bound,
    "<=": lambda version, bound: version <= bound,
    "==": lambda version, bound: version[: len(bound)] == bound,
    ">": lambda version, bound: version > bound,
    "<": lambda version, bound: version < bound,
}


class Surroundings:
    """The torch, the macOS and the machine that are asked about; None is not known."""

    def __init__(
        self,
        torch: str | None,
        macos: str | None,
        chip: str | None = None,
        arch: str | None = None,
        virtual: bool | None = None,
    ) -> None:
        self.torch, self.macos, self.chip, self.arch = torch, macos, chip, arch
        self.virtual = ("virtual" in chip.lower() or virtual) if chip else virtual


def read_issues(path: Path = DATA) -> list[Issue]:
    """All entries, by id. OSError and ValueError where the file is not as it was shipped."""
    lines = path.read_text(encoding="utf-8").split("\n")
    entries: list[Issue] = json.loads(f"[{','.join(filter(None, lines))}]")  # at once: a third of the time less
    return entries


def recorded_of(issue: Issue, here: Surroundings) -> Recorded:
    """What an entry says of these surroundings: wrong there, right there, or nothing."""
    of_torch = judge_torch(issue, here.torch)
    if of_torch == "good":
        return of_torch
    elsewhere = [judge_macos(issue["macos"], here.macos), judge_chip(issue, here), judge_condition(issue, here)]
    if False in elsewhere:
        return "good" if is_exact(here.torch) else "unknown"
    return "unknown" if of_torch == "unknown" or None in elsewhere else "bad"


def numbers(version: str | None) -> tuple[int, ...]:
    """The leading numbers of a version; empty for what is none."""
    if version not in _numbers:
        _numbers[version] = parse_numbers(version or "")
    return _numbers[version]


def parse_numbers(version: str) -> tuple[int, ...]:
    """No regular expression: to compile one takes 0.3 ms."""
    found: list[int] = []
    for part in version.strip().split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        found += [int(digits)] if digits and digits.isascii() and len(digits) < 10 else []
        if not digits or digits != part:
            break
    return tuple(found)


def is_exact(torch: str | None) -> bool:
    """Whether a version is that of a release: what a nightly or somebody's own build holds is not known."""
    release, _, built = (torch or "").partition("+")
    official = not built or built.rstrip("0123456789.") in PUBLISHED
    return official and bool(release) and all(part.isdecimal() for part in release.split("."))


def judge_torch(issue: Issue, torch: str | None) -> Recorded:
    """What the versions of an entry say of one."""
    version, exact = padded(numbers(torch)), is_exact(torch)
    if not version:
        return "unknown"
    begin, end = padded(numbers(issue["torch_first_bad"])), padded(numbers(issue["torch_fixed"]))
    if end and version >= end:
        return "good" if exact else "unknown"
    if begin and version < begin:
        return "good" if exact and is_sure_begin(issue) else "unknown"
    if not exact and begin and version == begin:  # built before or after that came in
        return "unknown"
    ended_somewhere = not end and issue["status"] == "closed" and not is_bounded(issue)
    if ended_somewhere and version[:2] > begin[:2]:
        return "unknown"
    return "bad"


def padded(version: tuple[int, ...]) -> tuple[int, ...]:
    """Three numbers; a part that is not told is 0."""
    return (*version, 0, 0, 0)[:3] if version else ()


def is_sure_begin(issue: Issue) -> bool:
    basis = issue["first_bad_basis"] or ""
    return basis.startswith(SURE_BEGIN) or "(regression)" in basis


def is_bounded(issue: Issue) -> bool:
    """Whether the system was cured and not torch: the entry ends with a macOS, or holds for a kind of Python."""
    return "<" in (issue["macos"] or "") or "==" in (issue["macos"] or "") or issue["condition"] is not None


def judge_macos(condition: str | None, macos: str | None) -> Truth:
    """Whether a macOS fulfils a condition: `,` is and, `||` is or. A major version stands for its first release.

    None where the macOS is not known, or where a later release of the same major version would.
    """
    if condition is None:
        return True
    version = numbers(macos)
    if not version:
        return None
    if holds(condition, (*version, 0, 0, 0)[:3]):
        return True
    later = (*version, *(BEYOND,) * 3)[:3]
    return None if len(version) < 2 and holds(condition, later) else False


def holds(condition: str, version: tuple[int, ...]) -> bool:
    return any(
        all(COMPARISONS[sign](version, bound) for sign, bound in map(parse_bound, alternative.split(",")))
        for alternative in condition.split("||")
    )


def parse_bound(text: str) -> tuple[str, tuple[int, ...]]:
    """Sign and version of `>=26.1`. ValueError for anything else."""
    bound = text.strip()
    sign = next((sign for sign in COMPARISONS if bound.startswith(sign)), "")
    version = numbers(bound.removeprefix(sign))
    if not sign or not version:
        raise ValueError(f"{text!r} is no bound such as >=26.1")
    return sign, version


def judge_chip(issue: Issue, here: Surroundings) -> Truth:
    """Whether the chip is one of those of the entry; "virtual" is a virtual machine's."""
    if issue["chip"] is None:
        return True
    kinds = issue["chip"].split("|")
    if kinds == ["virtual"]:
        return here.virtual
    if here.chip is None:
        return None
    return not set(kinds).isdisjoint(here.chip.replace("(", " ").replace(")", " ").split())


def judge_condition(issue: Issue, here: Surroundings) -> Truth:
    """Whether one of the alternatives of an entry's further condition is met: a Python's build, or a macOS."""
    if issue["condition"] is None or is_of_cpu(issue):
        return True if here.arch is None or not is_of_cpu(issue) else here.arch == "arm64"
    met = [judge_alternative(alternative, here) for alternative in issue["condition"].split(" or ")]
    return True if True in met else None if None in met else False


def judge_alternative(alternative: str, here: Surroundings) -> Truth:
    if alternative == "x86_64 Python":
        return None if here.arch is None else here.arch == "x86_64"
    if alternative.startswith("macOS "):
        version = numbers(here.macos)
        return version[:1] == numbers(alternative.partition(" ")[2])[:1] if version else None
    return None


def is_of_cpu(issue: Issue) -> bool:
    """Whether the entry is about the library of the CPU and no accelerator."""
    return (issue["condition"] or "").startswith("CPU")


def device_kind_of(issue: Issue) -> str:
    """The kind of device that the entry is about."""
    return "cpu" if is_of_cpu(issue) else "mps"


def links_of(issue: Issue) -> Iterator[str]:
    """The addresses of an entry's sources."""
    for source in issue["source"]:
        repository, mark, number = source.partition("#")
        yield f"https://github.com/{repository}/issues/{number}" if mark else f"https://{source}"
