"""`cascade selfcheck`: the nightly check, now, on a ledger's last hours or on recorded files."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence

from service import tape
from service.clock import WallClock
from service.detector.undercount import check
from service.ledger import Ledger
from service.ledger.open import open_ledger
from service.ledger.place import InUseError, socket_path
from service.ledger.redis import RedisLedger
from service.model import HOUR, Liquidation
from service.pipeline.shown import documented
from service.selfcheck.table import is_fine, table
from service.settings import Settings, load
from service.tape import TapeError
from service.venues import VENUES

_DAY_H = 24.0


async def selfcheck(args: argparse.Namespace, stop: asyncio.Event) -> int:
    """Write the table; 1 when a median leaves the band, or when there is nothing to check. Raises LedgerError."""
    orders = await _of_files(args, stop) if args.files else await _of_ledger(args)
    feeds = documented(VENUES.values(), max((order.at for order in orders), default=0))
    found = await asyncio.to_thread(check, orders, feeds, go_on=lambda: not stop.is_set())
    if not orders:
        text = "no single orders of a known venue"
    elif not found:
        text = "no venue here shows all of its orders: there is no truth to check against"
    else:
        text = table(found)
    sys.stdout.write(f"{text}\n")
    return 0 if found and is_fine(found) else 1


async def _of_files(args: argparse.Namespace, stop: asyncio.Event) -> list[Liquidation]:
    def go_on(_rows: int) -> None:
        if stop.is_set():
            raise TapeError("interrupted while reading")

    rows = await asyncio.to_thread(tape.read, args.files, go_on)
    return _single(rows, args.hours)


def _single(rows: Sequence[tape.Row], hours: float | None) -> list[Liquidation]:
    """Rows of one order each; sums say nothing of how many orders they are."""
    since = rows[-1].at - int(hours * HOUR) if rows and hours else 0
    return [tape.liquidation(row) for row in rows if row.at > since and not row.summed and row.venue in VENUES]


async def _of_ledger(args: argparse.Namespace) -> list[Liquidation]:
    ledger = await _open(load(args.config, os.environ))
    try:
        now = WallClock().now()
        return await ledger.recall(list(VENUES), now - int((args.hours or _DAY_H) * HOUR), now + 1)
    finally:
        await ledger.close()


async def _open(settings: Settings) -> Ledger:
    """As a service with these settings would; where one is running on an embedded store, that one's."""
    knobs, folder = settings.ledger, settings.service.data_dir
    try:
        return await open_ledger(knobs.url.get_secret_value() or None, folder, tag=knobs.tag, store=knobs.store)
    except InUseError:
        return RedisLedger(f"unix://{socket_path(folder)}", knobs.tag)
