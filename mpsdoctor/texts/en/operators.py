"""3xx: operators, from probes."""

from mpsdoctor.texts import Each, Part, Text
from mpsdoctor.texts.en.common import FALLBACK_ON
from mpsdoctor.texts.en.judgements import DIFFERING

AVOID = (
    "If your model uses it, which the command tells of your own step, do without it or train on the CPU; else ignore"
    " this.{newer}{pip_note}"
)
ASK = "mpsdoctor ops --model FILE.py:FUNC"
LISTING = "{note} \n{lines}{rest}"
PARTS = {
    "one": "{op}{of}",
    "gradient": "gradient of {op}{of}",
    "several": "each of {count} operators ({names:,list}){of}",
    "of": " of {dtypes:and}",
    "operator": "{op}: {dtypes:,list}; {variants:,list}; {directions:,list}: {first}{known}{others}",
    "known": " ({failure})",
    "other": "\nand 1 more operator for the same reason: {others_names:,list}",
    "others": "\nand {others_count} more operators for the same reason: {others_names:,list}",
    "more": "\nand {more_count} more operators",
    "quit": " macOS may show “Python quit unexpectedly” for each of them. That is expected: the probe had a process of"
    " its own, and nothing else was lost.",
    "untried": f" Whether {FALLBACK_ON} helps was not tried for all of them; it must be set before torch is imported.",
    "no_help": f" {FALLBACK_ON} does not help here.",
    "no_help_for": f" {FALLBACK_ON} does not help with {{whole_names:,list}}.",
    "halves": f" In {{halves:and}} {FALLBACK_ON} changes nothing: the CPU cannot do it either.",
}
ROW = {
    "op": "cumsum",
    "dtypes": ["float32"],
    "variants": ["transposed", "sliced"],
    "directions": ["forward"],
    "first": DIFFERING,
    "known": Part(""),
    "others": Part(""),
}
EXAMPLE = {
    "subject": Part("one", {"op": "cumsum", "of": Part("of", {"dtypes": ["float32"]})}),
    "device": "mps",
    "note": Part(""),
    "lines": Each("operator", [ROW], "\n"),
    "rest": Part(""),
    "newer": Part("newer_unknown"),
    "pip_note": Part("pip_works"),
}

WRONG_MEANS = (
    "The device returned other numbers than the same call on the CPU in float64, beyond what rounding explains. Nothing"
    " raises an error: a training goes on with wrong values."
)


def _outcome(title: str, detail: str, remedy: str, paragraphs: tuple[str, str, str], *commands: str) -> Text:
    """The words of one kind of outcome, with the operators that had it below."""
    seen, means, do = paragraphs
    return Text(title, detail + LISTING, remedy, commands, parts=PARTS, seen=seen, means=means, do=do, example=EXAMPLE)


WHAT_TO_DO = (
    "See with `mpsdoctor ops --model` whether your step calls it. Then avoid it, make its inputs contiguous, or train"
    " on the CPU. A newer torch may be right; mpsdoctor has no record of that."
)

