"""Start of the command: answers `--version` before anything is imported."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; exits."""
    if sys.argv[1:] == ["--version"]:
        from mpsdoctor import __version__

        print(f"mpsdoctor {__version__}")
        return
    try:
        from mpsdoctor import console

        console.open_streams()
        from mpsdoctor.cli import main as command
    except KeyboardInterrupt:
        sys.exit(130)
    command()


if __name__ == "__main__":
    main()
