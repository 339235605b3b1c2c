"""4xx: memory and swap."""

from mpsdoctor.texts import Part, Text

TEXTS = {
    "MPS401": Text(
        "Memory pressure is at {level}",
        "{colour}{meaning}{shared}",
        "Close what uses most memory, then measure again.",
        parts={
            "drawn": "Activity Monitor draws it {hue}. ",
            "yellow": "yellow",
            "red": "red",
            "next_to_nothing": "The system has next to nothing left to give, and may end programs. Timings taken now"
            " are not to be trusted.",
            "swapping": "The system swaps to serve what runs already, and a training waits for the disk with the"
            " others. Timings taken now are not to be trusted.",
            "no_room": "What a training needs is taken from other programs, by compressing or swapping theirs. Timings"
            " taken now are not to be trusted.",
            "unknown": "The system compresses and swaps to serve what runs already; how much is not known. Timings"
            " taken now are not to be trusted.",
            "past": "Yet enough memory is free by the system's own count and nothing is being swapped: the level tells"
            " of what was before. It is no reason to distrust timings taken now.",
            "shared": " The GPU of a Mac shares the memory, so this holds on MPS as on the CPU.",
            "nothing": "Nothing needs to be done; if training slows, look again.",
        },
        seen="The system's own measure of memory pressure is above normal.",
        means="Programs hold more than fits comfortably, and the system compresses or swaps. Where it does so now, a"
        " training waits for it, and its times are too long. The level stays up for long after the cause is gone, so"
        " what is being swapped this second counts for more.",
        do="Look in Activity Monitor, or with `top -o mem`, for what uses most, close it, and measure again.",
        example={
            "level": "warning",
            "colour": Part("drawn"),
            "hue": Part("yellow"),
            "meaning": Part("swapping"),
            "shared": Part("shared"),
        },
    ),
    "MPS402": Text(
        "{used:GiB} are swapped out{now}",
        "{meaning}{goes_on}",
        "Close programs that are not needed, or restart, and train with a smaller batch.",
        parts={
            "traffic": ", and {per_second:MiB} a second go in and out now",
            "swapping": "Programs in use hold more than the memory does. A training step that touches swapped pages"
            " waits for the disk.",
            "heavy_unknown": "Whether that is in use is not known. If it is, a training step that touches it waits for"
            " the disk.",
            "no_room": "That is not in use now, but there is no room either: what a training needs pushes out more.",
            "unknown": "Whether that is in use is not known; so much may belong to idle programs alone.",
            "idle": "That belongs to idle programs, for next to nothing is being swapped now. It does not slow a"
            " training until they wake.",
            "goes_on": " This holds on the CPU as on MPS, whose allocator goes on into swap where others report that"
            " memory is out.",
        },
        seen="A good part of the memory's content lies on the disk.",
        means="As long as it belongs to idle programs it costs nothing. Where pages go in and out every second, a"
        " training step waits for the disk, which is thousands of times slower than memory. MPS does not report that"
        " memory is out: it goes on into swap, and a training only becomes slow.",
        do="Close programs or restart, then train with a smaller batch or model and watch the swap while it runs.",
        example={
            "used": 9 << 30,
            "now": Part("traffic"),
            "per_second": 80 << 20,
            "meaning": Part("swapping"),
            "goes_on": Part("goes_on"),
        },
    ),
    "MPS403": Text(
        "{left:GiB} of {total:GiB} are available",
        "Weights, gradients, optimizer state and activations must fit into this on the CPU, and on the GPU of a Mac,"
        " which shares the memory. What does not fit is swapped, or ends the training.",
        "Close what uses most memory, or train a smaller batch or model.",
        seen="Little memory is left for a training that begins now.",
        means="AdamW in float32 needs 16 bytes for each parameter, and activations come on top. What does not fit is"
        " swapped on a Mac, and ends the process where there is no swap.",
        do="Close what uses most, or make the batch smaller.",
        example={"left": 1 << 30, "total": 16 << 30},
    ),
    "MPS404": Text(
        "This process may use {limit:GiB} of the machine's {total:GiB}",
        "A control group limits it, as containers and job schedulers do. A training that exceeds it is killed without a"
        " word from Python; libraries that look at the machine's memory choose too large a batch or cache.",
        "Give the container or the job more memory, or train a smaller batch.",
        seen="A control group allows this process less memory than the machine has.",
        means="At the limit the kernel kills the process: the last line of the log is 'Killed', and the exit status is"
        " 137. Workers of a data loader count too.",
        do="Raise the limit of the container or job, or use a smaller batch and fewer loader workers.",
        example={"limit": 4 << 30, "total": 64 << 30},
    ),
    "MPS405": Text(
        "The GPU's memory limit is set to {limit:GiB}",
        "By default macOS leaves it 67 to 84 % of the memory, the more the larger that is. {risk}Figures measured here"
        " hold for this limit, which is lost at the next start. {ignore}",
        "Go back to macOS's default.",
        ("sudo sysctl iogpu.wired_limit_mb=0",),
        parts={"risk": "So high a limit leaves too little for macOS, which can freeze. "},
        seen="`iogpu.wired_limit_mb` is set: somebody changed how much memory the GPU may hold.",
        means="A larger model fits, until the next start of the machine. Above 85 % of the memory macOS itself runs"
        " short, and machines were seen to freeze.",
        do="Set it to 0 for macOS's own limit, or set it again after each start if you rely on it.",
        example={"limit": 30 << 30, "risk": Part("risk"), "ignore": Part("ignore_on_cpu")},
    ),
    "MPS406": Text(
        "memory pressure was above normal for {seconds:.0f} s of {total:.0f} s of this training, {level} at worst",
        "The system compressed and swapped to serve all programs.{steps}",
        "Close what uses most memory, or train with a smaller batch.",
        parts={
            "slower": " In that time a step took {times:figure} times as long as in the rest.",
            "as_usual": " Steps took no longer than in the rest.",
        },
        seen="`mpsdoctor run --watch` looked each second at the system's own measure of memory pressure, and for a"
        " part of the training it was above normal.",
        means="Programs hold more than fits comfortably. The GPU of a Mac shares the memory, so this holds on MPS as"
        " on the CPU. The level stays up for long after the cause is gone: where steps took no longer, nothing was"
        " lost.",
        do="Close what uses most memory (`top -o mem`), or train with a smaller batch, and watch it again.",
        example={"level": "warning", "seconds": 34.0, "total": 720.0, "steps": Part("slower", {"times": 1.8})},
    ),
    "MPS407": Text(
        "{moved:size} went to the disk and back while this training ran",
        "Each step that touches swapped memory waits for the disk.",
        "Close what uses most memory, or train with a smaller batch.",
        seen="The system's counts of what is swapped in and out rose by so much between the begin and the end of a"
        " watched training, other programs' share included.",
        means="Memory did not suffice for all that ran. MPS does not report that memory is out: it goes on into swap,"
        " and a training only becomes slow.",
        do="Close other programs, train with a smaller batch, or let `mpsdoctor bench --step FILE.py:FUNC"
        " --find-batch` find the largest that fits.",
        example={"moved": 3 << 30},
    ),
    "MPS408": Text(
        "{device} held {held:size} for tensors of {used:size} at most",
        "What is freed stays in a pool for the next tensors, and no other program gets it.",
        "Keep the shapes of batches the same, as by padding to a few lengths. torch.{device}.empty_cache() gives the"
        " pool back, at the cost of filling it again.",
        seen="What the driver or the allocator held was at least twice what tensors took, and at least 1 GiB.",
        means="Shapes that vary leave pieces that do not fit the next tensor, and a validation with a larger batch"
        " leaves a pool that training does not need. On a Mac that memory is missing for all others.",
        do="Keep shapes the same; call `empty_cache()` after what needs most, as a validation, not in every step.",
        example={"device": "mps", "held": 9 << 30, "used": 3 << 30},
    ),
}
