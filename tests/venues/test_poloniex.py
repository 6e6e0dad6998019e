"""Poloniex: contracts, bankruptcy prices, errors that name nothing, a history without ids and in other spellings."""

import asyncio
import json

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from service.clock import ScaledClock
from service.instruments.source import Source
from service.model import HOUR, MINUTE, Completeness, DecodeError, Print, Side
from service.simulator import Market
from service.tape import Row
from service.venues import VENUES
from service.venues.base import Control, Pong, Refused, Spoilt, Subscribed, query_of, settle
from tests.test_feed_venues import FeedState, listening
from tests.test_venues import lines, metadata, raw
from tests.toyvenue import ORIGIN, until

VENUE = VENUES["poloniex"]
HISTORY = VENUE.history
SEEN = 1_790_134_400_000
AT = 1_730_341_275_050
URL = "https://h/v3/market/liquidationOrder?symbol=BTC_USDT_PERP&sTime=1730341000000&eTime=1730349000000&limit=100"
#: The first row of the history's documented sample.
SAMPLE = {"symbol": "BTCUSDTPERP", "posSide": "SHORT", "side": "BUY", "sz": "13"} | {
    "bkPx": "68741.828000000000000000",
    "uTime": str(AT),
}


def pushed(**changes):
    row = {"s": "BTC_USDT_PERP", "side": "BUY", "posSide": "BOTH", "sz": "1", "bkPx": "94120.8", "uTime": AT, "ts": AT}
    (event,) = VENUE.session().decode(json.dumps({"channel": "liquidation_orders", "data": [row | changes]}), SEEN)
    return event


def page(*rows, url=URL, code=200):
    return HISTORY.read(url, json.dumps({"code": code, "msg": "success", "data": rows}).encode(), SEEN)


def plan(endpoints=VENUE.endpoints, names=("ETH_USDT_PERP", "BTC_USDT_PERP")):
    (found,) = VENUE.plans(endpoints, [metadata("poloniex")[name] for name in names])
    return found


def ack(channel, *names):
    return json.dumps({"event": "subscribe", "channel": channel, "symbols": names})


ERROR = '{"message":"no valid symbols","event":"error"}'


# --- what a row means -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("position", "order", "side"),
    [
        ("BOTH", "BUY", Side.SHORT),
        ("BOTH", "SELL", Side.LONG),
        ("SHORT", "BUY", Side.SHORT),
        ("LONG", "SELL", Side.LONG),
    ],
)
def test_the_order_closes_the_position_it_names(position, order, side):
    assert pushed(posSide=position, side=order).side is side


@pytest.mark.parametrize(("position", "order"), [("LONG", "BUY"), ("SHORT", "SELL"), ("NET", "BUY"), ("BOTH", "buy")])
def test_words_that_would_open_a_position_are_refused(position, order):
    event = pushed(posSide=position, side=order)
    assert isinstance(event, Spoilt)
    assert f"{position} {order}" in event.detail


def test_a_size_is_contracts_and_their_value_is_in_the_unit_of_the_price():
    rows = metadata("poloniex")
    assert settle(pushed(sz="250", bkPx="80000"), rows["BTC_USDT_PERP"]).usd == 20_000
    pepe = settle(pushed(s="1000PEPE_USDT_PERP", sz="7", bkPx="0.0062"), rows["1000PEPE_USDT_PERP"])
    assert (pepe.asset, pepe.usd) == ("PEPE", pytest.approx(43.4))
    assert VENUE.implied("BTC_USDT_PERP") is None


def test_the_time_is_when_the_order_was_completed_not_when_it_was_told():
    first, again = pushed(ts=AT + 25), pushed(ts=AT + 900)
    assert first == again
    assert first.at == AT


def test_what_is_closed_inverse_or_not_in_dollars_is_not_listed():
    listed = {"BTC_USDT_PERP", "BNB_USDT_PERP", "ETH_USDT_PERP", "SOL_USDT_PERP", "1000PEPE_USDT_PERP"}
    assert set(metadata("poloniex")) == listed
    row = {"symbol": "BTC_USDT_PERP", "bCcy": "BTC", "qCcy": "USDT", "ctType": "LINEAR", "ctVal": "0.001"}
    (found,), _ = VENUE.instruments(json.dumps({"code": "200", "msg": "Success", "data": [row]}).encode())
    assert found.size == 0.001


def test_it_is_sampled_and_open():
    assert VENUE.completeness(SEEN) is Completeness.SAMPLED
    assert VENUE.by_default
    assert "floor" in VENUE.about


# --- the socket -------------------------------------------------------------------------------------------------------


def test_every_topic_has_a_request_of_its_own_and_names_its_contract():
    asks = [json.loads(text) for text in VENUE.session(plan()).hello(SEEN)]
    assert [(ask["event"], *ask["channel"], *ask["symbols"]) for ask in asks] == [
        ("subscribe", "mark_price", "BTC_USDT_PERP"),
        ("subscribe", "liquidation_orders", "ETH_USDT_PERP"),
        ("subscribe", "liquidation_orders", "BTC_USDT_PERP"),
    ]
    assert VENUE.plans(VENUE.endpoints, []) == ()


