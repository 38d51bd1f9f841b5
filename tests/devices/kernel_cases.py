"""The kernels beside the NumPy text that they stand for, and the values that both are tried with."""

from __future__ import annotations

import inspect
import itertools
from typing import Any, NamedTuple

import numpy as np
from cpp_kernels import compiled

import optim
from autograd import sigmoid
from autograd.kernels import Kernel
from autograd.primitive import REGISTRY, _parameters
from autograd.rules import stable
from autograd.rules.kernels import EXP_BELOW, LOGSUMEXP_RULE
from nn.functional import classification, gated, normalization
from nn.functional.kernels import (
    GLU,
    GLU_RULE,
    NORM_AFFINE,
    NORM_RULE,
    NORM_SCALE,
    NORM_SPREAD,
    NORM_WEIGHT_RULE,
    SOFT_DIFFERENCE,
    SOFT_TARGETS,
)
from optim import averaging
from optim.kernels import AVERAGE

# The kernels and the texts


class Case(NamedTuple):
    """A kernel, the NumPy text that it stands for, and the names of the text's parameters."""

    kernel: Kernel
    text: Any
    names: tuple[str, ...]


def primitives():
    found = {id(r.primitive): r.primitive for r in REGISTRY.values() if hasattr(r, "primitive") and r.primitive.kernels}
    return found.values()


def glu_halves(g, a, b):
    """The rule of `glu`, for the halves of its input."""
    return tuple(gated._glu_x(g, np.stack([a, b]), 0))


def average(a, w, share):
    averaging._follow(a, w, share)
    return a


#: The kernels of steps of an operation, and where they are taken: these functions compute the text for NumPy's arrays.
STEPS = {
    EXP_BELOW: stable.exp_below,
    LOGSUMEXP_RULE: stable._shared,
    GLU: lambda a, b: gated._glu(np.stack([a, b]), 0)[0],
    GLU_RULE: glu_halves,
    SOFT_TARGETS: classification._counted,
    SOFT_DIFFERENCE: classification._to_difference,
    NORM_SPREAD: normalization._spread,
    NORM_SCALE: normalization._scale,
    NORM_AFFINE: normalization._to_affine,
    NORM_RULE: normalization._combined,
    NORM_WEIGHT_RULE: normalization._standard_product,
    AVERAGE: average,
}


def texts():
    """All but the optimizers'."""
    for primitive in primitives():
        for name, kernel in primitive.kernels.items():
            if name in primitive.rules:
                yield Case(kernel, primitive.rules[name], _parameters(primitive.rules[name]))
            else:

                def forward(*values, primitive=primitive):
                    n = len(primitive.inputs)
                    return primitive.forward(*values[:n], **dict(zip(primitive.options, values[n:])))

                yield Case(kernel, forward, (*primitive.inputs, *primitive.options))
    for kernel, text in STEPS.items():
        yield Case(kernel, text, tuple(inspect.signature(text).parameters))


TEXTS = {case.kernel.name: case for case in texts()}

OPTIMIZERS = {
    "sgd": (optim.SGD, {"lr": 0.1}),
    "sgd_momentum": (optim.SGD, {"lr": 0.1, "momentum": 0.9, "form": "average", "nesterov": True}),
    "adam": (optim.Adam, {}),
    "amsgrad": (optim.Adam, {"amsgrad": True}),
    "nadam": (optim.NAdam, {}),
    "radam": (optim.RAdam, {}),
    "adamax": (optim.Adamax, {}),
    "adagrad": (optim.Adagrad, {}),
    "adadelta": (optim.Adadelta, {}),
    "lion": (optim.Lion, {}),
    "rmsprop": (optim.RMSprop, {}),
    "rmsprop_momentum": (optim.RMSprop, {"momentum": 0.9}),
    "rmsprop_centered": (optim.RMSprop, {"centered": True}),
    "rmsprop_momentum_centered": (optim.RMSprop, {"momentum": 0.9, "centered": True}),
}

PENALTIES = [{}, {"maximize": True, "weight_decay": 0.1, "l1": 0.01}, {"l1": 0.01}]


# What they are tried with

#: Parameters that are Python numbers, and their values.
NUMBERS = {
    "beta": (1.0, -2.0),
    "threshold": (20.0, np.inf),
    "low": (-1.0,),
    "high": (1.0,),
    "height": (1.0, 1.758),
    "rate": (1.0, 2.0),
    "delta": (1.0, 0.25),
    "n": (7,),
    "eps": (1e-5,),
    "share": (0.001,),
}
FACTORS = {"exponential_linear": (1.0, 1.0507), "exponential_linear_x": (1.0, 1.0507), "dropout": (1.25,)}
FACTORS["dropout_x"] = FACTORS["dropout"]


def special(dtype):
    """Zeros of both signs, kinks, where functions saturate, denormal numbers, the largest, infinities, NaN."""
    f = np.finfo(dtype)
    limits = (f.tiny, 2 * f.tiny, f.smallest_subnormal, f.max, f.max / 2, f.max**0.5, np.inf)
    positive = [0, 1e-8, 1e-3, 0.5, 1, 2, 3, 6, 20, 40, 88, 104, 710, 750, 800, *limits]
    return np.array([sign * value for value in positive for sign in (1.0, -1.0)] + [np.nan], dtype)


