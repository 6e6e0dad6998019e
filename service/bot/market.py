"""What of the market is worth an answer, before any language: both say the same. Pure; writes no sentence."""

from collections.abc import Sequence

from service.model import ALL, Coverage, Episode, FeedState, Reading, Record, VenueReport

_HOUR = "1h"
#: More lines than this nobody reads on a phone.
_MOST = 10


class Line(Record, frozen=True, kw_only=True):
    """One market's running hour. `share` is the part of shorts; None when unknown."""

    asset: str
    usd: float
    share: float | None
    at_least: bool


class Top(Record, frozen=True, kw_only=True):
    """The last hour by coin, largest first; `market` is all of them, None while nothing is known."""

    now: int
    market: Line | None
    lines: tuple[Line, ...]
    heard: Coverage | None


class Status(Record, frozen=True, kw_only=True):
    """What runs, and who is heard."""

    now: int
    episodes: tuple[tuple[Episode, bool], ...]
    """Each with whether its dollars are a floor."""
    live: int
    venues: int
    away: tuple[tuple[str, FeedState], ...]
    """The venues that are not live, and how they are."""
    heard: Coverage | None


def top_of(readings: Sequence[Reading], now: int) -> Top:
    """The largest hours, of what the service has counted up to `now` (ms UTC)."""
    market = _all(readings)
    rows = [_line(reading) for reading in readings if reading.asset != ALL and _HOUR in reading.spans]
    largest = sorted((row for row in rows if row.usd > 0), key=lambda row: -row.usd)[:_MOST]
    return Top(
        now=market.now if market else now,
        market=_line(market) if market and _HOUR in market.spans else None,
        lines=tuple(largest),
        heard=_heard(market),
    )


def status_of(
    episodes: Sequence[Episode], readings: Sequence[Reading], venues: Sequence[VenueReport], now: int
) -> Status:
    """What runs and who is heard, `now` in ms UTC. Dollars of a market nobody has read are a floor."""
    least = {reading.asset: _at_least(reading) for reading in readings}
    away = tuple((venue.name, venue.state) for venue in venues if venue.state is not FeedState.LIVE)
    market = _all(readings)
    return Status(
        now=market.now if market else now,
        episodes=tuple((one, least.get(one.asset, True)) for one in episodes if one.parent is None),
        live=len(venues) - len(away),
        venues=len(venues),
        away=away,
        heard=_heard(market),
    )


def _all(readings: Sequence[Reading]) -> Reading | None:
    return next((reading for reading in readings if reading.asset == ALL), None)


def _heard(reading: Reading | None) -> Coverage | None:
    return reading.coverage.get(_HOUR) if reading else None


def _at_least(reading: Reading) -> bool:
    """Whether its hour is a floor; so it is while nobody can say."""
    heard = _heard(reading)
    return heard is None or heard.at_least


def _line(reading: Reading) -> Line:
    hour = reading.spans[_HOUR]
    return Line(asset=reading.asset, usd=hour.usd, share=hour.share, at_least=_at_least(reading))
