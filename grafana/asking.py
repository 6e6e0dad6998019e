"""What the boards ask Prometheus: selectors, queries, and the expressions several panels share. Owns no look."""

import re

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.prometheus import PromQueryFormat
from prometheus_client.metrics import MetricWrapperBase

from service import metrics as m
from service.model import Side

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
HOUR, DAY = "1h", "24h"
#: The venues the reader has chosen.
CHOSEN_VENUES = 'venue=~"$venue"'
_SAMPLES = {"counter": "_total", "histogram": "_bucket"}


def series(metric: MetricWrapperBase, *matchers: str, **labels: str) -> str:
    """A selector of the metric's samples. Raises ValueError for a label that the metric does not have."""
    family = next(iter(metric.describe()))
    parts = [f'{label}="{value}"' for label, value in labels.items()] + list(matchers)
    known = metric._labelnames  # noqa: SLF001  # the library has no public way to ask
    for part in parts:
        label = re.split(r"[=!]", part, maxsplit=1)[0]
        if label not in known:
            raise ValueError(f"{family.name} has no label {label!r}; it has {', '.join(known) or 'none'}")
    name = family.name + _SAMPLES.get(family.type, "")
    return f"{name}{{{','.join(parts)}}}" if parts else name


def line(expr: str, legend: str) -> prometheus.Dataquery:
    """A query over the whole time range."""
    return prometheus.Dataquery().expr(expr).legend_format(legend).range()


def now(expr: str, legend: str = "__auto") -> prometheus.Dataquery:
    """A query of this moment only: when the service is gone there is no value, not the last one."""
    return prometheus.Dataquery().expr(expr).legend_format(legend).instant()


def cells(expr: str) -> prometheus.Dataquery:
    """Rows of a table, as they are now."""
    return prometheus.Dataquery().expr(expr).instant().format(PromQueryFormat.TABLE)


def side_usd(side: Side, span: str = "$span") -> str:
    """Dollars of one side; `max`, because every replica shows the same shared ledger."""
    return f"max({series(m.WINDOW_USD, asset='$asset', side=side, span=span)})"


def both_usd(span: str) -> str:
    """Dollars of both sides of the chosen asset."""
    return f"({side_usd(Side.LONG, span)} + {side_usd(Side.SHORT, span)})"


def both(label: str, selector: str) -> str:
    """The sum of both sides for each value of the label, whichever replica shows them."""
    return f"sum by ({label}) (max by ({label}, side) ({selector}))"


def floor() -> str:
    """The floor of the chosen asset, or that of assets without one of their own."""
    return f"(max({series(m.FLOOR_USD, asset='$asset')}) or max({series(m.FLOOR_USD, asset='default')}))"


def or_zero(expr: str, label: str = "") -> str:
    """A counter that is born with its first event: zero while the service runs, nothing when it does not."""
    zero = f"0 * max({series(m.SIMULATED)})"
    return f'{expr} or on () label_replace({zero}, "{label}", "none", "", "")' if label else f"{expr} or {zero}"


def tail(quantile: float, by: str, selector: str) -> str:
    """A quantile of a histogram over the last moments, by the labels named."""
    labels = f"{by}, le" if by else "le"
    return f"histogram_quantile({quantile}, sum by ({labels}) (rate({selector}[$__rate_interval])))"
