"""Initialisers: how the weights of a layer are drawn.

An initialiser is called with a shape (out, in) and a `numpy.random.Generator` and returns float64 numbers,
which the layer converts: the same seed gives the same numbers for every dtype and device. Layers take one by
name (`init="he"`) or as a callable (`init=Normal(std=0.1)`, or a function of yours).

The aim is that the variance of what leaves a layer is that of what enters it, forward and backward. The
names are those of the literature and of PyTorch; lectures vary:

============  ==========================  ===================================================================
here          variance of a weight        elsewhere
============  ==========================  ===================================================================
`xavier`      2 / (fan_in + fan_out)      Glorot & Bengio, "Understanding the difficulty of training deep
                                          feedforward neural networks", 2010. Some lectures call √(1/fan_in)
                                          "Xavier", and this one "Xavier/He".
`he`          2 / fan_in                  He et al., "Delving deep into rectifiers", 2015; "Kaiming" in PyTorch.
`lecun`       1 / fan_in                  LeCun et al., "Efficient BackProp", 1998; the "Xavier" of those
                                          lectures: √(1/n[l−1]), for sigmoid and tanh.
`orthogonal`  1 / max(fan_in, fan_out)    Saxe, McClelland & Ganguli, "Exact solutions to the nonlinear
                                          dynamics of learning in deep linear neural networks", 2013.
============  ==========================  ===================================================================
"""

from . import names, plain, scaled
from .names import *
from .plain import *
from .scaled import *

__all__: list[str] = []
__all__ += names.__all__
__all__ += plain.__all__
__all__ += scaled.__all__
