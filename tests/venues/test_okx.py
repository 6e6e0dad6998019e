"""OKX's history: what its pages are asked for, and what is believed of them."""

import json
from pathlib import Path

import pytest

from service.model import DecodeError, Print, Side
from service.venues import VENUES
from service.venues.base import Spoilt, query_of

OKX = VENUES["okx"]
HISTORY = OKX.history
BODIES = Path(__file__).parents[1] / "fixtures" / "instruments"
NOW = 1_791_600_000_000
WHERE = {"rest": "https://h"}


def row(at: int, **more: str) -> dict[str, str]:
    named = {"bkLoss": "0", "bkPx": "82655.7", "ccy": "", "posSide": "long", "side": "sell", "sz": "8.55"}
    return {**named, "ts": str(at), **more}


def page(*rows: dict[str, str], name: str = "BTC-USDT-SWAP", tail: tuple[object, ...] = ()) -> bytes:
    item = {"instId": name, "instFamily": "BTC-USDT", "instType": "SWAP", "totalLoss": "0", "details": list(rows)}
    return json.dumps({"code": "0", "msg": "", "data": [item, *tail] if rows else []}).encode()


def first(since: int = NOW - 60_000, until: int = NOW) -> str:
    known = [row for file in ("okx_swap.json",) for row in OKX.instruments((BODIES / file).read_bytes())[0]]
    return HISTORY.asks(WHERE, known[:1], since, until)[0]


def test_every_family_is_asked_for_once_a_kind() -> None:
    bodies = [(BODIES / f"okx_{kind}.json").read_bytes() for kind in ("swap", "futures")]
    known = [row for body in bodies for row in OKX.instruments(body)[0]]
    asked = [query_of(url.partition("#")[0]) for url in HISTORY.asks(WHERE, known, NOW - 1, NOW)]
    pairs = [(query["instType"], query["instFamily"]) for query in asked]
    assert len(set(pairs)) == len(pairs)
    assert {("SWAP", "BTC-USDT"), ("SWAP", "BTC-USD"), ("FUTURES", "BTC-USD"), ("FUTURES", "BTC-USD_UM")} <= set(pairs)
    assert all(query["state"] == "filled" and query["after"] == str(NOW + 1) for query in asked)


def test_a_row_of_the_history_is_the_row_of_the_socket() -> None:
    (order,) = HISTORY.read(first(), page(row(NOW - 5, posSide="net", side="buy")), NOW).orders
    frame = {
        "arg": {"channel": "liquidation-orders", "instType": "SWAP"},
        "data": json.loads(page(row(NOW - 5, posSide="net", side="buy")))["data"],
    }
    (live,) = OKX.session().decode(json.dumps(frame), NOW)
    assert isinstance(order, Print)
    assert order == live
    assert order.side is Side.SHORT


def test_the_walk_ends_at_since_at_an_empty_page_and_where_the_venue_does_not_move() -> None:
    since = NOW - 60_000
    url = first(since)
    assert HISTORY.read(url, page(row(NOW - 5), row(since - 1)), NOW).more == ()
    assert HISTORY.read(url, page(), NOW).more == ()
    body, pages = page(row(NOW - 5), row(NOW - 9)), 0
    while more := HISTORY.read(url, body, NOW).more:  # the same answer again and again
        (url,) = more
        pages += 1
        assert pages < 5
    assert query_of(url.partition("#")[0])["after"] == str(NOW - 9)


def test_rows_of_one_millisecond_are_not_lost_over_the_edge_of_a_page() -> None:
    """A venue with 250 rows, 130 of them at one moment, told 100 at a time, strictly older than `after`."""
    times = [NOW - n for n in range(60)] + [NOW - 60] * 90 + [NOW - 100 - n for n in range(100)]
    rows = [row(at, sz=str(n + 1)) for n, at in enumerate(times)]
    url, found = first(NOW - 1_000), set()
    for _ in range(20):
        after = int(query_of(url.partition("#")[0])["after"])
        told = [one for one in rows if int(one["ts"]) < after][:100]
        answer = HISTORY.read(url, page(*told), NOW)
        found |= {order.quantity for order in answer.orders}
        if not answer.more:
            break
        (url,) = answer.more
    assert found == {n + 1 for n in range(250)}


def test_a_page_of_many_shards_is_trusted_only_as_far_as_its_limit() -> None:
    """1,600 rows at limit=100 were seen: of every shard its last hundred, so that the oldest rows have holes."""
    answer = HISTORY.read(first(NOW - 10**7), page(*(row(NOW - n * 1_000) for n in range(1_600))), NOW)
    assert query_of(answer.more[0].partition("#")[0])["after"] == str(NOW - 99_000 + 1)


def test_an_item_told_before_is_a_reference_without_rows() -> None:
    answer = HISTORY.read(first(), page(row(NOW - 5), tail=({"$ref": "$.data[0]"},)), NOW)
    assert len(answer.orders) == 1


def test_a_bad_row_of_the_history_costs_itself() -> None:
    good, bad = HISTORY.read(first(), page(row(NOW - 5), row(NOW - 6, sz="0")), NOW).orders
    assert isinstance(good, Print)
    assert isinstance(bad, Spoilt)
    assert bad.detail.startswith("row 2: ")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"code":"50011","msg":"Too Many Requests"}', b'{"code":"0","data":1}']
)
def test_an_answer_that_is_no_page_is_refused(body: bytes) -> None:
    with pytest.raises(DecodeError):
        HISTORY.read(first(), body, NOW)


def test_what_the_walk_remembers_is_not_sent() -> None:
    url = first(123)
    assert url.endswith("#123")
    assert "123" not in url.partition("#")[0].partition("?")[2].replace(str(NOW + 1), "")
