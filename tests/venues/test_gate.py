"""Gate's traps: two feeds with opposite signs, three shapes of a push, a history without a common key."""

import json

import httpx
import pytest
from websockets.asyncio.client import connect

from service.backfill.twins import Twins
from service.clock import ScaledClock
from service.model import HOUR, Completeness, Contract, DecodeError, Liquidation, Print, Side, to_units
from service.simulator import Faults, Market
from service.tape import Row
from service.venues import VENUES
from service.venues.base import Control, Leaving, Plan, Pong, Refused, Spoilt, Subscribed, settle
from tests.test_feed_venues import FeedState, listening
from tests.test_venues import SEEN, lines, metadata, prints, raw
from tests.toyvenue import ORIGIN, until

GATE = VENUES["gate"]
PAST = GATE.history
URL = "https://api.gateio.ws/api/v4/futures/usdt/liq_orders?from=1548654000&to=1548657600&limit=1000"
#: The venue's own sample of the history: a long of 600 contracts, closed by an order of -600.
SAMPLE = {"time": 1548654951, "contract": "BTC_USDT", "size": "600", "order_size": "-600"} | {
    "order_price": "3405",
    "fill_price": "3424",
    "left": "0",
}


def pushed(*rows: dict[str, object]) -> list[Print]:
    frame = {"channel": "futures.public_liquidates", "event": "update", "time": 1, "result": rows}
    return prints(list(GATE.session().decode(json.dumps(frame), SEEN)))


def push(**changes: object) -> dict[str, object]:
    return {"contract": "BTC_USDT", "price": "3405", "size": "-600", "time": 1548654951_300} | changes


def past(*rows: dict[str, object], url: str = URL) -> list[Print | Spoilt]:
    return list(PAST.read(url, json.dumps(rows).encode(), SEEN).orders)


def live(order: Print) -> Liquidation:
    return settle(order, metadata("gate")[order.symbol])


def plan(key: str) -> Plan:
    return {plan.key: plan for plan in GATE.plans(GATE.endpoints, list(metadata("gate").values()))}[key]


# --- sides, shapes, eras ----------------------------------------------------------------------------------------------


def test_both_feeds_name_the_same_side_though_their_signs_differ():
    (told,), (row,) = pushed(push()), past(SAMPLE)
    assert (told.side, row.side) == (Side.LONG, Side.LONG)
    (told,), (row,) = pushed(push(size="600")), past(SAMPLE | {"size": "-600", "order_size": "600"})
    assert (told.side, row.side) == (Side.SHORT, Side.SHORT)


def test_a_captured_row_without_an_order_size_is_a_short_closed_above_its_fill():
    """ccxt issue 19855."""
    row = {"contract": "BTC_USDT", "left": "0", "size": "-99", "fill_price": "36205"}
    (order,) = past(row | {"order_price": "36348.5", "time": "1700178349"})
    assert (order.side, order.quantity, order.price, order.at) == (Side.SHORT, 99, 36205, 1700178349_000)


def test_a_row_whose_order_does_not_close_its_position_is_refused():
    (spoilt,) = past(SAMPLE | {"order_size": "600"})
    assert isinstance(spoilt, Spoilt)
    assert "close the position" in spoilt.detail


def test_numbers_and_text_of_one_order_have_one_id():
    text, number = (line["frame"] for line in lines("gate")[3:5])
    (first,), (second,) = (prints(list(GATE.session().decode(raw(frame), SEEN))) for frame in (text, number))
    assert (text["result"][0]["size"], number["result"][0]["size"]) == ("-124", -124)
    assert first == second
    assert pushed(push(price=3405.0, size=-600))[0].id == pushed(push(price="3405.00", size="-600.0"))[0].id


def test_the_feed_is_complete_since_its_batches():
    assert GATE.completeness(1_787_183_999_999) is Completeness.SAMPLED
    assert GATE.completeness(1_787_184_000_000) is Completeness.COMPLETE


# --- contracts --------------------------------------------------------------------------------------------------------


def test_contracts_are_linear_inverse_or_pay_in_bitcoin():
    rows = metadata("gate")
    assert (rows["BTC_USDT"].contract, rows["BTC_USDT"].size) == (Contract.LINEAR, 0.0001)
    assert (rows["BTC_USD1"].contract, rows["BTC_USD1"].asset) == (Contract.LINEAR, "BTC")
    assert (rows["BTC_USD"].contract, rows["BTC_USD"].size) == (Contract.INVERSE, 1.0)
    assert (rows["ETH_USD"].contract, rows["ETH_USD"].size, rows["ETH_USD"].rate) == (Contract.QUANTO, 1e-6, 80_000)
    assert "NEW_USDT" not in rows, "no multiplier yet: its orders wait"


