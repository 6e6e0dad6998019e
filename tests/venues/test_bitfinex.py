"""Bitfinex: one liquidation in up to three rows is one order, at the price of the take-over and no other."""

import asyncio
import itertools
import json

import httpx
import pytest
from websockets.asyncio.client import connect

from service.clock import ScaledClock
from service.model import DecodeError, FeedState, Print, Side
from service.simulator import Market
from service.tape import Row
from service.venues import VENUES
from service.venues.base import Control, Leaving, Refused, Spoilt, Subscribed, settle
from tests.test_feed_venues import listening, tape
from tests.test_venues import lines, metadata, prints, raw
from tests.toyvenue import ORIGIN, until

VENUE = VENUES["bitfinex"]
T = 1_706_417_848_752
HEARTBEAT = '[91684,"hb"]'
#: The live listing of ccxt pull request 20989: 0.0392 without a price, a millisecond later with one, then a match.
TRIGGER = ["pos", 171085137, T, None, "tBTCF0:USTF0", 0.0392, 43100.5, None, 0, 1, None, None]
PRICED = ["pos", 171085137, T + 1, None, "tBTCF0:USTF0", 0.0392, 43100.5, None, 0, 1, None, 42735]
MATCH = ["pos", 171085137, T + 5, None, "tBTCF0:USTF0", 0.03908247, 43100.5, None, 1, 1, None, 42735]


def frame(*rows):
    return raw([91684, list(rows)])


def heard(session, *frames, seen=T + 100):
    return [event for each in frames for event in session.decode(each, seen)]


def session():
    return VENUE.session()


@pytest.mark.parametrize("rows", list(itertools.permutations([TRIGGER, PRICED, MATCH])))
@pytest.mark.parametrize("together", [True, False])
def test_three_rows_in_any_order_are_one_order_at_the_price_of_the_take_over(rows, together):
    frames = [frame(*rows)] if together else [frame(row) for row in rows]
    (order,) = heard(session(), *frames)
    assert (order.side, order.price, order.quantity) == (Side.LONG, 42735, 0.0392)
    assert order.at in (T, T + 1)
    assert settle(order, metadata("bitfinex")[order.symbol]).usd == pytest.approx(1675.212)


def test_the_three_rows_have_one_id_whichever_of_them_was_heard():
    alone = [heard(session(), frame(PRICED))[0], heard(session(), frame(MATCH), frame(TRIGGER))[0]]
    waiting = session()
    heard(waiting, frame(TRIGGER))
    assert {order.id for order in [*alone, *waiting.farewell()]} == {alone[0].id}


def test_a_captured_match_comes_ahead_of_its_trigger_and_tells_its_price():
    match, trigger = lines("bitfinex")[0]["frame"], lines("bitfinex")[6]["frame"]
    listening_ = session()
    assert heard(listening_, raw(match), seen=1594036710600) == []
    (order,) = heard(listening_, trigger, seen=1594036710600)
    assert (order.side, order.price, order.quantity) == (Side.SHORT, 235.52, 8.6007)


def test_matches_are_never_added():
    halves = [[*MATCH[:5], 0.0196, *MATCH[6:11], price] for price in (42735, 42734)]
    (order,) = heard(session(), frame(TRIGGER), *(frame(half) for half in halves))
    assert (order.quantity, order.price) == (0.0392, 42735)


def test_a_trigger_waits_for_its_price_until_a_later_frame_shows_that_it_is_late():
    waiting = session()
    assert heard(waiting, frame(TRIGGER), seen=T) == []
    assert heard(waiting, HEARTBEAT, seen=T + 4_999) == [Control()]
    order, control = heard(waiting, HEARTBEAT, seen=T + 5_000)
    assert (order.price, control) == (None, Control())
    assert heard(waiting, HEARTBEAT, seen=T + 60_000) == [Control()]
    assert heard(waiting, frame(PRICED), frame(MATCH), seen=T + 60_000) == []
    assert waiting.farewell() == []


