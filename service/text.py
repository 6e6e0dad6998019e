"""Words people read: an alert as one sentence in English and Chinese. Pure; sends nothing, decides nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime

from service.model import ALL, Alert, Coverage, Kind, Phase, Side, Words

_KIND_EN = {Kind.SHORT_SQUEEZE: "short squeeze", Kind.LONG_FLUSH: "long flush"}
_KIND_ZH = {Kind.SHORT_SQUEEZE: "轧空", Kind.LONG_FLUSH: "多头踩踏"}
_SIDE_EN = {Side.SHORT: "shorts", Side.LONG: "longs"}
_SIDE_ZH = {Side.SHORT: "空单", Side.LONG: "多单"}
_UNITS_EN = ((1e9, "B", 2), (1e6, "M", 1), (1e3, "k", 0))
_THOUSAND, _WAN, _YI = 1_000, 10_000, 100_000_000
#: From here on a whole percent would read as "all" what is not all.
_NEARLY_ALL = 0.95
_NOT_ALL = 99.9
#: What was heard only later is told from here on; less would read as 0%.
_WORTH_SAYING = 0.01
#: Below this the reader must know first how little was heard.
_MUCH_HEARD = 0.9


def usd_en(usd: float) -> str:
    """Dollars as a trader reads them: $950k, $104.2M, $1.04B; never $1,000k."""
    for size, unit, digits in _UNITS_EN:
        smaller = size / 1_000
        if round(usd / smaller, 1 if smaller > _THOUSAND else 0) >= _THOUSAND:
            return f"${usd / size:,.{digits}f}{unit}"
    return f"${usd:,.0f}"


def usd_zh(usd: float) -> str:
    """Dollars in Chinese myriads: 95万美元, 1.04亿美元; never 10,000万美元."""
    if round(usd / _WAN) >= _WAN:
        return f"{usd / _YI:,.2f}亿美元"
    if round(usd) >= _WAN:
        return f"{usd / _WAN:,.0f}万美元"
    return f"{usd:,.0f}美元"


def percent(share: float) -> str:
    """A share in percent; one decimal where whole numbers would hide the difference from all."""
    if _NEARLY_ALL <= share < 1:
        return f"{min(100 * share, _NOT_ALL):.1f}%"
    return f"{100 * share:.0f}%"


def clock_utc(at: int) -> str:
    """A time (ms UTC) as 22:14 UTC."""
    return datetime.fromtimestamp(at / 1_000, UTC).strftime("%H:%M UTC")


def stamp_utc(at: int) -> str:
    """A time (ms UTC) with its date, as 2026-01-13 22:14 UTC."""
    return datetime.fromtimestamp(at / 1_000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def why(alert: Alert) -> Words:
    """What happened, how much, how sure; numbers as the alert carries them."""
    return Words(en=_english(alert), zh=_chinese(alert))


def brief(alert: Alert) -> str:
    """The size of it in half a line, for lists."""
    return f"{'at least ' if alert.at_least else ''}{usd_en(alert.long_usd + alert.short_usd)}, {_share_en(alert)}"


def _english(alert: Alert) -> str:
    parts = ["SIMULATION." if alert.simulated else "", _unheard_en(alert), _event_en(alert)]
    if alert.phase is not Phase.CLOSED:
        parts.append(_where_en(alert))
    parts.append(_sure_en(alert))
    return " ".join(part for part in parts if part)


def _event_en(alert: Alert) -> str:
    floor, since, at = _floor_en(alert), clock_utc(alert.started_at), clock_utc(alert.at)
    usd = usd_en(alert.long_usd + alert.short_usd)
    kind, market = _KIND_EN[alert.kind], _market_en(alert)
    match alert.phase:
        case Phase.CLOSED:
            peak = f"peak hour {floor}{usd_en(alert.peak_usd)}, last hour now {floor}{usd}"
            return f"{kind.capitalize()} over, {market}: {since} to {at}, {peak}."
        case Phase.GREW:
            return f"{at} {kind} growing since {since}, {market}: {floor}{usd} liquidated in 1 h, {_share_en(alert)}."
        case _:
            return f"{at} {kind}, {market}: {floor}{usd} liquidated in 1 h, {_share_en(alert)}."


def _where_en(alert: Alert) -> str:
    top = _tops(alert)
    if not top:
        return ""
    (venue, on_venue), (contract, in_contract) = top
    parts = [f"Most on {venue} {usd_en(on_venue)}", f"by contract name {contract} {usd_en(in_contract)}"]
    if largest := alert.largest:
        parts.append(f"largest order {usd_en(largest.usd)} {largest.side} ({largest.venue} {largest.symbol})")
    return "; ".join(parts) + "."


def _sure_en(alert: Alert) -> str:
    coverage = alert.coverage
    if coverage is None:
        return ""
    parts = [f"{coverage.venues_live} of {coverage.venues} venues live"]
    if coverage.seconds_share is not None:
        parts[0] += f", {percent(coverage.seconds_share)} of the hour heard"
    if (coverage.healed_share or 0) >= _WORTH_SAYING:
        parts[0] += f" ({percent(coverage.healed_share or 0)} of it only later, from the venues' history)"
    if deaf := _deaf(coverage):
        parts.append(f"least heard {deaf}")
    if coverage.leaving_out:
        parts.append(f"{_listed(coverage.leaving_out, ' and ')} show only part of theirs, so the true sum is higher")
    elif alert.at_least:
        parts.append("what was not heard is missing")
    return "; ".join(parts) + "."


def _unheard_en(alert: Alert) -> str:
    share = _little_heard(alert)
    return "" if share is None else f"Only {percent(share)} of the hour heard!"


def _chinese(alert: Alert) -> str:
    parts = ["【模拟数据】" if alert.simulated else "", _unheard_zh(alert), _event_zh(alert)]
    if alert.phase is not Phase.CLOSED:
        parts.append(_where_zh(alert))
    parts.append(_sure_zh(alert))
    return "".join(parts)


def _event_zh(alert: Alert) -> str:
    floor, since, at = _floor_zh(alert), clock_utc(alert.started_at), clock_utc(alert.at)
    usd = usd_zh(alert.long_usd + alert.short_usd)
    kind, market = _KIND_ZH[alert.kind], _market_zh(alert)
    match alert.phase:
        case Phase.CLOSED:
            peak = f"峰值一小时{floor}{usd_zh(alert.peak_usd)}，最近一小时{floor}{usd}"
            return f"{market}{kind}结束（{since}至{at}）：{peak}。"
        case Phase.GREW:
            return f"{at}，{market}{kind}自{since}起仍在扩大：近1小时爆仓{floor}{usd}，{_share_zh(alert)}。"
        case _:
            return f"{at}，{market}{kind}：近1小时爆仓{floor}{usd}，{_share_zh(alert)}。"


def _where_zh(alert: Alert) -> str:
    top = _tops(alert)
    if not top:
        return ""
    (venue, on_venue), (contract, in_contract) = top
    parts = [f"{venue}最多，{usd_zh(on_venue)}", f"按合约名{contract}最多，{usd_zh(in_contract)}"]
    if largest := alert.largest:
        side = _SIDE_ZH[largest.side]
        parts.append(f"最大单笔{side}{usd_zh(largest.usd)}（{largest.venue} {largest.symbol}）")
    return "；".join(parts) + "。"


def _sure_zh(alert: Alert) -> str:
    coverage = alert.coverage
    if coverage is None:
        return ""
    parts = [f"{coverage.venues}家交易所中{coverage.venues_live}家在线"]
    if coverage.seconds_share is not None:
        parts[0] += f"，该小时已收到{percent(coverage.seconds_share)}"
    if (coverage.healed_share or 0) >= _WORTH_SAYING:
        parts[0] += f"（其中{percent(coverage.healed_share or 0)}为事后从交易所历史补录）"
    if deaf := _deaf(coverage):
        parts.append(f"缺失最多：{deaf}")
    if coverage.leaving_out:
        parts.append(f"{_listed(coverage.leaving_out, '和', '、')}只公布一部分，实际金额更高")
    elif alert.at_least:
        parts.append("未收到的部分未计入")
    return "；".join(parts) + "。"


def _deaf(coverage: Coverage) -> str:
    """The venue that was heard least, where that is news."""
    if not coverage.by_venue:
        return ""
    name, share = min(coverage.by_venue.items(), key=lambda pair: pair[1])
    return f"{name} {percent(share)}" if share < _MUCH_HEARD else ""


def _listed(names: Sequence[str], last: str, between: str = ", ") -> str:
    """a, b and c."""
    return last.join(filter(None, (between.join(names[:-1]), names[-1])))


def _unheard_zh(alert: Alert) -> str:
    share = _little_heard(alert)
    return "" if share is None else f"该小时只收到{percent(share)}！"


def _little_heard(alert: Alert) -> float | None:
    share = alert.coverage.seconds_share if alert.coverage else None
    return share if share is not None and share < _MUCH_HEARD else None


def _market_en(alert: Alert) -> str:
    if alert.asset != ALL:
        return alert.asset
    return f"all coins on {alert.coverage.venues} venues" if alert.coverage else "all coins recorded"


def _market_zh(alert: Alert) -> str:
    if alert.asset != ALL:
        return alert.asset
    return f"{alert.coverage.venues}家交易所全币种" if alert.coverage else "记录中全币种"


def _floor_en(alert: Alert) -> str:
    return "at least " if alert.at_least else ""


def _floor_zh(alert: Alert) -> str:
    return "至少" if alert.at_least else ""


def _share_en(alert: Alert) -> str:
    return f"{_side_share(alert)} {_SIDE_EN[alert.side]}"


def _share_zh(alert: Alert) -> str:
    return f"{_SIDE_ZH[alert.side]}占{_side_share(alert)}"


def _side_share(alert: Alert) -> str:
    if alert.share is None:
        return "unknown"
    return percent(alert.share if alert.side is Side.SHORT else 1 - alert.share)


def _tops(alert: Alert) -> list[tuple[str, float]]:
    if not alert.venues or not alert.symbols:
        return []
    return [max(names.items(), key=lambda item: item[1]) for names in (alert.venues, alert.symbols)]
