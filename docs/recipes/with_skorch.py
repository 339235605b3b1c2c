"""skorch's classifier, on the device that was measured as the best one."""

import numpy
from skorch import NeuralNetClassifier
from torch import nn

from mpsdoctor import get_optimal_device

device, info = get_optimal_device()
steps = 4
inputs = numpy.random.randn(8 * steps, 20).astype("float32")
labels = (inputs.sum(1) > 0).astype("int64")
net = NeuralNetClassifier(
    nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 2)),
    criterion=nn.CrossEntropyLoss,
    max_epochs=1,
    batch_size=8,
    train_split=None,
    verbose=0,
    device=str(device),
)
net.fit(inputs, labels)
print("trained on", next(net.module_.parameters()).device.type)
