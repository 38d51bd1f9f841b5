"""What a network does while it learns: norms per layer, and saturated shares."""

__all__: list[str] = []
