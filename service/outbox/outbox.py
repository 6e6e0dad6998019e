"""The outbox on the server: chats, their pending and settled rows, what each was told, and when it may be addressed.

Every step that must not be half done is one script. Knows no messenger; times are ms UTC of the wall, handed in.
"""

import logging
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from service.ledger import LedgerError
from service.ledger.server import Server
from service.model import HOUR, Alert
from service.outbox.rows import Box, Counts, Row, State, Told, Turn, key_of
from service.subscribers import Chat

DAY = 24 * HOUR
WEEK = 7 * DAY
#: Settled rows, and what was told of an episode, are kept at least this long.
KEEP = 2 * WEEK
#: Done rows are kept by weeks; in so many of them a row may still stand.
WEEKS = 4
#: Chats in one step; the server answers nobody else meanwhile.
CHUNK = 1_000
#: What the messenger needs to send a picture again is worth keeping no longer.
PICTURE_KEEP = DAY

log = logging.getLogger("cascade.outbox")

_chat = msgspec.msgpack.Decoder(Chat)
_row = msgspec.msgpack.Decoder(Row)
_told = msgspec.msgpack.Decoder(Told)
_pack = msgspec.msgpack.encode
_T = TypeVar("_T")


class Outbox:
    """Who is told what on one messenger. Every method may raise LedgerError and may be repeated."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._keys = server.keys
        self._last = 0
        self._queues = (self._keys.due, self._keys.pictures)

    async def chats(self) -> list[Chat]:
        """All of them but those whose record cannot be read: one damaged one must not silence the others."""
        stored = await self._server.ask("HVALS", self._keys.chats)
        return [chat for text in stored if (chat := self._legible(_chat, text)) is not None]

    async def chat(self, id: int) -> Chat | None:
        """One of them; None for a stranger."""
        text = await self._server.ask("HGET", self._keys.chats, str(id))
        return None if text is None else self._read(_chat, text)

    async def save(self, chat: Chat, now: int) -> None:
        """Write a chat's record; what it waits for is looked at anew."""
        keys = (self._keys.due, self._keys.chats, self._keys.box(chat.id))
        await self._server.run("wake", keys, chat.id, _pack(chat), now)

    async def erase(self, id: int, now: int) -> bool:
        """Forget everything about a chat; whether it was known."""
        keys = self._keys
        places = [keys.box(id), *(keys.done(week, id) for week in _weeks(now))]
        head = keys.told("")
        gone = await self._server.run("erase", (*self._queues, keys.free, keys.chats, keys.episodes, *places), id, head)
        return bool(gone)

    async def move(self, old: int, new: int, now: int) -> None:
        """A group has become another chat; what it waits for goes along."""
        chat, keys = await self.chat(old), self._keys
        if chat is None or old == new:
            return
        done = [(keys.done(week, old), keys.done(week, new)) for week in _weeks(now)]
        names = [(keys.box(old), keys.box(new)), *done]
        places = [name for pair in names for name in pair]
        record = _pack(msgspec.structs.replace(chat, id=new))
        first = (*self._queues, keys.free, keys.chats, keys.episodes)
        await self._server.run("move", (*first, *places), old, new, record, keys.told(""), _pack(Told()), now)

    async def told(self, episode: str) -> dict[int, Told]:
        """By chat; who has a row of the episode stands here, sent or not."""
        fields = await self._server.ask("HGETALL", self._keys.told(episode))
        return {int(chat): self._read(_told, text) for chat, text in fields.items()}

    async def post(self, alert: Alert, chats: Sequence[int], now: int) -> int:
        """One row for each chat that has none of this alert; how many are new."""
        keys, week = self._keys, now // WEEK
        self._last = max(now, self._last + 1)  # rows of one chat are told in this order
        row = _pack(Row(alert=alert.id, episode=alert.episode, queued=self._last))
        names = (keys.due, keys.chats, keys.told(alert.episode), keys.episodes)
        heads = (keys.box(""), keys.done(week, ""), keys.done(week - 1, ""))
        fresh = 0
        for start in range(0, len(chats), CHUNK):
            some = chats[start : start + CHUNK]
            about = (now, KEEP, alert.episode, alert.id, row, _pack(Told()))
            fresh += await self._server.run("post", names, *heads, *about, *some)
        return fresh

    async def take(self, now: int, claim_ms: int, limit: int) -> list[Box]:
        """Claim up to `limit` chats that are due; a claim that is not settled ends by itself after `claim_ms`."""
        names = (*self._queues, self._keys.free, self._keys.chats)
        found = await self._server.run("take", names, self._keys.box(""), now, now + claim_ms, limit)
        legible = [
            (chat, self._rows(rows)) for _, who, rows in found if (chat := self._legible(_chat, who)) is not None
        ]
        return await self._boxes(legible)

    async def settle(self, turn: Turn, now: int) -> bool:
        """Write what became of a claim and let the chat go; False when it was erased meanwhile."""
        keys, told = self._keys, dict(turn.told)
        names = (*self._queues, keys.free, keys.chats, keys.box(turn.chat), keys.done(now // WEEK, turn.chat))
        rows = [part for row in (*turn.rows, *turn.stay) for part in (key_of(row), _pack(row))]
        counts = (len(turn.rows), len(turn.stay))
        args = (turn.chat, turn.free, turn.due, turn.left, turn.words, KEEP, *counts, *rows, *map(_pack, told.values()))
        return bool(await self._server.run("settle", (*names, *map(keys.told, told)), *args))

    async def rows(self, id: int, now: int) -> list[Row]:
        """Every row of a chat that is still known, pending ones last, each kind in the order it was queued."""
        names = [*(self._keys.done(week, id) for week in _weeks(now)), self._keys.box(id)]
        stored = await self._server.ask_all([("HVALS", name) for name in names])
        found = [row for texts in stored for row in self._rows(texts)]
        return sorted(found, key=lambda row: (row.state is State.PENDING, row.queued))

    async def counts(self) -> Counts:
        """How many chats there are and how many wait."""
        chats = await self.chats()
        keys = self._keys
        words, pictures, first = await self._server.ask_all(
            [("ZCARD", keys.due), ("ZCARD", keys.pictures), ("ZRANGE", keys.due, "0", "0", "WITHSCORES")]
        )
        oldest = round(float(first[1])) if first else None
        closed = sum(bool(chat.closed) for chat in chats)
        return Counts(chats=len(chats) - closed, closed=closed, waiting=words + pictures, oldest=oldest)

    async def picture(self, episode: str) -> str:
        """What the episode's picture can be sent by again; empty when it was not sent yet."""
        text = await self._server.ask("GET", self._keys.picture(episode))
        return text.decode() if text else ""

    async def keep_picture(self, episode: str, file: str) -> None:
        """Remember it."""
        await self._server.ask("SET", self._keys.picture(episode), file, "PX", PICTURE_KEEP)

    async def stay_away(self, until: int, now: int) -> None:
        """Nobody is to be addressed before `until`: the messenger asked the whole bot to wait."""
        if until > now:
            await self._server.ask("SET", self._keys.stay_away, until, "PX", until - now)

    async def away_until(self) -> int:
        """Until when nobody is to be addressed, ms UTC; 0 when everybody may be."""
        return int(await self._server.ask("GET", self._keys.stay_away) or 0)

    async def _boxes(self, found: Sequence[tuple[Chat, list[Row]]]) -> list[Box]:
        asked = [(chat.id, episode) for chat, rows in found for episode in dict.fromkeys(row.episode for row in rows)]
        commands = [("HGET", self._keys.told(episode), str(chat)) for chat, episode in asked]
        stored = await self._server.ask_all(commands) if commands else []
        told: dict[int, dict[str, Told]] = {}
        for (chat, episode), text in zip(asked, stored, strict=True):
            if text is not None:
                told.setdefault(chat, {})[episode] = self._read(_told, text)
        return [Box(chat=chat, rows=tuple(rows), told=told.get(chat.id, {})) for chat, rows in found]

    def _rows(self, texts: Sequence[bytes]) -> list[Row]:
        rows = [row for text in texts if (row := self._legible(_row, text)) is not None]
        return sorted(rows, key=lambda row: row.queued)

    def _legible(self, decoder: "msgspec.msgpack.Decoder[_T]", text: bytes) -> _T | None:
        try:
            return decoder.decode(text)
        except msgspec.MsgspecError as error:
            log.warning("%s: a record of the outbox is passed over, it cannot be read: %s", self._server.kind, error)
            return None

    def _read(self, decoder: "msgspec.msgpack.Decoder[_T]", text: bytes) -> _T:
        try:
            return decoder.decode(text)
        except msgspec.MsgspecError as error:
            raise LedgerError(f"{self._server.kind}: a stored record of the outbox cannot be read: {error}") from error


def _weeks(now: int) -> range:
    return range(now // WEEK - WEEKS + 1, now // WEEK + 1)
