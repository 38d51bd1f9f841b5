"""What the tests of `autograd.profile` share: small networks, and ways to ask a profile."""

from collections import Counter

import numpy as np

import nn
import optim
from autograd import Tensor, tape
from autograd.rules import elementwise
from autograd.transforms.variables import Stretch


def leaf(*shape, name=None):
    return Tensor(np.linspace(0.1, 1.0, int(np.prod(shape))).reshape(shape), requires_grad=True, name=name)


def counts(p, phase="forward"):
    return Counter(e.name for e in p.events if e.kind == "operation" and e.phase == phase)


def inside(p, phase):
    """The operations of a phase with the modules around them, in the order in which they ran."""
    return [(e.name, e.modules) for e in p.events if e.kind == "operation" and e.phase == phase]


class Block(nn.Module):
    def __init__(self):
        self.inner = nn.Sequential(nn.Linear(3, 3, rng=0), nn.Tanh())

    def forward(self, x):
        return self.inner(x) + x


class Net(nn.Module):
    def __init__(self):
        self.blocks = [Block(), Block()]

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return np.sum(x)


BATCH = np.ones((4, 3), dtype=np.float32)


def state():
    recorders = {record: record.__code__ for record in (elementwise.exp, elementwise.multiply)}
    methods = (
        vars(nn.Module)["__call__"], vars(optim.Optimizer)["step"], vars(optim.LBFGS)["step"], vars(Tensor)["backward"],
        vars(Tensor)["gradient"], vars(Stretch)["pull"], tape.measured_pulls,
    )  # fmt: skip
    return recorders, methods
