"""One moment of the market as the board shows it: records that every open page shares. Reads nothing, words nothing."""

from collections.abc import Mapping

from service.model import Alert, ContextReport, Coverage, Episode, Liquidation, Record, Since, Totals, VenueReport


class Minute(Record, frozen=True, kw_only=True):
    """One bar. Dollars are None where nobody listened; `price` is None in minutes without a quoted order."""

    at: int
    long_usd: float | None
    short_usd: float | None
    heard: float | None
    """Part of the venue-seconds that was heard, 0 to 1; None while unknown."""
    price: float | None


class Window(Record, frozen=True, kw_only=True):
    """A rolling span that ends now."""

    totals: Totals
    coverage: Coverage

    @property
    def known(self) -> bool:
        """Whether there is anything to say: nothing counted of a span nobody heard is unknown, not zero."""
        return bool(self.totals.usd) or bool(self.coverage.seconds_share)


class Market(Record, frozen=True, kw_only=True):
    """One asset, or ALL."""

    asset: str
    hour: Window
    day: Window
    usual_usd: float | None
    """Usual dollars of an hour at this time of day."""
    since: Since | None
    """The last hour at least as large, where that is a day ago or the memory begins a day ago; else None."""
    remembers: bool
    """Whether the memory reaches a day back: without it no hour is a record."""
    minutes: tuple[Minute, ...]
    """Oldest first, the last one still running."""
    quoted: str
    """Whose price the minutes carry, as `binance BTCUSDT`; empty while there is none."""
    tape: tuple[Liquidation, ...]
    """Newest first."""
    context: ContextReport | None = None
    """What stands beside it; None while context is switched off."""

    @property
    def multiple(self) -> float | None:
        """The hour over the usual one; None while either is unknown."""
        if self.usual_usd is None or not self.hour.known:
            return None
        return self.hour.totals.usd / self.usual_usd


class Running(Record, frozen=True, kw_only=True):
    """An open episode with what was last said of it; `alert` is None where that is not found."""

    episode: Episode
    alert: Alert | None


class Picture(Record, frozen=True, kw_only=True):
    """Everything. `now` is ms UTC of the service's clock, `taken` counts the pictures."""

    now: int
    taken: int
    simulated: bool
    problems: tuple[str, ...]
    running: tuple[Running, ...]
    alerts: tuple[Alert, ...]
    """Newest first."""
    venues: tuple[VenueReport, ...]
    assets: tuple[str, ...]
    """Coins with an order in the last day."""
    markets: Mapping[str, Market]
    """Of those that somebody looks at."""
