"""Make sure that the `autograd` that Python finds is ours and not HIPS autograd, which has the same name."""

import autograd

if getattr(autograd, "__distribution__", None) != "wengert":
    raise ImportError(
        f"nn and optim belong to wengert, but the `autograd` that Python finds is another distribution's "
        f"({getattr(autograd, '__file__', None)}), most likely HIPS autograd: both install a package of that name and "
        "cannot share an environment. Make a fresh one, for example `python -m venv fresh`, and install wengert alone."
    )
