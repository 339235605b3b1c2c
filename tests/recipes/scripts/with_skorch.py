"""skorch's classifier; names no device."""

import os

import numpy
from skorch import NeuralNetClassifier
from torch import nn

steps = int(os.environ.get("STEPS", "4"))
inputs = numpy.random.randn(8 * steps, 20).astype("float32")
labels = (inputs.sum(1) > 0).astype("int64")
net = NeuralNetClassifier(
    nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 2)),
    criterion=nn.CrossEntropyLoss,
    max_epochs=1,
    batch_size=8,
    train_split=None,
    verbose=0,
)
net.fit(inputs, labels)
print("trained on", next(net.module_.parameters()).device.type)
