"""Metadata comes over real HTTP, survives restarts and broken files, and frees the orders that waited for it."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from service.clock import ScaledClock, WallClock
from service.instruments import Book, InstrumentsError, parking
from service.metrics import REGISTRY
from service.model import Contract, DecodeError, Instrument, Liquidation, Print, Side
from service.retry import WAIT_MOST_S
from service.venues import VENUES
from tests.stage import HandClock

NOW = 1_791_565_600_000
Answer = tuple[int, dict[str, str], bytes]


class Shop:
    """A venue's metadata host on a loopback port: answers are set by path, requests are kept."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer | str] = {}
        self.asked: list[str] = []
        self.url = ""

    def put(self, path: str, body: object, status: int = 200, **headers: str) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers[path] = (status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split(" ")[1]
        self.asked.append(path)
        answer = self.answers.get(path, (404, {}, b"no such page"))
        if not isinstance(answer, str):
            status, headers, body = answer
            lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", "connection: close"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            writer.write("\r\n".join([*lines, "", ""]).encode() + body)
            await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def opened() -> AsyncIterator[Shop]:
    shop = Shop()
    server = await asyncio.start_server(shop.serve, "127.0.0.1", 0)
    shop.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield shop
    finally:
        server.close()
        await server.wait_closed()


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with opened() as shop:
        yield shop


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


LINEAR = "/v5/market/instruments-info?category=linear&limit=1000"
INVERSE = "/v5/market/instruments-info?category=inverse&limit=1000"
SWAP = "/api/v5/public/instruments?instType=SWAP"
FUTURES = "/api/v5/public/instruments?instType=FUTURES"


def bybit_page(category: str, symbols: Sequence[str], cursor: str = "") -> dict[str, object]:
    rows = [
        {
            "symbol": symbol,
            "status": "Trading",
            "baseCoin": symbol[:-4],
            "quoteCoin": "USDT" if symbol[-1] == "T" else "USD",
        }
        for symbol in symbols
    ]
    return {"retCode": 0, "retMsg": "OK", "result": {"category": category, "list": rows, "nextPageCursor": cursor}}


def okx_page(**sizes: str) -> dict[str, object]:
    rows = [
        {
            "instId": f"{coin}-USDT-SWAP",
            "state": "live",
            "ctType": "linear",
            "ctVal": size,
            "ctMult": "1",
            "ctValCcy": coin,
        }
        for coin, size in sizes.items()
    ]
    return {"code": "0", "msg": "", "data": rows}


def bybit_book(shop: Shop, client: httpx.AsyncClient, cache: Path | None = None) -> Book:
    return Book(VENUES["bybit"], {"rest": shop.url}, cache, WallClock(), client)


def okx_book(shop: Shop, client: httpx.AsyncClient, speed: float = 1, cache: Path | None = None) -> Book:
    return Book(VENUES["okx"], {"rest": shop.url}, cache, ScaledClock(NOW, speed), client)


def order(coin: str, number: int = 0, **changes: object) -> Print:
    fields = {"venue": "okx", "symbol": f"{coin}-USDT-SWAP", "side": Side.LONG, "price": 2.0, "quantity": 3.0}
    return Print(**(fields | {"at": NOW + number, "seen": NOW + number, "id": f"{number:016x}"} | changes))  # type: ignore[arg-type]


def symbols(rows: Sequence[Instrument]) -> list[str]:
    return [row.symbol for row in rows]


def lost() -> float:
    return REGISTRY.get_sample_value("cascade_bad_frames_total", {"venue": "okx", "reason": "parked"}) or 0.0


def gauge(name: str, venue: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"venue": venue})


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  # the shop and the book set no events
            await asyncio.sleep(0.005)


# --- fetching ---------------------------------------------------------------------------------------------------------


