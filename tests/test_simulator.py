"""The local venues over real sockets: their protocols, the frames they make of a tape, and how a tape is played.

Expected words and dollars follow the venues' own pages; the decoders of the service are not used here.
"""

import asyncio
import contextlib
import json
import time
from decimal import Decimal
from itertools import product

import httpx
import hypothesis
import pytest
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Opcode

from service import tape as tape_file
from service.clock import ScaledClock, WallClock
from service.model import Side, to_units, to_usd
from service.simulator import SERVERS, Faults, Market, Played, rebase, shorten, symbols_of
from service.simulator.contracts import Listing, Order, name_of
from service.simulator.restonly import RestOnlyServer
from service.tape import Row
from tests.shared import recorded

T0 = 1_768_341_600_000
ORDERS = "!forceOrder@arr"


def row(usd=1000.0, at=T0, side=Side.LONG, venue="binance", symbol="BTCUSDT", **more) -> Row:
    return Row(at=at, venue=venue, symbol=symbol, side=side, usd=usd, **more)


def stage(*venues, origin=T0 + 60_000, speed=1.0, **more) -> Market:
    """Venues on a clock that is past the usual tape, so that its rows go out at once."""
    return Market(venues, ScaledClock(origin, speed), **more)


async def ask(ws, request) -> dict:
    await ws.send(request if isinstance(request, str) else json.dumps(request))
    return await hear(ws)


async def hear(ws) -> dict:
    return json.loads(await asyncio.wait_for(ws.recv(), 3))


async def quiet(ws, seconds=0.15) -> bool:
    try:
        await asyncio.wait_for(ws.recv(), seconds)
    except TimeoutError:
        return True
    return False


async def get(url) -> tuple[int, dict]:
    async with httpx.AsyncClient() as client:
        answer = await client.get(url)
        return answer.status_code, answer.json()


def binance(*streams, number=1, method="SUBSCRIBE") -> dict:
    return {"method": method, "params": list(streams), "id": number}


def bybit(*topics, op="subscribe", **more) -> dict:
    return {"op": op, "args": list(topics), **more}


def okx(*kinds, op="subscribe", **more) -> dict:
    return {"op": op, "args": [{"channel": "liquidation-orders", "instType": kind} for kind in kinds], **more}


@contextlib.asynccontextmanager
async def dialled(url, request=None, answers=1):
    async with connect(url) as ws:
        if request is not None:
            await ws.send(json.dumps(request))
            for _ in range(answers):
                await hear(ws)
        yield ws


# -- Binance


async def test_binance_acks_lists_and_drops_streams():
    async with stage("binance") as market, connect(market.endpoints["binance"]["um"]) as ws:
        assert await ask(ws, binance(ORDERS, number=7)) == {"result": None, "id": 7}
        assert await ask(ws, binance(method="LIST_SUBSCRIPTIONS", number=8)) == {"result": [ORDERS], "id": 8}
        assert await ask(ws, binance(ORDERS, method="UNSUBSCRIBE", number=9)) == {"result": None, "id": 9}
        assert await ask(ws, binance(method="LIST_SUBSCRIPTIONS", number=10)) == {"result": [], "id": 10}
        assert await ask(ws, binance("combined", method="GET_PROPERTY", number=11)) == {"result": True, "id": 11}


@pytest.mark.parametrize(
    ("request_", "code", "words"),
    [
        ("{nonsense", 3, "Invalid JSON: expected value at line 1 column 1"),
        ("[" * 5000, 3, "Invalid JSON"),
        ({"params": [], "id": 1}, 2, "missing field `method`"),
        ({"method": "SUB", "params": [], "id": 1}, 2, "unknown variant `SUB`, expected one of `SUBSCRIBE`"),
        ({"method": "SUBSCRIBE", "params": [ORDERS], "id": -1}, 2, "request ID must be an unsigned integer"),
        ({"method": "SUBSCRIBE", "params": [ORDERS]}, 2, "request ID must be an unsigned integer"),
        ({"method": "SUBSCRIBE", "params": [3], "id": 1}, 2, "property name must be a string"),
        ({"method": "GET_PROPERTY", "params": ["colour"], "id": 1}, 0, "Unknown property"),
        ({"method": "SET_PROPERTY", "params": ["combined", 3], "id": 1}, 1, "expected Boolean"),
    ],
)
async def test_binance_says_what_is_wrong_with_a_request(request_, code, words):
    async with stage("binance") as market, connect(market.endpoints["binance"]["um"]) as ws:
        error = await ask(ws, request_)
        assert error["code"] == code
        assert words in error["msg"]
        assert await ask(ws, binance(ORDERS)) == {"result": None, "id": 1}


