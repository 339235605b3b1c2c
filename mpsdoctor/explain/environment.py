"""What a text says of the machine and the installation, in any order and as far as it says it; unknown is None.

A fact that the text gives twice with different values, neither of them behind its proper label, is unknown too: a
report often names the machine on which all is well beside the one that fails.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from mpsdoctor import versions
from mpsdoctor.explain.lines import Text

TORCH = (
    r"(\d\.\d{1,2}(?:\.\d{1,2})?(?:(?:a|b|rc)\d{1,3}|\.dev\d{1,8}|\.post\d{1,4})*(?:\+[a-z0-9.]{1,40})?)"
    r"(?![\w.]*\+|[\w-])"
)
NUMBERS = r"(?!10[.,]16)(\d{1,2}(?:[.,]\d{1,2}){0,2})(?![\d+]|[.,]\d)"
PYTHON = r"(\d\.\d{1,2}(?:\.\d{1,2}(?:a|b|rc)?\d{0,2})?)"
IS = r"['*]{0,3} ?(?:version)? ?(?:\(gpu\?\))?['*]{0,3} ?(?:[:=|]|->|=>){1,2} ?[v'*]{0,3}"
TRUTH = r"(?:\(\))?\??['*)]{0,3} ?(?:==|=>|->|=|:|is)? ?['*(]{0,3}(true|false|yes|no)\b"
# Where these words stand, versions are those that something needs, not those that are here.
NEEDS = re.compile(
    r"\b(natively|supported (?:on|in|by|from|starting|since)|only supported|support has|added in|or newer|or later"
    r"|or above|starting|requires?|required|needs?|minimum|at least|upgrade|update to|fixed in|since|until|older than"
    r"|newer than|wheels?|only on|pip3? install|no matching|could not find|collecting|downloading|introduced"
    r"|works? (?:on|in|with)|fine (?:on|in|with)|instead|also tested|worked|tested with)\b"
)
APPLE = r"(m[1-9](?: (?:pro|max|ultra))?)\b(?![-_.]\w)"


@dataclass(frozen=True)
class Place:
    """An expression whose first group is a fact; only lines with one of the words are compared with it."""

    words: str
    expression: str

    def search(self, line: str) -> re.Match[str] | None:
        """Where it fits a line in small letters."""
        if not any(word in line for word in self.words.split("|")):
            return None
        return re.search(self.expression, line)


LABEL = r"^[-* '>]*"
# By fact: expressions of lines that are made to tell it, then of any other.
PLACES: Mapping[str, tuple[tuple[Place, ...], tuple[Place, ...]]] = {
    "torch": (
        (
            Place("torch version", rf"{LABEL}(?:\w+ )?(?:pytorch|torch) ?version{IS}{TORCH}"),
            Place(
                "torch:|torch':|torch*|torch =|torch=|torch |torch'|torch -", rf"{LABEL}(?:pytorch|torch){IS}{TORCH}"
            ),
            Place(
                "torch=|torch @|torch |torch\t",
                rf"^(?:\[(?:pip3?|conda)\] )?(?:torch|pytorch) ?(?:==|@|\s) ?{TORCH}(?: |$|')",
            ),
            Place("torch-", rf"\btorch-{TORCH} (?:cpu|mps|cuda)"),
            Place("__version__", rf"__version__\)?'? ?(?:==|=>|->|=|:)? ?'?{TORCH}"),
            Place("torch|", rf"^(?:[-|] )?'?torch'? ?[:|] ?'?{TORCH}"),
        ),
        (Place("torch", rf"\b(?:torch|pytorch)(?:[ =:-]| version ){{1,2}}v?{TORCH}"),),
    ),
    "macos": (
        (
            Place(
                "os|platform|version|版本|系统",
                rf"{LABEL}(?:os|operating system|platform|python platform|system version|systemversion|os version"
                rf"|os/version|macos version|product ?version|version du système|版本|操作系统|系统版本|系统)"
                rf"['*]{{0,3}}(?: \([^)]*\))? ?[:=|]? ?['*]{{0,3}}(?:mac ?os ?x?[- ]{{0,2}})?{NUMBERS}",
            ),
        ),
        (
            Place("mac|os x|osx", rf"\b(?:mac ?os|osx|os x)(?: version| x| \w+)?[ :-]{{1,2}}v?{NUMBERS}"),
            Place(
                "monterey|ventura|sonoma|sequoia|tahoe",
                rf"\b(?:monterey|ventura|sonoma|sequoia|tahoe),? (?:version )?{NUMBERS}",
            ),
        ),
    ),
    "darwin": ((), (Place("darwin", r"\bdarwin(?: kernel)?(?: version)?[ :-](\d\d)\.\d"),)),
    "arch": (
        (
            Place(
                "platform", rf"{LABEL}(?:python )?platform['*]{{0,3}} ?[:=|] ?['*]{{0,3}}.*?\b(arm64|x86_64|aarch64)\b"
            ),
            Place(
                "os|system",
                rf"{LABEL}(?:os|operating system)['*]{{0,3}} ?[:=|]? ?['*]{{0,3}}.*?\b(arm64|x86_64|aarch64)\b",
            ),
            Place(
                "arch|machine|processor",
                rf"{LABEL}(?:architecture|arch|machine|platform\.machine\(\)|processor)['*]{{0,3}} ?[:=|]? ?"
                r"['*]{0,3}(arm64|x86_64|aarch64)\b",
            ),
            Place("macos-", r"\bmacos-[\d.]+-(arm64|x86_64)\b"),
            Place("(amd64)", r"\b64 bit \((amd64)\)"),
        ),
        (
            Place("python", r"\bpython[^,;]{0,40}\((arm64|x86_64)\)|\b(?:arm64|x86_64) python\b"),
            Place("arm64|x86_64", r"\bmac ?os [\d.]+,? \(?(arm64|x86_64)\b"),
        ),
    ),
    "chip": (
        (
            Place(
                "apple m",
                rf"{LABEL}(?:cpu|chip|hardware|processor|machine|model|gpu|chipset model|处理器|芯片)['*]{{0,3}} ?"
                rf"[:=|] ?['*]{{0,3}}(?:.*?\b)?apple {APPLE}",
            ),
            Place("apple m", rf"^apple {APPLE}$"),
            Place("cpu (apple", rf"\bcpu \(apple {APPLE}\)"),
            Place(
                "hardware|chip|cpu|machine|mac",
                rf"^(?:hardware|chip|cpu|machine|mac)['*]{{0,3}} ?[:=|] ?['*]{{0,3}}(?:.*?\b)?{APPLE}",
            ),
        ),
        (
            Place("apple m", rf"\bapple {APPLE}"),
            Place(" m|(m", rf"\b(?:macbook|mac|mini|imac|studio|air|pro|chip|on an?|\d\d\"?) \(?{APPLE}"),
            Place("(m", rf"\({APPLE}[,)]"),
            Place("chip|mac|gb", rf"\b{APPLE} (?:chip|mac|macbook|\d+ ?gb)"),
        ),
    ),
    "python": (
        (
            Place("python", rf"{LABEL}python ?(?:version)?['*]{{0,3}} ?[:=|] ?['*]{{0,3}}(?:python )?{PYTHON}"),
            Place("python", rf"^python {PYTHON}$"),
            Place("python-", rf"\bpython-{PYTHON} torch"),
        ),
        (Place("python", rf"\bpython[ =:-]{{1,2}}v?{PYTHON}"), Place("/python3.", r"/python(3\.\d{1,2})/")),
    ),
    "mps_built": (
        (
            Place("is_built", rf"\bis_built{TRUTH}"),
            Place("built", rf"\bmps (?:is )?built{TRUTH}"),
            Place("built with", rf"\bbuilt with mps{TRUTH}"),
        ),
        (),
    ),
    "mps_available": (
        (
            Place("mps.is_available", rf"\bmps\.is_available{TRUTH}"),
            Place("available", rf"\bmps (?:is |backend )?available{TRUTH}"),
            Place("is mps available", rf"{LABEL}is mps available{TRUTH}"),
            Place("mps_available", rf"\bmps_available{TRUTH}"),
        ),
        (),
    ),
}
LONG = 600  # characters of a line; longer ones are no list of facts
QUESTIONS = {"mps_built": "is_built(", "mps_available": "mps.is_available("}
TRUTHS = {"true": True, "yes": True, "false": False, "no": False}
KERNELS = {"20": "11", "21": "12", "22": "13", "23": "14", "24": "15", "25": "26", "26": "27"}
ARCHES = {"amd64": "x86_64"}
LINUX = re.compile(
    r"\b(ubuntu|debian|centos|fedora|linux-\d|linux \d|gnu/linux|x86_64-linux|linux x86_64|manjaro|arch linux|docker"
    r"|wsl2?|kubernetes|colab|kaggle|glibc[_ ]?2|libc\.so|slurm)\b|/home/\w|/usr/local/lib/python|/root/|/opt/conda/"
    r"|/mnt/|\.so\b|x86_64-linux-gnu"
)
WINDOWS = re.compile(r"\b(windows|win(?:10|11|32|64)|\w+\.dll|winerror)\b|\b[a-z]:[\\/]\w|0xc0000005")
MAC = re.compile(
    r"\b(mac ?os|macos-?\d\d|osx|os x|macbook|imac|mac (?:mini|studio|pro)|apple silicon|apple m\d|darwin|sequoia"
    r"|sonoma|ventura|monterey|tahoe|m[1-9] (?:pro|max|ultra|chip|mac)|dylib)\b|/users/|/applications/|/opt/homebrew"
    r"|/appleinternal|苹果"
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
    lines = [line.low for line in text.lines if len(line.low) < LONG]
    prose = [line for line in lines if not NEEDS.search(line)]
    values = {name: _first(lines, prose, *places) for name, places in PLACES.items()}
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


def _first(lines: list[str], prose: list[str], labelled: tuple[Place, ...], loose: tuple[Place, ...]) -> str | None:
    """What the best place says; of loose ones only where all say the same."""
    for place in labelled:
        for line in lines:
            if (match := place.search(line)) and not NEEDS.search(line[: match.start(1)]):
                return match[1]
    for place in loose:
        said = {match[1] for line in prose if (match := place.search(line)) and match[1]}
        if said:
            return said.pop() if len(said) == 1 else None
    return None


def _macos(values: Mapping[str, str | None]) -> str | None:
    """The version of macOS. 10.16 and 16 are what it tells programs that were built for older ones."""
    said = (values["macos"] or "").replace(",", ".")
    major = versions.numbers(said)[:1]
    if not major:
        return KERNELS.get(values["darwin"] or "")
    if major == (16,):
        return "26"
    return said if major[0] in range(10, 16) or major[0] in range(26, 40) else None


def _chip(said: str | None) -> str | None:
    if said is None:
        return None
    name, _, kind = said.partition(" ")
    return f"{name.upper()} {kind.capitalize()}".strip()


def _truth(lines: list[str], name: str, values: Mapping[str, str | None], otherwise: bool | None) -> bool | None:
    """What was printed for a question, on its line or on the next one."""
    if values[name] is not None:
        return TRUTHS[values[name] or ""]
    for line, following in pairwise(lines):
        if line.rstrip(")").endswith(QUESTIONS[name]) and following in TRUTHS:
            return TRUTHS[following]
    return otherwise
