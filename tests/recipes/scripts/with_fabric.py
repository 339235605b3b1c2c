"""A loop with Lightning Fabric; names no device."""

import os

import torch
from lightning.fabric import Fabric
from torch import nn

fabric = Fabric()
fabric.launch()
model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 2))
model, optimizer = fabric.setup(model, torch.optim.AdamW(model.parameters()))
for _ in range(int(os.environ.get("STEPS", "4"))):
    inputs = torch.randn(32, 20, device=fabric.device)
    labels = (inputs.sum(1) > 0).long()
    optimizer.zero_grad()
    fabric.backward(nn.functional.cross_entropy(model(inputs), labels))
    optimizer.step()
print("trained on", next(model.parameters()).device.type)
