#!/usr/bin/env python3
"""What gradus exports to ONNX, as ONNX Runtime computes it.

    DIR/bin/python tests/interop/onnx_check.py build/release/tests/onnx_rows build/release/models/gradus

Every tutorial (exported by `gradus export`), networks with every activation, and every row of the op table, in float
and double, at batches 1 and 17: within 1e-6 max(1, max|y|) of what gradus computes, and functions of small results
within 1e-6 of each result; names, shapes and types as they were; and onnx.checker with its full check. The exit code
is 1 when one is not, 77 (skipped, for ctest) without the packages. Needs onnx and onnxruntime: python3 -m venv DIR &&
DIR/bin/pip install onnx onnxruntime.
"""

import argparse
import collections
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnx
    import onnxruntime
except ImportError as error:
    print(f"onnx_check.py: skipped, {error}: set GRADUS_PYTHON to a Python that has onnx and onnxruntime")
    sys.exit(77)

LIMIT = 1e-6
TYPES = {"float": np.float32, "double": np.float64}
# What ONNX has no words for: ops of training, and our generator.
UNSAID = {"random_uniform", "random_normal", "sgd_step", "adam_step", "adaptive_step", "moving_average", "moving_square",
          "linear_recurrence"}
# What ONNX Runtime has for float alone.
FLOAT_ALONE = {"asin", "acos", "atan", "atan2", "sinh", "cosh", "erf", "erfc", "normal_cdf", "gelu"}


def tensor(data, dtype):
    return np.array(data["values"], dtype).reshape(data["extents"])


def compare(path, model):
    """The worst error, over what is allowed for it."""
    proto = onnx.load(path)
    onnx.checker.check_model(proto, full_check=True)
    assert [(s.domain, s.version) for s in proto.opset_import] == [("", 17)], "not opset 17"
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    worst = 0.0
    for run in model["runs"]:
        dtype = TYPES[model["precision"]]
        feeds = {name: tensor(data, dtype) for name, data in run["inputs"].items()}
        assert {i.name for i in session.get_inputs()} == set(feeds), "inputs have other names"
        (y,) = session.run(["prediction"], feeds)
        expected = tensor(run["output"], dtype)
        assert y.dtype == dtype and y.shape == expected.shape, f"{y.dtype} {y.shape}, not {dtype} {expected.shape}"
        sizes = np.abs(expected.astype(np.float64))
        scale = sizes if model["group"] == "small" else max(1.0, float(sizes.max()))
        error = float((np.abs(y.astype(np.float64) - expected) / scale).max())
        worst = max(worst, error if error == error else float("inf"))
    return worst


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", type=pathlib.Path)
    parser.add_argument("gradus", type=pathlib.Path)
    options = parser.parse_args()
    bad = []
    worst = collections.defaultdict(lambda: (0.0, "-"))
    count = collections.Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        told = json.loads(subprocess.run([options.rows.resolve(), folder], check=True, capture_output=True).stdout)
        for model in told["models"]:
            key = (model["group"], model["precision"])
            path = folder / model["file"]
            if model["group"] == "tutorial":
                subprocess.run([options.gradus.resolve(), "export", model["name"], "--precision", model["precision"],
                                "--onnx", path], check=True, stdout=subprocess.DEVNULL)
            try:
                error = compare(path, model)
            except Exception as problem:  # of onnx or ONNX Runtime, or an assertion
                if "NOT_IMPLEMENTED" in str(problem) and model["precision"] == "double" \
                        and model["name"].split("_b")[0].split("_l")[0] in FLOAT_ALONE:
                    continue
                bad.append(f"{model['file']}: {str(problem).splitlines()[0]}")
                continue
            count[key] += 1
            worst[key] = max(worst[key], (error, model["name"]))
            if not error <= LIMIT:
                measure = "a result" if model["group"] == "small" else "max(1, max|y|)"
                bad.append(f"{model['file']}: off by {error:.2g} of {measure}")
    unsaid = {model["op"] for model in told["unsaid"]}
    bad += [f"{op}: cannot be exported" for op in sorted(unsaid - UNSAID)]
    bad += [f"{op}: is exported, or there is no such op; take it out of UNSAID" for op in sorted(UNSAID - unsaid)]
    print(f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}")
    print(f"{'models':<9} {'precision':<9} {'count':>5} {'worst error':>11}  of")
    for key in count:
        print(f"{key[0]:<9} {key[1]:<9} {count[key]:>5} {worst[key][0]:>11.2g}  {worst[key][1]}")
    print(f"without ONNX words: {', '.join(sorted(unsaid))}")
    for line in bad:
        print("WRONG", line)
    return 1 if bad or not count else 0


if __name__ == "__main__":
    sys.exit(main())
