"""`mpsdoctor explain` as one of the commands."""

from __future__ import annotations

import click

from mpsdoctor import explaining


def explain_command(parent: click.Group) -> click.Command:
    """The command."""
    return explaining.explain_command()
