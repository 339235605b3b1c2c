"""Where a screen is drawn."""

from __future__ import annotations

import sys
from typing import Any

from textual.driver import Driver


def on_stdout(driver: type[Driver]) -> type[Driver]:
    """A driver that draws on stdout: Textual draws on stderr, which may go to a file."""

    class OnStdout(driver):  # type: ignore[misc,valid-type]  # which class depends on the system
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self._file = sys.__stdout__

    return OnStdout
