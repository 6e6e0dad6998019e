"""Everything the bot can say, as a list of blanks each language fills in. Owns the list; says nothing itself.

Texts are Telegram's HTML: whoever fills a blank with something from outside escapes it (`safe`). Labels, `rule`,
`asset`, `zone` and what is called a toast are plain.
"""

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from service.bot.market import Status, Top
from service.bot.seen import Counts
from service.model import Alert, ContextReport
from service.subscribers import Chat, Quiet, Rule
from service.subscribers.misread import Misread

_QUOTED = 60


def whole(text: str) -> str:
    """Our own text for a place in HTML: never cut, since what is foreign in it was bounded when it came in."""
    return html.escape(text, quote=False)


def safe(text: str) -> str:
    """Foreign text for a place in HTML, cut to what a quotation needs."""
    cut = text if len(text) <= _QUOTED else text[: _QUOTED - 1] + "…"
    return whole(cut)


@dataclass(frozen=True, kw_only=True)
class Labels:
    """What stands on buttons."""

    choose: str
    rules: str
    add: str
    quiet: str
    test: str
    subscribe: str
    adjust: str
    save: str
    other_market: str
    any_venue: str
    venue: Callable[[str | None], str]
    both: str
    squeezes: str
    flushes: str
    severities: tuple[str, str, str]
    """Of watch, warning, critical: this and more severe."""
    any_usd: str
    usd: Callable[[float], str]
    edit_one: str
    pause_one: str
    resume_one: str
    delete_one: str
    test_one: str
    """These five before the number of a rule."""
    put_back: str
    quiet_off: str
    critical_off: str
    critical_on: str
    length: Callable[[int], str]
    """Of minutes."""
    unmute: str
    stop: str
    keep: str


@dataclass(frozen=True, kw_only=True)
class Phrases:
    """One language."""

    code: str
    name: str
    """As its speakers call it."""
    simulation: str
    """Before every answer of a rehearsal."""
    label: Labels
    menu: Mapping[str, str]
    """Every command people may give, in the order of the help, and what it does in a few words."""

    store_down: str
    our_fault: str
    old_button: str
    """A toast."""
    admins_only: str
    """A toast."""
    admins_unknown: str
    """A toast."""
    slower: str
    """A toast."""
    unknown: Callable[[str], str]
    """Of the name of the nearest command."""
    slip: Callable[[Misread], str]

    asset: Callable[[str], str]
    zone: Callable[[str], str]
    """Of the tz name; plain."""
    rule: Callable[[Rule], str]
    welcome: str
    welcome_back: Callable[[Sequence[Rule], int], str]
    """Of the first rules, and how many more there are."""
    offered: Callable[[Rule], str]
    subscribed: Callable[[Rule, bool, bool], str]
    """Of the rule, whether its coin was never seen, and whether a cascade of it is running."""
    changed: Callable[[Rule, bool], str]
    twin: Callable[[Rule], str]
    full: Callable[[int], str]
    choose_market: str
    choose_venue: Callable[[Rule], str]
    board: Callable[[Rule], str]
    no_rules: str
    rules: Callable[[Sequence[Rule], int, int], str]
    """Of the rules of one page, its number from 1, and how many pages there are."""
    deleted: Callable[[Rule], str]
    gone: str
    """A toast."""
    tested: str
    """A toast."""

    no_quiet: str
    quiet: Callable[[Quiet, int], str]
    """Of the hours, and now (ms UTC)."""
    choose_zone: Callable[[Quiet], str]
    not_muted: str
    muted: Callable[[int, Quiet | None], str]
    """Of the end (ms UTC); in the zone of the quiet hours, too, where there are some."""
    unmuted: str

    top: Callable[[Top], str]
    status: Callable[[Status], str]
    last: Callable[[Sequence[Alert], int], str]
    """Of the alerts, newest last, and now (ms UTC)."""

    context: Callable[[str, ContextReport | None], str]
    """Of the market asked for, and what stands beside it; None while context is switched off."""

    choose_language: str
    language_set: str
    stop: Callable[[Chat], str]
    stopped: Callable[[Chat], str]
    nothing_kept: str
    kept: str
    help: Callable[[Mapping[str, str]], str]
    stats: Callable[[Counts, int], str]
    """Of the counts, and now (ms UTC)."""
