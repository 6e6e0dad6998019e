"""Hyperliquid: whose side it is, what is told twice, whom one may watch, and how little it is."""

import asyncio
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from service.clock import ScaledClock
from service.feed import Feeds, Item, Knobs
from service.instruments import Book
from service.model import HOUR, Completeness, Print, Side
from service.settings import load
from service.simulator import Faults, Market
from service.simulator.venues.hyperliquid import ACCOUNTS
from service.tape import Row
from service.venues import VENUES
from service.venues.base import Event, Refused, Spoilt, Subscribed
from service.venues.hyperliquid import SENTINELS
from tests.toyvenue import ORIGIN, until

VENUE = VENUES["hyperliquid"]
US, THEM = ACCOUNTS[0], "0x" + "f" * 40
NOW = 1_791_565_600_000


def fill(**more: object) -> dict[str, object]:
    liquidation = {
        "liquidatedUser": more.pop("liquidated", THEM),
        "markPx": "1",
        "method": more.pop("method", "market"),
    }
    named = {"coin": "BTC", "px": "80000", "sz": "0.5", "side": "A", "time": NOW - 5, "tid": 77, "dir": "Open Short"}
    return {**named, "liquidation": liquidation, **more}


def push(*fills: dict[str, object], user: str = US, **more: object) -> str:
    return json.dumps({"channel": "userFills", "data": {"user": user, "fills": list(fills), **more}})


def heard(frame: str, seen: int = NOW) -> list[Event]:
    return list(VENUE.session().decode(frame, seen))


@pytest.mark.parametrize(
    ("side", "liquidated", "closed"),
    [("A", THEM, Side.SHORT), ("B", THEM, Side.LONG), ("A", US, Side.LONG), ("B", US, Side.SHORT)],
)
def test_who_met_a_forced_purchase_sold_and_who_was_forced_to_sell_was_long(side, liquidated, closed) -> None:
    (order,) = heard(push(fill(side=side, liquidated=liquidated)))
    assert isinstance(order, Print)
    assert order.side is closed


def test_the_two_parties_of_a_trade_tell_one_order() -> None:
    (met,) = heard(push(fill(side="B", liquidated=THEM), user=US))
    (suffered,) = heard(push(fill(side="A", liquidated=THEM, crossed=True), user=THEM))
    assert met == suffered


def test_two_trades_of_one_block_are_two_orders() -> None:
    first, second = heard(push(fill(), fill(tid=78)))
    assert first.id != second.id


def test_a_backstop_is_read_like_a_market_one_and_its_dir_is_not_believed() -> None:
    """The vault that takes a long over buys, and its own fill is called `Liquidated Cross Long`."""
    (order,) = heard(push(fill(side="B", method="backstop", dir="Liquidated Cross Long")))
    assert order.side is Side.LONG


def test_what_the_vault_passes_on_was_counted_when_it_took_it_over() -> None:
    """Shape of a fill of 2025-10-10: the liquidator vault is the one deleveraged."""
    assert heard(push(fill(dir="Auto-Deleveraging", method="backstop", liquidated=US))) == []


def test_rows_of_a_snapshot_older_than_three_days_are_passed_over() -> None:
    old, fresh = fill(time=NOW - 72 * HOUR - 1), fill(time=NOW - 72 * HOUR, tid=78)
    assert [order.at for order in heard(push(old, fresh, isSnapshot=True))] == [NOW - 72 * HOUR]
    assert len(heard(push(old, fresh, isSnapshot=True), seen=0)) == 2
    assert len(heard(push(old, fresh))) == 2, "a live row is never passed over in silence"


def test_a_fill_whose_liquidated_account_is_none_costs_itself() -> None:
    good, bad = heard(push(fill(), fill(liquidated="nobody")))
    assert isinstance(good, Print)
    assert isinstance(bad, Spoilt)
    assert bad.detail.startswith("row 2: liquidatedUser")


@pytest.mark.parametrize(
    ("coin", "asset"),
    [
        ("BTC", "BTC"),
        ("kPEPE", "PEPE"),
        ("KAS", "KAS"),
        ("xyz:TSLA", "TSLA"),
        ("hyna:kBONK", "BONK"),
        ("AI16Z", "AI16Z"),
        ("@107", None),
        ("PURR/USDC", None),
        ("#330", None),
    ],
)
def test_a_coin_tells_its_perpetual_and_spot_is_none(coin: str, asset: str | None) -> None:
    implied = VENUE.implied(coin)
    assert (implied.asset if implied else None) == asset
    assert bool(heard(push(fill(coin=coin)))) is (asset is not None)


