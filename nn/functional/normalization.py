"""Normalisation over a batch, a layer or groups of channels."""

__all__: list[str] = []
