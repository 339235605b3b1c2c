"""The command line: options to settings, a report to streams and files, findings to an exit code."""

from __future__ import annotations

import difflib
import errno
import importlib
import os
import re
import shutil
import sys
import traceback
from collections.abc import Callable
from typing import Any

import click

import mpsdoctor
from mpsdoctor import clean, console, retold, tui
from mpsdoctor.checkup import BrokenInstallError, CheckUp
from mpsdoctor.cli.examine import check_up, exit_code
from mpsdoctor.cli.options import Options, examples, speak
from mpsdoctor.cli.profile import profile_commands, run_trainer
from mpsdoctor.console import Exit
from mpsdoctor.events import Settings
from mpsdoctor.formats import FORMATS, Style
from mpsdoctor.planning import UnknownCheckError
from mpsdoctor.texts import LANGUAGES, language, say, translate_title

# Modules here that cost 30 ms, which the first screen need not wait for.
LATER = ("bench", "compare", "explain", "fleet", "known-issues", "ops", "race", "watch")
GROUPS = {  # of commands, by what one wants; the titles are phrases of the page `cli`
    "measure": ("bench", "ops", "known-issues", "race"),
    "understand": ("explain", "compare", "fleet", "checks"),
    "train": ("run", "watch", "profile"),
    "programs": ("schema", "completion", "help"),
}
SHELLS = ("bash", "zsh", "fish")
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
EXAMPLES = examples(
    ("mpsdoctor", "measure this machine, on a screen"),
    ("mpsdoctor --budget quick --format text", "ten seconds, as text"),
    ("mpsdoctor --output report.html", "a page to mail"),
    ("mpsdoctor bench --step train.py:build", "your own training step"),
    ("mpsdoctor ops --model train.py:build", "does it run right on MPS?"),
    ("mpsdoctor known-issues --list", "what is recorded as wrong here"),
    ("mpsdoctor race -- python train.py", "any training script, unchanged"),
    ("mpsdoctor explain MPS203", "what a finding means"),
    ("mpsdoctor explain error.log", "what an error or a log means"),
    ("mpsdoctor compare OLD.json NEW.json", "what an update changed"),
    ("mpsdoctor fleet merge *.json", "many machines in one report"),
    ("mpsdoctor run -- python train.py", "train with the profile"),
    ("mpsdoctor run --watch -- python train.py", "what it takes, and what slows it"),
    ("mpsdoctor profile show", "what training scripts read"),
    ("mpsdoctor schema report", "the shape of the JSON"),
)
OUTPUT_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}
DEVICES = ("cpu", "mps", "cuda")  # what a misspelt one is compared with; a back end may have any other name
MEANT = {"gpu": "mps", "metal": "mps", "apple": "mps", "nvidia": "cuda"}  # by people who name what it is
DEVICE = re.compile(r"[a-z][a-z0-9_]*")