META = {"universe": [{"szDecimals": 5, "name": "BTC", "maxLeverage": 40}, {"name": "kPEPE"}, {"name": "@107"}]}


@pytest.mark.parametrize("body", [META, [META, [{"markPx": "80000"}, {}, {}]]])
def test_a_saved_answer_of_the_metadata_names_the_perpetuals(body: object) -> None:
    assert [row.symbol for row in VENUE.instruments(json.dumps(body).encode())[0]] == ["BTC", "kPEPE"]
    assert VENUE.catalogue(VENUE.endpoints) == ()


# --- whom to watch ----------------------------------------------------------------------------------------------------


def plan(sentinels: str | None = None) -> Any:
    (only,) = VENUE.plans({**VENUE.endpoints, **({"sentinels": sentinels} if sentinels else {})}, ())
    return only


def users(told: Any) -> list[str]:
    return [topic["user"] for topic in map(json.loads, told.topics) if topic["type"] == "userFills"]


def test_it_watches_the_vaults_that_take_positions_over() -> None:
    assert users(plan()) == list(SENTINELS)
    assert "0xdfc24b077bc1425ad1dea75bcb6f8158e10df303" not in SENTINELS, "the HLP vault itself has no fills"


def test_anybody_may_name_other_accounts() -> None:
    mixed = "0x" + "aB" * 20
    assert users(plan(f"{mixed}, {THEM},{mixed.lower()}")) == [mixed.lower(), THEM]
    assert len(users(plan(",".join(f"0x{n:040x}" for n in range(14))))) == 10


def test_it_is_off_unless_it_is_named() -> None:
    assert "hyperliquid" not in load(None, {"CASCADE_VENUES__ENABLED": "all"}).venues.names
    assert "hyperliquid" in load(None, {"CASCADE_VENUES__ENABLED": "all,hyperliquid"}).venues.names
    assert VENUE.completeness(NOW) is Completeness.PARTIAL
    assert "unknown" in VENUE.about


def ack(topic: str, **more: object) -> str:
    body = {"method": "subscribe", "subscription": {**json.loads(topic), **more}}
    return json.dumps({"channel": "subscriptionResponse", "data": body})


NO = json.dumps({"channel": "error", "data": "Cannot track more than 10 total users."})


def test_it_is_subscribed_when_every_account_is_echoed() -> None:
    told = plan(f"{US},{THEM}")
    session = VENUE.session(told)
    assert [json.loads(text)["method"] for text in session.hello(NOW)] == ["subscribe"] * 3
    first, second, control = told.topics
    assert session.decode(ack(first, aggregateByTime=False), NOW) == ()
    assert session.decode(ack(first, aggregateByTime=False), NOW) == ()
    assert session.decode(ack(control), NOW) == ()
    assert session.decode(ack(second, aggregateByTime=False), NOW) == (Subscribed(),)


def test_an_account_too_many_is_refused_loudly_and_the_others_stay() -> None:
    told = plan(f"{US},{THEM}")
    session = VENUE.session(told)
    assert session.decode(ack(told.topics[0]), NOW) == ()
    (refused,) = session.decode(NO, NOW)
    assert isinstance(refused, Refused)
    assert not refused.fatal
    assert session.decode(ack(told.topics[2]), NOW) == (Subscribed(),)
    (later,) = session.decode(NO, NOW)
    assert isinstance(later, Refused)


def test_no_account_at_all_is_a_refusal_of_the_connection() -> None:
    told = plan(US)
    session = VENUE.session(told)
    assert len(session.decode(NO, NOW)) == 1
    (refused,) = session.decode(ack(told.topics[1]), NOW)
    assert isinstance(refused, Refused)
    assert refused.fatal


# --- on the wire ------------------------------------------------------------------------------------------------------


async def say(ws: Any, request: dict[str, object]) -> Any:
    await ws.send(json.dumps(request))
    return json.loads(await asyncio.wait_for(ws.recv(), 5))


