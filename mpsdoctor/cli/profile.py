"""`mpsdoctor profile …` and `mpsdoctor run -- …`: the profile file, and trainers started with its environment."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from itertools import starmap
from pathlib import Path

import click

from mpsdoctor import clean, prescription
from mpsdoctor.cli.options import examples
from mpsdoctor.formats import rows
from mpsdoctor.runtime import measured, profile, running
from mpsdoctor.runtime.running import present, read_torch_version, settings_as_code
from mpsdoctor.runtime.shapes import AtBatch, Measured, Profile
from mpsdoctor.texts import joined, say, term


def _path(context: click.Context) -> Path:
    try:
        return profile.locate((context.find_root().obj or {}).get("profile_path"))
    except profile.ProfileError as error:
        raise click.ClickException(str(error)) from None


def _read(path: Path) -> Profile:
    """The profile, or an error in one line."""
    try:
        return profile.read(path)
    except FileNotFoundError:
        raise click.ClickException(say("cli.no_profile_make", path=profile.shorten_home(path))) from None
    except profile.ProfileError as error:
        raise click.ClickException(str(error)) from None


def _write(content: Profile, path: Path) -> None:
    try:
        profile.write(content, path)
    except profile.ProfileError as error:
        raise click.ClickException(str(error)) from None


def changes_since(content: Profile) -> tuple[str, ...]:
    """What changed since the profile was made, so that it does not hold any more."""
    return profile.changes(content["fingerprint"], present())


@click.group("profile", short_help="Show, check, clear or override the profile.")
def profile_commands() -> None:
    """Show, check, clear or override the profile that trainers read."""


@profile_commands.command()
@click.pass_context
def path(context: click.Context) -> None:
    """Print where the profile is, or would be."""
    click.echo(_path(context))


@profile_commands.command()
@click.option("--json", "as_json", is_flag=True, help="Print the file's content.")
@click.pass_context
def show(context: click.Context, as_json: bool) -> None:
    """Show the profile, and what changed since it was made."""
    where = _path(context)
    content = _read(where)
    if as_json:
        click.echo(clean.inert_json(json.dumps(clean.data(content), indent=2, ensure_ascii=False)))
        return
    for line in describe(content, profile.shorten_home(where)):
        click.echo(clean.inert(clean.line(line)))


def describe(content: Profile, where: str) -> Iterator[str]:
    """A profile in words."""
    recommended = content["recommended"]
    yield say("cli.made", path=where, moment=content["created"], tool=content["tool"])
    confidence = term("confidence", recommended["confidence"])
    yield say("cli.recommended", device=recommended["device"], confidence=confidence)
    yield say("cli.reason", reason=recommended["reason"])
    for family, sizes in content["workloads"].items():
        yield say("cli.workload", family=family, sizes=starmap(_describe_winner, sizes.items()))
    for family, batches in content["batches"].items():
        yield say("cli.batches", family=family, batches=map(_describe_batch, batches))
    yield say("cli.machine", parts=rows.fingerprint_parts(content["fingerprint"]))
    yield from describe_override(content)
    for device in dict.fromkeys(row["device"] for row in content["known_wrong"]):
        names = map(measured.name_wrong, measured.rows_of(content, device))
        yield say("cli.wrong_on", device=device, names=names)
    if lines := settings_as_code(content["settings"]):
        yield say("cli.settings", lines="; ".join(lines))
    for name, value in content["environment"].items():
        yield say("cli.environment", name=name, value=value)
    for hint in content["hints"]:
        yield say("cli.hint", hint=hint)
    changed, updated = changes_since(content), profile.updates(content["fingerprint"], present())
    if changed:
        yield say("cli.stale", changes=joined("; ", changed))
    else:
        yield say("cli.valid_before", changes=joined("; ", updated)) if updated else say("cli.up_to_date")


def describe_override(content: Profile) -> Iterator[str]:
    """Whether MPS is forced, how long, and what was measured of it."""
    until = content["force_mps_torch"]
    if not content["force_mps"]:
        yield say("cli.force_off")
        return
    yield say("cli.force_on", how_long=rows.how_long(until))
    yield f"  {rows.forced_to(prescription.measured_of_mps(None, content, until))}"
    if not measured.force_holds(content, torch := read_torch_version()):
        yield "  " + say("cli.force_idle", version=torch)


def _describe_winner(size: str, entry: Measured) -> str:
    name = "cli.speedup" if entry["device"] not in ("cpu", "tie") else "cli.speedup_of_accelerator"
    speedup = say(name, factor=entry["speedup"]) if entry.get("speedup") else ""
    device = say("cli.not_settled") if entry["device"] == "tie" else entry["device"]
    return say("cli.winner", size=size, device=device, speedup=speedup)


def _describe_batch(row: AtBatch) -> str:
    return say("cli.batch", batch=row["batch"], device=row["device"], factor=row["speedup"])


@profile_commands.command(short_help="Check that a file is a profile as trainers read it.")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@click.pass_context
def validate(context: click.Context, files: tuple[Path, ...]) -> None:
    """Check that a file is a profile as trainers read it; exit with 2 and say why if not."""
    for where in files or (_path(context),):
        _read(where)
        click.echo(say("cli.valid", path=profile.shorten_home(where)))


@profile_commands.command()
@click.pass_context
def clear(context: click.Context) -> None:
    """Remove the profile."""
    where = _path(context)
    try:
        profile.remove(where)
    except FileNotFoundError:
        click.echo(say("cli.no_profile", path=profile.shorten_home(where)))
    except profile.ProfileError as error:
        raise click.ClickException(str(error)) from None
    else:
        click.echo(say("cli.removed", path=profile.shorten_home(where)))


@profile_commands.command()
@click.pass_context
def env(context: click.Context) -> None:
    """Print the profile's environment variables as shell exports."""
    for name, value in _read(_path(context))["environment"].items():
        click.echo(f"export {name}={shlex.quote(value)}")


