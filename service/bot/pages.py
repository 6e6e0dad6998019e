"""The pages a rule is put together on, and the list of rules: which buttons stand where. Keeps and changes nothing."""

from msgspec.structs import replace

from service.bot.buttons import BOARD, MARKETS, SAVE, VENUES, packed, with_rule
from service.bot.seen import Buttons
from service.bot.visit import Answer, Visit
from service.model import ALL, Kind, Severity
from service.subscribers import Rule
from service.subscribers.parse import MAJORS

#: Offered by name; any other coin is typed.
MARKET_NAMES = (ALL, *MAJORS)
#: Rules on a page: with four buttons each, what a telephone shows and far from what a message holds.
PAGE = 8
_SIZES = (10e6, 50e6, 100e6)
_ROW = 3


def market_page(visit: Visit, draft: Rule | None) -> Answer:
    """Which market. Without a draft a rule begins here."""
    draft = draft or Rule(id=0)
    names = [(visit.say.asset(name), with_rule(BOARD, replace(draft, asset=name))) for name in MARKET_NAMES]
    return Answer(text=visit.say.choose_market, buttons=(names[:2], names[2:]))


def board_page(visit: Visit, draft: Rule) -> Answer:
    """Everything of a rule on one page; what is chosen carries a tick."""
    label = visit.say.label
    done = label.save if draft.id else label.subscribe
    return Answer(
        text=visit.say.board(draft),
        buttons=(
            _kinds(visit, draft),
            _severities(visit, draft),
            *_sizes(visit, draft),
            [
                (label.venue(draft.venue), with_rule(VENUES, draft)),
                (label.other_market, with_rule(MARKETS, draft)),
            ],
            [(done, with_rule(SAVE, draft))],
        ),
    )


def venue_page(visit: Visit, draft: Rule) -> Answer:
    """Which venue."""
    names = [
        _choice(name, replace(draft, venue=name), chosen=draft.venue == name) for name in visit.desk.house.venue_names
    ]
    rows = [names[first : first + _ROW] for first in range(0, len(names), _ROW)]
    anywhere = _choice(visit.say.label.any_venue, replace(draft, venue=None), chosen=draft.venue is None)
    return Answer(text=visit.say.choose_venue(draft), buttons=([anywhere], *rows))


def list_page(visit: Visit, page: int = 0) -> Answer:
    """A page of the rules, counted from 0, each with what can be done with it; of one there is not, the nearest."""
    say, label, all_rules = visit.say, visit.say.label, visit.chat.rules
    last = max(0, len(all_rules) - 1) // PAGE
    page = min(max(page, 0), last)
    shown = all_rules[PAGE * page : PAGE * (page + 1)]
    turns = [(sign, packed("rules", to)) for sign, to in (("‹", page - 1), ("›", page + 1)) if 0 <= to <= last]
    more = [(label.add, packed(MARKETS)), (label.quiet, packed("quiet"))]
    rows = [*(_row(visit, rule) for rule in shown), *([turns] if turns else []), more]
    return Answer(text=say.rules(shown, page + 1, last + 1) if shown else say.no_rules, buttons=rows)


def context_buttons(visit: Visit, asset: str) -> Buttons:
    """The other markets by name."""
    return [[(visit.say.asset(name), packed("beside", name)) for name in MARKET_NAMES if name != asset]]


def page_with(visit: Visit, id: int) -> int:
    """On which page a rule stands; the first for one that is gone."""
    return next((place // PAGE for place, rule in enumerate(visit.chat.rules) if rule.id == id), 0)


def test_buttons(visit: Visit, id: int) -> Buttons:
    """What one wants to do next with a rule."""
    label = visit.say.label
    return [[(label.test, packed("test", id))], [(label.rules, packed("rules")), (label.quiet, packed("quiet"))]]


def _row(visit: Visit, rule: Rule) -> list[tuple[str, str]]:
    label = visit.say.label
    rest = (label.resume_one, "resume") if rule.paused else (label.pause_one, "pause")
    verbs = ((label.edit_one, "edit"), rest, (label.delete_one, "delete"), (label.test_one, "test"))
    return [(f"{name} {rule.id}", packed(verb, rule.id)) for name, verb in verbs]


def _kinds(visit: Visit, draft: Rule) -> list[tuple[str, str]]:
    label = visit.say.label
    names: tuple[tuple[Kind | None, str], ...] = (
        (None, label.both),
        (Kind.SHORT_SQUEEZE, label.squeezes),
        (Kind.LONG_FLUSH, label.flushes),
    )
    return [_choice(name, replace(draft, kind=kind), chosen=draft.kind is kind) for kind, name in names]


def _severities(visit: Visit, draft: Rule) -> list[tuple[str, str]]:
    return [
        _choice(name, replace(draft, severity=severity), chosen=draft.severity is severity)
        for severity, name in zip(Severity, visit.say.label.severities, strict=True)
    ]


def _sizes(visit: Visit, draft: Rule) -> Buttons:
    """Two rows of sums; one that was typed stands among them."""
    label = visit.say.label
    typed = () if draft.usd in (None, *_SIZES) else (draft.usd,)
    sums = (None, *sorted({*_SIZES, *(usd for usd in typed if usd is not None)}))
    names = [
        _choice(label.any_usd if usd is None else label.usd(usd), replace(draft, usd=usd), chosen=draft.usd == usd)
        for usd in sums
    ]
    return [names[:2], names[2:]]


def _choice(name: str, rule: Rule, *, chosen: bool) -> tuple[str, str]:
    return f"✓ {name}" if chosen else name, with_rule(BOARD, rule)