def split_values(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Repeated or comma-separated values, each once."""
    parts = tuple(dict.fromkeys(part.strip() for value in values for part in value.split(",") if part.strip()))
    if values and not parts:
        raise click.BadParameter(say("cli.empty"))
    return parts


def parse_devices(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...] | None:
    devices = split_values(context, option, values)
    for device in devices:
        if not DEVICE.fullmatch(device):
            raise click.BadParameter(say("cli.no_device", name=device))
        meant = [MEANT[device]] if device in MEANT else []
        close = meant or difflib.get_close_matches(device, DEVICES, 1, 0.75)  # npu is not a misspelt cpu
        if device not in DEVICES and close:
            raise click.BadParameter(say("cli.close_device", name=device, close=close[0]))
    return devices or None


def find_python(context: click.Context, option: click.Parameter, value: str | None) -> str:
    if value is None:
        return sys.executable
    program = shutil.which(os.path.expanduser(value))  # noqa: PTH111 -- Path would drop the ./ that which() goes by
    if not program:
        raise click.BadParameter(say("cli.no_program", name=value))
    return program


class Command(click.Group):
    """A group whose own errors name what exists, and that imports the LATER commands when they are asked for."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted([*super().list_commands(context), *LATER])

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in LATER:
            return super().get_command(context, name)
        plain = name.replace("-", "_")
        module = importlib.import_module(f"mpsdoctor.cli.{plain}")
        return in_their_language(speak(getattr(module, f"{plain}_command")(self)))

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """In groups by purpose."""
        for group, names in GROUPS.items():
            commands = [(name, self.get_command(context, name)) for name in names]
            width = formatter.width - 6 - max(map(len, names))
            with formatter.section(say(f"cli.group_{group}")):
                formatter.write_dl([(name, found.get_short_help_str(width)) for name, found in commands if found])

    def resolve_command(self, context: click.Context, args: list[str]) -> Any:
        try:
            return super().resolve_command(context, args)
        except click.UsageError:
            names = self.list_commands(context)
            close = difflib.get_close_matches(args[0], names, 1)
            hint = say("cli.close_command", close=close[0]) if close else ""
            message = say("cli.no_command", name=clean.line(args[0]), hint=hint, names=names)
            raise click.UsageError(message, context) from None


@click.group(cls=Command, invoke_without_command=True, context_settings=CONTEXT, epilog=EXAMPLES)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document (same as --format json).")
@click.option("--format", "formats", multiple=True, type=click.Choice(sorted(FORMATS)), help="Report format.")
@click.option(
    "--output", "files", multiple=True, metavar="FILE", help="File for the --format at the same place; - is stdout."
)
@click.option("--only", multiple=True, callback=split_values, metavar="ID", help="Run these checks and what they need.")
@click.option("--skip", multiple=True, callback=split_values, metavar="ID", help="Leave these checks out.")
@click.option(
    "--device", "devices", multiple=True, callback=parse_devices, metavar="DEV", help="Examine these devices."
)
@click.option(
    "--budget",
    type=click.Choice(["quick", "standard", "thorough"]),
    default="standard",
    show_default=True,
    help="How long to measure: about 10 s, 1 min, 5 min.",
)
@click.option(
    "--python", callback=find_python, metavar="PATH", help="Examine another interpreter (Python 3.9 or later)."
)
@click.option(
    "--fail-on",
    type=click.Choice(["never", "error", "warning"]),
    default="error",
    show_default=True,
    help="Exit with 1 on a finding this grave.",
)
@click.option("--profile", "profile_path", metavar="PATH", help="Profile to write instead of the default one.")
@click.option("--no-profile", is_flag=True, help="Write no profile.")
@click.option("--no-color", is_flag=True, help="No colours (also: NO_COLOR).")
@click.option("-v", "--verbose", count=True, help="Show more.")
@click.option("-q", "--quiet", count=True, help="Show less; no progress.")
@click.version_option(mpsdoctor.__version__, message="mpsdoctor %(version)s")
@click.pass_context
def cli(context: click.Context, /, **options: Any) -> None:
    """Find out which device PyTorch should train on here, and whether it computes right.

    Without a command: a check-up, in a terminal on a screen with tabs (? for help there, q to quit), elsewhere, or
    with --format text, as text. It writes the profile that get_optimal_device() reads.

    Exit codes: 0 fine, 1 a finding at or above --fail-on, 2 usage or configuration, 3 mpsdoctor or a check failed,
    130 interrupted.
    """
    if context.invoked_subcommand:
        return
    choices = Options.of(context)
    if not (choices.as_json or choices.formats or choices.files) and tui.possible():
        outcome = tui.show(choices.settings, no_color=choices.no_color)
        context.exit(close_screen(outcome, choices.fail_on))
    context.exit(check_up(choices))


def close_screen(outcome: tui.Outcome, fail_on: str = "error") -> Exit:
    """What the screen leaves behind: the answer, where it is kept, and the exit code.

    Raises what kept the engine from beginning.
    """
    if outcome.failure:
        raise outcome.failure
    if outcome.broken:
        return Exit.BROKEN
    if outcome.cancelled or outcome.report is None:
        console.complain(say("cli.interrupted_no_profile"))
        return Exit.INTERRUPTED
    from mpsdoctor.formats import text  # 3 ms that the first screen need not wait for

    told = retold.report(outcome.report)
    for line in text.verdict(told, Style(unicode=console.unicode(sys.stdout)), lambda line, colour: line):
        click.echo(clean.inert(line))
    if outcome.trouble:
        console.complain(say("cli.profile_not_written", why=outcome.trouble))
    elif outcome.report.profile.written:
        console.complain(say("cli.profile_is", path=outcome.report.profile.path))
    return exit_code(outcome.report, fail_on, configured=not outcome.trouble)


@cli.command(short_help="List the checks, with what they need and cost.")
def checks() -> None:
    """List the checks: id, cost, what it needs, where it comes from, title."""
    from mpsdoctor.formats.wrapping import pad  # 10 ms that the first screen need not wait for

    checkup = CheckUp(Settings())
    planned = checkup.plan()
    checkup.cancel()
    needs, source, title = (say(f"cli.column_{name}") for name in ("needs", "from", "title"))
    click.echo(f"{'id':14}{'quick/standard/thorough':25}{pad(needs, 10)}{pad(source, 20)}{title}")
    for check in planned:
        cost = "/".join(f"{check.seconds[budget]:g}" for budget in ("quick", "standard", "thorough")) + " s"
        title = (
            say("cli.cannot_be_loaded", error=check.error) if check.error else translate_title(check.id, check.title)
        )
        columns = zip((check.id, cost, ",".join(check.needs) or "-", check.source), (14, 25, 10, 20), strict=True)
        line = "".join(pad(clean.line(text), width) for text, width in columns) + clean.line(title)
        click.echo(clean.inert(line))


@cli.command(short_help="Print the JSON Schema of what mpsdoctor writes.")
@click.argument("what", type=click.Choice(["report", "profile", "explain", "compare", "race", "fleet"]))
def schema(what: str) -> None:
    """Print the JSON Schema of a report, a profile or an answer."""
    from mpsdoctor.formats import schemas

    click.echo(schemas.as_json(what))


@cli.command(short_help="Print the lines that complete commands and options in a shell.")
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the lines that complete commands and options in a shell.

    In ~/.zshrc: eval "$(mpsdoctor completion zsh)"; in ~/.bashrc the same with bash, which has to be 4.4 or later; in
    fish: mpsdoctor completion fish > ~/.config/fish/completions/mpsdoctor.fish
    """
    from click.shell_completion import get_completion_class

    complete = get_completion_class(shell)
    assert complete, shell
    click.echo(complete(cli, {}, "mpsdoctor", "_MPSDOCTOR_COMPLETE").source())


@cli.command("help")
@click.argument("command", required=False)
@click.pass_context
def print_help(context: click.Context, command: str | None) -> None:
    """Print the help of mpsdoctor, or of a command."""
    group = context.find_root()
    if command is None:
        click.echo(group.get_help())
        return
    name, found, _ = cli.resolve_command(group, [command])
    click.echo(found.get_help(click.Context(found, parent=group, info_name=name)))


cli.add_command(profile_commands)
cli.add_command(run_trainer)
speak(cli)


def in_their_language(command: click.Command) -> click.Command:
    """With its help in the language of who reads."""
    if language() == LANGUAGES[0]:
        return command
    from mpsdoctor.translated import translate

    return translate(command)


def run_command_line() -> Any:
    """What click's own `main` does, less what it makes of errors: a closed pipe would end with 1, as a finding does."""
    in_their_language(cli)
    if "_MPSDOCTOR_COMPLETE" in os.environ:
        return cli.main(prog_name="mpsdoctor", standalone_mode=False)
    with cli.make_context("mpsdoctor", sys.argv[1:]) as context:
        return cli.invoke(context)


def main(act: Callable[[], Any] = run_command_line) -> None:
    """Run the command line, or `act`, and exit; what goes wrong is told in one line."""
    try:
        status = exit_status(act)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of our output, `head` for one, has enough
        console.leave(Exit.OK)
    except KeyboardInterrupt:
        status = Exit.INTERRUPTED
    except Exception as error:
        if isinstance(error, OSError) and error.errno in OUTPUT_ERRORS and not error.filename:
            console.complain(say("cli.no_output", why=error.strerror))
            console.leave(Exit.USAGE)
        status = report_fault(error)
    sys.exit(status)


def report_fault(error: Exception) -> Exit:
    """The last handler: a line about what should not have happened, with -v the traceback too."""
    if "-v" in sys.argv or "--verbose" in sys.argv:
        traceback.print_exception(error)
    line = clean.line(f"{type(error).__name__}: {error}")
    console.complain(say("cli.fault", error=line))
    return Exit.BROKEN


def exit_status(act: Callable[[], Any]) -> int:
    """The exit code of a command, whose errors are told."""
    try:
        return int(act() or Exit.OK)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return Exit.USAGE
    except UnknownCheckError as error:
        console.complain(str(error))
        return Exit.USAGE
    except BrokenInstallError as error:
        console.complain(str(error))
        return Exit.BROKEN
    except click.Abort:
        return Exit.INTERRUPTED