def test_any_frame_shows_that_a_trigger_is_late():
    waiting = session()
    other = ["pos", 7, T + 9_000, None, "tBTCUSD", 1, 1, None, 0, 1, None, 40_000]
    heard(waiting, frame(TRIGGER), seen=T)
    assert [order.price for order in heard(waiting, frame(other), seen=T + 9_000)] == [40_000, None]


def test_what_is_still_held_at_the_end_is_told_without_a_price():
    waiting = session()
    heard(waiting, frame(TRIGGER))
    (order,) = waiting.farewell()
    assert (order.price, order.quantity, order.at) == (None, 0.0392, T)


def test_an_order_without_a_price_is_worth_the_last_price_of_the_metadata_and_never_the_entry_price():
    waiting = session()
    heard(waiting, frame(TRIGGER))
    row = settle(waiting.farewell()[0], metadata("bitfinex")["tBTCF0:USTF0"])
    assert (row.price, row.usd) == (None, pytest.approx(0.0392 * 101_490))


@pytest.mark.parametrize("changed", [{1: 5}, {2: T - 60_000}])
def test_a_price_of_another_position_or_of_long_ago_is_not_its_price(changed):
    match = [changed.get(place, value) for place, value in enumerate(MATCH)]
    waiting = session()
    assert heard(waiting, frame(match), frame(TRIGGER)) == []
    assert waiting.farewell()[0].price is None


def test_rows_and_frames_may_grow_at_their_end():
    grown = raw([91684, [[*PRICED, None, "new", {"a": 1}]], 2043, T])
    assert heard(session(), grown) == heard(session(), frame(PRICED))
    assert heard(session(), raw([91684, PRICED])) == heard(session(), frame(PRICED))


def test_a_bad_row_costs_itself_and_no_price_below_zero_counts():
    events = heard(session(), frame([*PRICED[:11], -5], [*PRICED[:2], 1, *PRICED[3:]], PRICED))
    assert [type(event) for event in events] == [Spoilt, Spoilt, Print]


def test_it_is_subscribed_by_its_key_and_by_nothing_else():
    (plan,) = VENUE.plans(VENUE.endpoints, ())
    asking = VENUE.session(plan)
    assert [json.loads(text) for text in asking.hello(T)] == [
        {"event": "subscribe", "channel": "status", "key": "liq:global"}
    ]
    ack = {"event": "subscribed", "channel": "status", "chanId": 1, "key": "deriv:tBTCF0:USTF0"}
    answers = [asking.decode(raw(ack | {"key": key}), T) for key in (ack["key"], "liq:global", "liq:global")]
    assert answers == [(), (Subscribed(),), ()]
    (refusal,) = asking.decode('{"event":"error","msg":"subscribe: limit","code":10305}', T)
    assert isinstance(refusal, Refused)
    assert refusal.fatal
    assert "10305" in refusal.reason
    assert VENUE.session().hello(T) == []


def test_it_leaves_when_the_server_stops_and_when_its_maintenance_is_over():
    kinds = [
        [type(event) for event in session().decode(raw({"event": "info", "code": code}), T)]
        for code in (20051, 20060, 20061)
    ]
    assert kinds == [[Leaving], [], [Leaving]]


def test_rows_replayed_after_an_acceptance_are_left_out_when_they_are_days_old():
    ack = '{"event":"subscribed","channel":"status","chanId":1,"key":"liq:global"}'
    young = ["pos", 8, T + 70 * 3_600_000, None, "tBTCUSD", 1, 1, None, 0, 1, None, 40_000]
    now = T + 73 * 3_600_000
    assert [order.at for order in heard(session(), ack, frame(PRICED, TRIGGER, young), seen=now)] == [young[2]]
    assert len(heard(session(), ack, frame(young), frame(PRICED), seen=now)) == 2
    assert len(heard(session(), ack, frame(PRICED), seen=0)) == 1


