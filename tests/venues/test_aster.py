"""Aster: Binance's old dialect under another name, and what differs."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from service.clock import ScaledClock
from service.model import Completeness, Print, Side
from service.simulator import Market
from service.tape import Row
from service.venues import VENUES
from service.venues.base import Refused, Subscribed
from tests.toyvenue import ORIGIN

ASTER, BINANCE = VENUES["aster"], VENUES["binance"]
FIXTURES = Path(__file__).parents[1] / "fixtures"
BODY = (FIXTURES / "instruments" / "aster.json").read_bytes()
ORDERS, MARKS = "!forceOrder@arr", "!markPrice@arr@1s"


def frames(name: str) -> list[dict]:
    return [json.loads(line) for line in (FIXTURES / "venues" / f"{name}.jsonl").read_text().splitlines()[1:]]


def test_one_socket_carries_orders_and_marks() -> None:
    (plan,) = ASTER.plans(ASTER.endpoints, ())
    assert plan.url == "wss://fstream.asterdex.com/stream"
    assert plan.topics == (ORDERS, MARKS)
    assert plan.lifetime_s < 24 * 3600
    assert plan.hello_gap_s > 0.1  # 10 messages a second
    session = ASTER.session(plan)
    assert [json.loads(text)["params"] for text in session.hello(0)] == [[ORDERS], [MARKS]]
    assert session.decode('{"result":null,"id":1}', 0) == ()
    assert session.decode('{"result":null,"id":2}', 0) == (Subscribed(),)


def test_an_order_of_aster_is_not_one_of_binance() -> None:
    """The dialects are one; whose order it is decides where it is counted, and ids are looked up per venue."""
    frame = json.dumps(frames("aster")[0]["frame"])
    (ours,), (theirs,) = ASTER.session().decode(frame, 5), BINANCE.session().decode(frame, 5)
    assert isinstance(ours, Print)
    assert (ours.venue, theirs.venue) == ("aster", "binance")
    assert ours.side is theirs.side is Side.LONG


def test_a_refusal_names_aster() -> None:
    (event,) = ASTER.session().decode('{"code":2,"msg":"Invalid"}', 0)
    assert event == Refused(reason="aster answered 2: Invalid")


def test_it_is_sampled_and_has_no_history() -> None:
    assert ASTER.completeness(ORIGIN) is Completeness.SAMPLED
    assert ASTER.history is None


def test_stocks_are_their_own_assets_and_what_is_not_quoted_in_dollars_is_left_out() -> None:
    known = {row.symbol: row.asset for row in ASTER.instruments(BODY)[0]}
    wanted = {"BTCUSDT": "BTC", "TSLAUSDT": "TSLA", "SNDKUSD1": "SNDK", "1000PEPEUSDT": "PEPE", "NEWUSDT": "NEW"}
    assert wanted.items() <= known.items()
    assert "ASTERBTC" not in known


@pytest.mark.parametrize(("symbol", "asset"), [("SNDKUSD1", "SNDK"), ("1000PEPEUSDT", "PEPE"), ("ASTERBTC", None)])
def test_a_name_tells_its_contract(symbol: str, asset: str | None) -> None:
    implied = ASTER.implied(symbol)
    assert (implied.asset if implied else None) == asset


# --- the local server -------------------------------------------------------------------------------------------------


def stage() -> Market:
    return Market(["aster"], ScaledClock(ORIGIN, 60), symbols={"aster": ["BTCUSDT", "ETHUSD_PERP"]})


async def test_the_local_server_speaks_the_page() -> None:
    async with stage() as market, connect(market.endpoints["aster"]["public"]) as ws:
        await ws.send(json.dumps({"method": "SUBSCRIBE", "params": [ORDERS], "id": 3}))
        assert json.loads(await ws.recv()) == {"result": None, "id": 3}
        order = Row(at=ORIGIN, venue="aster", symbol="BTCUSDT", side=Side.SHORT, usd=1_234.5)
        await market.play([order])
        frame = json.loads(await asyncio.wait_for(ws.recv(), 5))
        assert frame["stream"] == ORDERS
        assert set(frame["data"]) == {"e", "E", "o"}, "no ps and no st, as before Binance had them"
        assert (frame["data"]["o"]["S"], frame["data"]["o"]["s"]) == ("BUY", "BTCUSDT")
        with pytest.raises(InvalidStatus):
            await connect(market.endpoints["aster"]["public"].replace("/stream", "/market/stream"))


async def test_the_local_server_keeps_the_limits() -> None:
    async with stage() as market, connect(market.endpoints["aster"]["public"]) as ws:
        await ws.send(json.dumps({"method": "SUBSCRIBE", "params": [f"c{n}@trade" for n in range(201)], "id": 1}))
        assert json.loads(await ws.recv())["code"] == 2
        with pytest.raises(ConnectionClosed, match="Too many requests"):  # noqa: PT012
            for number in range(11):
                await ws.send(json.dumps({"method": "SUBSCRIBE", "params": [ORDERS], "id": number}))
                await ws.recv()


async def test_both_versions_of_the_metadata_are_there() -> None:
    async with stage() as market, httpx.AsyncClient() as client:
        rest = market.endpoints["aster"]["rest"]
        bodies = [(await client.get(f"{rest}/fapi/{version}/exchangeInfo")).content for version in ("v1", "v3")]
    assert all({"BTCUSDT", "ETHUSDT"} <= {row.symbol for row in ASTER.instruments(body)[0]} for body in bodies)
