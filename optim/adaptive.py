"""Adagrad, RMSprop and Adadelta."""

__all__: list[str] = []
