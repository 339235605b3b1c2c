"""`mpsdoctor known-issues`: what is recorded as wrong for this torch, macOS and chip, listed, tried or exported."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import click

from mpsdoctor import console
from mpsdoctor.check import Collected, Context, UnusableRequestError
from mpsdoctor.cli.examine import examine, exit_code_of, write_stdout
from mpsdoctor.cli.options import Options, examples, make_command, refuse_empty
from mpsdoctor.console import Exit
from mpsdoctor.facts import read_facts
from mpsdoctor.facts.issues import IssueFacts
from mpsdoctor.formats import Style, wrapping
from mpsdoctor.formats.text import WIDTH
from mpsdoctor.issues import Surroundings, device_kind_of, read_issues
from mpsdoctor.report import Report
from mpsdoctor.session import Session
from mpsdoctor.texts import say


def known_issues_command(parent: click.Group) -> click.Command:
    """The command, with the options it shares with the check-up."""
    own: list[click.Parameter] = [
        click.Option(["--list", "listed"], is_flag=True, help="Tell what is recorded; try nothing."),
        click.Option(["--export"], is_flag=True, help="Try, and print anonymous rows of what came out."),
        click.Option(["--include-dangerous", "dangerous"], is_flag=True, help="Try what may outlast its process, too."),
        click.Option(
            ["--torch", "version"], metavar="X.Y.Z", callback=refuse_empty, help="With --list: for this torch."
        ),
        click.Option(["--macos"], metavar="X.Y", callback=refuse_empty, help="With --list: for this macOS."),
        click.Option(["--chip"], metavar="NAME", callback=refuse_empty, help="With --list: for this chip."),
    ]
    short = "Try what is recorded as wrong for this torch, macOS and chip."
    epilog = examples(
        ("mpsdoctor known-issues", "try them on each device"),
        ("mpsdoctor known-issues --list --torch 2.8.0 --macos 15.6", "what is recorded there"),
        ("mpsdoctor known-issues --export > rows.jsonl", "rows for the record"),
    )
    return make_command(parent, "known-issues", known_issues, own, short_help=short, epilog=epilog)


@click.pass_context
def known_issues(context: click.Context, /, **options: Any) -> None:
    """Try known issues of PyTorch on each device: small calls that come out wrong where an issue is present.

    Each is judged against the CPU in double precision, in a process that may die. An issue that is recorded for this
    torch, macOS and chip is tried before the others. --export prints a JSON line for each, without anything that
    names you or the machine.
    """
    typed = KnownOptions.of(context)
    context.exit(exit_code_of(partial(run, typed), verbose=typed.verbosity > 0))


@dataclass(frozen=True)
class KnownOptions(Options):
    """Those of `known-issues` on top."""

    listed: bool = False
    export: bool = False
    dangerous: bool = False
    version: str | None = None
    macos: str | None = None
    chip: str | None = None


def run(options: KnownOptions) -> Exit:
    """List, or try and report; the exit code. UnusableRequestError for options that do not go together."""
    if not options.listed and (options.version or options.macos or options.chip):
        raise UnusableRequestError(say("cli.where_needs_list"))
    if options.listed and options.export:
        raise UnusableRequestError(say("cli.export_tries"))
    if options.listed:
        text = "\n".join(listing(surroundings(options))) + "\n"
        write_stdout(text.encode())
        return Exit.OK
    from mpsdoctor_checks import known_issues as about

    def make(emit: Any) -> Session:
        return Session(options.settings("known-issues"), emit, partial(collect, dangerous=options.dangerous), about)

    if options.export:
        return examine(make, options, text=export)
    return examine(make, options)


def collect(context: Context, dangerous: bool) -> Collected:
    """Facts and findings of the check."""
    from mpsdoctor_checks.known_issues.attempts import collect as try_canaries
    from mpsdoctor_checks.known_issues.rules import judge

    facts = try_canaries(context, dangerous)
    return {**facts}, judge(facts)


def surroundings(options: KnownOptions) -> Surroundings:
    """Those that were typed; what was not is as it is here, and unknown where another macOS was named."""
    from mpsdoctor.runtime.known import present

    here = present(None, None)
    chip = options.chip or (None if options.macos or options.version else here.chip)
    arch = None if options.macos or options.version else here.arch
    return Surroundings(options.version or here.torch, options.macos or here.macos, chip, arch)


def listing(here: Surroundings) -> Iterator[str]:
    """The entries that are recorded as wrong there, a paragraph each."""
    from mpsdoctor.runtime.known import is_recorded

    entries = read_issues()
    recorded = [issue for issue in entries if is_recorded(issue, here)]
    unknown = say("known.unknown")
    names = {"torch": here.torch or unknown, "macos": here.macos or unknown, "chip": here.chip or unknown}
    if not recorded:
        yield say("known.list_none", **names)
        return
    yield from wrapping.wrap(say("known.list_head", count=len(recorded), total=len(entries), **names), WIDTH)
    for issue in recorded:
        yield from wrapping.wrap(say("known.list_line", id=issue["id"], what=issue["what"]), WIDTH, "  ", "    ")
    yield from wrapping.wrap(say("known.list_more"), WIDTH)


def export(report: Report, style: Style) -> str:
    """A line for each canary that was run on a device that its entry is about: nothing that names the machine."""
    facts = read_facts(report).get("known-issues")
    rows = list(exported(facts)) if facts else []
    if not rows:
        console.complain(say("known.nothing_to_export"))
    return "".join(json.dumps(row) + "\n" for row in rows)


def exported(facts: IssueFacts) -> Iterator[dict[str, str | None]]:
    kinds = {issue["id"]: device_kind_of(issue) for issue in read_issues()}
    where = {"torch": facts["torch"], "macos": facts["macos"], "chip": facts["chip"]}
    for row in facts["issues"]:
        if row["outcome"] != "skipped" and row["device"].partition(":")[0] == kinds.get(row["id"]):
            yield {"id": row["id"], **where, "outcome": row["outcome"]}