async def test_binance_retired_paths_shake_hands_and_ack_but_never_send_an_order():
    async with stage("binance") as market, contextlib.AsyncExitStack() as lines:
        base = market.endpoints["binance"]["um_rest"].replace("http", "ws")
        request = binance(ORDERS, "!markPrice@arr@1s")
        paths = ("/stream", "/ws", f"/ws/{ORDERS}", "/public/ws")
        dead = [await lines.enter_async_context(dialled(base + path, request)) for path in paths]
        alive = await lines.enter_async_context(dialled(market.endpoints["binance"]["um"], binance(ORDERS)))
        await market.play([row()])
        assert (await hear(alive))["data"]["o"]["s"] == "BTCUSDT"
        assert all(await asyncio.gather(*(quiet(ws, 0.7) for ws in dead)))


async def test_binance_has_no_other_paths():
    async with stage("binance") as market:
        for url in (
            market.endpoints["binance"]["um"] + "/x/y",
            market.endpoints["binance"]["um"].replace("market", "x"),
        ):
            with pytest.raises(InvalidStatus, match="404"):
                await connect(url)


async def test_binance_wraps_on_stream_paths_and_is_bare_on_ws_paths():
    async with stage("binance") as market:
        um = market.endpoints["binance"]["um"]
        named = connect(um.replace("stream", f"ws/{ORDERS}"))
        async with connect(f"{um}?streams={ORDERS}/btcusdt@forceOrder") as wrapped, named as bare:
            await market.play([row()])
            frames = [await hear(wrapped), await hear(wrapped)]
            assert [frame["stream"] for frame in frames] == [ORDERS, "btcusdt@forceOrder"]
            assert frames[0]["data"] == frames[1]["data"] == await hear(bare)


@pytest.mark.parametrize("merged", [True, False])
async def test_binance_merged_streams_carry_both_products_on_both_hosts(merged):
    async with stage("binance") as market:
        market.servers["binance"].merged = merged
        ends = market.endpoints["binance"]
        async with dialled(ends["um"], binance(ORDERS)) as um, dialled(ends["cm"], binance(ORDERS)) as cm:
            await market.play([row(), row(symbol="BTCUSD_PERP", at=T0 + 1)])
            heard = {name: [(await hear(ws))["data"]["o"]["s"]] for name, ws in (("um", um), ("cm", cm))}
            if merged:
                heard["um"].append((await hear(um))["data"]["o"]["s"])
                heard["cm"].append((await hear(cm))["data"]["o"]["s"])
            assert await quiet(um)
            assert await quiet(cm)
        both = ["BTCUSDT", "BTCUSD_PERP"]
        assert heard == ({"um": both, "cm": both} if merged else {"um": both[:1], "cm": both[1:]})


async def test_binance_marks_come_at_most_twice_a_real_second():
    async with stage("binance", speed=600.0) as market:
        ends = market.endpoints["binance"]
        perpetual = "btcusd_perp@markPrice@1s"
        async with (
            dialled(ends["um"], binance("!markPrice@arr@1s")) as um,
            dialled(ends["cm"], binance(perpetual)) as cm,
        ):
            all_marks, one = await hear(um), await hear(cm)
            assert all_marks["stream"] == "!markPrice@arr@1s"
            assert {"e", "E", "s", "p", "i", "r", "T"} <= set(all_marks["data"][0])
            assert "BTCUSDT" in {mark["s"] for mark in all_marks["data"]}
            assert one["stream"] == perpetual
            assert one["data"]["s"] == "BTCUSD_PERP"
            began = time.monotonic()
            await hear(um)
            await hear(um)
            assert time.monotonic() - began > 0.8


class Witness(ClientConnection):
    """Sees ping frames; answers them only while `polite`."""

    pings = 0
    polite = True

    def process_event(self, event):
        self.pings += getattr(event, "opcode", None) is Opcode.PING
        super().process_event(event)

    def send_data(self):
        if not self.polite:
            self.protocol.writes = [data for data in self.protocol.writes if data[:1] != b"\x8a"]
        super().send_data()


async def test_binance_pings_and_cuts_after_its_day():
    async with stage("binance") as market:
        server = market.servers["binance"]
        server.ping_every_s, server.life_s = 0.05, 0.3
        async with connect(market.endpoints["binance"]["um"], create_connection=Witness) as ws:
            with pytest.raises(ConnectionClosed) as cut:
                await asyncio.wait_for(ws.recv(), 2)
            assert cut.value.rcvd.code == 1001
            assert 2 <= ws.pings <= 7


async def test_binance_leaves_a_client_that_answers_no_ping():
    async with stage("binance") as market:
        server = market.servers["binance"]
        server.ping_every_s = server.pong_within_s = 0.05
        async with connect(market.endpoints["binance"]["um"], create_connection=Witness) as ws:
            ws.polite = False
            with pytest.raises(ConnectionClosed, match="Pong timeout"):
                await asyncio.wait_for(ws.recv(), 2)


