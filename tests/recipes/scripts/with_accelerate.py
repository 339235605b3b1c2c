"""A loop with accelerate; names no device."""

import os

import torch
from accelerate import Accelerator
from torch import nn

steps = int(os.environ.get("STEPS", "4"))
accelerator = Accelerator()
model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 2))
data = torch.utils.data.TensorDataset(torch.randn(256, 20), torch.randint(0, 2, (256,)))
loader = torch.utils.data.DataLoader(data, batch_size=32, shuffle=True)
optimizer = torch.optim.AdamW(model.parameters())
model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
done = 0
while done < steps:
    for inputs, labels in loader:
        optimizer.zero_grad()
        accelerator.backward(nn.functional.cross_entropy(model(inputs), labels))
        optimizer.step()
        done += 1
        if done == steps:
            break
print("trained on", next(model.parameters()).device.type)
