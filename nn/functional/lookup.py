"""Rows of a table, by their numbers."""

__all__: list[str] = []
