"""Kraken Futures: products that are asked for and refused, trades that liquidate, and their replays."""

import json
from datetime import UTC, datetime

import httpx
import pytest

from service.model import Contract, DecodeError, FeedState, Instrument, Print, Side
from service.simulator import Faults
from service.venues import VENUES
from service.venues.base import Refused, Say, Spoilt, Subscribed, settle
from tests.test_feed_venues import listening, tape
from tests.test_venues import lines, metadata, prints, raw
from tests.toyvenue import until

VENUE = VENUES["kraken"]
SEEN = 1_791_565_600_000
LIQUIDATION = {
    "feed": "trade",
    "product_id": "PF_XBTUSD",
    "uid": "8a2be12f-7a3f-4f8f-a111-d1b5200ab1d0",
    "side": "sell",
    "type": "liquidation",
    "seq": 421135,
    "time": SEEN - 1_000,
    "qty": 0.5,
    "price": 83994.0,
}


def products(count):
    return [
        Instrument(venue="kraken", symbol=f"PF_COIN{n:03}USD", asset=f"COIN{n:03}", contract=Contract.LINEAR, size=1.0)
        for n in range(count)
    ]


def asking(count):
    """A session that has said hello, and what it asked: the heartbeat, then lists of products."""
    (plan,) = VENUE.plans(VENUE.endpoints, products(count))
    session = VENUE.session(plan)
    heartbeat, *asks = [json.loads(text) for text in session.hello(SEEN)]
    assert heartbeat == {"event": "subscribe", "feed": "heartbeat"}
    assert all((ask["event"], ask["feed"]) == ("subscribe", "trade") for ask in asks)
    return session, [ask["product_ids"] for ask in asks]


def ack(*names):
    return raw({"event": "subscribed", "feed": "trade", "product_ids": list(names)})


HEARTBEAT_ACK = '{"event":"subscribed","feed":"heartbeat"}'


def served(session, asks, answer):
    """Let a venue answer each request in turn, as `answer` has it; the events and how many requests it took."""
    events, count = list(session.decode(HEARTBEAT_ACK, SEEN)), 0
    asks = list(asks)
    while asks:
        count += 1
        for text in answer(asks.pop(0)):
            for event in session.decode(text, SEEN):
                if isinstance(event, Say):
                    asks.append(json.loads(event.text)["product_ids"])
                else:
                    events.append(event)
    return events, count


def test_products_are_asked_for_in_frames_of_a_hundred():
    _, asks = asking(250)
    assert [len(names) for names in asks] == [100, 100, 50]
    assert [name for names in asks for name in names] == [row.symbol for row in products(250)]
    assert VENUE.plans(VENUE.endpoints, ()) == ()


@pytest.mark.parametrize("answer", [lambda names: [ack(*names)], lambda names: [ack(name) for name in names]])
def test_it_is_subscribed_when_every_product_and_the_heartbeat_are_acked(answer):
    session, asks = asking(150)
    texts = [text for names in asks for text in answer(names)]
    assert [event for text in texts for event in session.decode(text, SEEN)] == []
    assert session.decode(HEARTBEAT_ACK, SEEN) == [Subscribed()]
    assert session.decode(HEARTBEAT_ACK, SEEN) == []


def test_an_ack_of_what_was_not_asked_accepts_nothing():
    session, (names,) = asking(2)
    session.decode(HEARTBEAT_ACK, SEEN)
    assert session.decode(ack("PF_OTHERUSD", names[0]), SEEN) == []
    assert session.decode(ack(names[1]), SEEN) == [Subscribed()]


@pytest.mark.parametrize("event", ["error", "alert"])
def test_a_refusal_that_names_nothing_is_halved_until_the_bad_product_stands_alone(event):
    session, asks = asking(150)
    bad = "PF_COIN031USD"
    refusal = raw({"event": event, "message": "Invalid product id"})
    events, count = served(session, asks, lambda names: [refusal] if bad in names else [ack(*names)])
    assert [type(each) for each in events] == [Refused, Subscribed]
    assert bad in events[0].reason
    assert not events[0].fatal
    assert count <= 2 + 14


