"""What a person sees of the demo in a terminal: a line that moves, and every alert in words. Decides nothing."""

import asyncio
from collections.abc import Sequence
from typing import TextIO

import msgspec

from service.app import App
from service.ledger import LedgerError
from service.model import ALL, Alert, FeedState, Totals
from service.simulator import scenario
from service.text import percent, stamp_utc, usd_en

#: A terminal is refreshed twice a second; a log gets a line every ten minutes of the evening.
LINE_S = 0.5
LOG_MS = 600_000
_BAR = 24
_MARK = {"watch": "·", "warning": "▲", "critical": "■"}


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
        self._say(f"API on http://{settings['host']}:{settings['port']}  (/alerts /windows /venues /metrics /docs)")
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

    def _alert(self, alert: Alert) -> None:
        head = f"{_MARK[alert.severity]} {stamp_utc(alert.at)}  {alert.severity.upper()} {alert.phase}"
        self._say(f"{head}\n  {alert.why.en}\n  {alert.why.zh}\n")

    async def _line(self, app: App) -> None:
        now = app.clock.now()
        if not self._moving and now - self._logged < LOG_MS:
            return
        self._logged = now
        (reading,) = await app.ledger.read([ALL], now)
        reports = await app.venues()
        live = sum(report.state is FeedState.LIVE for report in reports)
        text = f"{stamp_utc(now)}  last hour {_bar(reading.spans['1h'])}  {live}/{len(reports)} venues live"
        if self._moving:
            self._out.write(f"\r\x1b[2K{text}")
            self._out.flush()
        else:
            self._say(text)

    def _say(self, text: str) -> None:
        clear = "\r\x1b[2K" if self._moving else ""
        print(f"{clear}{text}", file=self._out, flush=True)


def _bar(totals: Totals) -> str:
    if totals.share is None:
        return "nothing liquidated"
    shorts = round(_BAR * totals.share)
    bar = "█" * (_BAR - shorts) + "░" * shorts
    return f"{usd_en(totals.usd):>8}  longs {bar} shorts {percent(totals.share)}"
