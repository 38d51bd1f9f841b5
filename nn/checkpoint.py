"""Training checkpoints that resume bit for bit."""

__all__: list[str] = []