@pytest.mark.parametrize("bitcoin", [{}, {"mark_price": "0"}])
def test_without_the_price_of_a_bitcoin_nothing_that_pays_in_it_is_listed(bitcoin):
    quanto = {"name": "ETH_USD", "type": "direct", "quanto_multiplier": "0.000001", "mark_price": "2500"}
    inverse = {"name": "BTC_USD", "type": "inverse", "quanto_multiplier": "0", **bitcoin}
    listed, _ = GATE.instruments(json.dumps([quanto, inverse]).encode())
    assert [row.symbol for row in listed] == ["BTC_USD"]
    assert GATE.instruments(json.dumps([quanto]).encode()) == ([], None)


def test_an_inverse_contract_that_states_a_multiplier_is_not_guessed_at():
    row = {"name": "BTC_USD", "type": "inverse", "quanto_multiplier": "10", "mark_price": "80000"}
    assert GATE.instruments(json.dumps([row]).encode()) == ([], None)


# --- sockets ----------------------------------------------------------------------------------------------------------


def test_every_socket_asks_for_decimals_all_orders_and_a_ticker():
    controls = {key: plan(key).topics[1] for key in ("usdt", "btc", "usd1")}
    assert controls == {
        "usdt": "futures.tickers BTC_USDT",
        "btc": "futures.tickers BTC_USD",
        "usd1": "futures.tickers BTC_USD1",
    }
    assert plan("usd1").headers == (("X-Gate-Size-Decimal", "1"),)
    asks = [json.loads(text) for text in GATE.session(plan("usdt")).hello(1_545_459_681_999)]
    assert [(ask["time"], ask["event"], ask["payload"]) for ask in asks] == [
        (1_545_459_681, "subscribe", ["!all"]),
        (1_545_459_681, "subscribe", ["BTC_USDT"]),
    ]


def ack(channel: str, **more: object) -> str:
    return json.dumps({"channel": channel, "event": "subscribe", "result": {"status": "success"}} | more)


def test_a_socket_is_subscribed_when_orders_and_ticker_are():
    session = GATE.session(plan("usdt"))
    assert list(session.decode(ack("futures.tickers", error=None), SEEN)) == []
    assert list(session.decode(ack("futures.public_liquidates"), SEEN)) == [Subscribed()]
    assert list(session.decode(ack("futures.public_liquidates"), SEEN)) == []


@pytest.mark.parametrize(
    "more", [{"error": {"code": 2, "message": "no"}, "result": None}, {"result": {"status": "fail"}}]
)
def test_refused_orders_end_a_connection_and_a_refused_ticker_does_not(more):
    session = GATE.session(plan("usdt"))
    (refused,) = session.decode(ack("futures.public_liquidates", **more), SEEN)
    assert isinstance(refused, Refused)
    assert refused.fatal
    assert not any(isinstance(event, Subscribed) for event in session.decode(ack("futures.tickers"), SEEN))
    session = GATE.session(plan("usdt"))
    assert not session.decode(ack("futures.public_liquidates"), SEEN)
    refused, subscribed = session.decode(ack("futures.tickers", **more), SEEN)
    assert not refused.fatal
    assert subscribed == Subscribed()
    assert list(session.decode('{"channel":"futures.pong"}', SEEN)) == [Pong(), Control()]


def test_where_no_ticker_is_known_the_pong_is_the_control():
    young = {plan.key: plan for plan in GATE.plans(GATE.endpoints, ())}["usd1"]
    assert young.topics == ("futures.public_liquidates !all",)
    assert list(GATE.session(young).decode('{"channel":"futures.pong"}', SEEN)) == [Pong(), Control()]
    assert list(GATE.session(plan("usd1")).decode('{"channel":"futures.pong"}', SEEN)) == [Pong()]


