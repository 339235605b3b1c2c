"""Transformers' Trainer, on the device that was measured as the best one."""

import tempfile

import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

from mpsdoctor import get_optimal_device

device, info = get_optimal_device()
steps = 4
config = BertConfig(
    vocab_size=99, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, num_labels=2
)
model = BertForSequenceClassification(config)
data = [{"input_ids": torch.randint(0, 99, (16,)), "labels": torch.tensor(i % 2)} for i in range(64)]
with tempfile.TemporaryDirectory() as folder:
    arguments = TrainingArguments(
        folder,
        max_steps=steps,
        per_device_train_batch_size=8,
        use_cpu=device.type == "cpu",
        report_to=[],
        save_strategy="no",
        disable_tqdm=True,
    )
    Trainer(model=model, args=arguments, train_dataset=data).train()
print("trained on", next(model.parameters()).device.type)
