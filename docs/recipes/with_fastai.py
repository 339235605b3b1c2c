"""fastai's Learner, on the device that was measured as the best one."""

import torch
from fastai.data.core import DataLoaders
from fastai.data.load import DataLoader
from fastai.learner import Learner
from torch import nn

from mpsdoctor import get_optimal_device

device, info = get_optimal_device()
steps = 4
inputs = torch.randn(8 * steps, 20)
items = list(zip(inputs, (inputs.sum(1) > 0).long(), strict=True))
loaders = DataLoaders(DataLoader(items, bs=8, shuffle=True), DataLoader(items[:16], bs=8), device=device)
model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 2))
learner = Learner(loaders, model, loss_func=nn.CrossEntropyLoss())
with learner.no_logging():
    learner.fit(1, 1e-3)
print("trained on", next(model.parameters()).device.type)
