"""Keras 3 with whichever backend KERAS_BACKEND names: compile, then train_on_batch."""

import itertools

import keras

from work import ADAM_EPSILON, SIZES, flat


def backend():
    return keras.backend.backend()


if backend() == "torch":
    import torch

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


def network(tutorial):
    inputs, hidden, outputs = SIZES[tutorial]
    return keras.Sequential([
        keras.Input((inputs,)),
        keras.layers.Dense(hidden, "relu" if tutorial == "mnist" else "sigmoid"),
        keras.layers.Dense(outputs, {"mnist": "softmax", "sine": None, "height-weight": "sigmoid"}[tutorial]),
    ])


if backend() == "jax":
    import jax

    jax.config.update("jax_enable_x64", True)


class TrainOnBatch:
    name = f"keras_{backend()}"
    single_rate = True  # some backends keep it so, even where weights are double

    def __init__(self, work):
        keras.config.set_floatx(str(work.dtype))
        self.network = network(work.tutorial)
        self.network.set_weights(work.split(work.start))
        optimizer = (keras.optimizers.SGD(work.rate) if work.optimizer == "sgd"
                     else keras.optimizers.Adam(work.rate, epsilon=ADAM_EPSILON))
        loss = {
            "mnist": "categorical_crossentropy",
            "height-weight": "mse",
            "sine": lambda t, o: 0.5 * keras.ops.mean((o - t)**2, -1),
        }[work.tutorial]
        self.network.compile(optimizer, loss)
        self.batches = itertools.cycle(work.batches())

    def step(self):
        x, t = next(self.batches)
        self.network.train_on_batch(x, t)

    def parameters(self):
        return flat(self.network.get_weights())


def contenders(work):
    return [TrainOnBatch]
