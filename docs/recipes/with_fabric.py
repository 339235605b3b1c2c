"""A loop with Lightning Fabric, on the device that was measured as the best one."""

import torch
from lightning.fabric import Fabric
from torch import nn

from mpsdoctor import get_optimal_device

device, info = get_optimal_device()
fabric = Fabric(accelerator=device.type, devices=1)
fabric.launch()
model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 2))
model, optimizer = fabric.setup(model, torch.optim.AdamW(model.parameters()))
for _ in range(4):
    inputs = torch.randn(32, 20, device=fabric.device)
    labels = (inputs.sum(1) > 0).long()
    optimizer.zero_grad()
    fabric.backward(nn.functional.cross_entropy(model(inputs), labels))
    optimizer.step()
print("trained on", next(model.parameters()).device.type)
