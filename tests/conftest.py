"""Fixtures shared by all tests."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


replay = _module(Path(__file__).with_name("machines") / "replay.py")


@pytest.fixture
def mac(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """The environment of a process on a replayed Mac; the names are the folders of tests/machines/data."""
    return lambda name: replay.environment(name, tmp_path)


@pytest.fixture
def answer() -> Callable[..., Any]:
    """The JSON printed by a Python program in such an environment; by default facts, memory and conditions."""
    ask: Callable[..., Any] = replay.answer
    return ask
