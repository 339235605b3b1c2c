"""`mpsdoctor race -- CMD`: any training script, unchanged, on each device."""

from __future__ import annotations

import shutil
import tempfile
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec

from mpsdoctor import clean, console, prescription
from mpsdoctor.check import UnusableRequestError
from mpsdoctor.cli.bench import usable_name
from mpsdoctor.cli.examine import exit_code_of, write_stdout
from mpsdoctor.cli.options import examples, refuse_nan
from mpsdoctor.console import Exit
from mpsdoctor.race import keeping, results, telling
from mpsdoctor.race.company import Wish
from mpsdoctor.race.scripts import Script
from mpsdoctor.race.stages import Course
from mpsdoctor.runtime import profile
from mpsdoctor.texts import Part, say
from mpsdoctor.worker.race_shapes import Hello

EVERY = 0.1  # seconds between two looks at what a script has printed


def race_command(parent: click.Group) -> click.Command:
    """The command; some options it has in common with the check-up."""
    shared = [
        option for option in parent.params if option.name in ("devices", "as_json", "verbose", "quiet", "profile_path")
    ]
    seconds = click.FloatRange(min=1.0, max=86_400)
    own: list[click.Parameter] = [
        click.Argument(["command"], nargs=-1, required=True, type=click.UNPROCESSED),
        click.Option(
            ["--seconds"], type=seconds, callback=refuse_nan, default=30.0, show_default=True, help="Seconds of timing."
        ),
        click.Option(
            ["--timeout"],
            type=seconds,
            callback=refuse_nan,
            default=300.0,
            show_default=True,
            help="Seconds that a script may take to its first training step.",
        ),
        click.Option(["--store", "name"], metavar="NAME", help="Keep the winner in the profile as NAME."),
    ]
    epilog = examples(
        ("mpsdoctor race -- python train.py --epochs 3", "which device is faster?"),
        ("mpsdoctor race --store mine -- accelerate launch train.py", "and keep the answer"),
        ("mpsdoctor race -v -- python -m package.train", "with what it prints"),
    )
    short = "Race an unchanged training script on each device."
    settings = {"ignore_unknown_options": True, "allow_interspersed_args": False}
    return click.Command(
        "race",
        context_settings=settings,
        callback=race,
        params=[*own, *shared],
        help=race.__doc__,
        short_help=short,
        epilog=epilog,
    )


@click.pass_context
def race(context: click.Context, /, **options: Any) -> None:
    """Start an unchanged training script on each device, and say which one trains it faster.

    COMMAND is started once a device, all at the same time, steered by what it asks torch and by the variables that
    training libraries read. Blocks of its steps are timed in turn, its losses are compared, and when the answer is
    clear the scripts are ended as Ctrl+C ends them. What the script writes, each run writes: give it a folder that you
    can spare. --store NAME: get_optimal_device(workload="NAME") gives the winner from then on.

    Exit codes: 0 an answer, 1 a device on which the script does not follow, fails or trains wrong, 2 usage, 130
    interrupted, with what is known so far.
    """
    given = {
        **context.find_root().params,
        **{key: value for key, value in options.items() if value not in (None, False, 0)},
    }
    verbose = int(given.get("verbose") or 0)
    context.exit(exit_code_of(lambda: run(given, verbose), verbose=verbose > 0))


