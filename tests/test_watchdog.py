"""The watchdog: silent venues are found in a busy market, and no other is called silent. Invented and recorded markets."""

import random
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise

import pytest

from service import tape
from service.model import MINUTE
from service.pipeline import watchdog
from service.pipeline.watchdog import ENOUGH, LEAST_PER_MINUTE, PLENTY, Silence, Watchdog
from tests.crowd import DAY, RATES, Hit, Storm, market, one_coin
from tests.orders import T0
from tests.shared import recorded

START = T0 - T0 % MINUTE
THREE = {venue: RATES[venue] for venue in ("binance", "bybit", "okx")}
SEEDS = range(32)


class Watched:
    """A watchdog that is shown a market minute by minute, and what it has said."""

    def __init__(self, usual: Mapping[str, float] = RATES, live: Collection[str] | None = None) -> None:
        self.dog = Watchdog(usual)
        self.live = list(usual) if live is None else list(live)
        self.minute = 0
        self.silent: Mapping[str, Silence] = {}
        self.first: dict[str, tuple[int, Silence]] = {}
        """When a venue was first called silent, minutes from the start."""
        self.most: dict[str, float] = dict.fromkeys(usual, 0.0)
        self.look()

    @property
    def now(self) -> int:
        return START + self.minute * MINUTE

    def look(self) -> None:
        self.silent = self.dog.look(self.now, self.live)
        for venue, silence in self.silent.items():
            self.first.setdefault(venue, (self.minute, silence))
        for venue, expected in self.dog.expected.items():
            self.most[venue] = max(self.most[venue], expected)

    def see(self, hits: Iterable[Hit], until: int, hollow: Collection[str] = (), since: float = 0) -> "Watched":
        """Show every minute up to `until`; `hollow` venues show nothing from minute `since` on."""
        by_minute: dict[int, list[Hit]] = {}
        for hit in hits:
            if not (hit.venue in hollow and hit.at >= since):
                by_minute.setdefault(int(hit.at), []).append(hit)
        while self.minute < until:
            for hit in by_minute.get(self.minute, ()):
                self.dog.counted(hit.venue, START + int(hit.at * MINUTE), hit.coin)
            self.minute += 1
            self.look()
        return self

    def steady(self, minutes: int, **coins: int) -> "Watched":
        """Minutes in which each venue shows so many coins."""
        hits = [
            Hit(self.minute + number + 0.5, venue, f"COIN{one}")
            for number in range(minutes)
            for venue, count in coins.items()
            for one in range(count)
        ]
        return self.see(hits, self.minute + minutes)