async def test_binance_disconnects_who_asks_more_than_ten_times_a_second():
    async with stage("binance") as market, connect(market.endpoints["binance"]["um"]) as ws:
        with pytest.raises(ConnectionClosed, match="Too many requests"):  # noqa: PT012
            for number in range(11):
                await ask(ws, binance(ORDERS, number=number))


async def test_binance_metadata_tells_the_products_apart():
    symbols = {"binance": ["RAREUSDT", "DOGEUSD_PERP", "BTCUSDT_260327"]}
    async with stage("binance", symbols=symbols) as market:
        base = market.endpoints["binance"]["um_rest"]
        status, um = await get(f"{base}/fapi/v1/exchangeInfo")
        _, cm = await get(f"{base}/dapi/v1/exchangeInfo")
        missing, _ = await get(f"{base}/fapi/v1/nothing")
    linear = {symbol["symbol"]: symbol for symbol in um["symbols"]}
    coin = {symbol["symbol"]: symbol for symbol in cm["symbols"]}
    assert (status, missing) == (200, 404)
    assert linear["RAREUSDT"]["status"] == "TRADING"
    assert linear["RAREUSDT"]["quoteAsset"] == linear["RAREUSDT"]["marginAsset"] == "USDT"
    assert linear["BTCUSDT_260327"]["contractType"] == "CURRENT_QUARTER"
    assert coin["BTCUSD_PERP"]["contractSize"] == 100
    assert coin["DOGEUSD_PERP"]["contractSize"] == 10
    assert coin["DOGEUSD_PERP"]["contractStatus"] == "TRADING"
    assert not set(linear) & set(coin)


# -- Bybit


async def test_bybit_acks_echo_the_request_and_pings_get_a_pong():
    async with stage("bybit") as market, connect(market.endpoints["bybit"]["linear"]) as ws:
        ack = await ask(ws, bybit("allLiquidation.BTCUSDT", "allLiquidation.ETHUSDT", req_id="a1"))
        assert ack | {"conn_id": ""} == {
            "success": True,
            "ret_msg": "",
            "conn_id": "",
            "req_id": "a1",
            "op": "subscribe",
        }
        pong = await ask(ws, {"op": "ping"})
        assert (pong["success"], pong["ret_msg"], pong["op"], pong["req_id"]) == (True, "pong", "ping", "")
        assert pong["conn_id"] == ack["conn_id"]
        assert (await ask(ws, bybit("allLiquidation.ETHUSDT", op="unsubscribe")))["success"] is True


async def test_bybit_one_bad_topic_fails_the_whole_frame():
    async with stage("bybit") as market, connect(market.endpoints["bybit"]["linear"]) as ws:
        refused = await ask(ws, bybit("allLiquidation.BTCUSDT", "allLiquidation.NOPEUSDT", req_id="x"))
        assert (refused["success"], refused["req_id"]) == (False, "x")
        assert refused["ret_msg"] == "error:handler not found,topic:allLiquidation.NOPEUSDT"
        assert (await ask(ws, bybit("allLiquidation.BTCUSDT")))["success"] is True  # nothing of the first frame holds
        again = await ask(ws, bybit("allLiquidation.ETHUSDT", "allLiquidation.BTCUSDT"))
        assert again["ret_msg"] == "error:already subscribed,topic:allLiquidation.BTCUSDT"


@pytest.mark.parametrize(
    "topic", ["liquidation.BTCUSDT", "allLiquidation.BTCUSD", "allLiquidation.btcusdt", "order", ""]
)
async def test_bybit_does_not_know_retired_foreign_or_lower_case_topics(topic):
    async with stage("bybit") as market, connect(market.endpoints["bybit"]["linear"]) as ws:
        assert (await ask(ws, bybit(topic)))["ret_msg"] == f"error:handler not found,topic:{topic}"


async def test_bybit_refuses_nonsense_and_more_than_21000_characters_of_topics():
    async with stage("bybit") as market, connect(market.endpoints["bybit"]["linear"]) as ws:
        assert "Failed to decode incoming data" in (await ask(ws, "hello"))["ret_msg"]
        assert (await ask(ws, {"op": "nope"}))["ret_msg"] == "error:invalid op"
        assert (await ask(ws, {"op": "subscribe", "args": "allLiquidation.BTCUSDT"}))["success"] is False
        market.servers["bybit"].standing = 1200
        _, page = await get(
            f"{market.endpoints['bybit']['rest']}/v5/market/instruments-info?category=linear&limit=1000"
        )
        topics = [f"allLiquidation.{contract['symbol']}" for contract in page["result"]["list"]]
        assert (await ask(ws, bybit(*topics[:850])))["success"] is True
        assert "21000" in (await ask(ws, bybit(*topics[850:])))["ret_msg"]


