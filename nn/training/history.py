"""History: what was measured after each epoch."""

__all__: list[str] = []
