"""What the log may say of metadata and of orders that wait: no secret, and no line for each of many symbols."""

import asyncio
import logging

import httpx
import pytest

from service.clock import ScaledClock, WallClock
from service.instruments import Book, InstrumentsError
from service.instruments.parking import Parking
from service.model import Print, Side
from service.venues import VENUES

NOW = 1_791_565_600_000
SECRET = "TOPKEY"


def order(symbol: str) -> Print:
    return Print(
        venue="okx", symbol=symbol, side=Side.LONG, price=1.0, quantity=1.0, at=NOW, seen=NOW, id=f"id of {symbol}"
    )


@pytest.mark.parametrize(
    "rest",
    [
        "http://user:TOPKEY@127.0.0.1:1/x?k=TOPKEY",
        "http://TOPKEY@127.0.0.1:1#TOPKEY",
        "http://user:TOPKEY/TOPKEY@127.0.0.1:1",
        "http://user:TOPKEY?TOPKEY@127.0.0.1:1",
        "http://[TOPKEY@127.0.0.1:1?TOPKEY",
        "nothing://TOPKEY@127.0.0.1?TOPKEY",
    ],
)
async def test_no_secret_of_an_address_is_said(rest: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with httpx.AsyncClient() as client:
        book = Book(VENUES["okx"], {"rest": rest}, None, ScaledClock(NOW, 60), client)
        with pytest.raises(InstrumentsError) as raised:
            await book.refresh()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await book.run(changed=_nothing, release=_nothing)
    assert SECRET not in f"{raised.value!r} {raised.value}"
    assert "next try in" in caplog.text
    assert not [record for record in caplog.records if SECRET in record.getMessage()]


@pytest.mark.parametrize(("status", "body"), [(500, b"no"), (200, b"no metadata")])
async def test_no_secret_is_said_of_a_host_that_answers_amiss(
    status: int, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 %d X\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s" % (status, len(body), body))
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, httpx.AsyncClient() as client:
        rest = f"http://user:{SECRET}@127.0.0.1:{port}/x?k={SECRET}"
        with pytest.raises(InstrumentsError, match=rf"http://\*\*\*@127.0.0.1:{port}/x\?\*\*\* ") as raised:
            await Book(VENUES["okx"], {"rest": rest}, None, WallClock(), client).refresh()
    assert SECRET not in str(raised.value)
    assert not [record for record in caplog.records if SECRET in record.getMessage()]


async def _nothing(_items: object) -> None:
    """Takes what the book hands on."""


def test_many_unknown_symbols_make_a_few_lines(caplog: pytest.LogCaptureFixture) -> None:
    parking = Parking("okx")
    for number in range(300):
        for _ in range(2):
            parking.park(order(f"NEW{number}-USDT-SWAP"))
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 10 + 3
    assert all(f"NEW{number}-USDT-SWAP" in line for number, line in enumerate(said[:10]))
    assert [line.split()[3] for line in said[10:]] == ["100", "200", "300"]
