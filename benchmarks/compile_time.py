#!/usr/bin/env python3
"""How long a user waits for the compiler: compile_time.py SOURCE --out FILE, for SOURCE with -O2."""

import argparse
import json
import pathlib
import resource
import shutil
import statistics
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("--out", required=True)
    parser.add_argument("--repetitions", type=int, default=5, metavar="N")
    options = parser.parse_args()
    compiler = shutil.which("g++") or shutil.which("c++")
    includes = [f"-I{ROOT / library / 'include'}" for library in ("framework", "ops", "models")]
    command = [compiler, "-std=c++20", "-O2", *includes, "-c", str(options.source), "-o", "/dev/null"]
    times = []
    for _ in range(options.repetitions):
        start, usage_start = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True)
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append((time.perf_counter() - start,
                      usage.ru_utime + usage.ru_stime - usage_start.ru_utime - usage_start.ru_stime))
    real, processor = (statistics.median(t) for t in zip(*times))
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout.splitlines()[0]
    name = f"user_compile/{options.source.stem}"
    entry = {"name": name, "run_name": name, "run_type": "aggregate", "aggregate_name": "median",
             "repetitions": options.repetitions, "time_unit": "s", "real_time": real, "cpu_time": processor,
             "label": f"{version}, -O2"}
    print(f"{processor:12.4g} s   {name}")
    pathlib.Path(options.out).write_text(json.dumps({"context": {}, "benchmarks": [entry]}, indent=1))


if __name__ == "__main__":
    main()
