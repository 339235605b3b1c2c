"""501 to 505, 510 to 524, 529, 535 to 538: timed training."""

from mpsdoctor.texts import Each, Part, Text, Wording

COUNTED = {"workload": "{count} workload", "workloads": "{count} workloads"}
FAILED = {"run": "{workload} {size}", "cause": "{runs}: {why}", "no_detail": "no detail"}
SPEEDUP = {"row": "{workload} {size} {speedup:figure} times ({ci95:range})"}

CNN = {"workload": "cnn", "size": "medium"}
ONE = Part("workload", {"count": 1})
RUNS = Each("run", [CNN, {"workload": "mlp", "size": "small"}], ", ")


def failed(why: Wording) -> dict[str, object]:
    """An example for a code about workloads that went wrong."""
    return {"device": "mps", "runs": RUNS, "causes": Each("cause", [{"runs": RUNS, "why": why}])}


def compared(speedup: float, low: float, high: float) -> dict[str, object]:
    """An example for a code about workloads that were raced against the CPU."""
    rows = Each("row", [{**CNN, "speedup": speedup, "ci95": [low, high]}])
    return {"device": "mps", "count": 1, "all": 4, "rows": rows}


MLX_BENCHMARK = "https://github.com/TristanBilot/mlx-benchmark"
SINGLE = (
    "Four operators were timed one by one, five calls each, with the device waited for in each call, as those who"
    " contributed to mlx-benchmark did."
)
THE_TABLE = "Their figures for eleven chips come with mpsdoctor, mostly from one machine a chip."
AMONG_OTHERS = "Here, on another {chip}, and on the fastest and slowest of all chips that were measured: {rows}."
OPERATORS = {
    "row": "{operator} {ms:duration} against {chip_ms:duration} ({all_chips_ms[0]:duration} to"
    " {all_chips_ms[1]:duration})"
}
ON_ANOTHER = {
    "device": "mps",
    "chip": "M1",
    "rows": Each(
        "row",
        [{"operator": "ReLU of 2.1 million", "ms": 0.69, "chip_ms": 0.66, "all_chips_ms": [0.19, 1.19]}],
    ),
}

