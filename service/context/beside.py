"""What stands beside one alert, put together from what memory holds. Pure; asks nobody, waits for nothing.

Owns which pieces an alert should have, and that each one it has not is named with the reason.
"""

from collections.abc import Mapping, Sequence

from service.context.confirm import common, confirm
from service.context.divergence import divergence, of_one_day, unit_checked
from service.context.etf import ASSETS as ETF_ASSETS
from service.context.leverage import Pair
from service.model import (
    ALL,
    Context,
    EtfFlow,
    FundingNow,
    Leverage,
    OiMove,
    Rates,
    Record,
    Risk,
    Side,
    Situation,
    coin_of,
)

#: Funding is crowded in the outer tenth of its past, once that is long enough to have tenths.
CROWDED, LEAST_DAYS = 0.1, 30.0
_UNTOLD = "no source has told it"


class Known(Record, frozen=True, kw_only=True):
    """What memory holds at the moment of an alert; the leverage is that of `whose` the alert is."""

    leverage: Leverage | None = None
    held: Sequence[Pair] = ()
    """Contracts whose open interest is known before the onset and now."""
    risk: Risk | None = None
    """Of the alert's side."""
    flows: Sequence[EtfFlow] = ()
    """The last known day of each asset; those the alert is not about are left out here."""
    marks: Mapping[str, float] = {}
    """Fresh mark prices in dollars by asset."""
    rates: Rates | None = None
    missing: Mapping[str, str] = {}
    """Why a piece is not here, where the caller knows: by the names of `Context.missing`."""
    unasked: frozenset[str] = frozenset()
    """Pieces that are switched off: `open_interest`, `funding`, `risk`, `etf`, `rates`. They are not missing."""


def with_etfs(asset: str) -> tuple[str, ...]:
    """The assets whose ETF flows belong to an alert: of ALL every one, of a coin without ETFs none."""
    return ETF_ASSETS if asset == ALL else tuple(name for name in ETF_ASSETS if name == asset)


def beside(told: Situation, known: Known) -> Context:
    """All of it. What is missing or old stands in `missing`; an old flow or rate stays beside it, with its date."""
    asset, leverage = coin_of(told.asset), known.leverage
    flows, missing = _flows(told.asset, known)
    oi = confirm(asset, known.held, told, leverage.missing if leverage else ())
    funding = funding_now(leverage) if leverage else None
    risk = known.risk if known.risk is not None and known.risk.score is not None else None
    pieces = {"open_interest": oi, "funding": funding, "risk": risk}
    missing |= {name: _why(name, known) for name, piece in pieces.items() if piece is None}
    if oi is not None and oi.share is None:
        missing["share"] = _unshared(oi, known.held, told)
    if known.rates is None or not known.rates.fresh:
        missing["rates"] = (known.rates.reason if known.rates else "") or known.missing.get("rates", _UNTOLD)
    return Context(
        asset=asset,
        oi=oi,
        funding=funding,
        risk=risk,
        flows=flows,
        rates=known.rates,
        divergence=divergence(told.side, flows, told.forced_24h_usd),
        missing={name: why for name, why in missing.items() if name.partition(" ")[0] not in known.unasked},
    )


def funding_now(leverage: Leverage) -> FundingNow | None:
    """What longs pay shorts now, as old as the oldest venue in it; None where no venue tells it."""
    telling = [venue for venue in leverage.venues if venue.funding_8h is not None and venue.funding_at is not None]
    # where open interest is known of some, the others have no weight
    paying = [venue for venue in telling if venue.oi_usd is not None] or telling
    if leverage.funding_8h is None or not paying:
        return None
    return FundingNow(
        asset=leverage.asset,
        rate_8h=leverage.funding_8h,
        percentile=leverage.funding_pct,
        days=leverage.funding_days,
        crowded=_crowded(leverage),
        venues=tuple(venue.venue for venue in paying),
        at=min(venue.funding_at for venue in paying if venue.funding_at is not None),
    )


def _crowded(leverage: Leverage) -> Side | None:
    rate, rank = leverage.funding_8h, leverage.funding_pct
    if rate is None or rank is None or leverage.funding_days < LEAST_DAYS:
        return None
    if rate < 0 and rank <= CROWDED:
        return Side.SHORT
    return Side.LONG if rate > 0 and rank >= 1 - CROWDED else None


def _flows(asset: str, known: Known) -> tuple[tuple[EtfFlow, ...], dict[str, str]]:
    """The flows of an alert's asset, coins checked, and what is missing of them."""
    by_asset = {flow.asset: flow for flow in known.flows}
    found, missing = list[EtfFlow](), dict[str, str]()
    for name in with_etfs(asset):
        if name not in by_asset:
            missing[f"etf {name}"] = known.missing.get(f"etf {name}", _UNTOLD)
            continue
        flow, why = unit_checked(by_asset[name], known.marks.get(name))
        found.append(flow)
        missing |= {f"etf {name} units": why} if why else {}
    day = of_one_day(found)
    missing |= {f"etf {flow.asset}": _unused(flow, day) for flow in found if flow not in day}
    return tuple(found), missing


def _unused(flow: EtfFlow, day: Sequence[EtfFlow]) -> str:
    """Why a flow is not in the rule."""
    if not flow.fresh:
        return flow.reason or f"nothing is published since {flow.date}"
    if not flow.complete:
        return f"not all funds have reported {flow.date}"
    return f"{flow.date} is published, and the others' {day[0].date}"


def _why(name: str, known: Known) -> str:
    if reason := known.missing.get(name):
        return reason
    leverage = known.leverage
    if name == "risk" and known.risk is not None:
        return known.risk.reason or _UNTOLD
    if leverage is None:
        return _UNTOLD
    if leverage.missing:
        return "; ".join(f"{venue}: {reason}" for venue, reason in leverage.missing.items())
    return "not known before the onset" if name == "open_interest" and leverage.oi_usd is not None else _UNTOLD


def _unshared(oi: OiMove, held: Sequence[Pair], told: Situation) -> str:
    """Why liquidations are not told as a part of open interest."""
    if told.venues is None:
        return "liquidations are not known by venue"
    if not told.venues:
        return "nothing was liquidated in the hour"
    if not common(held, told.venues):
        counted, known = ", ".join(sorted(told.venues)), ", ".join(oi.venues)
        return f"liquidations are counted of {counted}, open interest is known of {known}"
    return _UNTOLD
