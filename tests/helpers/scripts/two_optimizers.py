"""A generator and a discriminator: two steps of the one for each of the other."""

import torch
from torch import nn

device = torch.accelerator.current_accelerator() or torch.device("cpu")
maker = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4)).to(device)
judge = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1)).to(device)
making, judging = torch.optim.Adam(maker.parameters()), torch.optim.Adam(judge.parameters())
for _ in range(100_000):
    for _ in range(2):
        real, fake = torch.randn(16, 4).to(device), maker(torch.randn(16, 8).to(device)).detach()
        judging.zero_grad()
        (judge(fake).sigmoid().mean() - judge(real).sigmoid().mean()).backward()
        judging.step()
    making.zero_grad()
    (-judge(maker(torch.randn(16, 8).to(device))).sigmoid().mean()).backward()
    making.step()
