#!/usr/bin/env python3
"""What gradus writes for TensorBoard, as TensorBoard itself reads it.

    DIR/bin/python tests/interop/tensorboard_check.py build/release/models/gradus

A tutorial and a table are trained with --tensorboard, one of them resumed; TensorBoard's reader must find the scores of
the history at every epoch, histograms of every parameter and gradient, images that are PNG files, and the graph. The
exit code is 1 when it does not, 77 (skipped, for ctest) without the package. Needs tensorboard: python3 -m venv DIR &&
DIR/bin/pip install tensorboard.
"""

import argparse
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

try:
    import tensorboard
    from tensorboard.backend.event_processing import event_accumulator, plugin_event_multiplexer
except ImportError as error:
    print(f"tensorboard_check.py: skipped, {error}: set GRADUS_PYTHON to a Python that has tensorboard")
    sys.exit(77)


def read(folder):
    everything = {kind: 0 for kind in ("scalars", "histograms", "images", "compressedHistograms", "tensors")}
    accumulator = event_accumulator.EventAccumulator(str(folder), size_guidance=everything)
    accumulator.Reload()
    return accumulator


def check(folder, history, parameters, matrices, nodes, states=()):
    run = read(folder)
    tags = run.Tags()
    epochs = list(range(len(next(iter(history.values())))))
    assert set(tags["scalars"]) == set(history) | {"rate"}, tags["scalars"]
    for name, values in history.items():
        events = run.Scalars(name)
        assert [event.step for event in events] == epochs, (name, [event.step for event in events])
        for event, value in zip(events, values):
            assert event.value == struct.unpack("f", struct.pack("f", value))[0], (name, event, value)
    assert set(tags["histograms"]) == set(parameters) | {f"gradients/{name}" for name in parameters} | set(states)
    for name, size in parameters.items():
        for tag in (name, f"gradients/{name}"):
            events = run.Histograms(tag)
            assert [event.step for event in events] == epochs, (tag, [event.step for event in events])
            for event in events:
                found = event.histogram_value
                assert found.num == sum(found.bucket) == size and found.min <= found.max, (tag, found)
    assert set(tags["images"]) == set(matrices), tags["images"]
    for name, (height, width) in matrices.items():
        for event in run.Images(name):
            assert (event.height, event.width) == (height, width), (name, event.height, event.width)
            png = event.encoded_image_string
            assert png.startswith(b"\x89PNG\r\n\x1a\n") and struct.unpack(">II", png[16:24]) == (width, height)
    assert tags["graph"]
    graph = run.Graph()
    names = {node.name for node in graph.node}
    assert nodes <= names, nodes - names
    assert all(name in names for node in graph.node for name in node.input)
    # What the pages show, each from its own plugin; a tag belongs to one of them.
    multiplexer = plugin_event_multiplexer.EventMultiplexer().AddRun(str(folder), "run").Reload()
    shown = {plugin: set(multiplexer.PluginRunToTagToContent(plugin)["run"])
             for plugin in ("scalars", "histograms", "images")}
    assert shown == {plugin: set(tags[plugin]) for plugin in shown}, shown
    assert multiplexer.Graph("run").node
    print(f"{folder.name}: {len(history)} scores and the rate at {len(epochs)} epochs, {len(parameters)} parameters, "
          f"{len(matrices)} images, {len(names)} nodes")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("gradus", type=pathlib.Path)
    gradus = parser.parse_args().gradus.resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)

        def train(*words):
            subprocess.run([gradus, "train", *words], check=True, stdout=subprocess.DEVNULL, cwd=folder)

        def history():
            return json.loads((folder / "h.json").read_text())["history"]

        train("exam-score", "--epochs", "20", "--tensorboard", "small", "--history", "h.json")
        check(folder / "small", history(), {"hidden/W": 6, "output/W": 3},
              {"matrices/hidden/W": (2, 3), "matrices/output/W": (3, 1)}, {"x", "hidden/W", "output/W"})

        rows = "".join(f"{i},{i * 7 % 11},{'ab'[i % 2]},{3 * i + i * 7 % 11}\n" for i in range(100))
        (folder / "t.csv").write_text("a,b,c,y\n" + rows)
        table = ["mlp", "--data", "t.csv", "--target", "y", "--hidden", "4", "--dropout", "0.1", "--norm", "batch",
                 "--tensorboard", "table", "--checkpoint", "c"]
        train(*table, "--epochs", "2")
        train(*table, "--epochs", "5", "--resume", "--history", "h.json")
        run = read(folder / "table")
        parameters = {tag: int(run.Histograms(tag)[0].histogram_value.num)
                      for tag in run.Tags()["histograms"] if not tag.startswith("gradients/") and
                      f"gradients/{tag}" in run.Tags()["histograms"]}
        assert len(parameters) >= 4, parameters
        # A number, a number and a category of two levels are four columns.
        matrices = {tag: (run.Images(tag)[0].height, run.Images(tag)[0].width) for tag in run.Tags()["images"]}
        assert (4, 4) in matrices.values() and (4, 1) in matrices.values(), matrices
        check(folder / "table", history(), parameters, matrices, set(parameters),
              states={"hidden1_norm/mean", "hidden1_norm/variance"})
    print(f"tensorboard {tensorboard.__version__} reads all of it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
