"""What each command does, between the parser and the rooms. Every door takes the arguments and a stop event."""

import argparse
import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec
from tqdm import tqdm

from service import board, fetch, tape
from service import decode as decoding
from service import record as recording
from service.app import App, clock_of
from service.clock import ScaledClock, WallClock
from service.context import recorded
from service.demo import Plan
from service.demo import demo as perform
from service.demo.rehearsal import Stage, handed_over, settings_toml
from service.demo.screen import Screen
from service.ledger.memory import MemoryLedger
from service.ledger.open import open_ledger
from service.masking import scrub, secrets_of
from service.model import Alert, SocketHealth, VenueReport, unexplained
from service.outpost import book_of
from service.replay import Replay
from service.settings import load, toml_text
from service.settings.calendar import read_calendar
from service.simulator import Faults, Market, rebase, scenario, shorten
from service.simulator.slow import SlowPages, etf
from service.tape import Row
from service.text import stamp_utc
from service.venues import VENUES

Args = argparse.Namespace
T = TypeVar("T")
Reader = Callable[[Sequence[Path], Callable[[int], None]], T]


class DoorError(Exception):
    """A command cannot do what was asked; the text says why."""


async def run(args: Args, stop: asyncio.Event) -> int:
    """Watch every enabled venue until stopped."""
    settings = load(args.config, os.environ)
    _log(settings.service.log_level)
    scrub(secrets_of(settings))
    url = settings.ledger.url.get_secret_value() or None
    ledger = await open_ledger(url, settings.service.data_dir, tag=settings.ledger.tag, store=settings.ledger.store)
    try:
        async with fetch.client(trust_env=not settings.simulated) as client:
            await App(settings, ledger, clock_of(settings), client).run(stop, board.dressed)
    finally:
        await ledger.close()
    return 0


async def demo(args: Args, stop: asyncio.Event) -> int:
    """The published evening through the whole street."""
    screen = Screen(sys.stderr if args.once else sys.stdout, sys.stdout)
    _log("info", Path("data") / "demo.log")
    plan = Plan(home=Path("data") / "demo", speed=args.speed, once=args.once, fresh=args.fresh, keep=args.keep)
    await perform(plan, screen, stop)
    return 0


async def replay(args: Args, stop: asyncio.Event) -> int:
    """Recorded data through the same detector; alerts on stdout, the sum of it on stderr."""
    settings = load(args.config, os.environ)
    rows = await _read(tape.read, args.files, stop)
    beside = await _read(recorded.read, args.context, stop) if args.context else None

    def tell(alert: Alert) -> None:
        words = f"{stamp_utc(alert.at)}  {alert.phase:<6} {alert.severity:<8} {alert.why.en}"
        line = msgspec.json.encode(alert if args.explain else unexplained(alert)).decode() if args.json else words
        with tqdm.external_write_mode():
            print(line, flush=True)

    calendar = read_calendar(settings.detector.calendar)
    run = Replay(rows, MemoryLedger(), settings.detector, tell, calendar, beside.beside if beside else None)
    for refused in beside.refused if beside else ():
        print(f"replay: {refused}", file=sys.stderr)
    with _progress(len(rows), "rows") as bar:
        summary = await run.run(stop, bar.update)
    print(f"replay: {msgspec.json.encode(summary).decode()}", file=sys.stderr)
    return 130 if stop.is_set() else 0


async def decode(args: Args, _stop: asyncio.Event) -> int:
    """Raw frames on stdin to normalised orders on stdout."""
    venue = VENUES[args.venue]
    book = decoding.read_instruments(venue, args.instruments)
    return decoding.decode(venue, book, sys.stdin.buffer, sys.stdout, sys.stderr)


async def simulate(args: Args, stop: asyncio.Event) -> int:
    """Local venue servers play a tape until stopped."""
    rows = await _tape(args, stop)
    origin = rows[0].at if args.tape else scenario.START
    wall_origin = WallClock().now()
    clock = ScaledClock(origin, args.speed, wall_origin)
    symbols = None if args.tape else scenario.SYMBOLS
    async with (
        Market(args.venues, clock, symbols=symbols or rows, faults=Faults.parse(args.faults)) as market,
        SlowPages(clock, etf.page) as slow,
    ):
        scenario.lend(() if args.tape else market.servers.values())
        stage = Stage(
            endpoints=market.endpoints,
            origin=origin,
            wall_origin=wall_origin,
            speed=args.speed,
            slow=slow.endpoints,
            home=str(Path("data") / "rehearsal"),
        )
        print(handed_over(settings_toml(stage), args.settings), flush=True)
        playing = asyncio.create_task(market.play(rows, relabel=args.relabel))
        playing.add_done_callback(lambda task: _played(task, stop))
        await stop.wait()
        playing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await playing
    return 0


