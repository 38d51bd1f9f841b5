"""The exponential moving average of weights."""

__all__: list[str] = []
