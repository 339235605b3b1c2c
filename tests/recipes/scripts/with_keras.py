"""Keras on torch; names no device."""

import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy

steps = int(os.environ.get("STEPS", "4"))
model = keras.Sequential([keras.layers.Dense(64, activation="relu"), keras.layers.Dense(2, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
inputs = numpy.random.randn(8 * steps, 20).astype("float32")
model.fit(inputs, (inputs.sum(1) > 0).astype("int64"), batch_size=8, verbose=0)
print("trained on", model.trainable_variables[0].value.device.type)
