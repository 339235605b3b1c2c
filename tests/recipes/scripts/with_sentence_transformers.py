"""sentence-transformers' Trainer on a small BERT made from its configuration; names no device."""

import os
import tempfile
from pathlib import Path

from datasets import Dataset
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
    losses,
    models,
)
from transformers import BertConfig, BertModel, BertTokenizer

steps = int(os.environ.get("STEPS", "4"))
words = ["a", "cat", "dog", "sat", "ran", "here", "there"]
with tempfile.TemporaryDirectory() as folder:
    vocabulary = Path(folder, "vocab.txt")
    vocabulary.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]))
    config = BertConfig(vocab_size=12, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64)
    BertModel(config).save_pretrained(folder)
    BertTokenizer(str(vocabulary)).save_pretrained(folder)
    word_model = models.Transformer(folder)
    model = SentenceTransformer(modules=[word_model, models.Pooling(32)])
    pairs = Dataset.from_dict({"anchor": ["a cat sat", "a dog ran"] * 16, "positive": ["cat sat here", "dog ran"] * 16})
    arguments = SentenceTransformerTrainingArguments(
        folder, max_steps=steps, per_device_train_batch_size=4, report_to=[], save_strategy="no", disable_tqdm=True
    )
    loss = losses.MultipleNegativesRankingLoss(model)
    SentenceTransformerTrainer(model=model, args=arguments, train_dataset=pairs, loss=loss).train()
print("trained on", next(model.parameters()).device.type)
