#!/usr/bin/env python3
"""Compares what gradus computes with what PyTorch computes, in double.

    DIR/bin/python tests/interop/torch_check.py build/release/tests/torch_rows     # -v for every row

For every row of the op table: the output, and the gradients that torch.autograd gives for the same cotangent.
Then, at kinks, ties and the edges of domains, what each side does. The exit code is 1 when a row differs by
more than TOLERANCE or has no counterpart here, and when the two sides differ at other points than DIFFERENT
says; 77 (skipped, for ctest) without PyTorch: python3 -m venv DIR && DIR/bin/pip install torch.
"""

import json
import math
import subprocess
import sys
import warnings

try:
    warnings.filterwarnings("ignore", message="Failed to initialize NumPy")  # which nothing here needs
    import torch
    import torch.nn.functional as F
except ImportError as error:
    print(f"torch_check.py: skipped, {error}: set GRADUS_PYTHON to a Python that has torch")
    sys.exit(77)

TOLERANCE = 1e-12


def truth(compare):
    """Comparisons are numbers in gradus."""
    return lambda *x: compare(*x).double()


def labels(x):
    return x.long()


def adaptive_step(w, m, v, rate, epsilon):
    return torch.addcdiv(w, -rate * m, torch.sqrt(v) + epsilon)


def adam_step(w, m, v, g, rate, epsilon):
    m = torch.lerp(m, g, 0.25)
    v = torch.lerp(v, torch.square(g), 0.125)
    return adaptive_step(w, m, v, rate, epsilon), m, v


def product_plus(a, b, c):
    return a * b + c


