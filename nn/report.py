"""summary: the layers of a module, their output shapes and what they cost."""

__all__: list[str] = []
