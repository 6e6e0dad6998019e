"""The evening the house was built for, from its published figures alone: 2026-01-13 in UTC, the fourteenth in China.

$458M in 60 minutes, $419M of it shorts; then the hour of the article, $104M with $102M of shorts; $577M of shorts in
24 h, the most since October. The orders are made so that they add up to these; how they are spread is invented.
"""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import cycle
from typing import Any

import msgspec
import pytest

from service import tape
from service.detector import Rules
from service.detector.certainty import wilson
from service.ledger.memory import MemoryLedger
from service.model import ALL, HOUR, MINUTE, SECOND, Alert, Kind, Phase, Severity, Side
from service.replay import Replay
from service.tape import Row
from tests.recorded import published
from tests.shared import recorded

_MARKETS = [
    ("binance", "BTCUSDT"),
    ("bybit", "ETHUSDT"),
    ("okx", "BTC-USDT-SWAP"),
    ("bybit", "BTCUSDT"),
    ("okx", "SOL-USDT-SWAP"),
]
#: Sizes of orders beside each other, so that the share is not told by equal ones.
_WEIGHTS = (1, 2, 1, 5, 1, 12, 3)


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


MAIN, ARTICLE = ms("2026-01-13T22:00"), ms("2026-01-13T23:00")


def spread(side: Side, usd: float, since: int, until: int, count: int) -> Iterator[Row]:
    """So many dollars in orders from `since` on, the last one a second before `until`; to the cent."""
    weights = [weight for weight, _ in zip(cycle(_WEIGHTS), range(count), strict=False)]
    step = (until - SECOND - since) / max(1, count - 1)
    left = usd
    for number, (weight, market) in enumerate(zip(weights, cycle(_MARKETS), strict=False)):
        at = until - SECOND - round((count - 1 - number) * step)
        own = round(usd * weight / sum(weights), 2) if number < count - 1 else round(left, 2)
        left -= own
        yield Row(at=at, venue=market[0], symbol=market[1], side=side, usd=own)


def past() -> list[Row]:
    """The two days the memory holds: 2456M of shorts until 2025-10-10 21:15, 322M until the sixth of January."""
    october = spread(Side.SHORT, 2456e6, ms("2025-10-10T20:50"), ms("2025-10-10T21:15"), 300)
    january = spread(Side.SHORT, 322e6, ms("2026-01-05T20:00"), ms("2026-01-06T02:00"), 100)
    return [*october, *january]


def evening() -> list[Row]:
    """56M of shorts over the day, then the main hour, which ends with a large order, then the article's."""
    rows = [
        *spread(Side.SHORT, 56e6, ms("2026-01-13T08:00"), MAIN, 840),
        *spread(Side.LONG, 50e6, ms("2026-01-13T08:00"), MAIN, 840),
        *spread(Side.SHORT, 407e6, MAIN, ARTICLE - 5 * SECOND, 600),
        *spread(Side.LONG, 39e6, MAIN, ARTICLE - 5 * SECOND, 100),
        Row(at=ARTICLE - SECOND, venue="binance", symbol="BTCUSDT", side=Side.SHORT, usd=12e6),
        *spread(Side.LONG, 2e6, ARTICLE, ARTICLE + HOUR - 5 * SECOND, 60),
        *spread(Side.SHORT, 102e6, ARTICLE, ARTICLE + HOUR, 300),
    ]
    return sorted(rows, key=lambda row: row.at)


async def replayed(rows: list[Row], before: list[Row]) -> list[Alert]:
    """A replay on a ledger that knows of days before."""
    ledger, alerts = MemoryLedger(), list[Alert]()
    for row in before:
        await ledger.add([tape.liquidation(row)], row.at)
    await Replay(rows, ledger, Rules(), alerts.append).run(asyncio.Event(), lambda _: None)
    return alerts


_KNOWN: list[Alert] = []


async def of_the_evening() -> list[Alert]:
    if not _KNOWN:
        _KNOWN.extend(alert for alert in await replayed(evening(), past()) if alert.asset == ALL)
    return _KNOWN


