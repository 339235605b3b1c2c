"""Start of the command: answers `--version` before anything is imported."""

from __future__ import annotations

import sys

from mpsdoctor.signals import on_signals

TYPE_CHECKING = False  # importing it takes longer than a person needs for Ctrl+C
if TYPE_CHECKING:
    from collections.abc import Callable

    from mpsdoctor.events import Settings


def main() -> None:
    """Run the command line; exits."""
    on_signals(at_once=True)
    try:
        command = print_version if sys.argv[1:] == ["--version"] else prepared()
        on_signals(at_once=False)
        command()
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        on_signals(at_once=True)  # nothing is left to be done but what Python does at its end
        # Interrupted within an exec of text, as dataclasses do it, Python would end by SIGINT in place of the status.
        exec("")


def print_version() -> None:
    """Answer `--version`; a reader that has left is no error, a full disk is one."""
    import os

    from mpsdoctor import __version__

    try:
        print(f"mpsdoctor {__version__}", flush=True)
    except BrokenPipeError:
        os._exit(0)
    except OSError:
        os._exit(2)


def prepared() -> Callable[[], None]:
    """The command line, imported; without options and at a terminal what follows the screen, which has been closed."""
    if sys.argv[1:2] == ["run"]:  # a training waits: what can be done without the command line is done at once
        from mpsdoctor.runtime import running

        running.main(sys.argv[2:])
    choose_language()
    if sys.argv[1:2] == ["explain"]:
        return explain
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


def choose_language() -> None:
    """Before anything is told: by the arguments, else by the environment; a wrong option is told by the command."""
    from mpsdoctor import language

    asked = language.in_arguments(sys.argv[1:])
    try:
        trouble = language.choose(language.named(asked) if asked else None)
    except language.UnknownLanguageError as error:
        print(f"mpsdoctor: {error}", file=sys.stderr)
        sys.exit(2)
    if trouble and sys.stderr:
        print(f"mpsdoctor: {trouble}", file=sys.stderr)


def explain() -> None:
    """`mpsdoctor explain`, without the other commands: they take longer to import than a text takes to explain."""
    from mpsdoctor import console

    console.open_streams()
    from mpsdoctor.explaining import main as explain_alone

    try:
        explain_alone()
    except Exception as error:
        from mpsdoctor.cli import main as command

        def tell(failure: Exception = error) -> None:
            raise failure

        command(tell)


def _default_settings() -> Settings:
    from mpsdoctor.events import Settings

    return Settings()


if __name__ == "__main__":
    main()
