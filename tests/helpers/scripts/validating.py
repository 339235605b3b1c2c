"""Every 40 steps a validation of a tenth of a second, and a checkpoint."""

import tempfile
import time

import torch
from torch import nn

device = torch.accelerator.current_accelerator() or torch.device("cpu")
model = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Dropout(0.0), nn.Linear(64, 4)).to(device)
optimizer = torch.optim.AdamW(model.parameters())
for step in range(100_000):
    inputs, targets = torch.randn(16, 32).to(device), torch.randint(4, (16,)).to(device)
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(inputs), targets)
    loss.backward()
    optimizer.step()
    if step % 40 == 39:
        model.eval()
        with torch.no_grad():
            model(inputs)
            time.sleep(0.1)
        model.train()
        with tempfile.TemporaryFile() as file:
            torch.save(model.state_dict(), file)