@pytest.mark.parametrize("whole", [True, False])
def test_a_refusal_that_names_a_product_costs_that_product_alone(whole):
    """Whether the rest of such a request is accepted all the same is not documented."""
    session, asks = asking(150)
    bad = "PF_COIN120USD"
    alert = raw({"event": "alert", "message": f"Couldn't subscribe to invalid product `{bad}`"})

    def answer(names):
        good = [ack(name) for name in names if name != bad]
        return good if bad not in names else [alert] if whole else [*good[:9], alert, *good[9:]]

    events, count = served(session, asks, answer)
    assert [type(each) for each in events] == [Refused, Subscribed]
    assert bad in events[0].reason
    assert count == 3


def test_a_failed_subscription_that_lists_its_products_costs_those():
    session, asks = asking(3)
    failed = raw({"event": "subscribed_failed", "feed": "trade", "product_ids": asks[0][:2]})
    events, _ = served(session, asks, lambda names: [failed] if len(names) == 3 else [ack(*names)])
    assert [type(each) for each in events] == [Refused, Refused, Subscribed]


def test_refusing_every_product_is_fatal():
    session, asks = asking(3)
    events, _ = served(session, asks, lambda _names: ['{"event":"error","message":"Invalid feed"}'])
    assert [event.fatal for event in events] == [False, False, False, True]


def test_already_subscribed_is_believed_of_one_product_only():
    session, asks = asking(8)
    already = '{"event":"alert","message":"Already subscribed to feed, re-requesting"}'
    events, count = served(session, asks, lambda _names: [already])
    assert events == [Subscribed()]
    assert count == 15


def test_an_error_after_the_acceptance_ends_nothing():
    session, asks = asking(2)
    served(session, asks, lambda names: [ack(*names)])
    (event,) = session.decode('{"event":"error","message":"Json Error"}', SEEN)
    assert isinstance(event, Refused)
    assert not event.fatal


# --- trades -----------------------------------------------------------------------------------------------------------


def test_one_trade_has_one_id_live_replayed_and_in_the_history():
    (live,) = VENUE.session().decode(raw(LIQUIDATION), SEEN)
    snapshot = {"feed": "trade_snapshot", "product_id": "PF_XBTUSD", "trades": [LIQUIDATION]}
    (again,) = VENUE.session().decode(raw(snapshot), SEEN + 5)
    (past,) = history([LIQUIDATION])[0]
    assert live.id == again.id == past.id
    assert (live.side, live.price, live.quantity, live.at) == (past.side, past.price, past.quantity, past.at)


@pytest.mark.parametrize("kind", ["fill", "termination", "assignment", "block", "", "LIQUIDATION"])
def test_other_trades_are_no_liquidations(kind):
    snapshot = {"feed": "trade_snapshot", "product_id": "PF_XBTUSD", "trades": [LIQUIDATION | {"type": kind}]}
    assert list(VENUE.session().decode(raw(LIQUIDATION | {"type": kind}), SEEN)) == []
    assert list(VENUE.session().decode(raw(snapshot), SEEN)) == []
    assert history([LIQUIDATION | {"type": kind}])[0] == []


def test_a_replay_of_days_ago_is_left_out_and_kept_where_no_clock_is_known():
    old = LIQUIDATION | {"time": SEEN - 73 * 3_600_000}
    snapshot = raw({"feed": "trade_snapshot", "product_id": "PF_XBTUSD", "trades": [old]})
    assert list(VENUE.session().decode(snapshot, SEEN)) == []
    assert len(VENUE.session().decode(snapshot, 0)) == 1


def test_a_bad_replayed_time_is_told_and_not_taken_for_old():
    snapshot = {"feed": "trade_snapshot", "product_id": "PF_XBTUSD", "trades": [LIQUIDATION | {"time": 5}]}
    (event,) = VENUE.session().decode(raw(snapshot), SEEN)
    assert isinstance(event, Spoilt)


