"""Start of the command: answers `--version` before anything is imported."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; exits."""
    if sys.argv[1:] == ["--version"]:
        from mpsdoctor import __version__

        print(f"mpsdoctor {__version__}")
        return
    from mpsdoctor.cli import main as command

    command()


if __name__ == "__main__":
    main()
