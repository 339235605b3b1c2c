"""A loop with torch alone, on the device that was measured as the best one."""

import torch
from torch import nn

from mpsdoctor import get_optimal_device

device, info = get_optimal_device()
print(info)
model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 2)).to(device)
optimizer = torch.optim.AdamW(model.parameters())
for _ in range(4):
    inputs = torch.randn(32, 20, device=device)
    loss = nn.functional.cross_entropy(model(inputs), (inputs.sum(1) > 0).long())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("trained on", next(model.parameters()).device.type)
