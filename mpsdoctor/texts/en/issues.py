"""7xx: known issues of PyTorch, by what came of their canaries; and what a canary came to."""

from mpsdoctor.texts import Each, Part, Text

TRIED = "a small call that comes out wrong where the issue is present, judged against the CPU in double precision"
ASK = "Whether your model calls it in that way: `mpsdoctor ops --model FILE.py:FUNC`."
EXPLAINED = "`mpsdoctor explain {id}` has all that is recorded."

PHRASES = {
    "canary_did_not_raise": "an exception is right, and none was raised",
    "canary_grew": "the memory held grew by {figure:.0f} MiB, and {limit:.0f} are what may be",
    "canary_slower": "it took {figure:.1f} times as long, and {limit:.0f} times are what may be",
    "canary_unsteady": "{what}; in {bad} of {runs} runs, it differs from run to run",
    "canary_raised": "{error}",
    "canary_not_on_cpu": "this torch cannot run it on the CPU either: {error}",
    "canary_lacks": "not on this device: {error}",
    "canary_no_memory": "too little memory: {error}",
    "canary_dangerous": "dangerous: {why} --include-dangerous tries it",
    "canary_too_large": "it takes {needed:size}, and {free:size} are free",
    "canary_free_unknown": "it takes {needed:size}, and how much is free is not known",
    "canary_large": "it fills gigabytes: --budget thorough tries it",
    "canary_compiles": "torch.compile takes its time: --budget thorough tries it",
    "canary_no_time": "the time was over",
    "canary_unavailable": "{why}",
    # of the progress
    "trying_issues": "{device}: {done} known issues tried{wrong}",
    "trying_wrong": ", {count} wrong",
    # shared by the findings
    "issue_recorded": " It is recorded as wrong for torch {torch}{macos}.",
    "issue_new": " It is not recorded as wrong for torch {torch}{macos}{elsewhere}.",
    "issue_of_other_device": " What is recorded is about another kind of device.",
    "issue_elsewhere": "; it is for {range}",
    "issue_on_macos": " on macOS {macos_version}",
    "issue_on_chips": " on {chips}",
    "issue_all_torch": "all torch",
    "issue_torch_from": "torch {begin} and later",
    "issue_torch_before": "torch before {end}",
    "issue_torch_between": "torch {begin} to before {end}",
    "issue_range": "{versions}{on_macos}{on_chips}{on_python}",
    "issue_macos_range": ", macOS {condition}",
    "issue_chip_range": ", {chips}",
    "issue_core": " Every training depends on this, so the device is ruled out.",
    "issue_report_torch": "Report it at https://github.com/pytorch/pytorch/issues with the id and the versions above,"
    " and what was computed.",
    "issue_report_maker": "Report it to who makes the back end {device}, with what was computed.",
    "issue_around": "Way around it: {workaround}.",
    "issue_no_way": "No way around it is recorded.",
    "issue_is_wrong": "wrong",
    "issue_is_nan": "not a number",
}

TRIGGER = "weight or input is a transposed view; the graph-free fast path takes it as contiguous"
EXAMPLE = {
    "id": "linear-transposed-weight-no-graph",
    "op": "linear",
    "device": "mps",
    "what": "In torch 2.8.0 linear with a non-contiguous weight or input is silently wrong; generated text turns to"
    " gibberish.",
    "trigger": TRIGGER,
    "outcome": Part("issue_is_wrong"),
    "came_to": Part(
        "elements_differ",
        {
            "count": 30,
            "total": 30,
            "largest": 4.1,
            "relative": 2.2,
            "place": [1, 3],
            "actual": 0.4,
            "expected": 4.5,
        },
    ),
    "standing": Part("issue_recorded"),
    "core": Part("issue_core"),
    "torch": "2.8.0",
    "macos": Part("issue_on_macos"),
    "macos_version": "15.6",
    "elsewhere": Part(""),
    "around": Part("issue_around"),
    "workaround": "torch 2.7.1 or >= 2.9; .contiguous() on weight and input",
    "report": Part("issue_report_torch"),
}
BODY = "{what} Here: {came_to}.{standing}{core}"