@profile_commands.command("force-mps")
@click.argument("state", type=click.Choice(["on", "off"]))
@click.option("--always", is_flag=True, help="Keep it on when torch changes.")
@click.pass_context
def force_mps(context: click.Context, state: str, always: bool) -> None:
    """Make trainers use MPS whatever was measured, until torch changes; or stop doing so."""
    where = _path(context)
    if not where.exists():
        variable = f"MPSDOCTOR_FORCE_MPS={int(state == 'on')}"
        raise click.ClickException(say("cli.no_profile_force", path=profile.shorten_home(where), variable=variable))
    content = _read(where)
    torch = content["fingerprint"].get("torch") or read_torch_version()  # trainers may have another than is here
    until = torch if state == "on" and not always else None
    content = {**content, "force_mps": state == "on", "force_mps_torch": until}
    _write(content, where)
    click.echo(say(f"cli.forced_{state}", path=profile.shorten_home(where)))
    if state == "on":
        for line in describe_override(content):
            click.echo(clean.inert(clean.line(line)))


@click.command(
    "run",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    short_help="Start a trainer on the profile's device.",
    epilog=examples(
        ("mpsdoctor run -- python train.py", "on the profile's device"),
        ("mpsdoctor run --device cpu -- accelerate launch train.py", "on another one"),
        ("mpsdoctor run --watch -- python train.py", "and see what it takes"),
    ),
)
@click.option("--device", metavar="DEV", help="Train on this device, not on the profile's.")
@click.option("--profile", "profile_path", metavar="PATH", help="Profile to go by instead of the default one.")
@click.option("--watch", is_flag=True, help="Sample memory, load and step times; a summary at the end.")
@click.option("--watch-output", "output", metavar="FILE", type=click.Path(path_type=Path), help="Keep the samples.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def run_trainer(
    context: click.Context,
    device: str | None,
    profile_path: str | None,
    watch: bool,
    output: Path | None,
    command: tuple[str, ...],
) -> None:
    """Start a trainer on the profile's device and with its environment variables, without a change of its code.

    COMMAND takes the place of this program: signals and its exit code are its own. Every Python that it starts shows
    to its script, and to the libraries that the script uses, the chosen device and the CPU alone. A script that names a
    device itself gets what it names. A variable that is set already keeps its value. What the profile's settings ask
    of a script is told in a line. An error that ends it is explained on stderr, where its cause is known.

    With --watch this program stays its parent and passes signals and the exit code on. Each second it samples memory,
    swap, load, heat and power, and the training tells its step times and its device's memory. At the end a summary
    stands on stderr; --watch-output FILE keeps the samples, for mpsdoctor watch FILE.
    """
    if device is not None and not running.is_device(device):
        raise click.BadParameter(say("cli.no_device", name=device))
    given = profile_path or (context.find_root().obj or {}).get("profile_path")
    if not watch:
        if output:
            raise click.UsageError(say("watch.output_needs_watch"))
        context.exit(running.start(command, device, given))
    from mpsdoctor.watch.running import start  # 50 ms that a training without it need not wait for

    context.exit(start(command, device, given, output))
