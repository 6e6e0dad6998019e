"""The laboratory: its market holds what it promises, its scorer counts by the protocol, its runs repeat."""

import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from service.detector import Rules
from service.detector.tail import Fit
from service.lab import LabError, feeds
from service.lab.background import Background, hours_of_week
from service.lab.bench import BENCH
from service.lab.cascades import Truth, final_size
from service.lab.day import Day
from service.lab.detectors import CALM_S, KEEP, Crossing, Notice
from service.lab.law import DAY_S, EPOCH, HOUR_S, Law, Sizes
from service.lab.levels import level_for
from service.lab.market import HOUR_USD, Market
from service.lab.own import Held, Own
from service.lab.run import Plan, run
from service.lab.score import Outcome, judge, poisson, quantile, summary, wilson
from service.lab.scores import Cusum, Dollars
from service.lab.table import document, lines

ROOT = Path(__file__).resolve().parents[1]
#: Nothing but branching and hours of the week: every number of it is known.
PLAIN = replace(
    Law().quiet(),
    slow=(0, 5),
    fast=(0, 1),
    bursts_per_month=0,
    whales_per_month=0,
    branching=(0.6, 0.6),
    mean_usd=4_500,
)
#: A cascade every half a day or so.
CROWDED = replace(Law(), cascades_per_month=60, rest_hours=1, cascade_usd=(20e6, 4e8))
DAYS = 9


@pytest.fixture(scope="module")
def plain() -> list[Day]:
    background = Background(PLAIN, 7)
    return [background.day(number) for number in range(28)]


@pytest.fixture(scope="module")
def crowded() -> tuple[list[Day], list[Truth]]:
    market = Market(CROWDED, 6)
    days = list(market.days(DAYS))
    return days, list(market.truths)


def test_the_background_has_the_promised_rate_and_mean_order(plain: list[Day]) -> None:
    orders = sum(len(day.at) for day in plain)
    assert orders / (len(plain) * DAY_S) == pytest.approx(1.2, rel=0.03)
    usd = sum(day.usd.sum() for day in plain)
    assert usd / orders == pytest.approx(4_500, rel=0.06)
    assert 17e6 < usd / len(plain) / 24 < 21e6
    assert np.mean(np.concatenate([day.short for day in plain])) == pytest.approx(0.5, abs=0.002)


def test_whole_months_come_near_the_rate_with_regimes_news_and_whales() -> None:
    background = Background(Law().quiet(), 11)
    orders = sum(len(background.day(number).at) for number in range(28))
    assert orders / (28 * DAY_S) == pytest.approx(1.2, rel=0.25)


def test_sizes_have_the_promised_tail_and_cap(plain: list[Day]) -> None:
    usd = np.concatenate([day.usd for day in plain])
    for low in (1e4, 1e5):
        fall = np.count_nonzero(usd > 10 * low) / np.count_nonzero(usd > low)
        assert -np.log10(fall) == pytest.approx(0.9, abs=0.06)
    assert 5e6 < usd.max() <= PLAIN.cap_usd
    assert Sizes.with_mean(4_500, 0.9, 40e6).mean == pytest.approx(4_500, rel=1e-6)


def test_orders_cause_the_promised_part_of_the_orders(plain: list[Day]) -> None:
    weekdays = [day.count_by_s.reshape(72, 1_200).sum(axis=1) for number, day in enumerate(plain) if number % 7 < 5]
    counts = np.array(weekdays)  # the same twenty minutes of twenty weekdays: no wave between them
    fano = float((counts.var(axis=0, ddof=1) / counts.mean(axis=0)).mean())
    assert fano == pytest.approx(1 / (1 - 0.6) ** 2, rel=0.15)


def test_clusters_go_on_over_midnight(plain: list[Day]) -> None:
    first = sum(day.count_by_s[:300].sum() for day in plain[1:])
    due = sum(1.2 * hours_of_week(number)[:300].sum() for number in range(1, len(plain)))
    assert first == pytest.approx(due, rel=0.12)


