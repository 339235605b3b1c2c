"""`mpsdoctor bench`: timed training alone, of the small models or of a person's own training step."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from mpsdoctor import console, owncode, prescription
from mpsdoctor.check import Context, UnusableRequestError
from mpsdoctor.checkup import CheckUp
from mpsdoctor.cli.examine import Render, examine, exit_code_of
from mpsdoctor.cli.options import Options, examples, make_command, refuse_empty, timeout_option
from mpsdoctor.console import Exit
from mpsdoctor.facts import read_facts
from mpsdoctor.facts.training import timed_results
from mpsdoctor.formats import FORMATS, Style, batches
from mpsdoctor.report import Report
from mpsdoctor.runtime import profile
from mpsdoctor.session import About, Collect, Session
from mpsdoctor.texts import say
from mpsdoctor_checks.training import own_batches, own_step, plan

Write = Callable[[Report, str, Path, str], Report]


@dataclass(frozen=True)
class Question:
    """What is asked about a step: who collects, what that is, its text, and how the profile takes the answer."""

    collect: Callable[[str, str | None, float, Callable[[Context], object]], Collect]
    about: About
    render: Render
    write: Write


TIME = Question(owncode.time_step, own_step, FORMATS["text"].render, prescription.store)
FIND = Question(owncode.find_batch, own_batches, batches.render, prescription.store_batches)
LONGEST_NAME = 40  # characters: what messages show of a workload's name


def bench_command(parent: click.Group) -> click.Command:
    """The command, with the options it shares with the check-up."""
    own: list[click.Parameter] = [
        click.Option(
            ["--step"], metavar="FILE.py:FUNC", callback=refuse_empty, help="Time your own training step instead."
        ),
        click.Option(
            ["--find-batch"], is_flag=True, help="Find the step's largest batch size that fits, and the fastest."
        ),
        click.Option(["--store", "name"], metavar="NAME", help="Keep the answer of --step in the profile as NAME."),
        click.Option(["--export"], is_flag=True, help="Time, and print anonymous rows of what came out."),
        timeout_option("Seconds that one step may take, on any device."),
    ]
    short = "Time training alone: small models, or your own step."
    epilog = examples(
        ("mpsdoctor bench --budget quick", "small models"),
        ("mpsdoctor bench --step train.py:build", "your step on each device"),
        ("mpsdoctor bench --step train.py:build --store mine", "and its winner kept"),
        ("mpsdoctor bench --step train.py:build --find-batch", "which batch sizes fit?"),
        ("mpsdoctor bench --export", "anonymous rows"),
    )
    return make_command(parent, "bench", bench, own, "profile_path", short_help=short, epilog=epilog)


@click.pass_context
def bench(context: click.Context, /, **options: Any) -> None:
    """Time training alone: small models on every device, or your own training step.

    --step: FUNC(device) or FUNC() of your file returns a function that makes one training step, alone or with the
    number of samples it takes, or a module and example inputs. It is called in a process of its own for each
    device, which take turns. --store NAME: get_optimal_device(workload="NAME") gives the winner from then on.
    Nothing else is written to the profile.
    --find-batch: FUNC(device, batch_size) is called with sizes that double, until one takes more memory than the device
    has without swapping; a size that dies costs that size. It tells the largest that fits and the fastest.
    --export: a JSON line for each operator and workload that was timed, without anything that names you or the
    machine.
    """
    typed = BenchOptions.of(context)
    context.exit(exit_code_of(partial(run, typed), verbose=typed.verbosity > 0))


@dataclass(frozen=True)
class BenchOptions(Options):
    """Those of `bench` on top."""

    step: str | None = None
    name: str | None = None
    find_batch: bool = False
    export: bool = False
    timeout: float = 60.0


def run(options: BenchOptions) -> Exit:
    """Time and report; the exit code. UnusableRequestError for what cannot be done."""
    if options.step and options.export:
        raise UnusableRequestError(say("cli.export_not_step"))
    if options.step:
        return run_step(options, options.step)
    if options.name is not None or options.find_batch:
        raise UnusableRequestError(say("cli.store_needs_step" if options.name else "cli.batch_needs_step"))
    make = partial(CheckUp, options.settings("training"))
    return examine(make, options, text=export) if options.export else examine(make, options)


def export(report: Report, style: Style) -> str:
    """A line for each operator and workload that was timed: nothing that names the machine."""
    rows = list(exported(report))
    if not rows:
        console.complain(say("cli.nothing_timed"))
    return "".join(json.dumps(row) + "\n" for row in rows)


def exported(report: Report) -> Iterator[dict[str, object]]:
    facts = read_facts(report).get("training")
    if not facts:
        return
    machine = report.machine
    where = {
        "chip": machine.chip,
        "performance_cores": machine.performance_cores,
        "gpu_cores": machine.gpu_cores,
        "macos": machine.os_version if machine.os == "Darwin" else None,
        "torch": report.torch.version if report.torch else None,
        "doubtful": bool(facts.get("doubtful")),
    }
    for operator in facts["operators"]:
        yield {**where, "device": operator["device"], "timed": operator["operator"], "ms": operator["ms"]}
    for row in timed_results(facts["results"]):
        yield {**where, "device": row["device"], "timed": f"{row['workload']} {row['size']}", "ms": row["step_ms"]}


def run_step(options: BenchOptions, step: str) -> Exit:
    name = None if options.name is None else usable_name(options.name)
    path = profile.locate(options.profile_path)
    begin = partial(check_storable, path) if name else lambda context: None
    question: Question = FIND if options.find_batch else TIME
    collect = question.collect(step, name, options.timeout, begin)
    settings = options.settings("training")
    return examine(
        lambda emit: Session(settings, emit, collect, question.about),
        options,
        keep=partial(keep, question.write, name=name, path=path, python=options.python) if name else None,
        text=question.render,
    )


def usable_name(name: str) -> str:
    """A name for a workload of one's own. UnusableRequestError if it is one of ours, or not fit to be shown."""
    if name.lower() in plan.FAMILIES:
        raise UnusableRequestError(say("cli.name_taken", name=name))
    if not (name and name.isprintable() and name == name.strip() and len(name) <= LONGEST_NAME):
        raise UnusableRequestError(say("cli.bad_name", longest=LONGEST_NAME, name=profile.printable(name, 60)))
    return name


def check_storable(path: Path, context: Context) -> None:
    """UnusableRequestError where the profile at `path` cannot take a result."""
    prescription.read_storable(path, prescription.fingerprint_in(context))


def keep(write: Write, report: Report, name: str, path: Path, python: str) -> tuple[Report, str | None]:
    """The report with the place of the profile in it, and in words what went wrong, if anything did."""
    try:
        report = write(report, name, path, python)
    except (profile.ProfileError, prescription.NoFingerprintError) as error:
        return report, say("cli.not_stored", why=error)
    told = "cli.batches_stored" if write is prescription.store_batches else "cli.stored"
    console.complain(say(told, path=profile.shorten_home(path), name=name))
    return report, None
