"""What a network does inside: the norms of its layers while it learns, and where its activations saturate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from autograd import Tensor, enable_grad, no_grad
from autograd.devices import device_of, move
from autograd.node import data_of

from .. import activations, rectifiers
from ..module import Module, Parameter
from ..report import layer_names, table, undisturbed

__all__ = ["NormRecorder", "SaturatedLayer", "Saturation", "saturation"]


# Saturation


class SaturatedLayer(NamedTuple):
    """What `saturation` found of one activation."""

    kind: str  #: The name of its class.
    units: int  #: Neurons: outputs for one example.
    saturated: float  #: The share of (example, neuron) whose slope is below the threshold.
    dead: float  #: The share of neurons whose slope is 0 for every example: they cannot learn from these.


class Saturation(Mapping[str, SaturatedLayer]):
    """Layer name -> `SaturatedLayer`, in the order of the calls; its repr is a table."""

    def __init__(self, layers: Mapping[str, SaturatedLayer], threshold: float):
        self._layers, self.threshold = dict(layers), threshold

    def __getitem__(self, name: str) -> SaturatedLayer:
        return self._layers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._layers)

    def __len__(self) -> int:
        return len(self._layers)

    def __repr__(self) -> str:
        rows = [
            (name, layer.kind, f"{layer.units:,}", f"{layer.saturated:.1%}", f"{layer.dead:.1%}")
            for name, layer in self.items()
        ]
        lines = table(("layer", "activation", "units", "saturated", "dead"), rows, left=2)
        return f"{lines}\nsaturated: |slope| < {self.threshold:g}; dead: slope 0 for every example"


def saturation(module: Module, x: Any, threshold: float = 0.01) -> Saturation:
    """Where the activations of a network are so flat that hardly a gradient comes through.

    The module is called once with `x`, in evaluation mode, and left as it was. At the inputs z that each activation
    gets, the engine computes its slope f′(z). A unit is *saturated* for an example if |f′(z)| is below the threshold,
    and *dead* if its slope is 0 for every example, as a ReLU's is where z is never positive.

    Parameters
    ----------
    module : Module
    x : array_like
        Examples; more of them say more.
    threshold : float
        The slope, at least 0, below which a unit counts as saturated: with 0.01, a sigmoid where |z| > 4.6, and a tanh
        where |z| > 3.

    Returns
    -------
    Saturation
        A mapping of layer names to `SaturatedLayer`. A module called a second time is `name (2)` there.

    Raises
    ------
    TypeError
        If `module` is no module.
    ValueError
        If there is no example, the threshold is negative, or no activation was called as a module.

    Notes
    -----
    Counted are the activations of `nn`, and modules of the user's that consist of nothing but their `forward`, if they
    work element by element, which a softmax does not. Activations that a `forward` calls as functions are not seen.
    On saturation and how it stops the layers before it from learning: X. Glorot, Y. Bengio, "Understanding the
    difficulty of training deep feedforward neural networks", AISTATS 2010.

    Examples
    --------
    Sigmoids saturate when the weights are large:

    >>> import numpy as np
    >>> import nn
    >>> x = np.random.default_rng(1).normal(size=(500, 100)).astype(np.float32)
    >>> small = nn.MLP([100, 50, 50], activation="sigmoid", output_activation="sigmoid", init="xavier", rng=0)
    >>> nn.saturation(small, x)
    layer     activation  units  saturated  dead
    sigmoid1  Sigmoid        50       0.0%  0.0%
    sigmoid2  Sigmoid        50       0.0%  0.0%
    saturated: |slope| < 0.01; dead: slope 0 for every example
    >>> large = nn.MLP([100, 50, 50], activation="sigmoid", init=nn.init.Normal(1.0), rng=0)
    >>> nn.saturation(large, x)["sigmoid1"].saturated > 0.6
    True
    """
    if not isinstance(module, Module):
        raise TypeError(f"saturation takes a module, got {type(module).__name__}.")
    if not threshold >= 0:
        raise ValueError(f"threshold is a slope, at least 0, got {threshold!r}.")
    layers: dict[str, SaturatedLayer] = {}
    names, calls = layer_names(module), dict[int, int]()

    def look(part: Module, args: Any, output: Any) -> None:
        slope = _slope(part, args, output)
        if slope is None:
            return
        if not slope.size:
            raise ValueError(f"saturation needs at least one example; {names[id(part)]} got shape {slope.shape}.")
        calls[id(part)] = calls.get(id(part), 0) + 1
        name = names[id(part)] + (f" ({calls[id(part)]})" if calls[id(part)] > 1 else "")
        flat = abs(slope)
        units = flat.reshape(len(flat), -1) if flat.ndim > 1 else flat.reshape(1, -1)
        layers[name] = SaturatedLayer(
            type(part).__name__, units.shape[1], float((flat < threshold).mean()), float((units == 0).all(0).mean())
        )

    removals = [part.register_forward_hook(look) for part in module.modules() if _may_be_an_activation(part)]
    try:
        with undisturbed(module), no_grad():
            module(x)
    finally:
        for remove in removals:
            remove()
    if not layers:
        raise ValueError(
            f"no activation was called in {type(module).__name__}: they are seen where they are modules, such as "
            "nn.ReLU(), and not where forward calls functions, such as nn.relu."
        )
    return Saturation(layers, threshold)


def _may_be_an_activation(module: Module) -> bool:
    """Whether it is one of ours, or a module of the user's that has nothing inside."""
    home = type(module).forward.__module__
    return home in (activations.__name__, rectifiers.__name__) or (
        not home.startswith("nn.") and not any(True for _ in module.named_members())
    )


