"""Lightning's Trainer, on the device that was measured as the best one."""

import lightning
import torch
from torch import nn

from mpsdoctor import get_optimal_device


class Classifier(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 2))

    def training_step(self, batch, index):
        inputs, labels = batch
        return nn.functional.cross_entropy(self.net(inputs), labels)

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters())

    def on_train_end(self):
        print("trained on", self.device.type)


data = torch.utils.data.TensorDataset(torch.randn(256, 20), torch.randint(0, 2, (256,)))
device, info = get_optimal_device()
trainer = lightning.Trainer(
    accelerator=device.type,
    devices=1,
    max_steps=4,
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
)
trainer.fit(Classifier(), torch.utils.data.DataLoader(data, batch_size=32, shuffle=True))
