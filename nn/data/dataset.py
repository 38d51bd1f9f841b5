"""Data sets."""

__all__: list[str] = []
