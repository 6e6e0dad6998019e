"""A control stream that also tells marks, funding or open interest: a heartbeat each frame, and now and then its words.

Owns the pace of one connection and what becomes of a frame; the words are the venue's `Tickers.hear`. Pure.
"""

from collections.abc import Sequence

from service.model import DecodeError
from service.venues.base.history import Spoilt
from service.venues.base.protocol import Control, Event, Told
from service.venues.base.tickers import Sips, Tickers

_CONTROL = (Control(),)


class Sipping:
    """One connection's control stream."""

    def __init__(self, tickers: Tickers) -> None:
        self._tickers = tickers
        self._sips = Sips()

    def events(self, frame: str | bytes, seen: int) -> Sequence[Event]:
        """A sign of life; with what the frame tells when a sip is due, or Spoilt where its words are refused."""
        if not self._sips.due(seen):
            return _CONTROL
        try:
            told = self._tickers.hear(frame, seen)
        except DecodeError as error:
            return Control(), Spoilt(detail=str(error), reason="control")
        return (Control(), Told(tickers=tuple(told))) if told else _CONTROL
