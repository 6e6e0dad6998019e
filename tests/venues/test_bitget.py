"""Bitget: positions, not orders; dollars, not coins; words that are acked and dead; a history in an unstated unit."""

import asyncio
import contextlib
import json

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from service.clock import ScaledClock
from service.model import HOUR, SECOND, Completeness, Contract, DecodeError, Liquidation, Print, Side
from service.simulator import Faults, Market
from service.tape import Row
from service.venues import VENUES
from service.venues.base import Refused, Spoilt, Subscribed, settle
from tests.test_venues import lines, metadata, prints, raw
from tests.toyvenue import ORIGIN

VENUE = VENUES["bitget"]
HISTORY = VENUE.history
SEEN = 1_789_000_000_000
AT = 1_788_999_999_000
URL = "https://api.bitget.com/api/v3/market/liquidations?category=USDT-FUTURES&limit=100#0"


def frame(*rows, kind="usdt-futures", action="update"):
    arg = {"instType": kind, "topic": "liquidation"}
    return raw({"data": [told(*row) for row in rows], "arg": arg, "action": action, "ts": AT})


def told(symbol="BTCUSDT", side="buy", price="82655.7", amount="1016.66511", at=AT):
    return {"symbol": symbol, "side": side, "price": price, "amount": amount, "ts": str(at)}


def page(*rows, cursor="", url=URL):
    body = {"code": "00000", "msg": "success", "requestTime": SEEN, "data": {"list": list(rows), "cursor": cursor}}
    return HISTORY.read(url, raw(body).encode(), SEEN)


def dollars(*row) -> float:
    (order,) = page(told(*row)).orders
    return settle(order, VENUE.implied(order.symbol)).usd


def live(*row) -> Liquidation:
    (order,) = VENUE.session().decode(frame(row), SEEN)
    return settle(order, VENUE.implied(order.symbol))


def subscribed():
    (plan,) = VENUE.plans(VENUE.endpoints, ())
    session = VENUE.session(plan)
    (hello,) = session.hello(SEEN)
    return session, json.loads(hello)["args"]


def ack(arg):
    return raw({"event": "subscribe", "arg": arg, "connId": "x"})


def refusal(arg):
    return raw({"event": "error", "code": 30001, "msg": f"{json.dumps(arg, separators=(',', ':'))} doesn't exist"})


# -- the socket


def test_the_side_is_the_positions_and_the_amount_is_dollars_whatever_the_margin():
    rows = [("BTCUSDT", "usdt-futures"), ("BTCPERP", "usdc-futures"), ("BTCUSD_CM", "coin-futures")]
    for symbol, kind in rows:
        for side, word in ((Side.LONG, "buy"), (Side.SHORT, "sell")):
            (order,) = VENUE.session().decode(frame((symbol, word), kind=kind), SEEN)
            found = settle(order, metadata("bitget")[symbol])
            assert (found.side, found.usd, found.price) == (side, 1016.66511, 82655.7)
            assert found.quantity == pytest.approx(0.0123)


def test_metadata_gives_every_contract_the_size_of_a_dollar_in_any_state():
    rows = metadata("bitget")
    assert {(row.contract, row.size) for row in rows.values()} == {(Contract.INVERSE, 1.0)}
    assert "ETHBTC" not in rows
    assert {rows[name].asset for name in ("BTCUSDT", "BTCPERP", "BTCUSD_CM")} == {"BTC"}
    assert (rows["1000BONKUSDT"].asset, rows["牛来USDT"].asset, rows["ETHCMZ26"].asset) == ("BONK", "牛来", "ETH")
    with pytest.raises(DecodeError, match="40034"):
        VENUE.instruments(b'{"code":"40034","msg":"Parameter category does not exist","data":null}')


@pytest.mark.parametrize(
    ("symbol", "asset"),
    [
        ("BTCUSDT", "BTC"),
        ("BTCPERP", "BTC"),
        ("BTCUSD_CM", "BTC"),
        ("牛来USDT", "牛来"),
        ("ETHBTC", None),
        ("BTCUSD", None),
    ],
)
def test_a_name_implies_its_contract_only_where_it_shows_the_quote(symbol, asset):
    implied = VENUE.implied(symbol)
    assert (implied.asset if implied else None) == asset