@pytest.mark.parametrize("offspring", [0.0, 0.6], ids=["poisson", "clustered"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_quiet_day_raises_no_alarm(seed: int, offspring: float) -> None:
    watched = Watched().see(market(seed, offspring=offspring), DAY)

    assert watched.first == {}
    assert max(watched.most.values()) < ENOUGH


@pytest.mark.parametrize("rates", [RATES, THREE], ids=["seven", "three"])
@pytest.mark.parametrize("seed", range(8))
def test_a_day_with_storms_raises_no_alarm_while_all_speak(seed: int, rates: Mapping[str, float]) -> None:
    rng = random.Random(seed)
    starts = [rng.uniform(60, DAY - 60) for _ in range(3)]
    storms = [Storm(at, at + rng.uniform(10, 45), rng.uniform(5, 20)) for at in starts]

    assert Watched(rates).see(market(seed, rates=rates, storms=storms, bursts=8), DAY).first == {}


@pytest.mark.parametrize("venue", RATES)
def test_an_hours_storm_on_one_coin_everywhere_else_is_no_evidence(venue: str) -> None:
    rng, quiet = random.Random(1), market(1, 480)
    others = [name for name in RATES if name != venue]
    storm = one_coin(rng, 360, others, {name: 20 * rate for name, rate in RATES.items()}, minutes=60)

    assert Watched().see([*quiet, *storm], 480).first == {}


def test_a_venue_that_stumbles_alone_accuses_nobody() -> None:
    """Everything is liquidated on one venue, as when its own price oracle fails; the rest of the market sleeps."""
    watched = Watched(THREE).steady(180, binance=2, bybit=1, okx=2)

    assert watched.steady(60, okx=90).first == {}


def test_a_venue_that_stumbles_alone_does_not_make_the_market_busy() -> None:
    watched = Watched(THREE).steady(180, binance=2, bybit=2, okx=2).steady(40, bybit=2, okx=2)
    assert watched.dog.expected["binance"] > ENOUGH

    assert watched.steady(10, bybit=2, okx=90).first == {}


def test_what_was_due_before_the_last_order_does_not_count_though_it_is_looked_at_later() -> None:
    watched = Watched(THREE).steady(60, binance=2, bybit=2, okx=2)
    for minute in range(60, 72):
        for number in range(12):
            for venue in ("bybit", "okx", *(["binance"] if minute == 71 else [])):
                watched.dog.counted(venue, START + minute * MINUTE, f"COIN{number}")
    watched.minute = 72
    watched.look()

    assert watched.dog.expected["binance"] == 0


def found(venue: str, times: float, seeds: Iterable[int]) -> list[int]:
    """Minutes it took to miss a venue that went hollow as a storm began, for each seed in which it was missed in 15."""
    took = []
    for seed in seeds:
        hits = market(seed, 375, storms=[Storm(360, 375, times)], bursts=2)
        watched = Watched().see(hits, 375, hollow=[venue], since=358)
        assert watched.first.keys() <= {venue}
        took += [minute - 360 for minute, _ in watched.first.values()]
    return took


@pytest.mark.parametrize("venue", ["binance", "bybit", "okx", "gate", "bitget"])
def test_a_hollow_venue_is_missed_within_15_minutes_of_a_busy_market(venue: str) -> None:
    seeds = range(16)
    rates = {times: len(found(venue, times, seeds)) for times in (4, 6, 10)}

    assert rates[10] == len(seeds)
    assert rates[6] >= len(seeds) - 2
    assert rates[4] >= len(seeds) // 4, "four times the usual rate is hardly busy: most, not all"


@pytest.mark.parametrize("venue", ["binance", "okx"])
def test_a_venue_that_never_said_anything_is_missed_too(venue: str) -> None:
    hits = market(3, 240, storms=[Storm(200, 240, 8)])

    watched = Watched().see(hits, 215, hollow=[venue])

    assert watched.first.keys() == {venue}
    minute, silence = watched.first[venue]
    assert silence.since == START
    assert "no order for" in silence.words
    assert minute <= 215


def test_a_dead_venue_is_missed_in_a_quiet_market_as_well_only_later() -> None:
    watched = Watched(THREE).steady(240, binance=2, bybit=2, okx=2)

    assert watched.steady(80, bybit=2, okx=2).first == {}
    assert watched.steady(60, bybit=2, okx=2).first.keys() == {"binance"}
    _, silence = watched.first["binance"]
    assert silence.expected >= PLENTY
    assert silence.multiple == pytest.approx(1, abs=0.2)


def test_silence_is_since_the_last_order_and_ends_with_the_next() -> None:
    watched = Watched(THREE).steady(60, binance=2, bybit=2, okx=2)
    last = START + int(59.5 * MINUTE)
    watched.steady(12, bybit=12, okx=12)

    [silence] = watched.silent.values()
    assert silence.since == last
    assert silence.multiple > 2
    assert silence.expected >= ENOUGH
    assert f"at least {silence.expected:.0f} coins were due" in silence.words
    watched.dog.counted("binance", watched.now + 1, "BTC")
    assert watched.dog.look(watched.now + 2, watched.live) == {}
    assert watched.dog.expected["binance"] == 0


def test_a_silent_venue_is_left_out_of_what_is_usual_and_of_the_evidence() -> None:
    watched = Watched(THREE).steady(240, binance=2, bybit=2, okx=2)
    usual = watched.dog.usual("binance")
    watched.steady(60, bybit=12, okx=12)
    assert watched.silent.keys() == {"binance"}
    assert watched.dog.usual("binance") == usual, "an hour of silence is not the usual"
    assert watched.dog.usual("bybit") > usual

    watched.steady(60, bybit=12)
    assert watched.silent.keys() == {"binance"}, "one other is not enough to judge OKX by"
    assert watched.dog.expected.keys() == {"binance"}
    watched.steady(1, binance=2, bybit=12, okx=12)
    assert watched.dog.usual("binance") == pytest.approx(usual, rel=0.02)


def test_a_venue_whose_socket_is_not_live_is_not_judged_and_starts_anew() -> None:
    watched = Watched(THREE).steady(60, binance=2, bybit=2, okx=2).steady(12, bybit=12, okx=12)
    assert watched.silent.keys() == {"binance"}
    watched.live.remove("binance")
    watched.steady(5, bybit=12, okx=12)
    assert watched.silent == {}
    assert "binance" not in watched.dog.expected
    watched.live.append("binance")
    back = watched.now + MINUTE
    watched.steady(3, bybit=12, okx=12)
    assert watched.silent == {}
    watched.steady(12, bybit=12, okx=12)
    assert watched.silent["binance"].since == back


def test_a_venue_that_shows_next_to_nothing_cannot_be_judged() -> None:
    watched = Watched().see(market(7, 400, storms=[Storm(360, 400, 20)]), 400, hollow=["aster", "htx"])

    assert "aster" not in watched.dog.expected
    assert "aster" not in watched.first
    assert watched.dog.usual("aster") < LEAST_PER_MINUTE


def test_without_two_others_nobody_is_judged() -> None:
    watched = Watched({"binance": 2.7, "okx": 4.5}).steady(60, binance=2, okx=3).steady(30, okx=40)

    assert watched.dog.expected == {}
    assert watched.first == {}


def test_a_minute_is_worth_only_so_much() -> None:
    """However violent, one or two minutes are the venue's own delay."""
    watched = Watched(THREE).steady(60, binance=2, bybit=2, okx=2).steady(3, bybit=80, okx=80)

    assert watched.first == {}


def test_an_order_counted_late_is_a_sign_of_life_of_its_own_minute() -> None:
    watched = Watched(THREE).steady(60, binance=2, bybit=2, okx=2).steady(12, bybit=12, okx=12)
    watched.dog.counted("binance", START + 59 * MINUTE, "BTC")
    assert watched.dog.look(watched.now, watched.live).keys() == {"binance"}, "it is no later than the last one"
    late = watched.now - 2 * MINUTE
    watched.dog.counted("binance", late, "BTC")

    assert watched.dog.look(watched.now, watched.live) == {}
    watched.steady(12, bybit=12, okx=12)
    assert watched.silent["binance"].since == late


def test_a_machine_that_slept_accuses_nobody_and_forgets_nothing() -> None:
    watched = Watched(THREE).steady(240, binance=2, bybit=2, okx=2)
    usual = watched.dog.usual("binance")
    watched.minute += 8 * 60
    watched.look()
    watched.steady(5, binance=2, bybit=2, okx=2)

    assert watched.first == {}
    assert watched.dog.usual("binance") == pytest.approx(usual, rel=0.15)


def test_what_is_usual_is_learned_within_hours_and_forgotten_within_days() -> None:
    watched = Watched({"binance": 20.0, "bybit": 0.2, "okx": 4.5})
    watched.steady(2 * DAY, binance=1, bybit=3, okx=2)

    assert watched.dog.usual("binance") == pytest.approx(1, abs=0.3)
    assert watched.dog.usual("bybit") == pytest.approx(3, abs=0.3)


def test_quiet_minutes_are_part_of_what_is_usual() -> None:
    watched = Watched({"binance": 2.7, "bybit": 2.2, "okx": 4.5})
    for _ in range(DAY // 10):
        watched.steady(9, bybit=2, okx=2).steady(1, binance=2, bybit=2, okx=2)

    assert watched.dog.usual("binance") == pytest.approx(0.2, abs=0.12)


def test_a_stranger_is_ignored() -> None:
    watched = Watched(THREE)
    watched.dog.counted("nobody", START, "BTC")
    watched.live.append("nobody")
    watched.steady(3, okx=2)

    assert "nobody" not in watched.dog.expected


def seen(
    rows: Sequence[tape.Row], venue_of: Mapping[str, str] | None = None, parts: int = 0, salt: str = ""
) -> list[Hit]:
    """Recorded rows as hits; with `parts` the symbols are dealt to so many venues."""
    start = min(row.at for row in rows)

    def venue(row: tape.Row) -> str:
        return f"part{zlib.crc32((salt + row.symbol).encode()) % parts}" if parts else row.venue

    return sorted(Hit((row.at - start) / MINUTE, venue(row), row.symbol) for row in rows)


def usual_of(hits: Sequence[Hit]) -> dict[str, float]:
    """Orders a minute by venue that a first guess would say."""
    minutes = hits[-1].at - hits[0].at
    venues = [hit.venue for hit in hits]
    return {venue: venues.count(venue) / minutes for venue in dict.fromkeys(venues)}


@pytest.fixture
def everyone_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recording holds sums of 30,000 dollars: dealt to venues, each shows too few of them to be judged."""
    monkeypatch.setattr(watchdog, "LEAST_PER_MINUTE", 0.0)


@pytest.mark.parametrize("parts", [3, 5, 8])
@pytest.mark.usefixtures("everyone_judged")
def test_nine_recorded_days_dealt_to_several_venues_raise_no_alarm(parts: int) -> None:
    rows = tape.read([recorded("data/binance_bursts_2023_01/bursts.csv.gz")])
    hits = seen(rows, parts=parts)

    watched = Watched(usual_of(hits)).see(hits, int(hits[-1].at) + 1)

    assert watched.first == {}
    assert 5 < max(watched.most.values()) < ENOUGH / 2


@pytest.mark.usefixtures("everyone_judged")
def test_a_venue_cut_out_of_the_busiest_recorded_minutes_is_missed() -> None:
    rows = tape.read([recorded("data/binance_bursts_2023_01/bursts.csv.gz")])
    hits = seen(rows, parts=3)
    busy = busiest(hits)

    for part in range(3):
        watched = Watched(usual_of(hits)).see(hits, busy + 15, hollow=[f"part{part}"], since=busy)
        assert watched.first.keys() == {f"part{part}"}, watched.most


def busiest(hits: Sequence[Hit]) -> int:
    """Where the fifteen busiest minutes begin."""
    counts: dict[int, int] = {}
    for hit in hits:
        counts[int(hit.at)] = counts.get(int(hit.at), 0) + 1
    return max(counts, key=lambda first: sum(counts.get(first + number, 0) for number in range(15)))


def test_two_recorded_venues_never_kept_each_other_waiting_for_long() -> None:
    """Real Binance against real Bybit: what was due in the longest pause stays far below what makes a silence."""
    rows = tape.read([recorded("data/whalebot_ge50k_2025_09/liq_ge_50k.csv.gz")])
    coins = {(int(hit.at), hit.venue, hit.coin) for hit in seen(rows)}
    counts = {venue: sum(one == venue for _, one, _ in coins) for venue in ("binance", "bybit")}

    for own, other in (("binance", "bybit"), ("bybit", "binance")):
        minutes = sorted({minute for minute, venue, _ in coins if venue == own})
        others = [minute for minute, venue, _ in coins if venue == other]
        due = [sum(a < at < b for at in others) * counts[own] / counts[other] for a, b in pairwise(minutes)]
        assert len(due) > 70
        assert max(due) < watchdog.ENOUGH / 2