async def test_bybit_pages_its_instruments():
    async with stage("bybit") as market:
        url = f"{market.endpoints['bybit']['rest']}/v5/market/instruments-info"
        _, first = await get(f"{url}?category=linear")
        assert len(first["result"]["list"]) == 500
        cursor = first["result"]["nextPageCursor"]
        assert "%3D" in cursor
        _, second = await get(f"{url}?category=linear&cursor={cursor}")
        _, escaped = await get(f"{url}?category=linear&cursor={cursor.replace('%', '%25')}")
        assert second["result"] == escaped["result"]
        assert second["result"]["nextPageCursor"] == ""
        names = [contract["symbol"] for page in (first, second) for contract in page["result"]["list"]]
        assert len(names) == len(set(names)) > 500
        _, whole = await get(f"{url}?category=linear&limit=1000")
        assert [contract["symbol"] for contract in whole["result"]["list"]] == names
        _, inverse = await get(f"{url}?category=inverse")
        assert {contract["quoteCoin"] for contract in inverse["result"]["list"]} == {"USD"}
        for wrong in ("?category=spot", "", "?category=linear&limit=1001", "?category=linear&limit=x"):
            assert (await get(url + wrong))[1]["retCode"] == 10001


async def test_bybit_tells_half_seconds_in_one_frame_a_symbol():
    tape = [
        row(venue="bybit", usd=float(n), at=T0 + 100 * n, symbol="BTCUSDT" if n % 2 else "ETHUSDT") for n in range(1, 8)
    ]
    async with stage("bybit") as market:
        topics = bybit("allLiquidation.BTCUSDT", "allLiquidation.ETHUSDT")
        async with dialled(market.endpoints["bybit"]["linear"], topics) as ws:
            await market.play(tape)
            frames = [await hear(ws) for _ in range(4)]
    assert [(frame["topic"], [each["T"] - T0 for each in frame["data"]]) for frame in frames] == [
        ("allLiquidation.BTCUSDT", [100, 300]),
        ("allLiquidation.ETHUSDT", [200, 400]),
        ("allLiquidation.BTCUSDT", [500, 700]),
        ("allLiquidation.ETHUSDT", [600]),
    ]
    assert {frame["type"] for frame in frames} == {"snapshot"}


async def test_bybit_ticker_is_a_snapshot_and_then_deltas():
    request = bybit("tickers.BTCUSD")
    async with stage("bybit") as market, dialled(market.endpoints["bybit"]["inverse"], request) as ws:
        first, then = await hear(ws), await hear(ws)
    assert (first["topic"], first["type"], then["type"]) == ("tickers.BTCUSD", "snapshot", "delta")
    assert "openInterest" in first["data"]
    assert "openInterest" not in then["data"]
    assert then["data"]["markPrice"]


# -- OKX


async def test_okx_acks_every_argument_with_its_connection():
    async with stage("okx") as market, connect(market.endpoints["okx"]["public"]) as ws:
        first = await ask(ws, okx("SWAP", "FUTURES", id="1512"))
        second = await hear(ws)
        assert first["arg"] == {"channel": "liquidation-orders", "instType": "SWAP"}
        assert second["arg"]["instType"] == "FUTURES"
        assert first["event"] == second["event"] == "subscribe"
        assert first["id"] == second["id"] == "1512"
        assert len(first["connId"]) == 8
        assert first["connId"] == second["connId"]
        gone = await ask(ws, okx("SWAP", op="unsubscribe"))
        assert (gone["event"], "id" in gone) == ("unsubscribe", False)


@pytest.mark.parametrize(
    ("request_", "code", "words"),
    [
        ("{nonsense", "60012", "Invalid request: {nonsense"),
        ({"op": "subscribe", "argss": []}, "60012", "Invalid request"),
        ({"op": "shout", "args": []}, "60019", "Invalid op: shout"),
        (okx("SPOT"), "60018", "channel:liquidation-orders,instType:SPOT doesn't exist"),
        (
            {"op": "subscribe", "args": [{"channel": "liquidations", "instId": "ETH-USDT-SWAP"}]},
            "60018",
            "doesn't exist",
        ),
        ({"op": "subscribe", "args": [{"channel": "mark-price", "instId": "NO-USDT-SWAP"}]}, "60018", "NO-USDT-SWAP"),
    ],
)
async def test_okx_says_what_is_wrong_with_a_request(request_, code, words):
    async with stage("okx") as market, connect(market.endpoints["okx"]["public"]) as ws:
        error = await ask(ws, request_)
        assert (error["event"], error["code"]) == ("error", code)
        assert words in error["msg"]
        assert error["connId"]


async def test_okx_answers_the_text_ping_and_limits_requests():
    async with stage("okx") as market, connect(market.endpoints["okx"]["public"]) as ws:
        await ws.send("ping")
        assert await ws.recv() == "pong"
        market.servers["okx"].requests_per_hour = 2
        await ask(ws, okx("SWAP"))
        await ask(ws, okx("FUTURES"))
        assert (await ask(ws, okx("SWAP")))["code"] == "60014"


