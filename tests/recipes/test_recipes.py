"""Every training library follows the answer: `pytest -m recipes tests/recipes`, with the extra `recipes` installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from recipes.stage import DEVICES, LIBRARIES, RECIPES, UNSTEERED, Stage

pytestmark = pytest.mark.recipes


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("recipes"))


def script(name: str) -> Path:
    """The script that names no device; skips where its library is not installed."""
    try:
        version(LIBRARIES[name][1])
    except PackageNotFoundError as error:
        pytest.skip(f"{error.name} is not installed")
    return UNSTEERED / f"{name}.py"


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_library_takes_by_itself_what_the_table_says(stage: Stage, name: str) -> None:
    """Where MPS is there: seven take it, three stay on the CPU. Without this the next test would prove nothing."""
    assert stage.train(script(name)) == LIBRARIES[name][0]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", LIBRARIES)
def test_run_has_a_library_train_on_the_device_of_the_profile(stage: Stage, name: str, device: str) -> None:
    """Both ways, its script unchanged: the parameters are there in the end."""
    stage.learn(device)
    assert stage.train(script(name), steered=True) == device


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", LIBRARIES)
def test_a_recipe_trains_on_the_device_of_the_profile(stage: Stage, name: str, device: str) -> None:
    """What a person copies from docs/recipes asks once, and hands the answer to the library."""
    script(name)
    stage.learn(device)
    assert stage.train(RECIPES / f"{name}.py") == device
