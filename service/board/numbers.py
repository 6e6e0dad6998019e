"""The big numbers as HTML: hour, day, against the usual, how much was heard. Escapes all it is given; pure."""

from html import escape

from service.board.phrases import UNKNOWN, Phrases
from service.board.picture import Market, Window
from service.model import Side
from service.text import percent


def numbers(market: Market | None, words: Phrases) -> str:
    """Four cards. Without a market all of them are unknown."""
    return "".join(
        (
            _window(words.hour, market.hour if market else None, words),
            _window(words.day, market.day if market else None, words),
            _usual(market, words),
            _heard(market, words),
        )
    )


def dollars(window: Window, words: Phrases) -> str:
    """A window's dollars as plain text."""
    if not window.known:
        return UNKNOWN
    floor = f"{words.floor} " if window.coverage.at_least and window.totals.usd else ""
    text = f"{floor}{words.usd(window.totals.usd)}"
    return text if words.code == "en" else text.replace(" ", "")


def _window(title: str, window: Window | None, words: Phrases) -> str:
    if window is None or not window.known:
        return _card(title, UNKNOWN, f"<p class=small>{escape(words.waiting)}</p>" if window is None else "")
    totals = window.totals
    floor = words.floor if window.coverage.at_least and totals.usd else ""
    share = words.nothing if totals.share is None else words.share(totals.share)
    longs, shorts = words.usd(totals.long_usd), words.usd(totals.short_usd)
    detail = (
        f"{_split(totals.share)}<p class=sides><span class=long>{escape(words.side[Side.LONG])} <b>{longs}</b></span>"
        f"<span class=short>{escape(words.side[Side.SHORT])} <b>{shorts}</b></span></p>"
    )
    return _card(title, words.usd(totals.usd), detail, floor=floor, beside=share)


def _split(share: float | None) -> str:
    """A bar of both sides' parts; hatched while nobody knows."""
    if share is None:
        return "<div class='split none' aria-hidden=true></div>"
    return f"<div class=split aria-hidden=true><i class=long style='width:{100 * (1 - share):.2f}%'></i></div>"


def _usual(market: Market | None, words: Phrases) -> str:
    times = market.multiple if market else None
    usual = market.usual_usd if market else None
    record = words.since(market.since) if market and market.since else ""
    lines = [words.learning if usual is None else words.usual_is(usual), "" if record else _no_record(market, words)]
    text = "".join(f"<p class=small>{escape(line)}</p>" for line in lines if line)
    return _card(words.usual, UNKNOWN if times is None else words.times(times), text, beside=record)


def _no_record(market: Market | None, words: Phrases) -> str:
    """Why the hour is called no record."""
    if market is None or not market.hour.totals.usd:
        return ""
    return words.since_lately if market.remembers else words.since_when


def _heard(market: Market | None, words: Phrases) -> str:
    coverage = market.hour.coverage if market else None
    share = coverage.seconds_share if coverage else None
    lines = [words.live(coverage), words.hidden(coverage)] if coverage else []
    text = "".join(f"<p class=small>{escape(line)}</p>" for line in lines if line)
    return _card(words.heard, UNKNOWN if share is None else percent(share), text, beside=words.heard_hour)


def _card(title: str, big: str, detail: str, *, floor: str = "", beside: str = "") -> str:
    before = f"<small>{escape(floor)}</small> " if floor else ""
    after = f" <span class=beside>{escape(beside)}</span>" if beside else ""
    return (
        f"<div class=card><h3>{escape(title)}</h3><p class=big>{before}<strong>{escape(big)}</strong>{after}</p>"
        f"{detail}</div>"
    )
