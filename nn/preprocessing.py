"""Standardize: inputs normalised with the statistics of the training set."""

__all__: list[str] = []