def test_it_is_subscribed_when_all_is_acked_in_any_order():
    session = VENUE.session(plan())
    acks = [ack("liquidation_orders", "BTC_USDT_PERP"), ack("mark_price", "BTC_USDT_PERP")]
    assert [list(session.decode(text, SEEN)) for text in (*acks, acks[0])] == [[], [], []]
    assert list(session.decode(ack("liquidation_orders", "ETH_USDT_PERP"), SEEN)) == [Subscribed()]
    assert list(session.decode(acks[0], SEEN)) == []


def test_an_ack_without_its_contracts_is_one_request_of_its_channel():
    session, bare = VENUE.session(plan()), '{"event":"subscribe","channel":"liquidation_orders"}'
    answers = [list(session.decode(text, SEEN)) for text in (bare, bare, bare, ack("mark_price", "BTC_USDT_PERP"))]
    assert answers == [[], [], [], [Subscribed()]]


def test_an_ack_of_nothing_is_a_refusal():
    session = VENUE.session(plan())
    acks = [ack("liquidation_orders", "BTC_USDT_PERP"), ack("mark_price", "BTC_USDT_PERP"), ack("liquidation_orders")]
    assert [[type(event) for event in session.decode(text, SEEN)] for text in acks] == [[], [], [Refused, Subscribed]]


def test_a_refused_contract_is_found_by_what_was_accepted_and_costs_itself():
    session = VENUE.session(plan())
    assert session.decode(ack("mark_price", "BTC_USDT_PERP"), SEEN) == []
    (told,) = session.decode(ERROR, SEEN)
    assert not told.fatal
    left, subscribed = session.decode(ack("liquidation_orders", "BTC_USDT_PERP"), SEEN)
    assert (left.fatal, left.reason) == (False, "poloniex refused liquidation_orders ETH_USDT_PERP")
    assert subscribed == Subscribed()
    assert [type(event) for event in session.decode(ERROR, SEEN)] == [Refused], "later errors end nothing"


def test_a_socket_without_any_orders_is_refused():
    session = VENUE.session(plan())
    answers = [list(session.decode(text, SEEN)) for text in (ERROR, ack("mark_price", "BTC_USDT_PERP"), ERROR)]
    assert [event.fatal for event in answers[2]] == [False, False, True]


def test_pings_of_both_directions_are_told_apart():
    session = VENUE.session()
    assert session.decode('{"event":"pong"}', SEEN) == (Pong(),)
    assert list(session.decode(plan().heartbeat.text, SEEN)) == []


def test_a_mark_is_not_decoded():
    frame = '{"channel":"mark_price","data":[' + "no JSON " * 1_000 + "}]}"
    assert VENUE.session().decode(frame, SEEN) == (Control(),)


# --- the history ------------------------------------------------------------------------------------------------------


def test_a_row_of_the_history_is_the_row_of_the_socket_in_other_spellings():
    (row,) = page(SAMPLE).orders
    live = pushed(posSide="SHORT", side="BUY", sz="13", bkPx="68741.828")
    assert row == live
    assert row.symbol == "BTC_USDT_PERP"
    assert page(SAMPLE | {"symbol": "BTC_USDT_PERP"}).orders == (row,)


def test_like_rows_of_a_page_are_two_and_a_row_of_another_contract_none():
    first, second, other = page(SAMPLE, SAMPLE, SAMPLE | {"symbol": "ETHUSDTPERP"}).orders
    assert isinstance(first, Print)
    assert first.id != second.id
    assert isinstance(other, Spoilt)


def test_each_contract_is_asked_for_its_whole_window():
    urls = HISTORY.asks({"rest": "https://h"}, list(metadata("poloniex").values())[:1], 1730341000000, 1730349000000)
    assert urls == [URL]
    assert 1 / HISTORY.gap_s < 300


def test_a_full_page_is_asked_again_in_halves_until_nothing_is_left_to_halve():
    full = [SAMPLE | {"uTime": str(AT + n)} for n in range(100)]
    found = page(*full)
    assert found.orders == ()
    windows = [(int(query_of(url)["sTime"]), int(query_of(url)["eTime"])) for url in found.more]
    assert windows == [(1730341000000, 1730345000000), (1730345000000, 1730349000000)]
    assert len(page(*full[:99]).orders) == 99
    narrow = URL.replace("1730341000000", str(AT)).replace("1730349000000", str(AT + 1))
    last = page(*([SAMPLE] * 100), url=narrow)
    assert (len(last.orders), last.more) == (100, ())


@pytest.mark.parametrize("step", [-5 * MINUTE, 5 * MINUTE])
def test_a_full_page_from_outside_its_window_is_no_reason_to_ask_for_ever(step):
    rows = [SAMPLE | {"uTime": str(AT + n * step)} for n in range(100)]
    with pytest.raises(DecodeError, match="keeps to no window"):
        page(*rows)


