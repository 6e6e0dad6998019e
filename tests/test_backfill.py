"""What the sockets missed: which gaps are asked for, how a history is asked, and when a gap counts as healed."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from service import metrics
from service.backfill import Backfill, Knobs, Parts, asking
from service.backfill.asking import Asking, UntoldError
from service.backfill.gaps import due
from service.backfill.twins import Twins
from service.clock import ScaledClock
from service.ledger.memory import MemoryLedger
from service.model import (
    HOUR,
    MINUTE,
    SECOND,
    BadFrame,
    Contract,
    DecodeError,
    FeedState,
    Gap,
    Healed,
    Instrument,
    Liquidation,
    Print,
    Side,
    SocketHealth,
)
from service.venues.base import History, Page, Spoilt, address, asked_again, query_of
from tests.orders import T0, order
from tests.toyvenue import ToyVenue, until

CONTRACT = Instrument(venue="toy", symbol="TOY", asset="TOY", contract=Contract.LINEAR, size=1.0)


def row(at: int, id: str = "", quantity: float = 1.0) -> Print:
    return Print(
        venue="toy", symbol="TOY", side=Side.LONG, price=1.0, quantity=quantity, at=at, seen=at, id=id or f"r{at}"
    )


class ToyHistory(History):
    """Pages of `size` rows, oldest first, the rest behind `from`; a body that is no list of times is refused."""

    reach_s = 7200.0
    delay_s = 5.0
    gap_s = 0.0
    poll_s = None
    size = 3

    def asks(self, endpoints: Mapping[str, str], instruments: Sequence[Instrument], since: int, until: int):
        return [address(f"{endpoints['rest']}/history", from_=since, to=until) for _ in instruments]

    def read(self, url: str, body: bytes, seen: int) -> Page:
        del seen
        try:
            times = msgspec.json.decode(body, type=list[int])
        except msgspec.MsgspecError as error:
            raise DecodeError(str(error)) from None
        more = (asked_again(url, from_=times[-1]),) if len(times) == self.size else ()
        return Page(orders=tuple(row(at) for at in times), more=more)


class Rest:
    """A history over HTTP on loopback; `told` are the times it knows, `refuse` answers instead while it lasts."""

    def __init__(self, size: int = 3) -> None:
        self.told: list[int] = []
        self.refuse: list[tuple[int, dict[str, str]]] = []
        self.asked: list[tuple[float, dict[str, str]]] = []
        self.body: bytes | None = None
        self._size = size

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        query = {name: values[0] for name, values in parse_qs(urlsplit(head.split(" ")[1]).query).items()}
        self.asked.append((time.monotonic(), query))
        status, headers = self.refuse.pop(0) if self.refuse else (200, {})
        found = sorted(at for at in self.told if int(query.get("from", 0)) <= at < int(query.get("to", 0)))
        body = b"no" if status != 200 else self.body or json.dumps(found[: self._size]).encode()
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def rest(speed: float = 60) -> AsyncIterator[tuple[Rest, dict[str, str], httpx.AsyncClient, ScaledClock]]:
    served = Rest()
    server = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, httpx.AsyncClient(trust_env=False) as client:
        yield served, {"rest": f"http://127.0.0.1:{port}"}, client, ScaledClock(T0 + 2 * HOUR, speed)


# Which gaps


def gaps(ledger_slots, now: int, history: History | None = None, horizon_s: float = 86_400) -> list[Gap]:
    return due("toy", history or ToyHistory(), ledger_slots, horizon_s, now)


async def heard(*spans: tuple[int, int], now: int):
    ledger = MemoryLedger()
    for since, until_ in spans:
        await ledger.mark_live(["toy"], since, until_)
    return await ledger.slots(["toy"], now)


async def test_a_gap_is_asked_for_when_the_venue_was_heard_again():
    now = T0 + HOUR
    open_ = await heard((T0 - 2 * HOUR, T0), now=now)
    closed = await heard((T0 - 2 * HOUR, T0), (T0 + 20 * MINUTE, now), now=now)

    assert gaps(open_, now) == []
    assert gaps(closed, now) == [Gap(since=T0, until=T0 + 20 * MINUTE, healed=False)]


async def test_what_lies_beyond_the_reach_or_the_horizon_is_not_asked_for():
    now = T0 + 3 * HOUR
    slots = await heard((now - 10 * MINUTE, now), now=now)

    assert gaps(slots, now)[0].since == now - 2 * HOUR
    assert gaps(slots, now, horizon_s=1800)[0].since == now - 30 * MINUTE


async def test_a_gap_that_is_too_fresh_to_be_told_in_full_waits_as_a_whole():
    class Slow(ToyHistory):
        delay_s = 1800.0

    now = T0 + HOUR
    slots = await heard((T0 - 2 * HOUR, T0), (T0 + 40 * MINUTE, now), now=now)

    assert gaps(slots, now, Slow()) == [], "not in slices: each would be a walk through all contracts"
    assert gaps(slots, now + 10 * MINUTE, Slow()) == [Gap(since=T0, until=T0 + 40 * MINUTE, healed=False)]


async def test_healed_time_is_no_gap_and_near_gaps_are_asked_for_at_once():
    ledger, now = MemoryLedger(), T0 + HOUR
    for since, until_ in ((T0 - 2 * HOUR, T0), (T0 + MINUTE, T0 + 5 * MINUTE), (T0 + 6 * MINUTE, T0 + 20 * MINUTE)):
        await ledger.mark_live(["toy"], since, until_)
    await ledger.mark_live(["toy"], T0 + 40 * MINUTE, now)
    slots = await ledger.slots(["toy"], now)
    assert [(gap.since, gap.until) for gap in gaps(slots, now)] == [
        (T0, T0 + 6 * MINUTE),
        (T0 + 20 * MINUTE, T0 + 40 * MINUTE),
    ]

    await ledger.mark_healed("toy", T0, T0 + 6 * MINUTE)
    assert [gap.since for gap in gaps(await ledger.slots(["toy"], now), now)] == [T0 + 20 * MINUTE]


async def test_without_sockets_everything_untold_is_a_gap():
    class Polled(ToyHistory):
        poll_s = 30.0

    now = T0 + HOUR
    assert gaps(await heard(now=now), now, Polled()) == [Gap(since=now - 2 * HOUR, until=now - 10_000, healed=False)]


# How a history is asked


KEPT: list[BadFrame] = []


def asker(clock, client, history: History | None = None) -> Asking:
    KEPT.clear()

    async def keep(bad: BadFrame) -> None:
        KEPT.append(bad)

    return Asking("toy", history or ToyHistory(), clock, client, keep)


async def everything(asker: Asking, urls: Sequence[str]) -> list[int]:
    return [one.at async for page in asker.orders(urls) for one in page]


async def test_every_page_is_asked_until_there_is_no_more():
    async with rest() as (served, endpoints, client, clock):
        served.told = [T0 + n for n in range(8)]
        found = await everything(asker(clock, client), ToyHistory().asks(endpoints, [CONTRACT], T0, T0 + HOUR))

        assert sorted(set(found)) == served.told
        assert [query["from"] for _, query in served.asked] == [f"{T0 + n}" for n in (0, 2, 4, 6)]


async def test_a_server_that_asks_for_patience_gets_it():
    async with rest(speed=10) as (served, endpoints, client, clock):
        served.told, served.refuse = [T0], [(429, {"Retry-After": "8"}), (503, {})]
        found = await everything(asker(clock, client), [f"{endpoints['rest']}/h?from=0&to={T0 + 1}"])
        first, second, third = (at for at, _ in served.asked)

        assert found == [T0]
        assert second - first >= 0.8
        assert third - second >= 0.1, "without a wish there is a pause of its own"


async def test_requests_keep_their_distance():
    class Paced(ToyHistory):
        gap_s = 1.0

    async with rest(speed=10) as (served, endpoints, client, clock):
        served.told = [T0 + n for n in range(8)]
        await everything(asker(clock, client, Paced()), Paced().asks(endpoints, [CONTRACT], T0, T0 + HOUR))
        times = [at for at, _ in served.asked]

        assert len(times) == 4
        assert times[-1] - times[0] >= 3 * 0.1 - 0.02


@pytest.mark.parametrize("status", [400, 403, 404, 451])
async def test_a_question_that_is_declined_is_not_repeated(status):
    async with rest() as (served, endpoints, client, clock):
        served.refuse = [(status, {})] * 9
        with pytest.raises(UntoldError, match=str(status)):
            await everything(asker(clock, client), [endpoints["rest"] + "/h"])

        assert len(served.asked) == 1


async def test_a_server_that_stays_broken_is_left_for_later(monkeypatch):
    monkeypatch.setattr(asking, "RETRY_S", (0.1, 1.0))
    async with rest() as (served, endpoints, client, clock):
        served.refuse = [(500, {})] * 99
        with pytest.raises(UntoldError, match=r"500.*5 times"):
            await everything(asker(clock, client), [endpoints["rest"] + "/h"])

        assert len(served.asked) == asking.ATTEMPTS


async def test_an_answer_of_another_shape_is_no_empty_answer():
    async with rest() as (served, endpoints, client, clock):
        served.body = b'{"msg":"maintenance"}'
        with pytest.raises(UntoldError, match="not what is documented"):
            await everything(asker(clock, client), [endpoints["rest"] + "/h"])

        kept = [(bad.venue, bad.reason, bad.frame) for bad in KEPT]
        assert kept == [("toy", "history", '{"msg":"maintenance"}')] * asking.READINGS


async def test_a_refusal_inside_an_answer_is_asked_again():
    async with rest() as (served, endpoints, client, clock):
        served.told, served.body = [T0], b'{"code":50011,"msg":"Too many requests"}'
        asked = asyncio.create_task(everything(asker(clock, client), [f"{endpoints['rest']}/h?from=0&to={T0 + 1}"]))
        await until(lambda: served.asked)
        served.body = None
        assert await asked == [T0]


async def test_one_address_without_an_answer_costs_no_other_and_is_told_at_the_end():
    async with rest() as (served, endpoints, client, clock):
        served.told, served.refuse = [T0], [(404, {})]
        urls = [f"{endpoints['rest']}/{name}?from=0&to={T0 + 1}" for name in "abc"]
        found = []

        async def ask() -> None:
            async for page in asker(clock, client).orders(urls):
                found.extend(page)

        with pytest.raises(UntoldError, match="404"):
            await ask()
        assert [one.at for one in found] == [T0, T0]


async def test_a_bug_in_a_reader_costs_its_answer_and_not_the_service():
    class Broken(ToyHistory):
        def read(self, url: str, body: bytes, seen: int) -> Page:
            raise IndexError(f"{url} {body!r} {seen}")

    async with rest() as (_, endpoints, client, clock):
        with pytest.raises(UntoldError, match="IndexError"):
            await everything(asker(clock, client, Broken()), [endpoints["rest"] + "/h"])


async def test_pages_that_run_in_a_circle_end():
    async with rest() as (served, endpoints, client, clock):
        served.told = [T0, T0, T0]
        url = address(f"{endpoints['rest']}/h", from_=T0, to=T0 + 1)
        assert await everything(asker(clock, client), [url]) == [T0] * 3
        assert query_of(asked_again(url, from_=T0)) == query_of(url)


# Filling


class Stage:
    """A backfill beside a ledger; `live` as the sockets would say."""

    def __init__(self, endpoints, client, clock, history: History | None = None, **knobs) -> None:
        self.ledger = MemoryLedger()
        self.queue: asyncio.Queue[Print | Healed | SocketHealth | BadFrame] = asyncio.Queue()
        self.live = True
        self.listed = [CONTRACT]
        parts = Parts(
            ledger=self.ledger,
            queue=self.queue,
            clock=clock,
            client=client,
            knobs=Knobs(**knobs),
            listed=lambda: self.listed,
            live=lambda: self.live,
        )
        self.fill = Backfill(ToyVenue(lambda _: ()), history or ToyHistory(), endpoints, parts)
        self.items: list[Print | Healed | SocketHealth | BadFrame] = []

    def drained(self) -> "Stage":
        while not self.queue.empty():
            self.items.append(self.queue.get_nowait())
        return self

    def of(self, kind: type) -> list:
        return [item for item in self.drained().items if isinstance(item, kind)]

    @contextlib.asynccontextmanager
    async def running(self):
        task = asyncio.create_task(self.fill.run())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.wait((task,))


NOW = T0 + 2 * HOUR


async def test_a_gap_is_filled_and_only_then_healed():
    async with rest() as (served, endpoints, client, clock):
        stage = Stage(endpoints, client, clock)
        await stage.ledger.mark_live(["toy"], T0 - HOUR, T0 + 60 * MINUTE)
        await stage.ledger.mark_live(["toy"], T0 + 90 * MINUTE, NOW)
        served.told = [T0 + 61 * MINUTE + n for n in range(7)]
        async with stage.running():
            await until(lambda: stage.of(Healed))

        assert {one.at for one in stage.of(Print)} == set(served.told)
        assert stage.items[-1] == Healed(venue="toy", since=T0 + 60 * MINUTE, until=T0 + 90 * MINUTE)
        asked = [query for _, query in served.asked]
        assert asked[0]["from"] == f"{T0 + 59 * MINUTE}", "clocks differ: a minute more on either side"
        assert asked[0]["to"] == f"{T0 + 91 * MINUTE}"


async def test_a_gap_is_asked_for_once_and_again_after_a_restart():
    async with rest() as (served, endpoints, client, clock):
        for _ in range(2):
            stage = Stage(endpoints, client, clock)
            await stage.ledger.mark_live(["toy"], T0 - HOUR, T0 + 60 * MINUTE)
            await stage.ledger.mark_live(["toy"], T0 + 90 * MINUTE, NOW)
            async with stage.running():
                await until(lambda: stage.of(Healed))  # noqa: B023  # awaited in this turn
                await asyncio.sleep(1.2)

        assert len(served.asked) == 2


async def test_what_began_beyond_the_reach_is_told_but_not_called_healed():
    async with rest(speed=1) as (served, endpoints, client, clock):
        stage = Stage(endpoints, client, clock)
        await stage.ledger.mark_live(["toy"], NOW - 10 * MINUTE, NOW)
        served.told = [NOW - HOUR]
        async with stage.running():
            await until(lambda: stage.of(Healed))

        (healed,) = stage.of(Healed)
        assert NOW - 2 * HOUR <= healed.since < NOW - 2 * HOUR + 20_000


async def test_a_history_that_fails_leaves_the_gap_a_gap_until_it_is_asked_again(monkeypatch):
    monkeypatch.setattr("service.backfill.filler.LATER_S", 30.0)
    async with rest() as (served, endpoints, client, clock):
        stage = Stage(endpoints, client, clock)
        await stage.ledger.mark_live(["toy"], T0 + 90 * MINUTE, NOW)
        served.refuse = [(404, {})]
        before = metrics.BACKFILL_FAILURES.labels("toy", "404")._value.get()
        async with stage.running():
            await until(lambda: len(served.asked) == 1)
            assert stage.of(Healed) == []
            await until(lambda: stage.of(Healed))

        assert metrics.BACKFILL_FAILURES.labels("toy", "404")._value.get() == before + 1


async def test_a_gap_that_moves_with_the_reach_is_not_asked_for_anew_at_every_look(monkeypatch):
    monkeypatch.setattr("service.backfill.filler.LATER_S", 600.0)
    async with rest() as (served, endpoints, client, clock):
        stage = Stage(endpoints, client, clock)
        await stage.ledger.mark_live(["toy"], NOW - 10 * MINUTE, NOW)  # what came before is longer than the reach
        served.refuse = [(404, {})] * 99
        async with stage.running():
            await asyncio.sleep(2)

        assert len(served.asked) == 1


async def test_rows_from_outside_the_gap_are_left_to_their_own_time():
    """Some histories have no window: what they tell beside it has no twins here, and would count twice."""

    class Endless(ToyHistory):
        def asks(self, endpoints: Mapping[str, str], instruments: Sequence[Instrument], since: int, until: int):
            del since, until
            return [f"{endpoints['rest']}/history?from=0&to={T0 + 9 * HOUR}" for _ in instruments]

    async with rest() as (served, endpoints, client, clock):
        stage = Stage(endpoints, client, clock, Endless())
        await stage.ledger.mark_live(["toy"], T0 - HOUR, T0 + 60 * MINUTE)
        await stage.ledger.mark_live(["toy"], T0 + 90 * MINUTE, NOW)
        served.told = [T0 + 10 * MINUTE, T0 + 70 * MINUTE, T0 + 110 * MINUTE]
        async with stage.running():
            await until(lambda: stage.of(Healed))

        assert [one.at for one in stage.of(Print)] == [T0 + 70 * MINUTE]


async def test_a_gap_whose_rows_cannot_be_read_is_not_called_healed():
    class Renamed(ToyHistory):
        def read(self, url: str, body: bytes, seen: int) -> Page:
            return Page(orders=(*super().read(url, body, seen).orders, Spoilt(detail="row 1: side")))

    async with rest() as (served, endpoints, client, clock):
        stage = Stage(endpoints, client, clock, Renamed())
        await stage.ledger.mark_live(["toy"], T0 - HOUR, T0 + 60 * MINUTE)
        await stage.ledger.mark_live(["toy"], T0 + 90 * MINUTE, NOW)
        served.told = [T0 + 70 * MINUTE]
        async with stage.running():
            await until(lambda: stage.of(BadFrame) and stage.of(Print))
            await asyncio.sleep(1.2)

        assert stage.of(Healed) == []
        assert len(served.asked) == 1, "and it is not asked for over and over"


async def test_nobody_is_asked_while_the_sockets_are_down_or_the_contracts_unknown():
    async with rest() as (served, endpoints, client, clock):
        stage = Stage(endpoints, client, clock)
        await stage.ledger.mark_live(["toy"], T0 + 90 * MINUTE, NOW)
        stage.live = False
        async with stage.running():
            await asyncio.sleep(1.2)
            stage.live, stage.listed = True, []
            await asyncio.sleep(1.2)
            assert served.asked == []
            stage.listed = [CONTRACT]
            await until(lambda: stage.of(Healed))


async def test_a_venue_without_sockets_is_as_live_as_its_history(monkeypatch):
    class Polled(ToyHistory):
        poll_s = 30.0

    monkeypatch.setattr("service.backfill.filler.LATER_S", 1.0)
    async with rest() as (served, endpoints, client, clock):
        stage = Stage(endpoints, client, clock, Polled())
        async with stage.running():
            await until(lambda: [one.state for one in stage.of(SocketHealth)] == [FeedState.LIVE])
            served.refuse = [(404, {})]
            await until(lambda: [one.state for one in stage.of(SocketHealth)][1:] == [FeedState.DOWN, FeedState.LIVE])

        assert {one.socket for one in stage.of(SocketHealth)} == {"rest"}
        assert "404" in stage.of(SocketHealth)[1].reason


# Twins


class Tolerant(ToyHistory):
    def same(self, order: Print, known: Liquidation) -> bool:
        return abs(order.at - known.at) <= SECOND and order.quantity == known.quantity


def live(at: int, id: str, quantity: float = 1.0) -> Liquidation:
    return order(1.0, at, Side.LONG, venue="toy", symbol="TOY", quantity=quantity, id=id)


def test_a_row_that_came_by_the_socket_is_no_news_and_two_like_orders_stay_two():
    twins = Twins(Tolerant(), [live(T0 + 300, "a"), live(T0 + 900, "b", 2.0)])
    rows = [row(T0, "x"), row(T0, "y"), row(T0 + SECOND, "z", 2.0), row(T0 + 9 * SECOND, "late")]

    assert [one.id for one in twins.strangers(rows)] == ["y", "late"]


def test_an_exact_id_is_met_and_a_row_that_comes_again_is_no_second_order():
    twins = Twins(Tolerant(), [live(T0, "a")])

    assert twins.strangers([row(T0, "x"), row(T0, "x"), row(T0, "a")]) == [row(T0, "a")]
    assert [one.id for one in twins.strangers([row(T0, "b"), row(T0, "b")])] == ["b"]
    assert Twins(ToyHistory(), [live(T0, "a")]).strangers([row(T0, "a")]) == []
