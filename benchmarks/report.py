#!/usr/bin/env python3
"""Makes a report of measured results: report.py RAW [RESULTS]

RAW is a folder of JSON files in Google Benchmark's format. Prints Markdown tables;
with RESULTS, also puts raw files, table.md and plot.svg into RESULTS/<date>-<machine>/.
"""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys

SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1}
MICROSECONDS = 1e6
BY_HAND = ("gradus_loop", "handwritten", "handwritten_fused", "fann", "std")
CONDITIONS = ("date", "cpu", "num_cpus", "mhz_per_cpu", "cpu_scaling_enabled", "openblas_core", "openblas_config",
              "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "GRADUS_ISA", "threads", "flush_to_zero")
PEERS = ("python", "numpy", "torch", "jax", "keras", "tensorflow")
PLOTTED = "train_step/mnist/adam/float"


class Results:
    """Medians (a single run is its own) in seconds, by full name, in the order of measurement."""

    def __init__(self, directory):
        self.context = {}  # of all; where files disagree, the first by name counts
        self.medians = {}
        for path in sorted(directory.glob("*.json")):
            content = json.loads(path.read_text())
            self.context = content["context"] | self.context
            for entry in content["benchmarks"]:
                if entry.get("error_occurred"):
                    sys.exit(f"{path}: {entry['name']}: {entry['error_message']}")
                if entry.get("aggregate_name", "median") == "median":
                    self.medians[entry["run_name"]] = entry | {"seconds": self.seconds(entry)}

    @staticmethod
    def seconds(entry):
        # Processor time, which a busy machine changes less; by the clock where threads share the work.
        threads = re.search(r"threads:(\d+)", entry["run_name"])
        clock = threads and int(threads[1]) > 1
        return entry["real_time" if clock else "cpu_time"] * SECONDS[entry["time_unit"]]

    def works(self, prefix):
        """work -> contender -> entry, the works in natural order."""
        works = {}
        for name, entry in self.medians.items():
            if name.startswith(prefix):
                work, contender = name.rsplit("/", 1)
                works.setdefault(work, {})[contender] = entry
        return dict(sorted(works.items(), key=lambda item: natural(item[0])))


def natural(text):
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", text)]


def markdown(header, rows):
    lines = [header, ["---"] + ["--:"] * (len(header) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def comparison(works, contenders, cell):
    """A row a work, a column a contender; `cell` puts gradus's seconds and another's into words."""
    present = [c for c in contenders if any(c in entries for entries in works.values())]
    rows = []
    for work, entries in works.items():
        if not any(c in entries for c in present):
            continue
        ours = entries.get("gradus")
        row = [work.split("/", 1)[1], f"{ours['seconds'] * MICROSECONDS:.4g}" if ours else "–"]
        for contender in present:
            theirs = entries.get(contender)
            if theirs is None:
                row.append("–")
                continue
            text = f"{theirs['seconds'] * MICROSECONDS:.4g}"
            row.append(f"{text} ({cell(ours['seconds'], theirs['seconds'])})" if ours else text)
        rows.append(row)
    return markdown(["work", "gradus µs", *(f"{c} µs" for c in present)], rows) if rows else ""


def ratio(ours, theirs):
    return f"{ours / theirs:.2f}"


def times_faster(ours, theirs):
    times = theirs / ours
    return f"{times:,.0f}×" if times >= 10 else f"{times:.2f}×"


def flags(works):
    """The compiler flags of the hand-written contenders, one line for each set."""
    by_flags = {}
    for work, entries in works.items():
        for contender, entry in entries.items():
            if entry.get("label", "").startswith("-O"):
                by_flags.setdefault(entry["label"], []).append(f"{work.split('/', 1)[1]}/{contender}")
    *few, (most, _) = sorted(by_flags.items(), key=lambda item: len(item[1])) or [("", None)]
    lines = [f"- `{label}`: {', '.join(names)}" for label, names in few]
    return "\n".join([*lines, f"- `{most}`: {'all others' if few else 'all'}"]) if most else ""


def peak_lines(results):
    lines = []
    for name, entry in results.medians.items():
        if name.startswith("peak/multiply_add/"):
            lines.append(f"- multiplications and additions, {name.split('/')[2]}: {entry['flop'] / 1e9:.0f} GFLOP/s")
        elif name.startswith("peak/triad/"):
            lines.append(f"- memory, a = b + 3 c over 240 MB: {entry['bytes_per_second'] / 1e9:.1f} GB/s")
    return "\n".join(lines)


def share_of_peak(results, name, entry):
    """How much of the multiplications and additions that one core can do at most."""
    precision = "float" if "/float/" in name else "double"
    peak = results.medians.get(f"peak/multiply_add/{precision}/threads:1/peak")
    return f"{entry['flop'] / peak['flop']:.0%}" if peak and "flop" in entry else "–"


def share_table(results, works):
    rows = [[work.split("/", 1)[1], f"{entries['gradus']['flop'] / 1e9:.1f}",
             share_of_peak(results, work + "/", entries["gradus"])]
            for work, entries in works.items() if "flop" in entries.get("gradus", {}) and "threads:1" in work]
    return markdown(["work", "GFLOP/s", "share of peak"], rows) if rows else ""


def product_table(results):
    rows = []
    for work, entries in results.works("products/").items():
        if not all(c in entries for c in ("gradus", "reproducible", "openblas")):
            continue
        speeds = {c: entries[c]["flop"] / 1e9 for c in entries}
        rows.append([work.split("/", 1)[1].rsplit("/", 1)[0], f"{speeds['gradus']:.1f}",
                     f"{speeds['openblas']:.1f} ({speeds['gradus'] / speeds['openblas']:.2f})",
                     f"{speeds['reproducible']:.1f} ({speeds['gradus'] / speeds['reproducible']:.2f})",
                     share_of_peak(results, work + "/", entries["gradus"])])
    return markdown(["product", "gradus GFLOP/s", "OpenBLAS (gradus ÷ it)",
                     "reproducible (its time ÷ gradus's)", "share of peak"], rows) if rows else ""


def graph_table(results):
    kinds = ("build", "gradient", "compile")
    sizes = sorted({int(name.rsplit(":", 1)[1]) for name in results.medians if name.startswith("graph_build/")})
    rows = []
    for size in sizes:
        entries = [results.medians.get(f"graph_build/{kind}/nodes:{size}") for kind in kinds]
        if not all(entries):
            continue
        rows.append([f"{size:,}", f"{entries[-1]['nodes']:,.0f}", *(f"{e['seconds'] * 1e3:.4g}" for e in entries),
                     f"{entries[-1]['time_per_node'] * 1e6:.3g}"])
    return markdown(["nodes", "with gradient and updates", "build ms", "gradient ms", "compile ms",
                     "compile µs a node"], rows) if rows else ""


def memory_table(results):
    rows = []
    for name, entry in sorted(results.medians.items(), key=lambda item: natural(item[0])):
        if "arena_share" in entry:
            rows.append([name, *(f"{entry[key] / 1024:,.0f}" for key in ("all_tensors", "arena")),
                         f"{entry['arena_share']:.1%}"])
    return markdown(["graph", "all tensors KiB", "arena KiB", "share"], rows) if rows else ""


def protocol_lines(works):
    return "\n".join(f"- {contender}: {entry['seconds']:.3g} s, {entry['label']}"
                     for entries in works.values() for contender, entry in entries.items())


def report(results):
    steps = results.works("train_step/")
    peers = sorted({c for entries in steps.values() for c in entries} - {"gradus", *BY_HAND})
    elements = results.works("elements/")
    protocol = results.works("protocol/")
    compiled = [f"{name.split('/')[1]}: {entry['seconds']:.2f} s ({entry['label']})"
                for name, entry in results.medians.items() if name.startswith("user_compile/")]
    versions = ", ".join(f"{key} {results.context[key]}" for key in PEERS if key in results.context)
    context = "\n".join(f"- {key}: {results.context[key]}" for key in CONDITIONS if key in results.context)
    sections = [
        ("Conditions", context + (f"\n- peers: {versions}" if versions else "")),
        ("What one core can do at most", peak_lines(results)),
        ("Training steps (in brackets: gradus's time as a fraction of the other's; gradus_loop: many steps a call)",
         comparison(steps, BY_HAND, ratio)),
        ("Their share of the peak", share_table(results, steps)),
        ("Flags of the hand-written steps", flags(steps)),
        ("Training steps of peers (in brackets: how many times faster gradus is)",
         comparison(steps, peers, times_faster)),
        ("The Keras program: 10 epochs, validation, test", protocol_lines(protocol)),
        ("Matrix products", product_table(results)),
        ("Elementwise kernels (in brackets: how many times faster gradus is)",
         comparison(elements, BY_HAND, times_faster)),
        ("From source to program", graph_table(results)),
        ("Memory", memory_table(results)),
        ("A user's compile time", "\n".join(f"- {line}" for line in compiled)),
    ]
    head = ("Medians. Processor time for one thread, time by the clock for more. mnist-sigmoid is mnist's sizes with "
            "sigmoids\nand the squared error, which FANN can do; it has neither relu nor softmax.")
    return "\n\n".join([head, *(f"### {title}\n\n{text}" for title, text in sections if text)]) + "\n"


def plot(results, path):
    """Samples per second over batch sizes. Returns what was left out, or nothing."""
    gnuplot = shutil.which("gnuplot")
    if gnuplot is None:
        return "no plot: gnuplot was not found (Debian's gnuplot-nox)"
    curves = {}
    for work, entries in results.works(PLOTTED).items():
        batch, threads = (int(re.search(rf"{key}:(\d+)", work)[1]) for key in ("batch", "threads"))
        for contender, entry in entries.items():
            if threads == 1:
                curves.setdefault(contender, []).append((batch, batch / entry["seconds"]))
    if not curves:
        return f"no plot: no results of {PLOTTED}"
    curves = {c: curves[c] for c in ("gradus", *BY_HAND, *sorted(curves)) if c in curves}
    blocks = "".join(f"$data{i} << end\n" + "".join(f"{b} {s:.6g}\n" for b, s in points) + "end\n"
                     for i, points in enumerate(curves.values()))
    colours = 8  # that gnuplot has; then dashes
    lines = ", ".join(f"$data{i} with linespoints linetype {i % colours + 1} dashtype {i // colours + 1} pointtype 7 "
                      f"pointsize 0.5 linewidth {3 if c == 'gradus' else 1.5} title '{c}' noenhanced"
                      for i, c in enumerate(curves))
    script = (f"set terminal svg size 900,600 background 'white'\nset output '{path}'\nset logscale xy\n"
              "set logscale x 2\nset key outside right top\nset grid\nset xlabel 'batch'\n"
              f"set ylabel 'samples per second'\nset title '{PLOTTED}, one thread' noenhanced\n{blocks}plot {lines}\n")
    subprocess.run([gnuplot], input=script, text=True, check=True)
    return None


def machine(context):
    words = [context["date"][:10], context["cpu"], context["openblas_core"], f"{context['num_cpus']} threads"]
    if "GRADUS_ISA" in context:
        words.append(f"held to {context['GRADUS_ISA']}")
    return re.sub(r"[^a-z0-9]+", "-", " ".join(words).lower()).strip("-")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("raw", type=pathlib.Path)
    parser.add_argument("results", type=pathlib.Path, nargs="?")
    options = parser.parse_args()
    results = Results(options.raw)
    text = report(results)
    print(text)
    if options.results is None:
        return
    directory = options.results / machine(results.context)
    directory.mkdir(parents=True, exist_ok=True)
    for path in options.raw.glob("*.json"):
        shutil.copy(path, directory)
    (directory / "table.md").write_text(text)
    if left_out := plot(results, directory / "plot.svg"):
        print(left_out, file=sys.stderr)
    print(f"written to {directory}", file=sys.stderr)


if __name__ == "__main__":
    main()