def run(given: dict[str, Any], verbose: int) -> Exit:
    """Race, show the answer, keep it; the exit code. UnusableRequestError."""
    name = usable_name(given["name"]) if given.get("name") is not None else None
    path = profile.locate(given.get("profile_path")) if name else None
    wish = Wish(tuple(given["command"]), given.get("devices"), given["seconds"], given["timeout"])
    folder = Path(tempfile.mkdtemp(prefix="mpsdoctor-race-"))
    teller = Teller(bool(given.get("quiet")))
    teller.line(Part("race_warning"))
    teller.line(Part("race_logs", {"folder": str(folder)}))
    approve = partial(check_storable, path) if path else lambda hello: None
    course = Course(wish, folder, teller.progress, approve)
    with console.interrupts(course.cancel):
        follower = Follower(course) if verbose else None
        try:
            course.run()
        except UnusableRequestError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        finally:
            teller.close()
            if follower:
                follower.close()
    runs = list(course.runs.values())
    state = {"interrupted": course.scripts.cancelled, "undisturbed": course.undisturbed}
    judged = results.judge(name or "race", wish.command, runs, course.moments, **state)
    report = msgspec.structs.replace(judged.report, logs=str(folder))
    trouble = None
    if name and path and not course.scripts.cancelled:
        report, trouble = store(judged, report, name, path, course.scripts.started)
    show(report, as_json=bool(given.get("as_json")))
    if course.scripts.cancelled:
        return Exit.INTERRUPTED
    return Exit.USAGE if trouble else exit_code(report)


def exit_code(report: results.RaceReport) -> Exit:
    return Exit.FINDINGS if any(row.outcome != "ok" for row in report.devices) else Exit.OK


def show(report: results.RaceReport, *, as_json: bool) -> None:
    if as_json:
        document = msgspec.json.format(msgspec.json.encode(report), indent=2).decode()
        write_stdout(clean.inert_json(document).encode() + b"\n")
        return
    for line in telling.lines(report):
        click.echo(clean.inert(clean.line(line)))


def check_storable(path: Path, hello: Hello) -> None:
    """UnusableRequestError where the profile at `path` cannot take the answer of a race under this interpreter."""
    report = keeping.as_report(keeping.NOTHING, hello)
    prescription.read_storable(path, prescription.take_fingerprint(hello["executable"], report))


def store(
    judged: results.Judged, report: results.RaceReport, name: str, path: Path, scripts: list[Script]
) -> tuple[results.RaceReport, str | None]:
    """The report with the name under which the profile keeps it, and what went wrong, if anything did."""
    hello = next((script.hello for script in scripts if script.hello), None)
    try:
        if hello is None:
            raise profile.ProfileError(say("cli.nothing_to_store"))
        kept = keeping.as_report(judged.rows, hello)
        prescription.store(kept, name, path, hello["executable"], alike=all_alike(report))
    except (profile.ProfileError, prescription.NoFingerprintError) as error:
        console.complain(say("cli.not_stored", why=error))
        return report, str(error)
    console.complain(say("cli.stored", path=profile.shorten_home(path), name=name))
    return msgspec.structs.replace(report, stored=name), None


def all_alike(report: results.RaceReport) -> bool | None:
    """Whether all devices train the script as the first one does; None where that is not known of one."""
    others = [row.alike for row in report.devices[1:] if row.step_ms is not None]
    return False if False in others else (all(others) or None) if others else None


class Teller:
    """Narration on stderr: progress in one line that is rewritten, or in a line now and then."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.narrator = console.Narrator(quiet)

    def line(self, part: Part) -> None:
        if not self.quiet:
            console.complain(clean.line(telling.say(part)))

    def progress(self, part: Part) -> None:
        self.narrator.tell(clean.line(telling.say(part)))

    def close(self) -> None:
        self.narrator.close()


class Follower:
    """Shows on stderr what the scripts print, each line with its device before it."""

    def __init__(self, course: Course) -> None:
        self.course = course
        self.over = threading.Event()
        self.read: dict[Path, int] = {}
        self.thread = threading.Thread(target=self._follow, daemon=True)
        self.thread.start()

    def _follow(self) -> None:
        while not self.over.wait(EVERY):
            self._look()

    def _look(self) -> None:
        for script in [*self.course.scripts.started]:
            with suppress(OSError), script.log.open("rb") as log:
                log.seek(self.read.get(script.log, 0))
                text = log.read()
                whole = text.rfind(b"\n") + 1
                self.read[script.log] = self.read.get(script.log, 0) + whole
                for line in text[:whole].decode("utf-8", "replace").splitlines():
                    console.say(f"{script.device} | {clean.line(line)}")

    def close(self) -> None:
        self.over.set()
        self.thread.join(2.0)
        self._look()
