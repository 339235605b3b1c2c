"""What is trained to time a device: four families in three sizes, declared as data, and the modules they build.

Sizes straddle the crossover of Apple silicon: an operator costs 25-110 µs to launch on MPS, whatever its size, while
the CPU does 10-100 GFLOP/s. A small step is some hundred launches with little to compute, a large one is mostly
arithmetic.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Tuple

import torch
from torch import nn

Shape = Dict[str, int]
Batch = Tuple[torch.Tensor, torch.Tensor]

SEED = 20
BATCHES = 4  # few, so that ten steps already see each twice and the loss falls
RATE = 1e-3  # AdamW's own default

WORKLOADS: Dict[str, Dict[str, Shape]] = {
    "mlp": {
        "small": {"batch": 64, "features": 32, "width": 128, "depth": 3, "classes": 8},
        "medium": {"batch": 256, "features": 64, "width": 640, "depth": 4, "classes": 8},
        "large": {"batch": 1024, "features": 128, "width": 1536, "depth": 4, "classes": 8},
    },
    "cnn": {
        "small": {"batch": 16, "pixels": 12, "width": 8, "depth": 1, "classes": 8},
        "medium": {"batch": 32, "pixels": 32, "width": 16, "depth": 1, "classes": 8},
        "large": {"batch": 64, "pixels": 32, "width": 40, "depth": 1, "classes": 8},
    },
    "lstm": {
        "small": {"batch": 16, "length": 16, "features": 8, "width": 32, "depth": 1, "classes": 8},
        "medium": {"batch": 32, "length": 48, "features": 16, "width": 128, "depth": 2, "classes": 8},
        "large": {"batch": 64, "length": 96, "features": 32, "width": 320, "depth": 2, "classes": 8},
    },
    "transformer": {
        "small": {"batch": 8, "length": 16, "tokens": 128, "width": 32, "heads": 2, "depth": 2, "classes": 8},
        "medium": {"batch": 16, "length": 48, "tokens": 512, "width": 128, "heads": 4, "depth": 3, "classes": 8},
        "large": {"batch": 16, "length": 128, "tokens": 1024, "width": 256, "heads": 8, "depth": 4, "classes": 8},
    },
}


class Residual(nn.Module):
    """Two 3x3 convolutions with batch norm, and a way around them."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.path = nn.Sequential(
            nn.Conv2d(inside, outside, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(outside),
            nn.ReLU(),
            nn.Conv2d(outside, outside, 3, padding=1, bias=False),
            nn.BatchNorm2d(outside),
        )
        self.around = nn.Conv2d(inside, outside, 1, stride=stride, bias=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.path(images) + self.around(images))


class LastStep(nn.Module):
    """An LSTM whose last output is classified."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.lstm = nn.LSTM(shape["features"], shape["width"], shape["depth"], batch_first=True)
        self.head = nn.Linear(shape["width"], shape["classes"])

    def forward(self, sequences: torch.Tensor) -> torch.Tensor:
        outputs, _ = self.lstm(sequences)
        logits: torch.Tensor = self.head(outputs[:, -1])
        return logits


class Encoder(nn.Module):
    """Token and position embeddings, a transformer encoder, the mean over positions classified."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape["width"]
        self.tokens = nn.Embedding(shape["tokens"], width)
        self.positions = nn.Parameter(0.02 * torch.randn(shape["length"], width))
        # No dropout: its random numbers differ between devices, and losses are compared.
        layer = nn.TransformerEncoderLayer(
            width, shape["heads"], 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, shape["depth"], enable_nested_tensor=False)
        self.head = nn.Linear(width, shape["classes"])

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        hidden = self.layers(self.tokens(tokens) + self.positions)
        logits: torch.Tensor = self.head(hidden.mean(dim=1))
        return logits


def build_mlp(shape: Shape) -> nn.Module:
    layers: List[nn.Module] = []
    inside = shape["features"]
    for _ in range(shape["depth"]):
        # GELU has no dead units, whose moments would decay into denormals and slow the CPU after some 800 steps.
        layers += [nn.Linear(inside, shape["width"]), nn.GELU()]
        inside = shape["width"]
    return nn.Sequential(*layers, nn.Linear(inside, shape["classes"]))


def build_cnn(shape: Shape) -> nn.Module:
    width = shape["width"]
    stem = nn.Sequential(nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
    stages: List[nn.Module] = []
    for outside, stride in ((width, 1), (2 * width, 2), (4 * width, 2)):
        stages.append(Residual(width, outside, stride))
        stages += [Residual(outside, outside, 1) for _ in range(shape["depth"] - 1)]
        width = outside
    return nn.Sequential(stem, *stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, shape["classes"]))


def draw_rows(shape: Shape) -> torch.Tensor:
    return torch.randn(shape["batch"], shape["features"])


def draw_images(shape: Shape) -> torch.Tensor:
    return torch.randn(shape["batch"], 3, shape["pixels"], shape["pixels"])


def draw_sequences(shape: Shape) -> torch.Tensor:
    return torch.randn(shape["batch"], shape["length"], shape["features"])


def draw_tokens(shape: Shape) -> torch.Tensor:
    return torch.randint(shape["tokens"], (shape["batch"], shape["length"]))


FAMILIES: Dict[str, Tuple[Callable[[Shape], nn.Module], Callable[[Shape], torch.Tensor]]] = {
    "mlp": (build_mlp, draw_rows),
    "cnn": (build_cnn, draw_images),
    "lstm": (LastStep, draw_sequences),
    "transformer": (Encoder, draw_tokens),
}


def shape_of(workload: str, size: str) -> Shape:
    """The declared numbers of a workload; LookupError names what exists."""
    sizes = WORKLOADS.get(workload)
    if sizes is None:
        raise LookupError(f"no workload {workload!r}; there are {', '.join(WORKLOADS)}")
    if size not in sizes:
        raise LookupError(f"{workload} has no size {size!r}; there are {', '.join(sizes)}")
    return sizes[size]


def build(workload: str, size: str) -> nn.Module:
    """A module with the same weights at every call, on the CPU."""
    shape = shape_of(workload, size)
    torch.default_generator.manual_seed(SEED)
    return FAMILIES[workload][0](shape)


def draw(workload: str, size: str, batch: Optional[int] = None) -> List[Batch]:
    """The same few batches at every call, on the CPU; labels follow from the inputs, so there is something to learn.

    `batch` replaces the declared number of samples.
    """
    shape = {**shape_of(workload, size), **({"batch": batch} if batch else {})}
    torch.default_generator.manual_seed(SEED + 1)
    batches: List[Batch] = []
    teacher: Any = None
    for _ in range(BATCHES):
        inputs = FAMILIES[workload][1](shape)
        flat = inputs.flatten(1).float()
        if teacher is None:
            teacher = torch.randn(flat.shape[1], shape["classes"])
        batches.append((inputs, ((flat - flat.mean()) @ teacher).argmax(dim=1)))
    return batches
