"""Context as the service builds it: from local venues and pages over real HTTP, with their faults, and off where it is off."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import httpx
import pytest

from service.bureau import Bureau, Scene
from service.clock import ScaledClock
from service.context.points import Points
from service.context.poll import Poll
from service.demo.rehearsal import Stage, settings_toml
from service.instruments import Book
from service.model import HOUR, ContextReport, Side, Situation
from service.settings import Settings, load
from service.simulator import Market
from service.simulator.slow import SlowPages, etf
from service.venues import VENUES

ORIGIN = 1_768_404_600_000  # 2026-01-14 15:30 UTC: the flows of the 13th are known
SYMBOLS = {"binance": ["BTCUSDT", "ETHUSDT"], "bybit": ["BTCUSDT"], "okx": ["BTC-USDT-SWAP"]}
SPEED = 60.0
NOTHING: Mapping[str, str] = {}


class House:
    """A bureau at work, the servers it asks, and patience."""

    def __init__(self, bureau: Bureau, market: Market, slow: SlowPages, clock: ScaledClock) -> None:
        self.bureau, self.market, self.slow, self.clock = bureau, market, slow, clock

    def report(self, asset: str = "ALL") -> ContextReport:
        found = self.bureau.report(asset)
        assert found is not None
        return found

    async def until(self, condition: Callable[[], object], within_s: float = 12.0) -> None:
        deadline = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < deadline, "it did not happen in time"
            await asyncio.sleep(0.05)


def settings_of(home: Path, market: Market, slow: SlowPages, more: Mapping[str, str]) -> Settings:
    stage = Stage(
        endpoints=market.endpoints,
        origin=ORIGIN,
        wall_origin=None,
        speed=SPEED,
        slow=slow.endpoints,
        home=str(home / "data"),
    )
    file = home / "cascade.toml"
    file.write_text(settings_toml(stage))
    return load(file, {"CASCADE_CONTEXT__EVERY_S": "60", **more})


@contextlib.asynccontextmanager
async def house(
    home: Path, more: Mapping[str, str] = NOTHING, origin: int = ORIGIN, refusing: str = ""
) -> AsyncIterator[House]:
    clock = ScaledClock(origin, SPEED)
    async with (
        Market(list(SYMBOLS), clock, symbols=SYMBOLS) as market,
        SlowPages(clock, etf.page) as slow,
        httpx.AsyncClient(trust_env=False) as client,
        asyncio.TaskGroup() as group,
    ):
        settings = settings_of(home, market, slow, more)
        books = {
            name: Book(VENUES[name], settings.venues.endpoints(name), None, clock, client)
            for name in settings.venues.names
        }
        await asyncio.gather(*(book.refresh() for book in books.values()))
        if refusing:
            market.servers[refusing].rest = lambda _path, _query: (503, {"msg": "no"})
        bureau = Bureau(settings, client, clock, Scene(books, lambda _asset: list(books), lambda: ["ETH"]))
        bureau.load()
        tasks = [group.create_task(work, name=name) for name, work in bureau.tasks()]
        yield House(bureau, market, slow, clock)
        for task in tasks:
            task.cancel()


async def test_everything_that_is_asked_comes_together(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.until(lambda: not there.report().missing and len(there.report().leverage.venues) == 3)
        report = there.report()
        leverage, servers = report.leverage, there.market.servers
        held = sum(
            server.interest.coins(listing, float(server.price(listing))) * float(server.price(listing))
            for server in servers.values()
            for listing in server.listings()
            if listing.base in ("BTC", "XBT")
        )
        assert leverage.oi_usd == pytest.approx(held, rel=0.01), "one-sided dollars of every contract, once"
        assert leverage.funding_8h == pytest.approx(0.00005, rel=0.1)
        assert {flow.asset: (flow.date, flow.usd) for flow in report.flows} == {
            "BTC": ("2026-01-13", 753.8e6),
            "ETH": ("2026-01-13", 130.0e6),
            "SOL": ("2026-01-13", 5.9e6),
        }
        assert (report.rates.target_low, report.rates.target_high, report.rates.next_meeting) == (
            3.5,
            3.75,
            "2026-01-28",
        )
        assert {side: 0 <= gauge.score <= 100 for side, gauge in report.risk.items()} == {"long": True, "short": True}
        assert report.risk["short"].of == "BTCUSDT on binance", "the longest past is Binance's own"
        assert all(source.reason == "" for source in report.sources)


async def test_a_coin_in_an_episode_is_asked_for_though_nobody_follows_it(tmp_path: Path) -> None:
    async with house(tmp_path, {"CASCADE_CONTEXT__ASSETS": "BTC", "CASCADE_CONTEXT__PAST": "false"}) as there:
        await there.until(
            lambda: (
                any(one.venue == "binance" and one.oi_usd for one in there.report("ETH").leverage.venues)
                if there.report("ETH").leverage
                else False
            )
        )


@pytest.mark.parametrize(("fault", "said"), [("status", "403"), ("truncated", ""), ("endless", ""), ("body", "")])
async def test_slow_pages_that_fail_cost_their_own_figures_and_say_why(tmp_path: Path, fault: str, said: str) -> None:
    async with house(tmp_path) as there:
        setattr(there.slow, fault, {"status": 403, "body": b"<html>Just a moment...</html>"}.get(fault, True))
        await there.until(lambda: (found := there.report().leverage) and found.oi_usd)
        await there.until(
            lambda: all(one.failures for one in there.report().sources if one.name[:4] in ("etf ", "rate"))
        )
        report = there.report()
        assert report.flows == ()
        assert report.rates is None
        assert {"etf BTC", "etf ETH", "etf SOL", "rates"} <= set(report.missing)
        assert said in report.missing["etf BTC"]
        context = there.bureau.beside(Situation(asset="ALL", side=Side.SHORT, onset=report.now, at=report.now))
        assert context.divergence is None
        assert context.flows == ()


async def test_a_venue_that_refuses_is_left_alone_and_named(tmp_path: Path) -> None:
    async with house(tmp_path, refusing="okx") as there:
        await there.until(lambda: any(one.failures for one in there.report().sources if one.name == "tickers okx"))
        await there.until(
            lambda: (found := there.report().leverage) and len([one for one in found.venues if one.oi_usd]) > 1
        )
        report = there.report()
        assert "503" in report.leverage.missing["okx"]
        assert {one.venue for one in report.leverage.venues if one.oi_usd} == {"binance", "bybit"}
        (source,) = (one for one in report.sources if one.name == "tickers okx")
        assert 1 <= source.failures <= 3, "each time it is asked again after twice as long"


async def test_what_was_learnt_survives_a_restart(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.until(lambda: not there.report().missing)
        there.bureau.desk.memory.remember(["BTC"], there.clock.now())
        there.bureau.close()
    async with house(tmp_path, origin=ORIGIN + HOUR) as again:
        again.slow.status = 503
        points = again.bureau.desk.memory.contracts("BTC")
        assert any(len(one.points) > 100 for one in points)
        assert again.report().flows[0].usd == 753.8e6
        assert again.report().leverage.oi_usd is None, "a past is no present"


async def test_a_broken_file_costs_its_past_and_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "data" / "context"
    folder.mkdir(parents=True)
    for name in ("leverage", "etf.json", "rates.json"):
        (folder / name).write_bytes(b"\x00{no")
    async with house(tmp_path) as there:
        assert sum("cannot be taken up" in record.message for record in caplog.records) == 3
        await there.until(lambda: (found := there.report().leverage) and found.oi_usd)


async def test_a_file_of_flows_is_trusted_before_everybody_and_read_when_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "flows.csv"
    file.write_text("date,asset,total_net_flow_usd_m\n2026-01-12,BTC,117\n2026-01-13,BTC,755.0\n")
    settings = load(
        None,
        {
            "CASCADE_CLOCK__SPEED": "60",
            "CASCADE_CONTEXT__ETF__FILE": str(file),
            "CASCADE_SERVICE__DATA_DIR": str(tmp_path / "data"),
        },
    )
    clock = ScaledClock(ORIGIN, SPEED)
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.TaskGroup() as group:
        bureau = Bureau(settings, client, clock, Scene(_Anything(), lambda _asset: (), list))
        works = dict(bureau.tasks())
        watch = group.create_task(works.pop("context etf dropped"))
        for work in works.values():
            work.close()
        await _until(lambda: bureau.report("BTC").flows)
        assert (bureau.report("BTC").flows[0].usd, bureau.report("BTC").flows[0].source) == (755e6, "dropped")
        file.write_text("date,asset,total_net_flow_usd_m\n2026-01-13,BTC,753.8\n")
        await _until(lambda: bureau.report("BTC").flows[0].usd == 753.8e6)
        assert bureau.report("BTC").flows[0].revised_from_usd == 755e6
        file.write_text("date,asset,total_net_flow_usd_m\n2026-01-13,BTC,much\n")
        await _until(lambda: any("much" in one.reason for one in bureau.report("BTC").sources))
        assert bureau.report("BTC").flows[0].usd == 753.8e6
        watch.cancel()


async def _until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 8
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def test_context_that_is_off_asks_nobody_and_says_nothing(tmp_path: Path) -> None:
    async with house(tmp_path, {"CASCADE_CONTEXT__ENABLED": "false"}) as there:
        assert there.bureau.tasks() == []
        assert there.bureau.report("ALL") is None
        assert there.bureau.beside(Situation(asset="ALL", side=Side.SHORT, onset=ORIGIN, at=ORIGIN)) is None
        there.bureau.close()
        assert not (tmp_path / "data" / "context").exists()


def test_a_rehearsal_asks_no_real_source(tmp_path: Path) -> None:
    settings = load(None, {"CASCADE_CLOCK__SPEED": "60", "CASCADE_CONTEXT__ETF__SOURCES": "farside"})
    bureau = Bureau(
        settings, httpx.AsyncClient(), ScaledClock(ORIGIN, SPEED), Scene(_Anything(), lambda _asset: (), list)
    )
    assert [one.name for one in bureau.sources() if not one.name.startswith("tickers")] == []


def test_keys_that_are_not_set_are_said(tmp_path: Path) -> None:
    settings = load(None, {"CASCADE_CONTEXT__ETF__SOURCES": "sosovalue,coinglass"})
    bureau = Bureau(
        settings, httpx.AsyncClient(), ScaledClock(ORIGIN, 1.0), Scene(_Anything(), lambda _asset: (), list)
    )
    assert "needs a key" in bureau.report("BTC").missing["etf BTC"]
    assert not any(one.name.startswith("etf") for one in bureau.sources())


class _Anything(dict[str, Book]):
    def __missing__(self, name: str) -> Book:
        return None  # type: ignore[return-value]


def test_points_of_another_machine_are_refused() -> None:
    with pytest.raises(ValueError, match="values of"):
        list(Points.unpack({"at": b"\0" * 8, "price": b""}))


async def test_work_that_falls_is_taken_up_again_and_nothing_beside_it_falls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What a library may raise by surprise: httpx does so for a port that cannot be."""
    tries = 0

    async def falls(_poll: Poll) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise ExceptionGroup("surprise", [OverflowError("port must be 0-65535")])
        await asyncio.Event().wait()

    monkeypatch.setattr(Poll, "run", falls)
    async with house(tmp_path, {"CASCADE_CONTEXT__ETF__SOURCES": "", "CASCADE_CONTEXT__PAST": "false"}) as there:
        await there.until(lambda: tries >= 3)
        await there.until(lambda: (found := there.report().leverage) and found.oi_usd)
    assert sum("has fallen" in record.message for record in caplog.records) == 2


def test_a_rehearsal_asks_no_real_venue(tmp_path: Path) -> None:
    settings = load(None, {"CASCADE_CLOCK__SPEED": "60", "CASCADE_SERVICE__DATA_DIR": str(tmp_path)})
    bureau = Bureau(
        settings, httpx.AsyncClient(), ScaledClock(ORIGIN, SPEED), Scene(_Anything(), lambda _asset: (), list)
    )
    assert bureau.sources() == []
