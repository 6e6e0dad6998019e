"""BitMEX: an order counts when it enters the table, whatever becomes of it; what it is worth depends on its contract."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from service.clock import ScaledClock
from service.instruments.source import Source
from service.model import Contract, DecodeError, FeedState, Instrument, Print, Side
from service.simulator import Faults, Market
from service.tape import Row
from service.venues import VENUES
from service.venues.base import Control, Pong, Refused, Subscribed, Told, settle
from service.venues.bitmex import CONTROL, ORDERS
from tests.test_feed_venues import listening
from tests.test_venues import SEEN, lines, metadata, prints, raw
from tests.toyvenue import ORIGIN, until

VENUE = VENUES["bitmex"]
BODY = Path(__file__).parent.parent / "fixtures" / "instruments" / "bitmex_active.json"
PLACED = {"orderID": "a", "symbol": "ETHUSD", "side": "Sell", "price": 3_000, "leavesQty": 10}


def table(action: str, *rows: object, name: str = ORDERS) -> str:
    return raw({"table": name, "action": action, "data": rows})


def marked(symbol: str = "XBTUSD", **fields: object) -> str:
    return table("update", {"symbol": symbol, **fields}, name="instrument")


def dialled():
    (plan,) = VENUE.plans(VENUE.endpoints, ())
    return VENUE.session(plan)


def ack(topic: str) -> str:
    return raw({"success": True, "subscribe": topic, "request": {"op": "subscribe", "args": [ORDERS, CONTROL]}})


# --- the socket -------------------------------------------------------------------------------------------------------


def test_both_topics_are_asked_for_and_each_must_be_accepted():
    session = dialled()
    (hello,) = session.hello(SEEN)
    assert json.loads(hello) == {"op": "subscribe", "args": ["liquidation", "instrument:XBTUSD"]}
    frames = (ack(CONTROL), ack(CONTROL), ack("trade"), ack(ORDERS), ack(ORDERS))
    assert [list(session.decode(frame, SEEN)) for frame in frames] == [[], [], [], [Subscribed()], []]


@pytest.mark.parametrize(
    "frame",
    [
        {"status": 400, "error": "Unknown table: liquidations", "meta": {}, "request": {}},
        {"error": "Rate limit exceeded, retry in 1 seconds.", "status": 429, "meta": {"retryAfter": 1}},
        {"success": False, "subscribe": "liquidation"},
    ],
)
def test_a_refusal_is_loud_and_accepts_nothing(frame):
    session = dialled()
    session.decode(ack(CONTROL), SEEN)
    (refused,) = session.decode(raw(frame), SEEN)
    assert isinstance(refused, Refused)
    assert refused.fatal
    assert str(frame.get("error", "no reason")) in refused.reason


async def test_the_venue_greets_and_answers_our_text_ping():
    (plan,) = VENUE.plans(VENUE.endpoints, ())
    async with Market(["bitmex"], ScaledClock(ORIGIN, 1)) as market:
        url = f"{market.endpoints['bitmex']['public']}?subscribe=liquidation,instrument:XBTUSD"
        async with connect(url) as ws, asyncio.timeout(5):
            session, events = dialled(), []
            await ws.send(plan.heartbeat.text)
            while not {Subscribed(), Pong()} <= set(events):
                events += session.decode(await ws.recv(), SEEN)
    assert {event for event in events if not isinstance(event, Told)} == {Subscribed(), Pong(), Control()}
    assert plan.heartbeat.every_s == 5


# --- what counts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["update", "delete", "partial"])
def test_only_an_insert_counts(action):
    captured = [line["frame"] for line in lines("bitmex") if isinstance(line["frame"], dict)]
    frames = [frame for frame in captured if (frame.get("table"), frame.get("action")) == (ORDERS, action)]
    assert frames
    for frame in [*map(raw, frames), table(action, PLACED)]:
        assert list(VENUE.session().decode(frame, SEEN)) == []
    assert len(VENUE.session().decode(table("insert", PLACED), SEEN)) == 1


def test_an_order_inserted_once_more_is_the_same_order():
    first, other, again = (
        prints(list(VENUE.session().decode(table("insert", row), SEEN + n)))[0].id
        for n, row in enumerate((PLACED, PLACED | {"orderID": "b"}, PLACED | {"leavesQty": 9}))
    )
    assert first == again != other


def test_no_time_is_told_so_it_is_ours():
    for seen in (0, SEEN):
        (order,) = VENUE.session().decode(table("insert", PLACED), seen)
        assert (order.at, order.seen) == (seen, seen)


# --- bitcoin in dollars -----------------------------------------------------------------------------------------------


def test_the_mark_of_bitcoin_is_remembered_and_goes_with_every_order():
    session = dialled()

    def rate() -> float | None:
        return prints(list(session.decode(table("insert", PLACED), SEEN)))[0].rate

    assert rate() is None
    assert list(session.decode(table("partial", {"symbol": "XBTUSD", "markPrice": 90_000}, name="instrument"), SEEN))
    assert rate() == 90_000
    session.decode(marked(lastPrice=1), SEEN)
    session.decode(marked("ETHUSD", markPrice=3_000), SEEN)
    session.decode(marked(markPrice=None), SEEN)
    assert rate() == 90_000
    for bad in (0, -1, 1e300, "90000"):
        with pytest.raises(DecodeError):
            session.decode(marked(markPrice=bad), SEEN)
    session.decode(marked(markPrice=91_000.5), SEEN)
    assert rate() == 91_000.5
    assert dialled().decode(table("insert", PLACED), SEEN)[0].rate is None, "a new connection knows nothing"


@pytest.mark.parametrize(
    ("contract", "told", "usd"),
    [
        (Contract.QUANTO, 90_000.0, 10 * 2.0 * 3_000 * 90_000),
        (Contract.QUANTO, None, 10 * 2.0 * 3_000 * 5),
        (Contract.LINEAR, 90_000.0, 10 * 2.0 * 3_000 * 5),
        (Contract.LINEAR, None, 10 * 2.0 * 3_000 * 5),
        (Contract.INVERSE, 90_000.0, 10 * 2.0),
    ],
)
def test_the_rate_an_order_tells_is_read_for_quanto_contracts_only(contract, told, usd):
    instrument = Instrument(venue="bitmex", symbol="S", asset="S", contract=contract, size=2.0, rate=5.0)
    order = Print(
        venue="bitmex", symbol="S", side=Side.LONG, price=3_000.0, quantity=10.0, at=1, seen=1, id="a", rate=told
    )
    assert settle(order, instrument).usd == usd


async def test_quanto_orders_have_their_exact_dollars_and_are_counted_once_over_cuts():
    rows = [
        Row(
            at=ORIGIN + n * 400,
            venue="bitmex",
            symbol=("ETHUSD", "XBTUSD", "ETHUSDT", "SOLUSD")[n % 4],
            side=(Side.LONG, Side.SHORT)[n % 2],
            usd=1_000.25 + n,
        )
        for n in range(40)
    ]
    async with listening("bitmex", Faults(drop=7)) as (market, heard), httpx.AsyncClient() as client:
        market.list_symbol("bitmex", "ETHUSD")
        market.list_symbol("bitmex", "SOLUSD")
        book = await Source(VENUE, market.endpoints["bitmex"], ScaledClock(ORIGIN, 60), client).fetch()
        await until(lambda: heard.are(FeedState.LIVE))
        async with asyncio.timeout(20):
            await market.play(rows)
        await until(lambda: len({order.id for order in heard.orders}) == 40)
        assert heard.bad == {}
    orders = {order.id: order for order in heard.orders}
    assert {book[symbol].contract for symbol in ("ETHUSD", "SOLUSD")} == {Contract.QUANTO}
    assert {order.rate for order in orders.values()} == {95_000.0}
    found = sorted((order.side, round(settle(order, book[order.symbol]).usd, 4)) for order in orders.values())
    assert found == sorted((row.side, row.usd) for row in rows)


# --- contracts --------------------------------------------------------------------------------------------------------


def test_contracts_are_taken_with_their_worth_and_spot_and_spreads_are_not():
    assert {name: (row.contract, row.size, row.rate, row.asset) for name, row in metadata("bitmex").items()} == {
        "XBTUSD": (Contract.INVERSE, 1.0, 1.0, "BTC"),
        "ETHUSD": (Contract.QUANTO, 1e-6, 97_849.76, "ETH"),
        "XBTUSDT": (Contract.LINEAR, 1e-6, 1.0, "BTC"),
        "XRPUSDT": (Contract.LINEAR, 0.01, 1.0, "XRP"),
        "JTOUSDT": (Contract.LINEAR, 1.0, 1.0, "JTO"),
        "TRXZ19": (Contract.LINEAR, 1.0, 97_849.76, "TRX"),
    }


def test_open_interest_valued_by_our_formula_is_the_venues_open_value():
    """In satoshis for the quanto and millionths of a USDT for the linear ones."""
    book, checked = metadata("bitmex"), 0
    for row in json.loads(BODY.read_text(encoding="utf-8")):
        if "openValue" in row and not row["isInverse"]:
            unit = 1e8 if row["isQuanto"] else 1e6
            value = row["openInterest"] * book[row["symbol"]].size * row["markPrice"] * unit
            assert value == pytest.approx(row["openValue"], rel=1e-12)
            checked += 1
    assert checked == 3


XBTUSD = {"symbol": "XBTUSD", "typ": "FFWCSX", "underlying": "XBT", "quoteCurrency": "USD", "settlCurrency": "XBt"}
XBTUSD |= {"isInverse": True, "multiplier": -100_000_000, "markPrice": 90_000}
QUANTO = {"typ": "FFWCSX", "underlying": "ETH", "quoteCurrency": "USD", "settlCurrency": "XBt", "isQuanto": True}
QUANTO |= {"multiplier": 100}
LINEAR = {"typ": "FFWCSX", "underlying": "ETH", "quoteCurrency": "USDT", "settlCurrency": "USDt", "multiplier": 10}


@pytest.mark.parametrize(
    ("row", "worth"),
    [
        (XBTUSD, (Contract.INVERSE, 1.0, 1.0)),
        (
            XBTUSD | {"settlCurrency": "Gwei", "multiplier": -(10**9), "underlyingToSettleMultiplier": -(10**9)},
            (Contract.INVERSE, 1.0, 1.0),
        ),
        (XBTUSD | {"settlCurrency": "Gwei", "multiplier": -(10**9)}, None),
        (XBTUSD | {"quoteCurrency": "JPY"}, None),
        (QUANTO, (Contract.QUANTO, 1e-6, 90_000.0)),
        (QUANTO | {"quoteCurrency": "JPY"}, (Contract.QUANTO, 1e-6, 90_000.0)),
        (QUANTO | {"settlCurrency": "USDt", "multiplier": 10_000}, (Contract.LINEAR, 0.01, 1.0)),
        (QUANTO | {"settlCurrency": "Gwei"}, None),
        (QUANTO | {"multiplier": None}, None),
        (LINEAR, (Contract.LINEAR, 1e-5, 1.0)),
        (LINEAR | {"underlyingToPositionMultiplier": 100_000}, (Contract.LINEAR, 1e-5, 1.0)),
        (LINEAR | {"settlCurrency": "XBt"}, None),
        (LINEAR | {"quoteCurrency": "EUR", "underlyingToPositionMultiplier": 100}, None),
        (LINEAR | {"quoteCurrency": "XBT", "settlCurrency": "XBt", "multiplier": 10**8}, (Contract.LINEAR, 1.0, 9e4)),
        (LINEAR | {"state": "Unlisted"}, None),
        (LINEAR | {"typ": "IFXXXP"}, None),
        (LINEAR | {"typ": "FFMCSX"}, None),
        (LINEAR | {"settlCurrency": None, "quoteCurrency": None}, None),
    ],
)
def test_a_contract_is_listed_only_where_its_dollars_can_be_stated(row, worth):
    rows, _ = VENUE.instruments(raw([row | {"symbol": "S"}, XBTUSD]).encode())
    found = {one.symbol: (one.contract, pytest.approx(one.size, rel=1e-15), one.rate) for one in rows}
    assert found.get("S") == worth


def test_without_the_price_of_bitcoin_nothing_is_listed_that_needs_it():
    for bitcoin in ([], [XBTUSD | {"markPrice": None}]):
        rows, _ = VENUE.instruments(raw([QUANTO | {"symbol": "Q"}, LINEAR | {"symbol": "L"}, *bitcoin]).encode())
        assert "Q" not in {row.symbol for row in rows}
        assert "L" in {row.symbol for row in rows}
