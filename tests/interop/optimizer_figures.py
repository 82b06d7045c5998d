#!/usr/bin/env python3
"""Writes tests/figures/optimizers.json: 20 steps of every optimizer and 200 of parameter groups, by PyTorch in double.

    DIR/bin/python tests/interop/optimizer_figures.py > tests/figures/optimizers.json

The loss is the sum over i of c[i]·(a[i] − w[i])² + tanh(3·w[i]) for two parameters, w [3] and m [2, 2]. Keras
(on the PyTorch backend, KERAS_BACKEND=torch) serves where PyTorch has another formula, as in Adam's epsilon.
Parameter groups train a network of three layers, 3-4-4-2 with tanh between, on the mean squared error.
"""

import json
import math
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


def pattern(rows, columns, scale):
    return [[scale * math.sin(1 + 12.9898 * (r * columns + c)) for c in range(columns)] for r in range(rows)]


LAYERS = {"encoder": (3, 4), "hidden": (4, 4), "output": (4, 2)}
NET = {"x": pattern(6, 3, 1.5), "t": pattern(6, 2, 2.0), "start": {}}
for number, (layer, (rows, columns)) in enumerate(LAYERS.items()):
    NET["start"][layer + "/W"] = pattern(rows, columns, 0.8 - 0.1 * number)
    NET["start"][layer + "/b"] = pattern(1, columns, 0.5 + 0.1 * number)[0]
NOTED = (1, 2, 5, 20, 100, 200)  # steps


def net_loss(p):
    h = torch.tanh(torch.tensor(NET["x"]) @ p["encoder/W"] + p["encoder/b"])
    h = torch.tanh(h @ p["hidden/W"] + p["hidden/b"])
    return ((h @ p["output/W"] + p["output/b"] - torch.tensor(NET["t"])) ** 2).mean()


def group_sequence(make, clip=None, schedule=None, frozen=()):
    """`make` yields one optimizer or several; `clip` gets all parameters that are trained, by name."""
    p = {name: torch.tensor(values, requires_grad=name not in frozen) for name, values in NET["start"].items()}
    optimizers = make(p)
    schedulers = [schedule(each) for each in optimizers] if schedule else []
    rows = []
    for step in range(1, NOTED[-1] + 1):
        for each in optimizers:
            each.zero_grad()
        net_loss(p).backward()
        if clip:
            clip({name: value for name, value in p.items() if name not in frozen})
        for each in optimizers + schedulers:
            each.step()
        if step in NOTED:
            rows.append([x for value in p.values() for x in value.detach().flatten().tolist()])
    return rows


def adamw_groups(p):
    """Biases without decay and at a rate of their own, the last layer's weights at another one."""
    return [o.AdamW([{"params": [p["hidden/b"], p["output/b"]], "lr": 0.03, "weight_decay": 0.0},
                     {"params": [p["output/W"]], "lr": 0.05},
                     {"params": [p["hidden/W"]]}], lr=0.01, weight_decay=0.1)]


def rules(p):
    return [o.SGD([p["encoder/W"], p["encoder/b"]], lr=0.02, momentum=0.9),
            o.RMSprop([p["hidden/W"], p["hidden/b"]], lr=0.005),
            o.Adam([p["output/W"], p["output/b"]], lr=0.01, weight_decay=0.05)]


def sgd_groups(p):
    return [o.SGD([{"params": [v for name, v in p.items() if name.endswith("/b")], "lr": 0.2, "weight_decay": 0.0},
                   {"params": [v for name, v in p.items() if name.endswith("/W")]}], lr=0.1, weight_decay=0.02)]


def clip_norm_of(limit, end=""):
    return lambda p: scale_to_norm([v for name, v in p.items() if name.endswith(end)], limit)


def clip_values_of(limit):
    return lambda p: torch.nn.utils.clip_grad_value_(list(p.values()), limit)


def both(first, second):
    def clip(p):
        first(p)
        second(p)
    return clip


ENCODER = ("encoder/W", "encoder/b")
NET["steps"] = {
    "adamw_frozen": group_sequence(adamw_groups, frozen=ENCODER),
    "adamw_frozen_clip_norm_of_all": group_sequence(adamw_groups, clip_norm_of(0.3), frozen=ENCODER),
    "adamw_frozen_clip_norm_of_biases": group_sequence(adamw_groups, clip_norm_of(0.1, "/b"), frozen=ENCODER),
    "adamw_frozen_scheduled": group_sequence(adamw_groups, frozen=ENCODER,
                                             schedule=lambda each: o.lr_scheduler.ExponentialLR(each, 0.99)),
    "three_rules": group_sequence(rules),
    "three_rules_clip_norm_of_all": group_sequence(rules, clip_norm_of(0.2)),
    "sgd_l2": group_sequence(sgd_groups),
    "sgd_l2_norm_then_value": group_sequence(sgd_groups, both(clip_norm_of(0.4), clip_values_of(0.1))),
    "sgd_l2_value_then_norm": group_sequence(sgd_groups, both(clip_values_of(0.1), clip_norm_of(0.4))),
}
print(json.dumps({"torch": torch.__version__, "keras": keras.__version__, "start": START, "centres": CENTRES,
                  "weights": WEIGHTS, "steps": sequences, "net": NET})
      .replace("]], ", "]],\n").replace("], [", "],\n ["))