def test_it_is_subscribed_when_every_argument_is_acked():
    session, args = subscribed()
    assert args == [
        {"instType": "usdt-futures", "topic": "liquidation"},
        {"instType": "usdc-futures", "topic": "liquidation"},
        {"instType": "coin-futures", "topic": "liquidation"},
        {"instType": "usdt-futures", "topic": "ticker", "symbol": "BTCUSDT"},
    ]
    strange = {"instType": "usdt-futures", "topic": "liquidation", "symbol": "BTCUSDT"}
    answers = [list(session.decode(ack(arg), SEEN)) for arg in (args[3], args[0], args[0], strange, args[2], args[1])]
    assert answers == [[], [], [], [], [], [Subscribed()]]
    assert list(session.decode(ack(args[1]), SEEN)) == []


def test_a_refused_family_costs_itself_and_not_the_socket():
    session, args = subscribed()
    (event,) = session.decode(refusal(args[2]), SEEN)
    assert isinstance(event, Refused)
    assert not event.fatal
    assert "30001" in event.reason
    assert [list(session.decode(ack(args[place]), SEEN)) for place in (0, 1, 3)] == [[], [], [Subscribed()]]


def test_a_socket_without_any_family_of_orders_is_refused_whatever_the_order_of_the_answers():
    for order in ((0, 1, 2, 3), (3, 0, 1, 2)):
        session, args = subscribed()
        events = []
        for place in order:
            answer = ack(args[3]) if place == 3 else refusal(args[place])
            events += session.decode(answer, SEEN)
        assert [event.fatal for event in events] == [False, False, False, True]


def test_a_refusal_that_names_nothing_we_asked_for_is_fatal():
    for code in ('30006,"msg":"request too many"', '"30016","msg":"Param error"'):
        session, _ = subscribed()
        (event,) = session.decode(f'{{"event":"error","code":{code}}}', SEEN)
        assert event.fatal


@pytest.mark.parametrize("arg", [{"channel": "liquidation", "instId": "default"}, {"channel": "ticker", "instId": "X"}])
def test_the_older_sockets_words_are_never_accepted(arg):
    for body in ({"event": "subscribe"}, {"action": "update", "data": [told()]}):
        with pytest.raises(DecodeError, match="older sockets"):
            subscribed()[0].decode(raw(body | {"arg": arg | {"instType": "USDT-FUTURES"}}), SEEN)


def test_what_a_snapshot_repeats_keeps_its_id_and_is_left_out_when_it_is_old():
    (order,) = VENUE.session().decode(frame(("BTCUSDT", "buy")), SEEN)
    old = ("BTCUSDT", "buy", "82655.7", "1016.66511", SEEN - 72 * HOUR - 1)
    again = VENUE.session().decode(frame(old, ("BTCUSDT", "buy"), action="snapshot"), SEEN + 5)
    assert [row.id for row in again] == [order.id]
    assert len(VENUE.session().decode(frame(old, action="snapshot"), 0)) == 1, "nobody knows when it was seen"
    assert len(VENUE.session().decode(frame(old), SEEN)) == 1, "what is pushed as new is for the gate to judge"


def test_equal_rows_of_one_frame_are_two_orders_and_the_frame_again_is_the_same_two():
    first, second = (VENUE.session().decode(frame(("BTCUSDT",), ("BTCUSDT",)), SEEN + n) for n in (0, 1))
    assert len({row.id for row in first}) == 2
    assert [row.id for row in first] == [row.id for row in second]


def test_it_is_sampled():
    assert VENUE.completeness(SEEN) is Completeness.SAMPLED


# -- the history


@pytest.mark.parametrize(
    ("row", "usd"),
    [
        (("BTCUSDT", "buy", "82655.7", "1016.66511"), 1016.66511),  # dollars: finer than a lot, whole lots by the price
        (("BTCUSDT", "buy", "82655.7", "0.0123"), 0.0123),  # coins, read at the least: never 1,016 by a guess
        (("DOGEUSDT", "buy", "0.1649", "13.70319"), 13.70319),  # dollars, in full although a coin is cheap
        (("DOGEUSDT", "buy", "0.1649", "83.1"), 13.70319),  # coins: never 83 dollars
        (("PEPEUSDT", "buy", "0.0000064", "1000000"), 6.4),  # coins: never a million dollars
        (("PEPEUSDT", "buy", "0.0000064", "6.4"), 0.00004096),  # may be either: the least
    ],
)
def test_a_row_of_the_history_never_counts_more_than_either_unit_would(row, usd):
    assert dollars(*row) == pytest.approx(usd, rel=1e-12)


