"""Lighter: numbered markets, dollars told by the venue, lists that may be missing, and one allowance for all sockets."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from service.clock import ScaledClock
from service.feed import Feeds, Knobs
from service.model import Completeness, Contract, DecodeError, Instrument, SocketHealth
from service.simulator import Market
from service.venues import VENUES
from service.venues.base import Control, Leaving, Refused, Say, Spoilt, Subscribed
from tests.test_venues import SEEN, lines, metadata, prints, raw, settled, swapped
from tests.toyvenue import ORIGIN, until

LIGHTER = VENUES["lighter"]
CAPTURED = lines("lighter")[0]
DAY = 24 * 3600 * 1000


def markets(count: int) -> list[Instrument]:
    return [
        Instrument(
            venue="lighter",
            symbol=str(number),
            asset=f"C{number}",
            contract=Contract.INVERSE,
            size=1.0,
            alias=f"C{number}",
        )
        for number in range(count)
    ]


def trades(kind: str, market: int, **lists: object) -> str:
    return raw({"channel": f"trade:{market}", **lists, "nonce": 1, "type": kind})


# --- sockets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 90, 91, 250])
def test_all_sockets_together_stay_below_the_messages_of_an_address(count: int) -> None:
    plans = LIGHTER.plans(LIGHTER.endpoints, markets(count))
    assert sum(60 / plan.hello_gap_s for plan in plans) <= 150.001
    asked: list[str] = []
    for plan in plans:
        asks = [json.loads(text) for text in LIGHTER.session(plan).hello(SEEN)]
        assert len(asks) < 100
        assert {ask["type"] for ask in asks} == {"subscribe"}
        assert asks[0]["channel"] == "height"
        asked += [ask["channel"] for ask in asks[1:]]
    assert asked == [f"trade/{number}" for number in range(count)]


def test_a_new_market_joins_the_last_socket_and_moves_nothing() -> None:
    before, after = (LIGHTER.plans(LIGHTER.endpoints, markets(count)) for count in (120, 121))
    assert after[:-1] == before[:-1]
    assert after[-1].topics == (*before[-1].topics, "trade/120")


def test_it_is_subscribed_when_every_market_and_the_height_have_answered() -> None:
    (plan,) = LIGHTER.plans(LIGHTER.endpoints, markets(2))
    session = LIGHTER.session(plan)
    height = raw({"channel": "height", "height": 1, "timestamp": SEEN, "type": "subscribed/height"})
    frames = [trades("subscribed/trade", 1), height, trades("update/trade", 0), trades("subscribed/trade", 0), height]
    assert [list(session.decode(text, SEEN)) for text in frames] == [[], [], [], [Subscribed()], []]


def test_the_first_height_is_an_ack_as_well() -> None:
    (plan,) = LIGHTER.plans(LIGHTER.endpoints, markets(1))
    session = LIGHTER.session(plan)
    height = raw({"channel": "height", "height": 1, "timestamp": SEEN, "type": "update/height"})
    assert session.decode(trades("subscribed/trade", 0), SEEN) == []
    assert session.decode(height, SEEN) == (Control(), Subscribed())
    assert session.decode(height, SEEN) == (Control(),)


def test_a_ping_is_answered_and_a_shutdown_calls_for_a_successor() -> None:
    session = LIGHTER.session()
    assert session.decode('{"type":"ping"}', SEEN) == (Say(text='{"type":"pong"}'),)
    (event,) = session.decode('{"type":"shutdown","close_in_ms":1000}', SEEN)
    assert isinstance(event, Leaving)
    assert session.decode('{"type":"pong"}', SEEN) == ()  # our own, in a recording of both directions


def test_an_error_does_not_name_its_channel_and_is_fatal() -> None:
    (event,) = LIGHTER.session().decode('{"error":{"code":30005,"message":"Invalid Channel:  (marketId)"}}', SEEN)
    assert event == Refused(reason="lighter answered 30005: Invalid Channel:  (marketId)")


@asynccontextmanager
async def listening(speed: float, **limits: Any) -> AsyncIterator[tuple[Market, "asyncio.Queue[Any]"]]:
    clock = ScaledClock(ORIGIN, speed)
    async with Market(["lighter"], clock, symbols={"lighter": ("BTCUSDT",)}) as market:
        server: Any = market.servers["lighter"]
        for name, value in limits.items():
            setattr(server, name, value)
        queue: asyncio.Queue[Any] = asyncio.Queue(1_000)
        feeds = Feeds(LIGHTER, market.endpoints["lighter"], queue, clock, Knobs(ping_every_s=3600), random.Random(1))
        await feeds.replan([row for row in metadata("lighter").values() if row.alias in ("ETH", "BTC", "SOL")])
        task = asyncio.create_task(feeds.run())
        try:
            await until(lambda: feeds.heard_at() is not None, within=10)
            yield market, queue
        finally:
            task.cancel()
            await asyncio.wait((task,))


async def test_the_server_never_complains_about_our_hello() -> None:
    async with listening(1, messages_per_minute=9) as (market, _queue):
        assert market.servers["lighter"].complaints == []


async def test_who_answers_pings_is_not_cut_after_two_silent_minutes() -> None:
    """Two minutes last 0.6 s here, pings come twice in that time, and nothing else is said."""
    async with listening(60, idle_s=0.6) as (market, queue):
        first = list(market.servers["lighter"].live)
        await asyncio.sleep(1.5)
        assert market.servers["lighter"].live == first
        assert all(item.state.value != "down" for item in queue._queue if isinstance(item, SocketHealth))


async def test_a_shutdown_is_followed_by_a_successor_before_the_old_one_goes() -> None:
    async with listening(60) as (market, _queue):
        server: Any = market.servers["lighter"]
        first = list(server.live)
        await server.shut_down()
        await until(lambda: server.live and not set(server.live) & set(first), within=5)


# --- rows -------------------------------------------------------------------------------------------------------------


def test_the_dollars_are_the_venues_own_and_the_name_is_what_people_say() -> None:
    frame = swapped(CAPTURED["frame"], ("liquidation_trades", 0, "usd_amount"), "1300.5")
    (order,) = prints(list(LIGHTER.session().decode(raw(frame), SEEN)))
    assert order.symbol == "1"
    liquidation = settled(LIGHTER, order)
    assert (liquidation.symbol, liquidation.asset, liquidation.usd) == ("BTC", "BTC", 1300.5)
    assert liquidation.quantity == pytest.approx(1300.5 / 75602.8)


@pytest.mark.parametrize("held", ["0.01664", "0"])
def test_a_row_whose_taker_held_the_other_side_is_refused(held: str) -> None:
    frame = swapped(CAPTURED["frame"], ("liquidation_trades", 0, "taker_position_size_before"), held)
    (event,) = LIGHTER.session().decode(raw(frame), SEEN)
    assert isinstance(event, Spoilt)
    assert "the taker held" in event.detail


@pytest.mark.parametrize("lists", [{}, {"trades": []}, {"liquidation_trades": None, "trades": None}])
def test_a_list_may_be_missing(lists: dict[str, object]) -> None:
    assert LIGHTER.session().decode(trades("update/trade", 1, **lists), SEEN) == []


def test_a_broken_ordinary_trade_costs_no_liquidation() -> None:
    frame = {**CAPTURED["frame"], "trades": [{"type": "trade", "price": 1}]}
    assert len(prints(list(LIGHTER.session().decode(raw(frame), SEEN)))) == 1


def test_old_rows_are_skipped_in_a_snapshot_only() -> None:
    live = raw(CAPTURED["frame"])
    snapshot = live.replace("update/trade", "subscribed/trade")
    at = CAPTURED["expect"][0]["at"]
    assert len(prints(list(LIGHTER.session().decode(live, at + 30 * DAY)))) == 1
    assert len(prints(list(LIGHTER.session().decode(snapshot, at + 3 * DAY)))) == 1
    assert len(prints(list(LIGHTER.session().decode(snapshot, at + 3 * DAY + 1)))) == 0
    assert len(prints(list(LIGHTER.session().decode(snapshot, 0)))) == 1


def test_the_number_is_an_id_where_its_text_is_missing() -> None:
    frame = raw(CAPTURED["frame"])
    shorter = frame.replace('"trade_id_str":"18237797923",', "")
    assert shorter != frame
    first, second = (prints(list(LIGHTER.session().decode(text, SEEN)))[0].id for text in (frame, shorter))
    assert first == second


def test_metadata_leaves_out_spot_and_what_is_not_active() -> None:
    listed = metadata("lighter")
    assert {number: (row.alias, row.asset) for number, row in listed.items()} == {
        "0": ("ETH", "ETH"),
        "1": ("BTC", "BTC"),
        "2": ("SOL", "SOL"),
        "75": ("DOLO", "DOLO"),
        "4": ("1000PEPE", "PEPE"),
    }
    nameless = LIGHTER.implied("1")
    assert nameless is not None
    assert (nameless.asset, nameless.size) == ("1", 1.0), "unknown is its own asset, and its dollars are told"
    assert LIGHTER.implied("BTC") is None
    with pytest.raises(DecodeError, match="code 21506"):
        LIGHTER.instruments(b'{"code":21506,"order_books":[]}')


def test_the_feed_is_complete() -> None:
    assert LIGHTER.completeness(ORIGIN) is Completeness.COMPLETE


def test_the_longer_answer_about_markets_is_read_alike() -> None:
    books = b'[{"symbol":"BTC","market_id":1,"status":"active","size_decimals":5,"last_trade_price":98000.1}]'
    short = LIGHTER.instruments(b'{"code":200,"order_books":' + books + b"}")
    assert short == LIGHTER.instruments(b'{"code":200,"order_book_details":' + books + b"}")
    with pytest.raises(DecodeError, match="neither"):
        LIGHTER.instruments(b'{"code":200}')