def philox_words(state, stream, count):
    """Philox4x32-10 in whole numbers; PyTorch has none to ask."""
    a, b, c, d = (int(v) for v in state)
    numbers = []
    for i in range(-(-count // 4)):
        x = [i, (c | d << 24) & 0xFFFFFFFF, stream & 0xFFFFFFFF, stream >> 32]
        k = [a | (d >> 8 & 0xFF) << 24, b | (d >> 16) << 24]
        for _ in range(10):
            p, q = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
            x = [(q >> 32) ^ x[1] ^ k[0], q & 0xFFFFFFFF, (p >> 32) ^ x[3] ^ k[1], p & 0xFFFFFFFF]
            k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
        numbers += x
    return numbers


def philox_uniform(state, stream, shape):
    words = philox_words(state, stream, math.prod(shape))[: math.prod(shape)]
    return torch.tensor([(word >> 8) / 2**24 for word in words], dtype=torch.float64).reshape(shape)


def philox_normal(state, stream, shape):
    words, numbers = philox_words(state, stream, math.prod(shape)), []
    for u, turn in zip(words[::2], words[1::2]):
        radius, angle = math.sqrt(-2 * math.log((u + 0.5) / 2**32)), 2 * math.pi * turn / 2**32
        numbers += [radius * math.cos(angle), radius * math.sin(angle)]
    return torch.tensor(numbers[: math.prod(shape)], dtype=torch.float64).reshape(shape)


def recurrence(factors, summands, first):
    """y = first, then factors * y + summands, of what is before, along axis 1."""
    y = [torch.full_like(factors[:, 0], first)]
    for i in range(factors.shape[1] - 1):
        y.append(factors[:, i] * y[-1] + summands[:, i])
    return torch.stack(y, 1)


ADD = lambda a, b: a + b
MUL = lambda a, b: a * b
DIV = lambda a, b: a / b
WHERE = lambda c, a, b: torch.where(c != 0, a, b)

# The counterpart of each row: op -> label -> function of the inputs. What the op table says about a row
# beside its inputs (axes, slopes, extents) is said here again, in PyTorch's terms.
ROWS = {
    "add": dict.fromkeys(["", "row", "column", "scalar", "scalars", "outer", "batch_plus_one"], ADD)
    | {"itself": lambda x: x + x},
    "sub": dict.fromkeys(["", "row"], lambda a, b: a - b) | {"from_number": lambda x: 3 - x},
    "mul": dict.fromkeys(["", "column", "outer", "scalar", "middle", "wide"], MUL)
    | {"itself": lambda x: x * x, "number": lambda x: x * -2.5},
    "weighted": dict.fromkeys(["", "column"], MUL) | {"number": lambda x: x * -2.5},
    "weighted_both": {"": MUL},
    "div": dict.fromkeys(["", "negative", "wide_column"], DIV) | {"of_number": lambda x: 1 / x},
    "neg": {"": torch.neg},
    "exp": {"": torch.exp},
    "log": {"": torch.log},
    "log1p": dict.fromkeys(["", "tiny"], torch.log1p),
    "expm1": dict.fromkeys(["", "tiny"], torch.expm1),
    "sin": {"": torch.sin},
    "cos": {"": torch.cos},
    "tan": {"": torch.tan},
    "asin": {"": torch.asin},
    "acos": {"": torch.acos},
    "atan": {"": torch.atan},
    "atan2": dict.fromkeys(["", "below", "left"], torch.atan2),
    "sinh": {"": torch.sinh},
    "cosh": {"": torch.cosh},
    "erf": {"": torch.erf},
    "erfc": {"": torch.erfc},
    "gaussian": {"": lambda x: torch.exp(-x * x), "half": lambda x: torch.exp(-x * x / 2),
                 "narrow": lambda x: torch.exp(-4 * x * x)},
    "normal_cdf": {"": torch.special.ndtr},
    "gelu": {"": F.gelu},
    "gelu_tanh": {"": lambda x: F.gelu(x, approximate="tanh")},
    "elu": {"": F.elu, "alpha": lambda x: F.elu(x, 0.3)},
    "sqrt": {"": torch.sqrt},
    "square": {"": torch.square},
    "pow_number": {
        "cube": lambda x: torch.pow(x, 3),
        "inverse": lambda x: torch.pow(x, -1),
        "fraction": lambda x: torch.pow(x, -1.5),
    },
    "pow": dict.fromkeys(["", "row"], torch.pow) | {"of_number": lambda x: torch.pow(2, x)},
    "relu": {"": F.relu},
    "leaky_relu": {"": lambda x: F.leaky_relu(x, 0.2)},
    "sigmoid": {"": torch.sigmoid},
    "tanh": {"": torch.tanh},
    "sigmoid_of_sum": {"": lambda a, b: torch.sigmoid(a + b)},
    "sigmoid_grad": {"": torch.ops.aten.sigmoid_backward},
    "tanh_grad": {"": torch.ops.aten.tanh_backward},
    "logistic_loss": {"": lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction="none")},
    "sigmoid_minus": {"": lambda x, t: torch.sigmoid(x) - t},
    "sgd_step": {"": lambda w, g, rate: torch.addcmul(w, g, rate, value=-1)},
    "moving_average": {"": lambda m, x: torch.lerp(m, x.expand(m.shape), 0.25)},
    "moving_square": {"": lambda m, x: torch.lerp(m, torch.square(x), 0.25)},
    "adaptive_step": dict.fromkeys(["", "without_scalars"], adaptive_step),
    "adam_step": {"": lambda *x: adam_step(*x)[0], "all_outputs": lambda *x: product_plus(*adam_step(*x))},
    "softplus": {"": F.softplus},
    "abs": {"": torch.abs},
    "clip": {"": lambda x: torch.clamp(x, -1, 0.5)},
    "maximum": dict.fromkeys(["", "row"], torch.maximum),
    "minimum": dict.fromkeys(["", "column"], torch.minimum),
    "less": {"": truth(torch.lt), "turned": truth(torch.gt)},
    "less_equal": {"": truth(torch.le), "turned": truth(lambda a: a >= 1)},
    "equal": {"": truth(torch.eq)},
    "not_equal": {"": truth(torch.ne)},
    "where": dict.fromkeys(["", "broadcast"], WHERE) | {"number": lambda c, a: torch.where(c != 0, a, -3.0)},
    "stop_gradient": {"": lambda x: x.detach(), "factor": lambda x, y: x * y.detach()},
    "reshape": {
        "": lambda x: x.reshape(-1, 2, 3),
        "into_the_batch": lambda x: x.reshape(-1),
        "out_of_the_batch": lambda x: x.reshape(-1, 6),
        "flatten": lambda x: x.flatten(1),
        "of_a_product": lambda x, y: (x * x).reshape(-1, 4) * y,
    },
    "broadcast_to": {
        "row": lambda x: x.expand(4, 3),
        "column": lambda x: x.expand(-1, 4),
        "scalar": lambda x: x.expand(2, 3),
        "between": lambda x: x.expand(2, -1, 3, 2, 2),
    },
    "slice": {
        "": lambda x: x[:, 1:4],
        "batch": lambda x: x[1:-1],
        "box": lambda x: x[1:3, :, 2:3],
        "last_sample": lambda x: x[-1:],
    },
    "embed": {
        "": lambda x: F.pad(x, (1, 1)),
        "batch": lambda x: F.pad(x, (0, 0, x.shape[0], 1)),
    },
    "concat": {
        "": lambda a, b: torch.cat([a, b], 1),
        "row_on_batch": lambda a, b: torch.cat([a, b], 0),
        "batches": lambda a, b: torch.cat([a, b], 0),
        "three_twice_the_same": lambda a, b: torch.cat([a, b, a], -2),
    },
    "transpose": {
        "": lambda x: x.T,
        "cycle": lambda x: x.permute(2, 0, 1),
        "four": lambda x: x.permute(2, 1, 3, 0),
    },
    "one_hot": {
        "": lambda x: F.one_hot(labels(x), 4).double(),
        "matrix": lambda x: F.one_hot(labels(x), 3).double(),
    },
    "random_uniform": {
        "": lambda s: philox_uniform(s, 0x123456789ABCDEF, (3, 2)),
        "batch": lambda s, x: philox_uniform(s, 7, x.shape) * x,
    },
    "random_normal": {"": lambda s: philox_normal(s, 0x123456789ABCDEF, (3, 5))},
    "sum": {
        "": torch.sum,
        "last": lambda x: x.sum(-1),
        "batch": lambda x: x.sum(0),
        "outer_and_last": lambda x: x.sum((2, 0)),
        "middle_kept": lambda x: x.sum(1, keepdim=True),
        "of_squares": lambda x: (x * x).sum(1),
    },
    "norm": {
        "": torch.linalg.vector_norm,
        "rows": lambda x: torch.linalg.vector_norm(x, dim=-1),
        "kept": lambda x: torch.linalg.vector_norm(x, dim=1, keepdim=True),
    },
    "prod": {
        "": lambda x: x.prod(-1),
        "all": torch.prod,
        "batch": lambda x: x.prod(0),
        "middle_kept": lambda x: x.prod(1, keepdim=True),
        "outer_and_last": lambda x: x.prod(2).prod(0),
    },
    "linear_recurrence": {
        "": lambda a, c: recurrence(a, c, 0.0),
        "from_the_end": lambda a, c: recurrence(a.flip(1), c.flip(1), 1.5).flip(1),
    },
    "min": {"": lambda x: x.amin(-1), "outer_and_last_kept": lambda x: x.amin((0, 2), keepdim=True)},
    "max": {
        "": lambda x: x.amax(-1),
        "all": torch.amax,
        "batch": lambda x: x.amax(0),
        "middle_kept": lambda x: x.amax(1, keepdim=True),
        "outer_and_last": lambda x: x.amax((0, 2)),
    },
    "logsumexp": {
        "": lambda x: torch.logsumexp(x, -1),
        "batch": lambda x: torch.logsumexp(x, 0),
        "middle": lambda x: torch.logsumexp(x, 1),
    },
    "log_softmax": {
        "": lambda x: F.log_softmax(x, -1),
        "batch": lambda x: F.log_softmax(x, 0),
        "middle": lambda x: F.log_softmax(x, -2),
    },
    "softmax": {
        "": lambda x: F.softmax(x, -1),
        "batch": lambda x: F.softmax(x, 0),
        "middle": lambda x: F.softmax(x, 1),
    },
    "less_mean": {
        "": lambda c, x: c - (F.softmax(x, -1) * c).sum(-1, keepdim=True),
        "adjoint": lambda c, x: c - F.softmax(x, -1) * c.sum(-1, keepdim=True),
        "adjoint_middle": lambda c, x: c - F.softmax(x, 1) * c.sum(1, keepdim=True),
    },
    "mean": {"": torch.mean, "last": lambda x: x.mean(-1), "batch": lambda x: x.mean(0)},
    "matmul": dict.fromkeys(["nn", "column", "outer", "large_nn", "long_row_nn"], lambda a, b: a @ b)
    | dict.fromkeys(["nt", "long_row_nt"], lambda a, b: a @ b.T)
    | dict.fromkeys(["tt", "large_tt"], lambda a, b: a.T @ b.T)
    | {"tn": lambda a, b: a.T @ b, "gram": lambda a: a @ a.T},
    "half_squared_error": {"": lambda y, t: 0.5 * F.mse_loss(y, t, reduction="sum")},
    "mse": {"": F.mse_loss},
    "cross_entropy": {
        "probabilities": F.cross_entropy,
        "labels": lambda x, t: F.cross_entropy(x, labels(t)),
        "sequences": lambda x, t: F.cross_entropy(x.flatten(0, 1), labels(t).flatten()),
    },
    "binary_cross_entropy": {"": F.binary_cross_entropy_with_logits},
}

# The same for the points at kinks, ties and the edges of domains.
POINTS = {
    "relu": dict.fromkeys(["at_0", "nan"], F.relu),
    "leaky_relu": dict.fromkeys(["at_0", "nan"], lambda x: F.leaky_relu(x, 0.2)),
    "abs": dict.fromkeys(["at_0", "nan"], torch.abs),
    "clip": dict.fromkeys(["at_bounds", "nan"], lambda x: torch.clamp(x, -1, 0.5))
    | {"equal_bounds": lambda x: torch.clamp(x, 1, 1)},
    "maximum": dict.fromkeys(["tie", "nan"], torch.maximum) | {"itself": lambda a: torch.maximum(a, a)},
    "minimum": dict.fromkeys(["tie", "nan"], torch.minimum),
    "max": dict.fromkeys(["tie", "nan"], torch.amax) | {"tie_along_axis": lambda x: torch.max(x, 0).values},
    "div": {"by_0": DIV},
    "sqrt": dict.fromkeys(["at_0", "below_0"], torch.sqrt),
    "log": dict.fromkeys(["at_0", "below_0"], torch.log),
    "log1p": dict.fromkeys(["at_minus_1", "below_minus_1"], torch.log1p),
    "pow_number": {
        "0": lambda x: torch.pow(x, 0),
        "1": lambda x: torch.pow(x, 1),
        "2": lambda x: torch.pow(x, 2),
        "3": lambda x: torch.pow(x, 3),
        "half": lambda x: torch.pow(x, 0.5),
        "three_halves": lambda x: torch.pow(x, 1.5),
        "minus_1": lambda x: torch.pow(x, -1),
    },
    "pow": dict.fromkeys(
        ["0_to_not_negative", "0_to_negative", "negative_to_whole", "negative_to_fraction"], torch.pow),
    "softplus": {"beyond_20": F.softplus},
    "sigmoid": {"far_out": torch.sigmoid},
    "tanh": {"far_out": torch.tanh},
    "exp": dict.fromkeys(["overflow", "denormal"], torch.exp),
    "mul": {"denormal": MUL},
    "logsumexp": dict.fromkeys(["some_minus_inf", "all_minus_inf", "inf"], lambda x: torch.logsumexp(x, 0)),
    "softmax": dict.fromkeys(["some_minus_inf", "all_minus_inf"], lambda x: F.softmax(x, 0)),
    "log_softmax": dict.fromkeys(["some_minus_inf", "all_minus_inf"], lambda x: F.log_softmax(x, 0)),
    "cross_entropy": {"labels_minus_inf_elsewhere": lambda x: F.cross_entropy(x[None], torch.tensor([2]))},
    "binary_cross_entropy": {"far_out": F.binary_cross_entropy_with_logits},
    "less": {"nan": truth(torch.lt)},
    "less_equal": {"nan": truth(torch.le)},
    "equal": {"nan": truth(torch.eq)},
    "not_equal": {"nan": truth(torch.ne)},
    "where": {"nan": WHERE, "of_log_below_0": lambda x: torch.where(x > 0, torch.log(x), 0.0)},
}

# The points at which the two sides are known to differ, and how.
DIFFERENT = {
    "clip_at_bounds": "gradus: the derivative is 1 on the bounds; torch 2.15: 0, torch 2.9: 1",
    "clip_equal_bounds": "the same",
    "max_tie_along_axis": "gradus shares the gradient, like torch.amax; torch.max(x, axis) gives it to one",
    "pow_0_to_negative": "gradus takes the exponent's gradient as 0 for a base <= 0; torch: -inf",
    "pow_negative_to_whole": "gradus takes the exponent's gradient as 0 for a base <= 0; torch: NaN",
    "pow_negative_to_fraction": "the same",
    "softplus_beyond_20": "torch takes x itself for x > 20; gradus is exact",
    "exp_denormal": "gradus flushes denormal numbers to 0; torch only after set_flush_denormal",
    "mul_denormal": "the same",
    "logsumexp_inf": "gradus: the limit of the gradient, (1, 0); torch: (NaN, 0)",
    "relu_nan": "gradus: the derivative at NaN is 0; torch: 1. Both have the value NaN",
    "maximum_nan": "gradus: the derivatives are 0 where an operand is NaN; torch: 1. Both have the value NaN",
    "minimum_nan": "the same",
}
# Those of which the answer depends on the version of PyTorch.
CHANGING = {"clip_at_bounds", "clip_equal_bounds"}


def tensor_of(record, requires_grad=False):
    # JSON has no "nan" and "inf": they are texts, which float() reads.
    values = torch.tensor([float(v) for v in record["values"]], dtype=torch.float64)
    return values.reshape(record["extents"]).requires_grad_(requires_grad)


def run_torch(function, record):
    """The output, and the gradient of each input; None for one that torch has no path to."""
    inputs = [tensor_of(x, x.get("differentiable", True)) for x in record["inputs"]]
    output = function(*inputs)
    wrt = [x for x in inputs if x.requires_grad]
    gradients = iter([None] * len(wrt))
    if output.requires_grad:
        cotangent = tensor_of(record["cotangent"]) if "cotangent" in record else torch.ones_like(output)
        gradients = iter(torch.autograd.grad(output, wrt, cotangent, allow_unused=True))
    return output.detach(), [next(gradients) if x.requires_grad else None for x in inputs]


def difference(ours, theirs, scale=None):
    """The largest difference of an element, relative to `scale`, or to that element."""
    if theirs is None:  # no gradient path, which is a gradient of exactly zero in gradus
        return 0.0 if not ours.any() else float("inf")
    if ours.shape != theirs.shape:
        return float("inf")
    same = (ours == theirs) | (ours.isnan() & theirs.isnan())
    relative = (ours - theirs).abs() / (torch.maximum(ours.abs(), theirs.abs()) if scale is None else scale)
    return torch.where(same, 0.0, relative.nan_to_num(nan=float("inf"))).max().item()


def differences(pairs):
    """The largest of several tensors' differences, relative to their largest element, and to each element."""
    scaled = max(difference(ours, theirs, ours.abs().max()) for ours, theirs in pairs)
    return scaled, max(difference(ours, theirs) for ours, theirs in pairs)


def name_of(record):
    return record["op"] + ("_" + record["label"] if record["label"] else "")


def counterparts(records, table, what, faults):
    """Every record with its function; what only one side has is a fault."""
    pairs = []
    unused = {(op, label) for op in table for label in table[op]}
    for record in records:
        function = table.get(record["op"], {}).get(record["label"])
        if function is None:
            faults.append(f"{what} {name_of(record)} has no counterpart in torch_check.py")
            continue
        unused.discard((record["op"], record["label"]))
        pairs.append((record, function))
    faults += [f"{what} {op} '{label}' of torch_check.py is not in the file" for op, label in sorted(unused)]
    return pairs


def check_rows(records, verbose, faults):
    rows = counterparts(records, ROWS, "row", faults)
    worst = dict.fromkeys(["output", "gradients"], ((0.0, ""), (0.0, "")))
    gradients = 0
    for record, function in rows:
        name = name_of(record)
        output, pulled = run_torch(function, record)
        found = {
            "output": differences([(tensor_of(record["output"]), output)]),
            "gradients": differences([(tensor_of(ours), theirs) for ours, theirs
                                      in zip(record["gradients"], pulled, strict=True)]),
        }
        gradients += sum(theirs is not None for theirs in pulled)
        if verbose:
            print(f"{name:36}", *(f"{part} {v[0]:.1e} {v[1]:.1e}" for part, v in found.items()))
        for part, values in found.items():
            worst[part] = tuple(max(old, (value, name)) for old, value in zip(worst[part], values))
            if not values[0] <= TOLERANCE:  # so that NaN is a fault
                faults.append(f"row {name}: the {part} differ by {values[0]:.1e} of the largest element")
    ops = len({record["op"] for record, _ in rows})
    print(f"{len(rows)} rows of {ops} ops, {gradients} gradients; torch {torch.__version__}, float64")
    print("largest difference, relative to  the tensor's largest element   the element itself")
    for part, (scaled, relative) in worst.items():
        print(f"  {part:9} {scaled[0]:.1e} {scaled[1]:>26}   {relative[0]:.1e} {relative[1]:>26}")


def text_of(values):
    return "[" + ", ".join(map(str, values.flatten().tolist())) + "]"


def side_text(output, gradients):
    return f"{text_of(output)}, gradients {' '.join('none' if g is None else text_of(g) for g in gradients)}"


def check_points(records, verbose, faults):
    points = counterparts(records, POINTS, "point", faults)
    same = []
    print(f"{len(points)} points at kinks, ties and edges of domains; where the two sides differ:")
    for record, function in points:
        name = name_of(record)
        output, gradients = tensor_of(record["output"]), [tensor_of(g) for g in record["gradients"]]
        torch_output, torch_gradients = run_torch(function, record)
        pairs = zip([output, *gradients], [torch_output, *torch_gradients], strict=True)
        agree = all(difference(ours, theirs) <= TOLERANCE for ours, theirs in pairs)
        if agree:
            same.append(name)
        if agree == (name in DIFFERENT) and name not in CHANGING:
            faults.append(f"point {name}: " + ("listed in DIFFERENT, but they agree" if agree else
                                               "they differ, which DIFFERENT does not list"))
        if verbose or not agree:
            print(f"  {name} at {' '.join(text_of(tensor_of(x)) for x in record['inputs'])}"
                  f": {DIFFERENT.get(name, 'agree' if agree else 'not expected')}")
            print(f"    gradus {side_text(output, gradients)}")
            print(f"    torch  {side_text(torch_output, torch_gradients)}")
    print(f"where they agree ({len(same)}): {', '.join(same)}")


def main(arguments):
    verbose = "-v" in arguments
    paths = [a for a in arguments if a != "-v"]
    if len(paths) != 1:
        sys.exit(__doc__)
    document = json.loads(subprocess.run([paths[0]], check=True, capture_output=True).stdout)
    torch.set_num_threads(1)
    faults = []
    check_rows(document["rows"], verbose, faults)
    check_points(document["points"], verbose, faults)
    for fault in faults:
        print("FAULT:", fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
