"""The usual loop: a loader, a device chosen by what there is, AdamW."""

import torch
from torch import nn

if torch.backends.mps.is_available():
    device = torch.device("mps")
elif hasattr(torch, "sim") and torch.accelerator.is_available():
    device = torch.accelerator.current_accelerator()
else:
    device = torch.device("cpu")

model = nn.Sequential(nn.Linear(32, 64), nn.GELU(), nn.Linear(64, 4)).to(device)
optimizer = torch.optim.AdamW(model.parameters())
data = torch.utils.data.TensorDataset(torch.randn(1600, 32), torch.randint(4, (1600,)))
loader = torch.utils.data.DataLoader(data, batch_size=16, shuffle=True)
for epoch in range(1000):
    for inputs, targets in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs.to(device)), targets.to(device))
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch}: {loss.item():.4f}", flush=True)
