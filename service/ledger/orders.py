"""The ledger on a server, the orders half: the stream of everything that was counted, in the order it was counted.

A cursor is the id of a stream entry: one batch. Whoever follows the stream sees each order once, whichever replica
counted it.
"""

from collections.abc import AsyncIterator, Collection

from service.ledger import wire
from service.ledger.archive import RedisArchive
from service.model import HOUR, Liquidation

#: Entries of the stream read at a time.
BATCH = 200
#: The cursor of a stream without entries.
START = "0-0"

_Entry = tuple[bytes, dict[bytes, bytes]]


class RedisOrders(RedisArchive):
    """Everything that reads single orders."""

    async def recall(self, venues: Collection[str], since: int, until: int) -> list[Liquidation]:
        """From the stream, newest entries first, until we had them all an hour before `since`.

        Read and sifted page by page: a busy hour must not hold up everybody else.
        """
        pages = [
            [order for entry in page for order in _orders(entry) if order.venue in venues and since <= order.at < until]
            async for page in self._pages(since - HOUR)
        ]
        return [order for page in pages for order in page]

    async def follow(self, cursor: str | None, since: int) -> tuple[list[Liquidation], str]:
        """What was counted behind `cursor`, at most 200 batches; without one all that we had since `since`."""
        if cursor is None:
            entries = (await self._back_to(since))[::-1]
        else:
            entries = await self._server.ask("XRANGE", self._keys.orders, f"({cursor}", "+", "COUNT", BATCH)
        if not entries:
            return [], cursor or START
        return [order for entry in entries for order in _orders(entry)], entries[-1][0].decode()

    async def orders(self) -> list[Liquidation]:
        """Every order of the stream, in the order it was counted. For checks; other programs may follow the stream."""
        entries = await self._server.ask("XRANGE", self._keys.orders, "-", "+")
        return [order for entry in entries for order in _orders(entry)]

    async def _back_to(self, seen: int) -> list[_Entry]:
        """Entries, newest first, down to the first whose orders all came before `seen`."""
        return [entry async for page in self._pages(seen) for entry in page]

    async def _pages(self, seen: int) -> AsyncIterator[list[_Entry]]:
        end = "+"
        while True:
            entries: list[_Entry] = await self._server.ask("XREVRANGE", self._keys.orders, end, "-", "COUNT", BATCH)
            yield entries
            if len(entries) < BATCH or max(order.seen for order in _orders(entries[-1])) < seen:
                return
            end = f"({entries[-1][0].decode()}"


def _orders(entry: _Entry) -> list[Liquidation]:
    return wire.unpack(entry[1][b"orders"])
