"""L-BFGS."""

__all__: list[str] = []
