"""Rules in English: what one asks for, how one is made, what became of it."""

from collections.abc import Sequence

from service.bot.phrases import whole
from service.model import ALL, Kind, Severity
from service.subscribers import Rule
from service.text.amounts import level, usd_en

_KIND = {Kind.SHORT_SQUEEZE: "short squeezes", Kind.LONG_FLUSH: "long flushes"}
_SEVERITY = {Severity.WARNING: "warning and up", Severity.CRITICAL: "critical only"}

GREETING = (
    "<b>Liquidation cascades, told when they start.</b>\n"
    "I listen to the public liquidation feeds of derivatives venues and write to you when forced orders pile up: "
    "what, how much at least, which side, and how sure that is."
)
WELCOME = f"{GREETING}\n\nWhich market? One tap and you are subscribed."
CHOOSE_MARKET = (
    "Which market?\n\n"
    "Any other coin you can type: <code>/subscribe DOGE</code>. All at once works too: "
    "<code>/subscribe BTC squeeze 10M binance critical</code>"
)
NO_RULES = "You have no rules yet, so I tell you nothing."
_UNSEEN = "\nNo order of that coin has been seen lately. The rule waits for the first one."


def dollars(usd: float) -> str:
    """A level somebody has set: $10M."""
    return level(usd_en(usd))


def asset(name: str) -> str:
    """A market by its name on buttons."""
    return "Whole market" if name == ALL else name


def rule(rule: Rule) -> str:
    """What a rule asks for: BTC: short squeezes, critical only, from $10M on binance."""
    venue = rule.venue or ""
    size = f"from {dollars(rule.usd)}" + (f" on {venue}" if venue else "") if rule.usd else ""
    led = f"led by {venue} or mostly there" if venue and not rule.usd else ""
    kind = _KIND[rule.kind] if rule.kind else ""
    parts = [part for part in (kind, _SEVERITY.get(rule.severity, ""), size, led) if part]
    return f"{asset(rule.asset)}: {', '.join(parts) or 'every cascade'}"


def lines(rules: Sequence[Rule]) -> str:
    """One a line, by number."""
    return "\n".join(f"{one.id}. {whole(rule(one))}{' (paused)' if one.paused else ''}" for one in rules)


def welcome_back(rules: Sequence[Rule], more: int) -> str:
    """To somebody who is here already; `more` rules are not shown."""
    rest = f"\nand {more} more, see /rules" if more else ""
    return f"<b>You are subscribed.</b>\n{lines(rules)}{rest}\n\nOne tap adds another market."


def offered(one: Rule) -> str:
    """A rule that came with a link."""
    return f"{GREETING}\n\nYour link asks for:\n<b>{whole(rule(one))}</b>"


def subscribed(one: Rule, unseen: bool, running: bool) -> str:
    """A rule was made; `running` when there is a cascade of it at the moment."""
    now = "One is running right now, /status shows it.\n\n" if running else ""
    return (
        f"Done. I will tell you about\n<b>{whole(rule(one))}</b>{_UNSEEN if unseen else ''}\n\n"
        f"{now}Want to see what a message looks like?"
    )


def changed(one: Rule, unseen: bool) -> str:
    """A rule was changed."""
    return f"Rule {one.id} is now\n<b>{whole(rule(one))}</b>{_UNSEEN if unseen else ''}"


def twin(one: Rule) -> str:
    """The rule is there already."""
    paused = "\nIt is paused; /rules resumes it." if one.paused else ""
    return f"You have that already, as rule {one.id}:\n<b>{whole(rule(one))}</b>{paused}"


def full(most: int) -> str:
    """No room for another."""
    return f"A chat may have {most} rules, and you have them all. Delete one and there is room."


def choose_venue(one: Rule) -> str:
    """The page of venues."""
    if one.usd:
        return f"On which venue must the {dollars(one.usd)} be?"
    return "Which venue must lead it or hold the largest part?"


def board(one: Rule) -> str:
    """The page on which a rule is put together."""
    return f"<b>{whole(rule(one))}</b>\n\nTap what you want, then the last button."


def rules(shown: Sequence[Rule], page: int, pages: int) -> str:
    """A page of the list, its number from 1."""
    which = f", page {page} of {pages}" if pages > 1 else ""
    return f"<b>Your rules{which}</b>\n{lines(shown)}"


def deleted(one: Rule) -> str:
    """A rule is gone."""
    return f"Deleted: {whole(rule(one))}"
