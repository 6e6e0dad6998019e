"""What the street does with the watchdog's verdict: state, reason, coverage, metrics; and all of it over real sockets."""

import asyncio
import contextlib
import json
import time

import httpx
import pytest

from service import metrics
from service.app import App
from service.clock import ScaledClock
from service.detector import Rules
from service.ledger.memory import MemoryLedger
from service.model import HOUR, MINUTE, FeedState, Side, SocketHealth
from service.pipeline import Cover, Health, Heard, Knobs, Parts, Pipeline, Recent
from service.pipeline.watch import Watch
from service.pipeline.watchdog import ENOUGH, Silence
from service.settings import load
from service.simulator import Faults, Market
from service.tape import Row
from tests.court import judge_over
from tests.crowd import RATES
from tests.orders import T0, order
from tests.stage import inside
from tests.test_pipeline import Frozen, complete

START = T0 - T0 % MINUTE
VENUES = ("binance", "bybit", "okx")
COINS = ("BTC", "ETH", "SOL", "XRP", "DOGE", "AVAX", "LINK", "DOT", "LTC", "ADA", "NEAR", "INJ")


def street(speed: float = 1.0) -> tuple[Health, Watch]:
    health = Health(dict.fromkeys(VENUES, complete), Heard(lambda _venue, now: (0, now)))
    for venue in VENUES:
        health.told(SocketHealth(venue=venue, socket="all", state=FeedState.LIVE, since=START))
    watch = Watch({venue: RATES[venue] for venue in VENUES}, health, speed)
    watch.look(START)
    return health, watch


def busy(watch: Watch, minutes: range, late_ms: int = 0, **coins: int) -> None:
    for minute in minutes:
        now = START + minute * MINUTE
        watch.counted(
            [
                order(
                    1e3,
                    now + 30_000 - (late_ms if venue == "binance" else 0),
                    venue=venue,
                    asset=coin,
                    seen=now + 30_000,
                )
                for venue, count in coins.items()
                for coin in COINS[:count]
            ]
        )
        watch.look(now + MINUTE)


def test_a_silent_venue_is_not_live_and_says_why() -> None:
    health, watch = street()
    busy(watch, range(12), bybit=12, okx=12)

    assert health.state("binance") is FeedState.SILENT
    assert "no order for" in health.reason("binance")
    assert health.connected() == list(VENUES)
    assert health.live_since("binance") is None
    assert (health.state("okx"), health.reason("okx"), health.live_since("okx")) == (FeedState.LIVE, "", START)
    busy(watch, range(12, 13), binance=1, bybit=12, okx=12)
    assert (health.state("binance"), health.reason("binance")) == (FeedState.LIVE, "")


def test_a_dead_socket_of_a_silent_venue_is_what_counts() -> None:
    health, watch = street()
    busy(watch, range(12), bybit=12, okx=12)
    health.told(SocketHealth(venue="binance", socket="all", state=FeedState.DOWN, since=START + HOUR))

    assert (health.state("binance"), health.reason("binance")) == (FeedState.DOWN, "")


async def test_from_its_last_order_until_it_speaks_nothing_was_heard_of_a_silent_venue() -> None:
    ledger, (health, _) = MemoryLedger(), street()
    silence = Silence(since=START + 600_000, expected=50, multiple=3, words="")

    def listen(first: int, last: int) -> None:
        for second in range(first, last, 20):
            health.heard.beat(START + second * 1_000)

    listen(0, 1200)
    health.silence({"binance": silence}, START + 1_200_000)
    listen(1200, 2400)
    health.silence({}, START + 2_400_000)
    listen(2400, 3601)
    await health.heard.write(ledger)

    assert await ledger.live_share(["okx"], "1h", START + HOUR) == pytest.approx(1, abs=0.01)
    assert await ledger.live_share(["binance"], "1h", START + HOUR) == pytest.approx(1 / 2, abs=0.01)


