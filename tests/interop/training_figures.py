#!/usr/bin/env python3
"""Writes tests/figures/training.json: what Keras (on PyTorch, in double) and PyTorch do with small trainings.

    KERAS_BACKEND=torch DIR/bin/python tests/interop/training_figures.py > tests/figures/training.json
"""

import json
import math
import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
import torch

torch.set_default_dtype(torch.float64)
keras.backend.set_floatx("float64")
keras.config.set_dtype_policy("float64")


def pattern(*shape, scale=1.0):
    """The starting weights and data of both sides: numbers that need no generator."""
    index = np.arange(math.prod(shape)).reshape(shape)
    return scale * np.sin(1.0 + 12.9898 * index)


class Dense(keras.layers.Dense):
    """With products in double: keras.ops.matmul rounds to single precision here."""

    def call(self, x):
        return self.activation(torch.matmul(x, self.kernel.value) + self.bias.value)


def squared(target, prediction):
    """The mean square, in double for the same reason."""
    return torch.mean((target - prediction) ** 2)


def dense_model(optimizer, metrics=()):
    model = keras.Sequential([keras.Input((2,)), Dense(3, "tanh"), Dense(1)])
    model.set_weights([pattern(2, 3), np.zeros(3), pattern(3, 1), np.zeros(1)])
    model.compile(optimizer, squared, metrics=list(metrics))
    return model


def weights(model):
    return [w.flatten().tolist() for w in model.get_weights()]


def lists(history):
    return {name: [float(v) for v in values] for name, values in history.items()}


X = pattern(11, 2, scale=1.5)
Y = pattern(11, 1, scale=2.0)
FIT = {"batch_size": 3, "shuffle": False, "verbose": 0}

model = dense_model(keras.optimizers.SGD(0.05), ["mae"])
history = model.fit(X, Y, epochs=4, validation_split=0.2, **FIT)
plain = {"history": lists(history.history), "steps": history.params["steps"], "weights": weights(model),
         "evaluate": [float(v) for v in model.evaluate(X, Y, batch_size=4, verbose=0)]}


def early(**options):
    model = dense_model(keras.optimizers.SGD(0.3, momentum=0.8))
    stop = keras.callbacks.EarlyStopping(restore_best_weights=True, **options)
    history = model.fit(X, Y, epochs=40, validation_split=0.3, callbacks=[stop], **FIT)
    return {"history": lists(history.history), "weights": weights(model), "best_epoch": stop.best_epoch}


def plateau(**options):
    model = dense_model(keras.optimizers.SGD(0.3, momentum=0.8))
    callback = keras.callbacks.ReduceLROnPlateau(**options)
    history = model.fit(X, Y, epochs=25, validation_split=0.3, callbacks=[callback], **FIT)
    return {"history": lists(history.history), "weights": weights(model)}


def clipped(**options):
    model = dense_model(keras.optimizers.SGD(0.3, **options))
    history = model.fit(X, Y, epochs=5, **FIT)
    return {"history": lists(history.history), "weights": weights(model)}


schedules = keras.optimizers.schedules


def values(schedule):
    return [float(schedule(step)) for step in range(25)]


def scheduled():
    """Cosine decay with warm-up, a new rate for every step."""
    rates = schedules.CosineDecay(0.0, 12, alpha=0.1, warmup_target=0.2, warmup_steps=5)
    model = dense_model(keras.optimizers.SGD(rates))
    history = model.fit(X, Y, epochs=5, **FIT)
    return {"history": lists(history.history), "weights": weights(model)}


def normalized(batch, momentum=0.8, epsilon=1e-3):
    """Five steps of SGD through a normalisation layer, by PyTorch, then outputs at inference. The running
    variance is Keras's: of the biased one."""
    f = torch.nn.functional
    gamma, beta, w, b = [torch.tensor(v, requires_grad=True) for v in
                         (1 + pattern(3, scale=0.3), pattern(3, scale=0.2), pattern(3, 2), np.zeros(2))]
    mean, variance = torch.zeros(3), torch.ones(3)
    x, y = torch.tensor(3 + pattern(6, 3, scale=2.0)), torch.tensor(pattern(6, 2))
    optimizer = torch.optim.SGD([gamma, beta, w, b], lr=0.1)

    def forward(training):
        if not batch:
            return f.layer_norm(x, (3,), gamma, beta, epsilon) @ w + b
        return f.batch_norm(x, mean.clone(), variance.clone(), gamma, beta, training, eps=epsilon) @ w + b

    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = f.mse_loss(forward(True), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        mean = momentum * mean + (1 - momentum) * x.mean(0)
        variance = momentum * variance + (1 - momentum) * x.var(0, correction=0)
    states = [gamma, beta] + ([mean, variance] if batch else []) + [w, b]
    return {"history": {"loss": losses}, "weights": [s.detach().flatten().tolist() for s in states],
            "inference": forward(False).detach().flatten().tolist()}


logits = pattern(7, 4, scale=3.0)
labels = np.arange(7) % 4
one_hot = np.eye(4)[labels]
binary = (pattern(9) > 0.1).astype("float64")
probabilities = 1 / (1 + np.exp(-pattern(9, scale=2.5) * np.cos(np.arange(9))))
metrics = keras.metrics


def metric(measure, target, prediction):
    measure.update_state(target, prediction)
    return float(measure.result())


print(json.dumps({
    "keras": keras.__version__,
    "plain": plain,
    "early_stopping": {"patience_3": early(patience=3), "patience_0": early(patience=0),
                       "min_delta": early(patience=2, min_delta=0.05)},
    "plateau": {"plain": plateau(factor=0.5, patience=2), "cooldown": plateau(factor=0.3, patience=1, cooldown=3,
                                                                          min_lr=0.02)},
    "clip": {"value": clipped(clipvalue=0.1), "decay": clipped(weight_decay=0.1)},
    "schedules": {"step": values(schedules.ExponentialDecay(0.3, 4, 0.5, staircase=True)),
                  "exponential": values(schedules.ExponentialDecay(0.3, 10, 0.6)),
                  "cosine": values(schedules.CosineDecay(0.3, 15, alpha=0.2)),
                  "warm_up": values(schedules.CosineDecay(0.05, 12, alpha=0.1, warmup_target=0.2, warmup_steps=5))},
    "scheduled": scheduled(),
    "batch_norm": normalized(batch=True),
    "layer_norm": normalized(batch=False),
    "metrics": {"accuracy": metric(metrics.CategoricalAccuracy(), one_hot, logits),
                "top_2_accuracy": metric(metrics.TopKCategoricalAccuracy(2), one_hot, logits),
                "top_3_accuracy": metric(metrics.TopKCategoricalAccuracy(3), one_hot, logits),
                "binary_accuracy": metric(metrics.BinaryAccuracy(), binary, probabilities),
                "mean_absolute_error": metric(metrics.MeanAbsoluteError(), one_hot, logits)},
}, indent=1))
