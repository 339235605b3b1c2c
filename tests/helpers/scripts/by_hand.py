"""No optimizer: parameters are moved by hand."""

import torch

device = torch.accelerator.current_accelerator() or torch.device("cpu")
weight = torch.randn(512, 512, device="cpu").mul(0.05).to(device).requires_grad_()
for _ in range(100_000):
    inputs = torch.randn(128, 512).to(device)
    loss = (inputs @ weight - inputs).pow(2).mean()
    loss.backward()
    with torch.no_grad():
        weight -= 0.1 * weight.grad
        weight.grad = None