def _slope(module: Module, args: Any, output: Any) -> Any:
    """f′(z) for each element of the input; None where the module does not work element by element on one input."""
    z = data_of(args[0]) if len(args) == 1 else None
    if z is None or getattr(z, "dtype", np.dtype(int)).kind != "f" or getattr(output, "shape", None) != z.shape:
        return None
    if z.size:
        # a VJP of ones sums over the outputs: it is the slope only where each output depends on its own input alone
        signs, ordinary = ((-1.0) ** np.arange(z.size), np.linspace(-1.5, 2.0, z.size))
        signs, ordinary = (move(a.reshape(z.shape).astype(z.dtype), device_of(z)) for a in (signs, ordinary))
        alternating = _vjp(module, ordinary, signs)
        difference = abs(alternating * signs - _vjp(module, ordinary, np.ones_like(z)))
        if difference.max() > 1e-3 * abs(alternating).max():
            return None
    return _vjp(module, z, np.ones_like(z))


def _vjp(module: Module, z: Any, cotangent: Any) -> Any:
    with enable_grad():
        leaf = Tensor(z, requires_grad=True)
        output = module.forward(leaf)
        if not isinstance(output, Tensor) or not output.requires_grad:
            return np.zeros_like(z)
        return output.gradient(leaf, cotangent=cotangent).data


# Norms


