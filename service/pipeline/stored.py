"""How a market rests in the store between two rounds: shapes and encoding. A state and the cursor go together."""

import msgspec

from service.detector import Gauge, State

#: The name under which the cursor is stored beside the markets.
CURSOR = "*"


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """One market at rest."""

    life: State = State()
    gauge: Gauge | None = None
    board: bytes | None = None
    swing: bytes | None = None


class Glimpse(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a market at rest that can be shown."""

    life: State = State()
    board: bytes | None = None


class Cursor(msgspec.Struct, frozen=True):
    """How far the stream has been read, and when (ms UTC)."""

    cursor: str
    at: int


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Stored).decode
decode_glimpse = msgspec.msgpack.Decoder(Glimpse).decode
decode_cursor = msgspec.msgpack.Decoder(Cursor).decode
