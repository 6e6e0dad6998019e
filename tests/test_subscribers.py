"""Who wants what, when people are left alone, and what their words mean."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.model import HOUR, MINUTE, Kind, Lead, Phase, Severity
from service.subscribers import Chat, Quiet, Rule, amounts, book, parse, passes, silent_until, wants, zones
from service.subscribers.misread import Misread, Slip
from tests.test_text import OPENED

replace = msgspec.structs.replace
VENUES = ("binance", "bybit", "okx", "dydx", "hyperliquid")
KNOWN = ("BTC", "ETH", "DYDX", "1000PEPE", "币安人生")
DAY = 24 * HOUR
BTC = replace(OPENED, asset="BTC")


def chat(*rules: Rule, **fields: object) -> Chat:
    return Chat(id=7, rules=rules, **fields)


def rule(**fields: object) -> Rule:
    return Rule(id=1, **fields)


def wanted(one: Rule, alert=OPENED, *, told: bool = False, parent_told: bool = False) -> bool:
    return wants(chat(one), alert, told=told, parent_told=parent_told)


# --- who wants what


def test_a_rule_is_about_one_market():
    assert wanted(rule())
    assert not wanted(rule(asset="BTC"))
    assert wanted(rule(asset="BTC"), BTC)
    assert not wanted(rule(), BTC)


def test_a_rule_of_one_kind_wants_no_other():
    assert wanted(rule(kind=Kind.SHORT_SQUEEZE))
    assert not wanted(rule(kind=Kind.LONG_FLUSH))


@pytest.mark.parametrize(("least", "severity"), [(a, b) for a in Severity for b in Severity])
def test_severity_counts_from_watch_to_critical(least, severity):
    order = ["watch", "warning", "critical"]
    alert = replace(OPENED, severity=severity)
    assert wanted(rule(severity=least), alert) is (order.index(severity) >= order.index(least))


def test_dollars_are_the_running_hour_or_the_peak():
    assert wanted(rule(usd=104e6))
    assert not wanted(rule(usd=104e6 + 1))
    assert wanted(rule(usd=200e6), replace(OPENED, peak_usd=200e6))


def test_dollars_with_a_venue_are_that_venues():
    assert wanted(rule(usd=40e6, venue="binance"))
    assert not wanted(rule(usd=41e6, venue="binance"))
    assert not wanted(rule(usd=1_000, venue="gate")), "a part nobody knows reaches nothing"


def test_a_venue_alone_must_lead_or_hold_the_most():
    led = replace(OPENED, lead=Lead(venue="okx", symbol=None, at=None, share=None, within_s=None))
    assert wanted(rule(venue="bybit"))
    assert not wanted(rule(venue="okx"))
    assert wanted(rule(venue="okx"), led)
    assert not wanted(rule(venue="bybit"), replace(OPENED, venues={}))


def test_what_was_begun_is_ended_whatever_the_thresholds():
    picky = rule(usd=1e12, severity=Severity.CRITICAL, venue="okx")
    for phase in (Phase.GREW, Phase.CLOSED):
        alert = replace(OPENED, phase=phase)
        assert wanted(picky, alert, told=True)
        assert not wanted(replace(picky, kind=Kind.LONG_FLUSH), alert, told=True)
        assert not wanted(replace(picky, asset="BTC"), alert, told=True)
        assert not wanted(replace(picky, paused=True), alert, told=True)


def test_an_end_is_told_only_to_those_who_heard_the_beginning():
    assert not wanted(rule(), replace(OPENED, phase=Phase.CLOSED))
    assert wanted(rule(), replace(OPENED, phase=Phase.GREW)), "it has grown into what the rule asks"


def test_a_line_of_alls_episode_is_no_news_to_who_was_told_of_that():
    line = replace(BTC, parent="ALL-short_squeeze-1")
    assert wanted(rule(asset="BTC"), line)
    assert not wanted(rule(asset="BTC"), line, parent_told=True)
    assert not wanted(rule(asset="BTC"), replace(line, phase=Phase.GREW), told=True, parent_told=True)
    assert wanted(rule(asset="BTC"), replace(line, phase=Phase.CLOSED), told=True, parent_told=True)


def test_paused_rules_and_closed_chats_want_nothing():
    assert not wanted(rule(paused=True))
    assert not wants(chat(rule(), closed="blocked"), OPENED, told=True, parent_told=False)
    assert not wants(chat(), OPENED, told=True, parent_told=False)


# --- hours


def at(text: str, zone: str = "UTC") -> int:
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).timestamp()) * 1_000


NIGHT = Quiet(start=23 * 60, end=7 * 60, zone="Asia/Shanghai")


def test_a_night_runs_over_midnight_by_the_users_own_clock():
    one = chat(quiet=NIGHT)
    assert silent_until(one, at("2026-01-13T22:59", "Asia/Shanghai")) is None
    for inside in ("2026-01-13T23:00", "2026-01-14T06:59"):
        assert silent_until(one, at(inside, "Asia/Shanghai")) == at("2026-01-14T07:00", "Asia/Shanghai")
    assert silent_until(one, at("2026-01-14T07:00", "Asia/Shanghai")) is None


def test_a_mute_that_ends_in_the_night_goes_on_to_its_end():
    now, morning = at("2026-01-13T21:00", "Asia/Shanghai"), at("2026-01-14T07:00", "Asia/Shanghai")
    assert silent_until(chat(quiet=NIGHT, muted_until=now + 3 * HOUR), now) == morning
    assert silent_until(chat(quiet=NIGHT, muted_until=now + HOUR), now) == now + HOUR
    assert silent_until(chat(quiet=NIGHT, muted_until=morning + HOUR), now) == morning + HOUR
    assert silent_until(chat(muted_until=now), now) is None


def test_critical_goes_through_quiet_hours_if_the_user_says_so_but_never_through_a_mute():
    night, critical = at("2026-01-14T00:00", "Asia/Shanghai"), replace(OPENED, severity=Severity.CRITICAL)
    open_to_it = chat(quiet=replace(NIGHT, critical=True))
    assert passes(open_to_it, critical, night)
    assert not passes(open_to_it, OPENED, night)
    assert not passes(chat(quiet=NIGHT), critical, night)
    assert not passes(replace(open_to_it, muted_until=night + 1), critical, night)
    assert passes(replace(open_to_it, muted_until=night), critical, night)
    assert passes(chat(), OPENED, night)


def test_the_end_of_a_mute_inside_quiet_hours_is_a_time_to_look_where_critical_may_pass():
    critical = replace(OPENED, severity=Severity.CRITICAL)
    night, morning = at("2026-01-14T00:00", "Asia/Shanghai"), at("2026-01-14T07:00", "Asia/Shanghai")
    ends = night + HOUR
    one = chat(quiet=replace(NIGHT, critical=True), muted_until=ends)
    assert silent_until(one, night) == ends
    assert not passes(one, critical, ends - 1)
    assert passes(one, critical, ends)
    assert not passes(one, OPENED, ends)
    assert silent_until(one, ends) == morning
    assert silent_until(replace(one, quiet=NIGHT), night) == morning, "where nothing passes, nobody needs to look"
    always = replace(one, quiet=Quiet(start=480, end=480, zone="UTC", critical=True))
    assert silent_until(always, night) == ends


def test_that_something_is_over_wakes_nobody_however_grave_it_was():
    over = replace(OPENED, severity=Severity.CRITICAL, phase=Phase.CLOSED)
    night = at("2026-01-14T00:00", "Asia/Shanghai")
    one = chat(quiet=replace(NIGHT, critical=True))
    assert passes(one, replace(over, phase=Phase.GREW), night)
    assert not passes(one, over, night)
    assert not passes(replace(one, muted_until=night - HOUR), over, night)
    assert passes(one, over, at("2026-01-14T07:00", "Asia/Shanghai"))


def test_an_hour_the_clocks_skip_begins_and_ends_when_they_skip_it():
    skip = at("2026-03-29T01:00")  # 02:00 becomes 03:00 in Berlin
    ends = chat(quiet=Quiet(start=22 * 60, end=150, zone="Europe/Berlin"))
    assert silent_until(ends, skip - 1) == skip
    assert silent_until(ends, skip) is None
    begins = chat(quiet=Quiet(start=150, end=5 * 60, zone="Europe/Berlin"))
    assert silent_until(begins, skip - 1) is None
    assert silent_until(begins, skip) == at("2026-03-29T03:00")


def test_an_hour_that_happens_twice_is_held_through_both():
    ends = chat(quiet=Quiet(start=22 * 60, end=150, zone="Europe/Berlin"))
    assert silent_until(ends, at("2026-10-25T00:40")) == at("2026-10-25T01:30"), "02:40 the first time"
    begins = chat(quiet=Quiet(start=150, end=5 * 60, zone="Europe/Berlin"))
    assert silent_until(begins, at("2026-10-25T01:10")) == at("2026-10-25T04:00"), "02:10 the second time"


def test_hours_that_last_all_day_are_quiet_at_every_moment_and_say_when_to_look_again():
    for zone in ("UTC", "Europe/Berlin"):
        always = chat(quiet=Quiet(start=480, end=480, zone=zone))
        for hours in range(24 * 8):
            now = at("2026-10-22T00:00") + hours * HOUR
            until = silent_until(always, now)
            assert until is not None
            assert now < until <= now + 25 * HOUR


def test_a_zone_the_database_has_lost_counts_as_utc():
    one = chat(quiet=replace(NIGHT, zone="Atlantis/Poseidonis"))
    assert silent_until(one, at("2026-01-13T23:30")) == at("2026-01-14T07:00")


@cache
def wall(zone: str, day: date) -> tuple[tuple[int, datetime], ...]:
    """Every minute of five days around a day, and what the wall shows."""
    first = at(f"{day - timedelta(days=2)}T00:00")
    clock = ZoneInfo(zone)
    minutes = (first + step * MINUTE for step in range(5 * 24 * 60))
    return tuple((one, datetime.fromtimestamp(one / 1_000, clock).replace(tzinfo=None)) for one in minutes)


def shown(zone: str, day: date, minute: int, *, last: bool) -> int:
    """The oracle: look at the wall each minute."""
    wanted_time = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute)
    minutes = wall(zone, day)
    exact = [one for one, time in minutes if time == wanted_time]
    return (exact[-1] if last else exact[0]) if exact else next(one for one, time in minutes if time > wanted_time)


def held(quiet: Quiet, now: int) -> Iterator[int]:
    """Ends of the hours a moment lies in."""
    today = datetime.fromtimestamp(now / 1_000, ZoneInfo(quiet.zone)).date()
    for day in (today - timedelta(days=1), today, today + timedelta(days=1)):
        until = day if quiet.start < quiet.end else day + timedelta(days=1)
        if (
            shown(quiet.zone, day, quiet.start, last=False)
            <= now
            < (end := shown(quiet.zone, until, quiet.end, last=True))
        ):
            yield end


#: Around the changes of each zone; Lord Howe turns its clocks by half an hour, Shanghai never does.
CHANGES = {
    "Europe/Berlin": ("2026-03-29", "2026-10-25"),
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "Australia/Lord_Howe": ("2026-04-05", "2026-10-04"),
    "Asia/Shanghai": ("2026-03-29", "2026-10-25"),
}
places = st.sampled_from([(zone, day) for zone, days in CHANGES.items() for day in days])
#: Half of them near the hours at which clocks are turned.
clock_minutes = st.integers(0, 24 * 60 - 1) | st.integers(60, 200)


@settings(max_examples=150)
@given(places, clock_minutes, clock_minutes, st.integers(-24 * 60, 36 * 60))
@example(("Europe/Berlin", "2026-03-29"), 150, 300, 125)  # begins at a time that is skipped
@example(("Europe/Berlin", "2026-10-25"), 180, 160, 60)  # hours of almost a day that meet in the doubled one
def test_quiet_hours_agree_with_a_look_at_the_wall_each_minute(place, start, end, minutes):
    zone, day = place
    if start == end:
        return
    quiet, now = Quiet(start=start, end=end, zone=zone), at(f"{day}T00:00") + minutes * MINUTE
    until = now
    while ends := list(held(quiet, until)):
        until = max(ends)
    assert silent_until(chat(quiet=quiet), now) == (until if until > now else None)


@given(places, clock_minutes, clock_minutes, st.integers(0, 48 * 60), st.integers(-60, 12 * 60))
def test_silence_ends_at_a_moment_that_is_not_silent_and_no_sooner(place, start, end, minutes, mute):
    zone, day = place
    now = at(f"{day}T00:00") + minutes * MINUTE
    one = chat(quiet=Quiet(start=start, end=end, zone=zone), muted_until=now + mute * MINUTE)
    until = silent_until(one, now)
    assert until is None or until > now
    if until is not None and start != end:
        assert silent_until(one, until) is None
        assert silent_until(one, until - 1) == until
        assert not passes(one, OPENED, until - 1)
        assert passes(one, OPENED, until)


@given(places, clock_minutes, clock_minutes, st.integers(0, 48 * 60), st.integers(-60, 30 * 60))
def test_where_critical_may_pass_each_time_to_look_brings_something_and_the_last_ends_the_silence(
    place, start, end, minutes, mute
):
    zone, day = place
    now, critical = at(f"{day}T00:00") + minutes * MINUTE, replace(OPENED, severity=Severity.CRITICAL)
    one = chat(quiet=Quiet(start=start, end=end, zone=zone, critical=True), muted_until=now + mute * MINUTE)
    looks = [now]
    while (until := silent_until(one, looks[-1])) is not None and len(looks) < 4:
        assert until > looks[-1]
        assert passes(one, critical, until)
        assert passes(one, critical, until - 1) is (until - 1 >= now + mute * MINUTE)
        assert not passes(one, OPENED, until - 1)
        looks.append(until)
    if start != end:
        assert until is None, "the end of a mute and the end of the hours, no more"
        assert len(looks) <= 3
        assert passes(one, OPENED, looks[-1])


# --- words


@pytest.mark.parametrize(
    ("text", "usd"),
    [
        ("10M", 10e6),
        ("1.5m", 1.5e6),
        ("250k", 250e3),
        ("1B", 1e9),
        ("$10,000,000", 10e6),
        ("1.04亿", 104e6),
        ("500万", 5e6),
        ("１０Ｍ", 10e6),
        ("$ 50 M", 50e6),
        ("3千万美元", 30e6),
        ("5000", 5_000),
    ],
)
def test_dollars_are_read_as_people_write_them(text, usd):
    assert amounts.usd(text) == usd


@pytest.mark.parametrize("text", ["", "10", "M", "10MM", "1,00,000", "-5M", "10,5M", "1e9", "2000B", "10M!", "nan"])
def test_no_sum_is_refused_by_name_and_with_what_is_allowed(text):
    with pytest.raises(Misread, match=r"10M, 250k") as caught:
        amounts.usd(text)
    assert caught.value.slip is Slip.USD
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2h", 2 * HOUR),
        ("90m", 90 * MINUTE),
        ("1d", DAY),
        ("1h30m", 90 * MINUTE),
        ("1.5 h", 90 * MINUTE),
        ("7d", 7 * DAY),
        ("2小时", 2 * HOUR),
        ("30分钟", 30 * MINUTE),
        ("1天", DAY),
    ],
)
def test_lengths_of_time_are_read(text, ms):
    assert amounts.duration(text) == ms


@pytest.mark.parametrize("text", ["", "2", "h", "8d", "0h", "-2h", "2h!", "tomorrow", "169h"])
def test_no_length_of_time_is_refused(text):
    with pytest.raises(Misread, match="1m to 7d"):
        amounts.duration(text)


@pytest.mark.parametrize(
    "text",
    [
        "23:00-07:00 Asia/Shanghai",
        "23:00–07:00 asia/shanghai",
        "23:00 - 7:00  Shanghai",
        "23-7 北京时间",
        "23：00～07：00 Asia/Shanghai",
        "23:00到07:00 上海",
    ],
)
def test_quiet_hours_are_read(text):
    assert amounts.quiet(text) == Quiet(start=23 * 60, end=7 * 60, zone="Asia/Shanghai")


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("UTC+8", "Etc/GMT-8"),
        ("+8", "Etc/GMT-8"),
        ("utc-05:00", "Etc/GMT+5"),
        ("UTC", "UTC"),
        ("gmt+0", "UTC"),
        ("new york", "America/New_York"),
        ("Etc/GMT-8", "Etc/GMT-8"),
    ],
)
def test_zones_are_read_with_the_sign_people_use(text, zone):
    assert amounts.quiet(f"23-7 {text}").zone == zone
    assert silent_until(chat(quiet=amounts.quiet(f"0-24 {text}")), 0)


def test_hours_without_a_zone_take_the_one_the_chat_has_and_guess_none():
    assert amounts.quiet("22-6", "Europe/Berlin", critical=True) == Quiet(
        start=22 * 60, end=6 * 60, zone="Europe/Berlin", critical=True
    )
    with pytest.raises(Misread) as caught:
        amounts.quiet("22-6")
    assert caught.value.slip is Slip.NO_ZONE


def test_an_unknown_zone_names_the_nearest():
    with pytest.raises(Misread) as caught:
        amounts.quiet("23:00-07:00 Asia/Shangai")
    assert (caught.value.slip, caught.value.given) == (Slip.ZONE, "Asia/Shangai")
    assert "Asia/Shanghai" in caught.value.near


@pytest.mark.parametrize("text", ["", "23:00", "25:00-07:00 UTC", "23:60-07:00 UTC", "24:30-7 UTC", "night UTC"])
def test_what_are_no_hours_is_refused(text):
    with pytest.raises(Misread, match="23:00-07:00"):
        amounts.quiet(text)


FULL = Rule(id=0, asset="BTC", kind=Kind.SHORT_SQUEEZE, usd=10e6, venue="binance", severity=Severity.CRITICAL)


@given(st.permutations(["BTC", "squeeze", "10M", "binance", "critical"]))
def test_the_words_of_a_rule_come_in_any_order(words):
    assert parse.rule(" ".join(words), VENUES, KNOWN) == FULL


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("", {}),
        ("全市场 轧空 1000万 紧急", {"kind": Kind.SHORT_SQUEEZE, "usd": 10e6, "severity": Severity.CRITICAL}),
        ("eth longs", {"asset": "ETH", "kind": Kind.LONG_FLUSH}),
        ("$btc Long-Flush warning", {"asset": "BTC", "kind": Kind.LONG_FLUSH, "severity": Severity.WARNING}),
        ("1000pepe 250k", {"asset": "1000PEPE", "usd": 250e3}),
        ("币安人生", {"asset": "币安人生"}),
        ("ALL dydx", {"venue": "dydx"}),
        ("DYDX", {"asset": "DYDX"}),
        ("newcoin", {"asset": "NEWCOIN"}),
        ("BTC BTC", {"asset": "BTC"}),
    ],
)
def test_rules_are_read_in_both_languages(text, fields):
    assert parse.rule(text, VENUES, KNOWN) == Rule(id=0, **fields)


@pytest.mark.parametrize(
    ("text", "slip", "given", "near"),
    [
        ("BTC sqeeze", Slip.WORD, "sqeeze", "squeeze"),
        ("binanc", Slip.WORD, "binanc", "binance"),
        ("BTC ETH", Slip.TWICE, "ETH", None),
        ("10M 20M", Slip.TWICE, "20M", None),
        ("BTC <b>", Slip.WORD, "<b>", None),
        ("BTC 10", Slip.USD, "10", None),
        ("你好", Slip.WORD, "你好", None),
        ("A" * 16, Slip.ASSET, "A" * 16, None),
    ],
)
def test_a_word_nobody_can_place_is_named(text, slip, given, near):
    with pytest.raises(Misread) as caught:
        parse.rule(text, VENUES, KNOWN)
    assert (caught.value.slip, caught.value.given) == (slip, given)
    assert near is None or near in caught.value.near


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("btc-30m", {"asset": "BTC", "usd": 30e6}),
        ("eth", {"asset": "ETH"}),
        ("all-critical", {"severity": Severity.CRITICAL}),
        ("sol-5m-squeeze", {"asset": "SOL", "usd": 5e6, "kind": Kind.SHORT_SQUEEZE}),
        ("BTC_long_flush_okx", {"asset": "BTC", "kind": Kind.LONG_FLUSH, "venue": "okx"}),
    ],
)
def test_a_deep_link_offers_a_rule(text, fields):
    assert parse.link(text, VENUES, ()) == Rule(id=0, **fields)


@pytest.mark.parametrize("text", ["", "twitter", "ref_1234", "---", "btc eth", "btc-eth", "a" * 65, "btc-10", "<b>"])
def test_a_link_of_somebody_elses_words_offers_nothing(text):
    assert parse.link(text, VENUES, KNOWN) is None


@given(st.text(max_size=80))
def test_no_text_breaks_the_reading(text):
    for read in (amounts.usd, amounts.duration, amounts.quiet, lambda some: parse.rule(some, VENUES, KNOWN)):
        with suppress(Misread):
            read(text)
    parse.link(text, VENUES, KNOWN)
    zones.zones_like(text[:20])


@pytest.mark.parametrize(
    ("code", "language"),
    [("zh-hans", "zh"), ("zh-TW", "zh"), ("zh", "zh"), ("zh_Hant", "zh"), ("en-GB", "en"), ("de", "zh"), (None, "zh")],
)
def test_language_is_telegrams_own_else_the_services(code, language):
    assert parse.language(code, "zh") == language
    assert parse.language("fr", "en") == "en"


# --- the book of rules


def test_ids_count_up_and_are_never_used_twice():
    one = book.added(chat(), Rule(id=0), 5)
    two = book.added(one, Rule(id=0, asset="BTC"), 5)
    three = book.added(book.without(two, 2), Rule(id=0, asset="ETH"), 5)
    assert [(one.id, one.asset) for one in three.rules] == [(1, "ALL"), (3, "ETH")]
    assert book.find(three, 2) is None


def test_the_same_rule_twice_is_refused_by_its_number_even_while_paused():
    one = chat(Rule(id=4, asset="BTC", paused=True), next_rule=5)
    with pytest.raises(book.TwinError) as caught:
        book.added(one, Rule(id=0, asset="BTC"), 5)
    assert caught.value.rule.id == 4
    two = book.added(one, Rule(id=0, asset="ETH"), 5)
    with pytest.raises(book.TwinError):
        book.changed(two, Rule(id=5, asset="BTC"))
    assert book.changed(two, Rule(id=5, asset="SOL")).rules[1].asset == "SOL"


def test_a_full_book_says_how_many_it_takes():
    with pytest.raises(book.FullError, match="at most 1"):
        book.added(chat(Rule(id=1)), Rule(id=0, asset="BTC"), 1)