def test_metadata_tells_dollars_of_other_quotes_from_the_same_answer():
    rows = metadata("bitfinex")
    assert {symbol: rows[symbol].rate for symbol in ("tBTCUSD", "tAVAX:UST", "tETHF0:BTCF0", "tETHBTC", "tEUTUSD")} == {
        "tBTCUSD": 1.0,
        "tAVAX:UST": 1.0,
        "tETHF0:BTCF0": 101_550,
        "tETHBTC": 101_550,
        "tEUTUSD": 1.0,
    }
    assert rows["tBTCF0:EUTF0"].rate == 1.1
    assert rows["tBTCEUR"].rate == pytest.approx(1.1)
    assert (rows["tBTCF0:USTF0"].mark, rows["tIOTF0:USTF0"].asset, rows["tAVAX:UST"].asset) == (101_490, "IOTA", "AVAX")
    assert not {"fUSD", "tXYZGBP", "tTESTBTC:TESTUSD", "tTESTBTCF0:TESTUSDTF0"} & set(rows)


@pytest.mark.parametrize(
    ("symbol", "asset"),
    [
        ("tBTCUSD", "BTC"),
        ("tBTCF0:USTF0", "BTC"),
        ("tAVAX:UST", "AVAX"),
        ("tDSHUSD", "DASH"),
        ("tLUNA2:USD", "LUNA"),
        ("tETHBTC", None),
        ("tETHF0:BTCF0", None),
        ("fUSD", None),
        ("tTESTBTC:TESTUSD", None),
        ("tTESTBTCF0:TESTUSDTF0", None),
        ("BTCUSD", None),
        ("t", None),
        ("", None),
    ],
)
def test_a_symbol_implies_its_contract_only_when_it_is_quoted_in_dollars(symbol, asset):
    implied = VENUE.implied(symbol)
    assert (implied.asset if implied else None) == asset


# --- history ----------------------------------------------------------------------------------------------------------


def history(rows, since=T - 1_000, until_=T + 10_000_000):
    """Everything the history tells, from an endpoint that serves `rows` as documented; and the starts asked for."""
    found, starts = [], []
    asks = list(VENUE.history.asks(VENUE.endpoints, (), since, until_))
    while asks:
        url = httpx.URL(asks.pop())
        query = {name: int(value) for name, value in url.params.items()}
        assert query["limit"] == 500
        starts.append(query["start"])
        shown = [[row] for row in sorted(rows, key=lambda row: row[2]) if query["start"] <= row[2] <= query["end"]]
        page = VENUE.history.read(str(url), raw(shown[:500]).encode(), until_)
        found += page.orders
        asks += page.more
    return found, starts


def test_the_history_tells_the_order_its_live_twin_is():
    found, _ = history([TRIGGER, PRICED, MATCH])
    assert [(row.id, row.price, row.quantity) for row in found] == [
        (row.id, row.price, row.quantity) for row in heard(session(), frame(TRIGGER, PRICED, MATCH))
    ]


def test_a_page_that_ends_between_a_trigger_and_its_price_costs_nothing():
    crowd = [[*PRICED[:1], 1000 + n, T - 900 + n, *PRICED[3:]] for n in range(499)]
    crowd = [[*row[:2], row[2] - 60_000, *row[3:]] for row in crowd]
    found, starts = history([*crowd, TRIGGER, PRICED, MATCH], since=T - 100_000)
    assert len(starts) == 2
    orders = {order.id: order for order in found}
    assert len(orders) == 500
    assert all(order.price == 42735 for order in found)