async def test_sizes_come_whole_to_who_does_not_ask_for_decimals():
    async with Market(["gate"], ScaledClock(ORIGIN, 60), symbols={"gate": ["BTCUSDT"]}) as market:
        url, sizes = market.endpoints["gate"]["usdt"], []
        for headers in ({}, {"X-Gate-Size-Decimal": "1"}):
            async with connect(url, additional_headers=headers) as ws:
                await ws.send(GATE.session(plan("usdt")).hello(ORIGIN)[0])
                await ws.recv()
                row = Row(
                    at=ORIGIN, venue="gate", symbol="BTCUSDT", side=Side.LONG, usd=16.15, price=95_000, qty=0.00017
                )
                await market.play([row])
                sizes.append(json.loads(await ws.recv())["result"][0]["size"])
    assert sizes == [-1, "-1.7"]


async def test_a_bare_object_a_full_batch_and_an_upgrade_reach_the_queue():
    async with listening("gate") as (market, heard):
        await until(lambda: heard.are(FeedState.LIVE))
        server, first = market.servers["gate"], market.servers["gate"].live
        rows = [
            Row(at=ORIGIN + 7, venue="gate", symbol="BTCUSDT", side=Side.SHORT, usd=100.0 + n % 15) for n in range(45)
        ]
        # equal rows of one batch are two orders, but a batch holds twenty at most
        assert [len(parcel) for parcel in server.parcels([server.order(row) for row in rows])] == [20, 20, 5]
        await market.play(rows[:15] + rows[15:20])
        await until(lambda: len({order.id for order in heard.orders}) == 20)
        server.bare = True
        await market.play([Row(at=ORIGIN + 9, venue="gate", symbol="SOLUSDT", side=Side.LONG, usd=5.0)])
        await until(lambda: len({order.id for order in heard.orders}) == 21)
        await server.announce_close()
        await until(lambda: len(server.live) >= 3 and not set(server.live) & set(first))
        assert heard.bad == {}
    assert isinstance(GATE.session().decode('{"type":"upgrade","msg":"soon"}', SEEN)[0], Leaving)


# --- history ----------------------------------------------------------------------------------------------------------


def test_a_row_is_known_by_the_whole_order_a_second_either_way_and_nearly_its_price():
    (row,) = past(SAMPLE)
    for change in ({}, {"time": 1548654950_000}, {"time": 1548654952_999}, {"price": "3407"}, {"size": -600.0}):
        assert PAST.same(row, live(pushed(push(**change))[0])), change
    for change in ({"time": 1548654949_999}, {"time": 1548654953_000}, {"price": "3424"}, {"size": "600"}):
        assert not PAST.same(row, live(pushed(push(**change))[0])), change
    assert not PAST.same(row, live(pushed(push(size="-60"))[0])), "a tenth of the size"
    assert not PAST.same(row, live(pushed(push(contract="HEI_USDT"))[0]))
    assert not PAST.same(pushed(push())[0], live(pushed(push())[0])), "only rows of the history are asked about"


def test_of_a_partly_filled_order_the_filled_part_counts_and_the_whole_is_known():
    (row,) = past(SAMPLE | {"left": "-450"})
    assert (row.quantity, row.price) == (150, 3424)
    assert live(row).usd == pytest.approx(150 * 0.0001 * 3424)
    assert PAST.same(row, live(pushed(push())[0]))
    assert not PAST.same(row, live(pushed(push(size="-150"))[0]))


def test_a_row_keeps_its_id_while_its_rest_is_filled():
    before, after = past(SAMPLE | {"left": "-450", "fill_price": "3430"}), past(SAMPLE)
    assert before[0].id == after[0].id


def test_an_order_that_nobody_filled_is_no_order_and_no_bad_row():
    assert past(SAMPLE | {"left": "-600", "fill_price": "0"}, SAMPLE | {"size": "0"})[:-1] == []


def test_two_like_orders_of_a_second_stay_two_on_both_feeds():
    rows = past(SAMPLE, SAMPLE, SAMPLE | {"order_price": "3406"})
    assert len({row.id for row in rows}) == 3
    told = pushed(push(), push())
    assert len({order.id for order in told}) == 2
    assert all(PAST.same(row, live(order)) for row in rows[:2] for order in told)


def test_of_two_like_orders_the_one_that_was_not_heard_is_filled_in():
    for heard in (0, 1, 2):
        known = [live(order) for order in pushed(push(), push())][:heard]
        strangers = Twins(PAST, known).strangers(past(SAMPLE, SAMPLE, SAMPLE | {"left": "-1", "order_price": "3600"}))
        assert len(strangers) == 3 - heard