TEXTS = {
    "MPS501": Text(
        "{device} trains {count} of {all} workloads faster than the CPU",
        "Speed against the CPU, with 95 % intervals: {rows}.",
        parts=SPEEDUP,
        seen="The CPU and the device take turns with blocks of whole training steps, the copy of the batch included."
        " With these models the device is faster: the interval of the speed-up lies above 1.05.",
        means="Such a training ends sooner on the device. Its losses and first gradients were compared with the CPU's"
        " before anything was timed.",
        do="Train models of these families and sizes on the device. `mpsdoctor bench --step` times your own step.",
        example=compared(3.1, 2.9, 3.4),
    ),
    "MPS502": Text(
        "{device} trains {count} of {all} workloads slower than the CPU",
        "Speed against the CPU, with 95 % intervals: {rows}.",
        parts=SPEEDUP,
        seen="With these models the CPU is faster: the interval of the speed-up lies below 0.95.",
        means="Such a training takes longer on the device. Often a model is small: it makes many small operators, each"
        " of which has to be launched on the device, and AdamW goes parameter by parameter on MPS. Which it is here was"
        " not measured.",
        do="Train such models on the CPU. Larger batches can turn it round: MPS506 tells from which on, MPS530 what"
        " AdamW with `fused=True` gains.",
        example=compared(0.2, 0.19, 0.21),
    ),
    "MPS503": Text(
        "{device} and the CPU are too close to call on {count} of {all} workloads",
        "Neither gains by moving such a training. Speed against the CPU, with 95 % intervals: {rows}.",
        parts=SPEEDUP,
        seen="Enough pairs of blocks were timed, and the interval of the speed-up does not lie clear of 5 % around 1.",
        means="With these models neither device has an advantage worth a change of the script.",
        do="Stay with the device that the training uses now, or decide by the other workloads.",
        example=compared(1.01, 0.98, 1.04),
    ),
    "MPS504": Text(
        "the {device} is the only device here; {counted} can be trained on it",
        "Time of a training step, with 95 % interval: {rows}.",
        parts={
            **COUNTED,
            "row": "{workload} {size} {step_ms:duration} ({ci95_ms[0]:duration} to {ci95_ms[1]:duration})",
        },
        seen="Training was timed on a single device, for no other one is usable or was asked for.",
        means="There is nothing to compare with, so the times of a step stand alone.",
        do="Nothing, where no accelerator is expected. Else see what the check of the torch build says of the other"
        " devices.",
        example={
            "device": "CPU",
            "counted": ONE,
            "rows": Each("row", [{**CNN, "step_ms": 10.2, "ci95_ms": [10.1, 10.4]}]),
        },
    ),
    "MPS505": Text(
        "not timed on {device}: {counted}",
        "{runs}: {reasons}.",
        "A larger budget times more.",
        ("mpsdoctor --budget thorough",),
        parts={**COUNTED, "run": "{workload} {size}", "reason": "{why}"},
        seen="Some workloads were left out: the time did not reach, compiling would have taken too long, or the device"
        " was given up after a crash or a hang.",
        means="The recommendation rests on the workloads that were timed.",
        do="Run with a larger budget if your models resemble those left out.",
        example={
            "device": "mps",
            "counted": ONE,
            "runs": Each("run", [CNN], ", "),
            "reasons": Each("reason", [{"why": Part("left_out", {"reason": Part("budget_spent", {"seconds": 3})})}]),
        },
    ),
    "MPS510": Text(
        "{device} trains {runs} to other numbers than the CPU",
        "{causes}.",
        "Train on the CPU, or try another torch version: speed does not count while the numbers are wrong.",
        parts=FAILED,
        seen="With the same seed, weights and batches, losses or first gradients on the device are further from the"
        " CPU's than rounding explains.",
        means="A training there learns something else, without an error message. Its speed does not count.",
        do="Train on the CPU, or try another torch version. The operators check tells which operators give other"
        " numbers.",
        example=failed(
            Part(
                "loss_apart",
                {"loss": 2.4025, "step": 1, "wanted": 2.2657, "against": Part("against_cpu"), "allowed": 0.0023},
            )
        ),
    ),
    "MPS511": Text(
        "{device} trains {runs} to NaN or infinity",
        "{causes}.",
        "Train on the CPU, or try another torch version.",
        parts=FAILED,
        seen="A loss or a first gradient on the device is NaN or infinite.",
        means="Such a training is lost from that step on, and torch raises no error for it.",
        do="Train on the CPU, or try another torch version.",
        example=failed(Part("loss_not_finite", {"loss": "nan", "step": 7})),
    ),
    "MPS512": Text(
        "training {runs} on {device} kills the process",
        "{causes}.",
        "Train on the CPU; the last words of the process are in the evidence for a report to PyTorch.{dialog}",
        parts={
            **FAILED,
            "dialog": " macOS may show 'Python quit unexpectedly' for it; that was this check.",
        },
        seen="The process that trains on the device ended by a signal, without a Python exception.",
        means="A training that does the same ends at that step, and Python cannot catch it. This check goes on, for it"
        " trains in processes of their own.",
        do="Train on the CPU. The evidence has the last words of the process for a report to PyTorch.",
        example={
            **failed(Part("failed_after_step", {"step": 10, "function": "warm_up", "cause": "SIGABRT"})),
            "dialog": Part("dialog"),
        },
    ),
    "MPS513": Text(
        "training {runs} on {device} does not come to an end",
        "{causes}.",
        "Train on the CPU; if the device is only slow, a larger budget gives it more time.",
        parts=FAILED,
        seen="Steps on the device did not end in their time. A first step has two minutes more, for compiling.",
        means="The device hangs, or is far slower than a training can bear. Nothing more is trained on it in this run.",
        do="Train on the CPU. If the device may only be slow, run again with a larger budget.",
        example=failed(Part("no_answer_within", {"seconds": 150})),
    ),
    "MPS514": Text(
        "{device} runs out of memory on {runs}",
        "{causes}.",
        "Close what else uses the device's memory, or train with smaller batches.",
        parts=FAILED,
        seen="An allocation on the device failed while one of the small models was trained.",
        means="The models of this check are small, so a larger one does not fit either. On a Mac the GPU shares the"
        " memory with all other programs.",
        do="Close what else uses the memory, or train with smaller batches.",
        example=failed("RuntimeError: MPS backend out of memory (MPS allocated: 7.9 GB)"),
    ),
    "MPS515": Text(
        "{device} lacks something that {runs} needs",
        "{causes}.",
        "Models of this family need the CPU here, or on MPS the fallback PYTORCH_ENABLE_MPS_FALLBACK=1, set before"
        " torch is imported. 'mpsdoctor ops --predict mps --op NAME' tells from which torch on MPS has an operator.",
        parts=FAILED,
        seen="torch says that an operator or a dtype of this training does not exist on the device.",
        means="Models of this family do not train there as they are. With the fallback MPS runs missing operators on"
        " the CPU; it does not help where a dtype is missing.",
        do="Train on the CPU, or see with `mpsdoctor ops --predict mps --op NAME` whether a newer torch has the"
        " operator. The fallback variable is read while torch is loaded: set after"
        " `import torch` it does nothing.",
        example=failed("NotImplementedError: The operator 'aten::foo' is not currently implemented"),
    ),
    "MPS516": Text(
        "training {runs} on {device} fails",
        "{causes}.",
        "Train such models on another device.",
        parts=FAILED,
        seen="Training on the device ended with an exception that means neither missing memory nor a missing operator.",
        means="Models of this family do not train on this device as things are. The evidence has the whole message.",
        do="Train such models on another device.",
        example=failed("RuntimeError: shape mismatch"),
    ),
    "MPS520": Text(
        "another timed run was going on",
        "Another mpsdoctor of this user was timing and did not end in time: the figures of both are doubtful.",
        "Run it again when the other one is done.",
        seen="A lock keeps timed runs of one user apart. It was held by another run, which did not end in time.",
        means="Both runs took processor time from each other, so the figures of both are doubtful. No setting, hint or"
        " table of batch sizes of this run goes into the profile.",
        do="Wait until the other run is done, then run again.",
    ),
    "MPS521": Text(
        "conditions that spoil the timing",
        "{conditions}. Absolute times are doubtful; ratios less so, for the devices took turns.{waiting}{kept}",
        "{steps}",
        parts={
            "condition": "{condition}",
            "close_these": "Close {names:and}. ",
            "close_others": "Close what works in the background. ",
            "leave_low_power": "Turn low power mode off (System Settings, Battery). ",
            "plug_in": "Plug the machine in. ",
            "again": "Run it again on a quiet machine.",
            "waited": " Quiet was waited for, {waited_s:.0f} s long, in vain.",
            "not_kept": " No setting, hint or batch size of this run goes into the profile.",
        },
        seen="While training was timed, other programs took the processor, memory was swapped or short, the machine was"
        " hot, or it ran in low power mode or on battery.",
        means="Absolute times do not hold for the machine at rest. Ratios suffer less, for devices take turns. After"
        " load, swapping, critical memory pressure or serious heat no setting, hint or table of batch sizes goes into"
        " the profile.",
        do="Close what works in the background, plug the machine in, and run again.",
        example={
            "conditions": Each("condition", [{"condition": Part("low_power")}]),
            "waiting": Part("waited", {"waited_s": 8.0}),
            "steps": [Part("leave_low_power"), Part("again")],
            "kept": Part("not_kept"),
        },
    ),
    "MPS522": Text(
        "step times on {device} vary by more than {limit:.0%}",
        "Half the 95 % interval: {rows}.",
        parts={"row": "{workload} {size} ± {width:.0%}"},
        seen="Blocks of the same training step took different times on this device.",
        means="With so wide an interval a difference of 5 % cannot be seen. A large one still can.",
        do="Run again on a quiet machine or with a larger budget.",
        example={"device": "mps", "limit": 0.15, "rows": Each("row", [{**CNN, "width": 0.3}])},
    ),
    "MPS523": Text(
        "{device} needs {total:.1f} s for the first steps of {counted}",
        "What is new to a device is compiled first: {rows}. Step times do not count it. A training pays it once, and"
        " again for each new size of a batch or a sequence.",
        "Keep sizes the same from step to step: pad sequences, and drop the last, smaller batch.",
        parts={**COUNTED, "row": "{workload} {size} {spent:.1f} s"},
        seen="The first steps took more than five times as long as the later ones.",
        means="MPS compiles a graph for each operator with new dtypes and sizes: 10 ms each are usual, hundreds where"
        " Metal's cache is cold, and a small step has 66 to 175 of them. Times of a step do not count it, but a short"
        " training feels it.",
        do="Keep sizes the same from step to step: pad sequences, and drop the last, smaller batch. Each new size is"
        " compiled anew.",
        example={"device": "mps", "total": 12.5, "counted": ONE, "rows": Each("row", [{**CNN, "spent": 12.5}])},
    ),
    "MPS524": Text(
        "step times on {device} had not settled in {counted}",
        "They still drifted by more than 5 % at the end of: {rows}.",
        parts={**COUNTED, "row": "{workload} {size} ({steps} steps in {seconds:.1f} s)"},
        seen="At the end of the warm-up, times of a step still drifted by more than 5 %.",
        means="The times of a step may be those of a device that has not reached its usual speed. A race that"
        " has a winner does not depend on it.",
        do="Run with a larger budget where the absolute times matter.",
        example={
            "device": "mps",
            "counted": ONE,
            "rows": Each("row", [{**CNN, "steps": 40, "seconds": 0.3}]),
        },
    ),
    "MPS529": Text(
        "{device} against the CPU is not settled on {count} of {all} workloads",
        "Too few blocks of steps fitted into the time for a winner; a longer budget tells. Speed"
        " against the CPU, with 95 % intervals: {rows}.",
        parts=SPEEDUP,
        seen="Fewer than six pairs of blocks were timed, and a 95 % interval takes six. The pairs do not all show a"
        " device twice or half as fast, which fewer of them can decide.",
        means="Who is faster with these models is open, and the verdict does not rest on them: they go with the rest.",
        do="Run again on a quiet machine with a larger budget.",
        example=compared(0.505, 0.45, 0.56),
    ),
    "MPS535": Text(
        "the slowest stretch took {times:figure} times as long a step as usual",
        "From {begin:.0f} s to {end:.0f} s a step took {step_ms:duration}. {beside}",
        parts={
            "went": "At that time {rows}. That went with it, and may be the cause.",
            "nothing": "Memory, swap, heat, power and other programs were then as in the rest: it may be the training"
            " itself, as longer inputs.",
            "each": "{what}",
            "at_pressure": "memory pressure was at {level}",
            "at_heat": "the thermal state was '{level}'",
            "at_swapping": "{bytes:size} a second were swapped",
            "at_load": "other programs took {percent:.0f} % of the processors",
            "at_load_of": "other programs took {percent:.0f} % of the processors, {names:and} most",
            "at_low_power": "low power mode was on",
            "at_battery": "it ran on battery",
        },
        seen="The time of a watched training was cut into stretches of at least five seconds. In the slowest, a step"
        " took at least 1.2 times as long as in the middle one. Steps in which a validation, a checkpoint or the"
        " start of an epoch lay do not count.",
        means="What was worse in that stretch than in most of the others is named. It went with the slowness; that is"
        " no proof of a cause.",
        do="Close what took the processors or the memory, plug the machine in, let it cool down, and watch it again.",
        example={
            "times": 1.62,
            "begin": 310.0,
            "end": 328.0,
            "step_ms": 45.2,
            "beside": Part("went", {"rows": Each("each", [{"what": Part("at_heat", {"level": "serious"})}], ", ")}),
        },
    ),
    "MPS536": Text(
        "the machine was hot for {seconds:.0f} s of {total:.0f} s of this training",
        "At worst its thermal state was '{level}': the system then slows the chip down.",
        "Let air reach it, or train where it is cooler; a Mac without a fan holds its full speed for minutes only.",
        seen="`mpsdoctor run --watch` read the system's thermal state every ten seconds, and it was serious or"
        " critical.",
        means="The chip runs slower than it can. Times measured then hold for a hot machine alone.",
        do="Let it cool down before you compare times. Expect long trainings to run at the slower speed.",
        example={"seconds": 340.0, "total": 720.0, "level": "serious"},
    ),
    "MPS537": Text(
        "single operators on {device} take {typical:figure} times as long as on another {chip}",
        "{said} " + AMONG_OTHERS,
        parts={
            **OPERATORS,
            "alike": "That is within what machines with one chip differ by.",
            "slower": "That is slower than machines with one chip usually differ by.",
            "disturbed": "That is slower, but the machine was disturbed (MPS520, MPS521).",
            "faster": "That is faster than machines with one chip usually differ by.",
        },
        seen=f"{SINGLE} {THE_TABLE}",
        means="The figure is the middle one of the operators. Machines with one chip differ: of two with an M4 Pro,"
        " whose numbers of cores differ too, four of five operators were within 1.5 times, nine of ten within 2. Which"
        " torch and macOS the others had is not recorded, and a newer torch may be faster or slower with a single"
        " operator.",
        do="Nothing where it is near 1. `mpsdoctor bench --export` prints your figures as rows that make the table"
        " better.",
        links=(MLX_BENCHMARK,),
        example={**ON_ANOTHER, "typical": 1.05, "said": Part("alike")},
    ),
    "MPS538": Text(
        "{device} is slow for an {chip}: single operators take {typical:figure} times as long as on another one",
        AMONG_OTHERS,
        "Look for what limits it: for the CPU a number of threads (OMP_NUM_THREADS), for the GPU other programs that"
        " use it, for both heat; and try another torch.",
        parts=OPERATORS,
        seen=f"{SINGLE} At least half of them took more than twice as long here, with no other load, no low power mode"
        f" and no heat. {THE_TABLE}",
        means="Training may be slower here than this chip can. It may also be the torch or the macOS, for which ones"
        " the others had is not recorded, and theirs was one machine or two.",
        do="Look for a limit on threads (OMP_NUM_THREADS) if it is the CPU, and for programs that use the GPU, which"
        " mpsdoctor does not see, if it is MPS. Then run `mpsdoctor bench` with another torch version, and compare.",
        links=(MLX_BENCHMARK,),
        example={**ON_ANOTHER, "typical": 2.6},
    ),
}