def test_a_refusal_with_status_200_is_no_empty_history():
    with pytest.raises(DecodeError, match="24101 Invalid symbol!"):
        HISTORY.read(URL, b'{"code":24101,"msg":"Invalid symbol!","data":""}', SEEN)


# --- on the wire ------------------------------------------------------------------------------------------------------


def tape(count=6):
    symbols = ("BTCUSDT", "SOLUSDT")
    return [
        Row(at=ORIGIN + n * 400, venue="poloniex", symbol=symbols[n % 2], side=list(Side)[n // 2 % 2], usd=1000.0 + n)
        for n in range(count)
    ]


async def drained(ws):
    while True:
        await ws.recv()


async def test_accounts_of_both_modes_are_heard_with_their_sides_and_dollars():
    async with listening("poloniex") as (market, heard):
        await until(lambda: heard.are(FeedState.LIVE))
        await market.play(tape())
        await until(lambda: len({order.id for order in heard.orders}) == 6)
        async with httpx.AsyncClient() as client:
            book = await Source(VENUE, market.endpoints["poloniex"], ScaledClock(ORIGIN, 60), client).fetch()
        told = sorted(settle(order, book[order.symbol]).usd for order in heard.orders)
        assert told == pytest.approx([1000.0 + n for n in range(6)])
        sides = {order.at: order.side for order in heard.orders}
        assert sides == {row.at: row.side for row in tape()}


async def test_the_server_speaks_the_words_the_probes_heard():
    async with Market(["poloniex"], ScaledClock(ORIGIN + HOUR, 1)) as market, asyncio.timeout(5):
        answers = []
        async with connect(market.endpoints["poloniex"]["public"]) as ws:
            for request in (
                {"event": "ping"},
                "ping",
                "hello",
                {"event": "subscribe", "channel": ["nope"], "symbols": ["BTC_USDT_PERP"]},
                {"event": "subscribe", "channel": ["liquidation_orders"], "symbols": ["all"]},
                {"event": "subscribe", "channel": ["liquidation_orders"], "symbols": ["BTC_USDT"]},
                {"event": "subscribe", "channel": ["liquidation_orders"], "symbols": ["BTC_USDT_PERP"]},
                {"event": "list_subscriptions"},
            ):
                await ws.send(request if isinstance(request, str) else json.dumps(request))
                answers.append(json.loads(await ws.recv()))
    assert answers == [
        {"event": "pong"},
        {"event": "pong"},
        {"message": "Not JSON string：hello", "event": "error"},
        {"message": 'Invalid channel values ["nope"]', "event": "error"},
        {"message": "All symbols subscription is not allowed", "event": "error"},
        {"message": "no valid symbols", "event": "error"},
        {"event": "subscribe", "channel": "liquidation_orders", "symbols": ["BTC_USDT_PERP"]},
        {"subscriptions": ["liquidation_orders"]},
    ]


async def test_a_client_that_says_nothing_is_cut_and_ours_is_not():
    """What the server says does not count; our ping comes every 20 s of the 30."""
    async with listening("poloniex", speed=20) as (market, heard):
        await until(lambda: heard.are(FeedState.LIVE))
        before = market.servers["poloniex"].live
        assert plan().heartbeat.every_s < market.servers["poloniex"].idle_s
        async with connect(market.endpoints["poloniex"]["public"]) as ws, asyncio.timeout(8):
            await ws.send(json.dumps({"event": "subscribe", "channel": ["mark_price"], "symbols": ["BTC_USDT_PERP"]}))
            with pytest.raises(ConnectionClosed):
                await drained(ws)
        assert market.servers["poloniex"].live == before
        assert heard.lives == {"public": [FeedState.CONNECTING, FeedState.LIVE]}


async def test_a_contract_the_venue_has_dropped_costs_itself():
    async with Market(["poloniex"], ScaledClock(ORIGIN, 60)) as market, asyncio.timeout(5):
        listed = [metadata("poloniex")[name] for name in ("BTC_USDT_PERP", "SOL_USDT_PERP")]
        gone = VENUE.instruments(
            b'{"code":200,"data":[{"symbol":"GONE_USDT_PERP","bCcy":"GONE","qCcy":"USDT","ctType":"LINEAR","ctVal":"1"}]}'
        )[0]
        (found,) = VENUE.plans(market.endpoints["poloniex"], [*gone, *listed])
        session, events = VENUE.session(found), []
        async with connect(found.url) as ws:
            for text in session.hello(ORIGIN):
                await ws.send(text)
            while not any(isinstance(event, Subscribed) for event in events):
                events += session.decode(await ws.recv(), SEEN)
        refused = [event.reason for event in events if isinstance(event, Refused)]
        assert refused == ["poloniex answered: no valid symbols", "poloniex refused liquidation_orders GONE_USDT_PERP"]


def test_the_documented_frame_is_worth_its_contract():
    (order,) = VENUE.session().decode(raw(lines("poloniex")[0]["frame"]), SEEN)
    assert settle(order, metadata("poloniex")[order.symbol]).usd == pytest.approx(94.1208368032, rel=1e-12)