@pytest.mark.parametrize(("speed", "late_ms", "silent"), [(1, 40_000, True), (1, 20_000, False), (60, 150_000, False)])
def test_a_backfilled_order_is_no_sign_of_life(speed: float, late_ms: int, silent: bool) -> None:
    """On a fast clock what took two minutes of the clock was told at once."""
    health, watch = street(speed)
    busy(watch, range(12), late_ms, binance=2, bybit=12, okx=12)

    assert (health.state("binance") is FeedState.SILENT) is silent


def sample(metric: str, venue: str) -> float | None:
    return metrics.REGISTRY.get_sample_value(f"cascade_venue_{metric}", {"venue": venue})


def test_metrics_tell_what_is_known_and_nothing_else() -> None:
    health, watch = street()
    busy(watch, range(3), binance=2, bybit=2, okx=2)
    assert [sample("silent_bool", venue) for venue in VENUES] == [0, 0, 0]
    assert watch.expected("binance") == 0

    busy(watch, range(3, 15), bybit=12, okx=12)
    assert sample("silent_bool", "binance") == 1
    assert sample("expected_orders", "binance") >= ENOUGH
    assert watch.expected("binance") == round(sample("expected_orders", "binance"), 1)
    assert sample("silent_bool", "okx") is None, "one other venue is too few to judge it by"
    assert watch.expected("okx") is None

    health.told(SocketHealth(venue="binance", socket="all", state=FeedState.DOWN, since=START + HOUR))
    watch.look(START + HOUR)
    assert sample("silent_bool", "binance") is None
    assert sample("expected_orders", "binance") is None


def test_a_verdict_is_logged_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "cascade.pipeline")
    _, watch = street()
    busy(watch, range(20), bybit=12, okx=12)
    busy(watch, range(20, 22), binance=1, bybit=12, okx=12)

    words = [record.getMessage() for record in caplog.records]
    assert len(words) == 2
    assert words[0].startswith("binance is silent though its sockets are well: no order for")
    assert words[1] == "binance is not silent any more"


SPEED = 60.0
SYMBOLS = {
    "binance": [f"{coin}USDT" for coin in COINS],
    "bybit": [f"{coin}USDT" for coin in COINS],
    "okx": [f"{coin}-USDT-SWAP" for coin in COINS],
}


def busy_tape(minutes: int, since: int) -> list[Row]:
    """Every coin once a minute on every venue."""
    rows = [
        Row(
            at=since + minute * MINUTE + number * 4_000,
            venue=venue,
            symbol=symbol,
            side=Side.LONG,
            usd=1_000.0 + minute,
        )
        for minute in range(minutes)
        for venue, symbols in SYMBOLS.items()
        for number, symbol in enumerate(symbols)
    ]
    return sorted(rows, key=lambda row: row.at)


@contextlib.asynccontextmanager
async def running(tmp_path, market: Market, clock: ScaledClock, *more: str):
    lines = ["[clock]", 'origin = "2026-01-13T22:00:00Z"', "[api]", "port = 0"]
    lines += ["[service]", f"data_dir = {json.dumps(str(tmp_path))}"]
    for venue, urls in market.endpoints.items():
        lines += [f"[venues.{venue}.endpoints]", *(f'{key} = "{url}"' for key, url in urls.items())]
    file, stop = tmp_path / "cascade.toml", asyncio.Event()
    file.write_text("\n".join([*lines, "[venues]", f"enabled = {json.dumps(list(market.servers))}", *more]))
    async with httpx.AsyncClient(trust_env=False) as client:
        app = App(load(file, {}), MemoryLedger(), clock, client)
        task = asyncio.create_task(app.run(stop))
        try:
            yield app
        finally:
            stop.set()
            await asyncio.wait_for(task, 5)


