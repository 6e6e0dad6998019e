"""Takes one picture a second of the markets somebody looks at, for all pages together. Renders nothing.

While nobody looks nothing is read. A picture that cannot be taken, because the store is away, is not replaced: the old
one stays with its time, and the pages say that it is stale.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable

from service.board.market import Markets
from service.board.picture import Picture, Running
from service.board.sight import Sight
from service.ledger import LedgerError
from service.model import Alert, Episode

log = logging.getLogger("cascade.board")

#: Real seconds between two pictures; an alert is not waited for.
EVERY_S, LEAST_S = 1.0, 0.25
#: A page that opens takes a picture that is not older than this, in real seconds.
FRESH_S = 2.0
#: Alerts at hand, and how many a picture carries.
KEEP, SHOWN = 300, 120


class Watch:
    """The one reader. `looked` counts the pages by the asset they show."""

    def __init__(self, sight: Sight) -> None:
        self.picture: Picture | None = None
        self.looked: Counter[str] = Counter()
        self._sight = sight
        self._markets = Markets(sight)
        self._alerts: deque[Alert] = deque(maxlen=KEEP)
        self._cursor: str | None = None
        self._told: dict[str, Alert | None] = {}
        self._lock = asyncio.Lock()
        self._taken_at = float("-inf")
        self._away = False

    async def run(self, tell: Callable[[Picture], None]) -> None:
        """Take pictures and tell of each until cancelled."""
        clock = asyncio.get_running_loop().time
        while not self._sight.stopping:
            began = clock()
            if +self.looked:
                await self.take()
                if self.picture is not None:
                    tell(self.picture)
            await self._sight.changed(max(LEAST_S, EVERY_S - (clock() - began)))
            await asyncio.sleep(max(0.0, LEAST_S - (clock() - began)))

    async def need(self, asset: str) -> Picture | None:
        """A fresh picture with this asset in it; all who ask at once share one. None while none can be taken."""
        clock = asyncio.get_running_loop().time
        async with self._lock:
            old = clock() - self._taken_at > FRESH_S
            if self.picture is None or old or asset not in self.picture.markets:
                self.looked[asset] += 1
                try:
                    await self._take()
                finally:
                    self.looked[asset] -= 1
        return self.picture

    async def take(self) -> None:
        """A new picture, if one can be had."""
        async with self._lock:
            await self._take()

    async def _take(self) -> None:
        try:
            self.picture = await self._look()
        except LedgerError as error:
            if not self._away:
                log.warning("the board shows what it knew before, the ledger does not answer: %s", error)
            self._away = True
        else:
            self._away = False
            self._taken_at = asyncio.get_running_loop().time()

    async def _look(self) -> Picture:
        sight, now = self._sight, self._sight.clock.now()
        await self._listen()
        venues = tuple(await sight.venues())
        markets = await self._markets.read(list(+self.looked), [venue.name for venue in venues], now)
        running = [Running(episode=one, alert=await self._said(one)) for one in sight.episodes()]
        self._told = {one.episode.id: one.alert for one in running}
        return Picture(
            now=now,
            taken=self.picture.taken + 1 if self.picture else 1,
            simulated=sight.simulated,
            problems=tuple(sight.problems()),
            running=tuple(running),
            alerts=tuple(self._alerts)[-SHOWN:][::-1],
            venues=venues,
            assets=self._markets.names,
            markets=markets,
        )

    async def _listen(self) -> None:
        """Take in what was said since."""
        while found := await self._sight.ledger.alerts(self._cursor, KEEP):
            self._alerts.extend(alert for _, alert in found)
            self._told |= {alert.episode: alert for _, alert in found}
            whole, self._cursor = self._cursor is None or len(found) < KEEP, found[-1][0]
            if whole:
                return
        self._cursor = self._cursor or "0-0"

    async def _said(self, episode: Episode) -> Alert | None:
        """What was last said of an episode, looked for once."""
        if episode.id not in self._told:
            newest = next((alert for alert in reversed(self._alerts) if alert.episode == episode.id), None)
            self._told[episode.id] = newest or await self._sight.ledger.alert(f"{episode.id}.{episode.alerts}")
        return self._told[episode.id]
