"""LBFGS, which calls its closure several times a step."""

import torch
from torch import nn

device = torch.accelerator.current_accelerator() or torch.device("cpu")
model = nn.Linear(8, 1).to(device)
optimizer = torch.optim.LBFGS(model.parameters(), max_iter=3)
inputs = torch.randn(64, 8).to(device)
targets = inputs.sum(1, keepdim=True) + torch.randn(64, 1).to(device)


def closure():
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(inputs), targets)
    loss.backward()
    return loss


for _ in range(100_000):
    optimizer.step(closure)
