"""What the street tells Prometheus: bounded whatever the market does, and nothing where nothing is known."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from service import metrics
from service.detector import Gauge as Signals
from service.detector import Open, Rules, State
from service.ledger.memory import MemoryLedger
from service.ledger.redis import RedisLedger
from service.model import (
    ALL,
    HOUR,
    MINUTE,
    SECOND,
    Alert,
    Completeness,
    FeedState,
    Kind,
    Lead,
    Liquidation,
    Phase,
    Severity,
    Side,
)
from service.pipeline import Cover, Health, Heard, Judge, Recent
from service.pipeline.memory import process_bytes
from service.pipeline.meters import Meters
from service.pipeline.quotes import OLDEST_MS, Quotes
from service.pipeline.sheet import Sheet
from service.venues import VENUES
from tests.court import judge_over
from tests.orders import T0, order

TOP = 20
#: More sockets than any venue plans for 800 contracts.
SOCKETS = 12


def samples(metric: Gauge) -> dict[tuple[str, ...], float]:
    """Values by their labels."""
    return {tuple(one.labels.values()): one.value for one in next(iter(metric.collect())).samples}


@pytest.fixture(autouse=True)
def _blank() -> Iterator[None]:
    """The gauges are the process's: what another test left in them is none of ours."""
    gauges = [one for one in vars(metrics).values() if isinstance(one, Gauge) and one._labelnames]
    for one in gauges:
        one.clear()
    yield
    for one in gauges:
        one.clear()


class Street:
    """Ledger, judge and meters of some venues, without sockets and queue."""

    def __init__(self, venues: Iterable[str] = ("bybit", "okx"), ledger: Any = None) -> None:
        self.venues = list(venues)
        self.ledger = ledger or MemoryLedger()
        self.recent = Recent(self.ledger)
        self.judge: Judge = judge_over(self.ledger, Rules(), recent=self.recent)
        self.meters = Meters(TOP, self.judge, self.recent)
        health = Health(
            {name: lambda _at: Completeness.COMPLETE for name in self.venues}, Heard(lambda _v, now: (0, now))
        )
        self.cover = Cover(self.ledger, health, lambda _asset: ())

    async def show(self, orders: Iterable[Liquidation] = (), now: int = T0, *, leads: bool = True) -> None:
        batch = list(orders)
        self.meters.written(batch, await self.ledger.add(batch, now), now)
        await self.recent.refresh(now)
        await self.cover.refresh(now)
        readings = await self.ledger.read([ALL, *await self.ledger.assets(now)], now)
        self.judge.look(readings)
        shown = {one.asset: one for one in readings}
        await self.meters.show(self.ledger, self.cover, self.venues, shown, now, leads=leads)


def opened(asset: str, **changes: Any) -> Open:
    """An open episode of shorts."""
    fields: dict[str, Any] = {
        "id": f"{asset}-1",
        "kind": Kind.SHORT_SQUEEZE,
        "side": Side.SHORT,
        "severity": Severity.WATCH,
        "started_at": T0,
        "said_usd": 1.0,
        "peak_usd": 1.0,
        "peak_at": T0,
        "alerts": 1,
        "onset": T0 - MINUTE,
    }
    return Open(**(fields | changes))


def told(asset: str = ALL, **changes: Any) -> Alert:
    """An alert of that episode."""
    fields: dict[str, Any] = {
        "id": f"{asset}-1.1",
        "episode": f"{asset}-1",
        "kind": Kind.SHORT_SQUEEZE,
        "phase": Phase.OPENED,
        "severity": Severity.WATCH,
        "asset": asset,
        "side": Side.SHORT,
        "span": "1h",
        "started_at": T0,
        "at": T0,
        "long_usd": 0.0,
        "short_usd": 9.0,
        "share": 1.0,
        "at_least": True,
        "peak_usd": 9.0,
        "rule": "hour",
        "grade": 0,
        "venues": {"okx": 6.0, "bybit": 3.0},
    }
    return Alert(**(fields | changes))


def size() -> tuple[int, int]:
    """(series, bytes) of /metrics."""
    body = generate_latest(metrics.REGISTRY)
    return sum(not line.startswith(b"#") for line in body.splitlines()), len(body)


async def crowded() -> None:
    """A day on which 800 coins are liquidated on every venue, each with an open episode."""
    street = Street(VENUES)
    coins = [f"COIN{number}" for number in range(800)]
    orders = [
        order(usd=1_000.0 + number, side=side, venue=venue, symbol=f"{coin}USDT", asset=coin, price=2.0)
        for number, coin in enumerate(coins)
        for venue in VENUES
        for side in Side
    ]
    street.judge.markets.lives = {
        coin: State(open=opened(coin, severity=list(Severity)[number % 3])) for number, coin in enumerate([ALL, *coins])
    }
    street.meters.alerted(told(coin) for coin in coins)
    for venue in VENUES:
        for number in range(SOCKETS):
            for state in FeedState:
                metrics.FEED_STATE.labels(venue, f"socket-{number}", state.value).set(0)
                metrics.FEED_CHANGES.labels(venue, f"socket-{number}", state.value).inc()
            for aged in (metrics.PONG_AGE, metrics.FRAME_AGE, metrics.CONTROL_AGE):
                aged.labels(venue, f"socket-{number}").set(1)

    await street.show(orders)


