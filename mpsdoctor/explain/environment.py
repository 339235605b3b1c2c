"""What a text says of the machine and the installation, in any order and as far as it says it; unknown is None.

A fact that the text gives twice with different values, neither of them behind its proper label, is unknown too: a
report often names the machine on which all is well beside the one that fails.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mpsdoctor import versions
from mpsdoctor.explain.lines import Text

TORCH = r"(\d\.\d{1,2}(?:\.\d{1,2})?(?:(?:a|b|rc)\d{1,3}|\.dev\d{1,8}|\.post\d{1,4})*(?:\+[a-z0-9.]{1,40})?)(?![\w.]*\+|[\w-])"
NUMBERS = r"(\d{1,2}(?:[.,]\d{1,2}){0,2})(?![\d+]|[.,]\d)"
PYTHON = r"(\d\.\d{1,2}(?:\.\d{1,2}(?:a|b|rc)?\d{0,2})?)"
IS = r"['*]{0,3} ?(?:version)? ?(?:\(gpu\?\))?['*]{0,3} ?(?:[:=|]|->|=>){1,2} ?[v'*]{0,3}"
TRUTH = r"(?:\(\))?\??['*)]{0,3} ?(?:==|=>|->|=|:|is)? ?['*(]{0,3}(true|false|yes|no)\b"
# Where these words stand, versions are those that something needs, not those that are here.
NEEDS = re.compile(
    r"\b(natively|supported (?:on|in|by|from|starting|since)|only supported|support has|added in|or newer|or later|or above|starting|requires?|required|needs?|minimum|at"
    r" least|upgrade|update to|fixed in|since|until|older than|newer than|wheels?|only on|pip3? install|no matching"
    r"|could not find|collecting|downloading|introduced|works? (?:on|in|with)|fine (?:on|in|with)|instead|also tested"
    r"|worked|tested with)\b"
)
APPLE = r"(m[1-9](?: (?:pro|max|ultra))?)\b(?![-_.]\w)"
PLACES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # by fact: expressions of lines that are made to tell it, then of any other
    "torch": (
        (
            rf"^[-* '>]*(?:\w+ )?(?:pytorch|torch) ?version{IS}{TORCH}",
            rf"^[-* '>]*(?:pytorch|torch){IS}{TORCH}",
            rf"^(?:\[(?:pip3?|conda)\] )?(?:torch|pytorch) ?(?:==|@|\s) ?{TORCH}(?: |$|')",
            rf"\btorch-{TORCH} (?:cpu|mps|cuda)",
            rf"__version__\)?'? ?(?:==|=>|->|=|:)? ?'?{TORCH}",
            rf"^(?:- )?'?torch'? ?[:|] ?'?{TORCH}",
        ),
        (rf"\b(?:torch|pytorch)(?:[ =:-]| version ){{1,2}}v?{TORCH}",),
    ),
    "macos": (
        (
            rf"^[-* '>]*(?:os|operating system|platform|python platform|system version|systemversion|os version|os/version"
            rf"|macos version|product ?version|version du système|版本|操作系统|系统版本|系统)"
            rf"['*]{{0,3}}(?: \([^)]*\))? ?[:=|]? ?['*]{{0,3}}(?:mac ?os ?x?[- ]{{0,2}})?{NUMBERS}",
        ),
        (rf"\b(?:mac ?os|osx|os x)(?: version| x| \w+)?[ :-]{{1,2}}v?{NUMBERS}",
         rf"\b(?:monterey|ventura|sonoma|sequoia|tahoe),? (?:version )?{NUMBERS}",),
    ),
    "darwin": (
        (),
        (r"\bdarwin(?: kernel)?(?: version)?[ :-](\d\d)\.\d",),
    ),
    "arch": (
        (
            r"^[-* '>]*(?:python )?platform['*]{0,3} ?[:=|] ?['*]{0,3}.*?\b(arm64|x86_64|aarch64)\b",
            r"^[-* '>]*(?:os|operating system)['*]{0,3} ?[:=|]? ?['*]{0,3}.*?\b(arm64|x86_64|aarch64)\b",
            r"^[-* '>]*(?:architecture|arch|machine|platform\.machine\(\)|processor)['*]{0,3} ?[:=|]? ?['*]{0,3}(arm64|x86_64|aarch64)\b",
            r"\bmacos-[\d.]+-(arm64|x86_64)\b",
            r"\b64 bit \((amd64)\)",
        ),
        (r"\bpython[^,;]{0,40}\((arm64|x86_64)\)", r"\b(arm64|x86_64) python\b", r"\bmac ?os [\d.]+,? \(?(arm64|x86_64)\b"),
    ),
    "chip": (
        (
            rf"^[-* '>]*(?:cpu|chip|hardware|processor|machine|model|gpu|chipset model|处理器|芯片)['*]{{0,3}} ?[:=|] ?['*]{{0,3}}(?:.*?\b)?apple {APPLE}",
            rf"^apple {APPLE}$",
            rf"\bcpu \(apple {APPLE}\)",
            rf"^(?:hardware|chip|cpu|machine|mac)['*]{{0,3}} ?[:=|] ?['*]{{0,3}}(?:.*?\b)?{APPLE}",
        ),
        (rf"\bapple {APPLE}", rf"\b(?:macbook|mac|mini|imac|studio|air|pro|chip|on an?|\d\d\"?) \(?{APPLE}",
         rf"\({APPLE}[,)]", rf"\b{APPLE} (?:chip|mac|macbook|\d+ ?gb)"),
    ),
    "python": (
        (
            rf"^[-* '>]*python ?(?:version)?['*]{{0,3}} ?[:=|] ?['*]{{0,3}}(?:python )?{PYTHON}",
            rf"^python {PYTHON}$",
            rf"\bpython-{PYTHON} torch",
        ),
        (rf"\bpython[ =:-]{{1,2}}v?{PYTHON}", r"/python(3\.\d{1,2})/"),
    ),
    "mps_built": (
        (rf"\bmps\.is_built{TRUTH}", rf"\bis_built{TRUTH}", rf"\bmps (?:is )?built{TRUTH}", rf"\bbuilt with mps{TRUTH}"),
        (),
    ),
    "mps_available": (
        (
            rf"\bmps\.is_available{TRUTH}",
            rf"\bmps (?:is |backend )?available{TRUTH}",
            rf"^[-* '>]*is mps available{TRUTH}",
            rf"\bmps_available{TRUTH}",
        ),
        (),
    ),
}  # fmt: skip
QUESTIONS = {"mps_built": "is_built()", "mps_available": "mps.is_available()"}
TRUTHS = {"true": True, "yes": True, "false": False, "no": False}
KERNELS = {"20": "11", "21": "12", "22": "13", "23": "14", "24": "15", "25": "26", "26": "27"}
ARCHES = {"amd64": "x86_64"}
LINUX = re.compile(
    r"\b(ubuntu|debian|centos|fedora|linux-\d|linux \d|gnu/linux|x86_64-linux|linux x86_64|manjaro|arch linux|docker|wsl2?"
    r"|kubernetes|colab|kaggle|glibc[_ ]?2|libc\.so|slurm)\b|/home/\w|/usr/local/lib/python|/root/|/opt/conda/|/mnt/|\.so\b|x86_64-linux-gnu"
)
WINDOWS = re.compile(r"\b(windows|win(?:10|11|32|64)|\w+\.dll|winerror)\b|\b[a-z]:[\\/]\w|0xc0000005")
MAC = re.compile(
    r"\b(mac ?os|macos-?\d\d|osx|os x|macbook|imac|mac (?:mini|studio|pro)|apple silicon|apple m\d|darwin|sequoia|sonoma"
    r"|ventura|monterey|tahoe|m[1-9] (?:pro|max|ultra|chip|mac)|dylib)\b|/users/|/applications/|/opt/homebrew|/appleinternal|苹果"
)
BUILD = re.compile(r"\+(cu\d+|rocm|xpu|cpu)")


@dataclass(frozen=True)
class Environment:
    """What is known; versions as they are written, a point for the comma."""

    torch: str | None = None
    macos: str | None = None
    arch: str | None = None
    chip: str | None = None
    python: str | None = None
    mps_built: bool | None = None
    mps_available: bool | None = None
    system: str | None = None

    @property
    def known(self) -> bool:
        """Whether there is anything to tell."""
        return any(value is not None for value in vars(self).values())


def read_environment(text: Text) -> Environment:
    """The facts that a text holds."""
    lines = [line.plain.lower() for line in text.lines]
    prose = [line for line in lines if not NEEDS.search(line)]
    values = {name: _first(lines, prose, *_places(name)) for name in PLACES}
    system = read_system(text.low, values)
    mac = system in (None, "macos")
    elsewhere = False if system in ("linux", "windows") and values["torch"] else None
    available = _truth(lines, "mps_available", values, elsewhere)
    return Environment(
        torch=values["torch"],
        macos=_macos(values) if mac else None,
        arch=ARCHES.get(values["arch"] or "", values["arch"]),
        chip=_chip(values["chip"]) if mac else None,
        python=values["python"],
        mps_built=_truth(lines, "mps_built", values, available or elsewhere),
        mps_available=available,
        system=system,
    )


def read_system(low: str, values: Mapping[str, str | None]) -> str | None:
    """macos, linux or windows, by what only one of them has."""
    if values["macos"] or MAC.search(low):
        linux_build = values["torch"] and BUILD.search(values["torch"])
        return "linux" if linux_build and LINUX.search(low) else "macos"
    if WINDOWS.search(low):
        return "windows"
    return "linux" if LINUX.search(low) else None


def _places(name: str) -> tuple[list[re.Pattern[str]], list[re.Pattern[str]]]:
    labelled, loose = PLACES[name]
    return [re.compile(place) for place in labelled], [re.compile(place) for place in loose]


def _first(
    lines: list[str], prose: list[str], labelled: list[re.Pattern[str]], loose: list[re.Pattern[str]]
) -> str | None:
    """What the best place says; of loose ones only where all say the same."""
    for place in labelled:
        for line in lines:
            if (match := place.search(line)) and not NEEDS.search(line[: match.start(1)]):
                return match[1]
    for place in loose:
        said = {match[1] for line in prose for match in place.finditer(line)}
        if said:
            return said.pop() if len(said) == 1 else None
    return None


def _macos(values: Mapping[str, str | None]) -> str | None:
    """The version of macOS. 10.16 and 16 are what it tells programs that were built for older ones."""
    said = (values["macos"] or "").replace(",", ".")
    major = versions.numbers(said)[:1]
    if said.startswith("10.16") or not major:
        return KERNELS.get(values["darwin"] or "")
    if major == (16,):
        return "26"
    return said if major[0] in range(10, 16) or major[0] in range(26, 40) else None


def _chip(said: str | None) -> str | None:
    if said is None:
        return None
    name, _, kind = said.partition(" ")
    return f"{name.upper()} {kind.capitalize()}".strip()


def _truth(
    lines: list[str], name: str, values: Mapping[str, str | None], otherwise: bool | None
) -> bool | None:
    """What was printed for a question, on its line or on the next one."""
    if values[name] is not None:
        return TRUTHS[values[name] or ""]
    for at, line in enumerate(lines[:-1]):
        if line.endswith((QUESTIONS[name], f"print(torch.backends.{QUESTIONS[name].removeprefix('mps.')})")):
            if lines[at + 1] in TRUTHS:
                return TRUTHS[lines[at + 1]]
    return otherwise

