"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from machines import replay

# A busy machine draws slowly, which says nothing about what is drawn.
hypothesis.settings.register_profile("suite", suppress_health_check=[hypothesis.HealthCheck.too_slow], deadline=None)
hypothesis.settings.load_profile("suite")
os.environ["MPSDOCTOR_LANG"] = "en"  # whatever the locale of who runs the tests; programs that they start inherit it


@pytest.fixture
def mac(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """The environment of a process on a replayed Mac; the names are the folders of tests/machines/data."""
    return lambda name: replay.environment(name, tmp_path)


@pytest.fixture
def answer() -> Callable[..., Any]:
    """The JSON printed by a Python program in such an environment; by default facts, memory and conditions."""
    ask: Callable[..., Any] = replay.answer
    return ask
