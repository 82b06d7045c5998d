#!/usr/bin/env python3
"""Writes tests/figures/optimizers.json: 20 steps of every optimizer, by PyTorch in double.

    DIR/bin/python tests/interop/optimizer_figures.py > tests/figures/optimizers.json

The loss is the sum over i of c[i]·(a[i] − w[i])² + tanh(3·w[i]) for two parameters, w [3] and m [2, 2]. Keras
(on the PyTorch backend, KERAS_BACKEND=torch) serves where PyTorch has another formula, as in Adam's epsilon.
"""

import json
import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import torch

torch.set_default_dtype(torch.float64)
keras.backend.set_floatx("float64")

STEPS = 20
START = {"w": [0.5, -1.25, 2.0], "m": [[0.1, -0.4], [1.5, -2.5]]}
CENTRES = {"w": [1.0, 0.25, -0.5], "m": [[-1.0, 0.75], [0.3, 0.6]]}
WEIGHTS = {"w": [0.5, 1.5, 1.0], "m": [[2.0, 0.75], [0.1, 1.25]]}


def loss(parameters):
    total = 0
    for name, p in parameters.items():
        total = total + (torch.tensor(WEIGHTS[name]) * (torch.tensor(CENTRES[name]) - p) ** 2).sum()
        total = total + torch.tanh(3 * p).sum()
    return total


def torch_sequence(make, clip=None):
    parameters = {name: torch.tensor(values, requires_grad=True) for name, values in START.items()}
    optimizer = make(list(parameters.values()))
    rows = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss(parameters).backward()
        if clip:
            clip(list(parameters.values()))
        optimizer.step()
        rows.append([x for p in parameters.values() for x in p.detach().flatten().tolist()])
    return rows


def scale_to_norm(parameters, limit):
    """Keras's formula, which Keras itself rounds to float32; clip_grad_norm_ adds 1e-6 to the norm."""
    norm = torch.nn.utils.get_total_norm([p.grad for p in parameters])
    for p in parameters:
        p.grad *= limit / max(norm, torch.tensor(limit))


def keras_sequence(optimizer):
    variables = {name: keras.Variable(torch.tensor(values), dtype="float64", name=name)
                 for name, values in START.items()}
    rows = []
    for _ in range(STEPS):
        for v in variables.values():
            v.value.grad = None
        loss({name: v.value for name, v in variables.items()}).backward()
        optimizer.apply([v.value.grad for v in variables.values()], list(variables.values()))
        rows.append([x for v in variables.values() for x in v.value.detach().flatten().tolist()])
    return rows


o = torch.optim
sequences = {
    "sgd": torch_sequence(lambda p: o.SGD(p, lr=0.05)),
    "sgd_momentum": torch_sequence(lambda p: o.SGD(p, lr=0.02, momentum=0.9)),
    "sgd_nesterov": torch_sequence(lambda p: o.SGD(p, lr=0.02, momentum=0.9, nesterov=True)),
    "sgd_keras_momentum": keras_sequence(keras.optimizers.SGD(0.02, momentum=0.9)),
    "adam_pytorch": torch_sequence(lambda p: o.Adam(p, lr=0.1, eps=1e-3)),
    "adam_keras": keras_sequence(keras.optimizers.Adam(0.1, epsilon=1e-3)),
    "adamw": torch_sequence(lambda p: o.AdamW(p, lr=0.1, eps=1e-8, weight_decay=0.2)),
    "adamw_keras": keras_sequence(keras.optimizers.AdamW(0.1, weight_decay=0.2)),
    "nadam": torch_sequence(lambda p: o.NAdam(p, lr=0.05)),
    "rmsprop": torch_sequence(lambda p: o.RMSprop(p, lr=0.05)),
    "rmsprop_momentum_centered": torch_sequence(lambda p: o.RMSprop(p, lr=0.01, alpha=0.9, momentum=0.8,
                                                                    centered=True)),
    "adagrad": torch_sequence(lambda p: o.Adagrad(p, lr=0.5, initial_accumulator_value=0.1)),
    "rprop": torch_sequence(lambda p: o.Rprop(p, lr=0.1)),
    "sgd_clip_value": torch_sequence(lambda p: o.SGD(p, lr=0.05),
                                     lambda p: torch.nn.utils.clip_grad_value_(p, 1.5)),
    "sgd_clip_norm": torch_sequence(lambda p: o.SGD(p, lr=0.05), lambda p: scale_to_norm(p, 2.0)),
    "sgd_weight_decay": keras_sequence(keras.optimizers.SGD(0.05, weight_decay=0.3)),
}
print(json.dumps({"torch": torch.__version__, "keras": keras.__version__, "start": START, "centres": CENTRES,
                  "weights": WEIGHTS, "steps": sequences}).replace("]], ", "]],\n").replace("], [", "],\n ["))
