"""PyTorch as its users write it: eager, and with torch.compile around the loss and the optimizer's step."""

import itertools
import logging

import torch
from torch import nn

from work import ADAM_BETAS, ADAM_EPSILON, SIZES, flat

torch.set_num_threads(1)
torch.set_num_interop_threads(1)
torch.set_flush_denormal(True)
torch._logging.set_logs(all=logging.ERROR)
torch._dynamo.config.recompile_limit = 64  # the proof does all works in one process


def network(tutorial):
    inputs, hidden, outputs = SIZES[tutorial]
    activation = nn.ReLU() if tutorial == "mnist" else nn.Sigmoid()
    last = [nn.Sigmoid()] if tutorial == "height-weight" else []
    return nn.Sequential(nn.Linear(inputs, hidden), activation, nn.Linear(hidden, outputs), *last)


LOSSES = {
    "height-weight": nn.functional.mse_loss,
    "sine": lambda o, t: 0.5 * nn.functional.mse_loss(o, t),
    "mnist": nn.functional.cross_entropy,
}


class Eager:
    name = "torch_eager"

    def __init__(self, work):
        self.work = work
        self.network = network(work.tutorial).to(torch.from_numpy(work.start).dtype)
        with torch.no_grad():
            for p, start in zip(self.network.parameters(), work.split(work.start)):
                p.copy_(torch.from_numpy(start.T.copy()))  # a Linear has outputs x inputs
        loss = LOSSES[work.tutorial]
        self.loss_of = lambda x, t: loss(self.network(x), t)
        self.all_batches = [(torch.from_numpy(x), torch.from_numpy(t)) for x, t in work.batches()]
        self.batches = itertools.cycle(self.all_batches)
        parameters = list(self.network.parameters())
        if work.optimizer == "sgd":
            self.optimizer = torch.optim.SGD(parameters, lr=work.rate, **self.options())
        else:
            # PyTorch corrects v before it adds epsilon. So the first step is Keras's; later ones differ by as
            # much as epsilon matters, and cost the same.
            epsilon = ADAM_EPSILON / (1 - ADAM_BETAS[1])**0.5
            self.optimizer = torch.optim.Adam(parameters, lr=work.rate, betas=ADAM_BETAS, eps=epsilon,
                                              **self.options())
        self.update = self.optimizer.step

    def options(self):
        return {"fused": True}  # the fastest that eager mode has

    def step(self):
        x, t = next(self.batches)
        self.optimizer.zero_grad()
        self.loss_of(x, t).backward()
        self.update()

    def gradients(self):
        loss = self.loss_of(*self.all_batches[0])
        return flat(g.numpy().T for g in torch.autograd.grad(loss, list(self.network.parameters())))

    def parameters(self):
        return flat(p.detach().numpy().T for p in self.network.parameters())


class Compiled(Eager):
    name = "torch_compile"

    def __init__(self, work):
        super().__init__(work)
        self.loss_of = torch.compile(self.loss_of)
        self.update = torch.compile(self.optimizer.step)

    def options(self):
        return {"foreach": True}  # one graph for all parameters, for the compiler to fuse


def contenders(work):
    return [Eager, Compiled]
