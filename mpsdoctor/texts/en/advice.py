"""506 to 509, 525 to 528, 530 to 534: ways to train, measured as advice; batch sizes."""

from mpsdoctor.texts import Each, Part, Text

SAID = "{said}{doubt}"
DOUBT = {"doubtful": " (doubtful)"}
SPEED = "{speedup:figure} times ({ci95:range})"
NO_DETAIL = {"no_detail": "no detail"}
WRONG = {
    "wrong": "{way} does not train right on {device}",
    "wrong_so": "{workload} {size} trains as usual, but so: {outcome}, {why}.",
    "as_usual": "Train as usual on this device: in float32, in torch's own layout, with its own number of threads.",
    "diverged": "diverged",
    "nan": "nan",
    "crash": "crash",
    "timeout": "timeout",
    "oom": "oom",
    "error": "error",
}
COMMON = {**DOUBT, **NO_DETAIL, **WRONG}

CNN = {"workload": "cnn", "size": "medium"}
RATIO = {**CNN, "speedup": 1.8, "ci95": [1.7, 1.9]}
RIGHT = {"device": "mps", **RATIO, "said": Part("faster"), "doubt": Part("")}
FAILED = {"way": "bfloat16", "outcome": Part("diverged"), "why": Part("loss_not_finite", {"loss": "3", "step": 2})}
FASTER = {**RIGHT, **FAILED}

