"""Where it came from and what stood beside it, in Chinese: venues, coins, orders, who was first, price, calendar."""

from service.model import Alert, Phase, PriceMove
from service.text import facts
from service.text.amounts import listed, percent, seconds, signed, usd_zh, when_utc
from service.text.chinese.nouns import SIDE, sentence


def where(alert: Alert) -> str:
    """How it is split and who was first. Of an episode that is over only the latter: its last hour splits nothing."""
    split = [] if alert.phase is Phase.CLOSED else [*_split(alert), _biggest(alert)]
    return sentence([*split, _lead(alert)])


def beside(alert: Alert) -> str:
    """Price, and whether it went the way of the forced orders; the calendar, which causes nothing."""
    calendar = f"恰逢{listed(alert.coincides, '和', '、')}" if alert.coincides else ""
    return sentence([_price(alert.price) if alert.price else "", calendar])


def _price(price: PriceMove) -> str:
    move = f"{price.asset} {signed(price.move_pct, 1)}%"
    if price.confirms is None:
        return f"价格尚不明朗：{move}"
    return f"价格印证：{move}" if price.confirms else f"价格反向变动（{move}）：请检查数据源"


def _split(alert: Alert) -> list[str]:
    top, coin = facts.tops(alert), facts.top_asset(alert)
    if not top:
        return []
    (venue, on_venue), (contract, in_contract) = top
    at, of = f"{venue}最多，{usd_zh(on_venue)}", f"币种中{coin[0]}最多，{usd_zh(coin[1])}" if coin else ""
    match alert.pattern:
        case "market_wide":
            at = f"遍及全市场，{at}"
        case "single_venue" if share := facts.part(on_venue, alert):
            at = f"集中于{venue}一家，占{percent(share)}"
        case "single_asset" if coin and (share := facts.part(coin[1], alert)):
            of = f"集中于{coin[0]}一个币种，占{percent(share)}"
    return [at, of, f"按合约名{contract}最多，{usd_zh(in_contract)}"]


def _biggest(alert: Alert) -> str:
    largest, whale = alert.largest, facts.whale(alert)
    if largest is None:
        return "主要由少数大单构成" if whale else ""
    order = f"{SIDE[largest.side]}{usd_zh(largest.usd)}（{largest.venue} {largest.symbol}）"
    share = facts.part(largest.usd, alert) if whale else None
    return f"最大单笔{order}" if share is None else f"单笔即占{percent(share)}：{order}"


def _lead(alert: Alert) -> str:
    lead = alert.lead
    if lead is None:
        return ""
    if lead.venue is None:
        return "" if lead.within_s is None else f"各交易所在{seconds(lead.within_s)}秒内同时启动"
    known = [
        "" if lead.at is None else when_utc(lead.at, alert.at),
        f"以{lead.symbol}为主" if lead.symbol else "",
        "" if lead.share is None else f"占金额{percent(lead.share)}",
    ]
    details = "，".join(part for part in known if part)
    return f"{lead.venue}最先启动{details and f'（{details}）'}"
