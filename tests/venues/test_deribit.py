"""Deribit: trades of which some are forced, on either side or on both; a list of channels that may come back shorter."""

import asyncio
import itertools
import json
from urllib.parse import parse_qsl, urlsplit

import pytest
from websockets.asyncio.client import connect

from service import clock
from service.clock import ScaledClock
from service.model import HOUR, Contract, DecodeError, FeedState, Print, Side
from service.simulator import SERVERS, Faults, Market
from service.tape import Row
from service.venues import VENUES
from service.venues.base import Control, Refused, Say, Spoilt, Subscribed, asked_again, query_of
from service.venues.deribit import CONTROL, ORDERS
from tests.test_feed_venues import listening
from tests.test_venues import SEEN, lines, metadata, prints, raw
from tests.toyvenue import ORIGIN, until

VENUE = VENUES["deribit"]
HISTORY = VENUE.history
AT = 1_765_531_356_452
ROW = {"trade_id": "1", "instrument_name": "BTC-PERPETUAL", "timestamp": AT, "direction": "sell", "price": 90_000.5}
ROW |= {"amount": 20.0, "liquidation": "T"}


def told(*rows: object, channel: str = ORDERS) -> str:
    return raw({"jsonrpc": "2.0", "method": "subscription", "params": {"channel": channel, "data": rows}})


def decode(frame: str) -> list:
    return list(VENUE.session().decode(frame, SEEN))


def answer(number: int, result: object) -> str:
    return raw({"jsonrpc": "2.0", "id": number, "result": result, "usIn": 1, "usOut": 2, "usDiff": 1})


def dialled():
    (plan,) = VENUE.plans(VENUE.endpoints, ())
    return VENUE.session(plan)


# --- the socket -------------------------------------------------------------------------------------------------------


def test_heartbeats_and_both_channels_are_asked_for_and_must_be_accepted():
    session = dialled()
    beat, ask = (json.loads(text) for text in session.hello(SEEN))
    assert (beat["method"], beat["params"]) == ("public/set_heartbeat", {"interval": 30})
    assert (ask["method"], ask["params"]) == ("public/subscribe", {"channels": [ORDERS, CONTROL]})
    assert list(session.decode(answer(9, [ORDERS, CONTROL]), SEEN)) == []
    assert list(session.decode(answer(ask["id"], [CONTROL, ORDERS]), SEEN)) == []
    assert list(session.decode(answer(beat["id"], "ok"), SEEN)) == [Subscribed()]
    assert list(session.decode(answer(beat["id"], "ok"), SEEN)) == []


def test_an_ack_that_leaves_out_the_orders_is_fatal_and_names_them():
    session = dialled()
    _, ask = (json.loads(text) for text in session.hello(SEEN))
    (refused,) = session.decode(answer(ask["id"], [CONTROL]), SEEN)
    assert isinstance(refused, Refused)
    assert refused.fatal
    assert ORDERS in refused.reason
    assert list(session.decode(answer(1, "ok"), SEEN)) == []


def test_an_ack_that_leaves_out_the_index_is_loud_but_the_orders_are_heard():
    session = dialled()
    session.decode(answer(1, "ok"), SEEN)
    refused, subscribed = session.decode(answer(2, [ORDERS]), SEEN)
    assert (refused, subscribed) == (Refused(reason=f"deribit left out {CONTROL}", fatal=False), Subscribed())
    ordinary = {key: value for key, value in ROW.items() if key != "liquidation"}
    assert list(session.decode(told(ordinary), SEEN)) == [Control()], "the trades themselves prove the path"


def test_an_ack_of_another_shape_accepts_nothing():
    with pytest.raises(DecodeError):
        dialled().decode(answer(2, "ok"), SEEN)


def test_the_venue_asks_whether_we_live_and_is_answered():
    question = next(line["frame"] for line in lines("deribit") if line.get("yields") == ["Say"])
    (say,) = VENUE.session().decode(raw(question), SEEN)
    assert isinstance(say, Say)
    assert json.loads(say.text)["method"] == "public/test"


async def test_who_does_not_answer_the_venues_question_is_cut_off_and_we_are_not(monkeypatch):
    monkeypatch.setattr(clock, "MIN_GRACE_S", 0.9)
    async with listening("deribit", speed=120) as (market, heard):
        await until(lambda: heard.are(FeedState.LIVE))
        (ours,) = market.servers["deribit"].live
        async with connect(market.endpoints["deribit"]["public"]) as mute, asyncio.timeout(5):
            await mute.send('{"jsonrpc":"2.0","id":1,"method":"public/set_heartbeat","params":{"interval":10}}')
            await mute.wait_closed()
        assert not ours.gone
        assert ours in market.servers["deribit"].live
        assert list(heard.lives.values()) == [[FeedState.CONNECTING, FeedState.LIVE]]


