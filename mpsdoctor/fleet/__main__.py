"""`torchrun … -m mpsdoctor.fleet`: one check-up a machine, gathered by rank 0."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import click
import platformdirs
from click.core import ParameterSource

from mpsdoctor import console
from mpsdoctor.cli import cli, in_their_language
from mpsdoctor.cli import main as guarded
from mpsdoctor.cli.compare import NoReportError
from mpsdoctor.cli.fleet import outlets, output_options, read_baseline, show
from mpsdoctor.cli.options import Options, Outlet, examples, refuse_nan, speak
from mpsdoctor.console import Exit, Narrator
from mpsdoctor.fleet import hints
from mpsdoctor.fleet.gathering import GRACE, Gathering
from mpsdoctor.fleet.here import Here, Wish
from mpsdoctor.fleet.reach import Listener
from mpsdoctor.fleet.store import NoStoreError, Store
from mpsdoctor.fleet.world import NoWorldError, World, forget
from mpsdoctor.merging import merge
from mpsdoctor.merging.shapes import FleetMachine, FleetReport
from mpsdoctor.runtime.profile import shorten_home
from mpsdoctor.texts import Part, as_values, say

PASSED_ON = {  # options of a check-up, as the one of each machine gets them
    "only": "--only", "skip": "--skip", "devices": "--device", "budget": "--budget", "python": "--python",
    "profile_path": "--profile", "no_profile": "--no-profile",
}  # fmt: skip
TIMEOUTS = {"quick": 120.0, "standard": 300.0, "thorough": 900.0}  # twice to ten times what a check-up takes
JOINING = 30.0  # seconds at most, and half of the time at most, to open or reach the store
PARTING = 2.0  # seconds that rank 0 keeps the store open, for the others to see that it is over
LOOK = 0.1  # seconds


def command() -> click.Command:
    """With the options of a check-up and those of a report of many machines."""
    own: list[click.Parameter] = [
        click.Option(
            ["--timeout"],
            type=click.FloatRange(min=1.0, max=86_400),
            callback=lambda context, option, value: None if value is None else refuse_nan(context, option, value),
            help="Seconds that a machine is waited for (quick 120, standard 300, thorough 900).",
        ),
        click.Option(["--keep"], type=click.Path(path_type=Path), metavar="DIR", help="Where each keeps its report."),
    ]
    passed = [parameter for parameter in cli.params if parameter.name in PASSED_ON]
    epilog = examples(
        ("torchrun --nnodes 2 --node-rank 0 --master-addr mac1 -m mpsdoctor.fleet", "on mac1,"),
        ("torchrun --nnodes 2 --node-rank 1 --master-addr mac1 -m mpsdoctor.fleet", "on mac2"),
    )
    params = [*passed, *own, *output_options(cli)]
    made = click.Command("fleet", callback=run, params=params, help=run.__doc__, epilog=epilog)
    made.context_settings = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
    return in_their_language(speak(made))


@click.pass_context
def run(context: click.Context, /, timeout: float | None, keep: Path | None, baseline: Path | None, **_: Any) -> None:
    """Examine all machines that torchrun starts this on, and print one report of them (rank 0 does).

    One process a machine makes a check-up, the others end at once. A machine that dies, hangs or is late is named, and
    the reports of the others are there. Each machine writes its profile, and keeps its report for mpsdoctor fleet
    merge.

    Exit codes of rank 0: 0 no finding at or above --fail-on, 1 there is one, 2 usage, 3 a check failed, 130
    interrupted, with what was there by then.
    """
    options = Options.of(context)
    into = outlets(options)
    try:
        world, before = World.of(os.environ), read_baseline(baseline)
    except (NoWorldError, NoReportError, ValueError) as error:
        told = say("many.no_world", name=error) if isinstance(error, NoWorldError) else str(error)
        console.complain(told)
        context.exit(Exit.USAGE)
    if not world.leads:
        context.exit(Exit.OK)
    forget(world)
    limit = timeout or TIMEOUTS[options.budget]
    folder = keep or platformdirs.user_cache_path("mpsdoctor") / "fleet"
    hear = console.say if world.rank == 0 and not options.quiet else lambda line: None
    wish = Wish(passed_on(context), limit, options.python, folder.absolute(), hear)
    with_stop = threading.Event()
    with console.interrupts(with_stop.set):
        status = Process(world, wish, with_stop, options, into, before).run()
    sys.stdout.flush()
    console.leave(status)  # a thread may wait for a store whose machine is off


def passed_on(context: click.Context) -> list[str]:
    """The options of the check-up, as they were typed."""
    words: list[str] = []
    for name, option in PASSED_ON.items():
        value = context.params.get(name)
        if context.get_parameter_source(name) != ParameterSource.COMMANDLINE or value is None:
            continue
        values = [] if value is True else value if isinstance(value, tuple) else (value,)
        words += [option] if value is True else [word for each in values for word in (option, str(each))]
    return words


class Process:
    """This machine's part: its own check-up, and where it is rank 0 the report of all."""

    def __init__(
        self,
        world: World,
        wish: Wish,
        stop: threading.Event,
        options: Options,
        into: list[Outlet],
        before: FleetReport | None,
    ) -> None:
        self.world, self.stop, self.options, self.into, self.before = world, stop, options, into, before
        self.until = time.monotonic() + wish.limit + GRACE
        self.store, self.why = self.join(min(JOINING, wish.limit / 2))
        self.here = Here(world, wish, self.store, self.listen(), stop)
        self.threads = [threading.Thread(target=act, daemon=True) for act in (self.here.beat, self.here.examine)]

    def join(self, limit: float) -> tuple[Store | None, str]:
        try:
            return Store(self.world, limit), ""
        except NoStoreError as error:
            console.complain(say("many.no_store", rank=self.world.rank, address=self.world.address, why=error))
            return None, str(error)

    def listen(self) -> Listener | None:
        try:
            return Listener(self.world) if self.store else None
        except OSError:
            return None

    def run(self) -> Exit:
        self.until = max(self.until, time.monotonic() + self.here.wish.limit + GRACE)
        for thread in self.threads:
            thread.start()
        return self.lead() if self.world.machine == 0 else self.follow()

    def follow(self) -> Exit:
        """Hand over, and wait until rank 0 has seen it; without rank 0 say where the report is."""
        self.wait_for_own()
        over = None
        while self.store and not self.here.trouble and not self.stop.is_set() and time.monotonic() < self.until + GRACE:
            try:
                over = self.store.get("over")
            except NoStoreError:
                break
            if over is not None:
                self.part(over)
                return Exit.OK
            time.sleep(LOOK)
        self.say_kept()
        return Exit.INTERRUPTED if self.stop.is_set() else Exit.FINDINGS

    def part(self, over: bytes) -> None:
        """What rank 0 says of all goes into the profile, for training scripts to be warned by."""
        hints.keep(over, self.here.machine, self.options.profile_path)
        try:
            if self.store:
                self.store.set(f"bye/{self.world.machine}", b"1")
        except NoStoreError:
            return

    def wait_for_own(self) -> None:
        """Until the own check-up has ended, or has been ended."""
        while self.threads[1].is_alive() and time.monotonic() < self.until and not self.stop.is_set():
            self.threads[1].join(LOOK)
        self.threads[1].join(PARTING)

    def say_kept(self) -> None:
        if self.here.kept:
            path = shorten_home(self.here.kept)
            console.complain(say("many.kept", rank=self.world.rank, path=path))
        elif self.here.trouble:
            console.complain(say("many.not_kept", rank=self.world.rank, why=self.here.trouble))

    def lead(self) -> Exit:
        """Gather, tell the others, print."""
        machines = self.gather() if self.store else self.alone()
        fleet = merge(machines.values(), self.world.size, self.before)
        devices = hints.summarize(fleet)
        if self.store:
            try:
                self.store.set("over", devices)
            except NoStoreError:
                self.store = None
        status = show(fleet, self.options, self.into)
        hints.keep(devices, self.here.machine, self.options.profile_path)
        if self.stop.is_set():
            console.complain(say("many.interrupted"))
            return Exit.INTERRUPTED
        self.see_off([machine for machine, found in machines.items() if machine and found.report])
        return status

    def gather(self) -> dict[int, FleetMachine]:
        """All machines: what they handed over, and what became of the others; the own one in any case."""
        assert self.store
        narrator = Narrator(quiet=bool(self.options.quiet))
        count = self.world.machines
        gathering = Gathering(
            self.world,
            self.store,
            self.here.wish.limit,
            self.stop,
            lambda answered: narrator.tell(say("many.answered", count=answered, all=count)),
        )
        thread = threading.Thread(target=gathering.run, daemon=True)
        thread.start()
        while thread.is_alive() and time.monotonic() < self.until + GRACE:
            thread.join(LOOK)
        narrator.close()
        if 0 not in gathering.found:
            self.wait_for_own()
        found = gathering.all(self.here.wish.limit)
        return {**found, 0: self.here.machine} if self.here.machine else found

    def alone(self) -> dict[int, FleetMachine]:
        """The own machine, and of each other one that nothing could be known."""
        self.wait_for_own()
        why = Part("fleet_no_store", {"why": self.why})
        others = {
            machine: FleetMachine(self.world.usual_rank(machine), "unreachable", None, str(why), as_values(why))
            for machine in range(1, self.world.machines)
        }
        own = self.here.machine
        return {0: own, **others} if own else others

    def see_off(self, left: list[int]) -> None:
        """Keep the store open until these machines have seen that it is over."""
        until = time.monotonic() + PARTING
        while self.store and left and time.monotonic() < until:
            try:
                left = [machine for machine in left if self.store.get(f"bye/{machine}") is None]
            except NoStoreError:
                return
            time.sleep(LOOK)


def main() -> None:
    """Exits."""
    from mpsdoctor.__main__ import choose_language
    from mpsdoctor.signals import on_signals

    on_signals(at_once=False)
    console.open_streams()
    choose_language()

    def act() -> Any:
        with command().make_context("torchrun … -m mpsdoctor.fleet", sys.argv[1:]) as context:
            return context.command.invoke(context)

    guarded(act)


if __name__ == "__main__":
    main()
