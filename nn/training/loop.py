"""fit: the training loop."""

__all__: list[str] = []
