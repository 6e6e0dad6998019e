"""The decode door: raw frames in, normalised orders out, for people who check us against a venue's own words."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, TextIO

import msgspec

from service.model import DecodeError, Instrument, Liquidation, Print
from service.venues.base import Session, Venue, settle

_FIELDS = ("venue", "symbol", "asset", "side", "price", "quantity", "usd", "at", "id")


def read_instruments(venue: Venue, paths: Sequence[Path]) -> dict[str, Instrument]:
    """Contracts of raw metadata bodies. Raises DecodeError or OSError, naming the file."""
    book: dict[str, Instrument] = {}
    for path in paths:
        try:
            found, _ = venue.instruments(path.read_bytes())
        except DecodeError as error:
            raise DecodeError(f"{path}: {error}") from None
        book.update({instrument.symbol: instrument for instrument in found})
    return book


def decode(venue: Venue, book: Mapping[str, Instrument], frames: BinaryIO, out: TextIO, err: TextIO) -> int:
    """One JSON line per order on `out`, one line per bad frame on `err`; 1 when any frame was bad, else 0."""
    session, bad = venue.session(), 0
    for line, frame in enumerate(frames, 1):
        text = frame.strip()
        if not text:
            continue
        try:
            orders = list(_orders(venue, session, book, text))
        except DecodeError as error:
            bad += 1
            print(f"line {line}: {error}", file=err)
        else:
            for order in orders:
                print(_json(order), file=out)
    return 1 if bad else 0


def _orders(venue: Venue, session: Session, book: Mapping[str, Instrument], frame: bytes) -> Iterable[Liquidation]:
    # `seen` is our receipt time, which a recorded frame does not tell; no field that is printed depends on it
    orders = [event for event in session.decode(frame, 0) if isinstance(event, Print)]
    return [settle(order, _instrument(venue, book, order.symbol)) for order in orders]


def _instrument(venue: Venue, book: Mapping[str, Instrument], symbol: str) -> Instrument:
    instrument = book.get(symbol) or venue.implied(symbol)
    if instrument is None:
        raise DecodeError(
            f"{symbol}: its contract value is not known and never guessed; give the venue's metadata with --instruments"
        )
    return instrument


def _json(order: Liquidation) -> str:
    return msgspec.json.encode({name: getattr(order, name) for name in _FIELDS}).decode()
