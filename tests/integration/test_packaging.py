"""What is in the wheel."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel built from this checkout, by the declared build back end."""
    path = next(WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("wheel")), versions=["standard"]))
    return zipfile.ZipFile(path)


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
    assert Path(str(wheel.filename)).name.endswith("-py3-none-any.whl")
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())
    notices = wheel.read(next(name for name in wheel.namelist() if name.endswith("/THIRD_PARTY_LICENSES"))).decode()
    shipped = [name for name in wheel.namelist() if name.startswith("mpsdoctor/data/")]
    assert shipped
    assert all(name in notices for name in shipped)
