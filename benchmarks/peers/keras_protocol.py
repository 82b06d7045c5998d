#!/usr/bin/env python3
"""The whole Keras program, by Keras: keras_protocol.py MNIST [--out FILE]; KERAS_BACKEND names the backend.

784-128-10, Adam, batches of 32, 10 epochs, the last tenth for validation, then the test set; as `gradus train
mnist` does it. MNIST is the folder of the four files, which are read before the clock starts to count.
"""

import argparse
import gzip
import json
import pathlib
import time

import environment

environment.one_thread()

import keras
import numpy as np

from keras_peer import backend, network

EPOCHS, BATCH, CLASSES = 10, 32, 10


def read(directory, stem, header):
    for name, opener in ((f"{stem}.gz", gzip.open), (stem, open)):
        if (path := directory / name).exists():
            with opener(path, "rb") as file:
                return np.frombuffer(file.read(), np.uint8, offset=header)
    raise SystemExit(f"{directory} has no {stem}, nor {stem}.gz")


def digits(directory, prefix):
    images = read(directory, f"{prefix}-images-idx3-ubyte", 16).reshape(-1, 784).astype("float32") / 255
    return images, np.eye(CLASSES, dtype="float32")[read(directory, f"{prefix}-labels-idx1-ubyte", 8)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mnist", type=pathlib.Path)
    parser.add_argument("--out")
    options = parser.parse_args()
    train, test = (digits(options.mnist, prefix) for prefix in ("train", "t10k"))
    environment.flush_to_zero()

    start, processor_start = time.perf_counter(), time.process_time()
    model = network("mnist")
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    model.fit(*train, batch_size=BATCH, epochs=EPOCHS, validation_split=0.1, verbose=0)
    accuracy = model.evaluate(*test, batch_size=BATCH, verbose=0)[1]
    real, processor = time.perf_counter() - start, time.process_time() - processor_start

    name = f"protocol/mnist/adam/float/batch:{BATCH}/threads:1/keras_{backend()}"
    label = f"test accuracy {accuracy:.4f}"
    print(f"{processor:12.4g} s   {name}  {label}")
    if options.out:
        entry = {"name": name, "run_name": name, "run_type": "iteration", "iterations": 1, "time_unit": "s",
                 "real_time": real, "cpu_time": processor, "label": label}
        with open(options.out, "w") as file:
            json.dump({"context": {"keras": keras.__version__}, "benchmarks": [entry]}, file, indent=1)


if __name__ == "__main__":
    main()
