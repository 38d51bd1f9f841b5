"""DataLoader: mini-batches of a data set."""

__all__: list[str] = []
