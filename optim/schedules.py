"""Learning-rate schedules."""

__all__: list[str] = []
