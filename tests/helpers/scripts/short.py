"""Comes to its end after 150 steps."""

import torch
from torch import nn

device = torch.accelerator.current_accelerator() or torch.device("cpu")
model = nn.Linear(16, 4).to(device)
optimizer = torch.optim.AdamW(model.parameters())
for _ in range(150):
    optimizer.zero_grad()
    model(torch.randn(16, 16).to(device)).pow(2).mean().backward()
    optimizer.step()