async def test_okx_takes_no_request_over_64_kb():
    async with stage("okx") as market, connect(market.endpoints["okx"]["public"]) as ws:
        with pytest.raises(ConnectionClosed) as cut:
            await ask(ws, {"op": "subscribe", "args": [], "padding": "x" * 65_536})
        assert cut.value.rcvd.code == 1009


async def test_okx_closes_who_says_nothing_and_keeps_who_pings():
    async with Market(["okx"], WallClock()) as market:
        market.servers["okx"].idle_s = 0.5
        url = market.endpoints["okx"]["public"]
        async with connect(url) as mute, connect(url) as talker:
            for _ in range(5):
                await asyncio.sleep(0.1)
                await talker.send("ping")
                assert await talker.recv() == "pong"
            with pytest.raises(ConnectionClosed) as cut:
                await mute.recv()
            assert (cut.value.rcvd.code, cut.value.rcvd.reason) == (4004, "No data received in 30s")


async def test_okx_announces_a_planned_close():
    async with stage("okx", speed=1000.0) as market, connect(market.endpoints["okx"]["public"]) as old:
        await old.send("ping")
        await old.recv()
        await market.servers["okx"].announce_close()
        notice = await hear(old)
        assert (notice["event"], notice["code"]) == ("notice", "64008")
        async with connect(market.endpoints["okx"]["public"]) as new:
            with pytest.raises(ConnectionClosed):
                await asyncio.wait_for(old.recv(), 2)
            await new.send("ping")
            assert await new.recv() == "pong"


async def test_okx_replays_its_last_orders_to_whoever_subscribes():
    tape = [row(venue="okx", usd=float(n), at=T0 + n, symbol="BTC-USDT-SWAP") for n in range(1, 31)]
    async with stage("okx") as market:
        played = await market.play(tape, wait_for_listeners=False)
        assert (played.rows, played.unheard) == (0, 30)
        async with dialled(market.endpoints["okx"]["public"], okx("SWAP")) as ws:
            (data,) = (await hear(ws))["data"]
    assert [int(detail["ts"]) - T0 for detail in data["details"]] == list(range(11, 31))


async def test_okx_marks_a_contract():
    request = {"op": "subscribe", "args": [{"channel": "mark-price", "instId": "BTC-USDT-SWAP"}]}
    async with stage("okx") as market, dialled(market.endpoints["okx"]["public"], request) as ws:
        mark = await hear(ws)
    assert mark["arg"] == request["args"][0]
    assert mark["data"][0]["instId"] == "BTC-USDT-SWAP"
    assert float(mark["data"][0]["markPx"]) > 0


async def test_okx_metadata_has_the_face_of_every_contract():
    async with stage("okx", symbols={"okx": ["RAREUSDT"]}) as market:
        url = f"{market.endpoints['okx']['rest']}/api/v5/public/instruments"
        _, swaps = await get(f"{url}?instType=SWAP")
        _, futures = await get(f"{url}?instType=FUTURES")
        _, options = await get(f"{url}?instType=OPTION")
        wrong = [await get(url), await get(f"{url}?instType=STOCK")]
    found = {contract["instId"]: contract for contract in swaps["data"]}
    faces = {symbol: (found[symbol]["ctVal"], found[symbol]["ctValCcy"], found[symbol]["ctType"]) for symbol in found}
    assert faces["BTC-USDT-SWAP"] == ("0.01", "BTC", "linear")
    assert faces["ETH-USDT-SWAP"] == ("0.1", "ETH", "linear")
    assert faces["BTC-USD-SWAP"] == ("100", "USD", "inverse")
    assert faces["ETH-USD-SWAP"] == ("10", "USD", "inverse")
    assert faces["RARE-USDT-SWAP"] == ("1", "RARE", "linear")
    assert found["BTC-USD-SWAP"]["settleCcy"] == "BTC"
    assert {contract["instType"] for contract in futures["data"]} == {"FUTURES"}
    assert options["data"] == []
    assert [(status, body["code"]) for status, body in wrong] == [(400, "50014"), (400, "51000")]


# -- a tape in the venues' words


async def told(market: Market, venue: str, key: str, request: dict, rows: list[Row]) -> list[dict]:
    async with dialled(market.endpoints[venue][key], request, len(request["args"]) if venue == "okx" else 1) as ws:
        await market.play(rows)
        return [await hear(ws) for _ in rows]


