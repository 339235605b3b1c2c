"""Start of the command: answers `--version` before anything is imported."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from mpsdoctor.checkup import Settings


def main() -> None:
    """Run the command line; exits."""
    if sys.argv[1:] == ["--version"]:
        from mpsdoctor import __version__

        print(f"mpsdoctor {__version__}")
        return
    try:
        command = prepared()
    except KeyboardInterrupt:
        sys.exit(130)
    command()


def prepared() -> Callable[[], None]:
    """The command line, imported; without options and at a terminal what follows the screen, which has been closed."""
    from mpsdoctor import tui

    if not sys.argv[1:] and sys.stderr and tui.possible():
        shown = tui.show(_default_settings)  # painted before the command line could be imported
        from mpsdoctor.cli import close_screen
        from mpsdoctor.cli import main as after

        return lambda: after(lambda: close_screen(shown))
    from mpsdoctor import console

    console.open_streams()
    from mpsdoctor.cli import main as command

    return command


def _default_settings() -> Settings:
    from mpsdoctor.checkup import Settings

    return Settings()


if __name__ == "__main__":
    main()
