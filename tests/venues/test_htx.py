"""HTX's traps: gzip, two dialects of ping, coins beside contracts, a history of one row a call."""

import asyncio
import gzip
import json

import httpx
import pytest
from websockets.asyncio.client import connect

from service import clock
from service.clock import ScaledClock
from service.model import Contract, DecodeError, Print, Side
from service.simulator import Faults, Market
from service.tape import Row
from service.venues import VENUES
from service.venues.base import Control, Leaving, Plan, Refused, Say, Spoilt, Subscribed, query_of, settle
from tests.test_feed_venues import FeedState, listening
from tests.test_history import ask_all, played, tape
from tests.test_venues import SEEN, lines, metadata, prints
from tests.toyvenue import ORIGIN, until

HTX = VENUES["htx"]
PAST = HTX.history
URL = (
    "https://api.hbdm.com/linear-swap-api/v3/swap_liquidation_orders"
    "?trade_type=0&start_time=1638590000000&end_time=1638597200000&direct=next&contract=BTC-USDT"
)
#: The venue's own sample of its history.
SAMPLE = {"query_id": 452057, "contract_code": "BTC-USDT", "symbol": "USDT", "direction": "sell", "offset": "close"} | {
    "volume": 479,
    "price": 51441.7,
    "created_at": 1638593647864,
    "amount": 0.479,
    "trade_turnover": 24640.5743,
}
PLAIN = {"op": "sub", "cid": "liquidations", "topic": "public.*.liquidation_orders"}


def notice(*rows: dict[str, object]) -> list[Print]:
    frame = {"op": "notify", "topic": "public.BTC-USDT.liquidation_orders", "ts": 1, "data": rows}
    return prints(list(HTX.session().decode(json.dumps(frame), SEEN)))


def answer(*rows: dict[str, object], code: int = 200) -> bytes:
    return json.dumps({"code": code, "msg": "", "data": rows, "ts": 1}).encode()


def plan(key: str) -> Plan:
    return {plan.key: plan for plan in HTX.plans(HTX.endpoints, ())}[key]


def ack(code: object, **more: object) -> str:
    return json.dumps({**PLAIN, "ts": 1789676350590, "err-code": code} | more)


# --- sizes ------------------------------------------------------------------------------------------------------------


def test_amount_times_price_is_the_turnover_of_every_linear_row_known():
    rows = [row for line in lines("htx") if line["expect"] for row in line["frame"]["data"]]
    linear = [row for row in rows if "trade_turnover" in row]
    assert len(linear) >= 6
    for row in linear:
        assert row["amount"] * row["price"] == pytest.approx(row["trade_turnover"], rel=1e-12)
        sizes = {"BTC": 0.001, "ETH": 0.01, "O3": 1}
        coin = row["contract_code"].partition("-")[0]
        assert row["volume"] * sizes[coin] == pytest.approx(row["amount"], rel=1e-12), "contracts are not coins"


def test_coin_margined_orders_are_dollars_whatever_coins_their_row_tells():
    row = {"contract_code": "BTC-USD", "direction": "buy", "volume": 173, "price": 17102.9, "created_at": 1606381842485}
    bare, told = notice(row)[0], PAST.read(URL, answer(row | {"query_id": 1, "amount": 1.01152}), SEEN).orders[0]
    assert bare == told
    assert settle(bare, metadata("htx")["BTC-USD"]).usd == 17_300
    assert (bare.side, bare.quantity) == (Side.SHORT, 173)


def test_a_linear_row_without_coins_is_never_read_in_contracts():
    row = {name: value for name, value in SAMPLE.items() if name != "amount"}
    assert notice(row) == []
    assert isinstance(PAST.read(URL, answer(row), SEEN).orders[0], Spoilt)


@pytest.mark.parametrize(
    ("symbol", "asset"),
    [("BTC-USDT", "BTC"), ("BTC-USDT-211210", "BTC"), ("BTC-USD", ""), ("BTC200703", ""), ("BTC-HUSD", ""), ("", "")],
)
def test_only_linear_names_say_what_their_orders_are_worth(symbol, asset):
    implied = HTX.implied(symbol)
    assert (implied.asset if implied else "") == asset
    assert not implied or (implied.contract, implied.size) == (Contract.LINEAR, 1.0)


def test_metadata_takes_coins_of_linear_contracts_and_the_dollars_of_the_others():
    rows = metadata("htx")
    assert {name: (row.contract, row.size) for name, row in rows.items()} == {
        "BTC-USDT": (Contract.LINEAR, 1.0),
        "BTC-USDT-230421": (Contract.LINEAR, 1.0),
        "ETH-USDT": (Contract.LINEAR, 1.0),
        "O3-USDT": (Contract.LINEAR, 1.0),
        "BTC-USD": (Contract.INVERSE, 100.0),
        "ETH-USD": (Contract.INVERSE, 10.0),
        "BTC200703": (Contract.INVERSE, 100.0),
        "BTC230421": (Contract.INVERSE, 100.0),
    }
    with pytest.raises(DecodeError, match="contract_size"):
        HTX.instruments(b'{"status":"ok","data":[{"symbol":"BTC","contract_code":"BTC-USD","contract_size":0}]}')
    with pytest.raises(DecodeError, match="error"):
        HTX.instruments(b'{"status":"error","err_code":1030,"err_msg":"x","ts":1}')


