"""Training libraries: which device each takes by itself, by version, and the line that tells it another one.

Read in the sources of Transformers 4.29, 4.30, 4.31, 4.32 and 5.24, accelerate 0.20 and 1.15, Lightning 1.9 and 2.6,
Keras 3.0 and 3.15, fastai 2.7 and 2.8, sentence-transformers 2.2, 2.3 and 6.2, ultralytics 8.4, skorch 1.4 and
stable-baselines3 2.9; tests/recipes trains with the newest of them.
"""

from __future__ import annotations

from dataclasses import dataclass

# In which order a library asks for accelerators; the CPU where none of them is there.
Order = tuple[str, ...]
MPS_FIRST: Order = ("mps", "cuda")
CUDA_FIRST: Order = ("cuda", "mps")
CUDA_ALONE: Order = ("cuda",)
CPU: Order = ()


@dataclass(frozen=True)
class Era:
    """What a library does from a version on.

    In `how`, `device` is what `get_optimal_device()` gave. `follows` is whether `mpsdoctor run` steers it anywhere.
    `built` is whether MPS counts as there where torch is only built with it.
    """

    since: tuple[int, int]
    order: Order
    how: str
    follows: bool = True
    built: bool = False


@dataclass(frozen=True)
class Library:
    """A row: its name, the packages that bring it, what it does from which version on, newest first.

    `variables` choose its device before it does; `off` switch MPS off for it where they are 1.
    """

    name: str
    packages: tuple[str, ...]
    eras: tuple[Era, ...]
    variables: tuple[str, ...] = ()
    off: tuple[str, ...] = ()


ANY = (0, 0)  # of versions older than those that were read, nothing else is known
LIBRARIES: tuple[Library, ...] = (
    Library(
        "transformers",
        ("transformers",),
        (
            Era((4, 32), MPS_FIRST, 'TrainingArguments(..., use_cpu=device.type == "cpu")'),
            Era((4, 31), MPS_FIRST, 'TrainingArguments(..., no_cuda=device.type == "cpu")'),
            Era(ANY, CUDA_ALONE, 'TrainingArguments(..., use_mps_device=device.type == "mps")', follows=False),
        ),
    ),
    Library(
        "accelerate",
        ("accelerate",),
        (Era(ANY, MPS_FIRST, 'Accelerator(cpu=device.type == "cpu")'),),
        variables=("ACCELERATE_TORCH_DEVICE",),
    ),
    Library(
        "lightning",
        ("lightning", "pytorch-lightning"),
        (
            Era((2, 0), MPS_FIRST, "Trainer(accelerator=device.type, devices=1)"),
            Era(ANY, CPU, "Trainer(accelerator=device.type, devices=1)", follows=False),
        ),
        variables=("PL_TRAINER_ACCELERATOR",),
        off=("DISABLE_MPS",),
    ),
    Library(
        "fabric",
        ("lightning", "lightning-fabric"),
        (Era(ANY, MPS_FIRST, "Fabric(accelerator=device.type, devices=1)"),),
        variables=("LT_ACCELERATOR",),
        off=("DISABLE_MPS",),
    ),
    Library(
        "keras",
        ("keras",),
        (Era((3, 0), MPS_FIRST, 'os.environ["KERAS_TORCH_DEVICE"] = str(device)  # before keras is imported'),),
        variables=("KERAS_TORCH_DEVICE",),
    ),
    Library(
        "fastai",
        ("fastai",),
        (Era(ANY, CUDA_FIRST, "dls = blocks.dataloaders(source, device=device)", built=True),),
    ),
    Library(
        "sentence-transformers",
        ("sentence-transformers",),
        (
            Era((2, 3), CUDA_FIRST, "SentenceTransformer(name, device=str(device))"),
            Era(ANY, CUDA_ALONE, "SentenceTransformer(name, device=str(device))", follows=False),
        ),
    ),
    Library("ultralytics", ("ultralytics",), (Era(ANY, CUDA_ALONE, "model.train(..., device=device)"),)),
    Library("skorch", ("skorch",), (Era(ANY, CPU, "NeuralNetClassifier(..., device=str(device))"),)),
    Library("stable-baselines3", ("stable-baselines3",), (Era(ANY, CUDA_ALONE, "PPO(..., device=device)"),)),
)
PACKAGES = tuple(dict.fromkeys(package for library in LIBRARIES for package in library.packages))
OTHER_BACKENDS = ("tensorflow", "jax")  # with one of which Keras may train without torch
# Variables that move accelerate, and with it Trainer's batches, but not the model.
PARTING = ("ACCELERATE_TORCH_DEVICE", "ACCELERATE_USE_CPU")
VARIABLES = tuple(
    dict.fromkeys((*PARTING, *(name for library in LIBRARIES for name in (*library.variables, *library.off))))
)