@pytest.mark.parametrize(
    ("symbol", "own", "size"),
    [("BTCUSDT", "BTCUSDT", None), ("1000PEPEUSDT", "1000PEPEUSDT", None), ("BTCUSD_PERP", "BTCUSD_PERP", 100),
     ("ETHUSD_260327", "ETHUSD_260327", 10), ("BTC", "BTCUSDT", None)],
)  # fmt: skip
@pytest.mark.parametrize("price", [None, 9496.5])
async def test_binance_orders_carry_the_order_side_and_the_dollars(symbol, own, size, price):
    rows = [row(45_795.4346, T0, Side.LONG, symbol=symbol, price=price), row(0.0513, T0 + 1, Side.SHORT, symbol=symbol)]
    async with stage("binance") as market:
        frames = await told(market, "binance", "cm", binance(ORDERS) | {"args": []}, rows)
    for given, frame, word in zip(rows, frames, ("SELL", "BUY"), strict=True):
        event = frame["data"]
        order = event["o"]
        assert (event["e"], order["s"], order["S"], order["T"], order["X"]) == (
            "forceOrder",
            own,
            word,
            given.at,
            "FILLED",
        )
        assert 0 < event["E"] - order["T"] < 10
        assert order["z"] == order["q"]
        assert order["p"] != order["ap"]
        assert ("ps" in order) == (size is not None)
        usd = float(order["z"]) * (size or float(order["ap"]))
        assert to_units(usd) == to_units(given.usd)


@pytest.mark.parametrize(("symbol", "own", "key"), [("BTCUSDT", "BTCUSDT", "linear"), ("ETHUSDC", "ETHPERP", "linear"),
    ("BTCUSD_PERP", "BTCUSD", "inverse"), ("BTCUSD_260327", "BTCUSDH26", "inverse"),
    ("BTCUSDT_260327", "BTCUSDT-27MAR26", "linear")])  # fmt: skip
async def test_bybit_orders_carry_the_position_side_and_the_dollars(symbol, own, key):
    rows = [
        row(45_795.4346, T0, Side.LONG, "bybit", symbol),
        row(7.25, T0 + 600, Side.SHORT, "bybit", symbol, price=3.0),
    ]
    async with stage("bybit", symbols={"bybit": [symbol]}) as market:
        frames = await told(market, "bybit", key, bybit(f"allLiquidation.{own}"), rows)
    for given, frame, word in zip(rows, frames, ("Buy", "Sell"), strict=True):
        (data,) = frame["data"]
        assert set(data) == {"T", "s", "S", "v", "p"}
        assert (data["s"], data["S"], data["T"]) == (own, word, given.at)
        usd = float(data["v"]) * (1 if key == "inverse" else float(data["p"]))
        assert to_units(usd) == to_units(given.usd)


@pytest.mark.parametrize(("symbol", "own", "face"), [("BTCUSDT", "BTC-USDT-SWAP", "0.01"), ("ETH-USDT-SWAP", "ETH-USDT-SWAP", "0.1"),
    ("PEPEUSDT", "PEPE-USDT-SWAP", "10000000"), ("BTCUSD_PERP", "BTC-USD-SWAP", None), ("BTC-USDT-260327", "BTC-USDT-260327", "0.01"),
    ("SOLUSDT", "SOL-USDT-SWAP", "1")])  # fmt: skip
async def test_okx_orders_carry_the_position_or_net_and_the_dollars(symbol, own, face):
    rows = [row(45_795.4346, T0, Side.LONG, "okx", symbol), row(9.99, T0 + 300, Side.SHORT, "okx", symbol)]
    async with stage("okx") as market:
        frames = await told(market, "okx", "public", okx("SWAP", "FUTURES"), rows)
    net = own in ("BTC-USD-SWAP", "SOL-USDT-SWAP")
    for given, frame, word in zip(rows, frames, ("sell", "buy"), strict=True):
        (data,) = frame["data"]
        (detail,) = data["details"]
        assert data["instId"] == own
        assert data["instType"] == frame["arg"]["instType"] == ("FUTURES" if own.endswith("260327") else "SWAP")
        assert "uly" not in data
        assert (detail["side"], detail["posSide"]) == (word, "net" if net else str(given.side))
        assert detail["ts"] == str(given.at)
        usd = float(detail["sz"]) * (float(face) * float(detail["bkPx"]) if face else 100)
        assert to_units(usd) == to_units(given.usd)


async def test_recorded_price_and_quantity_are_kept_where_they_give_the_dollars():
    kept = row(965.9885, T0, price=0.2185, qty=4421.0)
    bent = row(227_241.0, T0 + 1, price=4522.0, qty=50.2)
    async with stage("binance") as market:
        frames = await told(market, "binance", "um", binance(ORDERS), [kept, bent])
    first, second = (frame["data"]["o"] for frame in frames)
    assert (first["z"], first["ap"]) == ("4421", "0.2185")
    assert second["ap"] == "4522"
    assert to_units(float(second["z"]) * 4522) == to_units(227_241.0)


VENUE_SYMBOLS = list(product(SERVERS, ("BTCUSDT", "1000PEPEUSDT", "BTCUSD", "XYZUSDT")))


def decoded(order: Order) -> float:
    size, price = float(order.listing.size), float(order.price)
    return float(order.quantity) * size * (1 if order.listing.inverse else price)


