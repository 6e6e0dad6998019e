"""Where it came from and what stood beside it, in English: venues, coins, orders, who was first, price, calendar."""

from service.model import Alert, Phase, PriceMove
from service.text import facts
from service.text.amounts import listed, percent, seconds, signed, usd_en, when_utc
from service.text.english.nouns import sentence


def where(alert: Alert) -> str:
    """How it is split and who was first. Of an episode that is over only the latter: its last hour splits nothing."""
    split = [] if alert.phase is Phase.CLOSED else [*_split(alert), _biggest(alert)]
    return sentence([*split, _lead(alert)])


def beside(alert: Alert) -> str:
    """Price, and whether it went the way of the forced orders; the calendar, which causes nothing."""
    calendar = f"coincides with {listed(alert.coincides, ' and ')}" if alert.coincides else ""
    return sentence([_price(alert.price) if alert.price else "", calendar])


def _price(price: PriceMove) -> str:
    move = f"{price.asset} {signed(price.move_pct, 1)}%"
    if price.confirms is None:
        return f"price undecided: {move}"
    return f"price confirms: {move}" if price.confirms else f"price moved the other way ({move}): check the feed"


def _split(alert: Alert) -> list[str]:
    top, coin = facts.tops(alert), facts.top_asset(alert)
    if not top:
        return []
    (venue, on_venue), (contract, in_contract) = top
    at, of = f"most on {venue} {usd_en(on_venue)}", f"by coin {coin[0]} {usd_en(coin[1])}" if coin else ""
    match alert.pattern:
        case "market_wide":
            at = f"market-wide, {at}"
        case "single_venue" if share := facts.part(on_venue, alert):
            at = f"one venue, {venue}, has {percent(share)} of it"
        case "single_asset" if coin and (share := facts.part(coin[1], alert)):
            of = f"one coin, {coin[0]}, has {percent(share)} of it"
    return [at, of, f"by contract name {contract} {usd_en(in_contract)}"]


def _biggest(alert: Alert) -> str:
    largest, whale = alert.largest, facts.whale(alert)
    if largest is None:
        return "few large orders carry it" if whale else ""
    order = f"{usd_en(largest.usd)} {largest.side} ({largest.venue} {largest.symbol})"
    share = facts.part(largest.usd, alert) if whale else None
    return f"largest order {order}" if share is None else f"one order is {percent(share)} of it: {order}"


def _lead(alert: Alert) -> str:
    lead = alert.lead
    if lead is None:
        return ""
    if lead.venue is None:
        return "" if lead.within_s is None else f"venues went together within {seconds(lead.within_s)} s"
    known = [
        "" if lead.at is None else f"at {when_utc(lead.at, alert.at)}",
        f"mostly {lead.symbol}" if lead.symbol else "",
        "" if lead.share is None else f"{percent(lead.share)} of the dollars",
    ]
    details = ", ".join(part for part in known if part)
    return f"first was {lead.venue}{details and f' ({details})'}"
