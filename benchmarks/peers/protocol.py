#!/usr/bin/env python3
"""The whole Keras program: protocol.py MNIST [--gradus PROGRAM] [--out FILE]

784-128-10, Adam, batches of 32, 10 epochs, the last tenth for validation, then the test set; by Keras with the
backend that KERAS_BACKEND names, or by `PROGRAM train mnist`. MNIST is the folder of the four files. Keras's
time starts when it has the data; that of gradus when its process starts.
"""

import argparse
import gzip
import json
import pathlib
import re
import resource
import subprocess
import time

import environment

environment.one_thread()

EPOCHS, BATCH, CLASSES, PIXELS = 10, 32, 10, 784


def read(directory, stem, header):
    import numpy as np

    for name, opener in ((f"{stem}.gz", gzip.open), (stem, open)):
        if (path := directory / name).exists():
            with opener(path, "rb") as file:
                return np.frombuffer(file.read(), np.uint8, offset=header)
    raise SystemExit(f"{directory} has no {stem}, nor {stem}.gz")


def digits(directory, prefix):
    import numpy as np

    images = read(directory, f"{prefix}-images-idx3-ubyte", 16).reshape(-1, PIXELS).astype("float32") / 255
    return images, np.eye(CLASSES, dtype="float32")[read(directory, f"{prefix}-labels-idx1-ubyte", 8)]


def by_keras(directory):
    """(contender, seconds by the clock, seconds of the processor, test accuracy)"""
    from keras_peer import backend, network

    train, test = (digits(directory, prefix) for prefix in ("train", "t10k"))
    environment.flush_to_zero()
    start, processor_start = time.perf_counter(), time.process_time()
    model = network("mnist")
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    model.fit(*train, batch_size=BATCH, epochs=EPOCHS, validation_split=0.1, verbose=0)
    accuracy = model.evaluate(*test, batch_size=BATCH, verbose=0)[1]
    return (f"keras_{backend()}", time.perf_counter() - start, time.process_time() - processor_start, accuracy)


def by_gradus(program, directory):
    start = time.perf_counter()
    command = [program, "train", "mnist", "--data", directory, "--epochs", str(EPOCHS), "--batch", str(BATCH)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    real = time.perf_counter() - start
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    accuracy = float(re.search(r"Test accuracy: ([0-9.]+)", text)[1])
    return "gradus", real, usage.ru_utime + usage.ru_stime, accuracy


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mnist", type=pathlib.Path)
    parser.add_argument("--gradus")
    parser.add_argument("--out")
    options = parser.parse_args()
    contender, real, processor, accuracy = (by_gradus(options.gradus, options.mnist) if options.gradus
                                            else by_keras(options.mnist))
    name = f"protocol/mnist/adam/float/batch:{BATCH}/threads:1/{contender}"
    label = f"test accuracy {accuracy:.4f}"
    print(f"{processor:12.4g} s   {name}  {label}")
    if options.out:
        entry = {"name": name, "run_name": name, "run_type": "iteration", "iterations": 1, "time_unit": "s",
                 "real_time": real, "cpu_time": processor, "label": label}
        with open(options.out, "w") as file:
            json.dump({"context": {}, "benchmarks": [entry]}, file, indent=1)


if __name__ == "__main__":
    main()