def test_more_rows_of_one_moment_than_a_page_holds_end_and_lose_nothing_that_could_be_had():
    crowd = [[*PRICED[:1], 1000 + n, T + n // 400, *PRICED[3:]] for n in range(1_200)]
    found, starts = history(crowd, since=T)
    assert len({order.id for order in found}) == 1_200
    assert starts == sorted(set(starts))


def test_a_trigger_whose_price_the_history_does_not_tell_comes_without_one():
    found, _ = history([TRIGGER])
    assert [order.price for order in found] == [None]


@pytest.mark.parametrize("body", [b'["error",11010,"ratelimit: error"]', b"{}", b"null", b"", b"[[5]]", b"[" * 9_999])
def test_a_history_of_another_shape_is_refused(body):
    (url,) = VENUE.history.asks(VENUE.endpoints, (), T, T + 1)
    with pytest.raises(DecodeError):
        VENUE.history.read(url, body, T)


def test_a_bad_row_of_the_history_costs_itself():
    (url,) = VENUE.history.asks(VENUE.endpoints, (), T, T + 1)
    page = VENUE.history.read(url, raw([[PRICED], [[*PRICED[:5], 0, *PRICED[6:]]]]).encode(), T)
    assert [type(row) for row in page.orders] == [Print, Spoilt]
    assert page.orders[1].detail.startswith("row 2: ")


# --- on the wire ------------------------------------------------------------------------------------------------------


async def test_triggers_without_any_price_are_told_when_the_heartbeat_shows_that_they_are_late():
    async with listening("bitfinex") as (market, heard_):
        await until(lambda: heard_.are(FeedState.LIVE))
        market.servers["bitfinex"].unpriced = True
        await market.play(tape("bitfinex", 6))
        await until(lambda: len({order.id for order in heard_.orders}) == 6)
        assert {order.price for order in heard_.orders} == {None}
        assert heard_.bad == {}


async def test_a_connection_that_ends_tells_the_trigger_it_still_holds():
    async with listening("bitfinex", speed=1) as (market, heard_):
        await until(lambda: heard_.are(FeedState.LIVE))
        market.servers["bitfinex"].unpriced = True
        await market.play(tape("bitfinex", 1))
        await asyncio.sleep(0.2)
        assert heard_.orders == []
        market.servers["bitfinex"].live[0].abort()
        await until(lambda: [order.price for order in heard_.orders] == [None])


async def test_frames_with_a_number_and_a_time_behind_them_are_read_alike():
    rows = [Row(at=ORIGIN + n, venue="bitfinex", symbol="BTCUSDT", side=Side.SHORT, usd=1_000.0 + n) for n in range(3)]
    market = Market(["bitfinex"], ScaledClock(ORIGIN + 60_000, 1), symbols=rows)
    async with market, connect(market.endpoints["bitfinex"]["public"]) as ws:
        await ws.send('{"event":"conf","flags":98304}')
        await ws.send('{"event":"subscribe","channel":"status","key":"liq:global"}')
        answers = [json.loads(await ws.recv()) for _ in range(3)]
        await market.play(rows, wait_for_listeners=True)
        frames = [await ws.recv() for _ in rows]
    assert [answer["event"] for answer in answers] == ["info", "conf", "subscribed"]
    assert [json.loads(each)[2] for each in frames] == [1, 2, 3]
    reading = session()
    orders = [order for each in frames for order in prints(list(reading.decode(each, ORIGIN)))]
    assert [order.side for order in orders] == [Side.SHORT] * 3


async def test_the_history_is_asked_no_faster_than_the_venue_allows():
    async with Market(["bitfinex"], ScaledClock(ORIGIN, 1)) as market, httpx.AsyncClient() as client:
        url = f"{market.endpoints['bitfinex']['rest']}/v2/liquidations/hist?limit=500"
        assert [(await client.get(url)).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert 60 / VENUE.history.gap_s < 3


def test_a_list_of_pairs_names_contracts_and_tells_no_price() -> None:
    listed, _ = VENUE.instruments(b'[["BTCUSD","ETHBTC","AAVE:USD"],["BTCF0:USTF0"]]')
    assert {row.symbol: (row.asset, row.mark) for row in listed} == {
        "tBTCUSD": ("BTC", None),
        "tAAVE:USD": ("AAVE", None),
        "tBTCF0:USTF0": ("BTC", None),
    }, "what is quoted in bitcoin needs the price of bitcoin"
    with pytest.raises(DecodeError):
        VENUE.instruments(b"[[]]")
