"""The rows of the outbox, on the server: put once for each alert and chat, claimed, settled. Knows no messenger.

Every step that must not be half done is one script. Times are ms UTC of the wall, handed in.
"""

from collections.abc import Mapping, Sequence

import msgspec

from service.ledger.server import Server
from service.model import HOUR, Alert
from service.outbox.chats import WEEK, Chats, weeks
from service.outbox.rows import Box, Row, State, Told, Turn, key_of
from service.subscribers import Chat

#: Settled rows, and what was told of an episode, are kept at least this long.
KEEP = 2 * WEEK
#: Chats in one step; the server answers nobody else meanwhile.
CHUNK = 1_000
#: What the messenger needs to send a picture again is worth keeping no longer.
PICTURE_KEEP = 24 * HOUR

_chat = msgspec.msgpack.Decoder(Chat)
_row = msgspec.msgpack.Decoder(Row)
_told = msgspec.msgpack.Decoder(Told)
_pack = msgspec.msgpack.encode


class Outbox(Chats):
    """Who is told what on one messenger. Every method may raise LedgerError and may be repeated."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self._last = 0

    async def told(self, episode: str) -> dict[int, Told]:
        """By chat; who has a row of the episode stands here, sent or not."""
        fields = await self._server.ask("HGETALL", self._keys.told(episode))
        return {int(chat): self._legible(_told, text) or Told() for chat, text in fields.items()}

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
        boxes = []
        for name, who, fields in found:
            rows = await self._cleared(name, dict(zip(fields[::2], fields[1::2], strict=True)))
            chat = self._legible(_chat, who)
            if chat is not None and rows:
                boxes.append(Box(chat=chat, rows=tuple(rows), told={}, record=who, claim=now + claim_ms))
        return await self._with_told(boxes)

    async def settle(self, turn: Turn, now: int) -> bool:
        """Write what became of a claim and let the chat go; False when it was erased meanwhile."""
        keys, told = self._keys, dict(turn.told)
        names = (*self._queues, keys.free, keys.chats, keys.episodes, keys.box(turn.chat))
        places = (*names, keys.done(now // WEEK, turn.chat), *map(keys.told, told))
        numbers = (now, turn.free, turn.due, turn.left, turn.words, KEEP, len(turn.rows), len(turn.stay))
        rows = [part for row in (*turn.rows, *turn.stay) for part in (key_of(row), _pack(row))]
        pairs = [part for episode, one in told.items() for part in (episode, _pack(one))]
        return bool(await self._server.run("settle", places, turn.chat, turn.record, *numbers, *rows, *pairs))

    async def release(self, box: Box, now: int) -> None:
        """Give a claim back unused. Whatever was settled or asked for since stays as it is."""
        await self._server.run("unclaim", (self._keys.free, *self._queues), box.chat.id, box.claim, now)

    async def rows(self, id: int, now: int) -> list[Row]:
        """Every row of a chat that is still known, pending ones last, each kind in the order it was queued."""
        names = [*(self._keys.done(week, id) for week in weeks(now)), self._keys.box(id)]
        stored = await self._server.ask_all([("HVALS", name) for name in names])
        found = [row for texts in stored for row in self._rows(texts)]
        return sorted(found, key=lambda row: (row.state is State.PENDING, row.queued))

    async def picture(self, alert: str) -> str:
        """What the picture of an alert can be sent by again; empty when it was not sent yet."""
        text = await self._server.ask("GET", self._keys.picture(alert))
        return text.decode() if text else ""

    async def keep_picture(self, alert: str, file: str) -> None:
        """Remember it."""
        await self._server.ask("SET", self._keys.picture(alert), file, "PX", PICTURE_KEEP)

    async def _with_told(self, boxes: Sequence[Box]) -> list[Box]:
        asked = [(box.chat.id, episode) for box in boxes for episode in dict.fromkeys(row.episode for row in box.rows)]
        commands = [("HGET", self._keys.told(episode), str(chat)) for chat, episode in asked]
        stored = await self._server.ask_all(commands) if commands else []
        told: dict[int, dict[str, Told]] = {}
        for (chat, episode), text in zip(asked, stored, strict=True):
            one = None if text is None else self._legible(_told, text)
            if one is not None:
                told.setdefault(chat, {})[episode] = one
        return [msgspec.structs.replace(box, told=told.get(box.chat.id, {})) for box in boxes]

    async def _cleared(self, chat: bytes, fields: Mapping[bytes, bytes]) -> list[Row]:
        """The rows; one that cannot be read leaves the box, or the chat would be looked at for ever."""
        rows = self._rows(list(fields.values()))
        if len(rows) < len(fields):
            bad = [name for name, text in fields.items() if self._legible(_row, text) is None]
            await self._server.ask("HDEL", self._keys.box(chat.decode()), *bad)
        return rows

    def _rows(self, texts: Sequence[bytes]) -> list[Row]:
        rows = [row for text in texts if (row := self._legible(_row, text)) is not None]
        return sorted(rows, key=lambda row: row.queued)
