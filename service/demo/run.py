"""One demo from curtain to curtain: stage, history, service, screen. Picks up where a killed demo stopped.

The place in time is written down every second, a little behind the truth; a demo that was killed goes on from there and
the orders it plays again are counted once, so its sums end where an uninterrupted run's do.
"""

import asyncio
import contextlib
import json
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import chain, dropwhile
from pathlib import Path

import httpx
import msgspec

from service import tape
from service.app import App
from service.clock import Clock, ScaledClock
from service.demo.rehearsal import Stage, settings_toml
from service.demo.screen import Screen
from service.ledger import Ledger
from service.ledger.open import open_ledger
from service.model import ALL, HOUR, MINUTE, Alert, Phase
from service.settings import load
from service.simulator import Market, scenario
from service.tape import Row

TAG = "cascade-demo"
VENUES = ("binance", "bybit", "okx")
#: The written place lags by at least this much, so that what was on its way when the process died is played again.
BEHIND_MS = MINUTE
#: And the tape restarts this far before the place.
AGAIN_MS = 10 * MINUTE
_PLACE = "place.json"
_BATCH = 500
#: The episode of the evening must have closed by then, else something is broken.
CURTAIN = scenario.START + 4 * HOUR


class DemoError(Exception):
    """The demo did not show what it promises."""


async def demo(data_dir: Path, speed: float, stop: asyncio.Event, screen: Screen, *, once: bool, fresh: bool) -> None:
    """Run until `stop`; with `once`, until the evening's episode has closed and its alerts were served."""
    home = data_dir / "demo"
    origin = _take_up(home, fresh=fresh)
    night = scenario.day()
    clock = ScaledClock(origin, speed)
    async with Market(VENUES, clock, symbols=scenario.SYMBOLS) as market:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings_file = home / "demo.toml"
        stage = Stage(endpoints=market.endpoints, origin=origin, wall_origin=None, speed=speed)
        settings_file.write_text(settings_toml(stage))
        settings = load(settings_file, screen.environment(home))
        async with _store(home) as ledger, httpx.AsyncClient() as client:
            await _seed(ledger, night)
            app = App(settings, ledger, clock, client)
            screen.opening(app, origin, resumed=origin != scenario.START)
            async with asyncio.TaskGroup() as tasks:
                side = [
                    tasks.create_task(market.play(_rows(night, origin - AGAIN_MS))),
                    tasks.create_task(_note_place(home, clock)),
                    tasks.create_task(screen.run(app)),
                ]
                if once:
                    side.append(tasks.create_task(_until_closed(settings.api.port, clock, screen, stop)))
                try:
                    await app.run(stop)
                finally:
                    for task in side:
                        task.cancel()
    shutil.rmtree(home, ignore_errors=True)


def _take_up(home: Path, *, fresh: bool) -> int:
    place = home / _PLACE
    if not fresh:
        with contextlib.suppress(FileNotFoundError, msgspec.MsgspecError):
            return max(scenario.START, msgspec.json.decode(place.read_bytes(), type=dict[str, int])["at"])
    shutil.rmtree(home, ignore_errors=True)
    return scenario.START


async def _note_place(home: Path, clock: Clock) -> None:
    behind = max(BEHIND_MS, int(2_000 * clock.speed))
    fresh = home / f"{_PLACE}.new"
    while True:
        fresh.write_text(json.dumps({"at": clock.now() - behind}))
        fresh.rename(home / _PLACE)
        await asyncio.sleep(1)


@contextlib.asynccontextmanager
async def _store(home: Path) -> AsyncIterator[Ledger]:
    ledger = await open_ledger(None, home, tag=TAG)
    try:
        yield ledger
    finally:
        await ledger.close()


async def _seed(ledger: Ledger, night: Sequence[Row]) -> None:
    """The hours before the curtain as history, heard in full; seeding twice counts once."""
    orders = [tape.liquidation(row) for row in scenario.history(night)]
    for start in range(0, len(orders), _BATCH):
        await ledger.add(orders[start : start + _BATCH], scenario.START)
    await ledger.mark_live(VENUES, scenario.START - 24 * HOUR, scenario.START)


def _rows(night: Sequence[Row], since: int) -> Iterator[Row]:
    live = scenario.live(night)
    endless = chain(live, scenario.quiet(live[-1].at))
    return dropwhile(lambda row: row.at < since, endless)


async def _until_closed(port: int, clock: Clock, screen: Screen, stop: asyncio.Event) -> None:
    base = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=base, timeout=40) as client:
        since = ""
        served: list[Alert] = []
        while not any(alert.asset == ALL and alert.phase is Phase.CLOSED for alert in served):
            if clock.now() > CURTAIN:
                raise DemoError("the evening's episode did not close in time")
            page = await _page(client, since)
            served += page[0]
            since = page[1]
    screen.served(served)
    stop.set()


async def _page(client: httpx.AsyncClient, since: str) -> tuple[list[Alert], str]:
    query = {"wait": "1", "since": since or "0-0"}
    while True:
        try:
            answer = await client.get("/alerts", params=query)
        except httpx.TransportError:
            await asyncio.sleep(0.1)  # the door is not open yet
            continue
        answer.raise_for_status()
        page = msgspec.json.decode(answer.content)
        return [msgspec.convert(alert, Alert) for alert in page["alerts"]], page["next"]