def shown(alert: Alert) -> dict[str, Any]:
    """The alert as a program reads it."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(alert))
    return found


async def test_the_evening_is_one_short_squeeze_that_opens_in_its_first_minutes():
    alerts = await of_the_evening()

    assert {(alert.episode, alert.kind) for alert in alerts} == {(alerts[0].episode, Kind.SHORT_SQUEEZE)}
    assert alerts[0].phase is Phase.OPENED
    assert MAIN < alerts[0].at < MAIN + 3 * MINUTE
    assert alerts[0].short_usd < 0.05 * 419e6
    [crossed] = [alert for alert in alerts if alert.crossed_usd is not None]
    assert (crossed.crossed_usd, crossed.grade) == (100e6, 2)


async def test_the_main_hour_is_severe_and_its_share_has_an_interval():
    main = shown(next(alert for alert in await of_the_evening() if alert.at == ARTICLE - SECOND))

    assert main["short_usd"] == pytest.approx(419e6, abs=1)
    assert main["long_usd"] + main["short_usd"] == pytest.approx(458e6, abs=1)
    assert (main["grade"], main["severity"]) == (3, Severity.CRITICAL)
    low, high = wilson(419 / 458, main["certainty"]["n_eff"])
    assert (main["certainty"]["low"], main["certainty"]["high"]) == pytest.approx((low, high), abs=1e-5)
    assert "severe short squeeze" in main["why"]["en"]
    assert "at least $458.0M liquidated in 1 h, 91% shorts (87–95%)" in main["why"]["en"]
    assert "严重轧空" in main["why"]["zh"]
    assert "4.58亿美元" in main["why"]["zh"]


async def test_the_articles_hour_is_told_with_its_share_and_interval_beside_the_main_hour_it_is_not():
    told = (await of_the_evening())[-1]
    article = shown(told)

    assert told.at == ARTICLE + HOUR - SECOND
    assert article["short_usd"] == pytest.approx(102e6, abs=1)
    assert article["long_usd"] + article["short_usd"] == pytest.approx(104e6, abs=1)
    assert round(article["share"], 3) == 0.981
    assert article["certainty"]["type"] == "one_sided"
    assert article["certainty"]["low"] < article["share"] < article["certainty"]["high"]
    assert article["certainty"]["low"] > 0.9
    assert article["peak_usd"] == article["course"]["peak_hour_usd"] == pytest.approx(458e6, abs=1)
    assert article["course"]["peak_hour_at"] == ARTICLE - SECOND
    day = 104e6 + 458e6 + 106e6
    assert article["course"]["share_of_day"] == pytest.approx(458e6 / day, abs=1e-3)
    assert "at least $104.0M liquidated in 1 h, 98.1% shorts (94–99.4%)" in article["why"]["en"]
    assert "Peak hour at least $458.0M until 22:59 UTC, 69% of the last 24 h" in article["why"]["en"]
    assert "空单占98.1%（94–99.4%）" in article["why"]["zh"]
    assert "峰值一小时至少4.58亿美元" in article["why"]["zh"]


async def test_577_million_of_shorts_in_24_h_are_the_most_since_the_tenth_which_in_china_was_the_eleventh():
    article = shown((await of_the_evening())[-1])
    record = article["record"]

    assert (record["measure"], record["running"]) == ("24h short", True)
    assert record["now_usd"] == pytest.approx(577e6, abs=1)
    assert record["usd"] == pytest.approx(2456e6, abs=1)
    assert (record["largest_since"], record["zone_date"], record["zone"]) == ("2025-10-10", "2025-10-11", "UTC+8")
    # the hours of October were counted before anybody noted by which rules
    assert record["comparable"] is False
    assert (
        "Already the largest 24 h of shorts since 2025-10-10 (UTC), 2025-10-11 in UTC+8 "
        "(at least $577.0M now, $2.46B counted differently then)."
    ) in article["why"]["en"]
    assert "已是2025-10-10（UTC，UTC+8为2025-10-11）以来最大的24小时空单爆仓" in article["why"]["zh"]
    assert "目前至少5.77亿美元，当时24.56亿美元" in article["why"]["zh"]


async def test_on_the_way_the_sixth_of_january_is_named_until_its_322_million_are_passed():
    named = [(alert.record.now_usd, alert.record.largest_since) for alert in await of_the_evening() if alert.record]

    assert named[0][1] == "2026-01-06"
    assert all(date == "2026-01-06" for usd, date in named if usd < 80e6)
    assert all(date == "2025-10-10" for usd, date in named if usd > 322e6)


async def test_the_articles_hour_by_itself_is_major_and_the_main_hour_by_itself_is_severe():
    rows = evening()
    hours = {
        since: [row for row in rows if since <= row.at < since + HOUR and row.at >= MAIN] for since in (MAIN, ARTICLE)
    }
    grades = {}
    for since, own in hours.items():
        alerts = [alert for alert in await replayed(own, []) if alert.asset == ALL]
        grades[since] = (alerts[-1].grade, alerts[-1].kind)

    assert grades == {MAIN: (3, Kind.SHORT_SQUEEZE), ARTICLE: (2, Kind.SHORT_SQUEEZE)}


#: Published peak hours in millions of dollars, the side, and the grade of the ladder.
PEAK_HOURS = {
    "2021-12-04": (600, "long", 3),
    "2024-12-05": (284, "long", 2),
    "2025-09-22": (1000, "long", 4),
    "2025-10-10": (7000, "long", 5),
    "2026-01-13": (458, "short", 3),
    "2026-01-13-seed": (104, "short", 2),
    "2026-01-24": (149, "short", 2),
}


@pytest.mark.parametrize(("musd", "side", "wanted"), PEAK_HOURS.values(), ids=PEAK_HOURS)
async def test_every_published_peak_hour_gets_the_grade_of_the_ladder(musd, side, wanted):
    rows = list(spread(Side(side), musd * 1e6, MAIN, ARTICLE, 240))
    rows += [msgspec.structs.replace(rows[-1], at=ARTICLE + 3 * HOUR, usd=1.0)]
    alerts = [alert for alert in await replayed(rows, []) if alert.asset == ALL]

    assert {alert.episode for alert in alerts} == {alerts[0].episode}
    assert (alerts[-1].phase, alerts[-1].side, alerts[-1].grade) == (Phase.CLOSED, side, wanted)
    assert alerts[-1].peak_usd == pytest.approx(musd * 1e6, rel=1e-6)


def test_no_published_peak_hour_is_left_out():
    recorded("research/events.csv")

    listed = {one.name: (one.hour_musd, one.side) for one in published() if one.hour_musd is not None}
    assert listed == {name: (musd, side) for name, (musd, side, _) in PEAK_HOURS.items()}
