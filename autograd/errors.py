"""The errors that the engine raises, so that a program can tell them apart.

Each message says what was wrong, where, and what to write instead.
"""

__all__ = [
    "AnomalyError",
    "DeviceError",
    "GradientCheckError",
    "NoRuleError",
    "NonDifferentiableError",
    "ReleasedError",
    "RendererError",
    "StaleError",
    "VJPError",
]


class VJPError(RuntimeError):
    """A rule returned a cotangent whose shape, dtype or array type is not its input's."""


class NoRuleError(NotImplementedError):
    """A NumPy function (or one of its arguments) has no rule, and a tracked Tensor reached it."""


class ReleasedError(RuntimeError):
    """A backward pass needs values that an earlier backward pass has released."""


class RendererError(RuntimeError):
    """Nothing is installed that can turn a drawing into a picture, or it failed."""


class StaleError(RuntimeError):
    """A backward pass needs a value that was overwritten in place after it was recorded."""


class DeviceError(TypeError):
    """Arrays of two devices met in one operation, or a device cannot be used here."""


class AnomalyError(FloatingPointError):
    """A NaN or an infinity appeared while `detect_anomaly` was on."""


class GradientCheckError(AssertionError):
    """A gradient differs from its numerical estimate."""


class NonDifferentiableError(GradientCheckError):
    """A gradient was checked at a point where the function has none: at a kink, a jump, an infinite slope."""
