"""The published figures behind the demo, each with its source, and the sentence that says it is a simulation.

Owns numbers and texts; makes no order.
"""

from collections.abc import Mapping
from types import MappingProxyType

from service.model import Record, Words


class Figure(Record, frozen=True, kw_only=True):
    """One published number: whole dollars, and a sentence that says what it counts and who said it."""

    usd: int
    source: Words


def _figure(usd: int, en: str, zh: str) -> Figure:
    return Figure(usd=usd, source=Words(en=en, zh=zh))


FIGURES: Mapping[str, Figure] = MappingProxyType(
    {
        "main_hour": _figure(
            458_000_000,
            "News of 2026-01-14: $458M of positions were liquidated within 60 minutes.",
            "2026-01-14 新闻：60 分钟内爆仓 4.58 亿美元。",
        ),
        "main_hour_shorts": _figure(
            419_000_000,
            "News of 2026-01-14: $419M of that hour, 91.5 %, were shorts.",
            "2026-01-14 新闻：该小时中空单 4.19 亿美元，占 91.5%。",
        ),
        "main_hour_btc": _figure(
            118_900_000,
            "CoinGlass, 2026-01-13 22:00-23:00 UTC: $118.9M of BTC on Binance, Bybit and OKX, 91.7 % of it shorts.",
            "CoinGlass，2026-01-13 22:00-23:00 UTC：Binance、Bybit、OKX 的 BTC 爆仓 1.189 亿美元，91.7% 为空单。",
        ),
        "later_hour": _figure(
            104_000_000,
            "News of 2026-01-14: $104M of positions were liquidated in the last hour.",
            "2026-01-14 新闻：过去一小时爆仓 1.04 亿美元。",
        ),
        "later_hour_shorts": _figure(
            102_000_000,
            "News of 2026-01-14: $102M of that last hour, 98.1 %, were shorts.",
            "2026-01-14 新闻：其中空单 1.02 亿美元，占 98.1%。",
        ),
        "day_shorts": _figure(
            577_000_000,
            "News of 2026-01-14: $577M of shorts in 24 hours, the most since 2025-10-11 (UTC+8).",
            "2026-01-14 新闻：24 小时空单爆仓 5.77 亿美元，为 2025-10-11（UTC+8）以来最高。",
        ),
    }
)

#: Nobody published the longs of the other 22 hours; this much leaves every quiet hour far below any floor.
CALM_LONGS_USD = 75_000_000

NOTICE: Mapping[str, str] = MappingProxyType(
    {
        "en": "This is a simulation generated from published figures of 2026-01-13/14; no real order is in it.",
        "zh": "这是根据 2026-01-13/14 公开数字生成的模拟，其中没有任何真实订单。",
    }
)
