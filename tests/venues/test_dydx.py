"""dYdX: markets shared out under the indexer's limits, old rows in acks, and a history that is read without a lower bound."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from service.clock import ScaledClock
from service.feed import Feeds, Knobs
from service.model import Completeness, Contract, DecodeError, Instrument, Print, Side
from service.simulator import Faults, Market
from service.tape import Row
from service.venues import VENUES
from service.venues.base import Control, Refused, Subscribed
from tests.test_venues import FIXTURES, SEEN, lines, metadata, prints, raw
from tests.toyvenue import ORIGIN, until

DYDX = VENUES["dydx"]
DAY = 24 * 3600 * 1000


def markets(count: int) -> list[Instrument]:
    found = [DYDX.implied(f"COIN{number:03}-USD") for number in range(count)]
    return [row for row in found if row]


def rows(count: int, apart_ms: int = 12_000) -> list[Row]:
    return [
        Row(at=ORIGIN + n * apart_ms, venue="dydx", symbol="BTCUSDT", side=Side.LONG, usd=1_000.0 + n)
        for n in range(count)
    ]


# --- sockets ----------------------------------------------------------------------------------------------------------


def test_markets_are_shared_out_below_the_limit_of_a_channel_and_asked_below_two_a_second() -> None:
    plans = DYDX.plans(DYDX.endpoints, markets(75))
    assert [len(plan.topics) for plan in plans] == [30, 30, 15]
    asked: list[str] = []
    for plan in plans:
        assert 1 / plan.hello_gap_s < 2
        control, *asks = [json.loads(text) for text in DYDX.session(plan).hello(SEEN)]
        assert control == {"type": "subscribe", "channel": "v4_block_height"}
        assert {(ask["type"], ask["channel"], ask["batched"]) for ask in asks} == {("subscribe", "v4_trades", False)}
        assert len(asks) < 32
        asked += [ask["id"] for ask in asks]
    assert asked == [row.symbol for row in markets(75)]


def test_a_new_market_joins_the_last_socket_and_moves_nothing() -> None:
    before, after = (DYDX.plans(DYDX.endpoints, markets(count)) for count in (75, 76))
    assert after[:-1] == before[:-1]
    assert after[-1].topics == (*before[-1].topics, "COIN075-USD")


def subscribed(market: str, trades: list[dict[str, str]] | None = None) -> str:
    return raw({"type": "subscribed", "channel": "v4_trades", "id": market, "contents": {"trades": trades or []}})


def test_it_is_subscribed_when_every_market_and_the_control_are_acked() -> None:
    (plan,) = DYDX.plans(DYDX.endpoints, markets(2))
    session = DYDX.session(plan)
    height = raw({"type": "subscribed", "channel": "v4_block_height", "id": "v4_block_height", "contents": {}})
    block = raw({"type": "channel_data", "channel": "v4_block_height", "contents": {"blockHeight": "1"}})
    frames = [subscribed("COIN001-USD"), subscribed("COIN001-USD"), block, height, subscribed("COIN000-USD"), height]
    answers = [list(session.decode(text, SEEN)) for text in frames]
    assert answers == [[], [], [Control()], [], [Subscribed()], []]


def error(message: str) -> str:
    return raw({"type": "error", "message": message, "connection_id": "c", "message_id": 2})


def test_a_refused_market_costs_itself_and_the_others_are_subscribed() -> None:
    (plan,) = DYDX.plans(DYDX.endpoints, markets(2))
    session = DYDX.session(plan)
    session.decode(subscribed("v4_block_height").replace("v4_trades", "v4_block_height"), SEEN)
    session.decode(subscribed("COIN000-USD"), SEEN)
    refusal, done = session.decode(error("Invalid subscription id for channel: (v4_trades-COIN001-USD)"), SEEN)
    assert isinstance(refusal, Refused)
    assert (refusal.fatal, done) == (False, Subscribed())


def test_a_connection_without_any_market_is_refused() -> None:
    (plan,) = DYDX.plans(DYDX.endpoints, markets(1))
    session = DYDX.session(plan)
    session.decode(subscribed("v4_block_height").replace("v4_trades", "v4_block_height"), SEEN)
    events = session.decode(error("Invalid subscription id for channel: (v4_trades-COIN000-USD)"), SEEN)
    assert [event.fatal for event in events if isinstance(event, Refused)] == [False, True]


@pytest.mark.parametrize("message", ["Internal error", "Invalid channel: v4_block_height", "(v4_trades-OTHER-USD)"])
def test_an_error_that_names_no_market_of_ours_is_fatal(message: str) -> None:
    (event,) = DYDX.session(DYDX.plans(DYDX.endpoints, markets(1))[0]).decode(error(message), SEEN)
    assert isinstance(event, Refused)
    assert event.fatal


@asynccontextmanager
async def strict(**limits: Any) -> AsyncIterator[tuple[Market, Feeds]]:
    """A server that counts every subscription of a connection, and the feeds on three of its markets, at half speed."""
    clock = ScaledClock(ORIGIN, 0.5)
    async with Market(["dydx"], clock, symbols={"dydx": ("BTCUSDT",)}) as market:
        server = market.servers["dydx"]
        for name, value in {"strict": True, **limits}.items():
            setattr(server, name, value)
        symbols = [own.symbol for own in server.listings()][:3]
        feeds = Feeds(DYDX, market.endpoints["dydx"], asyncio.Queue(1_000), clock, Knobs(), random.Random(1))
        await feeds.replan([row for row in map(DYDX.implied, symbols) if row])
        task = asyncio.create_task(feeds.run())
        try:
            yield market, feeds
        finally:
            task.cancel()
            await asyncio.wait((task,))


async def test_the_indexer_never_complains_about_the_pace_of_our_subscriptions() -> None:
    async with strict() as (market, feeds):
        await until(lambda: feeds.heard_at() is not None, within=10)
        assert market.servers["dydx"].complaints == []


async def test_the_server_would_complain_if_we_were_faster() -> None:
    async with strict(per_second=1) as (market, _feeds):
        await until(lambda: market.servers["dydx"].complaints != [], within=10)
        assert market.servers["dydx"].complaints[0].startswith("Too many subscribe attempts")


async def test_the_server_refuses_one_market_more_than_a_channel_holds() -> None:
    async with strict(strict=False, channel_limit=2) as (market, _feeds):
        await until(lambda: market.servers["dydx"].complaints != [], within=10)
        assert market.servers["dydx"].complaints == [
            "Per-connection subscription limit reached for v4_trades (limit=2)."
        ]


async def test_the_server_sends_batches_to_who_asks_for_them_and_they_are_the_same_orders() -> None:
    clock = ScaledClock(ORIGIN, 60)
    async with (
        Market(["dydx"], clock, symbols={"dydx": ("BTCUSDT",)}) as market,
        connect(market.endpoints["dydx"]["socket"]) as live,
        connect(market.endpoints["dydx"]["socket"]) as batched,
    ):
        for ws, flag in ((live, False), (batched, True)):
            await ws.send(json.dumps({"type": "subscribe", "channel": "v4_trades", "id": "BTC-USD", "batched": flag}))
            assert [json.loads(await ws.recv())["type"] for _ in range(2)] == ["connected", "subscribed"]
        await market.play(rows(3, apart_ms=100))
        frames = [await ws.recv() for ws in (live, batched)]
    assert [json.loads(frame)["type"] for frame in frames] == ["channel_data", "channel_batch_data"]
    orders = [prints(list(DYDX.session().decode(frame, SEEN))) for frame in frames]
    assert orders[0] == orders[1] != []


# --- rows -------------------------------------------------------------------------------------------------------------


def test_old_rows_are_skipped_in_an_ack_only() -> None:
    ack = next(line for line in lines("dydx") if line["expect"] and line["frame"]["type"] == "subscribed")
    live = raw(ack["frame"]).replace('"subscribed"', '"channel_data"')
    assert len(prints(list(DYDX.session().decode(raw(ack["frame"]), ack["seen"])))) == 1
    assert len(prints(list(DYDX.session().decode(raw(ack["frame"]), ack["seen"] - 2)))) == 2
    assert len(prints(list(DYDX.session().decode(raw(ack["frame"]), 0)))) == 2
    assert len(prints(list(DYDX.session().decode(live, ack["seen"] + 30 * DAY)))) == 2


def test_a_row_has_the_same_id_in_an_ack_a_batch_and_a_live_frame() -> None:
    live, batch = (line for line in lines("dydx") if len(line["expect"]) == 2)
    ack = {**live["frame"], "type": "subscribed"}
    ids = [
        {order.id for order in prints(list(DYDX.session().decode(raw(frame), live["seen"])))}
        for frame in (live["frame"], batch["frame"], ack)
    ]
    assert ids[0] == ids[1] == ids[2]
    assert len(ids[0]) == 2


def test_metadata_leaves_out_what_does_not_trade_and_finds_the_coin_in_any_ticker() -> None:
    listed = metadata("dydx")
    assert {symbol: row.asset for symbol, row in listed.items()} == {
        "BTC-USD": "BTC",
        "ETH-USD": "ETH",
        "AVAX-USD": "AVAX",
        "SHIB-USD": "SHIB",
        "BUFFI,UNISWAP_V3,0X4C1B1302220D7DE5C22B495E78B72F2DD2457D45-USD": "BUFFI",
    }
    assert {(row.contract, row.size, row.rate) for row in listed.values()} == {(Contract.LINEAR, 1.0, 1.0)}


@pytest.mark.parametrize(("symbol", "asset"), [("BTC-USD", "BTC"), ("BTC-EUR", None), ("USD", None), ("-USD", None)])
def test_a_symbol_implies_its_contract(symbol: str, asset: str | None) -> None:
    implied = DYDX.implied(symbol)
    assert (implied.asset if implied else None) == asset


def test_the_feed_is_complete() -> None:
    assert DYDX.completeness(ORIGIN) is Completeness.COMPLETE


# --- history ----------------------------------------------------------------------------------------------------------

HISTORY: Any = DYDX.history
LISTED = "BUFFI,UNISWAP_V3,0X4C1B1302220D7DE5C22B495E78B72F2DD2457D45-USD"


def asked(symbol: str = "BTC-USD", since: int = ORIGIN, until_: int = ORIGIN + DAY) -> str:
    (url,) = HISTORY.asks(DYDX.endpoints, [row for row in [DYDX.implied(symbol)] if row], since, until_)
    return str(url)


def body(count: int, height: int, at: str = "2026-01-14T00:00:00.000Z", kind: str = "LIMIT") -> bytes:
    row = {"side": "SELL", "size": "1", "price": "2", "type": kind, "createdAt": at, "createdAtHeight": str(height)}
    return json.dumps({"trades": [{**row, "id": f"{n:024x}"} for n in range(count)]}).encode()


def test_what_the_venue_need_not_know_is_never_sent() -> None:
    url = httpx.URL(asked(LISTED, since=ORIGIN, until_=ORIGIN + 5))
    assert url.path == f"/v4/trades/perpetualMarket/{LISTED}"
    assert dict(url.params) == {"limit": "100", "createdBeforeOrAt": "2026-01-13T22:00:00.005Z"}
    assert str(ORIGIN).encode() not in url.raw_path


@pytest.mark.parametrize(
    ("count", "at"),
    [(0, "2026-01-14T00:00:00.000Z"), (99, "2026-01-14T00:00:00.000Z"), (100, "2026-01-13T21:59:59.999Z")],
)
def test_a_page_that_is_not_full_or_reaches_below_the_window_is_the_last(count: int, at: str) -> None:
    assert HISTORY.read(asked(), body(count, 7, at), SEEN).more == ()


def test_the_next_page_begins_with_the_block_in_which_the_last_one_ended() -> None:
    first = HISTORY.read(asked(LISTED), body(100, 7, kind="LIQUIDATED"), SEEN)
    assert {order.symbol for order in first.orders} == {LISTED}
    (second,) = first.more
    assert dict(httpx.URL(second).params) == {
        "limit": "1000",
        "createdBeforeOrAt": "2026-01-14T22:00:00.000Z",
        "createdBeforeOrAtHeight": "7",
    }
    (third,) = HISTORY.read(second, body(1000, 6), SEEN).more
    assert dict(httpx.URL(third).params)["createdBeforeOrAtHeight"] == "6"
    assert HISTORY.read(third, body(3, 6, kind="LIQUIDATED"), SEEN).orders[0].symbol == LISTED


@pytest.mark.parametrize("height", [7, 8])
def test_a_page_that_leads_nowhere_is_refused_instead_of_being_read_for_ever(height: int) -> None:
    (second,) = HISTORY.read(asked(), body(100, 7), SEEN).more
    with pytest.raises(DecodeError, match="below block 7"):
        HISTORY.read(second, body(1000, height), SEEN)


@pytest.mark.parametrize("answer", [b"{}", b"[]", b'{"errors":[{"msg":"x"}]}', body(100, 7).replace(b'"7"', b'"x"')])
def test_an_answer_of_another_shape_is_refused(answer: bytes) -> None:
    with pytest.raises(DecodeError):
        HISTORY.read(asked(), answer, SEEN)


async def test_a_block_cut_by_the_end_of_a_page_loses_no_order() -> None:
    """450 forced fills and as many free ones, 40 a block: each page ends inside one, and pages are cut to 150 rows."""
    clock = ScaledClock(ORIGIN + DAY, 1)
    played = rows(450, apart_ms=50)
    async with (
        Market(["dydx"], clock, symbols={"dydx": ("BTCUSDT",)}, faults=Faults(hollow=True)) as market,
        httpx.AsyncClient() as client,
    ):
        await market.play(played, wait_for_listeners=False)
        listed = [row for row in [DYDX.implied("BTC-USD")] if row]
        found: dict[str, Print] = {}
        sizes: list[int] = []
        asks = list(HISTORY.asks(market.endpoints["dydx"], listed, ORIGIN, ORIGIN + DAY))
        while asks:
            answer = await client.get(asks[0].replace("limit=1000", "limit=150"))
            assert answer.status_code == 200, answer.text
            page = HISTORY.read(asks.pop(0).replace("limit=1000", "limit=150"), answer.content, SEEN)
            sizes.append(len(page.orders))
            found |= {order.id: order for order in page.orders}
            asks += page.more
    assert sorted(order.at for order in found.values()) == [row.at for row in played]
    assert sum(sizes) > len(played), "pages overlap"


def test_fixtures_hold_the_metadata_endpoint_as_it_stands() -> None:
    assert set(json.loads((FIXTURES / "instruments" / "dydx_markets.json").read_bytes())) == {"markets"}
