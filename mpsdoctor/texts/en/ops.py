"""35x and 36x: the operators of a person's own training step."""

from mpsdoctor.texts import Each, Part, Text
from mpsdoctor.texts.en.common import FALLBACK_ON
from mpsdoctor.texts.en.judgements import DIFFERING

CALL = "{op} {does}, at {at}"
PARTS = {
    "call": CALL,
    "line": CALL + "{source}{quoted}",
    "source": ": {line_of_code}",
    "quoted": " [{first_words}]",
    "more": "\nand {more_count} more",
}
PHRASES = {
    "operator_crash": "kills the process",
    "operator_timeout": "does not end",
    "operator_unimplemented": "is not implemented",
    "operator_oom": "runs out of memory",
    "operator_error": "raises an error",
    "operator_dtype": "does not support this dtype",
    "operator_wrong": "gives wrong numbers",
    "operator_nan": "gives numbers that are not finite",
    "operator_fallback": "runs on the CPU",
    "operator_always": "always runs on the CPU",
    # where in a step an operator is called
    "sites": "{sites}",
    "site": "{site}",
    "backward_of": "backward of {where}",
    "module_made_at": "{module} made at {made_at}",
    "module": "module",
    "phase_forward": "forward pass",
    "phase_backward": "backward pass",
    "phase_optimizer": "optimizer step",
    "phase": "{phase} pass",
}
REPLACE = "Replace these operators, or move their tensors to the CPU for the call."
SET_IT = "Set it before the program that imports torch starts."
ROW = {"op": "aten::cumsum", "does": Part("operator_wrong"), "at": "train.py:12 in forward"}
QUOTED = Part("quoted", {"first_words": DIFFERING})
EXAMPLE = {
    "target": "train.py:build",
    "device": "mps",
    "first": Part("call", ROW),
    "lines": Each("line", [{**ROW, "source": Part(""), "quoted": QUOTED}], "\n"),
    "rest": Part(""),
    "newer": Part("newer_unknown"),
    "pip_note": Part("pip_works"),
}
PREDICTED = {
    "op_sentence": "{op}{made_of}: {says}",
    "op_line": "{op}{needs_of}: {says}{called_at}",
    "made_of": ", made of {needs:,list}",
    "needs_of": " needs {needs:,list}",
    "called_at": " ({place})",
    "more": "\nand {more_count} more",
}
FORETOLD = {
    "op": "aten::lerp_.Scalar",
    "made_of": Part(""),
    "needs_of": Part(""),
    "says": Part("mps_since_you_have", {"since": "2.1", "have": "2.0"}),
    "called_at": Part("called_at", {"place": "train.py:12 in forward"}),
}
FORETOLD_EXAMPLE = {
    "target": "train.py:build",
    "first": Part("op_sentence", FORETOLD),
    "lines": Each("op_line", [FORETOLD], "\n"),
    "rest": Part(""),
}
PREDICTION = "predicted from PyTorch's declarations, nothing was run on MPS:\n{lines}{rest}"


def _answer(title: str, means: str, remedy: str, paragraphs: tuple[str, str, str], *commands: str) -> Text:
    detail = f"{{target}}: {means}\n{{lines}}{{rest}}"
    seen, meaning, do = paragraphs
    return Text(title, detail, remedy, commands, parts=PARTS, seen=seen, means=meaning, do=do, example=EXAMPLE)


RECORDED = "Your training step ran on the CPU, and each operator call was replayed on the device."

TEXTS = {
    "MPS351": _answer(
        "the step does not run on {device}: {first}",
        "Training stops at this call.",
        REPLACE + "{newer}{pip_note}",
        (
            f"{RECORDED} At least one call raises an error there, kills the process, or does not end.",
            "Your script stops at the first of these calls.",
            "The place in your code stands with each call. Use another operator there, or move the tensors of the call"
            " to the CPU. A newer torch is named where one is known to have the operator.",
        ),
    ),
    "MPS352": _answer(
        "the step runs on {device} but computes wrong: {first}",
        "Nothing raises an error: the training goes on with wrong values.",
        "Avoid these operators, or train on the CPU.{newer}{pip_note}",
        (
            f"{RECORDED} At least one gives other numbers than the CPU in float64, or numbers that are not finite.",
            "Your script runs to its end, and trains on wrong values.",
            "Where the fault needs a layout, `.contiguous()` before the call avoids it. Else use another operator, or"
            " train on the CPU. A newer torch may be right; mpsdoctor has no record of that.",
        ),
    ),
    "MPS353": _answer(
        "the step runs on {device} only with the CPU's help: {first}",
        f"With {FALLBACK_ON} torch copies tensors to the CPU and back at these calls; without it they raise an error.",
        SET_IT,
        (
            f"{RECORDED} At least one has no kernel there, and works once the CPU steps in.",
            "Without the variable your script stops with NotImplementedError. With it each of these calls copies to the"
            " CPU and back.",
            f"Set {FALLBACK_ON} before Python starts, or replace the operators if the step becomes slow.",
        ),
        f"export {FALLBACK_ON}",
    ),
    "MPS354": _answer(
        "the step runs on {device}, but for a part on the CPU: {first}",
        "torch itself takes the CPU at these calls, whatever PYTORCH_ENABLE_MPS_FALLBACK says. They work; copying the"
        " tensors there and back costs time.",
        "",
        (
            f"{RECORDED} For some torch itself takes the CPU's kernel.",
            "The step is right and works as it is. These calls cost time, as the device is waited for.",
            "Nothing needs to be done, unless the step is slow.",
        ),
    ),
    "MPS361": Text(
        "{target} needs {first}",
        PREDICTION,
        "Take a torch that has them, where one is named. " + REPLACE,
        parts=PREDICTED,
        seen="Your step ran on the CPU, and its operators were looked up in what PyTorch declares for MPS. At least one"
        " is missing, and the fallback does not help.",
        means="Your script is expected to stop there on a Mac. Nothing was run on MPS.",
        do="Upgrade torch where a version is named, or replace the operator.",
        example=FORETOLD_EXAMPLE,
    ),
    "MPS362": Text(
        "{target} needs {first}",
        PREDICTION,
        SET_IT,
        (f"export {FALLBACK_ON}",),
        parts=PREDICTED,
        seen="Your step ran on the CPU, and its operators were looked up in what PyTorch declares for MPS. At least one"
        " is missing, and the CPU takes over where the fallback is on.",
        means="Without the variable your script is expected to stop there on a Mac. Nothing was run on MPS.",
        do=f"Set {FALLBACK_ON} before Python starts.",
        example=FORETOLD_EXAMPLE,
    ),
}