@pytest.mark.parametrize(("venue", "symbol"), VENUE_SYMBOLS)
@hypothesis.given(
    units=st.integers(1, 10**14),
    price=st.none() | st.floats(1e-9, 1e7),
    qty=st.none() | st.floats(1e-6, 1e12),
)
def test_any_row_keeps_its_dollars_to_the_ten_thousandth(venue, symbol, units, price, qty):
    server = SERVERS[venue](WallClock(), (), Faults())
    order = server.order(row(to_usd(units), symbol=symbol, price=price, qty=qty))
    assert to_units(decoded(order)) == order.units == units
    assert "e" not in (order.price + order.quantity).lower()


@pytest.mark.parametrize("venue", SERVERS)
@pytest.mark.parametrize(
    "name",
    [
        "binance_force_orders_raw/force_orders.csv.gz",
        "binance_bursts_2023_01/bursts.csv.gz",
        "whalebot_ge50k_2025_09/liq_ge_50k.csv.gz",
        "coinglass_btc_liq/btc_liq_1h.csv.gz",
    ],
)
def test_recorded_tapes_keep_their_dollars_on_every_venue(venue, name):
    rows = tape_file.read([recorded(f"data/{name}")])
    server = SERVERS[venue](WallClock(), (), Faults())
    orders = [server.order(each) for each in rows]
    assert [to_units(decoded(order)) for order in orders] == [to_units(each.usd) for each in rows]


async def test_twins_of_one_file_can_be_told_apart_except_where_a_batch_counts_them():
    twins = [row(5.0, venue=venue, symbol="BTCUSDT", ordinal=n) for venue in ("binance", "bybit") for n in (0, 1)]
    async with stage("binance", "bybit") as market:
        ends = market.endpoints
        async with (
            dialled(ends["binance"]["um"], binance(ORDERS)) as first,
            dialled(ends["bybit"]["linear"], bybit("allLiquidation.BTCUSDT")) as second,
        ):
            await market.play(twins)
            times = [(await hear(first))["data"]["o"]["T"] for _ in range(2)]
            batch = (await hear(second))["data"]
    assert times == [T0, T0 + 1]
    assert batch[0] == batch[1]


# -- playing


async def test_a_tape_waits_for_its_listeners_and_counts_what_it_told():
    tape = [row(10.5, T0 + n, Side.SHORT if n else Side.LONG) for n in range(4)] + [row(venue="kraken", at=T0 + 9)]
    async with stage("binance") as market:
        playing = asyncio.create_task(market.play(tape))
        await asyncio.sleep(0.1)
        assert market.told == 0
        async with dialled(market.endpoints["binance"]["um"], binance(ORDERS)) as ws:
            times = [(await hear(ws))["data"]["o"]["T"] - T0 for _ in range(4)]
            played = await playing
    assert times == [0, 1, 2, 3]
    assert played == Played(rows=4, venues={"binance": 4}, long_usd=10.5, short_usd=31.5, unheard=0, skipped=1)


class NoSocket(RestOnlyServer):
    """A venue that has a history and nothing else."""

    name = "nosocket"
    ENDPOINTS = {"rest": "http://{at}"}  # noqa: RUF012

    def describe(self, symbol):
        name = name_of(symbol)
        return Listing(
            symbol=symbol,
            base=name.base,
            quote=name.quote,
            expiry="",
            inverse=False,
            size=Decimal(1),
        )

    def rest(self, _path, _query):
        return 200, [order.quantity for order in self.happened]


async def test_a_venue_without_a_socket_waits_for_nobody_and_tells_by_its_history():
    server = NoSocket(WallClock(), (), Faults())
    endpoints = await server.start("127.0.0.1")
    try:
        orders = [server.order(row(95_000.0 * n, T0 + n, venue="nosocket")) for n in (1, 2)]
        async with asyncio.timeout(2):
            assert await server.push(orders, wait=True) == orders
        assert server.told == 2
        assert await get(endpoints["rest"]) == (200, ["1", "2"])
        with pytest.raises(InvalidStatus, match="404"):
            await connect(endpoints["rest"].replace("http", "ws"))
        server.faults = Faults(hollow=True)
        assert await server.push(orders[:1], wait=False) == orders[:1]
        assert len(server.happened) == 3
    finally:
        await server.close()


async def test_rows_come_at_their_time_on_the_clock_and_one_venue_does_not_hold_up_another():
    clock = ScaledClock(T0, 60)
    tape = [row(venue="okx", at=T0), row(at=T0 + 12_000), row(at=T0 + 24_000)]
    venues = Market(["binance", "okx"], clock)
    async with venues as market, dialled(market.endpoints["binance"]["um"], binance(ORDERS)) as ws:
        playing = asyncio.create_task(market.play(tape))
        for at in (T0 + 12_000, T0 + 24_000):
            await hear(ws)
            assert at <= clock.now() < at + 10_000
        assert not playing.done()  # the order of the other venue still waits
        playing.cancel()


