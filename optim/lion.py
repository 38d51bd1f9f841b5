"""Lion."""

__all__: list[str] = []
