"""Since when there was nothing larger: against a brute force, and the five rules one by one."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec
import pytest

from service.detector.records import DAY, MEASURES, SIDES, Board, Claim, Peak, date_in, seen, since, standing, zone_name
from service.detector.seeds import seed, sum_of
from service.model import HOUR, MINUTE, SECOND, SPANS, Reading, Since, Totals

CHINA = ZoneInfo("Asia/Shanghai")
T0 = 1_768_341_600_000


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


def dollars(long: float, short: float) -> Totals:
    return Totals(long_usd=long, short_usd=short, long_count=1, short_count=1)


def reading(now: int, hour: Totals, day: Totals | None = None) -> Reading:
    return Reading(asset="ALL", now=now, spans={**dict.fromkeys(SPANS, hour), "24h": day or hour})


def by_day(one: Reading, today: Totals) -> dict[int, Totals]:
    return {one.now // DAY * DAY: today}


def told(board: Board, now: int, short: float, regime: str = "a") -> Board:
    return seen(board, reading(now, dollars(0, short)), regime)


def asked(board: Board, usd: float, onset: int, measure: str = "24h", zone=CHINA) -> Since | None:
    return since(board, Claim(measure=measure, side="short", usd=usd, onset=onset), zone)


def of(totals: Totals, side: str) -> float:
    return {"long": totals.long_usd, "short": totals.short_usd, "total": totals.usd}[side]


# Against a brute force


@dataclass
class Brute:
    """Every reading remembered, every question answered from scratch."""

    first_at: int
    rows: dict[str, list[Peak]] = field(default_factory=lambda: {f"{m} {s}": [] for m in MEASURES for s in SIDES})

    def see(self, one: Reading, today: Totals) -> None:
        for name, measure in MEASURES.items():
            totals = one.spans[measure.rolling] if measure.rolling else today
            at = one.now if measure.rolling else one.now // DAY * DAY + DAY // 2
            for side in SIDES:
                if of(totals, side) > 0:
                    self.rows[f"{name} {side}"].append(Peak(at, of(totals, side)))

    def peaks(self, name: str, side: str) -> list[Peak]:
        """Block maxima of the readings that no larger one overlaps, by time; of equal ones the first."""
        measure, own = MEASURES[name], list[Peak]()
        for one in self.rows[f"{name} {side}"]:
            reach = measure.span if measure.rolling else 1
            if not any(known.at > one.at - reach and known.usd >= one.usd for known in own):
                own.append(one)
        blocks: dict[int, Peak] = {}
        for one in own:
            known = blocks.get(one.at // measure.block)
            if known is None or one.usd > known.usd:
                blocks[one.at // measure.block] = one
        return sorted(blocks.values(), key=lambda peak: peak.at)

    def answer(self, name: str, peaks: list[Peak], usd: float, onset: int) -> Peak | str | None:
        edge, block = onset - MEASURES[name].span, MEASURES[name].block
        if self.first_at > edge:
            return "nothing"
        behind = [peak for peak in peaks if peak.at // block <= edge // block and peak.usd >= usd]
        return behind[-1] if behind else None


def market(seed_: int, steps: int) -> Iterator[tuple[Reading, Totals]]:
    """Readings of rolling sums of one invented history, from seconds to half a day apart."""
    chance, now = random.Random(seed_), T0
    events: list[tuple[int, float, float]] = []
    for _ in range(steps):
        now += round(chance.choice([5, 60, 600, 1_800, 3_600, 7_200, 43_200]) * 1_000 * chance.random()) + 1
        size = round(chance.paretovariate(0.9), 2)
        events.append((now, size, 0.0) if chance.random() < 0.5 else (now, 0.0, size))

        def held(since_: int, now: int = now) -> Totals:
            rows = [event for event in events[-400:] if since_ < event[0] <= now]
            return dollars(round(sum(row[1] for row in rows), 2), round(sum(row[2] for row in rows), 2))

        yield reading(now, held(now - HOUR), held(now - DAY)), held(now // DAY * DAY - 1)


@pytest.mark.parametrize("number", range(6))
def test_every_answer_is_the_brute_forces(number):
    chance, board, brute, wrong, kinds, total = random.Random(number), Board(), None, 0, set(), 0
    for step, (one, today) in enumerate(market(number, 300)):
        brute = brute or Brute(first_at=one.now)
        board = seen(board, one, "a", by_day(one, today))
        brute.see(one, today)
        if step % 10:
            continue
        for name, measure in MEASURES.items():
            for side in SIDES:
                peaks = brute.peaks(name, side)
                for _ in range(5):
                    onset = one.now - chance.choice([0, 1, MINUTE, HOUR, 3 * HOUR])
                    value = of(one.spans[measure.rolling] if measure.rolling else today, side)
                    usd = chance.choice([value, value / 2, 2 * value, chance.choice(peaks).usd if peaks else 1.0])
                    found = since(board, Claim(measure=name, side=side, usd=usd, onset=onset))
                    wanted = brute.answer(name, peaks, usd, onset)
                    got = "nothing" if found is None else found.usd and Peak(found.at, found.usd)
                    wrong += got != wanted
                    kinds.add(type(wanted))
                    total += 1

    assert (wrong, total) == (0, 1_350)
    assert kinds == {Peak, type(None), str}


def test_a_question_about_an_event_of_days_is_exact_while_its_onset_is_told():
    board, brute, onset = Board(), None, None
    for step, (one, today) in enumerate(market(99, 260)):
        brute = brute or Brute(first_at=one.now)
        onset = one.now if step == 130 else onset
        board = seen(board, one, "a", by_day(one, today), onset)
        brute.see(one, today)
    assert onset is not None
    assert one.now - onset > 3 * DAY

    for name in MEASURES:
        for side in SIDES:
            peaks = brute.peaks(name, side)
            for usd in (1.0, *(peak.usd for peak in peaks)):
                found = since(board, Claim(measure=name, side=side, usd=usd, onset=onset))
                wanted = brute.answer(name, peaks, usd, onset)
                assert (found.usd and Peak(found.at, found.usd)) == wanted


def test_without_its_onset_a_long_event_may_be_told_a_later_date_but_never_an_earlier():
    board, brute, later = Board(), None, 0
    rows = list(market(7, 400))
    for one, today in rows:
        brute = brute or Brute(first_at=one.now)
        board = seen(board, one, "a", by_day(one, today))
        brute.see(one, today)
    for name in MEASURES:
        peaks = brute.peaks(name, "total")
        for onset in range(rows[0][0].now + DAY, one.now, 5 * HOUR):
            for usd in (peak.usd for peak in peaks[::7]):
                found = since(board, Claim(measure=name, side="total", usd=usd, onset=onset))
                wanted = brute.answer(name, peaks, usd, onset)
                assert (found.at or 0) >= (wanted.at if wanted else 0)
                later += found.at != (wanted and wanted.at)

    assert later, "the exact way was taken everywhere: this proves nothing"


def test_a_stored_board_goes_on_as_if_nothing_had_happened():
    board = again = Board()
    for one, today in market(3, 200):
        board = seen(board, one, "a", by_day(one, today))
        again = msgspec.json.decode(msgspec.json.encode(seen(again, one, "a", by_day(one, today))), type=Board)

    assert again == board


# The seed of it all


def seeds_of(rows: dict[str, float]) -> Board:
    board = told(Board(), ms("2025-06-01T00:00"), 1)
    for when, usd in rows.items():
        board = told(board, ms(when), usd)
    return board


def test_577_of_january_is_the_largest_since_the_tenth_of_october_which_in_china_was_the_eleventh():
    board = seeds_of({"2025-10-10T21:15": 2456, "2026-01-06T12:00": 322, "2026-01-13T20:00": 500})

    found = asked(board, 577, ms("2026-01-13T17:30"))

    assert found == Since(
        largest_since="2025-10-10",
        zone_date="2025-10-11",
        zone="UTC+8",
        at=ms("2025-10-10T21:15"),
        usd=2456,
        now_usd=577,
        measure="24h short",
        comparable=True,
        first_at=ms("2025-06-01T00:00"),
        running=True,
    )


def test_the_322_of_the_sixth_was_itself_the_largest_since_and_was_superseded_eight_days_later():
    board = seeds_of({"2025-10-10T21:15": 2456, "2025-12-01T00:00": 300, "2026-01-06T12:00": 322})

    assert asked(board, 322, ms("2026-01-06T11:00")).largest_since == "2025-10-10"
    assert asked(board, 321, ms("2026-01-08T11:00")).largest_since == "2026-01-06"
    assert asked(board, 577, ms("2026-01-13T17:30")).largest_since == "2025-10-10"


# 1. A named zone


@pytest.mark.parametrize(
    ("zone", "when", "name", "date"),
    [
        (UTC, "2025-10-10T21:15", "UTC", "2025-10-10"),
        (CHINA, "2025-10-10T15:59", "UTC+8", "2025-10-10"),
        (CHINA, "2025-10-10T16:00", "UTC+8", "2025-10-11"),
        (ZoneInfo("America/New_York"), "2025-10-11T03:00", "UTC-4", "2025-10-10"),
        (ZoneInfo("America/New_York"), "2026-01-11T03:00", "UTC-5", "2026-01-10"),
        (ZoneInfo("Asia/Kolkata"), "2025-10-10T18:30", "UTC+5:30", "2025-10-11"),
    ],
)
def test_a_moment_has_one_date_a_zone(zone, when, name, date):
    assert (zone_name(ms(when), zone), date_in(ms(when), zone)) == (name, date)
    found = asked(seeds_of({when: 900, "2026-02-02T00:00": 1}), 577, ms("2026-02-02T00:00"), zone=zone)
    assert (found.largest_since, found.zone_date, found.zone) == (date_in(ms(when), UTC), date, name)


def test_a_calendar_day_keeps_its_name_in_every_zone_near_utc():
    board = Board()
    for when, usd in {"2025-10-09T08:00": 50, "2025-10-10T23:59": 700, "2025-10-12T12:00": 90}.items():
        board = seen(board, reading(ms(when), dollars(0, 1)), "a", {ms(when) // DAY * DAY: dollars(0, usd)})

    for zone in (UTC, CHINA, ZoneInfo("America/Los_Angeles")):
        found = asked(board, 577, ms("2025-10-12T11:00"), "day", zone)
        assert (found.largest_since, found.zone_date) == ("2025-10-10", "2025-10-10")


# 2. Like with like


def test_measures_and_sides_do_not_meet():
    board = told(Board(), T0, 1)
    board = seen(
        board,
        reading(T0 + 30 * DAY, dollars(500, 100), dollars(900, 300)),
        "a",
        {T0 // DAY * DAY + 30 * DAY: dollars(800, 200)},
    )
    board = told(board, T0 + 60 * DAY, 1)

    found = {
        f"{name} {side}": since(board, Claim(measure=name, side=side, usd=1.5, onset=T0 + 60 * DAY)).usd
        for name in MEASURES
        for side in SIDES
    }
    assert found == {
        "hour long": 500,
        "hour short": 100,
        "hour total": 600,
        "day long": 800,
        "day short": 200,
        "day total": 1_000,
        "24h long": 900,
        "24h short": 300,
        "24h total": 1_200,
    }


def test_what_lies_behind_a_change_of_regime_is_told_and_is_not_comparable():
    board = told(Board(), T0, 1)
    board = told(board, T0 + 10 * DAY, 900, "a")
    board = told(board, T0 + 20 * DAY, 800, "a and one venue more")
    board = told(board, T0 + 30 * DAY, 700, "a and one venue more")
    now = T0 + 40 * DAY

    assert [(asked(board, usd, now).usd, asked(board, usd, now).comparable) for usd in (650, 850, 1_000)] == [
        (700, True),
        (900, False),
        (None, False),
    ]
    # a day that began before the change was counted by both
    assert (asked(board, 750, now).usd, asked(board, 750, now).comparable) == (800, False)
    # and back again: what was seen in between is not known alike
    assert asked(told(board, now - DAY, 2, "a"), 850, now).comparable is False
    assert asked(told(board, now - DAY, 2, "a and one venue more"), 650, now).comparable is True


# 3. A window never beats itself


def test_a_day_never_beats_itself():
    board = told(Board(), T0, 1)
    onset = T0 + 10 * DAY
    for minutes, usd in [(-300, 560), (10, 570), (60, 590), (100, 577)]:
        board = told(board, onset + minutes * MINUTE, usd)

    assert asked(board, 577, onset).usd is None
    assert asked(board, 590, onset).usd is None
    # two days later all of it is the past
    assert asked(board, 577, onset + 2 * DAY).usd == 590


def test_a_falling_window_is_dated_by_its_peak_and_not_by_the_last_moment_that_still_held_it():
    board = told(Board(), T0, 1)
    peak = T0 + 10 * DAY
    for hour in range(24):
        board = told(board, peak + hour * HOUR, 2456 - hour)
    board = told(board, peak + DAY, 40)

    found = asked(board, 577, peak + 90 * DAY)
    assert (found.at, found.usd) == (peak, 2456)
    assert len(board.stacks["24h short"].recent) + len(board.stacks["24h short"].settled) <= 3


def test_as_much_again_a_whole_window_later_is_a_peak_of_its_own():
    board = told(Board(), T0, 1)
    board = told(told(board, T0 + 10 * DAY, 2456), T0 + 11 * DAY, 800)

    assert asked(board, 577, T0 + 90 * DAY).usd == 800


# 4. Running and final


def test_what_still_runs_says_so():
    board = seeds_of({"2025-10-10T21:15": 2456})
    for running in (True, False):
        claim = Claim(measure="24h", side="short", usd=577, onset=ms("2026-01-13T17:30"), running=running)
        assert since(board, claim).running is running


def test_a_question_changes_nothing_and_a_reading_that_tells_nothing_new_leaves_the_same_board():
    board = seeds_of({"2025-10-10T21:15": 2456, "2026-01-13T20:00": 577})
    before = msgspec.json.encode(board)
    for usd in (1, 400, 577, 5_000):
        asked(board, usd, ms("2026-01-13T17:30"))

    assert msgspec.json.encode(board) == before
    assert told(board, ms("2026-01-13T20:00") + SECOND, 577) is board
    assert told(board, ms("2026-01-13T20:00") + SECOND, 0) is board
    assert told(board, ms("2026-01-13T19:00"), 9_999) is board, "a clock that went back"


def test_yesterday_is_finished_after_midnight_and_then_left_alone():
    board, day = told(Board(), T0, 1), T0 // DAY * DAY + DAY
    board = seen(board, reading(day + DAY - MINUTE, dollars(0, 1)), "a", {day: dollars(0, 100)})
    board = seen(board, reading(day + DAY + 1, dollars(0, 1)), "a", {day: dollars(0, 130), day + DAY: dollars(0, 2)})
    board = seen(board, reading(day + DAY + 2, dollars(0, 1)), "a", {day: dollars(0, 999)})

    assert [(peak.at, peak.usd) for peak in standing(board, "day", "short")] == [
        (day + DAY + DAY // 2, 2),
        (day + DAY // 2, 130),
    ]


# The memory's beginning


def test_nothing_is_claimed_beyond_the_memory():
    board = seeds_of({"2025-10-10T21:15": 2456, "2026-01-13T20:00": 577})
    begin = ms("2025-06-01T00:00")

    unbeaten = asked(board, 2_500, ms("2026-01-13T17:30"))
    assert (unbeaten.largest_since, unbeaten.zone_date, unbeaten.at, unbeaten.usd) == (None, None, None, None)
    assert (unbeaten.first_at, unbeaten.zone, unbeaten.comparable) == (begin, "UTC+8", True)
    assert asked(board, 2_500, begin + DAY - 1) is None
    assert asked(board, 2_500, begin + DAY) is not None
    assert asked(Board(), 1, T0) is None


# From the ledger's clock hours


def test_a_first_memory_comes_from_clock_hours_days_exact_and_rolling_peaks_marked():
    day = ms("2025-10-10T00:00")
    hours = {day + hour * HOUR: dollars(hour, 100 + hour) for hour in range(20, 28)}
    hours |= {day + 60 * DAY: dollars(0, 5)}
    until = day + 90 * DAY + 7 * MINUTE
    board = seed(hours, until, "a")

    assert board.first_at == day + 20 * HOUR
    found = {name: asked(board, 6, until, name) for name in MEASURES}
    assert {name: (one.usd, one.comparable) for name, one in found.items()} == {
        "hour": (127, False),
        "day": (502, True),
        "24h": (486 + 502, False),
    }
    assert found["24h"].at == day + 28 * HOUR - 1
    days = [(date_in(peak.at, UTC), peak.usd) for peak in standing(board, "day", "short")]
    assert days == [("2025-12-09", 5), ("2025-10-11", 502)]
    assert seed({}, until, "a") == seed({until - HOUR + 1: dollars(1, 1)}, until, "a") == Board()


def test_a_first_memory_never_says_more_than_what_was_seen_live():
    rows = list(market(11, 400))
    live, hours = Board(), dict[int, Totals]()
    for one, today in rows:
        live = seen(live, one, "a", by_day(one, today))
    for (before, was), (one, today) in pairwise([(None, Totals()), *rows]):
        same = before is not None and before.now // DAY == one.now // DAY
        start, known = one.now // HOUR * HOUR, was if same else Totals()
        old = hours.get(start, Totals())
        hours[start] = dollars(
            old.long_usd + today.long_usd - known.long_usd, old.short_usd + today.short_usd - known.short_usd
        )
    until = (rows[-1][0].now // DAY + 1) * DAY
    seeded = seed(hours, until, "a")

    for side in SIDES:
        lived = {peak.at: peak.usd for peak in standing(live, "day", side)}
        assert {peak.at: pytest.approx(peak.usd) for peak in standing(seeded, "day", side)} == lived
        for name in ("hour", "24h"):
            assert standing(seeded, name, side)[-1].usd <= standing(live, name, side)[-1].usd + 0.01


def test_the_day_so_far_is_the_sum_of_its_hours():
    assert sum_of({0: dollars(1, 0.1), HOUR: dollars(2, 0.2)}) == Totals(
        long_usd=3, short_usd=0.3, long_count=2, short_count=2
    )
    assert sum_of({}) == Totals()


# How large it gets


def test_equal_peaks_do_not_pile_up():
    board = Board()
    for day in range(40):
        board = told(board, T0 + day * 2 * DAY, 5)

    assert len(board.stacks["24h short"].settled) == 1
    assert asked(board, 5, T0 + 80 * DAY).at == T0 + 78 * DAY


def test_a_memory_of_five_years_stays_small():
    chance, hours = random.Random(5), dict[int, Totals]()
    for hour in range(5 * 365 * 24):
        hours[T0 // DAY * DAY + hour * HOUR] = dollars(
            round(chance.paretovariate(1.1), 2), round(chance.paretovariate(1.1), 2)
        )
    board = seed(hours, T0 // DAY * DAY + 5 * 365 * DAY, "a")

    settled = [len(stack.settled) for stack in board.stacks.values()]
    assert len(settled) == 9
    assert max(settled) <= 40
    assert len(msgspec.json.encode(board)) <= 10_000
