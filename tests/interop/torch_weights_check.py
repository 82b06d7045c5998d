#!/usr/bin/env python3
"""A network that PyTorch trained: gradus loads its weights by a mapping of names, and predicts the same logits.

    DIR/bin/python tests/interop/torch_weights_check.py build/release/tests/interop_files

784-128-10 with PyTorch's names (fc1, fc2) and [out, in] weights, trained on MNIST ($GRADUS_MNIST) or, without it, on
random images, and saved as safetensors. The logits of 1000 samples must be within 1e-5 in single precision, and within
1e-12 in double; and what gradus saves must load into PyTorch bit for bit. Exit code 77 without the packages: python3 -m venv DIR &&
DIR/bin/pip install torch numpy safetensors.
"""

import gzip
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
    from safetensors.torch import load_file, save_file
except ImportError as error:
    print(f"torch_weights_check.py: skipped, no PyTorch, NumPy or safetensors here ({error}); set GRADUS_PYTHON")
    sys.exit(77)

LIMITS = {"f4": 1e-5, "f8": 1e-12}


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = torch.nn.Linear(784, 128)
        self.fc2 = torch.nn.Linear(128, 10)

    def forward(self, x):
        return self.fc2(torch.relu(self.fc1(x)))


def idx(folder, stem):
    path = next(p for p in sorted(folder.iterdir()) if p.name.startswith(stem))
    data = path.read_bytes()
    data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    extents = np.frombuffer(data, ">i4", data[3], 4)
    return np.frombuffer(data, "u1", offset=4 + 4 * data[3]).reshape(extents)


def samples():
    folder = os.environ.get("GRADUS_MNIST")
    if folder:
        images = idx(pathlib.Path(folder), "train-images").reshape(-1, 784).astype("f4") / 255
        return "MNIST", images, idx(pathlib.Path(folder), "train-labels").astype("i8")
    random = np.random.default_rng(1)
    return "random images", random.random((6000, 784), "f4"), random.integers(0, 10, 6000)


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    what, images, labels = samples()
    network = Network()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for step in range(300):
        rows = torch.randint(len(images), (64,)).numpy()
        loss = torch.nn.functional.cross_entropy(network(torch.from_numpy(images[rows])), torch.from_numpy(labels[rows]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    trained = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    differences = dict.fromkeys(LIMITS, 0)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        save_file(trained, folder / "torch.safetensors")
        np.savez(folder / "torch.npz", **{k: v.numpy() for k, v in trained.items()})
        for precision in LIMITS:
            x = images[:1000].astype(precision)
            np.save(folder / "x.npy", x)
            network.to(torch.from_numpy(x).dtype)
            with torch.no_grad():
                theirs = network(torch.from_numpy(x)).numpy()
            for weights in ["torch.safetensors", "torch.npz"]:
                subprocess.run([program, "logits", folder / weights, folder / "x.npy", folder / "y.npy"], check=True)
                difference = float(np.abs(np.load(folder / "y.npy") - theirs).max())
                differences[precision] = max(difference, differences[precision])
            back = load_file(folder / "y.npy.safetensors")
            equal = len(back) == 4 and all(torch.equal(back[k], v.to(back[k].dtype)) for k, v in trained.items())
            if not equal:
                break
    accuracy = float((theirs.argmax(1) == labels[:1000]).mean())
    print(f"PyTorch {torch.__version__}, 300 steps on {what}, loss {loss.item():.4f}, accuracy {accuracy:.3f}: logits up "
          f"to {np.abs(theirs).max():.2f} differ by at most {differences['f4']:.3g} in single precision (limit 1e-05), "
          f"{differences['f8']:.3g} in double (1e-12); weights saved for PyTorch {'are' if equal else 'are NOT'} bit-equal")
    return not (equal and all(differences[p] <= limit for p, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main())
