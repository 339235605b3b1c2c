"""What is in the wheel and in the source distribution, and that the wheel runs where nothing else of ours is."""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

from helpers import fresh
from mpsdoctor import __version__

ROOT = Path(__file__).parents[2]
PACKAGES = (ROOT / "mpsdoctor", ROOT / "checks" / "mpsdoctor_checks")
JUNK = re.compile(r"(^|/)(__pycache__|\..*_cache|\.hypothesis|\.venv|dist|build)(/|$)|\.(pyc|so|o|log)$")
# Files of the tests that were made for mpsdoctor, by what stands in for others: what is not here was written elsewhere.
OWN = ("tests/mac/", "tests/simulator/", "tests/machines/replay", "tests/machines/SOURCES.md", "tests/tui/",
       "tests/unit/recorded/", "tests/helpers/own_cases/")  # fmt: skip
Command = Callable[..., str]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel built from this checkout, by the declared build back end."""
    return zipfile.ZipFile(build_wheel(ROOT, tmp_path_factory.mktemp("wheel")))


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the source distribution unpacks to."""
    folder = tmp_path_factory.mktemp("sources")
    path = next(SdistBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"]))
    with tarfile.open(path) as archive:
        archive.extractall(folder, filter="data")
    return folder / f"mpsdoctor-{__version__}"


@pytest.fixture(scope="module")
def installed(wheel: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Runs the command of a new environment that has the wheel, and of everything else what is installed here."""
    folder = tmp_path_factory.mktemp("installed")
    env = fresh.machine(folder)

    def run(*command: str) -> str:
        return subprocess.run(command, env=env, cwd=folder, text=True, capture_output=True, check=True).stdout

    run("python", "-m", "venv", "venv")
    # That the same version is installed outside is no reason not to.
    run("venv/bin/python", "-m", "pip", "install", "--ignore-installed", str(wheel.filename))
    return lambda *arguments: run("venv/bin/mpsdoctor", *arguments)


def build_wheel(source: Path, folder: Path) -> Path:
    return Path(next(WheelBuilder(str(source)).build(directory=str(folder), versions=["standard"])))


def shipped() -> Iterator[str]:
    """The files of both packages in this checkout, as a wheel names them."""
    for package in PACKAGES:
        for path in package.rglob("*"):
            name = path.relative_to(package.parent).as_posix()
            if path.is_file() and not JUNK.search(name):
                yield name


def test_the_wheel_holds_both_packages_and_no_tests(wheel: zipfile.ZipFile) -> None:
    """One wheel brings the doctor and its checks, with their types, and nothing of the tests."""
    names = wheel.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {name for name in tops if not name.endswith(".dist-info")} == {"mpsdoctor", "mpsdoctor_checks"}
    assert {"mpsdoctor/py.typed", "mpsdoctor_checks/py.typed", "mpsdoctor/worker/__main__.py"} <= set(names)
    templates = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("mpsdoctor/formats/templates/*")}
    assert "mpsdoctor/formats/templates/base.html" in templates & set(names)
    assert templates <= set(names)


def test_every_check_is_an_entry_point(wheel: zipfile.ZipFile) -> None:
    """The built-in checks reach the doctor the way that a stranger's do."""
    name = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    text = wheel.read(name).decode()
    for check in ("chip", "build", "environment", "operators", "known-issues", "memory", "training", "libraries"):
        assert f"{check} = mpsdoctor_checks.{check.replace('-', '_')}" in text


def test_the_wheel_is_for_every_system_and_carries_the_licence(wheel: zipfile.ZipFile) -> None:
    """Pure Python: what runs here is what runs on a Mac."""
    assert Path(str(wheel.filename)).name == f"mpsdoctor-{__version__}-py3-none-any.whl"
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())


def test_the_wheel_holds_every_file_of_the_packages(wheel: zipfile.ZipFile) -> None:
    """Data, texts, templates and injected scripts are there, and nothing that only running leaves behind."""
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == set(shipped())
    assert {Path(name).suffix for name in names} >= {".py", ".toml", ".json", ".jsonl", ".txt", ".typed"}


def test_the_source_distribution_makes_the_same_wheel(wheel: zipfile.ZipFile, sources: Path, tmp_path: Path) -> None:
    """Whoever builds from it gets file for file what is published."""
    other = zipfile.ZipFile(build_wheel(sources, tmp_path))
    assert {name: wheel.read(name) for name in wheel.namelist()} == {
        name: other.read(name) for name in other.namelist()
    }


def test_the_source_distribution_has_what_tests_need_and_nothing_of_this_machine(sources: Path) -> None:
    """Tests, tools, documents and what CI runs; no caches, and no path of where it was built."""
    names = [path.relative_to(sources).as_posix() for path in sources.rglob("*") if path.is_file()]
    assert not [name for name in names if JUNK.search(name)]
    here = str(ROOT).encode()
    assert not [name for name in names if here in (sources / name).read_bytes()]
    needed = {"tests", "tools", "docs", "action.yml", ".ci", ".github", ".pre-commit-hooks.yaml", "constraints.txt"}
    assert needed <= {path.name for path in sources.iterdir()}


def test_the_notices_name_all_data_of_others(wheel: zipfile.ZipFile, sources: Path) -> None:
    """Every data file that is shipped, and what the tests replay that was written elsewhere."""
    notices = wheel.read(next(name for name in wheel.namelist() if name.endswith("/THIRD_PARTY_LICENSES"))).decode()
    data = [name for name in wheel.namelist() if name.startswith("mpsdoctor/data/")]
    assert data
    assert [name for name in data if name not in notices] == []
    files = [path.relative_to(sources).as_posix() for path in (sources / "tests").rglob("*") if path.is_file()]
    foreign = [name for name in files if not name.endswith(".py") and not name.startswith(OWN)]
    places = re.findall(r"tests/[\w./]*\w", notices)
    assert [name for name in foreign if not name.startswith(tuple(places))] == []
    assert [place for place in places if not (sources / place).exists()] == []


def test_the_installed_wheel_runs(installed: Command) -> None:
    """From an environment of its own: data, texts, schemas and checks are found there."""
    assert installed("--version") == f"mpsdoctor {__version__}\n"
    assert installed("checks").count(f"mpsdoctor {__version__}") == 8
    report = json.loads(installed("--json", "--budget", "quick", "--no-profile", "--only", "chip,build,environment"))
    assert [check["id"] for check in report["checks"]] == ["chip", "build", "environment"]
    assert report["python"]["executable"].endswith("/venv/bin/python")
    assert "virtual-mac-allocation-fails" in installed("known-issues", "--list", "--torch", "2.8", "--chip", "virtual")
    assert "MPS203" in installed("explain", "MPS203")
    assert "MPS203" in installed("--lang", "zh", "explain", "MPS203")
    assert json.loads(installed("schema", "report"))["$defs"]


def test_the_version_stands_in_one_place() -> None:
    """A release changes one line of code: no other file of the packages and no workflow names the version."""
    code = [ROOT / name for name in shipped() if name.startswith("mpsdoctor/")]
    places = [*code, ROOT / "pyproject.toml", ROOT / "action.yml", *(ROOT / ".github/workflows").iterdir()]
    quoted = re.compile(rf"""["']v?{re.escape(__version__)}["']""")
    found = [path.name for path in places if quoted.search(path.read_text(encoding="utf-8"))]
    assert found == ["__init__.py"]