async def test_every_page_of_every_catalogue_is_read(shop: Shop, client: httpx.AsyncClient) -> None:
    shop.put(LINEAR, bybit_page("linear", ["AAAUSDT", "BBBUSDT"], "first%3DAAAUSDT%26last%3DBBBUSDT"))
    second = f"{LINEAR}&cursor=first%253DAAAUSDT%2526last%253DBBBUSDT"
    shop.put(second, bybit_page("linear", ["CCCUSDT"], "again"))
    shop.put(f"{LINEAR}&cursor=again", bybit_page("linear", [], "again"))
    shop.put(INVERSE, bybit_page("inverse", ["BTCUSD"]))
    book = bybit_book(shop, client)
    await book.refresh()
    assert shop.asked == [LINEAR, second, f"{LINEAR}&cursor=again", INVERSE]
    assert symbols(book.listed) == ["AAAUSDT", "BBBUSDT", "CCCUSDT", "BTCUSD"]
    assert book.known["BTCUSD"].contract is Contract.INVERSE
    assert gauge("cascade_instruments_count", "bybit") == 4
    assert 0 <= (gauge("cascade_instruments_age_seconds", "bybit") or 0) < 60


async def test_a_catalogue_that_runs_in_a_circle_is_an_error(shop: Shop, client: httpx.AsyncClient) -> None:
    shop.put(LINEAR, bybit_page("linear", ["AAAUSDT"], "x"))
    shop.put(f"{LINEAR}&cursor=x", bybit_page("linear", ["BBBUSDT"], "y"))
    shop.put(f"{LINEAR}&cursor=y", bybit_page("linear", ["CCCUSDT"], "x"))
    with pytest.raises(InstrumentsError, match="in a circle at 'x'"):
        await bybit_book(shop, client).refresh()


async def test_a_catalogue_without_end_is_an_error(shop: Shop, client: httpx.AsyncClient) -> None:
    shop.put(LINEAR, bybit_page("linear", ["AAAUSDT"], "0"))
    for page in range(60):
        shop.put(f"{LINEAR}&cursor={page}", bybit_page("linear", [f"C{page}USDT"], str(page + 1)))
    with pytest.raises(InstrumentsError, match="more than 50 pages"):
        await bybit_book(shop, client).refresh()


@pytest.mark.parametrize(
    ("answer", "text", "wish"),
    [
        ((429, {"retry-after": "7"}, b"slow down"), "answered 429: 'slow down'", 7.0),
        ((418, {"retry-after": "120"}, b""), "answered 418", 120.0),
        ((503, {"retry-after": "Wed, 21 Oct 2099 07:28:00 GMT"}, b""), "answered 503", WAIT_MOST_S),
        ((503, {"retry-after": "soon"}, b""), "answered 503", None),
        ((451, {}, b"not where you live"), "not where you live", None),
        ((200, {}, b"<html>maintenance</html>"), "not what is documented", None),
        ((200, {}, b'{"retCode":10006,"retMsg":"Too many visits!","result":{}}'), "Too many visits", None),
        ((200, {}, b'{"retCode":0,"result":{"category":"linear","list":[]}}'), "lists no contract", None),
    ],
)
async def test_what_is_no_metadata_is_an_error_that_says_so(
    shop: Shop, client: httpx.AsyncClient, answer: Answer, text: str, wish: float | None
) -> None:
    shop.put(INVERSE, bybit_page("inverse", []))
    shop.answers[LINEAR] = answer
    with pytest.raises(InstrumentsError, match=text) as caught:
        await bybit_book(shop, client).refresh()
    assert caught.value.retry_after == wish


async def test_a_host_that_hangs_up_or_is_not_there_is_an_error(shop: Shop, client: httpx.AsyncClient) -> None:
    shop.answers[SWAP] = "hang up"
    with pytest.raises(InstrumentsError, match="did not answer"):
        await okx_book(shop, client).refresh()
    gone = Shop()
    gone.url = "http://127.0.0.1:1"
    with pytest.raises(InstrumentsError, match="did not answer"):
        await okx_book(gone, client).refresh()


async def test_an_error_leaves_the_book_as_it_was(shop: Shop, client: httpx.AsyncClient) -> None:
    shop.put(SWAP, okx_page(AAA="1"))
    shop.put(FUTURES, okx_page())
    book = okx_book(shop, client)
    await book.refresh()
    shop.put(SWAP, okx_page(BBB="1"))
    shop.put(FUTURES, b"", 500)
    with pytest.raises(InstrumentsError):
        await book.refresh()
    assert symbols(book.listed) == list(book.known) == ["AAA-USDT-SWAP"]