@pytest.mark.parametrize(
    ("price", "amount", "coins"), [("82655.7", "1016.66511", "0.0123"), ("0.1649", "13.70319", "83.1")]
)
def test_a_row_is_its_live_twin_in_either_unit(price, amount, coins):
    known = live("XUSDT", "sell", price, amount)
    (same,) = page(told("XUSDT", "sell", price, amount)).orders
    assert same.id == known.id
    (other,) = page(told("XUSDT", "sell", price, coins)).orders
    assert other.id != known.id
    assert HISTORY.same(other, known)
    for change in (("YUSDT", "sell", price, coins), ("XUSDT", "buy", price, coins), ("XUSDT", "sell", price, "7")):
        assert not HISTORY.same(page(told(*change)).orders[0], known)
    assert not HISTORY.same(page(told("XUSDT", "sell", price, coins, AT + 1)).orders[0], known)


def test_another_spelling_of_a_number_is_no_other_order():
    assert page(told(price="82655.70", amount="1016.665110")).orders[0].id == live("BTCUSDT", "buy").id


def test_its_pages_go_back_to_the_gap_and_no_further():
    first, *others = HISTORY.asks(VENUE.endpoints, (), AT, SEEN)
    assert first == URL.removesuffix("0") + str(AT)
    assert [url.partition("category=")[2].partition("&")[0] for url in others] == ["USDC-FUTURES", "COIN-FUTURES"]
    (more,) = page(told(at=AT + 5), cursor="a b", url=first).more
    assert more == first.replace("#", "&cursor=a%20b#")
    (last,) = page(told(at=AT), cursor="17", url=more).more
    assert last == first.replace("#", "&cursor=17#")
    assert page(told(at=AT - 1), cursor="18", url=last).more == ()
    assert page(told(at=AT + 5), cursor="", url=first).more == ()
    assert page(told(at=AT + 5), cursor="17", url=last).more == (), "a cursor that leads to itself"
    assert page(cursor="19", url=first).more == ()


def test_a_bad_row_of_the_history_costs_itself_and_another_shape_the_page():
    rows = page(told(), told(side="long"), told(price="1e-300", amount="1"), told(amount="0")).orders
    assert [type(row) for row in rows] == [Print, Spoilt, Print, Spoilt]
    assert page(*(), cursor="").orders == ()
    for body in (
        b'{"code":"40017","msg":"x","data":null}',
        b'{"code":"00000","data":null}',
        b"[]",
        b'{"code":"00000"}',
    ):
        with pytest.raises(DecodeError):
            HISTORY.read(URL, body, SEEN)
    assert HISTORY.read(URL, b'{"code":"00000","data":{"list":null,"cursor":null}}', SEEN).orders == ()


# -- on the wire


def tape(symbols=("BTCUSDT", "DOGEUSDT", "BTCUSD"), count=240):
    return [
        Row(at=ORIGIN + n * SECOND, venue="bitget", symbol=symbols[n % len(symbols)], side=Side.LONG, usd=1000.25 + n)
        for n in range(count)
    ]


@contextlib.asynccontextmanager
async def market():
    async with Market(["bitget"], ScaledClock(ORIGIN + HOUR, 1), symbols={"bitget": ["DOGEUSDT"]}) as market:
        yield market, market.servers["bitget"]


