"""`mpsdoctor profile …` and `mpsdoctor run -- …`: the profile file, and trainers started with its environment."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from mpsdoctor import clean, prescription
from mpsdoctor.cli.options import examples
from mpsdoctor.formats import rows
from mpsdoctor.runtime import measured, profile, running
from mpsdoctor.runtime.running import present, read_torch_version, settings_as_code
from mpsdoctor.runtime.shapes import AtBatch, Measured, Profile


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
        raise click.ClickException(
            f"there is no profile at {profile.shorten_home(path)}; run 'mpsdoctor' to make one"
        ) from None
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


@click.group("profile")
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
    yield f"{where}, made {content['created']} by {content['tool']}"
    yield f"recommended: {recommended['device']} ({recommended['confidence']} confidence)"
    yield f"reason: {recommended['reason']}"
    for family, sizes in content["workloads"].items():
        yield f"workload {family}: {', '.join(_describe_winner(size, entry) for size, entry in sizes.items())}"
    for family, batches in content["batches"].items():
        yield f"batch sizes of {family}, times the CPU's speed: {', '.join(map(_describe_batch, batches))}"
    yield f"machine: {', '.join(rows.fingerprint_parts(content['fingerprint']))}"
    yield from describe_override(content)
    for device in dict.fromkeys(row["device"] for row in content["known_wrong"]):
        yield f"wrong on {device}: {', '.join(map(measured.name_wrong, measured.rows_of(content, device)))}"
    if lines := settings_as_code(content["settings"]):
        yield f"settings: {'; '.join(lines)}"
    for name, value in content["environment"].items():
        yield f"environment: {name}={value}"
    for hint in content["hints"]:
        yield f"hint: {hint}"
    changed, updated = changes_since(content), profile.updates(content["fingerprint"], present())
    if changed:
        yield f"stale: {'; '.join(changed)}; run 'mpsdoctor' to measure again"
    else:
        yield f"valid, but measured before an update ({'; '.join(updated)})" if updated else "up to date"


def describe_override(content: Profile) -> Iterator[str]:
    """Whether MPS is forced, how long, and what was measured of it."""
    until = content["force_mps_torch"]
    if not content["force_mps"]:
        yield "force MPS: off"
        return
    yield f"force MPS: on, {rows.how_long(until)}"
    yield f"  {rows.forced_to(prescription.measured_of_mps(None, content, until))}"
    if not measured.force_holds(content, torch := read_torch_version()):
        yield f"  not with torch {torch}, which is here: scripts take no notice of it"


def _describe_winner(size: str, entry: Measured) -> str:
    who = "" if entry["device"] not in ("cpu", "tie") else "the best accelerator at "
    speedup = f" ({who}{entry['speedup']:.2f}× the CPU's speed)" if entry.get("speedup") else ""
    return f"{size} {'not settled' if entry['device'] == 'tie' else entry['device']}{speedup}"


def _describe_batch(row: AtBatch) -> str:
    return f"{row['batch']} on {row['device']} {row['speedup']:.2f}×"


@profile_commands.command(short_help="Check that a file is a profile as trainers read it.")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.pass_context
def validate(context: click.Context, file: Path | None) -> None:
    """Check that a file is a profile as trainers read it; exit with 2 and say why if not."""
    where = file or _path(context)
    _read(where)
    click.echo(f"{profile.shorten_home(where)}: a valid profile")


@profile_commands.command()
@click.pass_context
def clear(context: click.Context) -> None:
    """Remove the profile."""
    where = _path(context)
    try:
        profile.remove(where)
    except FileNotFoundError:
        click.echo(f"there is no profile at {profile.shorten_home(where)}")
    except profile.ProfileError as error:
        raise click.ClickException(str(error)) from None
    else:
        click.echo(f"removed {profile.shorten_home(where)}")


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
        hint = f"run 'mpsdoctor' to make one, or set MPSDOCTOR_FORCE_MPS={int(state == 'on')}"
        raise click.ClickException(f"there is no profile at {profile.shorten_home(where)}; {hint}")
    content = _read(where)
    torch = content["fingerprint"].get("torch") or read_torch_version()  # trainers may have another than is here
    until = torch if state == "on" and not always else None
    content = {**content, "force_mps": state == "on", "force_mps_torch": until}
    _write(content, where)
    click.echo(f"force MPS is {state} in {profile.shorten_home(where)}")
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
    ),
)
@click.option("--device", metavar="DEV", help="Train on this device, not on the profile's.")
@click.option("--profile", "profile_path", metavar="PATH", help="Profile to go by instead of the default one.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def run_trainer(context: click.Context, device: str | None, profile_path: str | None, command: tuple[str, ...]) -> None:
    """Start a trainer on the profile's device and with its environment variables, without a change of its code.

    COMMAND takes the place of this program: signals and its exit code are its own. Every Python that it starts shows
    to its script, and to the libraries that the script uses, the chosen device and the CPU alone. A script that names a
    device itself gets what it names. A variable that is set already keeps its value. What the profile's settings ask
    of a script is told in a line.
    """
    if device is not None and not running.is_device(device):
        raise click.BadParameter(f"{device!r} is not a device as torch names it: cpu, mps, cuda, xpu, …")
    given = profile_path or (context.find_root().obj or {}).get("profile_path")
    context.exit(running.start(command, device, given))