def watch(user: str) -> dict[str, object]:
    return {"method": "subscribe", "subscription": {"type": "userFills", "user": user}}


async def test_what_two_watched_accounts_tell_and_what_a_new_dial_repeats_counts_once() -> None:
    clock = ScaledClock(ORIGIN, 60)
    queue: asyncio.Queue[Item] = asyncio.Queue()
    rows = [
        Row(at=ORIGIN + n, venue="hyperliquid", symbol=("BTCUSDT", "1000PEPEUSDT")[n % 2], side=side, usd=500.0 + n)
        for n, side in enumerate([Side.LONG, Side.SHORT] * 20)
    ]
    async with Market(["hyperliquid"], clock, symbols=rows) as market, httpx.AsyncClient() as client:
        feeds = Feeds(VENUE, market.endpoints["hyperliquid"], queue, clock, Knobs(backoff_first_s=1), random.Random(1))
        running = asyncio.create_task(feeds.run())
        orders: list[Print] = []

        def told() -> Counter[str]:
            while not queue.empty():
                if isinstance(item := queue.get_nowait(), Print):
                    orders.append(item)
            return Counter(order.id for order in orders)

        try:
            await until(lambda: feeds.heard_at() is not None)
            await market.play(rows)
            await until(lambda: len(told()) == len(rows))
            assert max(told().values()) == 2, "some orders liquidate an account that is watched too"
            market.servers["hyperliquid"].live[0].abort()
            await until(lambda: min(told().values()) >= 2)
        finally:
            running.cancel()
            await asyncio.wait((running,))
        book = Book(VENUE, market.endpoints["hyperliquid"], None, clock, client)
        settled = {order.id: book.settle(order) for order in orders}
    assert len(settled) == len(rows)
    found = sorted((one.asset, one.side, round(one.usd, 4)) for one in settled.values() if one)
    assert found == sorted(("BTC" if n % 2 == 0 else "PEPE", row.side, row.usd) for n, row in enumerate(rows))
    assert {one.symbol for one in settled.values() if one} == {"BTC", "kPEPE"}


async def test_the_local_server_speaks_the_pages() -> None:
    async with (
        Market(["hyperliquid"], ScaledClock(ORIGIN, 60)) as market,
        connect(market.endpoints["hyperliquid"]["public"]) as ws,
    ):
        assert await say(ws, {"method": "ping"}) == {"channel": "pong"}
        answer = await say(ws, watch(US.upper().replace("0X", "0x")))
        echo = {"type": "userFills", "user": US, "aggregateByTime": False}
        assert answer == {"channel": "subscriptionResponse", "data": {"method": "subscribe", "subscription": echo}}
        first = json.loads(await ws.recv())
        assert first == {"channel": "userFills", "data": {"isSnapshot": True, "user": US, "fills": []}}
        assert (await say(ws, watch(US)))["data"].startswith("Already subscribed: ")
        assert (await say(ws, {"type": "allMids"}))["data"].startswith("Error parsing JSON into valid websocket")
        for number in range(9):
            assert (await say(ws, watch(f"0x{number:040x}")))["channel"] == "subscriptionResponse"
            await ws.recv()
        refusal = await say(ws, watch("0x" + "9" * 40))
        assert refusal == {"channel": "error", "data": "Cannot track more than 10 total users."}


async def test_the_local_server_leaves_a_socket_on_which_it_has_nothing_to_say() -> None:
    async with Market(["hyperliquid"], ScaledClock(ORIGIN, 60), faults=Faults(silence=True)) as market:
        server = market.servers["hyperliquid"]
        server.clock.grace = lambda seconds: seconds / 200  # type: ignore[method-assign]
        async with connect(market.endpoints["hyperliquid"]["public"]) as ws:
            await asyncio.wait_for(ws.wait_closed(), 5)
            assert ws.close_reason == "Inactive"


def test_the_captured_frame_is_a_short() -> None:
    path = Path(__file__).parents[1] / "fixtures" / "venues" / "hyperliquid.jsonl"
    frame = json.loads(path.read_text(encoding="utf-8").splitlines()[1])["frame"]
    (order,) = heard(json.dumps(frame))
    assert (order.symbol, order.side, order.quantity) == ("BTC", Side.SHORT, 0.001)