TEXTS = {
    "MPS701": Text(
        "{op} is {outcome} on {device}, as recorded: {id}",
        BODY,
        "{around}",
        ("mpsdoctor explain linear-transposed-weight-no-graph",),
        seen=f"An issue that is recorded for this torch, macOS and chip was tried, {TRIED}: it is wrong here.",
        means="Where your model calls the operator in that way, it trains with wrong numbers, and nothing tells you.",
        do=f"Go around it as the remedy says, or use a version that has it right. {ASK}",
        example=EXAMPLE,
    ),
    "MPS702": Text(
        "recorded issues that are not present on {device}: {count}",
        "They are recorded as wrong for torch {torch}{macos}, and came out right here: {ids:,list}.",
        seen=f"Issues that are recorded for this torch, macOS and chip were tried, each by {TRIED}: they are right.",
        means="Another version of the system, another chip or other circumstances than those recorded. What goes wrong"
        " now and then may have gone right this time.",
        do="Nothing needs to be done. `mpsdoctor known-issues --export` prints rows that help to correct the record.",
        example={
            "count": 2,
            "device": "mps",
            "torch": "2.8.0",
            "macos": Part("issue_on_macos", {"macos_version": "15.6"}),
            "ids": ["avg-pool2d-ceil-mode", "max-ignores-nan"],
        },
    ),
    "MPS703": Text(
        "New: {op} is {outcome} on {device}: {id}",
        BODY,
        "{report} {around}",
        ("mpsdoctor known-issues --export",),
        ("https://github.com/pytorch/pytorch/issues",),
        seen=f"An issue that is not recorded for this torch, macOS and chip was tried, {TRIED}: it is wrong here.",
        means="Either it came back, or it has been there unseen. Where your model calls the operator in that way, it"
        " trains with wrong numbers.",
        do=f"Report it, so that it is mended and others are warned. {ASK}",
        example={**EXAMPLE, "standing": Part("issue_new")},
    ),
    "MPS704": Text(
        "{op} kills the process on {device}: {id}",
        BODY,
        "{around}{report}",
        ("mpsdoctor explain linear-transposed-weight-no-graph",),
        seen=f"A canary of a known issue, {TRIED}, killed the worker that ran it.",
        means="A training that calls the operator in that way dies, and no `except` can stop it.",
        do=f"Go around it as the remedy says. {ASK}",
        example={**EXAMPLE, "came_to": Part("signal_name", {"name": "SIGABRT"}), "report": Part("")},
    ),
    "MPS705": Text(
        "{op} does not come to an end on {device}: {id}",
        BODY,
        "{around}{report}",
        ("mpsdoctor explain linear-transposed-weight-no-graph",),
        seen=f"A canary of a known issue, {TRIED}, did not come to an end, and its worker was ended.",
        means="A training that calls the operator in that way stands still.",
        do=f"Go around it as the remedy says. {ASK}",
        example={**EXAMPLE, "came_to": Part("no_answer_within", {"seconds": 15}), "report": Part("")},
    ),
    "MPS706": Text(
        "{op} leaks memory on {device}: {id}",
        BODY,
        "{around}{report}",
        ("mpsdoctor explain linear-transposed-weight-no-graph",),
        seen="The same call with ever new sizes or numbers was repeated, and what the process or the device holds kept"
        " growing.",
        means="A long training grows until memory is short; then it swaps, and is slow.",
        do="Go around it as the remedy says: pad to few sizes, for one. Watch a long run with `mpsdoctor run --watch`.",
        example={**EXAMPLE, "came_to": Part("canary_grew", {"figure": 90, "limit": 24}), "report": Part("")},
    ),
    "MPS707": Text(
        "{op} raises an error on {device}: {id}",
        BODY,
        "{around}{report}",
        ("mpsdoctor explain linear-transposed-weight-no-graph",),
        seen="A canary of a known issue raised an exception where the CPU computes.",
        means="A training that calls the operator in that way stops with that error; numbers are not spoilt by it.",
        do=f"Go around it as the remedy says. {ASK}",
        example={**EXAMPLE, "came_to": "RuntimeError: view size is not compatible", "report": Part("")},
    ),
    "MPS708": Text(
        "{op} is slower than it need be on {device}: {id}",
        BODY,
        "{around}{report}",
        ("mpsdoctor explain linear-transposed-weight-no-graph",),
        seen="A call was timed in two ways that should take about as long, and one takes many times as long.",
        means="A training that calls the operator in that way is slower than it need be. The numbers are right.",
        do="Go around it as the remedy says.",
        example={**EXAMPLE, "came_to": Part("canary_slower", {"figure": 31.0, "limit": 8}), "report": Part("")},
    ),
    "MPS709": Text(
        "recorded issues that were not tried on {device}: {count}",
        "Recorded as wrong for torch {torch}{macos}, and not tried: {reasons}.",
        parts={"reason": "{id} ({why})"},
        seen="Issues that are recorded for this torch, macOS and chip were left out: too little time or memory, or what"
        " they do may outlast the process.",
        means="Take them as present: that is what is recorded.",
        do="`mpsdoctor known-issues --budget thorough` takes more time.",
        example={
            "count": 1,
            "device": "mps",
            "torch": "2.7.1",
            "macos": Part("issue_on_macos", {"macos_version": "15.6"}),
            "reasons": Each("reason", [{"id": "replication-pad-backward-hang", "why": Part("canary_no_time")}], ", "),
        },
    ),
    "MPS711": Text(
        "calls of the model that are recorded as wrong on mps: {count}",
        "{lines}{rest}",
        "Whether it is so here: `mpsdoctor known-issues`; what to do about it:",
        parts={
            "met": "{place}: {op}, {trigger}: {outcome} in torch {torch}{macos} ({id})",
            "met_at": "{where}",
            "met_somewhere": "somewhere",
            "met_wrong": "wrong",
            "met_nan": "not a number",
            "met_crash": "deadly",
            "met_hang": "without an end",
            "met_leak": "leaking",
            "met_error": "refused",
            "met_slow": "slow",
        },
        seen="The recorded step calls operators in a way, by layout, dtype or size, that triggers known issues, and"
        " those are recorded for this torch, macOS and chip.",
        means="It is not measured: what is recorded may not hold here. The replay of the same calls tells whether their"
        " numbers are right.",
        do="`mpsdoctor explain ID` has the way around; `mpsdoctor known-issues` tries whether it is present.",
        example={
            "count": 1,
            "rest": Part(""),
            "lines": Each(
                "met",
                [
                    {
                        "place": Part("met_at", {"where": "train.py:31 in forward"}),
                        "op": "linear",
                        "outcome": Part("met_wrong"),
                        "torch": "2.8.0",
                        "macos": Part("issue_on_macos", {"macos_version": "15.6"}),
                        "trigger": TRIGGER,
                        "id": "linear-transposed-weight-no-graph",
                    }
                ],
            ),
        },
    ),
    "MPS710": Text(
        "operators that PyTorch itself expects to fail on {device}: {count}",
        "The list of its own tests, in the installed wheel, names them. {probed}{not_probed}",
        parts={
            "were_probed": "Tried by our probes: {names:,list}. ",
            "were_not_probed": "Recorded by PyTorch and not tried here: {names:,list}.",
        },
        seen="PyTorch's wheel holds the lists that its own tests go by: operators that they expect to fail on MPS.",
        means="Where your model uses one, it may fail or be wrong. What our probes found stands in `operators`.",
        do="`mpsdoctor ops --op NAME` tries one that no probe has tried, if the catalogue has it.",
        example={
            "count": 3,
            "device": "mps",
            "probed": Part("were_probed", {"names": ["cumsum"]}),
            "not_probed": Part("were_not_probed", {"names": ["ctc_loss", "linalg_eig"]}),
        },
    ),
}