async def test_raw_channels_need_a_login():
    ask = raw({"id": 2, "method": "public/subscribe", "params": {"channels": ["trades.future.any.raw"]}})
    async with (
        Market(["deribit"], ScaledClock(ORIGIN, 1)) as market,
        connect(market.endpoints["deribit"]["public"]) as ws,
    ):
        await ws.send(ask)
        (refused,) = dialled().decode(await ws.recv(), SEEN)
    assert isinstance(refused, Refused)
    assert "13778" in refused.reason


# --- whose position ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "direction", "sides"),
    [
        ("T", "sell", [Side.LONG]),
        ("T", "buy", [Side.SHORT]),
        ("M", "buy", [Side.LONG]),
        ("M", "sell", [Side.SHORT]),
        ("MT", "sell", [Side.LONG, Side.SHORT]),
        ("MT", "buy", [Side.SHORT, Side.LONG]),
    ],
)
def test_direction_is_the_takers_and_the_maker_did_the_opposite(who, direction, sides):
    events = decode(told(ROW | {"liquidation": who, "direction": direction}))
    assert [event.side for event in events] == sides
    assert len({event.id for event in events}) == len(sides)
    assert {(event.price, event.quantity, event.at) for event in events} == {(90_000.5, 20.0, AT)}


@pytest.mark.parametrize("word", ["", "t", "TM", "none"])
def test_an_unknown_mark_costs_its_row(word):
    spoilt, kept = decode(told(ROW | {"liquidation": word}, ROW))
    assert isinstance(spoilt, Spoilt)
    assert spoilt.detail.startswith("row 1: liquidation must be one of T, M, MT")
    assert isinstance(kept, Print)


def test_a_trade_without_the_mark_or_with_none_is_nobodys_liquidation():
    ordinary = {key: value for key, value in ROW.items() if key != "liquidation"}
    assert prints(
        decode(told(ordinary | {"price": -3.0}, ROW, ROW | {"liquidation": None, "trade_id": "2"}))
    ) == prints(decode(told(ROW)))


def test_a_batch_of_ordinary_trades_is_not_typed_but_must_be_whole_json():
    frame = told({"trade_id": 7, "price": "no number"})
    assert decode(frame) == [Control()]
    for bad in (frame[:-4], frame.replace("[", "[,"), frame.replace("[{", "{").replace("}]", "}")):
        with pytest.raises(DecodeError):
            decode(bad)


def test_the_channel_of_one_contract_decodes_like_that_of_all():
    names = ("trades.BTC-PERPETUAL.raw", "trades.BTC-PERPETUAL.100ms", "trades.future.BTC.agg2", ORDERS)
    assert len({tuple(decode(told(ROW, channel=name))) for name in names}) == 1


# --- contracts --------------------------------------------------------------------------------------------------------


def test_futures_in_dollars_are_taken_and_nothing_else():
    assert {name: (row.contract, row.asset, row.size) for name, row in metadata("deribit").items()} == {
        "BTC-PERPETUAL": (Contract.INVERSE, "BTC", 1.0),
        "BTC-27DEC24": (Contract.INVERSE, "BTC", 1.0),
        "ETH-PERPETUAL": (Contract.INVERSE, "ETH", 1.0),
        "BTC_USDC-PERPETUAL": (Contract.LINEAR, "BTC", 1.0),
        "SOL_USDC-PERPETUAL": (Contract.LINEAR, "SOL", 1.0),
    }


def test_the_older_name_of_the_type_is_read_where_the_new_one_is_missing():
    row = {"instrument_name": "XRP_USDC-PERPETUAL", "kind": "future", "base_currency": "XRP", "quote_currency": "USDC"}
    (found,), _ = VENUE.instruments(raw({"result": [row | {"future_type": "linear"}]}).encode())
    assert found.contract is Contract.LINEAR
    assert VENUE.instruments(raw({"result": [row]}).encode()) == ([], None)


@pytest.mark.parametrize(
    ("symbol", "contract"),
    [
        ("BTC-PERPETUAL", Contract.INVERSE),
        ("ETH-5JUN26", Contract.INVERSE),
        ("SOL_USDC-PERPETUAL", Contract.LINEAR),
        ("BTC_USDT-27MAR26", Contract.LINEAR),
        ("SOL-PERPETUAL", None),
        ("BTC-27DEC24-100000-C", None),
        ("BTC-FS-25DEC26_PERP", None),
        ("BTC_EURR-PERPETUAL", None),
    ],
)
def test_a_name_implies_its_contract_only_where_its_form_is_certain(symbol, contract):
    implied = VENUE.implied(symbol)
    assert (implied.contract if implied else None) == contract


