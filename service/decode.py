"""The decode door: raw frames in, normalised orders out, for people who check us against a venue's own words."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, TextIO

import msgspec

from service.model import DecodeError, Instrument, Liquidation, Print, to_units, to_usd
from service.venues.base import Session, Spoilt, Venue, settle

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
    """One JSON line per order on `out`, one line per bad frame or row on `err`; 1 when any was bad, else 0."""
    session, bad = venue.session(), 0

    def tell(line: int, orders: Iterable[Liquidation | str]) -> None:
        nonlocal bad
        for order in orders:
            if isinstance(order, Liquidation):
                print(_json(order), file=out)
            else:
                bad += 1
                print(f"line {line}: {order}", file=err)

    line = 0
    for line, frame in enumerate(frames, 1):
        text = frame.strip()
        tell(line, _orders(venue, session, book, text) if text else ())
    tell(line, [_settled(venue, book, order) for order in session.farewell()])
    return 1 if bad else 0


def _orders(
    venue: Venue, session: Session, book: Mapping[str, Instrument], frame: bytes
) -> Iterator[Liquidation | str]:
    """The orders of a frame in its order; a text where there is none and should be."""
    try:
        events = session.decode(frame, 0)  # our receipt time is not known, and no field that is printed depends on it
    except DecodeError as error:
        yield str(error)
        return
    for event in events:
        if isinstance(event, Spoilt):
            yield event.detail
        elif isinstance(event, Print):
            yield _settled(venue, book, event)


def _settled(venue: Venue, book: Mapping[str, Instrument], order: Print) -> Liquidation | str:
    try:
        return settle(order, _instrument(venue, book, order.symbol))
    except DecodeError as error:
        return str(error)


def _instrument(venue: Venue, book: Mapping[str, Instrument], symbol: str) -> Instrument:
    instrument = book.get(symbol) or venue.implied(symbol)
    if instrument is None:
        raise DecodeError(
            f"{symbol}: its contract value is not known and never guessed; give the venue's metadata with --instruments"
        )
    return instrument


def _json(order: Liquidation) -> str:
    fields = {name: getattr(order, name) for name in _FIELDS}
    if not order.at:
        fields["at"] = None  # the feed tells no time, and when the frame came is not known here
    # the ledger's own precision; more would be the noise of floats
    return msgspec.json.encode(fields | {"usd": to_usd(to_units(order.usd))}).decode()