def test_news_hits_one_side_only_where_asked() -> None:
    busy = replace(PLAIN, bursts_per_month=300, branching=(0.4, 0.4), burst_side=(0.5, 0.5))

    def most(law: Law) -> float:
        """The most uneven ten minutes of five days."""
        background, uneven = Background(law, 2), []
        for number in range(5):
            day = background.day(number)
            short = np.bincount(day.second[day.short] // 600, minlength=144)
            uneven.append(np.abs(short / day.count_by_s.reshape(144, 600).sum(axis=1) - 0.5).max())
        return float(max(uneven))

    assert most(busy) < 0.1
    assert most(busy.sided()) > 0.2
    assert np.array_equal(Background(busy, 2).day(0).at, Background(busy.sided(), 2).day(0).at)


def test_the_week_averages_to_one() -> None:
    assert np.mean([hours_of_week(number) for number in range(7)]) == pytest.approx(1, abs=1e-6)


def test_the_same_seed_is_the_same_market_and_its_beginning_does_not_know_its_length() -> None:
    once, longer, other = (list(Market(CROWDED, seed).days(days)) for seed, days in ((5, 2), (5, 4), (6, 2)))
    for day, again in zip(once, longer[:2], strict=True):
        for column in ("at", "usd", "short", "venue", "symbol", "cause"):
            assert np.array_equal(getattr(day, column), getattr(again, column))
    assert len(once[0].at) != len(other[0].at)


def test_days_are_whole_and_in_order_of_time(crowded: tuple[list[Day], list[Truth]]) -> None:
    for number, day in enumerate(crowded[0]):
        assert day.start == EPOCH + number * DAY_S * 1_000
        assert np.all(np.diff(day.at) >= 0)
        assert day.start <= day.at[0]
        assert day.at[-1] < day.end


def test_truth_is_what_a_count_of_the_stream_finds(crowded: tuple[list[Day], list[Truth]]) -> None:
    days, truths = crowded
    at, usd, short, cause = (
        np.concatenate([getattr(day, name) for day in days]) for name in ("at", "usd", "short", "cause")
    )
    assert 8 < len(truths) < 40
    assert any(truth.onset // (DAY_S * 1_000) != truth.end // (DAY_S * 1_000) for truth in truths), "none at midnight"
    for truth in truths:
        mine = cause == truth.number
        assert (at[mine].min(), at[mine].max(), mine.sum()) == (truth.onset, truth.end, truth.orders)
        assert usd[mine].sum() == pytest.approx(truth.usd)
        side = short[mine].mean() if truth.short else 1 - short[mine].mean()
        assert 0.80 < side <= 1
        middle = (truth.onset + truth.end) // 2_000 * 1_000
        assert truth.gone(middle) == pytest.approx(usd[mine & (at < middle)].sum() / truth.usd)
        assert (truth.gone(truth.onset - 1), truth.gone(truth.end + 1_000)) == (0, pytest.approx(1))


def test_onsets_show_in_the_stream_without_its_labels(crowded: tuple[list[Day], list[Truth]]) -> None:
    days, truths = crowded
    at = np.concatenate([day.at for day in days])
    rises = []
    for truth in truths:
        before, onset, after = np.searchsorted(at, [truth.onset - 600_000, truth.onset, truth.onset + 600_000])
        rises.append((after - onset) / max(1, onset - before))
    assert np.median(rises) > 1.5


def test_the_true_hour_is_the_one_a_plain_queue_finds(crowded: tuple[list[Day], list[Truth]]) -> None:
    days, truths = crowded
    dollars = np.concatenate([day.usd_by_s for day in days]).tolist()
    window, total, was, risen = deque([0.0] * HOUR_S), 0.0, False, list[int]()
    for s, usd in enumerate(dollars):
        window.append(usd)
        total += usd - window.popleft()
        if total >= HOUR_USD and not was:
            risen.append(EPOCH + (s + 1) * 1_000)
        was = total >= HOUR_USD
    passed = 0
    for truth in truths:
        inside = [at for at in risen if truth.onset < at <= truth.end + 1_000 and truth.gone(at) * truth.usd >= 50e6]
        assert truth.hour_at == (inside[0] if inside else None)
        passed += truth.hour_at is not None
    assert passed >= 5


def test_final_size_of_growth() -> None:
    for r0 in (1.1, 1.4, 1.7):
        assert 1 - final_size(r0) == pytest.approx(np.exp(-r0 * final_size(r0)), abs=1e-6)
    assert final_size(1.5) == pytest.approx(0.5828, abs=1e-4)


# feeds


def small(seed: int = 1) -> Day:
    """A few busy seconds on few contracts, with equal sizes among them."""
    rng, count = np.random.default_rng(seed), 4_000
    return Day(
        EPOCH,
        np.sort(EPOCH + rng.integers(0, 60_000, count)),
        rng.integers(1, 30, count).astype(float),
        rng.random(count) < 0.5,
        rng.integers(0, 2, count).astype(np.int8),
        rng.integers(0, 3, count).astype(np.int16),
        np.zeros(count, np.int32),
    )


def rows(day: Day) -> list[tuple[int, float, bool, int, int]]:
    columns = (day.at, day.usd, day.short, day.venue, day.symbol)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.parametrize("rule", ["largest", "latest"])
def test_a_sampled_feed_shows_one_order_a_second(rule: str) -> None:
    day, kept = small(), dict[tuple[int, int, int], tuple[int, float, bool, int, int]]()
    for row in rows(day):
        slot = (row[0] // 1_000, row[3], row[4])
        if rule == "latest" or slot not in kept or row[1] >= kept[slot][1]:
            kept[slot] = row
    shown = getattr(feeds, rule)(day)
    assert sorted(rows(shown)) == sorted(kept.values())
    assert rows(shown) == sorted(rows(shown), key=lambda row: row[0])
    assert shown.cause is None


def test_a_first_feed_rests_a_second_after_each_order() -> None:
    day, last, kept = small(), dict[tuple[int, int], int](), []
    for row in rows(day):
        line = (row[3], row[4])
        if row[0] - last.get(line, 0) >= 1_000:
            last[line] = row[0]
            kept.append(row)
    assert rows(feeds.first(day)) == kept


def test_a_batched_feed_keeps_every_order_and_shifts_it_to_its_batch() -> None:
    day = small()
    shown = feeds.batched(day)
    assert shown.usd.tolist() == day.usd.tolist()
    for at, told in zip(day.at.tolist(), shown.at.tolist(), strict=True):
        assert told % 6_000 == 5_999
        assert 0 <= told - at < 6_000
    assert shown.at[-1] < shown.end
    assert len(feeds.batched_largest(day).at) == len({(at, v, s) for at, _, _, v, s in rows(shown)})


@pytest.mark.parametrize("feed", feeds.FEEDS)
def test_no_feed_tells_the_truth(feed: str) -> None:
    assert feeds.FEEDS[feed](small()).cause is None


# detectors


class Given:
    """A score that was written down before."""

    def __init__(self, days: Sequence[np.ndarray]) -> None:
        self._days = iter(days)

    def day(self, _day: Day) -> np.ndarray:
        return next(self._days)


def test_crossings_are_those_of_a_machine_that_looks_each_second() -> None:
    rng = np.random.default_rng(4)
    days = []
    for _ in range(6):
        bumps = np.zeros(DAY_S)
        for start in rng.integers(0, DAY_S, 12):
            bumps[start : start + rng.integers(1, 4_000)] += rng.choice([0.3, 0.6, 1.2])
        days.append(bumps)
    days[1][-10:] = days[2][:10] = 2.0  # open over midnight
    wanted, since = [], None
    for number, score in enumerate(days):
        for s, value in enumerate(score.tolist()):
            now = number * DAY_S + s
            if since is not None and value >= KEEP:
                since = now
            elif since is not None and now - since > CALM_S:
                since = None
            if since is None and value >= 1.0:
                since = now
                wanted.append(EPOCH + (now + 1) * 1_000)
    crossing = Crossing(Given(days), 1.0)
    found = [n for number in range(6) for n in crossing.day(Day.none(EPOCH + number * DAY_S * 1_000))]
    assert [notice.at for notice in found] == wanted
    assert len(wanted) > 10
    assert all(notice.opens for notice in found)


def test_rolling_dollars_go_on_over_midnight(plain: list[Day]) -> None:
    score = Dollars(300)
    found = np.concatenate([score.day(day) for day in plain[:2]])
    dollars = np.concatenate([day.usd_by_s for day in plain[:2]])
    for s in (0, 299, 5_000, DAY_S - 1, DAY_S, DAY_S + 100, DAY_S + 299, DAY_S + 300):
        assert found[s] == pytest.approx(dollars[max(0, s - 299) : s + 1].sum(), abs=0.01)


def test_cusum_is_the_recursion(plain: list[Day]) -> None:
    score, paces = Cusum(), Cusum()
    s, four, found, wanted = 0.0, float(np.log(4)), [], []
    for day in plain[:2]:
        found += score.day(day).tolist()
        for n, m in zip(day.count_by_s.tolist(), paces._scale.day(day).tolist(), strict=True):
            s = max(0.0, s + n * four - 3 * m)
            wanted.append(s)
    assert np.allclose(found, wanted, rtol=0, atol=1e-6)
    assert max(wanted) > 3


@pytest.mark.parametrize("name", [name for name, entry in BENCH.items() if entry.score])
def test_no_score_looks_ahead(name: str, crowded: tuple[list[Day], list[Truth]]) -> None:
    number, second = divmod((crowded[1][0].onset - EPOCH) // 1_000, DAY_S)
    days, cut = [feeds.full(day) for day in crowded[0]], second + 60  # just as a cascade grows
    last = days[number]
    known = last.take(np.flatnonzero(last.second < cut))
    make = BENCH[name].score
    assert make is not None
    whole, part = make(), make()
    for day in days[1:3]:
        assert np.array_equal(whole.day(day), part.day(day))
    first, second = whole.day(last), part.day(known)
    assert first[:cut] == pytest.approx(second[:cut], rel=1e-9, abs=1e-9)
    assert not np.allclose(first[cut:], second[cut:])


def test_the_services_own_detector_names_the_side_and_does_not_look_ahead(
    crowded: tuple[list[Day], list[Truth]],
) -> None:
    cascade, day = crowded[1][0], feeds.full(crowded[0][0])
    cut = (cascade.onset - EPOCH) // 1_000 + 1_800
    day = day.take(np.flatnonzero((day.second > cut - 2 * HOUR_S) & (day.second < cut + HOUR_S)))
    whole, part = (BENCH["own"].make(None, 1.0) for _ in range(2))
    said, known = whole.day(day), part.day(day.take(np.flatnonzero(day.second < cut)))
    assert [n for n in said if n.at <= EPOCH + cut * 1_000] == [n for n in known if n.at <= EPOCH + cut * 1_000]
    opened = next(notice for notice in said if notice.opens and notice.at >= cascade.onset)
    assert opened.short is cascade.short
    assert opened.at - cascade.onset < 1_800_000
    assert opened.onset is not None
    assert abs(opened.onset - cascade.onset) < 300_000
    assert [notice for notice in said if notice.planned]


def test_a_silenced_rule_opens_nothing(crowded: tuple[list[Day], list[Truth]]) -> None:
    day, onset = feeds.full(crowded[0][0]), (crowded[1][0].onset - EPOCH) // 1_000
    late = day.take(np.flatnonzero((day.second > onset - 1.5 * HOUR_S) & (day.second < onset + 0.75 * HOUR_S)))
    for rule in ("early", "level", "hour"):
        said = Own(Rules(), {rule}).day(late)
        assert {notice.rule for notice in said if notice.opens} <= {rule}
        assert said


def test_held_levels_rise_no_higher_than_told() -> None:
    for most, wanted in ((0, 4.0), (2, 8.0), (1e9, 40.0)):
        gauge = Held(asset="ALL", most=most)
        gauge.early.blocks, gauge.early.fit = 96 * 60, Fit(u=40.0, sigma=1e-9, xi=0.5, p=0.03)
        gauge.level(Rules())
        assert gauge.levels.early == pytest.approx(wanted)


def test_a_level_allows_the_quiet_days_their_budget_and_no_more() -> None:
    blocks = np.zeros(48 * 90)
    for place, height in ((10, 9.0), (11, 8.5), (500, 7.0), (900, 6.0), (1_500, 5.0)):
        blocks[place] = height
    assert level_for(blocks, 1.0) == 6.0  # three in ninety days; neighbours are one episode
    with pytest.raises(ValueError, match="too few"):
        level_for(blocks[: 48 * 20], 1.0)


# the scorer, on cases made by hand

ONSET = EPOCH + 10 * DAY_S * 1_000


def truth(number: int = 0, onset: int = ONSET, hour_after_s: int | None = 600) -> Truth:
    """A cascade of an hour: a tenth of its $200M each six minutes."""
    return Truth(
        number=number,
        onset=onset,
        end=onset + HOUR_S * 1_000,
        short=True,
        usd=200e6,
        orders=10,
        reproduction=1.3,
        stretch=1,
        seconds=tuple(onset + 360_000 * (k + 1) for k in range(10)),
        gone_usd=tuple(20e6 * (k + 1) for k in range(10)),
        hour_at=None if hour_after_s is None else onset + hour_after_s * 1_000,
    )


def said(*seconds: float, planned: Sequence[float] = ()) -> list[Notice]:
    """Openings, in seconds from the onset, and updates."""
    opens = [
        Notice(at=ONSET + int(s * 1_000), episode=k, opens=True, short=k != 1, onset=ONSET - 30_000)
        for k, s in enumerate(seconds)
    ]
    return sorted(
        [*opens, *(Notice(at=ONSET + int(s * 1_000), episode=0, planned=True) for s in planned)], key=lambda n: n.at
    )


def judged(*seconds: float, **words: object) -> Outcome:
    [outcome] = judge([truth()], said(*seconds, **words), EPOCH, EPOCH + 30 * DAY_S * 1_000).outcomes  # type: ignore[arg-type]
    return outcome


@pytest.mark.parametrize(
    ("at", "found", "false"),
    [(-120.001, False, 1), (-120, True, 0), (0, True, 0), (3_601, True, 0), (3_601.001, False, 1), (None, False, 0)],
)
def test_an_opening_matches_from_120_s_before_the_onset_to_the_end(at: float | None, found: bool, false: int) -> None:
    result = judge([truth()], said(*[at] if at is not None else []), EPOCH, EPOCH + 30 * DAY_S * 1_000)
    assert (result.outcomes[0].found, result.false) == (found, false)


def test_delay_lead_and_dollars_gone_are_those_of_the_first_opening() -> None:
    outcome = judged(200, 400, 3_000)
    assert (outcome.delay_s, outcome.lead_s, outcome.gone, outcome.fragments) == (200, 400, 0, 2)
    late = judged(720)
    assert (late.delay_s, late.lead_s, late.gone, late.fragments) == (720, -120, 0.2, 0)


def test_what_was_said_while_warming_up_or_of_a_cascade_that_began_there_counts_nowhere() -> None:
    since, until = ONSET + 60_000, ONSET + 3 * DAY_S * 1_000
    result = judge([truth()], said(30, 90), since, until)
    assert (result.outcomes, result.false, result.days) == ((), 0, pytest.approx(3 - 60 / DAY_S))


def test_a_summary_counts_by_the_protocol() -> None:
    later = ONSET + 5 * DAY_S * 1_000
    truths = [truth(), truth(1, later), truth(2, later + DAY_S * 1_000, None), truth(3, later + 2 * DAY_S * 1_000)]
    notices = said(100, 900, 7_200, 5 * DAY_S + 300, 6 * DAY_S + 50, planned=(110, 120))
    part = judge(truths, notices, EPOCH, EPOCH + 30 * DAY_S * 1_000)
    found = summary([part, judge([], [], EPOCH, EPOCH + 30 * DAY_S * 1_000)])
    assert (found.cascades, found.large) == (4, 3)
    assert found.found is not None
    assert found.found_large is not None
    assert (found.found.value, found.found_large.value) == (0.75, pytest.approx(2 / 3))
    assert found.false_per_30d.value == 0.5  # one in sixty days
    assert found.delay_s == (200, pytest.approx(280))
    assert found.lead_s == 400
    assert found.openings_per_cascade == pytest.approx(4 / 3)
    assert found.single == pytest.approx(2 / 3)
    assert found.notices_per_cascade == pytest.approx(5 / 3)  # the false one too, the planned ones not
    assert found.updates_per_cascade == pytest.approx(2 / 3)
    assert found.side_right == 1  # the second opening named the other side: only the first of a cascade is asked
    assert found.onset_error_s is not None
    assert found.onset_error_s[0] == pytest.approx(5 * DAY_S + 30)
    assert summary([part]).false_per_30d.high == pytest.approx(5.572, abs=0.001)


def test_limits_are_the_published_ones() -> None:
    share = wilson(8, 10)
    assert share is not None
    assert (share.low, share.high) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))
    assert poisson(0) == (0, pytest.approx(3.6889, abs=1e-4))
    assert poisson(10) == (pytest.approx(4.7954, abs=1e-4), pytest.approx(18.3904, abs=1e-4))
    assert poisson(1_000) == (pytest.approx(938.97, abs=0.05), pytest.approx(1_063.95, abs=0.05))
    assert quantile([4, 1, 3, 2], 0.9) == pytest.approx(3.7)
    assert (wilson(0, 0), quantile([], 0.5)) == (None, None)


# a run

TINY = Plan(
    seeds=(1,),
    months=0.5,
    warm_up_days=1,
    quiet_days=5,
    budget=6,
    feeds=("full", "sampled"),
    detectors=("hour-100M", "five"),
)


def test_a_run_gives_the_same_whatever_the_processes() -> None:
    heard: list[int] = []
    alone = run(TINY.checked(), heard.append)
    assert sum(heard) == TINY.days == 2 * (6 + 16)
    assert run(msgspec.structs.replace(TINY, jobs=2), lambda _days: None) == alone
    hour = summary([trial.judged for trial in alone if (trial.feed, trial.detector) == ("full", "hour-100M")])
    assert hour.large
    assert hour.found_large is not None
    assert hour.found_large.value > 0.5
    assert hour.lead_s == 0, "it passes the hour when the truth does"
    text = "\n".join(lines(TINY, alone))
    assert "| hour-100M | $100.0M |" in text
    assert "Feed sampled: " in text
    assert len(msgspec.json.decode(document(TINY, alone))["trials"]) == 4


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"feeds": ("whole",)}, "sampled"),
        ({"detectors": ("mine",)}, "calendar"),
        ({"months": 0}, "a day to judge"),
        ({"seeds": (-1,)}, "seeds"),
        ({"quiet_days": 4}, "quiet days"),
    ],
)
def test_what_cannot_be_run_is_refused_with_what_is_allowed(change: dict[str, object], word: str) -> None:
    with pytest.raises(LabError, match=word):
        msgspec.structs.replace(TINY, **change).checked()


def test_without_numpy_the_command_names_the_extra_and_the_others_work() -> None:
    code = "import sys; sys.modules['numpy'] = None; from service.cli import main; sys.exit(main(sys.argv[1:]))"
    found = subprocess.run([sys.executable, "-c", code, "lab"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (found.returncode, found.stdout) == (2, "")
    assert "cascade-monitor[lab]" in found.stderr
    assert "Traceback" not in found.stderr
