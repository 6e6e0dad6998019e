"""The HTTP door over a real socket: waiting, streaming, resuming, leaving."""

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import pytest

from service.api import stream
from service.api.tail import START
from service.model import Words
from tests.stage import Stage, alert, served


@pytest.fixture
async def stage() -> Stage:
    return Stage()


@pytest.fixture
async def client(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    async with served(stage) as client:
        yield client


class Reader:
    """A client of the stream: events as (id, number), comments and the rest as they come."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()
        self.comments: list[str] = []

    async def event(self) -> tuple[str, int]:
        fields: dict[str, str] = {}
        async with asyncio.timeout(5):
            async for line in self._lines:
                if line.startswith(":"):
                    self.comments.append(line)
                elif line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif "data" in fields:
                    assert fields["event"] == "alert"
                    return fields["id"], int(fields["data"].partition('"episode":"BTC-short-')[2].partition('"')[0])
        raise EOFError

    async def numbers(self, count: int) -> list[int]:
        return [(await self.event())[1] for _ in range(count)]

    async def comment(self) -> str:
        async with asyncio.timeout(5):
            async for line in self._lines:
                if line.startswith(":"):
                    return line
        raise EOFError


class TestWaiting:
    async def test_a_waiting_client_gets_the_next_alert_when_it_comes(
        self, stage: Stage, client: httpx.AsyncClient
    ) -> None:
        await stage.say(alert(1))
        cursor = (await client.get("/alerts")).json()["next"]
        waiting = asyncio.create_task(client.get(f"/alerts?since={cursor}&wait=8"))
        await asyncio.sleep(0.2)
        assert not waiting.done()

        asked = time.monotonic()
        await stage.say(alert(2))
        page = (await waiting).json()

        assert [one["episode"] for one in page["alerts"]] == ["BTC-short-2"]
        assert time.monotonic() - asked < 1

    async def test_what_does_not_match_does_not_end_the_wait(self, stage: Stage, client: httpx.AsyncClient) -> None:
        waiting = asyncio.create_task(client.get("/alerts?asset=ETH&wait=8"))
        await asyncio.sleep(0.1)
        await stage.say(alert(1))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await stage.say(alert(2, asset="ETH"))
        page = (await waiting).json()

        assert [one["episode"] for one in page["alerts"]] == ["BTC-short-2"]

    async def test_a_wait_that_nothing_ends_is_an_empty_page_past_what_was_seen(
        self, stage: Stage, client: httpx.AsyncClient
    ) -> None:
        began = time.monotonic()
        waiting = asyncio.create_task(client.get("/alerts?asset=ETH&wait=0.4"))
        await asyncio.sleep(0.1)
        await stage.say(alert(1))
        page = (await waiting).json()

        assert page["alerts"] == []
        assert 0.35 < time.monotonic() - began < 2
        assert (await client.get(f"/alerts?since={page['next']}")).json()["alerts"] == []

    async def test_nothing_is_waited_for_when_something_is_there(self, stage: Stage, client: httpx.AsyncClient) -> None:
        await stage.say(alert(1))
        async with asyncio.timeout(2):
            assert len((await client.get("/alerts?wait=30")).json()["alerts"]) == 1

    async def test_many_clients_wait_for_the_price_of_one_look(self, stage: Stage, client: httpx.AsyncClient) -> None:
        waiting = [asyncio.create_task(client.get(f"/alerts?since={START}&wait=8")) for _ in range(40)]
        await asyncio.sleep(0.5)
        stage.ledger.asked.clear()
        await stage.say(alert(1))
        pages = await asyncio.gather(*waiting)

        assert {len(page.json()["alerts"]) for page in pages} == {1}
        assert len(stage.ledger.asked) <= 2

    async def test_waiting_clients_get_their_empty_page_when_the_service_leaves(self, stage: Stage) -> None:
        async with served(stage) as client:
            waiting = asyncio.create_task(client.get("/alerts?wait=30"))
            await asyncio.sleep(0.2)
            began = time.monotonic()
            stage.stopping = True
            stage.bell.ring()
            page = await waiting
            assert (page.status_code, page.json()) == (200, {"alerts": [], "next": START})

        assert time.monotonic() - began < 1.5


class TestStream:
    async def test_alerts_come_as_they_are_said_with_their_cursor(
        self, stage: Stage, client: httpx.AsyncClient
    ) -> None:
        await stage.say(alert(1))
        async with client.stream("GET", "/alerts/stream") as response:
            reader = Reader(response)
            await stage.say(alert(2))
            cursor, number = await reader.event()

        assert number == 2
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-cache"
        assert (await client.get(f"/alerts?since={START}&limit=2")).json()["next"] == cursor

    async def test_a_client_resumes_behind_its_last_event_whatever_its_address_says(
        self, stage: Stage, client: httpx.AsyncClient
    ) -> None:
        await stage.say(*(alert(n) for n in range(700)))
        async with client.stream("GET", f"/alerts/stream?since={START}") as response:
            reader = Reader(response)
            before = await reader.numbers(199)
            cursor, number = await reader.event()
        await stage.say(alert(700))
        headers = {"Last-Event-ID": cursor}
        async with client.stream("GET", f"/alerts/stream?since={START}", headers=headers) as response:
            after = await Reader(response).numbers(501)

        assert [*before, number, *after] == list(range(701))

    async def test_only_what_was_asked_for_is_sent(self, stage: Stage, client: httpx.AsyncClient) -> None:
        async with client.stream("GET", f"/alerts/stream?since={START}&asset=ETH&severity=watch") as response:
            reader = Reader(response)
            await stage.say(alert(1), alert(2, asset="ETH"))
            await stage.say(alert(3))
            await stage.say(alert(4, asset="ETH"))

            assert await reader.numbers(2) == [2, 4]

    @pytest.mark.parametrize("asked", ["?assets=BTC", "?limit=3", "?since=x"])
    async def test_a_wrong_question_is_no_stream(self, client: httpx.AsyncClient, asked: str) -> None:
        answer = await client.get(f"/alerts/stream{asked}")

        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")

    async def test_a_wrong_last_event_id_is_no_stream(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/alerts/stream", headers={"Last-Event-ID": "seven"})

        assert answer.json()["detail"] == "Last-Event-ID=seven is not a cursor"

    async def test_silence_is_broken_by_a_comment(
        self, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stream, "KEEP_ALIVE_S", 0.2)
        began = time.monotonic()
        async with client.stream("GET", "/alerts/stream") as response:
            reader = Reader(response)
            comments = [await reader.comment() for _ in range(3)]

        assert comments == [": still here"] * 3
        assert 0.5 < time.monotonic() - began < 3

    async def test_a_store_that_is_away_is_waited_for(self, stage: Stage, client: httpx.AsyncClient) -> None:
        async with client.stream("GET", "/alerts/stream") as response:
            reader = Reader(response)
            stage.ledger.down = True
            stage.bell.ring()
            comment = await reader.comment()
            stage.ledger.down = False
            await stage.say(alert(1))

            assert comment == ": the ledger does not answer, still trying"
            assert await reader.numbers(1) == [1]

    async def test_streams_end_at_once_when_the_service_leaves(self, stage: Stage) -> None:
        async with served(stage) as client, client.stream("GET", "/alerts/stream") as response:
            reader = Reader(response)
            await stage.say(alert(1))
            await reader.event()
            began = time.monotonic()
            stage.stopping = True
            stage.bell.ring()
            with pytest.raises(EOFError):
                await reader.event()
            assert time.monotonic() - began < 0.5

        assert time.monotonic() - began < 1.5

    async def test_a_client_that_left_is_forgotten(self, client: httpx.AsyncClient) -> None:
        async with client.stream("GET", "/alerts/stream"):
            pass
        await asyncio.sleep(0.2)
        names = [task.get_coro().__qualname__ for task in asyncio.all_tasks()]

        assert not [name for name in names if "stream_response" in name or "run_asgi" in name]

    async def test_a_client_that_does_not_read_makes_nobody_fetch_for_it(
        self, stage: Stage, client: httpx.AsyncClient
    ) -> None:
        large = Words(en="x" * 100_000, zh="")
        await stage.say(*(alert(n, why=large) for n in range(700)))
        await client.get("/alerts?limit=1")
        stage.ledger.asked.clear()
        host, port = client.base_url.host, client.base_url.port
        reader, writer = await asyncio.open_connection(host, port, limit=1_024)
        writer.write(f"GET /alerts/stream?since={START} HTTP/1.1\r\nHost: door\r\n\r\n".encode())
        await asyncio.sleep(1)
        fetched = sum(limit for _, limit in stage.ledger.asked if limit == stream.BATCH)
        quick = await client.get("/healthz")
        writer.close()
        await writer.wait_closed()
        del reader

        assert 0 < fetched <= 350, "70 MB were asked for, a few buffers' worth may be under way"
        assert quick.status_code == 200


async def test_head_is_answered_like_get_without_a_body(stage: Stage, client: httpx.AsyncClient) -> None:
    await stage.say(alert(1))
    for path in ("/alerts", "/healthz", "/metrics", "/docs"):
        head, get = await client.head(path), await client.get(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == str(len(get.content)) or path == "/metrics"

    assert (await client.head("/alerts/stream")).status_code == 405