async def test_a_day_on_which_800_coins_are_liquidated_everywhere_fits_in_metrics() -> None:
    await crowded()

    series, bytes_ = size()
    assert 1_000 < series < 10_000
    assert bytes_ < 2_000_000
    for gauge in (metrics.WINDOW_USD, metrics.EPISODE_USD, metrics.PRICE_USD, metrics.EPISODE_GRADE):
        assert len({labels[0] for labels in samples(gauge)}) <= TOP + 2
    assert len(samples(metrics.ALERT_AT)) <= 10


async def test_markets_that_change_places_do_not_pile_up() -> None:
    street = Street()
    sizes = []
    for day in range(3):
        coins = [f"DAY{day}N{number}" for number in range(100)]
        street.judge.markets.lives = {coin: State(open=opened(coin)) for coin in coins}
        await street.show((order(asset=coin, at=T0 + day * 48 * HOUR) for coin in coins), T0 + day * 48 * HOUR)
        sizes.append(size()[0])
    assert sizes[1] == sizes[2]


async def test_an_episode_is_shown_while_it_is_open_and_leaves_nothing_behind() -> None:
    street = Street()
    street.judge.markets.lives = {ALL: State(open=opened(ALL, grade=3, fading=True, alerts=2))}
    street.meters.alerted([told(lead=Lead(venue="okx", symbol="X", at=T0, share=0.7, within_s=None))])
    await street.show([order(5e6), order(2e6, side=Side.LONG), order(1e6, at=T0 - HOUR)])

    shown = (ALL, "short_squeeze")
    assert samples(metrics.EPISODE_USD) == {(*shown, "watch"): 7e6}
    assert samples(metrics.EPISODE_TOTAL) == {shown: 5e6}, "its side, since the onset"
    assert samples(metrics.EPISODE_STARTED) == {shown: T0 / SECOND}
    assert samples(metrics.EPISODE_GRADE) == {(*shown, "watch", "grew", "fading"): 3}
    assert samples(metrics.EPISODE_LEAD) == {(*shown, "okx", "led"): 0.7}

    street.judge.markets.lives = {}
    await street.show(now=T0 + SECOND)

    for gauge in (metrics.EPISODE_USD, metrics.EPISODE_TOTAL, metrics.EPISODE_STARTED):
        assert samples(gauge) == {}
    assert samples(metrics.EPISODE_GRADE) == samples(metrics.EPISODE_LEAD) == {}
    assert samples(metrics.ALERT_AT) == {(*shown, "opened", "watch"): T0 / SECOND}, "what was said stays said"
    assert sum(samples(metrics.EPISODES).values()) == 0


async def test_where_nobody_led_the_first_venue_is_told_as_such() -> None:
    street = Street()
    street.judge.markets.lives = {ALL: State(open=opened(ALL))}
    together = Lead(venue=None, symbol=None, at=None, share=None, within_s=12.0, first_venue="bybit")
    street.meters.alerted([told(lead=together)])
    await street.show([order()])

    assert samples(metrics.EPISODE_LEAD) == {(ALL, "short_squeeze", "bybit", "first"): pytest.approx(1 / 3)}


async def test_a_coin_inside_a_larger_cascade_is_counted_and_not_listed() -> None:
    street = Street()
    before = metrics.ALERTS.labels("short_squeeze", "opened", "watch")._value.get()
    street.meters.alerted([told(), told("BTC", parent=f"{ALL}-1")])
    await street.show([order()])

    assert {labels[0] for labels in samples(metrics.ALERT_AT)} == {ALL}
    assert metrics.ALERTS.labels("short_squeeze", "opened", "watch")._value.get() == before + 2


async def test_signals_are_told_by_who_judges_and_only_once_the_market_is_known() -> None:
    street = Street()
    await street.show([order()])
    assert samples(metrics.SIGNAL_EARLY) == samples(metrics.USUAL_USD) == {}, "unknown is not zero"

    signals = street.judge.markets.gauges[ALL] = Signals(asset=ALL)
    for minute in range(24 * 60):
        for second in (0, 20, 40):
            signals.count(T0 + minute * MINUTE + second * SECOND, 1_000.0, short=second == 0)
    now = T0 + 24 * HOUR
    signals.advance(now, Rules())
    before = msgspec.json.encode(signals)
    await street.show([order(at=now)], now)

    assert samples(metrics.USUAL_USD)[ALL,] == pytest.approx(180_000, rel=0.3)
    assert 0 <= samples(metrics.SIGNAL_BREADTH)[ALL,] < 1
    assert samples(metrics.SIGNAL_EARLY)[ALL,] == 0
    assert set(samples(metrics.EXCITATION)) == {(ALL, "low"), (ALL, "high")}
    assert msgspec.json.encode(signals) == before, "looking changes nothing"

    await street.show(now=now + SECOND, leads=False)
    assert samples(metrics.SIGNAL_EARLY) == samples(metrics.EXCITATION) == {}