def tried(case, dtype):
    """Values for the parameters of a text: all of the special ones together, and ordinary ones of several sizes."""
    rng = np.random.default_rng(1)
    numbers = {name: NUMBERS[name] for name in case.names if name in NUMBERS}
    if case.kernel.name in FACTORS:
        numbers["scale"] = FACTORS[case.kernel.name]
    arrays = [name for name in case.names if name not in numbers and name != "keep"]
    extreme = special(dtype)
    if len(arrays) < 3:
        together = np.array([*itertools.product(extreme, repeat=len(arrays))], dtype)
    else:
        together = extreme[rng.integers(len(extreme), size=(20_000, len(arrays)))]
    ordinary = np.concatenate([rng.normal(size=(2000, len(arrays))) * size for size in (1e-3, 1, 10)])
    inside = rng.uniform(size=(2000, len(arrays)))
    values = dict(zip(arrays, np.concatenate([together, ordinary, inside]).astype(dtype).T.copy()))
    if "keep" in case.names:
        values["keep"] = rng.random(len(values[arrays[0]])) < 0.5
    for given in itertools.product(*numbers.values()):
        yield {**values, **dict(zip(numbers, given))}


def by_text(case, values):
    values = [v.copy() if isinstance(v, np.ndarray) else v for v in (values[name] for name in case.names)]
    with np.errstate(all="ignore"):
        result = case.text(*values)
    return result if isinstance(result, tuple) else (result,)


def by_kernel(case, values):
    taken = [values[name] for name in case.kernel.names]
    written = [name.split()[1] for name in case.kernel.outputs.split(",")]
    if written[0] in case.names and written[0] not in case.kernel.names:
        taken += [values[name].copy() for name in written]
    result = compiled(case.kernel)(*taken)
    return result if isinstance(result, tuple) else (result,)


def wider(values, dtype):
    def wide(value):
        return value.astype(dtype) if isinstance(value, np.ndarray) and value.dtype != bool else value

    return {name: wide(value) for name, value in values.items()}


#: How large the terms are that the result of a kernel is the difference of, where these cancel: its rounding errors are
#: relative to them.
with_slope = {
    "silu_x": lambda v: (sigmoid(v["x"]), sigmoid(v["x"]) * sigmoid(-v["x"])),
    "mish_x": lambda v: (sigmoid(v["x"]), sigmoid(v["x"])),
    "gaussian_gate_x": lambda v: (gated.normal_cdf(v["x"]), gated.normal_pdf(v["x"])),
    "gaussian_gate_by_tanh_x": lambda v: (gated._gate_by_tanh(v["x"]), sigmoid(1.6 * v["x"])),
}
TERMS = {
    "binary_cross_entropy": lambda v: abs(v["y"] * np.log(v["p"])) + abs((1 - v["y"]) * np.log1p(-v["p"])),
    "binary_cross_entropy_y": lambda v: abs(v["g"]) * (abs(np.log(v["p"])) + abs(np.log1p(-v["p"]))),
    "logits_cross_entropy": lambda v: np.maximum(v["z"], 0) + abs(v["y"] * v["z"]) + stable.softplus(v["z"]),
    "logits_cross_entropy_z": lambda v: abs(v["g"]) * (sigmoid(v["z"]) + abs(v["y"])),
    "tanh_x": lambda v: abs(v["g"]) * (1 + v["y"] * v["y"]),
    "sigmoid_x": lambda v: abs(v["g"] * v["y"]) * (1 + abs(v["y"])),
    "average": lambda v: abs(v["a"]) + v["share"] * (abs(v["w"]) + abs(v["a"])),
    "exp_below": lambda v: np.exp(v["x"] - v["top"]) * np.maximum(abs(v["x"]), abs(v["top"])),
    "soft_difference": lambda v: abs(v["q"] * v["share"]) + abs(v["y"]),
    "norm_affine": lambda v: (abs(v["y"] * v["scale"]) + abs(v["shift"])) * abs(v["weight"]) + abs(v["bias"]),
    "norm_x": lambda v: (abs(v["d"] * v["along"] * v["r"] ** 2) + abs(v["g"]) + abs(v["mean"])) * abs(v["scale"]),
    **{
        name: lambda v, parts=parts: abs(v["g"]) * (parts(v)[0] + abs(np.clip(v["x"], -800, 800)) * parts(v)[1])
        for name, parts in with_slope.items()
    },
}


def ulps(got, expected, terms):
    """How many units in the last place lie between two results: of the terms that cancel, where these are given."""
    with np.errstate(all="ignore"):
        size = np.maximum(abs(expected), 0 if terms is None else np.where(np.isfinite(terms), terms, 0)).astype(
            got.dtype
        )
        found = abs(got.astype(np.longdouble) - expected) / np.spacing(size)
    return np.where(np.isfinite(got) & np.isfinite(expected) & np.isfinite(found), found, 0)