async def test_a_history_in_coins_is_told_apart_from_no_live_order():
    async with market() as (stage, server), httpx.AsyncClient() as client:
        server.in_coins = True
        (plan,) = VENUE.plans(stage.endpoints["bitget"], ())
        session, known = VENUE.session(plan), []
        async with connect(plan.url) as ws, asyncio.timeout(20):
            await ws.send(session.hello(SEEN)[0])
            playing = asyncio.create_task(stage.play(tape()))
            while len(known) < 240:
                orders = prints(list(session.decode(await ws.recv(), 0)))
                known += [settle(order, VENUE.implied(order.symbol)) for order in orders]
            await playing
        asks, rows = list(HISTORY.asks(stage.endpoints["bitget"], (), ORIGIN, ORIGIN + HOUR)), []
        while asks:
            url = asks.pop()
            found = HISTORY.read(url, (await client.get(url)).content, 0)
            rows, asks = [*rows, *found.orders], [*asks, *found.more]
    assert len(rows) == 240
    assert all([HISTORY.same(row, one) for one in known].count(True) == 1 for row in rows)
    assert sum(settle(row, VENUE.implied(row.symbol)).usd for row in rows) <= sum(one.usd for one in known)


async def test_the_older_words_are_acked_and_nothing_comes():
    dead = [
        {"instType": "usdt-futures", "channel": "liquidation", "instId": "default"},
        {"instType": "usdt-futures", "topic": "liquidation", "symbol": "BTCUSDT"},
    ]
    async with market() as (stage, _), connect(stage.endpoints["bitget"]["public"]) as ws:
        await ws.send(json.dumps({"op": "subscribe", "args": dead}))
        acks = [json.loads(await asyncio.wait_for(ws.recv(), 3)) for _ in dead]
        assert [answer["event"] for answer in acks] == ["subscribe"] * 2
        assert (await stage.play(tape(count=3), wait_for_listeners=False)).unheard == 3
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ws.recv(), 0.7)
        session, _ = subscribed()
        with pytest.raises(DecodeError, match="older sockets"):
            session.decode(raw(acks[0]), SEEN)
        assert list(session.decode(raw(acks[1]), SEEN)) == []


async def test_the_local_server_refuses_and_limits_as_the_venue_does():
    async with market() as (stage, server), connect(stage.endpoints["bitget"]["public"]) as ws:
        server.messages_per_second = 4
        for text, code, words in (
            ("{nonsense", 30002, "Unrecognized request"),
            ('{"op":"login","args":[]}', 30002, "Unrecognized request"),
            (
                '{"op":"subscribe","args":[{"instType":"usdt-futures","symbol":"NOPE","topic":"ticker"}]}',
                30001,
                '"NOPE"',
            ),
            (
                '{"op":"subscribe","args":[{"instType":"coin-futures","symbol":"BTCUSDT","topic":"ticker"}]}',
                30001,
                "coin",
            ),
            ("ping", 30006, "request too many"),
        ):
            await ws.send(text)
            error = json.loads(await asyncio.wait_for(ws.recv(), 3))
            assert (error["event"], error["code"]) == ("error", code)
            assert words in error["msg"]
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(ws.recv(), 3)


async def test_the_local_history_has_pages_and_words_for_what_it_cannot_do():
    async with market() as (stage, server), httpx.AsyncClient() as client:
        stage.faults = Faults(hollow=True)
        await stage.play(tape(symbols=("BTCUSDT",), count=5), wait_for_listeners=False)
        url = f"{stage.endpoints['bitget']['rest']}/api/v3/market/liquidations?category=USDT-FUTURES"
        first = (await client.get(f"{url}&limit=3")).json()["data"]
        second = (await client.get(f"{url}&limit=3&cursor={first['cursor']}")).json()["data"]
        assert [row["ts"] for row in first["list"] + second["list"]] == [
            str(ORIGIN + n * SECOND) for n in (4, 3, 2, 1, 0)
        ]
        assert second["cursor"] == ""
        for bad, code in (("&limit=101", "40017"), ("&cursor=x", "40017")):
            assert (await client.get(url + bad)).json()["code"] == code
        assert (await client.get(url.replace("USDT-FUTURES", "SPOT"))).json()["code"] == "40034"
        server.happened[0] = server.order(
            Row(at=ORIGIN - 72 * HOUR, venue="bitget", symbol="BTCUSDT", side=Side.LONG, usd=1)
        )
        assert len((await client.get(url)).json()["data"]["list"]) == 4


def test_the_fixture_shows_a_captured_refusal_and_fields_in_another_order():
    captured = [line for line in lines("bitget") if line["source"].startswith("captured")]
    assert [line.get("yields", []) for line in captured] == [["Refused"], []]
