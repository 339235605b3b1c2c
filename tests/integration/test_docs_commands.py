"""Every command of the documentation runs as it stands there, on the stand-in for a Mac.

What a page shows as a file (`# train.py` in its first line) is written first. Where a command leaves it open, little is
measured: what check-ups find and how long they take has tests of its own.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from helpers.trainer import FINGERPRINT, program, sample
from mac import stand_in

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES_NOT_RUN = {
    "causes.md": "remedies, for somebody's Mac",
    "releasing.md": "test_packaging.py builds, installs and runs; the rest asks an index",
    "recipes/README.md": "a stage of its own, pytest -m recipes",
}
PAGES = [  # tutorials first
    *sorted(DOCS.rglob("*.md"), key=lambda page: (page.parent == DOCS, page)),
    ROOT / "README.md",
    ROOT / "README.zh-CN.md",
]
# Everything that is not run, and why.
NOT_RUN = {
    "python3 -m venv .venv && .venv/bin/pip install -c constraints.txt .": "installs from an index",
    "python3 -m venv .venv && .venv/bin/pip install -c constraints.txt '.[test]' && .venv/bin/pytest": "this run",
    ".venv/bin/mpsdoctor": "of that environment; `mpsdoctor` is run",
    ".venv/bin/mpsdoctor --lang zh": "the same",
    "source .venv/bin/activate": "the same",
    "mpsdoctor bench --step train.py:build --find-batch": "searches for 20 s; test_find_batch.py runs it",
    "mpsdoctor race --store mine -- accelerate launch train.py": "accelerate is one of the recipes' libraries",
    "mpsdoctor run --device cpu -- accelerate launch train.py": "the same",
}
LEFT_OPEN = {
    "budget": "quick",
    "only": ["chip"],
    "race": {"seconds": 1},
    "bench": {"budget": "quick"},
    "ops": {"budget": "quick", "devices": ["mps"]},
}
# The command with these defaults, and without the status that tells of a finding.
COMMAND = f"""#!{sys.executable}
import sys
from mpsdoctor import cli
from mpsdoctor.__main__ import main
cli.cli.context_settings["default_map"] = {LEFT_OPEN}
try:
    main()
except SystemExit as end:
    sys.exit(0 if end.code == 1 else end.code)
"""
TORCH = "2.12.0"
LOG = "NotImplementedError: The operator 'aten::linalg_qr' is not currently implemented for the MPS device.\n"


def fences(page: Path) -> Iterator[tuple[str, str]]:
    """The language and the text of each block."""
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type == "fence":
            yield token.info, token.content


def commands(page: Path) -> list[str]:
    lines = [line for language, text in fences(page) if language == "sh" for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


LEFT_OUT = [DOCS / name for name in PAGES_NOT_RUN]
WITH_COMMANDS = [page for page in PAGES if page not in LEFT_OUT and set(commands(page)) - NOT_RUN.keys()]


class Reader:
    """Somebody who follows the pages on one Mac, and does nothing twice."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "work"
        self.done: set[str] = set()
        machine = folder / "machine"
        machine.mkdir()
        self.env = stand_in.environment("m1", machine, torch=TORCH)
        self.home = Path(self.env["HOME"])
        self._install(folder / "bin")
        self.fingerprint = program(FINGERPRINT, TORCH, env=self.env)

    def _install(self, programs: Path) -> None:
        programs.mkdir()
        (programs / "mpsdoctor").write_text(COMMAND)
        (programs / "mpsdoctor").chmod(0o755)
        shutil.copytree(DOCS / "examples", self.folder / "docs" / "examples")
        packages = self.folder / "packages"
        pip = {"NO_INDEX": "1", "NO_DEPS": "1", "NO_BUILD_ISOLATION": "0", "TARGET": str(packages)}
        self.env |= {f"PIP_{name}": value for name, value in pip.items()}
        self.env["PATH"] = os.pathsep.join([str(programs), self.env["PATH"]])
        self.env["PYTHONPATH"] = os.pathsep.join([self.env["PYTHONPATH"], str(packages)])

    def open(self, page: Path) -> None:
        """What a page expects to be there, and what it shows as files."""
        tutorials = (DOCS / "tutorials" / name for name in ("no-mac.md", "slow-script.md"))
        shown = [text for at in (*tutorials, page) for language, text in fences(at)
                 if language == "python"]  # fmt: skip
        for text in shown:
            if named := re.match(r"# (\w+\.py)\n", text):
                (self.folder / named[1]).write_text(text)
        (self.folder / "train.log").write_text(LOG)
        (self.folder / "good.log").write_text("step 1 loss 0.5\n")
        profile = self.home / "Library/Application Support/mpsdoctor/profile.json"
        profile.parent.mkdir(parents=True, exist_ok=True)
        profile.write_text(json.dumps(sample(fingerprint=self.fingerprint)))

    def run(self, line: str) -> subprocess.CompletedProcess[str] | None:
        """None where another page had it done."""
        if line in self.done:
            return None
        self.done.add(line)
        return subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return Reader(tmp_path_factory.mktemp("reader"))


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: page.name)
def test_every_command_of_a_page_runs(page: Path, reader: Reader) -> None:
    """None is refused, and none fails; a finding is no failure."""
    reader.open(page)
    for line in commands(page):
        done = None if line in NOT_RUN else reader.run(line)
        assert done is None or (done.returncode, "Traceback" in done.stderr) == (0, False), (line, done.stderr[-2000:])


def test_what_is_not_run_is_there() -> None:
    """The tables hold no page without commands, and no line that the pages have not."""
    assert [page for page in LEFT_OUT if not commands(page)] == []
    assert NOT_RUN.keys() - {line for page in PAGES for line in commands(page)} == set()


def test_the_check_of_your_own_is_the_package_that_the_page_shows() -> None:
    """Code and entry point stand in docs/checks.md as they stand in the package."""
    package = DOCS / "examples" / "mycompany-disk"
    blocks = [text for _, text in fences(DOCS / "checks.md")]
    assert (package / "mycompany_disk.py").read_text() == blocks[0]
    assert blocks[1] in (package / "pyproject.toml").read_text()


def test_the_check_of_your_own_has_tests_that_pass(tmp_path: Path) -> None:
    """Those that come with it, in an environment of whose pytest nothing is said."""
    shutil.copytree(DOCS / "examples" / "mycompany-disk", tmp_path / "package")
    command = [sys.executable, "-m", "pytest", "-q", "test_disk.py"]
    done = subprocess.run(command, cwd=tmp_path / "package", capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, "2 passed" in done.stdout) == (0, True), done.stdout
