"""A gauge that shows exactly what was last written on it: what is not known any more has no series. Knows no metric."""

from collections.abc import Mapping

from prometheus_client import Gauge

Labels = tuple[str, ...]


class Sheet:
    """Owns every series of one gauge; nobody else may set it."""

    def __init__(self, gauge: Gauge) -> None:
        self._gauge = gauge
        self._shown: set[Labels] = set()

    def write(self, rows: Mapping[Labels, float | None]) -> None:
        """Show these values by their labels, in the gauge's order; None is unknown and shown as nothing."""
        known = {labels: value for labels, value in rows.items() if value is not None}
        for labels in self._shown - known.keys():
            self._gauge.remove(*labels)
        self._shown = set(known)
        for labels, value in known.items():
            (self._gauge.labels(*labels) if labels else self._gauge).set(value)
