"""Words people read: an alert as one sentence in English and Chinese. Pure; sends nothing, decides nothing."""

from datetime import UTC, datetime

from service.model import ALL, Alert, Kind, Phase, Side, Words

_KIND_EN = {Kind.SHORT_SQUEEZE: "Short squeeze", Kind.LONG_FLUSH: "Long flush"}
_KIND_ZH = {Kind.SHORT_SQUEEZE: "轧空", Kind.LONG_FLUSH: "多头踩踏"}
_SIDE_EN = {Side.SHORT: "shorts", Side.LONG: "longs"}
_SIDE_ZH = {Side.SHORT: "空单", Side.LONG: "多单"}
_UNITS_EN = ((1e9, "B", 2), (1e6, "M", 1), (1e3, "k", 0))
_WAN, _YI = 1e4, 1e8
#: From here on a whole percent would read as "all" what is not all.
_NEARLY_ALL = 0.95
_NOT_ALL = 99.9


def usd_en(usd: float) -> str:
    """Dollars as a trader reads them: $950k, $104.2M, $1.04B."""
    for size, unit, digits in _UNITS_EN:
        if usd >= size * (1 - 0.5 * 10 ** -(digits + 3)):
            return f"${usd / size:,.{digits}f}{unit}"
    return f"${usd:,.0f}"


def usd_zh(usd: float) -> str:
    """Dollars in Chinese myriads: 95万美元, 1.04亿美元."""
    if usd >= _YI:
        return f"{usd / _YI:,.2f}亿美元"
    if usd >= _WAN:
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


def _english(alert: Alert) -> str:
    market = "whole market" if alert.asset == ALL else alert.asset
    head = f"{_KIND_EN[alert.kind]}, {market}"
    parts = [f"{head}{_verb_en(alert)}."]
    if alert.phase is not Phase.CLOSED:
        parts.append(_where_en(alert))
    parts.append(_sure_en(alert))
    return ("SIMULATION. " if alert.simulated else "") + " ".join(part for part in parts if part)


def _verb_en(alert: Alert) -> str:
    floor = "at least " if alert.at_least else ""
    usd = usd_en(alert.long_usd + alert.short_usd)
    if alert.phase is Phase.CLOSED:
        peak = f"its peak hour was {floor}{usd_en(alert.peak_usd)}; the last hour is down to {floor}{usd}"
        return f": over since {clock_utc(alert.at)}, opened {clock_utc(alert.started_at)}; {peak}"
    verb = ", growing: " if alert.phase is Phase.GREW else ": "
    return f"{verb}{floor}{usd} liquidated in the last hour, {_side_share(alert)} {_SIDE_EN[alert.side]}"


def _where_en(alert: Alert) -> str:
    top = _tops(alert)
    if not top:
        return ""
    largest = alert.largest
    biggest = f"; largest order {usd_en(largest.usd)} ({largest.venue} {largest.symbol})" if largest else ""
    return f"Most on {top[0][0]} {usd_en(top[0][1])}, most in {top[1][0]} {usd_en(top[1][1])}{biggest}."


def _sure_en(alert: Alert) -> str:
    coverage = alert.coverage
    if coverage is None:
        return ""
    heard = f"{coverage.venues_live} of {coverage.venues} venues live"
    if coverage.seconds_share is not None:
        heard += f", {percent(coverage.seconds_share)} of the hour heard"
    sampled = "; some feeds show only part, so the true sum is higher" if alert.at_least else ""
    return f"{heard}{sampled}."


def _chinese(alert: Alert) -> str:
    market = "全市场" if alert.asset == ALL else alert.asset
    parts = [f"{market}{_KIND_ZH[alert.kind]}{_verb_zh(alert)}。"]
    if alert.phase is not Phase.CLOSED:
        parts.append(_where_zh(alert))
    parts.append(_sure_zh(alert))
    return ("【模拟数据】" if alert.simulated else "") + "".join(parts)


def _verb_zh(alert: Alert) -> str:
    floor = "至少" if alert.at_least else ""
    usd = usd_zh(alert.long_usd + alert.short_usd)
    if alert.phase is Phase.CLOSED:
        peak = f"峰值一小时{floor}{usd_zh(alert.peak_usd)}，最近一小时已降至{floor}{usd}"
        return f"已于{clock_utc(alert.at)}结束（{clock_utc(alert.started_at)}开始）：{peak}"
    verb = "仍在扩大：" if alert.phase is Phase.GREW else "："
    return f"{verb}最近一小时爆仓{floor}{usd}，{_SIDE_ZH[alert.side]}占{_side_share(alert)}"


def _where_zh(alert: Alert) -> str:
    top = _tops(alert)
    if not top:
        return ""
    largest = alert.largest
    biggest = f"；最大单笔{usd_zh(largest.usd)}（{largest.venue} {largest.symbol}）" if largest else ""
    return f"交易所以{top[0][0]}最多（{usd_zh(top[0][1])}），合约以{top[1][0]}最多（{usd_zh(top[1][1])}）{biggest}。"


def _sure_zh(alert: Alert) -> str:
    coverage = alert.coverage
    if coverage is None:
        return ""
    heard = f"{coverage.venues}家交易所中{coverage.venues_live}家在线"
    if coverage.seconds_share is not None:
        heard += f"，覆盖该小时的{percent(coverage.seconds_share)}"
    sampled = "；部分数据源只公布一部分，实际金额更高" if alert.at_least else ""
    return f"{heard}{sampled}。"


def _side_share(alert: Alert) -> str:
    if alert.share is None:
        return "?"
    return percent(alert.share if alert.side is Side.SHORT else 1 - alert.share)


def _tops(alert: Alert) -> list[tuple[str, float]]:
    if not alert.venues or not alert.symbols:
        return []
    return [max(names.items(), key=lambda item: item[1]) for names in (alert.venues, alert.symbols)]
