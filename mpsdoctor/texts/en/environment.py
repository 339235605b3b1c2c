"""6xx: environment variables."""

from mpsdoctor.texts import Part, Text

DOCUMENTATION = "https://docs.pytorch.org/docs/stable/mps_environment_variables.html"

TEXTS = {
    "MPS601": Text(
        "no known torch reads {name}",
        "It is set, but has no effect in any torch from 2.0 to 2.15.",
        "Unset it: 'unset {name}'.",
        parts={
            "did_you_mean": "Did you mean {close}?",
            "further": "no known torch reads {count} more variables",
            "names": "They are set, but have no effect in any torch from 2.0 to 2.15: {names:,list}",
        },
        seen="A variable is set whose name begins with PYTORCH_, and no torch from 2.0 to 2.15 reads it.",
        means="torch says nothing about it and trains as if it were not set. A misspelt name looks like this.",
        do="Correct the name if you meant one that torch reads, else unset it.",
        example={"name": "PYTORCH_MPS_HIGH_WATERMARK", "close": "PYTORCH_MPS_HIGH_WATERMARK_RATIO"},
    ),
    "MPS602": Text(
        "{name} is not read by torch {torch}",
        "Torch reads it from {since} on; here it has no effect.",
        "Upgrade torch, or unset it.{note}",
        seen="A variable is set that only a later torch reads.",
        means="This torch says nothing about it and trains as if it were not set.",
        do="Upgrade torch if you need what the variable does, else unset it.",
        example={"name": "PYTORCH_MPS_FAST_MATH", "torch": "2.4.1", "since": "2.5", "note": Part("pip_works")},
    ),
    "MPS603": Text(
        "{reason}",
        "The first allocation on MPS fails with 'invalid low watermark ratio' or 'invalid high watermark ratio'."
        " The defaults of PYTORCH_MPS_HIGH_WATERMARK_RATIO and PYTORCH_MPS_LOW_WATERMARK_RATIO are {default_high} and"
        " {default_low}: lowering the high one below {default_low} needs the low one as well. Training on the CPU is"
        " not affected.",
        "Set both, the low one not above the high one.",
        ("export PYTORCH_MPS_HIGH_WATERMARK_RATIO=0.9 PYTORCH_MPS_LOW_WATERMARK_RATIO=0.8",),
        (DOCUMENTATION,),
        seen="PYTORCH_MPS_HIGH_WATERMARK_RATIO or PYTORCH_MPS_LOW_WATERMARK_RATIO has a value that torch refuses: one"
        " outside 0 to 2, or a low one above the high one. The one that is not set counts with its default.",
        means="The first allocation on MPS raises an error, so no training on MPS begins. On the CPU nothing changes.",
        do="Set both, the low one not above the high one, or unset both for torch's defaults.",
        example={
            "reason": Part("low_above_high", {"low_ratio": 1.4, "high_ratio": 0.9}),
            "default_high": 1.7,
            "default_low": 1.4,
        },
    ),
    "MPS604": Text(
        "the limit of MPS memory is switched off",
        "{misread}With PYTORCH_MPS_HIGH_WATERMARK_RATIO=0 a training that outgrows memory takes the system into swap,"
        " and may take it down.",
        "Unset it, or set PYTORCH_MPS_HIGH_WATERMARK_RATIO and PYTORCH_MPS_LOW_WATERMARK_RATIO below 1 to stay out of"
        " swap.",
        ("unset PYTORCH_MPS_HIGH_WATERMARK_RATIO",),
        (DOCUMENTATION,),
        parts={"misread": "Torch reads {value!r} as 0. "},
        seen="PYTORCH_MPS_HIGH_WATERMARK_RATIO is 0, or a value that torch reads as 0: a word, or a fraction with a"
        " comma, of which torch takes only what stands before it.",
        means="MPS allocates without a limit. A training that outgrows memory takes the system into swap, and may take"
        " it down.",
        do="Unset it, or set both watermarks below 1 to stay out of swap.",
        example={"misread": Part("misread"), "value": "0,8"},
    ),
    "MPS605": Text(
        "PYTORCH_ENABLE_MPS_FALLBACK={value!r} switches the fallback on",
        "Torch 2.8 and later take anything but exactly 0 as on: operators without an MPS kernel run on the CPU,"
        " slowly.",
        "Set it to 0 to get an error for such operators instead.",
        ("export PYTORCH_ENABLE_MPS_FALLBACK=0",),
        seen="PYTORCH_ENABLE_MPS_FALLBACK has a value that looks like off, such as false, no or nothing, and torch"
        " takes it as on.",
        means="From torch 2.8 on only exactly 0 is off. Operators without an MPS kernel run on the CPU, slowly, where"
        " an error was wanted.",
        do="Set it to 0 to get an error for such operators, or to 1 if the fallback is wanted.",
        example={"value": "false"},
    ),
    "MPS606": Text(
        "operators without an MPS kernel run on the CPU",
        "PYTORCH_ENABLE_MPS_FALLBACK is set, so missing operators cost time instead of raising an error.",
        seen="PYTORCH_ENABLE_MPS_FALLBACK is set to a value that switches the fallback on.",
        means="An operator without an MPS kernel does not end the training: the CPU computes it, which costs time.",
        do="Nothing needs to be done. Set it to 0 before Python starts to get an error for such operators instead.",
    ),
    "MPS607": Text(
        "operators without an MPS kernel raise an error",
        "PYTORCH_ENABLE_MPS_FALLBACK is {how}. It is read while torch loads: set it before Python starts.",
        parts={"not_set": "not set", "zero": "0", "read_as_zero": "{value!r}, which this torch reads as 0"},
        seen="PYTORCH_ENABLE_MPS_FALLBACK is not set, or has a value that torch reads as off.",
        means="A training on MPS ends with a NotImplementedError at an operator without an MPS kernel.",
        do="Nothing needs to be done unless that happens. Then set it to 1 before Python starts: torch reads it while"
        " it loads, and after the import it does nothing.",
        example={"how": Part("read_as_zero"), "value": "00"},
    ),
    "MPS608": Text(
        "{name} is set",
        "{effect}",
        "Unset it for real training.",
        parts={
            "rounds_freely": "Metal may round and reorder freely: results differ more from the CPU's.",
            "logs_operators": "Every operator is logged, which slows training and falsifies timings.",
            "traces_operators": "Every operator is traced, which slows training and falsifies timings.",
            "logs_allocations": "Every allocation is logged, which slows training and falsifies timings.",
            "no_cache": "Every CUDA allocation goes to the driver, which slows training.",
        },
        seen="A variable is set that makes torch log or trace what it does, allocate without a cache, or compute with"
        " less exact mathematics.",
        means="Logging, tracing and allocating without a cache slow a training, and times measured with them are too"
        " long. With PYTORCH_MPS_FAST_MATH results on MPS differ more from the CPU's.",
        do="Unset it for real training, and before you measure or compare devices.",
        example={"name": "PYTORCH_MPS_LOG_PROFILE_INFO", "effect": Part("logs_operators")},
    ),
    "MPS609": Text(
        "{name}={value!r} ends every program that imports torch here",
        "MPS202 tells how. What this check-up measured holds once the variable is unset.",
        "Unset it.",
        seen="With this variable the import of torch fails, and without it the import succeeds.",
        means="A training that inherits the variable ends at `import torch`. The check-up left it out and went on, so"
        " what it measured holds once the variable is unset.",
        do="Unset it in the shell, and in the profile or job script that sets it.",
        example={"name": "PYTORCH_ENABLE_MPS_FALLBACK", "value": "true"},
    ),
    "MPS610": Text(
        "{reason}",
        "With {name}={value} the first operator on MPS fails. Training on the CPU is not affected.",
        "Unset it.",
        seen="PYTORCH_MPS_LOG_PROFILE_INFO or PYTORCH_MPS_TRACE_SIGNPOSTS has a value that is no sum of the options"
        " that torch knows.",
        means="The first operator on MPS raises an error, so no training on MPS begins. On the CPU nothing changes.",
        do="Unset it; for training neither is needed.",
        example={
            "reason": Part("no_log_options"),
            "name": "PYTORCH_MPS_LOG_PROFILE_INFO",
            "value": "1024",
        },
    ),
}
