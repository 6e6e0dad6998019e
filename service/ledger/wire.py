"""How a batch of orders travels to the scripts and rests in the `liquidations` stream: msgpack rows, one per order.

A row is [venue, symbol, asset, "l" or "s", price, quantity, units, at, seen, id]; units are 1/10,000 USD, an unknown
price or quantity is NaN, since a hole would make the scripting engine write a map. Text only: it refuses msgpack's bin.
"""

import struct
from collections.abc import Sequence
from math import isnan, nan

import msgspec

from service.model import Liquidation, Side, to_units, to_usd

_LETTERS = {Side.LONG: "l", Side.SHORT: "s"}
SIDES = {letter: side for side, letter in _LETTERS.items()}


class _Row(msgspec.Struct, array_like=True, frozen=True):
    venue: str
    symbol: str
    asset: str
    side: str
    price: float
    quantity: float
    units: int
    at: int
    seen: int
    id: str


_decoder = msgspec.msgpack.Decoder(list[_Row])


def tally(stored: bytes) -> list[int]:
    """A stored bucket: long and short units, long and short orders, as little-endian doubles, exact up to 2^53."""
    return [int(number) for number in struct.unpack("<dddd", stored)]


def pack(batch: Sequence[Liquidation]) -> bytes:
    """Rows of a batch, in its order."""
    return msgspec.msgpack.encode(
        [
            (
                order.venue,
                order.symbol,
                order.asset,
                _LETTERS[order.side],
                nan if order.price is None else order.price,
                nan if order.quantity is None else order.quantity,
                to_units(order.usd),
                order.at,
                order.seen,
                order.id,
            )
            for order in batch
        ]
    )


def unpack(blob: bytes) -> list[Liquidation]:
    """Orders of one stream entry, dollars rounded to the stored unit."""
    return [
        Liquidation(
            venue=row.venue,
            symbol=row.symbol,
            asset=row.asset,
            side=SIDES[row.side],
            price=None if isnan(row.price) else row.price,
            quantity=None if isnan(row.quantity) else row.quantity,
            usd=to_usd(row.units),
            at=row.at,
            seen=row.seen,
            id=row.id,
        )
        for row in _decoder.decode(blob)
    ]
