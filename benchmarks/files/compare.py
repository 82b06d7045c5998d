#!/usr/bin/env python3
"""How fast gradus reads a 1 GB NPY and a 200 MB CSV, beside numpy.load and pandas.read_csv.

    DIR/bin/python benchmarks/files/compare.py build/release/benchmarks/read_files    # --repetitions N, --scale 0.1

Each reading is a process of its own, which times itself without its start, in processor time (neither side has a
second thread); both sides take turns, files are in the page cache, and both must find the same sum. Minima, as
now and then either side must wait for the kernel to put large pages together, and the ratio gradus / Python. The files are made in a temporary
folder and removed. Needs NumPy and pandas: python3 -m venv DIR && DIR/bin/pip install numpy pandas.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import pandas as pd

# name: (file, how gradus reads it, how Python does, the sum of what Python read)
CASES = {
    "NPY into memory": ("a.npy", "npy-load", "a = np.load(path)", "a.view('u8').sum()"),
    "NPY, every word added up": ("a.npy", "npy-sum", "a = np.load(path).view('u8').sum()", "a"),
    "NPY mapped, every word added up": ("a.npy", "npy-sum", "a = np.load(path, mmap_mode='r').view('u8').sum()", "a"),
    "CSV of numbers": ("numbers.csv", "csv", "a = pd.read_csv(path)", "a.size"),
    "CSV of numbers and labels": ("mixed.csv", "csv", "a = pd.read_csv(path)", "a.size"),
}
PYTHON = """
import sys, time
import numpy as np, pandas as pd
path = sys.argv[1]
start = time.process_time()
{read}
seconds = time.process_time() - start
print(seconds, int({sum}))
"""


def make(folder, scale):
    random = np.random.default_rng(1)
    count = int(1e9 * scale) // 4 // 1000 * 1000
    np.save(folder / "a.npy", random.random(count, "f4").reshape(-1, 1000))
    numbers = pd.DataFrame({f"x{i}": random.normal(size=100_000) for i in range(8)})
    mixed = numbers.assign(n=random.integers(0, 1000, 100_000), k=random.choice(["setosa", "virginica", "versicolor"], 100_000))
    for name, frame in [("numbers", numbers), ("mixed", mixed)]:
        text = frame.to_csv(index=False)
        header, rows = text.split("\n", 1)
        with open(folder / f"{name}.csv", "w") as file:
            file.write(header + "\n")
            for _ in range(max(1, round(2e8 * scale / len(rows)))):
                file.write(rows)


def run(*arguments):
    seconds, total = subprocess.run([str(a) for a in arguments], check=True, capture_output=True, text=True).stdout.split()
    return float(seconds), int(total)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("read_files", type=pathlib.Path)
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--scale", type=float, default=1)
    options = parser.parse_args()
    program = options.read_files.resolve()
    print(f"NumPy {np.__version__}, pandas {pd.__version__}; minima of {options.repetitions}")
    print(f"{'':<34} {'MB':>6} {'gradus s':>9} {'Python s':>9} {'ratio':>6}")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        make(folder, options.scale)
        for case, (file, way, read, total) in CASES.items():
            ours, theirs = [], []
            for _ in range(options.repetitions):
                ours.append(run(program, way, folder / file))
                theirs.append(run(sys.executable, "-c", PYTHON.format(read=read, sum=total), folder / file))
            assert len({s for _, s in ours + theirs}) == 1, f"{case}: the two sides read different things"
            a, b = (min(s for s, _ in side) for side in (ours, theirs))
            print(f"{case:<34} {(folder / file).stat().st_size / 1e6:>6.0f} {a:>9.3f} {b:>9.3f} {a / b:>6.2f}", flush=True)


if __name__ == "__main__":
    main()
