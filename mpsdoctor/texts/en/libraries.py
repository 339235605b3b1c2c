"""8xx: training libraries."""

from mpsdoctor.texts import Each, Part, Text

LINE = "{name} {version}: {how}"
BY_HAND = " `mpsdoctor run` does not steer {names:and} in this version."
ROWS = Each(
    "line",
    [
        {"name": "transformers", "version": "5.24.0", "how": 'TrainingArguments(..., use_cpu=device.type == "cpu")'},
        {"name": "fabric", "version": "2.6.6", "how": "Fabric(accelerator=device.type, devices=1)"},
    ],
)

TEXTS = {
    "MPS801": Text(
        "{names:and} by default: {picks}; {source}: {device}",
        "Where a script names no device, {picks} is what they take, without a word. Lines that follow the answer, with"
        " device, _ = get_optimal_device() before them: {lines}",
        "Write that line, or start the training with `mpsdoctor run`, which changes no script.{by_hand}",
        parts={
            "line": LINE,
            "by_hand": BY_HAND,
            "measured": "measured as the better device",
            "profile": "the profile's device",
            "forced": "forced by the profile",
        },
        seen="Training libraries are installed that choose a device by themselves, and it is another one than this"
        " check-up or the profile recommends. They go by what is available, none of them by what is fast.",
        means="A script that names no device trains on the one that was found slower, or wrong. Nothing says so.",
        do="Ask for the device once, with `device, info = get_optimal_device()`, and give it to the library in the line"
        " that is shown; or start the script with `mpsdoctor run -- python train.py`, which hides the other devices"
        " from libraries. docs/recipes has a small training for each library.",
        example={
            "names": ["transformers", "fabric"],
            "picks": "mps",
            "device": "cpu",
            "source": Part("profile"),
            "lines": ROWS,
            "by_hand": Part(""),
        },
    ),
    "MPS802": Text(
        "{names:and} by default: {picks}, which cannot be used here",
        "Where a script names no device, they take {picks}, as torch says that it is there; it failed when it was"
        " tried, and so will the first step. Lines that follow the answer, with device, _ = get_optimal_device() before"
        " them: {lines}",
        "Write that line, or start the training with `mpsdoctor run`, which changes no script.{by_hand}",
        parts={"line": LINE, "by_hand": BY_HAND},
        seen="torch offers a device that failed when it was tried, as MPS does on virtual Macs, and training libraries"
        " that are installed take it by themselves.",
        means="Their training ends with an error at its first step, or computes wrong numbers.",
        do="Give the library a device, in the line that is shown, or start the script with `mpsdoctor run`."
        " `mpsdoctor --only build` tells why the device cannot be used.",
        example={"names": ["transformers", "fabric"], "picks": "mps", "lines": ROWS, "by_hand": Part("")},
    ),
    "MPS803": Text(
        "{name}={value!r} parts the model and the batches of Transformers' Trainer",
        "It moves accelerate, and with it the batches, to {to}; the model goes to {picks}, which Trainer takes by"
        " itself.",
        "Unset it, and tell Trainer: {how}",
        seen="A variable that accelerate reads names another device than the one that Transformers' Trainer takes by"
        " itself.",
        means="With one process Trainer does not read it: its model is on one device and its batches are on the other."
        " The first step ends with an error, or each step copies.",
        do="Unset the variable and give Trainer's arguments the device, or start the script with `mpsdoctor run`, which"
        " moves both.",
        example={
            "name": "ACCELERATE_TORCH_DEVICE",
            "value": "cpu",
            "to": "cpu",
            "picks": "mps",
            "how": 'TrainingArguments(..., use_cpu=device.type == "cpu")',
        },
    ),
}
