#!/usr/bin/env python3
"""`gradus train mlp` and `gradus predict` beside scikit-learn's MLPClassifier and MLPRegressor.

    DIR/bin/python tests/interop/sklearn_check.py build/release/models/gradus    # --seeds N for fewer

Fisher's iris, the 8x8 digits and the diabetes table are written as CSV; for each seed both sides train on the same
rows with the same architecture, optimizer, epochs and scaling, and are judged on the same held-out rows. The exit
code is 1 when the means are further apart than LIMITS. Needs scikit-learn: python3 -m venv DIR &&
DIR/bin/pip install scikit-learn.
"""

import argparse
import csv
import pathlib
import statistics
import subprocess
import sys
import tempfile
import warnings

try:
    import numpy as np
    from sklearn import datasets
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.metrics import accuracy_score, r2_score
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.preprocessing import StandardScaler
except ImportError as error:
    sys.exit(f"sklearn_check.py: no scikit-learn here ({error})")

warnings.simplefilter("ignore", ConvergenceWarning)

CASES = {
    # name: (loader, target, hidden, activation, rate, epochs, batch, limit of the means' distance)
    "iris": (datasets.load_iris, "species", (16, 16), "tanh", 0.01, 100, 16, 0.02),
    "digits": (datasets.load_digits, "digit", (64,), "relu", 0.001, 40, 32, 0.01),
    "diabetes": (datasets.load_diabetes, "progression", (16,), "tanh", 0.001, 60, 32, 0.02),
}


def write(path, header, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def theirs(case, x, y, x_test, y_test, seed):
    _, _, hidden, activation, rate, epochs, batch, _ = case
    scale = StandardScaler().fit(x)
    options = dict(hidden_layer_sizes=hidden, activation=activation, learning_rate_init=rate, max_iter=epochs,
                   batch_size=batch, alpha=0, n_iter_no_change=epochs, random_state=seed)
    if y.dtype.kind == "f":
        target = StandardScaler().fit(y[:, None])
        model = MLPRegressor(**options).fit(scale.transform(x), target.transform(y[:, None]).ravel())
        predicted = target.inverse_transform(model.predict(scale.transform(x_test))[:, None]).ravel()
        return r2_score(y_test, predicted)
    model = MLPClassifier(**options).fit(scale.transform(x), y)
    return accuracy_score(y_test, model.predict(scale.transform(x_test)))


def ours(gradus, folder, case, names, x, y, x_test, y_test, seed):
    _, target, hidden, activation, rate, epochs, batch, _ = case
    regress = y.dtype.kind == "f"
    write(folder / "train.csv", [*names, target], [[*row, t] for row, t in zip(x, y)])
    write(folder / "test.csv", names, x_test)
    subprocess.run([gradus, "train", "mlp", "--csv", folder / "train.csv", "--target", target,
                    "--regress" if regress else "--classify", "--hidden", ",".join(map(str, hidden)),
                    "--activation", activation, "--rate", str(rate), "--epochs", str(epochs), "--batch", str(batch),
                    "--validation-split", "0", "--seed", str(seed), "--save", folder / "model.safetensors"],
                   check=True, stdout=subprocess.DEVNULL)
    answer = subprocess.run([gradus, "predict", folder / "model.safetensors", "--csv", folder / "test.csv"],
                            check=True, capture_output=True, text=True).stdout
    predicted = [row["prediction"] for row in csv.DictReader(answer.splitlines())]
    if regress:
        return r2_score(y_test, [float(p) for p in predicted])
    return accuracy_score([str(t) for t in y_test], predicted)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("gradus", type=pathlib.Path)
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args()
    gradus = options.gradus.resolve()
    bad = False
    print(f"{'table':<10} {'measure':<9} {'scikit-learn':>22} {'gradus':>22} {'difference':>11} {'limit':>7}")
    with tempfile.TemporaryDirectory() as name:
        for table, case in CASES.items():
            data = case[0]()
            names = [str(n) for n in data.feature_names]
            y = np.array([str(data.target_names[t]) for t in data.target]) if table == "iris" else data.target
            scores = []
            for seed in range(1, options.seeds + 1):
                x, x_test, t, t_test = train_test_split(
                    data.data, y, test_size=0.3, random_state=seed,
                    stratify=None if y.dtype.kind == "f" else y)
                scores.append((theirs(case, x, t, x_test, t_test, seed),
                               ours(gradus, pathlib.Path(name), case, names, x, t, x_test, t_test, seed)))
            columns = list(zip(*scores))
            texts = [f"{statistics.mean(c):.4f} ± {statistics.stdev(c):.4f}" for c in columns]
            difference = statistics.mean(columns[1]) - statistics.mean(columns[0])
            bad |= not abs(difference) <= case[-1]
            measure = "R²" if y.dtype.kind == "f" else "accuracy"
            print(f"{table:<10} {measure:<9} {texts[0]:>22} {texts[1]:>22} {difference:>+11.4f} {case[-1]:>7}",
                  flush=True)
    return bad


if __name__ == "__main__":
    sys.exit(main())
