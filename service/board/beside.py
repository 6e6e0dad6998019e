"""What stands beside the market, as HTML: one quiet card of facts. Escapes all it is given; pure."""

from html import escape

from service.board.phrases import Phrases
from service.board.picture import Market
from service.text.standing import Fact


def beside(market: Market | None, words: Phrases) -> str:
    """Facts with their ages; that all of it is unknown, or switched off, is said in one line."""
    if market is None:
        return f"<p class=none>{escape(words.waiting)}</p>"
    if market.context is None:
        return f"<p class=none>{escape(words.no_context)}</p>"
    facts = "".join(_fact(fact) for fact in words.standing(market.context))
    return f"<dl>{facts}</dl><p class=small>{escape(words.no_forecast)}</p>"


def _fact(fact: Fact) -> str:
    notes = "".join(f"<span class=note>{escape(note)}</span>" for note in fact.notes)
    unknown = "" if fact.known else " unknown"
    return (
        f"<div class='fact {escape(fact.topic)}{unknown}'><dt>{escape(fact.head)}</dt>"
        f"<dd><strong>{escape(fact.said)}</strong>{notes}</dd></div>"
    )
