"""Everything that carries alerts to people and programs, built from the settings: couriers and the Telegram desk.

Holds no rule: who wants what is the subscribers', what is said the text's, how it is sent each sink's own.
"""

from collections.abc import Coroutine, Iterator, Sequence
from typing import Any

import httpx

from service import sinks
from service.clock import WallClock
from service.mailroom.telegram import TelegramDesk, Town
from service.model import SinkReport
from service.settings import Settings

__all__ = ["Mailroom", "Town"]


class Mailroom:
    """One replica's. Raises StartError where a sink cannot be had."""

    def __init__(self, settings: Settings, client: httpx.AsyncClient, town: Town) -> None:
        tools = sinks.Tools(client=client, now=WallClock().now, board_url=settings.sinks.board_url)
        made: list[sinks.Sink] = sinks.enabled(settings.sinks, tools)
        self._desk = TelegramDesk(settings, town) if settings.sinks.telegram.enabled else None
        if self._desk is not None:
            made.append(self._desk.sink)
        view = town.view
        self._couriers = [sinks.Courier(sink, view.ledger, view.changed, town.leads) for sink in made]

    async def begin(self) -> None:
        """Before the first alert can be written: a sink that is new here starts with the next one."""
        for courier in self._couriers:
            await courier.begin()

    def tasks(self) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
        """What runs until it is cancelled."""
        yield from (("courier", courier.run()) for courier in self._couriers)
        if self._desk is not None:
            yield "telegram", self._desk.run()

    async def reports(self) -> Sequence[SinkReport]:
        """How each sink stands. Raises LedgerError."""
        return await sinks.reports(self._couriers)