# --- history ----------------------------------------------------------------------------------------------------------


def test_each_settlement_currency_is_asked_in_windows_that_leave_no_gap():
    since, until_ = ORIGIN, ORIGIN + 14 * HOUR
    asks = [query_of(url) for url in HISTORY.asks(VENUE.endpoints, list(metadata("deribit").values()), since, until_)]
    assert {ask["currency"] for ask in asks} == {"BTC", "ETH", "USDC"}
    assert {(ask["kind"], ask["count"], ask["sorting"]) for ask in asks} == {("future", "1000", "asc")}
    windows = [(int(ask["start_timestamp"]), int(ask["end_timestamp"])) for ask in asks if ask["currency"] == "ETH"]
    assert windows[0][0] == since
    assert windows[-1][1] == until_
    assert all(before[1] + 1 == after[0] for before, after in itertools.pairwise(windows))
    assert max(last - first for first, last in windows) < 6 * HOUR


def page(rows: list, *, more: bool) -> bytes:
    return raw({"jsonrpc": "2.0", "result": {"trades": rows, "has_more": more}}).encode()


def url(start: int) -> str:
    asks = HISTORY.asks(VENUE.endpoints, [VENUE.implied("BTC-PERPETUAL")], start, start + 1_000)
    return next(iter(asks))


def test_a_page_goes_on_from_the_millisecond_in_which_it_ends():
    rows = [ROW | {"trade_id": str(n), "timestamp": AT + n // 2} for n in range(4)]
    found = HISTORY.read(url(AT), page(rows, more=True), SEEN)
    assert len(found.orders) == 4
    assert [query_of(more)["start_timestamp"] for more in found.more] == [str(AT + 1)]
    assert query_of(found.more[0])["end_timestamp"] == query_of(url(AT))["end_timestamp"]
    assert HISTORY.read(url(AT), page(rows, more=False), SEEN).more == ()


@pytest.mark.parametrize("rows", [[], [ROW], [ROW, ROW | {"trade_id": "2"}]])
def test_pages_that_lead_no_further_are_an_error_and_not_a_circle(rows):
    with pytest.raises(DecodeError, match="no further"):
        HISTORY.read(url(AT), page(rows, more=True), SEEN)


def test_a_row_of_the_history_is_decoded_as_the_live_one_and_a_bad_one_costs_itself():
    ordinary = {key: value for key, value in ROW.items() if key != "liquidation"}
    found = HISTORY.read(url(AT), page([ordinary, ROW | {"amount": 0}, ROW], more=False), SEEN).orders
    assert isinstance(found[0], Spoilt)
    assert found[0].detail.startswith("row 2: amount")
    assert list(found[1:]) == decode(told(ROW))
    for body in (b"{}", raw({"jsonrpc": "2.0", "error": {"code": -32602, "message": "Invalid params"}}).encode()):
        with pytest.raises(DecodeError):
            HISTORY.read(url(AT), body, SEEN)


def tape(count: int) -> list[Row]:
    return [
        Row(at=ORIGIN + n // 3, venue="deribit", symbol="BTCUSD", side=Side.LONG, usd=100.0 + n) for n in range(count)
    ]


def asked(server, address: str):
    status, body = server.rest(urlsplit(address).path, dict(parse_qsl(urlsplit(address).query)))
    assert status == 200
    return HISTORY.read(address, raw(body).encode(), SEEN)


def test_small_pages_that_end_amid_equal_times_lose_no_order():
    server = SERVERS["deribit"](ScaledClock(ORIGIN + HOUR, 1), (), Faults())
    server.remember([server.order(row) for row in tape(9)])
    found, asks = {}, [asked_again(url(ORIGIN), count=22)]  # 21 trades share a millisecond
    while asks:
        answered = asked(server, asks.pop())
        found |= {order.id: order for order in answered.orders}
        asks += answered.more
    assert sorted(order.quantity for order in found.values()) == [row.usd for row in tape(9)]


def test_a_window_that_begins_more_than_a_day_ago_is_empty_and_its_neighbour_is_not():
    server = SERVERS["deribit"](ScaledClock(ORIGIN + 25 * HOUR, 1), (), Faults())
    late = [Row(at=ORIGIN + 8 * HOUR, venue="deribit", symbol="BTCUSD", side=Side.LONG, usd=5.0)]
    server.remember([server.order(row) for row in tape(3) + late])
    asks = HISTORY.asks(VENUE.endpoints, [VENUE.implied("BTC-PERPETUAL")], ORIGIN, ORIGIN + 20 * HOUR)
    assert [len(asked(server, address).orders) for address in asks] == [0, 1, 0, 0]
    assert HISTORY.reach_s < 24 * 3600
