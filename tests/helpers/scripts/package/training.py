def train():
    import torch
    from torch import nn

    device = torch.accelerator.current_accelerator() or torch.device("cpu")
    model = nn.LSTM(8, 16, batch_first=True).to(device)
    optimizer = torch.optim.RMSprop(model.parameters())
    for _ in range(100_000):
        outputs, _ = model(torch.randn(4, 6, 8).to(device))
        optimizer.zero_grad()
        outputs.pow(2).mean().backward()
        optimizer.step()