async def record(args: Args, stop: asyncio.Event) -> int:
    """Raw frames of one venue into a file."""
    settings = load(args.config, os.environ)
    clock, venue = clock_of(settings), VENUES[args.venue]
    if venue.history is not None and venue.history.poll_s is not None:
        raise DoorError(f"{venue.name} has no socket to record: it is heard by its REST history alone")
    endpoints = settings.venues.endpoints(args.venue)
    async with fetch.client(trust_env=not settings.simulated) as client:
        book = book_of(settings, venue, clock, client)
        book.load()
        if not book.listed:
            await book.refresh()
    if args.seconds:
        asyncio.get_running_loop().call_later(args.seconds, stop.set)
    what = recording.Recording(venue=venue, endpoints=endpoints, instruments=book.listed)
    with args.out.open("a", encoding="utf-8") as out, _progress(None, "frames") as bar:

        def write(line: str) -> None:
            print(line, file=out)
            bar.update(1)

        count = await recording.record(what, clock, write, _say_state, stop)
    print(f"record: {count} frames in {args.out}", file=sys.stderr)
    return 0


async def venues(_args: Args, _stop: asyncio.Event) -> int:
    """The table of venues."""
    now = WallClock().now()
    for name, venue in VENUES.items():
        off = "" if venue.by_default else "Off by default. "
        print(f"{name:<12} {venue.completeness(now):<9} {venue.rule(now):<9} {off}{venue.about}\n{'':<33}{venue.docs}")
    return 0


async def check(args: Args, _stop: asyncio.Event) -> int:
    """The effective settings as TOML, secrets masked."""
    print(toml_text(load(args.config, os.environ)))
    return 0


async def status(args: Args, _stop: asyncio.Event) -> int:
    """Ask a running service how it is."""
    door = load(args.config, os.environ).api
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(door.host, door.host)  # noqa: S104  # compared, not bound
    base = args.url or f"http://{f'[{host}]' if ':' in host else host}:{door.port}"
    try:
        async with httpx.AsyncClient(base_url=base, timeout=5, trust_env=args.url is not None) as client:
            ready = await client.get("/readyz")
            problems = [str(problem) for problem in ready.json()["problems"]]
            answer = await client.get("/venues")
            reports = msgspec.convert(answer.json()["venues"], list[VenueReport]) if answer.is_success else []
    except httpx.InvalidURL as error:
        raise DoorError(f"{base} is no address: {error}") from None
    except httpx.HTTPError as error:
        raise DoorError(f"no service answers at {base}: {error}") from None
    except (ValueError, KeyError, TypeError):
        raise DoorError(f"what answers at {base} is no cascade monitor") from None
    for report in reports:
        heard = "unknown" if report.live_share_1h is None else f"{report.live_share_1h:.1%}"
        why = f"  {report.reason}" if report.reason else ""
        print(f"{report.name:<12} {report.state:<11} heard of the last hour: {heard:<8} parked: {report.parked}{why}")
    print("ready" if ready.is_success else "not ready: " + "; ".join(problems))
    return 0 if ready.is_success else 1


async def _read(read: Reader[T], paths: Sequence[Path], stop: asyncio.Event) -> T:
    """Off the loop, so that a signal is heard meanwhile."""
    with _progress(None, "rows") as bar:

        def advance(rows: int) -> None:
            if stop.is_set():
                raise DoorError("interrupted while reading")
            bar.update(rows)

        return await asyncio.to_thread(read, paths, advance)


async def _tape(args: Args, stop: asyncio.Event) -> list[Row]:
    if not args.tape:
        return scenario.live(scenario.day())
    rows = await _read(tape.read, [args.tape], stop)
    if not rows:
        raise DoorError(f"{args.tape} holds no rows")
    rows = shorten(rows, int(args.max_gap * 1_000)) if args.max_gap else rows
    return rebase(rows, rows[0].at)


def _played(task: "asyncio.Task[object]", stop: asyncio.Event) -> None:
    if task.cancelled():
        return
    if task.exception():
        stop.set()
        return
    print(f"simulate: the tape has ended: {task.result()}; still serving, Ctrl-C ends", file=sys.stderr)


def _say_state(record: SocketHealth) -> None:
    tqdm.write(f"{record.venue} {record.socket}: {record.state} {record.reason}", file=sys.stderr)


@contextlib.contextmanager
def _progress(total: int | None, unit: str) -> Iterator["tqdm[Any]"]:
    bar: tqdm[Any] = tqdm(total=total, unit=unit, unit_scale=True, file=sys.stderr, disable=not sys.stderr.isatty())
    with bar:
        yield bar


def _log(level: str, file: Path | None = None) -> None:
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    form = "%(asctime)s %(levelname)-7s %(name)s %(message)s"
    logging.basicConfig(level=level.upper(), format=form, filename=file)
    for chatty in ("httpx", "websockets", "uvicorn", "cascade.simulator"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
