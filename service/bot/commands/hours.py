"""/quiet, /mute, /unmute: when the chat is left alone. Says what was set; holds nothing back itself."""

from collections.abc import Sequence

from msgspec.structs import replace

from service.bot.buttons import OldButtonError, number_of, packed
from service.bot.visit import Answer, Visit
from service.model import MINUTE
from service.subscribers import Quiet, amounts
from service.subscribers.misread import Misread, Slip
from service.subscribers.zones import zone_of

_OFF = frozenset({"off", "none", "no", "关", "关闭", "取消"})
#: Nights people have, in minutes after midnight; the rest is typed.
_NIGHTS = ((22 * 60, 7 * 60), (23 * 60, 7 * 60), (0, 8 * 60))
_ZONES = ("Asia/Shanghai", "Asia/Singapore", "Europe/London", "Europe/Berlin", "America/New_York", "UTC")
_MINUTES = (60, 8 * 60, 24 * 60)
_MOST_MINUTES = amounts.MOST_MS // MINUTE
_DAY_MINUTES = 24 * 60


async def quiet(visit: Visit, words: str) -> Answer:
    """Set quiet hours, end them, or show them. Raises Misread."""
    if not words:
        return _page(visit)
    if amounts.plain(words) in _OFF:
        return _page(await visit.keep(replace(visit.chat, quiet=None)))
    old = visit.chat.quiet
    try:
        hours = amounts.quiet(words, _zone(old), critical=old is not None and old.critical)
    except Misread as error:
        if error.slip is not Slip.NO_ZONE:
            raise
        return _zones(visit, amounts.quiet(words, "UTC"))
    return _page(await visit.keep(replace(visit.chat, quiet=hours)))


async def choose_hours(visit: Visit, parts: Sequence[str]) -> Answer:
    """By taps: nothing shows the page, hours ask for the zone, hours and a zone are kept."""
    if not parts:
        return _page(visit)
    hours = _hours(parts)
    old = visit.chat.quiet
    if len(parts) == len(("start", "end")):
        zone = _zone(old)
        if zone is None:
            return _zones(visit, hours)
        hours = replace(hours, zone=zone)
    hours = replace(hours, critical=old.critical if old else False)
    return _page(await visit.keep(replace(visit.chat, quiet=hours)))


async def no_hours(visit: Visit, parts: Sequence[str]) -> Answer:  # noqa: ARG001  # every tap is given its parts
    """End quiet hours by a tap."""
    return _page(await visit.keep(replace(visit.chat, quiet=None)))


async def critical(visit: Visit, parts: Sequence[str]) -> Answer:
    """Whether what is critical comes through."""
    if visit.chat.quiet is None:
        return _page(visit)
    hours = replace(visit.chat.quiet, critical=number_of(parts) == 1)
    return _page(await visit.keep(replace(visit.chat, quiet=hours)))


async def mute(visit: Visit, words: str) -> Answer:
    """Silence for a while; without words what there is to choose. Raises Misread."""
    if words:
        return await _muted(visit, amounts.duration(words))
    say, until = visit.say, _running(visit)
    lengths = [(say.label.length(minutes), packed("mute", minutes)) for minutes in _MINUTES]
    ends = [[(say.label.unmute, packed("unmute"))]] if until else []
    return Answer(text=say.muted(until, visit.chat.quiet) if until else say.not_muted, buttons=(lengths, *ends))


async def choose_mute(visit: Visit, parts: Sequence[str]) -> Answer:
    """Silence by a tap, in minutes."""
    minutes = number_of(parts)
    if not 1 <= minutes <= _MOST_MINUTES:
        raise OldButtonError(f"{minutes} minutes cannot be muted")
    return await _muted(visit, minutes * MINUTE)


async def unmute(visit: Visit, words: str) -> Answer:  # noqa: ARG001  # every command is given its words
    """End it."""
    visit = await visit.keep(replace(visit.chat, muted_until=None)) if visit.chat.muted_until else visit
    return Answer(text=visit.say.unmuted)


async def end_mute(visit: Visit, parts: Sequence[str]) -> Answer:  # noqa: ARG001  # every tap is given its parts
    """End it by a tap."""
    return await unmute(visit, "")


async def _muted(visit: Visit, length: int) -> Answer:
    visit = await visit.keep(replace(visit.chat, muted_until=visit.desk.now() + length))
    return await mute(visit, "")


def _running(visit: Visit) -> int | None:
    until = visit.chat.muted_until
    return until if until is not None and until > visit.desk.now() else None


def _zone(old: Quiet | None) -> str | None:
    """The zone of the hours the chat has; None without any, and for a zone that is none any more."""
    return zone_of(old.zone) if old else None


def _hours(parts: Sequence[str]) -> Quiet:
    """The hours a button carries, in UTC where it carries no zone. Raises OldButtonError."""
    try:
        start, end, named = (*parts, "UTC")[:3]
        hours, zone = Quiet(start=int(start), end=int(end), zone="UTC"), zone_of(named)
    except ValueError as error:
        raise OldButtonError(f"{'|'.join(parts)!r} are no hours") from error
    if not (0 <= hours.start < _DAY_MINUTES and 0 <= hours.end < _DAY_MINUTES) or zone is None:
        raise OldButtonError(f"{'|'.join(parts)!r} are no hours")
    return replace(hours, zone=zone)  # by its tz name: whoever made the button up may have called it otherwise


def _page(visit: Visit) -> Answer:
    """How the quiet hours stand, and what can be done about them."""
    say, hours = visit.say, visit.chat.quiet
    nights = [
        (f"{amounts.written(start)}–{amounts.written(end)}", packed("quiet", start, end)) for start, end in _NIGHTS
    ]
    if hours is None:
        return Answer(text=say.no_quiet, buttons=(nights,))
    through = say.label.critical_on if hours.critical else say.label.critical_off
    return Answer(
        text=say.quiet(hours, visit.desk.now()),
        buttons=(
            [(through, packed("critical", 0 if hours.critical else 1))],
            nights,
            [(say.label.quiet_off, packed("loud"))],
        ),
    )


def _zones(visit: Visit, hours: Quiet) -> Answer:
    names = [(visit.say.zone(zone), packed("quiet", hours.start, hours.end, zone)) for zone in _ZONES]
    rows = [names[first : first + 2] for first in range(0, len(names), 2)]
    return Answer(text=visit.say.choose_zone(hours), buttons=rows)
