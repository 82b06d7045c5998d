#!/usr/bin/env python3
"""Files between gradus, NumPy and safetensors: whatever one writes, the other reads bit for bit.

    DIR/bin/python tests/interop/files_check.py build/release/tests/interop_files build/release/models/gradus

Each array goes from Python to gradus and back as NPY, NPZ (stored and deflated) and safetensors, and from each of
the named formats to the other; a model that gradus trains is read by both packages, and predicts the same from each.
Exit code 77 without the packages: python3 -m venv DIR && DIR/bin/pip install numpy safetensors.
"""

import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file
except ImportError as error:
    print(f"files_check.py: skipped, no NumPy or safetensors here ({error}); set GRADUS_PYTHON")
    sys.exit(77)

TYPES = ["?", "u1", "i1", "u2", "i2", "f2", "u4", "i4", "f4", "u8", "i8", "f8"]


def arrays():
    random = np.random.default_rng(1)
    every = {}
    for name in TYPES:
        dtype = np.dtype(name)
        for shape in [(), (1,), (7,), (3, 5), (2, 1, 4), (0, 3)]:
            count = int(np.prod(shape))
            bits = random.integers(0, 2 if name == "?" else 256, count * dtype.itemsize, dtype="u1")
            every[f"{dtype.name}/{'x'.join(map(str, shape)) or 'scalar'}"] = bits.view(dtype).reshape(shape)
    every["special"] = np.array([np.nan, -np.nan, np.inf, -np.inf, -0.0, 5e-324, 1e308])
    every["large é"] = random.normal(size=(300, 1000)).astype("f4")
    return every


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


class Check:
    def __init__(self, program, gradus, folder):
        self.program, self.gradus, self.folder = program, gradus, folder
        self.bad = self.good = 0

    def run(self, *arguments):
        subprocess.run([str(a) for a in arguments], check=True, stdout=subprocess.DEVNULL)

    def expect(self, holds, what):
        self.good += bool(holds)
        self.bad += not holds
        if not holds:
            print(f"differs: {what}")

    def all_same(self, found, expected, what):
        self.expect(set(found) == set(expected), f"{what}: names")
        for name in expected:
            self.expect(same(found[name], expected[name]), f"{what}: {name}")

    def npy(self, every):
        for i, (name, array) in enumerate(every.items()):
            version = [(1, 0), (2, 0), (3, 0)][i % 3]
            with open(self.folder / "a.npy", "wb") as file:
                np.lib.format.write_array(file, array, version)
            self.run(self.program, "copy", self.folder / "a.npy", self.folder / "b.npy")
            self.expect(same(np.load(self.folder / "b.npy"), array), f"npy {version}: {name}")
            if array.size:
                mapped = np.load(self.folder / "b.npy", mmap_mode="r")
                self.expect(mapped.flags.aligned and same(np.asarray(mapped), array), f"npy mapped: {name}")

    def named(self, every):
        names = {"savez": self.folder / "s.npz", "savez_compressed": self.folder / "c.npz",
                 "safetensors": self.folder / "s.safetensors"}
        np.savez(names["savez"], **every)
        np.savez_compressed(names["savez_compressed"], **every)
        save_file(every, names["safetensors"], {"key": "välue"})
        for origin, path in names.items():
            self.run(self.program, "copy", path, self.folder / "out.npz")
            with np.load(self.folder / "out.npz") as file:
                found = {name: file[name] for name in file}
            if origin == "safetensors":
                self.expect(found.pop("__metadata__").tobytes().decode() == '{"key":"välue"}', "metadata in npz")
            self.all_same(found, every, f"{origin} to npz")
            self.run(self.program, "deflate", path, self.folder / "out.npz")
            with np.load(self.folder / "out.npz") as file:
                self.all_same({name: file[name] for name in file}, every, f"{origin} to deflated npz")
            self.run(self.program, "copy", path, self.folder / "out.safetensors")
            self.all_same(load_file(self.folder / "out.safetensors"), every, f"{origin} to safetensors")
        with safe_open(names["safetensors"], "np") as a:
            self.run(self.program, "copy", names["safetensors"], self.folder / "again.safetensors")
            with safe_open(self.folder / "again.safetensors", "np") as b:
                self.expect(a.metadata() == b.metadata(), "metadata of safetensors")

    def model(self):
        random = np.random.default_rng(2)
        x = random.normal(size=(90, 3)).astype("f4")
        y = x.sum(axis=1) > 0
        table = np.column_stack([x, y])
        np.savez(self.folder / "t.npz", x=x, kind=y)
        np.save(self.folder / "t.npy", table)
        np.savetxt(self.folder / "t.csv", table, delimiter=",", header="x1,x2,x3,kind", comments="", fmt="%.17g")
        answers = []
        for data, target in [("t.npz", "kind"), ("t.csv", "kind"), ("t.npy", "c4")]:
            for model in ["m.safetensors", "m.npz"]:
                self.run(self.gradus, "train", "mlp", "--data", self.folder / data, "--target", target, "--classify",
                         "--epochs", "20", "--save", self.folder / model)
                answers.append(subprocess.run([self.gradus, "predict", self.folder / model, "--data",
                                               self.folder / data], check=True, capture_output=True).stdout)
            with np.load(self.folder / "m.npz") as file:
                found = {name: file[name] for name in file if name != "__metadata__"}
            self.all_same(found, load_file(self.folder / "m.safetensors"), f"model from {data}")
        self.expect(len(set(answers)) == 1, "predictions from each table and model format")


def main():
    program, gradus = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    with tempfile.TemporaryDirectory() as name:
        check = Check(program, gradus, pathlib.Path(name))
        every = arrays()
        check.npy(every)
        check.named(every)
        check.model()
    print(f"{check.good} comparisons bit-equal, {check.bad} not; NumPy {np.__version__}")
    return check.bad > 0


if __name__ == "__main__":
    sys.exit(main())
