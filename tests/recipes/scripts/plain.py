"""A loop with torch alone, on MPS where it is there."""

import os

import torch
from torch import nn

device = torch.device("mps" if torch.backends.mps.is_available() else "cpu")
model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 2)).to(device)
optimizer = torch.optim.AdamW(model.parameters())
for _ in range(int(os.environ.get("STEPS", "4"))):
    inputs = torch.randn(32, 20, device=device)
    loss = nn.functional.cross_entropy(model(inputs), (inputs.sum(1) > 0).long())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("trained on", next(model.parameters()).device.type)
