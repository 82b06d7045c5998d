"""What the tutorials' own programs look like: NumPy, gradients by hand."""

import itertools

import numpy as np

from work import ADAM_BETAS, ADAM_EPSILON, flat


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class HeightWeight:
    """Number by number, as in the tutorial."""

    name = "numpy"

    def __init__(self, work):
        self.rate = work.rate
        w, b, v, c = work.split(work.start)
        (self.w1, self.w3), (self.w2, self.w4) = w.tolist()
        self.b1, self.b2 = b.tolist()
        self.w5, self.w6 = v.ravel().tolist()
        (self.b3,) = c.tolist()
        self.batches = itertools.cycle([(x[0], t[0, 0]) for x, t in work.batches()])

    def step(self):
        x, t = next(self.batches)
        h1 = sigmoid(self.w1 * x[0] + self.w2 * x[1] + self.b1)
        h2 = sigmoid(self.w3 * x[0] + self.w4 * x[1] + self.b2)
        o = sigmoid(self.w5 * h1 + self.w6 * h2 + self.b3)

        d_o = -2 * (t - o) * (o * (1 - o))
        d_h1 = d_o * self.w5 * (h1 * (1 - h1))
        d_h2 = d_o * self.w6 * (h2 * (1 - h2))

        self.w1 -= self.rate * d_h1 * x[0]
        self.w2 -= self.rate * d_h1 * x[1]
        self.b1 -= self.rate * d_h1
        self.w3 -= self.rate * d_h2 * x[0]
        self.w4 -= self.rate * d_h2 * x[1]
        self.b2 -= self.rate * d_h2
        self.w5 -= self.rate * d_o * h1
        self.w6 -= self.rate * d_o * h2
        self.b3 -= self.rate * d_o

    def parameters(self):
        return np.array([self.w1, self.w3, self.w2, self.w4, self.b1, self.b2, self.w5, self.w6, self.b3])


class Network:
    """Matrices."""

    name = "numpy"

    def __init__(self, work):
        self.work = work
        self.p = work.split(work.start)
        self.batches = itertools.cycle(work.batches())
        self.t = 0
        self.m = [np.zeros_like(p) for p in self.p]
        self.v = [np.zeros_like(p) for p in self.p]

    def backward(self, x, h, d_o):
        d_h = d_o @ self.p[2].T
        d_h *= (h > 0) if self.work.tutorial == "mnist" else h * (1 - h)
        return x.T @ d_h, d_h.sum(0), h.T @ d_o, d_o.sum(0)

    def gradients_for(self, x, t):
        w1, b1, w2, b2 = self.p
        z = x @ w1 + b1
        if self.work.tutorial == "sine":
            h = sigmoid(z)
            return self.backward(x, h, (h @ w2 + b2 - t) / len(x))
        h = np.maximum(z, 0)
        logits = h @ w2 + b2
        logits -= logits.max(1, keepdims=True)
        e = np.exp(logits)
        total = e.sum(1, keepdims=True)
        self.loss = np.mean(np.log(total[:, 0]) - (t * logits).sum(1))
        return self.backward(x, h, (e / total - t) / len(x))

    def step(self):
        gradients = self.gradients_for(*next(self.batches))
        if self.work.optimizer == "sgd":
            for p, g in zip(self.p, gradients):
                p -= self.work.rate * g
            return
        self.t += 1
        beta1, beta2 = ADAM_BETAS
        rate = self.work.rate * (1 - beta2**self.t)**0.5 / (1 - beta1**self.t)
        for p, m, v, g in zip(self.p, self.m, self.v, gradients):
            m *= beta1
            m += (1 - beta1) * g
            v *= beta2
            v += (1 - beta2) * g * g
            p -= rate * m / (np.sqrt(v) + ADAM_EPSILON)

    def gradients(self):
        return flat(self.gradients_for(*self.work.batches()[0]))

    def parameters(self):
        return flat(self.p)


def contenders(work):
    return [HeightWeight if work.tutorial == "height-weight" else Network]