async def test_when_as_much_was_last_seen_is_told_and_so_is_that_it_never_was() -> None:
    street = Street()
    for day, usd in ((0, 9e6), (1, 2e6), (2, 4e6)):
        at = T0 + day * 24 * HOUR
        added = await street.ledger.add([order(usd=usd, at=at)], at)
        await street.judge._sources.boards.observe(added.readings, {})
    await street.show(now=T0 + 48 * HOUR)
    assert samples(metrics.AS_LARGE)[ALL, "1h", "seen"] == T0 / SECOND

    later = T0 + 49 * HOUR + MINUTE
    added = await street.ledger.add([order(usd=50e6, at=later)], later)
    await street.judge._sources.boards.observe(added.readings, {})
    await street.show(now=later)
    assert samples(metrics.AS_LARGE)[ALL, "1h", "unseen"] <= T0 / SECOND
    assert (ALL, "1h", "seen") not in samples(metrics.AS_LARGE)


async def priced(*orders: Liquidation, now: int = T0, asset: str = "BTC") -> float | None:
    ledger = MemoryLedger()
    await ledger.add(list(orders), now)
    recent = Recent(ledger)
    await recent.refresh(now)
    return Quotes(recent).price(asset, now)


async def test_a_price_is_that_of_one_contract_and_not_of_one_print() -> None:
    orders = [order(usd=number + 1, at=T0 - number, price=95_000.0 + number) for number in range(5)]
    other = order(venue="okx", symbol="BTC-USD-SWAP", price=99_000.0)
    odd = order(usd=77, at=T0, price=120_000.0)

    assert await priced(*orders, other, odd) == pytest.approx(95_000, rel=1e-3)
    assert await priced(*orders, asset=ALL) == pytest.approx(95_000, rel=1e-3), "of ALL that of BTC"


@pytest.mark.parametrize("symbol", ["1000PEPEUSDT", "kPEPE", "1MBABYDOGEUSDT", "SHIB1000USDT", "PF_1000PEPEUSD"])
async def test_the_price_of_a_lot_is_not_the_price_of_the_coin(symbol: str) -> None:
    assert await priced(order(symbol=symbol, price=0.006)) is None


@pytest.mark.parametrize("symbol", ["1INCHUSDT", "BTCUSDT", "BTC-USD-SWAP", "tBTCF0:USTF0", "PF_XBTUSD", "BTC_USDT"])
async def test_other_names_are_no_lots(symbol: str) -> None:
    assert await priced(order(symbol=symbol, price=7.0)) == 7.0


async def test_an_old_price_is_none() -> None:
    assert await priced(order(), now=T0 + OLDEST_MS) is None
    assert await priced(order(price=None)) is None


async def test_a_mark_stands_in_where_nothing_was_forced_to_trade() -> None:
    ledger = MemoryLedger()
    recent = Recent(ledger)
    quotes = Quotes(recent, lambda coin, at: 91_000.0 if (coin, at) == ("BTC", T0) else None)
    assert (quotes.price("BTC", T0), quotes.price(ALL, T0), quotes.price("ETH", T0)) == (91_000.0, 91_000.0, None)
    await ledger.add([order(price=95_000.0)], T0)
    await recent.refresh(T0)
    assert quotes.price("BTC", T0) == 95_000.0


def test_a_sheet_shows_what_was_written_last_and_nothing_unknown() -> None:
    gauge = Gauge("cascade_test_count", "For this test.", ["asset"], registry=CollectorRegistry())
    sheet = Sheet(gauge)
    sheet.write({("BTC",): 1.0, ("ETH",): 0.0, ("SOL",): None})
    assert samples(gauge) == {("BTC",): 1.0, ("ETH",): 0.0}
    sheet.write({("SOL",): 2.0})
    assert samples(gauge) == {("SOL",): 2.0}


async def test_memory_is_told_by_process_and_store_each_as_far_as_it_is_known(redis_ledger: RedisLedger) -> None:
    street = Street(ledger=redis_ledger)
    await street.show()
    found = samples(metrics.MEMORY)
    assert 1e6 < found["process",] < 1e11
    assert 1e5 < found["store",] < 1e11
    assert await MemoryLedger().used_bytes() is None


def test_where_nobody_tells_memory_is_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr("service.pipeline.memory._STATM", tmp_path / "absent")
    assert process_bytes() is None
