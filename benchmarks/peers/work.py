"""The work that all peers do, as train_step --dump-check wrote it down."""

import json
import pathlib

import numpy as np

SGD_RATE = {"height-weight": 0.1, "sine": 0.3, "mnist": 0.001}
ADAM_RATE = 0.001
ADAM_BETAS = (0.9, 0.999)
ADAM_EPSILON = 1e-7  # added to sqrt(v), both bias corrections in the rate: Keras's Adam

SIZES = {"height-weight": (2, 2, 1), "sine": (1, 25, 1), "mnist": (784, 128, 10)}


class Work:
    """One line of checks.json with its arrays."""

    def __init__(self, entry, directory):
        self.name = entry["name"]
        self.tutorial = entry["tutorial"]
        self.optimizer = entry["optimizer"]
        self.dtype = np.dtype({"float": "float32", "double": "float64"}[entry["precision"]])
        self.batch = entry["batch"]
        self.rate = ADAM_RATE if self.optimizer == "adam" else SGD_RATE[self.tutorial]
        for array in ("x", "target", "start", "gradients", "after_one_step"):
            setattr(self, array, np.load(directory / entry[array]))

    def batches(self):
        """The samples batch by batch, in the order in which every contender goes through them."""
        starts = range(0, len(self.x) - self.batch + 1, self.batch)
        return [(self.x[i:i + self.batch], self.target[i:i + self.batch]) for i in starts]

    def split(self, flat):
        """W1, b1, W2, b2 out of one array."""
        inputs, hidden, outputs = SIZES[self.tutorial]
        shapes = ((inputs, hidden), (hidden,), (hidden, outputs), (outputs,))
        ends = np.cumsum([np.prod(shape) for shape in shapes])
        return [part.reshape(shape).copy() for part, shape in zip(np.split(flat, ends[:-1]), shapes)]


def flat(parameters):
    return np.concatenate([np.asarray(p).ravel() for p in parameters])


def load(directory):
    directory = pathlib.Path(directory)
    entries = json.loads((directory / "checks.json").read_text())
    return [Work(entry, directory) for entry in entries if entry["tutorial"] in SIZES]
