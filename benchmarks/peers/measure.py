#!/usr/bin/env python3
"""Times one peer: measure.py numpy|torch|jax|keras DUMP [--check-only] [--out FILE] [--filter REGEX]

DUMP is what `train_step --dump-check DUMP` wrote. First the proof: from the same weights and samples, the same
gradients (where the peer gives them out) and the same weights after one step. Then times, in Google Benchmark's
format, under train_step's names.
"""

import argparse
import datetime
import importlib
import json
import multiprocessing
import platform
import random
import re
import statistics
import sys
import time

import environment

environment.one_thread()  # before anything imports NumPy

import work as peers_work

# Of the largest entry.
TOLERANCE = {"float32": 2e-5, "float64": 1e-12}
TOLERANCE_WITH_SINGLE_RATE = TOLERANCE | {"float64": 1e-6}


def expect_same(what, ours, theirs, tolerance):
    deviation = abs(ours - theirs).max() / abs(theirs).max()
    if not (ours.shape == theirs.shape and deviation <= tolerance):
        raise ValueError(f"{what}: {deviation:.2g} of the largest entry away from what gradus computes; "
                         f"{tolerance:.0e} is allowed")


def check(contender_type, work):
    name = f"{work.name}/{contender_type.name}"
    single_rate = getattr(contender_type, "single_rate", False)
    tolerance = (TOLERANCE_WITH_SINGLE_RATE if single_rate else TOLERANCE)[str(work.dtype)]
    contender = contender_type(work)
    if hasattr(contender, "gradients"):
        expect_same(f"{name}: gradients", contender.gradients(), work.gradients, tolerance)
    contender.step()
    expect_same(f"{name}: parameters after one step", contender.parameters(), work.after_one_step, tolerance)


class Timing:
    """A contender at work, compiled and warmed up."""

    min_seconds = 0.2

    def __init__(self, contender_type, work):
        self.work = work
        self.name = f"{work.name}/{contender_type.name}"
        self.contender = contender_type(work)
        self.times = []
        self.count = 1
        for _ in range(3):
            self.run()
        while (seconds := self.run()[0]) < self.min_seconds:
            self.count = max(self.count + 1, int(self.count * min(10, 1.2 * self.min_seconds / seconds)))

    def run(self):
        """Seconds by the clock and of the processor, for `count` steps."""
        start, processor_start = time.perf_counter(), time.process_time()
        if hasattr(self.contender, "steps"):
            self.contender.steps(self.count)
        else:
            step = self.contender.step
            for _ in range(self.count):
                step()
        if hasattr(self.contender, "finish"):
            self.contender.finish()
        return time.perf_counter() - start, time.process_time() - processor_start

    def repeat(self):
        self.times.append([seconds / self.count * 1e6 for seconds in self.run()])

    def entries(self):
        common = {"name": self.name, "run_name": self.name, "repetitions": len(self.times), "time_unit": "us",
                  "iterations": self.count}
        for real, processor in self.times + [[statistics.median(t) for t in zip(*self.times)]]:
            yield common | {"run_type": "iteration", "real_time": real, "cpu_time": processor,
                            "items_per_second": self.work.batch / processor * 1e6}

    def json(self):
        *repetitions, median = self.entries()
        median |= {"name": f"{self.name}_median", "run_type": "aggregate", "aggregate_name": "median"}
        return [*repetitions, median]


def pairs_of(options):
    peer = importlib.import_module(f"{options.peer}_peer")
    return [(contender, work) for work in peers_work.load(options.dump) for contender in peer.contenders(work)
            if re.search(options.filter, f"{work.name}/{contender.name}")]


def check_all(options):
    environment.flush_to_zero()
    for pair in pairs_of(options):
        check(*pair)


def measure(options, name):
    """All that the peer has for one work, in turns: the entries for JSON."""
    environment.flush_to_zero()
    timings = [Timing(contender, work) for contender, work in pairs_of(options) if work.name == name]
    order = timings * options.repetitions
    random.shuffle(order)
    for timing in order:
        timing.repeat()
    for timing in timings:
        print(f"{timing.json()[-1]['cpu_time']:12.4g} us  {timing.name}", flush=True)
    return [entry for timing in timings for entry in timing.json()]


def describe(options):
    """The works' names, and what the figures depend on."""
    names = list(dict.fromkeys(work.name for _, work in pairs_of(options)))
    versions = {m: sys.modules[m].__version__ for m in ("jax", "keras", "numpy", "tensorflow", "torch")
                if m in sys.modules}
    return names, {"date": datetime.datetime.now().astimezone().isoformat(),
                   "python": platform.python_version(), "threads": "1", "flush_to_zero": "set", **versions}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=["numpy", "torch", "jax", "keras"])
    parser.add_argument("dump")
    parser.add_argument("--out")
    parser.add_argument("--filter", default="")
    parser.add_argument("--repetitions", type=int, default=10)
    parser.add_argument("--check-only", action="store_true")
    options = parser.parse_args()

    # A process for each work: compilers keep what they compiled for one from another's guards.
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        pool.apply(check_all, (options,))
        if options.check_only:
            return
        names, context = pool.apply(describe, (options,))
        random.shuffle(names)
        results = [pool.apply(measure, (options, name)) for name in names]
    if options.out:
        with open(options.out, "w") as file:
            json.dump({"context": context, "benchmarks": sum(results, [])}, file, indent=1)


if __name__ == "__main__":
    main()