TEXTS = {
    "MPS311": _outcome(
        "{subject} differs from the CPU on {device}",
        WRONG_MEANS,
        AVOID,
        (
            "A probe calls an operator on the device and again on the CPU in float64. The results differ by more than"
            " rounding in this dtype explains. Layouts are told: many such faults need transposed, sliced or expanded"
            " inputs.",
            "No error is raised. A model with this operator trains on wrong values, and its loss may even fall.",
            f"{WHAT_TO_DO} `mpsdoctor ops --op NAME` shows every layout and dtype of it.",
        ),
        ASK,
    ),
    "MPS312": _outcome(
        "{subject} gives numbers that are not finite on {device}",
        "The device returned infinity or NaN where the CPU has a number. A loss that passes here becomes NaN.",
        AVOID,
        (
            "A probe gave NaN or infinity on the device where the CPU's result is finite.",
            "Once such a value reaches the loss, every weight is NaN after the next step.",
            WHAT_TO_DO,
        ),
        ASK,
    ),
    "MPS313": _outcome(
        "{subject} kills the process on {device}",
        "The process ended during this call. No Python code can catch that; a training ends without a checkpoint.",
        AVOID,
        (
            "The process of the probe died in this call, of a failed assertion in Metal for one.",
            "No try and except helps: a training that comes to this call ends there and then.",
            "Avoid the operator or train on the CPU; save checkpoints often until then. A newer torch may be right;"
            " mpsdoctor has no record of that.",
        ),
        ASK,
    ),
    "MPS314": _outcome(
        "{subject} does not end on {device}",
        "The call gave no answer in time, so a training would stand still here.",
        AVOID,
        (
            "A probe of small tensors gave no answer within its time, which allows for what a first call compiles.",
            "A training stands still at this call, without an error.",
            "Avoid the operator or train on the CPU. A newer torch may be right; mpsdoctor has no record of that.",
        ),
        ASK,
    ),
    "MPS315": _outcome(
        "{subject} raises an error on {device}",
        "The call works on the CPU. A training that needs it stops with this error.",
        AVOID,
        (
            "A call that works on the CPU raises an error on the device.",
            "A model that needs it stops at this call.",
            "Move the tensors of this call to the CPU. A newer torch may take it; mpsdoctor has no record of that.",
        ),
        ASK,
    ),
    "MPS321": _outcome(
        "{subject} is not implemented on {device}",
        "A training that needs it stops with NotImplementedError.",
        "If your model uses it, which the command tells of your own step, move these tensors to the CPU for the call;"
        " else ignore this.{newer}{pip_note}",
        (
            "torch has no kernel for this operator on the device, and the CPU does not step in.",
            "A model that needs it stops with NotImplementedError.",
            "Upgrade torch where a version is named that has it. Else move the tensors of this call to the CPU, or"
            " write it with other operators.",
        ),
        ASK,
    ),
    "MPS322": _outcome(
        "{subject} runs on the CPU instead of {device}",
        f"There is no kernel for the device. With {FALLBACK_ON} torch copies the tensors to the CPU and back, which"
        " costs time at each call; without it the call raises NotImplementedError. The variable is read while torch is"
        " imported: set later it does nothing.",
        "Set the variable before the program that imports torch starts.",
        (
            "The operator has no kernel on the device. It ran because the fallback was on for the probe.",
            "With the variable a training works, but each call waits for the device and copies there and back. Without"
            " it the call raises NotImplementedError.",
            f"Set {FALLBACK_ON} in the shell or with `mpsdoctor run`, before Python starts.",
        ),
        f"export {FALLBACK_ON}",
    ),
    "MPS323": _outcome(
        "{subject} is not supported on {device}",
        "Trainings in float32 are not concerned. Under autocast or in a half dtype the call raises an error.",
        "",
        (
            "The operator works on the device, but not in this dtype.",
            "A training in float32 does not notice. One in that dtype, or under autocast, stops with an error.",
            "Keep this part of the model in float32.",
        ),
    ),
    "MPS324": _outcome(
        "{subject} always runs on the CPU, not on {device}",
        "torch itself takes the CPU for it, whatever PYTORCH_ENABLE_MPS_FALLBACK says: it works, and copying the"
        " tensors to the CPU and back costs time at each call. No setting changes that.",
        "",
        (
            "torch registers the CPU's kernel for this operator on the device, and takes it without asking.",
            "It works, and is right. In a loop it costs time, as the device is waited for at each call.",
            "Nothing needs to be done. Where it is slow, call it less often or on tensors that are on the CPU already.",
        ),
    ),
    "MPS331": _outcome(
        "{subject} runs out of memory on {device}",
        "The tensors of a probe are a few kilobytes, so the device has no memory left at all: something else holds it,"
        " or it is a virtual machine whose GPU cannot allocate.",
        "Close what else uses the device, then examine again.",
        (
            "A probe with a few kilobytes found no memory on the device.",
            "Nothing can be trained there as it is now.",
            "Close what else uses the device, and look whether this is a virtual machine.",
        ),
    ),
    "MPS341": Text(
        "The self-test on the CPU fails: {subject}",
        "The CPU disagrees with itself in float64, or could not finish. Either this torch build computes wrongly on"
        " this machine or mpsdoctor's catalogue is at fault; what accelerators are said to do wrong with these"
        " operators is in doubt.{note}\n{lines}{rest}",
        "Try another torch version; if it stays, report it with this evidence.",
        parts=PARTS,
        seen="The same probes run on the CPU first, against the CPU in float64. Some failed there.",
        means="Either this torch computes wrongly on this processor, or the probe is wrong. What accelerators are said"
        " to do wrong with these operators says little then.",
        do="Try another torch version, and report it with the evidence if it stays.",
        example=EXAMPLE,
    ),
    "MPS342": Text(
        "Operators were not probed to the end on {device}",
        "{reason}. {made} of {planned} probes were made; nothing is known about the others.",
        seen="Probing stopped before the end, for another reason than time: the worker could not go on.",
        means="What was found holds. Nothing is known about the operators that were not reached.",
        do="Look at the reason; `mpsdoctor ops --op NAME` probes single operators.",
        example={"device": "mps", "reason": "torch could not be imported", "made": 500, "planned": 9000},
    ),
    "MPS343": Text(
        "Only {core_made} of {core_planned} probes of the operators that training needs fitted on {device}",
        "{made:,} of {planned:,} probes were made: {operators} operators, {layouts:,} probes in other layouts and"
        " shapes than the plain one. Nothing is known about the others. A device that compiles a graph for each new"
        " operator and shape takes its time.",
        "Give it more time, or probe the operators that your training uses, by name or by your own step.",
        ("mpsdoctor ops --budget thorough", "mpsdoctor ops --op softmax", "mpsdoctor ops --model FILE.py:FUNC"),
        seen="The time of the budget ended before the operators that every training needs were probed.",
        means="That nothing wrong was found says little. Metal compiles a graph for each new operator, dtype and shape,"
        " which takes 10 ms usually and hundreds on a cold cache.",
        do="Run the standard or the thorough budget, or probe what your own training calls.",
        example={
            "device": "mps",
            "core_made": 90,
            "core_planned": 250,
            "made": 120,
            "planned": 13488,
            "operators": 40,
            "layouts": 30,
        },
    ),
}
