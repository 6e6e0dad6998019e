"""What a person sees of the demo in a terminal: a line that moves, and every alert in words. Decides nothing."""

import asyncio
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO
from unicodedata import east_asian_width

import msgspec

from service import board
from service.app import App
from service.ledger import LedgerError
from service.model import ALL, Alert, FeedState, Phase, Totals
from service.simulator import scenario
from service.text import brief, clock_utc, percent, sign, stamp_utc, usd_en

#: A terminal is refreshed twice a second; a log gets a line every ten minutes of the evening.
LINE_S = 0.5
LOG_MS = 600_000
_BAR = 24
#: Columns the long bar needs.
_WIDE = 92


class Screen:
    """Writes to `out`; what `--once` promises goes to `result` as JSON lines."""

    def __init__(self, out: TextIO, result: TextIO) -> None:
        self._out = out
        self._result = result
        self._moving = out.isatty()
        self._logged = 0

    def opening(self, app: App, origin: int, *, resumed: bool) -> None:
        """The first words."""
        settings = app.config["api"]
        self._say(scenario.NOTICE["en"])
        self._say(scenario.NOTICE["zh"])
        if resumed:
            self._say(f"Going on from {stamp_utc(origin)}, where the last demo was interrupted (--fresh starts anew).")
        door = f"http://{settings['host']}:{settings['port']}"
        self._say(f"Board on {door}" if board.installed() else f"No board: {board.HINT}.")
        self._say(f"API on {door}  (/alerts /windows /venues /metrics /docs)")
        self._say(f"Ledger: {app.ledger.kind}. One hour passes in {3600 / app.clock.speed:.0f} s. Ctrl-C ends.\n")

    async def run(self, app: App) -> None:
        """Show the running hour and each alert until cancelled."""
        since = "0-0"
        while True:
            try:
                for cursor, alert in await app.ledger.alerts(since, 100):
                    self._alert(alert)
                    since = cursor
                await self._line(app)
            except LedgerError as error:
                self._say(f"ledger: {error}")
            await asyncio.sleep(LINE_S)

    def served(self, alerts: Sequence[Alert]) -> None:
        """The alerts as the API served them, one JSON line each."""
        for alert in alerts:
            print(msgspec.json.encode(alert).decode(), file=self._result, flush=True)

    def closing(self, home: Path, *, kept: bool) -> None:
        """The last words."""
        self._say(
            f"Demo ended; its data is {f'kept in {home}' if kept else 'removed'}. Log: {home.parent / 'demo.log'}"
        )

    def _alert(self, alert: Alert) -> None:
        closed = alert.phase is Phase.CLOSED
        turn = f"closed (was {alert.severity})" if closed else f"{alert.severity.upper()} {alert.phase}"
        head = f"{sign(alert)} {clock_utc(alert.at)}  {alert.asset:<5} {turn}"
        if alert.asset != ALL:  # a line for a coin; the sentence is in /alerts
            self._say(f"{head}: {brief(alert)}")
            return
        room = self._columns() - 3
        self._say("\n".join([f"\n{head}", *_wrapped(alert.why.en, room), *_wrapped(alert.why.zh, room), ""]))

    async def _line(self, app: App) -> None:
        now = app.clock.now()
        if not self._moving and now - self._logged < LOG_MS:
            return
        self._logged = now
        (reading,) = await app.ledger.read([ALL], now)
        reports = await app.venues()
        live = sum(report.state is FeedState.LIVE for report in reports)
        bar = _bar(reading.spans["1h"], _BAR if self._columns() >= _WIDE else _BAR // 3)
        text = f"SIMULATION {clock_utc(now)}  hour {bar}  {live}/{len(reports)} live"
        if self._moving:
            self._out.write(f"\r\x1b[2K{text[: self._columns() - 1]}")
            self._out.flush()
        else:
            self._say(text)

    def _columns(self) -> int:
        return shutil.get_terminal_size((100, 24)).columns if self._moving else 100

    def _say(self, text: str) -> None:
        clear = "\r\x1b[2K" if self._moving else ""
        print(f"{clear}{text}", file=self._out, flush=True)


def _bar(totals: Totals, width: int) -> str:
    if totals.share is None:
        return "nothing liquidated"
    shorts = round(width * totals.share)
    bar = "█" * (width - shorts) + "░" * shorts
    return f">= {usd_en(totals.usd):>7}  longs {bar} shorts {percent(totals.share):>5}"


def _wrapped(text: str, room: int) -> list[str]:
    """Lines of at most `room` cells, broken at words; each Chinese character is a word of two cells."""
    lines, cells = [""], 0
    for word in re.findall(r"[\u2e80-\uffef]|[^\s\u2e80-\uffef]+\s*|\s+", text):
        if cells + _cells(word.rstrip()) > room:
            lines.append("")
            cells = 0
        lines[-1] += word
        cells += _cells(word)
    return [f"  {line.rstrip()}" for line in lines]


def _cells(text: str) -> int:
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)