async def test_order_of_first_sight_is_kept_and_the_delisted_stay_known(shop: Shop, client: httpx.AsyncClient) -> None:
    shop.put(FUTURES, okx_page())
    shop.put(SWAP, okx_page(AAA="1", BBB="1", CCC="1"))
    book = okx_book(shop, client)
    await book.refresh()
    shop.put(SWAP, okx_page(DDD="1", CCC="5", AAA="1"))
    await book.refresh()
    assert symbols(book.listed) == ["AAA-USDT-SWAP", "CCC-USDT-SWAP", "DDD-USDT-SWAP"]
    assert book.known["CCC-USDT-SWAP"].size == 5.0
    assert book.settle(order("BBB")) is not None
    shop.put(SWAP, okx_page(BBB="1"))
    await book.refresh()
    assert symbols(book.listed) == ["BBB-USDT-SWAP"]


# --- cache ------------------------------------------------------------------------------------------------------------


async def test_the_cache_survives_a_restart(shop: Shop, client: httpx.AsyncClient, tmp_path: Path) -> None:
    cache = tmp_path / "deep" / "okx.json"
    shop.put(FUTURES, okx_page())
    shop.put(SWAP, okx_page(AAA="1", BBB="2"))
    first = okx_book(shop, client, cache=cache)
    first.load()
    await first.refresh()
    shop.put(SWAP, okx_page(CCC="3", BBB="2"))
    await first.refresh()
    second = okx_book(shop, client, cache=cache)
    second.load()
    assert dict(second.known) == dict(first.known)
    assert second.listed == first.listed
    assert symbols(second.listed) == ["BBB-USDT-SWAP", "CCC-USDT-SWAP"]
    assert [path.name for path in cache.parent.iterdir()] == ["okx.json"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"venue":"bybit","fetched_at":1,"known":[],"listed":[]}',
        b'{"venue":"okx","fetched_at":1,"known":[{"venue":"okx","symbol":"A","asset":"A","contract":"linear","size":0}],"listed":[]}',
    ],
    ids=lambda content: repr(content[:20]),
)
async def test_a_corrupt_cache_is_said_put_aside_and_replaced(
    shop: Shop, client: httpx.AsyncClient, tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    cache = tmp_path / "okx.json"
    cache.write_bytes(content)
    book = okx_book(shop, client, cache=cache)
    book.load()
    assert not book.known
    assert "okx.json.corrupt" in caplog.text
    assert (tmp_path / "okx.json.corrupt").read_bytes() == content
    shop.put(FUTURES, okx_page())
    shop.put(SWAP, okx_page(AAA="1"))
    await book.refresh()
    assert cache.exists()


async def test_a_disk_that_refuses_costs_a_warning_only(
    shop: Shop, client: httpx.AsyncClient, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "taken").write_text("a file where a folder should be")
    shop.put(FUTURES, okx_page())
    shop.put(SWAP, okx_page(AAA="1"))
    book = okx_book(shop, client, cache=tmp_path / "taken" / "okx.json")
    book.load()
    await book.refresh()
    assert len(book.known) == 1
    assert "cannot be written" in caplog.text


# --- orders -----------------------------------------------------------------------------------------------------------


async def test_an_order_is_settled_by_its_contract(shop: Shop, client: httpx.AsyncClient) -> None:
    shop.put(FUTURES, okx_page())
    shop.put(SWAP, okx_page(AAA="10"))
    book = okx_book(shop, client)
    await book.refresh()
    settled = book.settle(order("AAA"))
    assert settled is not None
    assert (settled.asset, settled.usd, settled.quantity) == ("AAA", 60.0, 30.0)


async def test_without_metadata_every_order_waits_even_one_whose_name_says_enough(client: httpx.AsyncClient) -> None:
    book = Book(VENUES["binance"], {}, None, WallClock(), client)
    assert book.settle(order("", venue="binance", symbol="1000PEPEUSDT")) is None
    assert book.settle(order("", venue="binance", symbol="BTCUSD_PERP", id="b")) is None
    assert book.parked == 2


async def test_an_order_of_insane_dollars_is_refused_and_not_parked(shop: Shop, client: httpx.AsyncClient) -> None:
    shop.put(FUTURES, okx_page())
    shop.put(SWAP, okx_page(AAA="10"))
    book = okx_book(shop, client)
    await book.refresh()
    with pytest.raises(DecodeError, match="USD"):
        book.settle(order("AAA", price=1e9, quantity=1e9))
    assert book.parked == 0


async def test_prices_of_old_metadata_value_no_order_until_it_is_fetched_anew(
    shop: Shop, client: httpx.AsyncClient
) -> None:
    """A Bitfinex trigger may carry no price; that of three hours ago is not what it was worth."""
    ticker = ["tBTCUSD", 1, 1, 1, 1, 1, 1, 98_000.0, 1, 1, 1]
    shop.put("/v2/tickers?symbols=ALL", [ticker])
    clock = HandClock()
    book = Book(VENUES["bitfinex"], {"rest": shop.url}, None, clock, client)
    await book.refresh()
    bare = order("", venue="bitfinex", symbol="tBTCUSD", price=None, quantity=2.0)
    priced = order("", 1, venue="bitfinex", symbol="tBTCUSD", price=97_000.0, quantity=2.0)

    told = book.settle(bare)
    assert told is not None
    assert (told.usd, told.price) == (196_000.0, None)
    clock.moment += 3 * 3_600_000
    assert book.settle(bare) is None
    assert book.settle(priced) is not None
    assert book.parked == 1
    await book.refresh()
    assert book.settle(bare) is not None


async def test_a_fresh_mark_values_an_order_that_tells_no_price(shop: Shop, client: httpx.AsyncClient) -> None:
    ticker = ["tBTCUSD", 1, 1, 1, 1, 1, 1, 98_000.0, 1, 1, 1]
    shop.put("/v2/tickers?symbols=ALL", [ticker])
    clock = HandClock()
    book = Book(VENUES["bitfinex"], {"rest": shop.url}, None, clock, client)
    await book.refresh()
    book.marked = lambda instrument: 95_000.0 if instrument.symbol == "tBTCUSD" else None
    clock.moment += 3 * 3_600_000

    bare = book.settle(order("", venue="bitfinex", symbol="tBTCUSD", price=None, quantity=2.0))
    priced = book.settle(order("", 1, venue="bitfinex", symbol="tBTCUSD", price=97_000.0, quantity=2.0))
    assert bare is not None
    assert priced is not None
    assert (bare.usd, bare.price, priced.usd) == (190_000.0, None, 194_000.0)


async def test_an_absurd_mark_values_no_order(shop: Shop, client: httpx.AsyncClient) -> None:
    ticker = ["tBTCUSD", 1, 1, 1, 1, 1, 1, 98_000.0, 1, 1, 1]
    shop.put("/v2/tickers?symbols=ALL", [ticker])
    book = Book(VENUES["bitfinex"], {"rest": shop.url}, None, HandClock(), client)
    await book.refresh()
    book.marked = lambda _instrument: 9e9
    told = book.settle(order("", venue="bitfinex", symbol="tBTCUSD", price=None, quantity=2.0))
    assert told is not None
    assert told.usd == 196_000.0, "the metadata's own price"


async def test_parking_keeps_each_order_once_and_drops_the_oldest_when_full(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(parking, "MOST", 3)
    book = Book(VENUES["okx"], {}, None, WallClock(), client)
    for number in (0, 1, 2, 2, 1):
        assert book.settle(order("NEW", number)) is None
    assert (book.parked, book.dropped) == (3, 0)
    book.settle(order("NEW", 3))
    book.settle(order("NEW", 4))
    assert (book.parked, book.dropped) == (3, 2)
    assert gauge("cascade_parked_orders", "okx") == 3
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.ERROR]


async def test_parked_orders_survive_a_stop(
    shop: Shop, client: httpx.AsyncClient, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    cache = tmp_path / "deep" / "okx.json"
    first = okx_book(shop, client, cache=cache)
    first.load()
    waiting = [order("NEW", number) for number in range(3)]
    assert [first.settle(row) for row in waiting] == [None] * 3
    first.close()
    assert "okx: 3 parked orders are kept" in caplog.text
    assert [path.name for path in cache.parent.iterdir()] == ["okx.json.parked"]

    shop.put(FUTURES, okx_page())
    shop.put(SWAP, okx_page(NEW="10"))
    second = okx_book(shop, client, cache=cache)
    async with kept(second) as street:
        await until(lambda: street.freed)
    assert [(row.id, row.usd) for row in street.freed] == [(row.id, 60.0) for row in waiting]
    assert [path.name for path in cache.parent.iterdir()] == ["okx.json"], "or a crash would hand them over again"


async def test_a_book_that_was_never_loaded_does_not_overwrite_what_waits(
    shop: Shop, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    books = [okx_book(shop, client, cache=tmp_path / "okx.json") for _ in range(3)]
    for number, book in enumerate(books[:2]):
        book.settle(order("NEW", number))
        book.close()
    books[2].load()
    assert books[2].parked == 2


@pytest.mark.parametrize("content", [b"{", b"[" * 100_000, b'{"venue":"bybit","orders":[]}'])
async def test_a_corrupt_file_of_parked_orders_is_put_aside(
    shop: Shop, client: httpx.AsyncClient, tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    (tmp_path / "okx.json.parked").write_bytes(content)
    book = okx_book(shop, client, cache=tmp_path / "okx.json")
    book.load()
    assert book.parked == 0
    assert (tmp_path / "okx.json.parked.corrupt").read_bytes() == content
    assert "okx.json.parked.corrupt" in caplog.text


@pytest.mark.parametrize("cache", [None, "taken/okx.json"])
async def test_parked_orders_that_cannot_be_kept_are_counted_and_said(
    shop: Shop, client: httpx.AsyncClient, tmp_path: Path, caplog: pytest.LogCaptureFixture, cache: str | None
) -> None:
    (tmp_path / "taken").write_text("a file where a folder should be")
    before = lost()
    book = okx_book(shop, client, cache=tmp_path / cache if cache else None)
    book.load()
    book.settle(order("NEW", 1))
    book.settle(order("NEW", 2))
    book.close()
    assert lost() == before + 2
    assert "okx: 2 orders of unknown contracts are lost at the stop" in caplog.text


# --- keeping ----------------------------------------------------------------------------------------------------------


class Street:
    """What a book tells the rest of the house."""

    def __init__(self) -> None:
        self.listings: list[list[str]] = []
        self.freed: list[Liquidation] = []

    async def changed(self, listed: Sequence[Instrument]) -> None:
        self.listings.append(symbols(listed))

    async def release(self, orders: list[Liquidation]) -> None:
        self.freed += orders


@asynccontextmanager
async def kept(book: Book) -> AsyncIterator[Street]:
    street = Street()
    task = asyncio.create_task(book.run(street.changed, street.release))
    try:
        yield street
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_an_unknown_contract_is_parked_and_freed_by_the_next_early_refresh(
    shop: Shop, client: httpx.AsyncClient
) -> None:
    shop.put(FUTURES, okx_page())
    shop.put(SWAP, okx_page(AAA="1"))
    book = okx_book(shop, client, speed=600)  # a minute is 0.1 s
    async with kept(book) as street:
        await until(lambda: street.listings == [["AAA-USDT-SWAP"]])
        assert [book.settle(order("NEW", number)) for number in range(3)] == [None] * 3
        assert (book.parked, gauge("cascade_parked_orders", "okx")) == (3, 3)
        shop.put(SWAP, okx_page(AAA="1", NEW="10"))
        await until(lambda: street.freed)
    assert [row.usd for row in street.freed] == [60.0, 60.0, 60.0]
    assert [row.id for row in street.freed] == [order("NEW", number).id for number in range(3)]
    assert (book.parked, gauge("cascade_parked_orders", "okx")) == (0, 0)
    assert street.listings[-1] == ["AAA-USDT-SWAP", "NEW-USDT-SWAP"]


async def test_orders_that_were_not_handed_over_before_a_stop_still_wait(
    shop: Shop, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    shop.put(FUTURES, okx_page())
    shop.put(SWAP, okx_page(NEW="10"))
    queue: asyncio.Queue[Liquidation] = asyncio.Queue(1)

    async def changed(_: Sequence[Instrument]) -> None:
        return

    async def release(orders: list[Liquidation]) -> None:
        for row in orders:
            await queue.put(row)

    book = okx_book(shop, client, cache=tmp_path / "okx.json")
    for number in range(3):
        book.settle(order("NEW", number))
    task = asyncio.create_task(book.run(changed, release))
    await until(queue.full)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    book.close()

    again = okx_book(shop, client, cache=tmp_path / "okx.json")
    again.load()
    assert again.parked == 3, "the one handed over comes again under its own id"


async def test_an_order_nobody_explains_stays_parked_and_is_asked_for_ever_more_rarely(
    shop: Shop, client: httpx.AsyncClient
) -> None:
    shop.put(FUTURES, okx_page())
    shop.put(SWAP, okx_page(AAA="1"))
    book = okx_book(shop, client, speed=6000)  # a minute is 10 ms, an hour 0.6 s
    async with kept(book) as street:
        await until(lambda: street.listings)
        assert book.settle(order("NEW")) is None
        await asyncio.sleep(0.5)
    assert (book.parked, street.freed) == (1, [])
    assert len(street.listings) == 1
    assert 3 <= shop.asked.count(SWAP) <= 8


async def test_the_book_is_refreshed_every_hour_and_tells_only_what_changed(
    shop: Shop, client: httpx.AsyncClient
) -> None:
    shop.put(FUTURES, okx_page())
    shop.put(SWAP, okx_page(AAA="1"))
    async with kept(okx_book(shop, client, speed=36_000)) as street:  # an hour is 0.1 s
        started = asyncio.get_running_loop().time()
        await until(lambda: shop.asked.count(SWAP) == 4)
        assert 0.25 < asyncio.get_running_loop().time() - started < 2
        assert street.listings == [["AAA-USDT-SWAP"]]
        shop.put(SWAP, okx_page(BBB="1"))
        await until(lambda: len(street.listings) == 2)
    assert street.listings[1] == ["BBB-USDT-SWAP"]


async def test_the_cached_listing_is_told_before_the_venue_answers(
    shop: Shop, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    shop.put(FUTURES, okx_page())
    shop.put(SWAP, okx_page(AAA="1"))
    await okx_book(shop, client, cache=tmp_path / "okx.json").refresh()
    shop.put(SWAP, b"", 500)
    async with kept(okx_book(shop, client, cache=tmp_path / "okx.json")) as street:
        await until(lambda: street.listings)
    assert street.listings == [["AAA-USDT-SWAP"]]


async def test_an_error_is_tried_again_with_patience(
    shop: Shop, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    shop.put(FUTURES, okx_page())
    shop.put(SWAP, b"", 500)
    async with kept(okx_book(shop, client, speed=500)) as street:  # 5 s are 10 ms
        await until(lambda: len(shop.asked) == 3)
        assert street.listings == []
        shop.put(SWAP, okx_page(AAA="1"))
        await until(lambda: street.listings)
    assert [record.levelno for record in caplog.records if record.name == "cascade.instruments"][:3] == [30, 30, 30]


async def test_the_wish_of_the_venue_is_honoured(shop: Shop, client: httpx.AsyncClient) -> None:
    shop.put(FUTURES, okx_page())
    shop.put(SWAP, b"", 429, retry_after="300")
    async with kept(okx_book(shop, client, speed=1000)):  # 300 s are 0.3 s
        await until(lambda: shop.asked == [SWAP])
        await asyncio.sleep(0.2)
        assert shop.asked == [SWAP]
        await until(lambda: len(shop.asked) == 2)
