"""EarlyStopping."""

__all__: list[str] = []