class NormRecorder:
    """Records, in each training step, how large the activations and gradients of each layer are.

    A layer is a module with parameters of its own. "How large" is the root mean square √(Σ a²/n), which compares
    layers of different widths; the L2 norm is √n times that. With it one sees gradients vanish or explode.

    Recorded is what happens inside the `with`, while the module is in training mode. An error inside, too, leaves no
    hook behind. On a device, each size is waited for.

    Parameters
    ----------
    module : Module

    Attributes
    ----------
    activations : dict of str to list of float
        Layer name -> the size of its output in each forward pass.
    gradients : dict of str to list of float
        Layer name -> the size of the gradient of the loss with respect to that output in each backward pass.
    parameters : dict of str to list of float
        Parameter name -> the size of its gradient in each backward pass.

    Examples
    --------
    Ten layers that multiply by 1.5: activations and gradients explode.

    >>> import numpy as np
    >>> import nn
    >>> layers = [nn.Linear(2, 2, bias=False, init=lambda shape, rng: 1.5 * np.eye(2)) for _ in range(10)]
    >>> model = nn.Sequential(*layers)
    >>> with nn.NormRecorder(model) as norms:
    ...     model(np.ones((1, 2), dtype=np.float32)).sum().backward()
    >>> norms.activations["0"], norms.activations["9"] == [1.5**10]
    ([1.5], True)
    >>> norms.gradients["9"], norms.gradients["0"] == [1.5**9]
    ([1.0], True)
    """

    def __init__(self, module: Module):
        if not isinstance(module, Module):
            raise TypeError(f"NormRecorder takes a module, got {type(module).__name__}.")
        self.module = module
        self.activations: dict[str, list[float]] = {}
        self.gradients: dict[str, list[float]] = {}
        self.parameters: dict[str, list[float]] = {}
        self._removals: list[Callable[[], None]] = []

    def __enter__(self) -> NormRecorder:
        if self._removals:
            raise RuntimeError("this NormRecorder is recording already: make another one.")
        names = layer_names(self.module)
        for part in self.module.modules():
            if any(isinstance(member, Parameter) for _, member in part.named_members()):
                self._removals.append(part.register_forward_hook(self._observer(names[id(part)])))
        for name, parameter in self.module.named_parameters():
            sizes = self.parameters.setdefault(name, [])
            if parameter.requires_grad:
                self._removals.append(parameter.register_hook(self._keeper(sizes)))
        return self

    def __exit__(self, *_: object) -> None:
        for remove in self._removals:
            remove()
        self._removals.clear()

    def _observer(self, name: str) -> Callable[..., None]:
        def observe(part: Module, args: Any, output: Any) -> None:
            if not part.training:
                return
            several = isinstance(output, tuple | list)
            for k, tensor in enumerate(output if several else [output]):
                if hasattr(tensor, "dtype"):
                    key = f"{name}[{k}]" if several else name
                    self.activations.setdefault(key, []).append(root_mean_square(data_of(tensor)))
                    gradients = self.gradients.setdefault(key, [])
                    if isinstance(tensor, Tensor) and tensor.requires_grad:
                        tensor.register_hook(self._keeper(gradients))

        return observe

    def _keeper(self, sizes: list[float]) -> Callable[[Any], None]:
        def keep(gradient: Any) -> None:
            if self._removals:  # a graph may outlive the recording
                sizes.append(root_mean_square(data_of(gradient)))

        return keep

    def __repr__(self) -> str:
        def last(sizes: list[float]) -> str:
            return f"{sizes[-1]:.3g}" if sizes else "–"

        rows = [(n, str(len(a)), last(a), last(self.gradients[n])) for n, a in self.activations.items()]
        return table(("layer", "passes", "last activation", "last gradient"), rows)

    def plot(self) -> Any:
        """Draw the sizes, layer by layer from the input to the output: where a line slopes, they explode or vanish.

        Up to 8 passes are drawn, from the first (dark) to the last (bright), on a logarithmic axis.

        Returns
        -------
        matplotlib.figure.Figure
            With three axes: activations, gradients at the outputs, gradients of the parameters.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        ValueError
            If nothing has been recorded.
        """
        try:
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise ImportError(
                f'norms are drawn with matplotlib, which is missing here: `pip install "wengert[examples]"` ({error}).'
            ) from None
        if not any(self.activations.values()):
            raise ValueError("nothing has been recorded: call the module in training mode inside `with` first.")
        kinds = {
            "activations": self.activations,
            "gradients at the outputs": self.gradients,
            "gradients of the parameters": self.parameters,
        }
        passes = max(map(len, self.activations.values()))
        steps = sorted({round(step) for step in np.linspace(0, passes - 1, 8)})
        colors = plt.get_cmap("viridis")(np.linspace(0, 0.9, len(steps)))
        figure, all_axes = plt.subplots(1, 3, figsize=(15, 4), layout="constrained")
        for axes, (title, sizes) in zip(all_axes, kinds.items()):
            for step, color in zip(steps, colors):
                line = [s[step] if step < len(s) and s[step] > 0 else np.nan for s in sizes.values()]  # no log of 0
                axes.plot(list(sizes), line, marker=".", color=color, label=str(step + 1))
            axes.set(title=title, yscale="log", ylabel="root mean square")
            axes.tick_params(axis="x", rotation=90)
        figure.legend(*all_axes[0].get_legend_handles_labels(), title="pass", loc="outside right upper")
        return figure


def root_mean_square(a: Any) -> float:
    """√(Σ |aᵢ|²/n), without overflow on the way; NaN for no numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.training.monitor import root_mean_square
    >>> round(root_mean_square(np.array([3e200, 4e200])) / 1e200, 4)
    3.5355
    """
    if not a.size:
        return float("nan")
    size = abs(a)
    top = float(size.max())
    if not 0 < top < np.inf:
        return top
    return top * float(np.sqrt(np.mean(np.square(size / size.max()), dtype=np.float64)))
