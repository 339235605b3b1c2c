"""Known issues for training scripts: what is recorded as wrong for a torch and a macOS. Never imports torch."""

from __future__ import annotations

import sys

from mpsdoctor.issues import Surroundings, device_kind_of, links_of, read_issues, recorded_of

TYPE_CHECKING = False  # typing's own constant costs 3 ms of the 15 that `import mpsdoctor` has
if TYPE_CHECKING:
    from mpsdoctor.runtime.shapes import Issue

_entries: list[Issue] = []


class KnownIssue:
    """An issue that is recorded as wrong somewhere.

    `.kind` is wrong, nan, crash, hang, leak, error or slow; `.op` an operator as torch names it; `.torch` and `.macos`
    say where it is wrong, `.chip` on which chips (None: on all), `.device` on mps or cpu; `.links` are its sources.
    """

    __slots__ = ("chip", "device", "id", "kind", "links", "macos", "op", "torch", "trigger", "what", "workaround")

    def __init__(self, issue: Issue) -> None:
        self.id, self.kind, self.op, self.what = issue["id"], issue["kind"], issue["op"], issue["what"]
        self.trigger, self.workaround, self.macos = issue["trigger"], issue["workaround"], issue["macos"]
        self.chip, self.device, self.torch = issue["chip"], device_kind_of(issue), torch_range(issue)
        self.links: tuple[str, ...] = tuple(links_of(issue))

    def __repr__(self) -> str:
        return f"KnownIssue({self.id!r}, torch={self.torch!r}, macos={self.macos!r})"


def torch_range(issue: Issue) -> str:
    """`>=2.8.0,<2.9.0`; empty where neither end is known."""
    begin, end = issue["torch_first_bad"], issue["torch_fixed"]
    return ",".join([*([f">={begin}"] if begin else []), *([f"<{end}"] if end else [])])


def known_issues(
    torch: str | None = None, macos: str | None = None, *, chip: str | None = None, arch: str | None = None
) -> tuple[KnownIssue, ...]:
    """What is recorded as wrong for this torch and macOS; those that are here, where neither is given.

    Shipped data alone, nothing is tried and torch is not imported: `mpsdoctor known-issues` tries. Where a chip or a
    kind of Python (`arch`) is not given, issues of all are told. TypeError for what is not text.
    """
    for name, value in (("torch", torch), ("macos", macos), ("chip", chip), ("arch", arch)):
        if value is not None and not isinstance(value, str):
            raise TypeError(f"{name} takes a text such as '2.8.0', not {type(value).__name__}")
    here = Surroundings(torch, macos, chip, arch) if torch or macos else present(chip, arch)
    if torch is None or macos is None:
        own = present(None, None)
        here.torch, here.macos = here.torch or own.torch, here.macos or own.macos
    return tuple(KnownIssue(issue) for issue in entries() if is_recorded(issue, here))


def is_recorded(issue: Issue, here: Surroundings) -> bool:
    """Whether an entry says that it is wrong there, whatever chip or Python it may be where that is not told."""
    if recorded_of(issue, here) == "bad":
        return True
    if issue["chip"] is None and issue["condition"] is None:
        return False
    any_chip = dict(issue, chip=None if here.chip is None else issue["chip"])
    anywhere = dict(any_chip, condition=None if here.arch is None else issue["condition"])
    return recorded_of(anywhere, here) == "bad"  # type: ignore[arg-type]


def entries() -> list[Issue]:
    """Those of the data, read once."""
    if not _entries:
        _entries.extend(read_issues())
    return _entries


def present(chip: str | None, arch: str | None) -> Surroundings:
    """This process: its torch by what is imported or installed, its macOS and chip."""
    from mpsdoctor.runtime.fingerprint import fingerprint

    here = fingerprint(torch_version())
    macos = here.get("os_version") if here.get("os") == "Darwin" else None
    return Surroundings(here.get("torch"), macos, chip or here.get("chip"), arch or here.get("arch"))


def torch_version() -> str | None:
    """Without importing it."""
    imported = getattr(sys.modules.get("torch"), "__version__", None)
    if imported:
        return str(imported)
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("torch")
    except PackageNotFoundError:
        return None
