"""FLEET1xx: what many machines tell together, and why one gave no report."""

from mpsdoctor.texts import Each, Part, Text

KILLED = Part("fleet_child_ended", {"how": Part("signal_name", {"name": "SIGKILL"}), "words": Part("")})
SYNCHRONOUS = "Where gradients are exchanged in every step, all ranks wait for the slowest."

TEXTS = {
    "FLEET101": Text(
        "rank {ranks}: {how}",
        "{rows}.",
        "Run `mpsdoctor` on that machine itself; what it kept of its own report, `mpsdoctor fleet merge` takes in.",
        parts={
            "row": "rank {rank}: {detail}",
            "killed": "the check-up was killed",
            "hung": "the check-up hangs",
            "late": "no report in time",
            "unreachable": "not reached",
            "error": "no usable report",
        },
        seen="A machine of the fleet gave no report. Killed: its check-up or the process that holds it died. Hung: it"
        " lives and says nothing. Late: it was still at work when the time was over. Not reached: it never came to the"
        " store that torchrun opens. No usable report: what it sent cannot be read, or the check-up could not begin.",
        means="Nothing is known of this machine. A training that needs it would have stopped or waited there too.",
        do="Run `mpsdoctor` on it alone. For one that was late, raise `--timeout`; for one that was not reached, look"
        " at its firewall, its route to the machine of rank 0, and that MASTER_PORT is the same everywhere.",
        example={
            "ranks": "3",
            "how": Part("killed"),
            "rows": Each(
                "row",
                [{"rank": 3, "detail": KILLED}],
            ),
        },
    ),
    "FLEET102": Text(
        "not all machines have the same {what} ({step} version)",
        "{rows}.",
        "Install the same version everywhere.",
        parts={"row": "{value} on rank {ranks}", "major": "major", "minor": "minor"},
        seen="The machines have versions of torch, macOS or Python that are more than a patch release apart.",
        means="Kernels, defaults and wire formats differ between such versions: ranks may compute different numbers"
        " from the same weights, or not talk to each other.",
        do="Bring all machines to one version, torch first; the report lists every difference and who has what.",
        example={
            "what": "torch",
            "step": Part("minor"),
            "rows": Each("row", [{"value": "2.13.0", "ranks": "0-6"}, {"value": "2.8.0", "ranks": "7"}]),
        },
    ),
    "FLEET103": Text(
        "rank {rank} is the slowest: {ratio:figure} times the median machine's time",
        f"{{rows}}. {SYNCHRONOUS}",
        "Give it a smaller share of the batch, as the table of ranks has it, or find out what slows it down.",
        parts={"row": "rank {rank} {ratio:figure} times over all, {training} {most:figure} times"},
        seen="A machine takes at least a tenth longer than the median machine for the same trainings on the same kind"
        " of device, over all of them that three machines or more have timed.",
        means=f"{SYNCHRONOUS} A tenth there is a tenth of everybody's time.",
        do="Look at its findings first: memory pressure, heat, low power mode, other programs, fewer cores. Where it is"
        " just another chip, share the batch out by the figures of the table of ranks.",
        example={
            "rank": 5,
            "ratio": 1.63,
            "rows": Each("row", [{"rank": 5, "ratio": 1.63, "training": "cnn medium mps", "most": 1.9}]),
        },
    ),
    "FLEET104": Text(
        "{device} is out on rank {ranks}: it computes wrong or dies",
        "{rows}.",
        "Train on the CPU there, or leave these machines out: one rank's wrong gradients are averaged into all.",
        parts={"row": "rank {rank}: {why}"},
        seen="A check-up ruled a device out: what every training needs gave wrong numbers on it, or crashed.",
        means="With data-parallel training the gradients of all ranks are averaged, so one machine's wrong numbers"
        " spoil the whole model, silently.",
        do="See that machine's own findings (`mpsdoctor` there, or its report in the JSON). Update torch or macOS if"
        " other ranks with other versions are right.",
        example={
            "device": "mps",
            "ranks": "2",
            "rows": Each("row", [{"rank": 2, "why": Part("doubt_unprobed", {"device": "mps"})}]),
        },
    ),
    "FLEET105": Text(
        "{count} known issues were met",
        "{rows}.",
        "`mpsdoctor explain ID` tells what to do about one.",
        parts={"row": "{id} on rank {ranks}"},
        seen="Canaries of known issues failed on machines of the fleet.",
        means="Where only some machines have an issue, ranks compute different numbers from the same weights.",
        do="`mpsdoctor explain ID` has the workaround; the machines that are fine show which version to go to.",
        example={"count": 1, "rows": Each("row", [{"id": "addcmul-noncontiguous", "ranks": "0-3"}])},
    ),
    "FLEET106": Text(
        "rank {ranks} was not measured at its best",
        "{rows}.",
        "Plug it in, close other programs, let it cool down, and measure again before its figures decide anything.",
        parts={
            "row": "rank {ranks}: {what}",
            "pressure": "memory under pressure",
            "hot": "hot",
            "low_power": "low power mode",
            "on_battery": "on battery",
            "disturbed": "disturbed by other work",
        },
        seen="While a machine was timed, its memory was under pressure, it was hot, saved power, or other work"
        " disturbed it.",
        means="Its figures are lower than what it can do, and so are its share of the batch and its place among others."
        " If it trains under the same conditions, everybody waits for it.",
        do="Remove the cause and run the check-up again.",
        example={"ranks": "4", "rows": Each("row", [{"ranks": "4", "what": Part("low_power")}])},
    ),
    "FLEET107": Text(
        "{count} of {all} connections between machines fail",
        "{rows}.",
        "Open the firewall between these machines, or name the interface that reaches all: GLOO_SOCKET_IFNAME=en0.",
        parts={"row": "rank {rank} does not reach rank {to} ({interface}): {detail}"},
        seen="Each machine opened a port and tried those of the others; some could not be reached, although all of them"
        " reach the store of rank 0.",
        means="gloo connects every rank with every other one. Where a single pair cannot connect, init_process_group or"
        " the first collective hangs.",
        do="macOS asks whether a program may take connections: allow it for this Python, or open the firewall for the"
        " network. Machines with several interfaces (Ethernet, Thunderbolt, Wi-Fi) need GLOO_SOCKET_IFNAME.",
        example={
            "count": 1,
            "all": 56,
            "rows": Each("row", [{"rank": 3, "to": 5, "interface": "en0", "detail": "timed out"}]),
        },
    ),
    "FLEET108": Text(
        "{backend} does not take tensors on {device} (rank {ranks})",
        "{words}.",
        "Keep gradients on a device that it takes, or train each machine alone.",
        seen="A process of its own made a group of one with this backend and reduced a tensor on the device; that"
        " failed.",
        means="init_process_group() succeeds all the same, and the first step of DistributedDataParallel on this device"
        " ends with the error. gloo has no MPS tensors: data-parallel training between Macs goes through the CPU.",
        do="Copy gradients to the CPU before they are reduced (a DDP communication hook does), or train on the CPU with"
        " gloo. With CUDA use nccl.",
        example={"backend": "gloo", "device": "mps", "ranks": "0-3", "words": "ValueError: invalid tensor type"},
    ),
    "FLEET109": Text(
        "ranks would train on different kinds of device: {devices:and}",
        "{rows}. Each machine's own profile says so.",
        "Set MPSDOCTOR_DEVICE to one of them for all ranks, or leave out the machines that differ.",
        parts={"row": "{device} on rank {ranks}"},
        seen="get_optimal_device() reads each machine's own profile, and the profiles of this fleet recommend different"
        " kinds of device.",
        means="Collectives want all ranks on a kind of device that their backend takes, and the slowest kind sets the"
        " pace. Training scripts on these machines get a warning from get_optimal_device().",
        do="Decide for all: MPSDOCTOR_DEVICE=cpu torchrun …; or share the batch out by the table of ranks.",
        example={
            "devices": ["mps", "cpu"],
            "rows": Each("row", [{"device": "mps", "ranks": "0-2"}, {"device": "cpu", "ranks": "3"}]),
        },
    ),
    "FLEET110": Text(
        "rank {rank} has changed since the baseline: {worse} of {count} changes are worse",
        "{rows}.",
        "`mpsdoctor compare OLD.json NEW.json` of this machine's two reports has all of them.",
        parts={"row": "{what}: {before} → {after}"},
        seen="A machine differs from what the report named by --baseline says of its rank, by the rules of `mpsdoctor"
        " compare`: speeds by their intervals, versions, findings, operators, the verdict.",
        means="What changed for the worse on one machine sets the pace, or the numbers, of all.",
        do="Find out what was updated there, and update the others alike or go back.",
        example={
            "rank": 2,
            "count": 3,
            "worse": 1,
            "rows": Each("row", [{"what": "cnn medium mps", "before": "12.1", "after": "15.9"}]),
        },
    ),
}

# Why a machine gave no report, beside its outcome.
PHRASES = {
    "fleet_child_ended": "the check-up ended with {how}{words}",
    "fleet_no_report": "the check-up ended with {how} and left no report{words}",
    "fleet_last_words": "; its last words: {words}",
    "fleet_not_started": "the check-up could not be started: {why}",
    "fleet_silent": "the check-up lives and has said nothing for {seconds:.0f} s{words}",
    "fleet_at_work": "the check-up was still at work after {seconds:.0f} s{words}",
    "fleet_asked_to_end": "it was asked to end before its check-up was done",
    "fleet_gone": "its process has gone: no sign of life for {seconds:.0f} s, and its port is closed",
    "fleet_quiet": "its process gives no sign of life since {seconds:.0f} s; it may be stopped, or the network is down",
    "fleet_beating": "its process lives and had sent no report after {seconds:.0f} s",
    "fleet_never_came": "it did not come to the store within {seconds:.0f} s",
    "fleet_unfit": "what it sent cannot be used: {why}",
    "fleet_unheard": "none of the reports is of it",
    "fleet_no_store": "rank 0 had no store to reach it through: {why}",
    "fleet_ended_first": "gathering ended before it had answered",
}