# --- pings and acks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ping", "pong"),
    [
        ('{"op":"ping","ts":"1789676355591"}', '{"op":"pong","ts":"1789676355591"}'),
        ('{"op":"ping","ts":1492420473058}', '{"op":"pong","ts":1492420473058}'),
        ('{"ping":1492420473027}', '{"pong":1492420473027}'),
        ('{"ping":"1492420473027"}', '{"pong":"1492420473027"}'),
    ],
)
def test_a_ping_is_answered_in_its_dialect_with_its_time_as_it_was_spelt(ping, pong):
    assert list(HTX.session().decode(ping, SEEN)) == [Say(text=pong), Control()]


@pytest.mark.parametrize("ts", ["{}", "[1]", "true", '"a\\"}"', f'"{"1" * 31}"', "1" * 40, "null"])
def test_nothing_but_a_plain_time_is_sent_back(ts):
    for frame in (f'{{"op":"ping","ts":{ts}}}', f'{{"ping":{ts}}}'):
        with pytest.raises(DecodeError):
            HTX.session().decode(frame, SEEN)


def test_what_we_say_ourselves_means_nothing_in_a_recording_of_both_directions():
    for said in (*HTX.session(plan("linear")).hello(SEEN), '{"op":"pong","ts":"1789676355591"}'):
        assert list(HTX.session(plan("linear")).decode(said, SEEN)) == []


@pytest.mark.parametrize("code", [0, "0", 2014, "2014"])
def test_accepted_is_also_what_a_wider_subscription_covers(code):
    session = HTX.session(plan("swap"))
    assert not session.decode(ack(0, topic="public.BTC-USD.funding_rate"), SEEN)
    assert list(session.decode(ack(code), SEEN)) == [Subscribed()]
    assert list(session.decode(ack(0), SEEN)) == []


def test_a_refusal_ends_the_connection():
    (refused,) = HTX.session(plan("swap")).decode(ack(2010, **{"err-msg": "Topic error."}), SEEN)
    assert isinstance(refused, Refused)
    assert refused.fatal
    assert "2010 Topic error." in refused.reason
    (refused,) = HTX.session().decode('{"op":"error","ts":1789676350590}', SEEN)
    assert isinstance(refused, Refused)
    assert isinstance(HTX.session().decode('{"op":"close","ts":1789676350590}', SEEN)[0], Leaving)


def test_dated_linear_contracts_are_asked_for_and_done_without_where_that_is_refused():
    session = HTX.session(plan("linear"))
    assert [json.loads(text) for text in session.hello(SEEN)] == [PLAIN | {"business_type": "all"}]
    (again,) = session.decode(ack(2011), SEEN)
    assert json.loads(again.text) == PLAIN
    assert list(session.decode(ack(0), SEEN)) == [Subscribed()]
    session = HTX.session(plan("linear"))
    session.decode(ack(2011), SEEN)
    assert isinstance(session.decode(ack(2011), SEEN)[0], Refused)
    assert json.loads(HTX.session(plan("futures")).hello(SEEN)[0]) == PLAIN


# --- on the wire ------------------------------------------------------------------------------------------------------


async def test_every_frame_of_the_local_venue_is_gzipped_and_missing_pongs_close_it(monkeypatch):
    monkeypatch.setattr(clock, "MIN_GRACE_S", 1.2)
    async with Market(["htx"], ScaledClock(ORIGIN, 60)) as market:
        async with connect(market.endpoints["htx"]["swap"]) as ws:
            frames = [frame async for frame in ws]
        said = [json.loads(gzip.decompress(frame)) for frame in frames]
    assert {type(frame["ts"]) for frame in said[:-1]} == {str}
    assert [frame["op"] for frame in said[:2]] == ["ping", "ping"]
    assert said[-1]["op"] == "close"


@pytest.mark.parametrize("market_pings", [False, True])
async def test_a_client_that_answers_pings_stays_and_hears_all_three_products(monkeypatch, market_pings):
    monkeypatch.setattr(clock, "MIN_GRACE_S", 1.2)
    async with listening("htx") as (market, heard):
        server = market.servers["htx"]
        server.market_pings = market_pings
        await until(lambda: heard.are(FeedState.LIVE))
        first = list(server.live)
        await asyncio.sleep(2)
        assert server.live == first, "longer than the patience of the venue"
        symbols = ("BTCUSDT", "BTC-USDT-260327", "BTCUSD", "BTC260327")
        await market.play(
            [
                Row(at=ORIGIN + n, venue="htx", symbol=symbol, side=Side.LONG, usd=5_000.0)
                for n, symbol in enumerate(symbols)
            ]
        )
        await until(lambda: len(heard.orders) == 4)
        assert {order.symbol for order in heard.orders} == {"BTC-USDT", "BTC-USDT-260327", "BTC-USD", "BTC260327"}
        assert heard.bad == {}