def test_the_price_plays_a_part_in_flexible_contracts_only():
    def worth(product, price):
        (order,) = VENUE.session().decode(raw(LIQUIDATION | {"product_id": product, "qty": 250, "price": price}), SEEN)
        return settle(order, metadata("kraken").get(product) or VENUE.implied(product)).usd

    assert [worth(product, 80_000) for product in ("PI_XBTUSD", "FI_XBTUSD_261225")] == [250, 250]
    assert [worth(product, 80_000) for product in ("PF_XBTUSD", "FF_XBTUSD_261225")] == [2e7, 2e7]


# --- metadata ---------------------------------------------------------------------------------------------------------


def test_metadata_takes_futures_that_trade_for_dollars():
    rows = metadata("kraken")
    assert set(rows) == {"PF_XBTUSD", "PF_DOGEUSD", "FF_XBTUSD_261225", "PI_XBTUSD", "FI_XBTUSD_261225", "PI_ETHUSD"}
    assert {symbol for symbol, row in rows.items() if row.contract is Contract.INVERSE} == {
        "PI_XBTUSD",
        "FI_XBTUSD_261225",
        "PI_ETHUSD",
    }
    assert {row.asset for row in rows.values()} == {"BTC", "DOGE", "ETH"}


def test_a_contract_size_multiplies_and_its_absence_is_not_guessed():
    row = {"symbol": "PF_XBTUSD", "type": "flexible_futures", "tradeable": True, "base": "XBT", "contractSize": 0.25}
    (found,) = VENUE.instruments(raw({"result": "success", "instruments": [row]}).encode())[0]
    assert (found.size, found.asset) == (0.25, "BTC")
    del row["contractSize"]
    with pytest.raises(DecodeError, match="contractSize"):
        VENUE.instruments(raw({"result": "success", "instruments": [row]}).encode())
    with pytest.raises(DecodeError, match="apiLimitExceeded"):
        VENUE.instruments(b'{"result":"error","error":"apiLimitExceeded","serverTime":"2026-09-25T17:54:01.754Z"}')


@pytest.mark.parametrize(
    ("symbol", "contract"),
    [
        ("PI_XBTUSD", Contract.INVERSE),
        ("FI_ETHUSD_210625", Contract.INVERSE),
        ("PF_XBTUSD", Contract.LINEAR),
        ("FF_XBTUSD_261225", Contract.LINEAR),
        ("PV_XRPXBT", None),
        ("FI_XRPXBT_210625", None),
        ("rr_xbtusd", None),
        ("in_xbtusd", None),
        ("", None),
    ],
)
def test_the_head_of_a_name_implies_the_contract(symbol, contract):
    implied = VENUE.implied(symbol)
    assert (implied.contract if implied else None) == contract
    assert implied is None or implied.asset in ("BTC", "ETH")


# --- history ----------------------------------------------------------------------------------------------------------


