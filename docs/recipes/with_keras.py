"""Keras on torch, on the device that was measured as the best one."""

import os

from mpsdoctor import get_optimal_device

device, info = get_optimal_device()
os.environ["KERAS_BACKEND"] = "torch"
os.environ["KERAS_TORCH_DEVICE"] = str(device)  # read once, when keras is imported

import keras
import numpy

steps = 4
model = keras.Sequential([keras.layers.Dense(64, activation="relu"), keras.layers.Dense(2, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
inputs = numpy.random.randn(8 * steps, 20).astype("float32")
model.fit(inputs, (inputs.sum(1) > 0).astype("int64"), batch_size=8, verbose=0)
print("trained on", model.trainable_variables[0].value.device.type)