async def test_like_orders_of_one_notice_are_two_and_a_repeated_notice_is_none():
    async with listening("htx", Faults(duplicate=1)) as (market, heard):
        await until(lambda: heard.are(FeedState.LIVE))
        row = Row(at=ORIGIN, venue="htx", symbol="ETHUSDT", side=Side.SHORT, usd=12_231.3, price=2446.26, qty=5)
        await market.play([row, Row(**{name: getattr(row, name) for name in row.__struct_fields__} | {"ordinal": 1})])
        await until(lambda: len(heard.orders) == 4)
        assert len({order.id for order in heard.orders}) == 2


# --- history ----------------------------------------------------------------------------------------------------------


def test_a_row_has_the_id_of_its_push_though_the_two_spell_numbers_differently():
    push = {name: value for name, value in SAMPLE.items() if name != "query_id"} | {
        "volume": 479.0,
        "price": "51441.70",
    }
    (row,) = PAST.read(URL, answer(SAMPLE), SEEN).orders
    assert notice(push)[0] == row
    assert len({order.id for order in notice(push, push)}) == 2


def test_pages_go_on_from_the_largest_id_until_nothing_new_comes():
    (url,) = PAST.read(URL, answer(SAMPLE | {"query_id": 7}, SAMPLE | {"query_id": 9}), SEEN).more
    assert query_of(url) == query_of(URL) | {"from_id": "9"}
    assert PAST.read(url, answer(), SEEN).more == ()
    (again,) = PAST.read(url, answer(SAMPLE | {"query_id": 9}), SEEN).more
    assert query_of(again)["from_id"] == "10", "the row it should go on from came once more"
    assert PAST.read(again, answer(SAMPLE | {"query_id": 9}), SEEN).more == (), "from_id is not heeded at all"
    late = SAMPLE | {"query_id": 11, "created_at": 1638597200001}
    assert PAST.read(url, answer(late), SEEN).more == (), "behind the window"
    assert PAST.read(URL, answer({name: v for name, v in SAMPLE.items() if name != "query_id"}), SEEN).more == ()


def test_an_error_comes_with_http_200_and_is_no_empty_page():
    with pytest.raises(DecodeError, match="1347"):
        PAST.read(URL, b'{"code":1347,"msg":"illegal time range","ts":1}', SEEN)


def test_every_contract_is_asked_for_two_hours_at_a_time_and_dated_ones_by_their_coin():
    asks = PAST.asks(HTX.endpoints, list(metadata("htx").values()), ORIGIN, ORIGIN + 3 * 3_600_000)
    paths = [url.partition("?")[0].removeprefix("https://api.hbdm.com") for url in asks]
    assert [(path, paths.count(path)) for path in dict.fromkeys(paths)] == [
        ("/linear-swap-api/v3/swap_liquidation_orders", 8),
        ("/swap-api/v3/swap_liquidation_orders", 4),
        ("/api/v3/contract_liquidation_orders", 2),
    ]
    queries = [query_of(url) for url in asks]
    assert all(int(query["end_time"]) - int(query["start_time"]) <= 7_200_000 for query in queries)
    assert [query["symbol"] for query in queries if "symbol" in query] == ["BTC", "BTC"]


@pytest.mark.parametrize("page", [1, 50])
async def test_a_page_may_hold_one_row_or_many(page):
    async with played("htx", Faults(hollow=True), listen=False) as (market, client, book, _queue):
        market.servers["htx"].page = page
        found = await ask_all("htx", market, client, book)
    assert len(found) == len(tape("htx")) == len({order.id for order in found})


async def test_the_local_venue_refuses_what_the_real_one_refuses():
    async with Market(["htx"], ScaledClock(ORIGIN, 60)) as market, httpx.AsyncClient() as client:
        rest, path = market.endpoints["htx"]["rest"], "/linear-swap-api/v3/swap_liquidation_orders"
        wide = {"contract": "BTC-USDT", "trade_type": 0, "start_time": ORIGIN - 7_200_001, "end_time": ORIGIN}
        assert (await client.get(rest + path, params=wide)).json()["code"] == 1347
        assert (await client.get(rest + path, params={"contract": "BTC-USDT"})).json()["code"] == 1030
        swaps = (await client.get(f"{rest}/linear-swap-api/v1/swap_contract_info")).json()["data"]
        assert {row["business_type"] for row in swaps} == {"swap"}
        async with connect(market.endpoints["htx"]["linear"]) as ws:
            codes = []
            for topic, kind in [("*", "all"), ("*", "swap"), ("BTC-USDT", "all"), ("NO-USDT", "all")]:
                ask = {"op": "sub", "topic": f"public.{topic}.liquidation_orders", "business_type": kind}
                await ws.send(json.dumps(ask))
                told = {}
                while "err-code" not in told:
                    told = json.loads(gzip.decompress(await ws.recv()))
                codes.append(told["err-code"])
    assert codes == [0, 2014, 2014, 2011]