TEXTS = {
    "MPS506": Text(
        SAID,
        "{rows}.",
        "Smaller batches train faster on the CPU. A script can ask for its own batch size.",
        parts={
            **DOUBT,
            "met": "{device} overtakes the CPU at {crossings}",
            "apart": "{device} and the CPU do not change places within the batches measured",
            "crossing": "batch {batch} of {workload} {size} ({low} to {high})",
            "end": "{end:.0f}",
            "outside": "?",
            "row": "{workload} {size}: {found}",
            "why": "{why}",
            "batches": "batches of {batches}",
            "batch": "{batch} {speedup:figure} times",
        },
        seen="The CPU and the device were raced with batches of several sizes, doubled or halved from the usual one."
        " Where the advantage changes sides, the batch is read off between two measured ones.",
        means="Below that batch the CPU trains faster, above it the device. Where the two do not change places, one of"
        " them is ahead at every batch that was measured.",
        do="Choose the device by the batch that your training uses. `get_optimal_device(workload=…, batch_size=…)` does"
        " it from the profile.",
        example={
            "said": Part("met"),
            "doubt": Part(""),
            "device": "mps",
            "crossings": Each(
                "crossing",
                [{**CNN, "batch": 96, "low": Part("end", {"end": 90.4}), "high": Part("end", {"end": 103.0})}],
                ", ",
            ),
            "rows": Each(
                "row",
                [
                    {
                        **CNN,
                        "found": Part(
                            "batches",
                            {
                                "batches": Each(
                                    "batch", [{"batch": 64, "speedup": 0.8}, {"batch": 128, "speedup": 1.2}], ", "
                                )
                            },
                        ),
                    },
                    {
                        "workload": "mlp",
                        "size": "small",
                        "found": Part("why", {"why": Part("cpu_faster", {"first": 8, "last": 128})}),
                    },
                ],
            ),
        },
    ),
    "MPS507": Text(
        SAID,
        "Each .item() waits until {device} is done: {workload} {size}, {cost_ms:duration} ({cost_ci95_ms[0]:duration}"
        " to {cost_ci95_ms[1]:duration}) beside the {usual_ms:duration} of a step.",
        "Add up loss.detach() on the device, and call .item() every 50 steps or so.",
        parts={
            **COMMON,
            "slower": "reading the loss in every step costs {cost_ms:duration} on {device}",
            "same": "reading the loss in every step costs less than 5 % of a step on {device}",
            "faster": "reading the loss in every step costs nothing on {device}",
            "open": "what reading the loss in every step costs on {device} is not clear",
        },
        seen="The same training was timed with `loss.item()` in every step and with one at the end of a block.",
        means="Each `.item()` waits until the device is done with all that was launched. On an M3 Air reading the loss"
        " in every step was reported to cost 6 of 10 ms.",
        do="Keep the running loss on the device with `loss.detach()`, and read it every 50 steps or so.",
        example={
            **FASTER,
            "way": Part("way_item"),
            "said": Part("slower"),
            "cost_ms": 6.0,
            "cost_ci95_ms": [5.8, 6.2],
            "usual_ms": 4.0,
        },
    ),
    "MPS508": Text(
        SAID,
        f"{{workload}} {{size}} {SPEED} as fast, losses of {{losses}} steps within {{loss_apart:.1g}} of float32's.",
        'Run the forward pass under torch.autocast("{backend}", dtype=torch.{dtype}){scaler}; watch the loss of your'
        " own model.",
        parts={
            **COMMON,
            "faster": "{dtype} autocast trains {speedup:figure} times as fast as float32 on {device}",
            "same": "{dtype} autocast gains nothing on {device}",
            "slower": "{dtype} autocast is slower than float32 on {device}: {speedup:figure} times",
            "open": "whether {dtype} autocast is faster on {device} is not clear",
            "scaler": ", with a GradScaler in long trainings, for small gradients vanish in float16",
        },
        seen="The same model was trained in float32 and under autocast to a half-precision dtype, weights in float32"
        " both times. Speed and losses were compared.",
        means="Autocast trades precision for speed, and on some devices it gains none. A warning means that it did not"
        " train right here, however fast it is.",
        do="Use it only where it is clearly faster, and watch the loss of your own model. float16 wants a GradScaler in"
        " a long training, for small gradients vanish in it.",
        example={
            **FASTER,
            "dtype": "float16",
            "losses": 10,
            "loss_apart": 0.01,
            "backend": "mps",
            "scaler": Part("scaler"),
        },
    ),
    "MPS509": Text(
        SAID,
        "Speed on the CPU against torch's own number of threads: {rows}.",
        "Begin a training with torch.set_num_threads({best}); the profile keeps the number.",
        parts={
            **COMMON,
            "several": "{best} CPU threads train faster than torch's own number",
            "one": "{best} CPU thread trains faster than torch's own number",
            "none": "no number of CPU threads is clearly faster than torch's own",
            "row": f"{{workload}} {{size}} with {{way}} {SPEED}",
        },
        seen="The same training was timed on the CPU with several numbers of threads: doubling up to the physical"
        " cores, all of these, and the performance cores.",
        means="A number counts as better if it is clearly faster on one workload and clearly slower on none. The"
        " profile keeps it among its settings.",
        do="Call `torch.set_num_threads` with the number named, at the start of a training on the CPU. Where none is"
        " clearly faster, leave torch's own.",
        example={
            **FAILED,
            **CNN,
            "way": Part("way_threads", {"threads": 8}),
            "device": "cpu",
            "said": Part("several"),
            "doubt": Part(""),
            "best": 6,
            "rows": Each("row", [{**RATIO, "way": Part("way_threads", {"threads": 6})}]),
        },
    ),
    "MPS525": Text(
        SAID,
        f"{{workload}} {{size}} with batches that lie there already trains {SPEED} as fast.",
        "Keep data that fits on the device; else copy the next batch while the last one is computed.",
        parts={
            **COMMON,
            "faster": "copying the batch takes {share:.0%} of a step on {device}",
            "same": "copying the batch takes less than 5 % of a step on {device}",
            "slower": "copying the batch takes nothing of a step on {device}",
            "open": "what copying the batch takes of a step on {device} is not clear",
        },
        seen="The same training was timed with a batch that is copied to the device in each step, and with batches that"
        " lie there from the start.",
        means="The share named is what a step saves where the copy goes away. Below 5 % there is nothing to gain.",
        do="Keep data on the device where it fits. Else copy the next batch while the last one is computed.",
        example={**FASTER, "way": Part("way_copy"), "share": 0.2},
    ),
    "MPS526": Text(
        "memory in use on {device} grows by {rate:size} a training step",
        "It grew steadily, block after block: {rows}. After {steps:,} steps that is {soon:size}: the training swaps or"
        " runs out of memory.",
        "Save checkpoints, so that a long training can start again in a fresh process; try another torch version. Your"
        " own models on {device} will grow by their own figure: watch the first 1,000 steps.",
        parts={
            "row": "{workload} {size} {bytes_per_step:size} a step ({ci95[0]:size} to {ci95[1]:size}) over {steps}"
            " steps",
            "watched": "{bytes_per_step:size} a step ({ci95[0]:size} to {ci95[1]:size}) over {steps:,} steps of this"
            " training",
            "watched_remedy": "Save checkpoints, so that it can start again in a fresh process. Look for what is kept"
            " from step to step: losses summed without .item(), outputs in a list, shapes that are new in each batch.",
        },
        seen="Memory in use was read after every block of the timed training. A robust line through the figures rises"
        " steadily, by what in 100,000 steps makes 1 GiB and half of what was in use at first, or more. `mpsdoctor run"
        " --watch` reads it each second of your own training.",
        means="The same step on batches of the same size needs more memory each time. A long training swaps, or ends"
        " when memory is out.",
        do="Save checkpoints and start long trainings again in a fresh process, or try another torch version. Watch the"
        " memory of your own model over its first 1,000 steps.",
        example={
            "device": "mps",
            "rate": 1 << 20,
            "rows": Each("row", [{**CNN, "bytes_per_step": 1 << 20, "ci95": [900 << 10, 1 << 20], "steps": 40}]),
            "steps": 10_000,
            "soon": 10_000 << 20,
        },
    ),
    "MPS527": Text(
        SAID,
        f"{{workload}} {{size}} with weights and images in that layout trains {SPEED} as fast.",
        "Use model.to(memory_format=torch.channels_last), and the same for the images.",
        parts={
            **COMMON,
            "faster": "channels_last trains convolutions {speedup:figure} times as fast on {device}",
            "same": "channels_last makes no difference on {device}",
            "slower": "channels_last slows convolutions down on {device}: {speedup:figure} times",
            "open": "whether channels_last is faster on {device} is not clear",
        },
        seen="The same convolutional model was timed in torch's own layout and in channels_last, weights and images"
        " both.",
        means="Losses are compared with those of training as usual, so a gain is one with the same numbers. Models"
        " without convolutions are not concerned.",
        do="Use it only where it is clearly faster, for the model and for its images. A warning means that it did not"
        " train right here: stay with torch's own layout.",
        example={**FASTER, "way": "channels_last"},
    ),
    "MPS528": Text(
        "some advice was not measured",
        "{rows}.",
        "A larger budget measures more.",
        ("mpsdoctor --only training --budget thorough",),
        parts={
            "row": "{experiments}: {why}",
            "experiment": "{experiment}",
            "crossover": "the crossover of {workload}",
            "item": "the cost of reading the loss",
            "threads": "numbers of CPU threads on {workload}",
            "copy": "the share of copying",
            "autocast": "float16 and bfloat16",
            "channels_last": "channels_last",
            "fused": "AdamW(fused=True)",
            "nnpack": "NNPACK",
        },
        seen="Experiments were left out: they belong to a larger budget, did not fit into the time, or their device was"
        " given up.",
        means="Nothing is known of them, neither that they help nor that they do not.",
        do="Run the command: the thorough budget has all experiments, and most time for them.",
        example={
            "rows": Each(
                "row",
                [
                    {
                        "experiments": Each(
                            "experiment",
                            [
                                {"experiment": Part("crossover", {"workload": "mlp"})},
                                {"experiment": Part("autocast")},
                            ],
                            ", ",
                        ),
                        "why": Part("larger_budget", {"budget": "thorough"}),
                    }
                ],
            )
        },
    ),
    "MPS530": Text(
        SAID,
        f"{{workload}} {{size}} {SPEED} as fast. As usual AdamW calls a dozen operators for each parameter, fused it is"
        " one for all.",
        "Use torch.optim.AdamW(model.parameters(), fused=True); Adam and SGD take it too.",
        parts={
            **COMMON,
            "faster": "AdamW(fused=True) trains {speedup:figure} times as fast on {device}",
            "same": "AdamW(fused=True) makes no difference on {device}",
            "slower": "AdamW(fused=True) is slower on {device}: {speedup:figure} times",
            "open": "whether AdamW(fused=True) is faster on {device} is not clear",
        },
        seen="The same training was timed with AdamW as it is and with `fused=True`.",
        means="AdamW runs parameter by parameter on MPS, and two thirds of the operator calls of a small step are its"
        " own. Fused, one call does the work for all parameters.",
        do="Pass `fused=True` where it is clearly faster; Adam and SGD take it too. On MPS it exists from torch 2.5"
        " on.",
        example={**FASTER, "way": "AdamW(fused=True)"},
    ),
    "MPS531": Text(
        SAID,
        f"{{workload}} {{size}} without NNPACK trains {SPEED} as fast. torch gives float32 convolutions of 16 images"
        " and more to NNPACK here; devices were compared with the CPU at its better setting.",
        "Begin a training on the CPU with torch.backends.nnpack.set_flags(False); the profile keeps the setting.",
        parts={
            **COMMON,
            "faster": "the CPU trains convolutions {speedup:figure} times as fast without NNPACK",
            "same": "NNPACK makes no difference on the CPU",
            "slower": "the CPU trains convolutions faster with NNPACK, as it does unless told otherwise",
            "open": "whether the CPU trains convolutions faster without NNPACK is not clear",
        },
        seen="torch gives float32 convolutions of 16 images and more to the library NNPACK here. A small cnn was timed"
        " on the CPU with and without it.",
        means="On Apple silicon that path can be several times slower than torch's other one, and it has given wrong"
        " values. A GPU that is compared with it looks better than it is, so devices were compared with the better"
        " path.",
        do="Call `torch.backends.nnpack.set_flags(False)` before training on the CPU where it is faster without. torch"
        " has that call from 2.3 on.",
        example={**FASTER, "device": "cpu", "way": Part("way_nnpack")},
    ),
    "MPS532": Text(
        "this torch has no {lacking}",
        "{rows}.",
        parts={**NO_DETAIL, "way_on": "{way} on {device}", "row": "{way} on {device}: {why}"},
        seen="torch refuses a way to train on this device, or switches it off with a warning.",
        means="The installed version does not have it there, so there is no figure for it. Training as usual is not"
        " affected. bfloat16 autocast on MPS is switched off in torch 2.5, and in 2.6 to 2.8 on macOS 13.",
        do="Nothing, or try a newer torch: `fused=True` exists on MPS from 2.5 on.",
        example={
            "lacking": Each("way_on", [{"way": "AdamW(fused=True)", "device": "mps"}], ", "),
            "rows": Each(
                "row",
                [{"way": "AdamW(fused=True)", "device": "mps", "why": "RuntimeError: fused=True is not supported"}],
            ),
        },
    ),
    "MPS533": Text(
        "{device}: largest batch {largest}, fastest {fastest:,}",
        "{fastest:,} trains {rate:figure} samples a second. On {device} {limit}; {stopped}.",
        parts={"exactly": "{batch:,}", "at_least": "{batch:,} or more"},
        seen="Your step was trained with one batch size after the other, doubled and then halved in between, each as"
        " long as it takes to time it.",
        means="A batch fits that runs, takes no more memory than the device may have, and does not make the machine"
        " swap. On a Mac that is what `torch.mps.recommended_max_memory()` and `iogpu.wired_limit_mb` say, and what is"
        " available: MPS itself raises far above it, when the machine swaps already. The fastest one is the smallest"
        " that no larger one beats by more than 5 % in samples a second.",
        do="Train with the fastest one; a larger one only costs memory. A batch size changes how a model learns: the"
        " learning rate belongs to it.",
        example={
            "device": "mps",
            "largest": Part("exactly", {"batch": 448}),
            "fastest": 128,
            "rate": 5120.0,
            "limit": Part("limit_recommended", {"bytes": 11453246122}),
            "stopped": Part("batches_known"),
        },
    ),
    "MPS534": Text(
        "{device}: no batch size fits",
        "{why}. On {device} {limit}.",
        "A smaller model, autocast to a half type, or checkpointing takes less memory.",
        seen="Your step did not run on the device with any batch size, down to 1, or took more memory than there is.",
        means="What stays without a batch, the weights, gradients and the optimizer's state, may be too much already.",
        do="Free memory, or take a smaller model, autocast to a half type, or `torch.utils.checkpoint`.",
        example={
            "device": "mps",
            "why": Part("batch_over", {"bytes": 12884901888, "limit": 11453246122}),
            "limit": Part("limit_recommended", {"bytes": 11453246122}),
        },
    ),
}
