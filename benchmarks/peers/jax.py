"""JAX, on the CPU: whatever is run several times is compiled by `jax.jit`, as its users do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
import problems
import training
from jax import numpy as jnp

from peers import Graph

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", True)  # the others compute chains in float64 too

tanh = jnp.tanh


def graph(function: Callable[..., Any], arrays: Sequence[Any], cotangent: Any, constants: Sequence[Any] = ()) -> Graph:
    """The passes apart are two compiled programs, and both at once are one."""
    leaves = [jnp.asarray(a) for a in arrays]
    fixed, given = [jnp.asarray(a) for a in constants], jnp.asarray(cotangent)
    compiled = jax.jit(lambda *tracked: function(*tracked, *fixed))
    latest: list[Any] = []

    @jax.jit
    def whole(tracked: Any, given: Any) -> Any:
        y, pull = jax.vjp(lambda *tracked: function(*tracked, *fixed), *tracked)
        return y, pull(given)

    def alone() -> Any:
        latest[:] = [compiled(*leaves)]

    def both() -> Any:
        latest[:] = [whole(leaves, given)]
        return latest[0][1]

    def forward() -> Any:
        y, pull = jax.vjp(compiled, *leaves)
        return jax.block_until_ready(y), pull

    def backward(state: Any) -> list[Any]:
        return list(jax.block_until_ready(state[1](given)))

    def value(state: Any) -> Any:
        return np.asarray(state[0])

    return Graph(forward, backward, alone, both, value, lambda: jax.block_until_ready(latest), compiles=True)


def network(sizes: Sequence[int], batch: int) -> training.Training:
    """A network of `training.py`: the whole step is compiled, and writes into the memory of what it replaces."""
    x, y, start = training.inputs(tuple(sizes), batch)

    def objective(parameters: Any, x: Any, y: Any) -> Any:
        h = x
        for k in range(0, len(parameters), 2):
            h = h @ parameters[k].T + parameters[k + 1]
            if k + 2 < len(parameters):
                h = jax.nn.relu(h)
        return jnp.mean(jax.nn.softplus(h) - y * h)

    def step(parameters: Any, velocities: Any, x: Any, y: Any) -> Any:
        loss, gradients = jax.value_and_grad(objective)(parameters, x, y)
        velocities = [training.MOMENTUM * v + g for v, g in zip(velocities, gradients)]
        return loss, [p - training.RATE * v for p, v in zip(parameters, velocities)], velocities

    compiled, derivative = jax.jit(step, donate_argnums=(0, 1)), jax.jit(jax.grad(objective))
    inputs = jnp.asarray(x), jnp.asarray(y)
    state: list[Any] = [[jnp.array(a) for a in start], [jnp.zeros_like(a) for a in start]]

    def run() -> Any:
        loss, *state[:] = compiled(*state, *inputs)
        return loss

    def values(n: int) -> Any:
        gradients = [np.asarray(g) for g in derivative(state[0], *inputs)]
        losses = [float(run()) for _ in range(n)]
        return gradients, losses, [np.asarray(p) for p in state[0]]

    return training.Training("JAX with jit", run, values, lambda: jax.block_until_ready(state))


def hessian(n: int) -> Callable[[], Any]:
    """`jax.hessian`, compiled."""
    point, matrix = (jnp.asarray(a) for a in problems.valley_inputs(n))
    second = jax.jit(jax.hessian(problems.valley(jnp, matrix)))
    return lambda: jax.block_until_ready(second(point))


def product(m: int, n: int, k: int) -> Callable[[], Any]:
    """A matrix product of float32, compiled."""
    rng = np.random.default_rng(0)
    a, b = (jnp.asarray(rng.random(shape, dtype=np.float32)) for shape in ((m, n), (n, k)))
    compiled = jax.jit(jnp.matmul)
    return lambda: jax.block_until_ready(compiled(a, b))
