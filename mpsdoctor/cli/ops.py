"""`mpsdoctor ops`: operator probes alone, by name, all of PyTorch's own, or those of a person's model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import click

from mpsdoctor import versions
from mpsdoctor.check import UnusableRequestError
from mpsdoctor.checkup import CheckUp
from mpsdoctor.cli.examine import examine, exit_code_of
from mpsdoctor.cli.options import Options, examples, make_command, refuse_empty, timeout_option
from mpsdoctor.console import Exit
from mpsdoctor.events import Emit
from mpsdoctor.session import Collect, Session
from mpsdoctor.texts import say


def ops_command(parent: click.Group) -> click.Command:
    """The command, with the options it shares with the check-up."""
    own: list[click.Parameter] = [
        click.Option(
            ["--op", "ops"],
            multiple=True,
            metavar="NAME",
            callback=refuse_empty,
            help="These operators alone: aten::cumsum or sum.",
        ),
        click.Option(
            ["--all", "every"], is_flag=True, help="PyTorch's own operator database (needs numpy, expecttest)."
        ),
        click.Option(
            ["--model"], metavar="FILE.py:FUNC", callback=refuse_empty, help="The operators of your own training step."
        ),
        timeout_option("Seconds that the step of --model may take on the CPU."),
        click.Option(["--predict"], type=click.Choice(["mps"]), help="Tell from declarations, on any machine."),
        click.Option(
            ["--torch", "version"],
            metavar="X.Y",
            callback=refuse_empty,
            help="Predict for this torch, not for the installed one.",
        ),
        click.Option(
            ["--macos"], metavar="X.Y", callback=refuse_empty, help="Predict for this macOS, not for the present one."
        ),
    ]
    short = "Probe operators alone: which are right, wrong or missing."
    epilog = examples(
        ("mpsdoctor ops --op cumsum,softmax", "in every layout and dtype"),
        ("mpsdoctor ops --model train.py:build", "those of your training step"),
        ("mpsdoctor ops --predict mps --torch 2.3", "without a Mac"),
    )
    return make_command(parent, "ops", ops, own, short_help=short, epilog=epilog)


@click.pass_context
def ops(context: click.Context, /, **options: Any) -> None:
    """Probe operators alone: which are right, wrong, missing or deadly on each device.

    Without an option: the catalogue, as far as --budget goes. --op: every variant, dtype and direction of some
    operators. --all: every sample of PyTorch's OpInfo database. --model: FUNC() or FUNC(device) of your file returns a
    module and example inputs, or a function that makes one training step; each operator it calls is replayed on
    each device.
    --predict: what MPS has for these operators, from PyTorch's declarations, without a Mac.
    """
    typed = OpsOptions.of(context)
    context.exit(exit_code_of(partial(run, typed), verbose=typed.verbosity > 0))


@dataclass(frozen=True)
class OpsOptions(Options):
    """Those of `ops` on top."""

    ops: tuple[str, ...] = ()
    every: bool = False
    model: str | None = None
    timeout: float = 60.0
    predict: str | None = None
    version: str | None = None
    macos: str | None = None


def run(options: OpsOptions) -> Exit:
    """Examine and report; the exit code. UnusableRequestError for what cannot be done."""
    from mpsdoctor.formats import operators

    collect, settings = collector(options), options.settings("operators")

    def make(emit: Emit) -> Session | CheckUp:
        return Session(settings, emit, collect) if collect else CheckUp(settings, emit)

    def begin(engine: Session | CheckUp) -> None:
        if isinstance(engine, Session) and options.every:
            from mpsdoctor_checks.operators import exhaustive

            exhaustive.start(engine.workers)

    return examine(make, options, begin=begin, text=operators.render)


def collector(options: OpsOptions) -> Collect | None:
    """What to do, by the options; None for the check as it is. UnusableRequestError if they do not go together."""
    names = tuple(part.strip() for value in options.ops for part in value.split(",") if part.strip())
    if options.version and not options.predict:
        raise UnusableRequestError(say("cli.torch_needs_predict"))
    if options.macos and not options.predict:
        raise UnusableRequestError(say("cli.macos_needs_predict"))
    if options.macos and not versions.numbers(options.macos):
        raise UnusableRequestError(say("cli.bad_macos", macos=options.macos))
    if options.predict:
        return prediction(options, names)
    if options.model and (names or options.every):
        raise UnusableRequestError(say("cli.model_alone"))
    if options.model:
        from mpsdoctor import owncode

        return owncode.replay(options.model, options.timeout)
    if options.every:
        from mpsdoctor_checks.operators import exhaustive

        return partial(exhaustive.examine, names=names)
    if names:
        from mpsdoctor_checks.operators import named

        return partial(named.examine, names=names)
    return None


def prediction(options: OpsOptions, names: tuple[str, ...]) -> Collect:
    """What --predict does: of the model's operators, of those named, or of the catalogue's."""
    from mpsdoctor import owncode

    if options.every or (options.model and names):
        raise UnusableRequestError(say("cli.predict_alone"))
    return owncode.predict(options.model, names, options.version, options.timeout, options.macos)
