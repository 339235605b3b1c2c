"""fastai's Learner; names no device."""

import os

import torch
from fastai.data.core import DataLoaders
from fastai.data.load import DataLoader
from fastai.learner import Learner
from fastai.torch_core import default_device
from torch import nn

steps = int(os.environ.get("STEPS", "4"))
inputs = torch.randn(8 * steps, 20)
items = list(zip(inputs, (inputs.sum(1) > 0).long(), strict=True))
loaders = DataLoaders(DataLoader(items, bs=8, shuffle=True), DataLoader(items[:16], bs=8), device=default_device())
model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 2))
learner = Learner(loaders, model, loss_func=nn.CrossEntropyLoss())
with learner.no_logging():
    learner.fit(1, 1e-3)
print("trained on", next(model.parameters()).device.type)
