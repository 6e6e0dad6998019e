"""A chat's own matters in English: hours, mutes, language, farewell, help, and what could not be read."""

from collections.abc import Mapping
from datetime import datetime

from service.bot.phrases import safe
from service.bot.seen import Counts
from service.model import HOUR, MINUTE
from service.subscribers import Chat, Quiet
from service.subscribers.amounts import written
from service.subscribers.misread import Misread, Slip
from service.text.amounts import listed, stamp_utc
from service.text.zones import clock, zone_en

NO_QUIET = (
    "No quiet hours are set.\n\nSet them like this: <code>/quiet 23:00-07:00 Europe/Berlin</code> "
    "(or <code>UTC+8</code>), or tap:"
)
_DAY_MINUTES = 24 * 60
_ALLOWED = {
    Slip.USD: "I cannot use {} as dollars. From $1,000 to $1T, like <code>10M</code>, <code>250k</code> or "
    "<code>$10,000,000</code>.",
    Slip.DURATION: "I cannot read {} as a length of time. From a minute to seven days, like <code>90m</code>, "
    "<code>2h</code> or <code>1d</code>.",
    Slip.QUIET: "I cannot read {} as hours. Like this: <code>/quiet 23:00-07:00 Europe/Berlin</code>, or "
    "<code>/quiet off</code>.",
    Slip.ZONE: "I know no time zone {}. Like <code>Europe/Berlin</code>, <code>New York</code> or <code>UTC+8</code>.",
    Slip.NO_ZONE: "{} where? Add a time zone, like <code>Europe/Berlin</code> or <code>UTC+8</code>.",
    Slip.ASSET: "{} is no name of a coin: up to 15 letters and digits, like <code>BTC</code>.",
    Slip.WORD: "I do not know the word {}. A rule is made of a coin, squeeze or flush, watch, warning or critical, "
    "dollars, and a venue, in any order.",
    Slip.TWICE: "{} is one too many: one rule has one coin, one kind, one severity, one size, one venue.",
}


def slip(error: Misread) -> str:
    """What could not be read, what is allowed, what may have been meant."""
    said = _ALLOWED[error.slip].format(f"“{safe(error.given)}”" if error.given.strip() else "nothing")
    near = [f"<code>{safe(name)}</code>" for name in error.near]
    return f"{said}\nDid you mean {listed(near, ' or ')}?" if near else said


def quiet(hours: Quiet, now: int) -> str:
    """The quiet hours as they stand; `now` in ms UTC."""
    place, there = safe(zone_en(hours.zone)), _there(now, hours.zone)
    if hours.start == hours.end:
        head = f"Quiet <b>all day</b>, {place} ({there} there now)."
        rest = "Only critical alerts come through." if hours.critical else "Nothing is told."
        return f"{head}\n{rest}"
    head = f"Quiet from <b>{written(hours.start)}</b> to <b>{written(hours.end)}</b>, {place} ({there} there now)."
    through = "Critical alerts come through." if hours.critical else "Critical alerts are held, too."
    return f"{head}\nWhat comes meanwhile is told in one message afterwards. {through}"


def choose_zone(hours: Quiet) -> str:
    """Hours without a zone."""
    return (
        f"{written(hours.start)} to {written(hours.end)} where? Tap, or type it: "
        f"<code>/quiet {written(hours.start)}-{written(hours.end)} Europe/Paris</code>"
    )


def muted(until: int, hours: Quiet | None) -> str:
    """Nothing is told for a while; `until` in ms UTC."""
    there = f" ({_there(until, hours.zone)} {safe(zone_en(hours.zone))})" if hours else ""
    return f"Muted until {stamp_utc(until)}{there}. What comes meanwhile is told in one message afterwards."


def stop(chat: Chat) -> str:
    """The question before everything is deleted."""
    return f"This deletes all that is kept of this chat: {_kept(chat)}. Sure?"


def stopped(chat: Chat) -> str:
    """Everything is deleted."""
    return f"Deleted: {_kept(chat)}. Nothing is kept of this chat. /start begins anew."


def overview(menu: Mapping[str, str]) -> str:
    """All commands."""
    return "<b>What I understand</b>\n" + "\n".join(f"/{name}: {what}" for name, what in menu.items())


def unknown(name: str) -> str:
    """No command of ours."""
    return f"I do not understand that. Did you mean /{name}?" + ("" if name == "help" else " All of them: /help")


def stats(counts: Counts, now: int) -> str:
    """For the owners; `now` in ms UTC."""
    waits = "nobody waits"
    if counts.oldest is not None:
        overdue = length(max(0, now - counts.oldest) // MINUTE)
        waits = f"{counts.waiting} wait or are held, the first is overdue by {overdue}"
    return f"{counts.chats} chats, {counts.closed} closed\n{waits}"


def length(minutes: int) -> str:
    """Minutes as people say them."""
    if minutes >= _DAY_MINUTES and not minutes % _DAY_MINUTES:
        return f"{minutes // _DAY_MINUTES} d"
    hours, rest = divmod(minutes, HOUR // MINUTE)
    return " ".join(
        part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest or not hours else "") if part
    )


def _there(at: int, zone: str) -> str:
    return datetime.fromtimestamp(at / 1_000, clock(zone)).strftime("%H:%M")


def _kept(chat: Chat) -> str:
    count = len(chat.rules)
    parts = [
        f"{count} rule{'' if count == 1 else 's'}" if count else "",
        "the quiet hours" if chat.quiet else "",
        "the mute" if chat.muted_until else "",
        "the language",
        "what waits to be told",
    ]
    return listed([part for part in parts if part], " and ")
