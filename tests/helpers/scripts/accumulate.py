"""Gradients of four batches a step, clipped; the loss read in every step."""

import torch
from torch import nn

device = torch.accelerator.current_accelerator() or torch.device("cpu")
model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 1)).to(device)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
schedule = torch.optim.lr_scheduler.StepLR(optimizer, 100)
for _ in range(100_000):
    total = 0.0
    for _ in range(4):
        inputs = torch.randn(8, 16).to(device)
        loss = (model(inputs) - inputs.sum(1, keepdim=True)).pow(2).mean() / 4
        loss.backward()
        total += loss.item()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    schedule.step()
