"""The chats of the outbox, on the server: what each wants, when it may be addressed, and how it is forgotten.

Every step that must not be half done is one script. Times are ms UTC of the wall, handed in.
"""

import logging
from typing import TypeVar

import msgspec

from service.ledger import LedgerError
from service.ledger.server import Server
from service.model import HOUR
from service.outbox.rows import Box, Counts, Told
from service.subscribers import Chat

log = logging.getLogger("cascade.outbox")

WEEK = 7 * 24 * HOUR
#: Done rows are kept by weeks; in so many of them a row may still stand.
WEEKS = 4

_chat = msgspec.msgpack.Decoder(Chat)
_pack = msgspec.msgpack.encode
_T = TypeVar("_T")


class Chats:
    """Who there is. Every method may raise LedgerError and may be repeated."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._keys = server.keys
        self._queues = (self._keys.due, self._keys.pictures)

    async def chats(self) -> list[Chat]:
        """All of them but those whose record cannot be read: one damaged one must not silence the others."""
        stored = await self._server.ask("HVALS", self._keys.chats)
        return [chat for text in stored if (chat := self._legible(_chat, text)) is not None]

    async def chat(self, id: int) -> Chat | None:
        """One of them; None for a stranger."""
        text = await self._server.ask("HGET", self._keys.chats, str(id))
        if text is None:
            return None
        try:
            return _chat.decode(text)
        except msgspec.MsgspecError as error:
            raise LedgerError(f"{self._server.kind}: the record of a chat cannot be read: {error}") from error

    async def save(self, chat: Chat, now: int) -> None:
        """Write a chat's record; what it waits for is looked at anew."""
        keys = (self._keys.due, self._keys.chats, self._keys.box(chat.id))
        await self._server.run("wake", keys, chat.id, _pack(chat), now)

    async def same(self, box: Box) -> bool:
        """Whether the chat is still as it was when it was claimed."""
        stored: bytes | None = await self._server.ask("HGET", self._keys.chats, str(box.chat.id))
        return stored == box.record

    async def close(self, box: Box, reason: str) -> bool:
        """Note that nothing can be sent to a chat any more; not when it has changed since: then somebody is there."""
        record = _pack(msgspec.structs.replace(box.chat, closed=reason))
        return bool(await self._server.run("close", (self._keys.chats,), box.chat.id, box.record, record))

    async def erase(self, id: int, now: int) -> bool:
        """Forget everything about a chat; whether it was known."""
        keys = self._keys
        places = [keys.box(id), *(keys.done(week, id) for week in weeks(now))]
        names = (*self._queues, keys.free, keys.chats, keys.episodes, *places)
        return bool(await self._server.run("erase", names, id, keys.told("")))

    async def move(self, old: int, new: int, now: int) -> None:
        """A group has become another chat; what it waits for goes along."""
        chat, keys = await self.chat(old), self._keys
        if chat is None or old == new:
            return
        done = [(keys.done(week, old), keys.done(week, new)) for week in weeks(now)]
        places = [name for pair in [(keys.box(old), keys.box(new)), *done] for name in pair]
        record = _pack(msgspec.structs.replace(chat, id=new))
        names = (*self._queues, keys.free, keys.chats, keys.episodes, *places)
        await self._server.run("move", names, old, new, record, keys.told(""), _pack(Told()), now)

    async def rest(self, id: int, until: int) -> None:
        """Leave a chat alone until then, or for longer if that was said before; of a stranger nothing is noted."""
        await self._server.run("rest", (self._keys.free, self._keys.chats), id, until)

    async def free_at(self, id: int) -> int:
        """Until when a chat is claimed or to be left alone; 0 when nothing was said."""
        score: bytes | float | None = await self._server.ask("ZSCORE", self._keys.free, str(id))
        return round(float(score)) if score else 0

    async def stay_away(self, until: int, now: int) -> None:
        """Nobody is to be addressed before `until`: the messenger asked the whole bot to wait."""
        if until > now:
            await self._server.ask("SET", self._keys.stay_away, until, "PX", until - now)

    async def away_until(self) -> int:
        """Until when nobody is to be addressed; 0 when everybody may be."""
        return int(await self._server.ask("GET", self._keys.stay_away) or 0)

    async def counts(self) -> Counts:
        """How many chats there are and how many wait."""
        chats, keys = await self.chats(), self._keys
        words, pictures, first = await self._server.ask_all(
            [("ZCARD", keys.due), ("ZCARD", keys.pictures), ("ZRANGE", keys.due, "0", "0", "WITHSCORES")]
        )
        oldest = round(float(first[1])) if first else None
        closed = sum(bool(chat.closed) for chat in chats)
        return Counts(chats=len(chats) - closed, closed=closed, waiting=words + pictures, oldest=oldest)

    async def now(self) -> int:
        """The store's own clock: replicas whose clocks differ agree on it."""
        seconds, micros = await self._server.ask("TIME")
        return int(seconds) * 1_000 + int(micros) // 1_000

    def _legible(self, decoder: "msgspec.msgpack.Decoder[_T]", text: bytes) -> _T | None:
        try:
            return decoder.decode(text)
        except msgspec.MsgspecError as error:
            log.warning("%s: a record of the outbox is passed over, it cannot be read: %s", self._server.kind, error)
            return None


def weeks(now: int) -> range:
    """The weeks since 1970 in which settled rows may still stand."""
    return range(now // WEEK - WEEKS + 1, now // WEEK + 1)