def text(at):
    return datetime.fromtimestamp(at / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def history(trades, since=SEEN - 60_000, inclusive=False):
    """What the history tells of PF_XBTUSD, from an endpoint that serves these trades; and the times asked for."""
    found, asked = [], []
    asks = list(VENUE.history.asks(VENUE.endpoints, [metadata("kraken")["PF_XBTUSD"]], since, SEEN))
    while asks:
        url = asks.pop()
        query = httpx.URL(url).params
        assert set(query) == {"symbol", "lastTime"}
        asked.append(query["lastTime"])
        before = round(datetime.fromisoformat(query["lastTime"]).timestamp() * 1_000) + inclusive
        shown = sorted((row for row in trades if row["time"] < before), key=lambda row: -row["time"])[:100]
        rows = [
            {"time": text(row["time"]), "trade_id": n, "price": row["price"], "size": row["qty"]}
            | {"side": row["side"], "type": row["type"], "uid": row["uid"]}
            for n, row in enumerate(shown)
        ]
        page = VENUE.history.read(
            url, raw({"result": "success", "history": rows, "serverTime": text(SEEN)}).encode(), SEEN
        )
        found += page.orders
        asks += page.more
    return found, asked


@pytest.mark.parametrize("inclusive", [True, False])
def test_equal_times_at_the_end_of_a_page_lose_nothing(inclusive):
    trades = [LIQUIDATION | {"uid": f"u{n}", "time": SEEN - 1 - n // 40 * 10} for n in range(450)]
    found, asked = history(trades, inclusive=inclusive)
    assert {order.id for order in found} == {history([row])[0][0].id for row in trades}
    assert asked == sorted(set(asked), reverse=True)


@pytest.mark.parametrize("inclusive", [True, False])
def test_more_trades_of_one_moment_than_a_page_holds_do_not_hold_it_up(inclusive):
    trades = [LIQUIDATION | {"uid": f"u{n}", "time": SEEN - 100 - n // 300 * 50} for n in range(600)]
    found, asked = history(trades, inclusive=inclusive)
    assert len({order.id for order in found}) >= 200
    assert asked == sorted(set(asked), reverse=True)


def test_paging_ends_where_the_window_begins():
    trades = [LIQUIDATION | {"uid": f"u{n}", "time": SEEN - 1_000 * n} for n in range(1_000)]
    _, asked = history(trades, since=SEEN - 250_000)
    assert len(asked) == 3


def test_every_product_is_asked_about():
    asks = VENUE.history.asks(VENUE.endpoints, products(3), SEEN - 1_000, SEEN)
    assert [httpx.URL(url).params["symbol"] for url in asks] == [row.symbol for row in products(3)]


@pytest.mark.parametrize("body", [b'{"result":"error","error":"nope"}', b"[]", b"{}", b"", b'{"result":"success"}'])
def test_a_history_of_another_shape_is_refused(body):
    (url,) = VENUE.history.asks(VENUE.endpoints, products(1), SEEN - 1_000, SEEN)
    with pytest.raises(DecodeError):
        VENUE.history.read(url, body, SEEN)


def test_a_liquidation_without_its_uid_is_refused_and_a_fill_needs_none():
    rows = [
        {"time": text(SEEN), "price": 1, "size": 1, "side": "buy", "type": kind} for kind in ("fill", "liquidation")
    ]
    (url,) = VENUE.history.asks(VENUE.endpoints, products(1), SEEN - 1_000, SEEN)
    page = VENUE.history.read(url, raw({"result": "success", "history": rows}).encode(), SEEN)
    assert [type(row) for row in page.orders] == [Spoilt]


# --- on the wire ------------------------------------------------------------------------------------------------------


async def test_trades_replayed_to_a_new_connection_are_the_same_orders():
    async with listening("kraken") as (market, heard):
        await until(lambda: heard.are(FeedState.LIVE))
        await market.play(tape("kraken", 9))
        await until(lambda: len(heard.orders) == 9)
        told = {order.id for order in heard.orders}
        market.servers["kraken"].live[0].abort()
        await until(lambda: len(heard.orders) == 18)
        assert {order.id for order in heard.orders} == told
        assert heard.bad == {}


async def test_a_product_the_venue_does_not_know_is_refused_loudly_and_the_others_are_heard():
    async with listening("kraken") as (market, heard):
        await until(lambda: heard.are(FeedState.LIVE))
        server = market.servers["kraken"]
        listings = [row for row in server.listings() if row.symbol != "PF_SOLUSD"]
        server.listings = lambda: listings
        server.live[0].abort()
        await until(lambda: next(iter(heard.lives.values()))[-2:] == [FeedState.DOWN, FeedState.LIVE])
        assert set(heard.bad) == {"refused"}
        await market.play([row for row in tape("kraken", 9) if row.symbol != "SOLUSDT"])
        await until(lambda: len({order.id for order in heard.orders}) == 6)


async def test_the_control_stream_proves_the_path_while_nothing_is_liquidated():
    async with listening("kraken", Faults(hollow=True)) as (market, heard):
        await until(lambda: heard.are(FeedState.LIVE))
        await market.play(tape("kraken", 6))
        assert heard.orders == []
        assert heard.are(FeedState.LIVE)


def test_fixtures_show_a_captured_liquidation():
    (order,) = prints(list(VENUE.session().decode(raw(lines("kraken")[0]["frame"]), SEEN)))
    assert isinstance(order, Print)
    assert order.side is Side.SHORT
