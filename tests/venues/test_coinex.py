"""CoinEx: no socket, a market at a time, positions and not orders, contracts of a dollar, a venue that has closed."""

import httpx
import pytest

from service.clock import ScaledClock
from service.instruments.source import Source
from service.model import HOUR, SECOND, Completeness, Contract, DecodeError, Print, Side, to_units
from service.simulator import Market
from service.tape import Row
from service.venues import VENUES
from service.venues.base import Spoilt, query_of, settle
from tests.test_venues import lines, metadata, raw
from tests.toyvenue import ORIGIN

VENUE = VENUES["coinex"]
HISTORY = VENUE.history
SEEN = 1_790_000_000_000
URL = "https://api.coinex.com/v2/futures/liquidation-history?market=BTCUSDT&start_time=1&end_time=2&page=1&limit=100"


def told(market="BTCUSDT", side="long", price="80000", amount="0.5", at=SEEN, **more):
    return {"market": market, "side": side, "liq_price": price, "liq_amount": amount, "created_at": at, **more}


def page(*rows, url=URL, **more):
    return HISTORY.read(url, raw({"code": 0, "data": list(rows), "message": "OK", **more}).encode(), SEEN)


def test_the_price_is_the_one_of_the_take_over_and_neither_spelling_of_the_other_is_read():
    for other in ({"bkr_price": "79800"}, {"brk_price": "79800"}, {}):
        (order,) = page(told(**other)).orders
        assert settle(order, metadata("coinex")["BTCUSDT"]).usd == 40_000


def test_the_blank_before_a_market_is_no_part_of_its_name():
    assert page(told(" BTCUSDT")).orders == page(told("BTCUSDT")).orders
    assert page(told(" BTCUSDT")).orders[0].symbol == "BTCUSDT"


def test_an_inverse_contract_is_a_dollar_and_needs_no_price():
    rows = metadata("coinex")
    assert (rows["BTCUSD"].contract, rows["BTCUSDC"].contract) == (Contract.INVERSE, Contract.LINEAR)
    (order,) = page(told("BTCUSD", "short", amount="2500")).orders
    found = settle(order, rows["BTCUSD"])
    assert (found.usd, found.side) == (2500, Side.SHORT)


def test_a_market_that_is_not_open_is_listed_and_one_without_dollars_is_not():
    assert set(metadata("coinex")) == {"BTCUSDT", "LATUSDT", "BTCUSDC", "BTCUSD"}


def test_it_has_closed_and_is_asked_only_by_name():
    assert not VENUE.by_default
    assert "2026-09-22" in VENUE.about
    assert VENUE.plans(VENUE.endpoints, list(metadata("coinex").values())) == ()
    assert VENUE.completeness(SEEN) is Completeness.PARTIAL


def test_a_round_of_every_market_fits_into_its_turn_far_below_the_limit():
    assert HISTORY.poll_s >= 30
    assert HISTORY.gap_s >= 10 / 400
    assert 2 * 221 * HISTORY.gap_s < HISTORY.poll_s


def test_every_market_is_asked_from_a_whole_second():
    asks = HISTORY.asks(VENUE.endpoints, list(metadata("coinex").values()), 1_691_482_451_999, SEEN)
    assert [query_of(url)["market"] for url in asks] == ["BTCUSDT", "LATUSDT", "BTCUSDC", "BTCUSD"]
    assert {(query_of(url)["start_time"], query_of(url)["end_time"]) for url in asks} == {("1691482451000", str(SEEN))}


def test_a_page_leads_to_the_next_only_where_there_is_one():
    (more,) = page(told(), pagination={"has_next": True}).more
    assert more == URL.replace("page=1", "page=2")
    assert page(told(), url=more, pagination={"has_next": True}).more == (URL.replace("page=1", "page=3"),)
    for last in ({"pagination": {"has_next": False}}, {"pagination": None}, {"pagination": {}}, {}):
        assert page(told(), **last).more == ()


def test_equal_rows_of_one_page_are_two_orders_and_the_page_again_is_the_same_two():
    first, second = page(told(), told()).orders, page(told(), told(), told(at=SEEN + 1)).orders
    assert len({row.id for row in first}) == 2
    assert [row.id for row in first] == [row.id for row in second][:2]


def test_a_bad_row_costs_itself_and_an_error_the_page():
    orders = page(told(), told(side="sell"), told(price="")).orders
    assert [type(row) for row in orders] == [Print, Spoilt, Spoilt]
    for body in (b'{"code":4004,"data":{},"message":"invalid argument"}', b'{"code":0,"data":{}}', b"[]", b""):
        with pytest.raises(DecodeError):
            HISTORY.read(URL, body, SEEN)
        with pytest.raises(DecodeError):
            VENUE.session().decode(body, SEEN)


def test_a_recorded_answer_decodes_like_a_page_of_the_history():
    frame = lines("coinex")[0]["frame"]
    session = VENUE.session()
    assert session.hello(SEEN) == ()
    assert tuple(session.decode(raw(frame), SEEN)) == HISTORY.read(URL, raw(frame).encode(), SEEN).orders


async def test_the_local_venue_is_read_to_its_last_page_blanks_and_all():
    clock = ScaledClock(ORIGIN + HOUR, 1)
    rows = [
        Row(at=ORIGIN + n * SECOND, venue="coinex", symbol=symbol, side=Side.SHORT, usd=100.5 + n)
        for n in range(230)
        for symbol in ("BTCUSDT", "BTCUSD")
    ]
    async with Market(["coinex"], clock) as market, httpx.AsyncClient() as client:
        market.servers["coinex"].blank = True
        endpoints = market.endpoints["coinex"]
        book = await Source(VENUE, endpoints, clock, client).fetch()
        played = await market.play(rows)
        assert (played.rows, played.unheard) == (460, 0)
        asks = list(HISTORY.asks(endpoints, list(book.values()), ORIGIN + 10 * SECOND, ORIGIN + 219 * SECOND))
        assert len(asks) == len(book) >= 60
        found, asked = {}, 0
        while asks:
            url, asked = asks.pop(), asked + 1
            answer = HISTORY.read(url, (await client.get(url)).content, SEEN)
            found |= {order.id: settle(order, book[order.symbol]) for order in answer.orders}
            asks += answer.more
        assert asked == len(book) + 4
        assert len(found) == 2 * 210
        assert sum(to_units(one.usd) for one in found.values()) == 2 * sum(to_units(100.5 + n) for n in range(10, 220))
        unknown = await client.get(f"{endpoints['rest']}/futures/liquidation-history?market=NOPE")
        assert (unknown.status_code, unknown.json()["code"]) == (200, 4004)
        assert (
            len((await client.get(f"{endpoints['rest']}/futures/liquidation-history?market=BTCUSD")).json()["data"])
            == 10
        )