async def until(client: httpx.AsyncClient, states: dict[str, str], seconds: float) -> dict[str, dict]:
    """The reports of /venues once all states are so."""
    deadline = time.monotonic() + seconds
    while True:
        reports = {row["name"]: row for row in (await client.get("/venues")).json()["venues"]}
        if {name: row["state"] for name, row in reports.items()} == states:
            return reports
        assert time.monotonic() < deadline, f"not within {seconds} s: {reports}"
        await asyncio.sleep(0.05)


async def deaf(app: App, venue: str) -> None:
    """Once the last five minutes of a venue, believed heard before, count as not heard."""
    deadline = time.monotonic() + 5
    while any(row.coverage["5m"] for row in await app.venues() if row.name == venue):
        assert time.monotonic() < deadline, "its healthy sockets are still believed"
        await asyncio.sleep(0.05)


async def test_a_retired_path_is_found_out_within_a_busy_quarter_hour_and_forgiven_when_it_speaks(tmp_path) -> None:
    """Binance acks and its control stream speaks, and never an order comes; the others are busy. Then it is mended."""
    clock, live = ScaledClock(T0, SPEED), dict.fromkeys(VENUES, "live")
    async with contextlib.AsyncExitStack() as stack:
        market = await stack.enter_async_context(Market(VENUES, clock, symbols=SYMBOLS))
        market.servers["binance"].faults = Faults(hollow=True)
        app = await stack.enter_async_context(running(tmp_path, market, clock))
        client = await stack.enter_async_context(inside(app))
        await until(client, live, 15)
        began = clock.now()
        playing = asyncio.create_task(market.play(busy_tape(40, began)))
        stack.callback(playing.cancel)

        reports = await until(client, live | {"binance": "silent"}, 15 * MINUTE / 1_000 / SPEED + 5)

        assert clock.now() - began < 15 * MINUTE
        assert "no order for" in reports["binance"]["reason"]
        assert reports["binance"]["expected_orders"] >= ENOUGH
        assert {row["state"] for row in reports["binance"]["sockets"]} == {"live"}
        await deaf(app, "binance")
        window = (await client.get("/windows")).json()
        assert window["coverage"]["venues_live"] == 2
        assert window["by_venue"].keys() == {"bybit", "okx"}
        told = (await client.get("/metrics")).text
        assert 'cascade_venue_silent_bool{venue="binance"} 1.0' in told

        market.servers["binance"].faults = Faults()
        reports = await until(client, live, 10)

        assert reports["binance"]["reason"] == ""
        assert 'cascade_venue_silent_bool{venue="binance"} 0.0' in (await client.get("/metrics")).text
        assert "binance" in (await client.get("/windows")).json()["by_venue"]
        playing.cancel()
        await asyncio.wait((playing,))


async def test_a_backlog_after_an_outage_of_the_store_accuses_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """What waited comes batch by batch, and the first holds nothing of a venue whose orders are behind it."""
    clock, ledger = Frozen(START), MemoryLedger()
    health, _ = street()
    cover = Cover(ledger, health, lambda _asset: ())
    recent = Recent(ledger)
    parts = Parts(
        ledger=ledger,
        judge=judge_over(ledger, Rules(), cover.of, recent),
        recent=recent,
        health=health,
        cover=cover,
        clock=clock,
        settle={},
        announce=lambda: None,
        usual=RATES,
    )
    pipeline = Pipeline(parts, Knobs(flush_ms=10, flush_events=2 * 15 * len(COINS)), "me")
    pipeline.watch.look(START)
    clock.at = START + 15 * MINUTE
    for venue in ("bybit", "okx", "binance"):
        for minute in range(15):
            for coin in COINS:
                at = START + minute * MINUTE
                pipeline.queue.put_nowait(order(1e3, at, venue=venue, asset=coin, symbol=coin))
    task = asyncio.create_task(pipeline.run())
    deadline = time.monotonic() + 10
    while sample("expected_orders", "binance") != 0 or not pipeline.queue.empty():
        assert time.monotonic() < deadline, "it did not happen within 10 s"
        await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.wait((task,))

    assert "silent" not in caplog.text
    assert health.silenced == {}
