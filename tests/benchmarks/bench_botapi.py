"""Messages a second the local Bot API takes: formatted, with buttons, from bare clients in the same process.

Run `python -m tests.benchmarks.bench_botapi`. Goal: 500 a second, so that whoever sends is measured and not this server.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from urllib.parse import urlencode

from service.simulator.botapi import BotServer

MESSAGES = 4_000
CONNECTIONS = 8
GOAL_PER_S = 500
TEXT = '<b>BTC longs</b> $12.3M &amp; more <a href="https://example.org/x">chart</a> ' * 6
KEYBOARD = (
    '{"inline_keyboard":[[{"text":"Mute","callback_data":"mute:1"},{"text":"Chart","url":"https://example.org/"}]]}'
)


async def send(server: BotServer, chats: Sequence[int]) -> None:
    """One message to each chat over one connection."""
    host, _, port = server.url.removeprefix("http://").removesuffix("/bot").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for chat in chats:
        form = {"chat_id": chat, "text": TEXT, "parse_mode": "HTML", "reply_markup": KEYBOARD}
        body = urlencode(form).encode()
        head = (
            f"POST /bot{server.token}/sendMessage HTTP/1.1\r\nHost: {host}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        await reader.readexactly(int(answer.partition("content-length: ")[2].partition("\r\n")[0]))
    writer.close()


async def measure() -> float:
    """Messages a second."""
    async with BotServer() as server:
        for chat in range(1, MESSAGES + 1):
            server.private(chat)
        began, cpu = time.perf_counter(), time.process_time()
        shares = [range(1 + n, MESSAGES + 1, CONNECTIONS) for n in range(CONNECTIONS)]
        await asyncio.gather(*(send(server, chats) for chats in shares))
        rate = MESSAGES / (time.perf_counter() - began)
        each = (time.process_time() - cpu) / MESSAGES * 1e6
        assert server.counts.delivered == MESSAGES
        print(f"{rate:,.0f} messages a second, {each:.0f} us of CPU each with the client's part")
        return rate


if __name__ == "__main__":
    sys.exit(asyncio.run(measure()) < GOAL_PER_S)