async def test_a_tape_may_have_no_end():
    def endless():
        at = T0
        while True:
            at += 10
            yield row(at=at)

    async with stage("binance") as market, dialled(market.endpoints["binance"]["um"], binance(ORDERS)) as ws:
        playing = asyncio.create_task(market.play(endless()))
        for _ in range(5):
            await hear(ws)
        playing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await playing


async def test_all_rows_can_go_to_one_venue():
    tape = [
        row(venue="binance"),
        row(venue="okx", at=T0 + 500, symbol="ETHUSDT"),
        row(venue="elsewhere", at=T0 + 900, symbol="SOL"),
    ]
    async with stage("okx", symbols=tape) as market, dialled(market.endpoints["okx"]["public"], okx("SWAP")) as ws:
        played = await market.play(tape, relabel=True)
        names = [(await hear(ws))["data"][0]["instId"] for _ in range(3)]
    assert names == ["BTC-USDT-SWAP", "ETH-USDT-SWAP", "SOL-USDT-SWAP"]
    assert (played.rows, played.skipped) == (3, 0)


async def test_a_contract_can_be_listed_late():
    late = row(venue="bybit", symbol="LATEUSDT")
    async with stage("bybit") as market, connect(market.endpoints["bybit"]["linear"]) as ws:
        assert (await ask(ws, bybit("allLiquidation.LATEUSDT")))["success"] is False
        market.list_symbol("bybit", "LATEUSDT")
        assert (await ask(ws, bybit("allLiquidation.LATEUSDT")))["success"] is True
        await market.play([late])
        assert (await hear(ws))["data"][0]["s"] == "LATEUSDT"
    async with stage("okx") as market:
        url = f"{market.endpoints['okx']['rest']}/api/v5/public/instruments?instType=SWAP&instId=LATE-USDT-SWAP"
        assert (await get(url))[1]["data"] == []
        market.list_symbol("okx", "LATEUSDT")
        assert len((await get(url))[1]["data"]) == 1


def test_old_tapes_are_moved_and_shortened_without_reordering():
    tape = [row(at=at) for at in (1000, 1000, 1500, 90_000, 90_001, 89_000)]
    moved = rebase(tape, 5000)
    assert [each.at for each in moved] == [5000, 5000, 5500, 94_000, 94_001, 93_000]
    assert [each.at for each in shorten(tape, 600)] == [1000, 1000, 1500, 2100, 2101, 1100]
    assert rebase([], 5000) == shorten([], 1) == []
    with pytest.raises(ValueError, match="max_gap_ms must be 1 or more, got 0"):
        shorten(tape, 0)


def test_a_tape_names_its_symbols():
    tape = [row(), row(symbol="ETHUSDT"), row(venue="okx"), row()]
    assert symbols_of(tape) == {"binance": ["BTCUSDT", "ETHUSDT"], "okx": ["BTCUSDT"]}
    assert symbols_of(tape, "bybit") == {"bybit": ["BTCUSDT", "ETHUSDT"]}


async def test_a_market_names_what_it_cannot_do():
    with pytest.raises(ValueError, match=f"no simulator for elsewhere; allowed are {', '.join(SERVERS)}"):
        Market(["okx", "elsewhere"], WallClock())
    async with stage(*SERVERS) as market:
        with pytest.raises(ValueError, match="relabel needs a single venue"):
            await market.play([], relabel=True)
        port = int(market.endpoints["okx"]["rest"].rpartition(":")[2])
        with pytest.raises(OSError, match=str(port)):
            async with stage("binance", "okx", ports={"okx": port}):
                pass


async def test_a_market_ends_at_once_and_leaves_no_task_behind():
    async with stage(*SERVERS) as market:
        urls = [
            market.endpoints["binance"]["um"],
            market.endpoints["bybit"]["linear"],
            market.endpoints["okx"]["public"],
        ]
        clients = [await connect(url) for url in urls]
        await asyncio.sleep(0.05)
        began = time.monotonic()
    assert time.monotonic() - began < 1
    for client in clients:
        await client.wait_closed()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_rude_client_harms_nobody():
    async with stage("binance") as market, dialled(market.endpoints["binance"]["um"], binance(ORDERS)) as ws:
        _, _, at = market.endpoints["binance"]["um_rest"].partition("//")
        host, _, port = at.partition(":")
        for noise in (b"\x16\x03\x01 what", b"GET /fapi/v1/exchangeInfo HTTP/1.1\r\n\r\n", b""):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(noise)
            writer.close()
            await writer.wait_closed()
        rude = await connect(market.endpoints["binance"]["um"])
        await rude.send(b"\xff\xfe")
        assert (await hear(rude))["code"] == 3
        rude.transport.abort()
        await rude.wait_closed()
        await market.play([row()])
        assert (await hear(ws))["data"]["o"]["T"] == T0