def test_windows_are_an_hour_at_most_and_share_their_edges():
    asks = PAST.asks(GATE.endpoints, (), ORIGIN, ORIGIN + 2 * HOUR + 1)
    assert len(asks) == 9
    start = ORIGIN // 1000
    assert asks[0] == f"https://api.gateio.ws/api/v4/futures/usdt/liq_orders?from={start}&to={start + 3600}&limit=1000"
    assert asks[2].endswith(f"from={start + 7200}&to={start + 7201}&limit=1000")


def test_a_full_window_is_asked_again_in_halves_until_a_second_is_left():
    body = json.dumps([SAMPLE] * 2).encode()
    url = URL.replace("limit=1000", "limit=2")
    more = PAST.read(url, body, SEEN).more
    assert [page.partition("?")[2] for page in more] == [
        "from=1548654000&to=1548655800&limit=2",
        "from=1548655800&to=1548657600&limit=2",
    ]
    assert PAST.read(url, body, SEEN).orders == (), "both halves will tell them"
    last = PAST.read("?from=1548654951&to=1548654952&limit=2", body, SEEN)
    assert (len(last.orders), last.more) == (2, ())


def test_a_row_on_the_edge_of_two_windows_comes_once():
    """Its live twin answers for it once only, so a second copy would count."""
    windows = ("?from=1548654000&to=1548654951&limit=9", "?from=1548654951&to=1548657600&limit=9")
    assert [len(past(SAMPLE, url=url)) for url in windows] == [0, 1]


async def test_an_hour_of_more_orders_than_a_page_holds_is_told_whole():
    async with Market(["gate"], ScaledClock(ORIGIN + HOUR, 1)) as market, httpx.AsyncClient() as client:
        server = market.servers["gate"]
        rows = [
            Row(at=ORIGIN + n * 1_300, venue="gate", symbol="BTCUSDT", side=Side.LONG, usd=1_000.0 + n)
            for n in range(2_500)
        ]
        server.remember([server.order(row) for row in rows])
        asks, found = list(PAST.asks(market.endpoints["gate"], (), ORIGIN, ORIGIN + HOUR)), []
        while asks:
            url = asks.pop()
            page = PAST.read(url, (await client.get(url)).content, SEEN)
            found += page.orders
            asks += page.more
        listed = {
            row.symbol: row
            for row in GATE.instruments((await client.get(GATE.catalogue(market.endpoints["gate"])[0])).content)[0]
        }
        long_one = await client.get(f"{market.endpoints['gate']['rest']}/api/v4/futures/usdt/liq_orders?from=0&to=3601")
    assert sorted(to_units(settle(order, listed["BTC_USDT"]).usd) for order in found) == [
        to_units(row.usd) for row in rows
    ]
    assert (long_one.status_code, long_one.json()["label"]) == (400, "INVALID_PARAM_VALUE")
    with pytest.raises(DecodeError):
        PAST.read(URL, long_one.content, SEEN)


async def test_the_local_venue_sums_what_happened_in_five_minutes():
    async with Market(["gate"], ScaledClock(ORIGIN + HOUR, 1), faults=Faults(hollow=True)) as market:
        rows = [
            Row(at=ORIGIN + n * 60_000, venue="gate", symbol="BTCUSDT", side=side, usd=1_000.0 + n)
            for n, side in enumerate([Side.LONG, Side.SHORT] * 5)
        ]
        await market.play(rows, wait_for_listeners=False)
        url = f"{market.endpoints['gate']['rest']}/api/v4/futures/usdt/contract_stats"
        query = {"contract": "BTC_USDT", "from": ORIGIN // 1000, "interval": "5m", "limit": 2}
        async with httpx.AsyncClient() as client:
            spans = (await client.get(url, params=query)).json()
            refused = await client.get(url, params=query | {"contract": "NO_USDT"})
    assert [span["time"] for span in spans] == [ORIGIN // 1000, ORIGIN // 1000 + 300]
    assert [(span["long_liq_usd"], span["short_liq_usd"]) for span in spans] == [(3_006.0, 2_004.0), (2_014.0, 3_021.0)]
    assert float(spans[0]["long_liq_size"]) * 0.0001 * 95_000 == pytest.approx(3_006)
    assert spans[0]["long_liq_amount"] == pytest.approx(3_006 / 95_000)
    assert refused.status_code == 400
