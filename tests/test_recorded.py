"""Real recordings: what the service finds in them, held against the files themselves by arithmetic of our own.

`python -m tests.recorded` prints all of it. The sums here are taken from the files' cells, not from anything the service
counted.
"""

import functools
from collections import Counter, deque
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime

import pytest

from service.detector import Rules
from service.model import ALL, HOUR, MINUTE, SECOND, Alert, Phase
from service.tape import Row
from tests.recorded import Found, cells, episodes, judged, made, rows_of
from tests.shared import recorded

pytestmark = pytest.mark.timeout(240)  # a recording takes 5 to 15 s on an idle core

HOURS = "data/coinglass_btc_liq/btc_liq_1h.csv.gz"
HALVES = "data/coinglass_btc_liq/btc_liq_30m.csv.gz"
BURSTS = "data/binance_bursts_2023_01/bursts.csv.gz"
SEPTEMBER = "data/whalebot_ge50k_2025_09/liq_ge_50k.csv.gz"
FORCED = "data/binance_force_orders_raw/force_orders.csv.gz"
BUSIEST = "data/hyperliquid_2025_10_10/event_counts_by_second.csv.gz"
FLOOR, SHARE = 30e6, 0.80

#: "Known largest moments" of the data's own description: hour (UTC), side, millions of that side.
LARGEST = {
    "2026-01-13 22": ("short", 109.0),
    "2026-06-07 22": ("short", 92.7),
    "2026-03-23 11": ("short", 48.0),
    "2025-12-02 15": ("short", 37.2),
    "2026-05-01 13": ("short", 34.5),
    "2026-06-02 14": ("long", 93.4),
    "2026-06-02 02": ("long", 87.6),
    "2026-05-17 23": ("long", 85.7),
    "2026-06-04 02": ("long", 70.1),
    "2026-01-20 22": ("long", 55.9),
    "2026-01-19 00": ("long", 53.6),
    "2025-12-01 00": ("long", 53.3),
}
#: All one-sided hours of at least $30M, and which of them went on an episode that ran already.
OPENED = {
    "2025-12-01 00": "long", "2025-12-02 15": "short", "2025-12-05 16": "long", "2026-01-13 22": "short",
    "2026-01-19 00": "long", "2026-01-20 22": "long", "2026-02-23 01": "long", "2026-02-28 06": "long",
    "2026-03-21 23": "long", "2026-03-23 11": "short", "2026-03-29 22": "long", "2026-04-07 22": "short",
    "2026-05-01 13": "short", "2026-05-06 11": "short", "2026-05-15 13": "long", "2026-05-16 07": "long",
    "2026-05-17 23": "long", "2026-06-01 13": "long", "2026-06-01 16": "long", "2026-06-02 02": "long",
    "2026-06-02 14": "long", "2026-06-02 19": "long", "2026-06-03 03": "long", "2026-06-03 23": "long",
    "2026-06-05 06": "long", "2026-06-05 18": "long", "2026-06-07 22": "short",
}  # fmt: skip
WENT_ON = {"2026-06-02 15": "2026-06-02 14", "2026-06-04 01": "2026-06-03 23", "2026-06-04 02": "2026-06-03 23"}
#: Over the floor, but neither side holds 80 %.
TWO_SIDED = "2026-06-05 16"


def name(at: int) -> str:
    return datetime.fromtimestamp(at / 1_000, UTC).strftime("%Y-%m-%d %H")


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


@functools.cache
def hours(path: str) -> dict[str, tuple[float, float]]:
    """Long and short dollars by hour, from the cells."""
    return {name(int(row["ts_ms"])): (float(row["long_usd"]), float(row["short_usd"])) for row in cells(recorded(path))}


def one_sided(long: float, short: float) -> str | None:
    if long + short < FLOOR or max(long, short) < SHARE * (long + short):
        return None
    return "short" if short > long else "long"


_JUDGED: dict[str, list[Alert]] = {}


async def found_in(path: str, rows: Sequence[Row] | None = None) -> tuple[list[Alert], list[Found]]:
    """What a file's replay says, once for all tests of a process; or that of some of its rows."""
    if rows is not None:
        _, alerts = await judged(rows)
    elif path not in _JUDGED:
        _, alerts = await judged(rows_of(recorded(path)))
        _JUDGED[path] = alerts
    else:
        alerts = _JUDGED[path]
    return alerts, episodes(alerts)


def of(found: Collection[Found], asset: str) -> list[Found]:
    return [one for one in found if one.opened.asset == asset]


def coin(symbol: str) -> str:
    """The coin of a contract in these files, by hand."""
    symbol = symbol.partition("_")[0]  # dated ones
    for quote in ("USDT", "USDC", "BUSD"):
        symbol = symbol.removesuffix(quote)
    return symbol.removeprefix("1000")


def rolling(rows: Sequence[Row], asset: str, until: int, span: int = HOUR) -> dict[str, float]:
    """Dollars by side in (until - span, until], from the rows."""
    inside = [row for row in rows if until - span < row.at <= until and asset in (ALL, coin(row.symbol))]
    return {side: sum(row.usd for row in inside if row.side == side) for side in ("long", "short")}


def crossings(rows: Sequence[Row], floors: Rules) -> Iterator[tuple[str, int]]:
    """Each asset and when (ms UTC) its rolling hour first stood above its floor with 80 % on one side."""
    for asset in sorted({ALL, *(coin(row.symbol) for row in rows)}):
        held, sums = deque[Row](), {"long": 0.0, "short": 0.0}
        for row in rows:
            if asset not in (ALL, coin(row.symbol)):
                continue
            held.append(row)
            sums[row.side] += row.usd
            while held[0].at <= row.at - HOUR:
                old = held.popleft()
                sums[old.side] -= old.usd
            total = sum(sums.values())
            if total >= floors.floor(asset) and max(sums.values()) >= SHARE * total:
                yield asset, row.at
                break


def lately(rows: Sequence[Row], alert: Alert, width_s: int) -> Iterator[dict[str, float]]:
    """Dollars by side in the windows that end with one of the last whole seconds: a second is closed some time later."""
    for behind in range(15):
        end = (alert.at // SECOND - behind) * SECOND - 1
        yield rolling(rows, alert.asset, end, width_s * SECOND)


# BTC by the hour, 197 days


async def test_every_one_sided_hour_of_the_recorded_half_year_is_found_with_its_side_and_no_other_hour_is():
    _, found = await found_in(HOURS)
    wanted = {hour: side for hour, both in hours(HOURS).items() if (side := one_sided(*both))}

    assert {name(one.opened.at): one.opened.side.value for one in of(found, "BTC")} == OPENED
    assert wanted.keys() == OPENED.keys() | WENT_ON.keys()
    assert {hour: wanted[hour] for hour in OPENED} == OPENED
    for hour, begun in WENT_ON.items():
        [own] = [one for one in of(found, "BTC") if name(one.opened.at) == begun]
        assert wanted[hour] == own.opened.side
        assert ms(f"{hour}:59") <= own.last.at
    long, short = hours(HOURS)[TWO_SIDED]
    assert long + short >= FLOOR
    assert TWO_SIDED not in wanted


@pytest.mark.parametrize(("hour", "side", "musd"), [(hour, *row) for hour, row in LARGEST.items()])
def test_the_known_largest_moments_are_in_the_file_and_among_what_must_be_found(hour, side, musd):
    long, short = hours(HOURS)[hour]

    assert (short if side == "short" else long) == pytest.approx(musd * 1e6, abs=0.05e6)
    assert one_sided(long, short) == side == OPENED[WENT_ON.get(hour, hour)]


async def test_each_alert_that_opens_carries_the_dollars_and_the_share_of_the_file():
    _, found = await found_in(HOURS)

    for one in of(found, "BTC"):
        long, short = hours(HOURS)[name(one.opened.at)]
        assert (one.opened.long_usd, one.opened.short_usd) == pytest.approx((long, short), abs=0.01)
        assert one.opened.share == pytest.approx(short / (long + short), abs=1e-6)
        assert one.opened.kind.value == {"short": "short_squeeze", "long": "long_flush"}[one_sided(long, short)]


async def test_the_squeeze_of_2026_01_13_is_the_only_hour_above_a_hundred_million_and_the_only_one_all_speaks_of():
    _, found = await found_in(HOURS)

    [whole] = of(found, ALL)
    assert [hour for hour, both in hours(HOURS).items() if sum(both) >= 100e6] == ["2026-01-13 22"]
    assert (name(whole.opened.at), whole.opened.kind, whole.worst.grade) == ("2026-01-13 22", "short_squeeze", 2)
    [btc] = [one for one in of(found, "BTC") if one.opened.parent == whole.opened.episode]
    assert (btc.opened.severity, btc.last.phase) == ("critical", Phase.CLOSED)


async def test_weeks_without_a_one_sided_hour_yield_nothing():
    alerts, _ = await found_in(HOURS)
    spoken = {alert.at // (7 * 24 * HOUR) for alert in alerts}
    heard = Counter(ms(f"{hour}:00") // (7 * 24 * HOUR) for hour in hours(HOURS))
    weeks = {week for week, count in heard.items() if count >= 150}
    loud = {ms(f"{hour}:00") // (7 * 24 * HOUR) for hour, both in hours(HOURS).items() if one_sided(*both)}

    assert spoken == loud
    assert len(weeks - loud) == 7


async def test_a_prefix_of_the_recording_gives_the_same_alerts_up_to_there():
    alerts, _ = await found_in(HOURS)
    rows = rows_of(recorded(HOURS))
    cut = next(number for number, row in enumerate(rows) if row.at >= ms("2026-01-13 23:00"))

    early, _ = await found_in(HOURS, rows[:cut])

    assert early
    assert early == [alert for alert in alerts if alert.at <= rows[cut - 1].at]


async def test_records_name_the_last_hour_of_the_file_that_had_as_much():
    _, found = await found_in(HOURS)
    one = next(one for one in of(found, "BTC") if name(one.opened.at) == "2026-05-01 13")
    told = one.opened.record
    peaks = [(hour, short) for hour, (_, short) in hours(HOURS).items() if hour < "2026-05-01 13"]
    shorts = one.opened.short_usd

    assert told.measure == "hour short"
    assert (name(told.at), told.usd) == max((row for row in peaks if row[1] >= shorts), key=lambda row: row[0])
    assert told.now_usd == shorts


# The same by half hours


async def test_by_half_hours_every_episode_is_of_the_side_that_its_rolling_hour_has_in_the_file():
    _, found = await found_in(HALVES)
    by_start = {int(row["ts_ms"]): row for row in cells(recorded(HALVES))}

    def held(end: int) -> tuple[float, float]:
        parts = [by_start[at] for at in (end + 1 - 30 * MINUTE, end + 1 - HOUR) if at in by_start]
        return sum(float(row["long_usd"]) for row in parts), sum(float(row["short_usd"]) for row in parts)

    assert len(of(found, "BTC")) == 22
    for one in of(found, "BTC"):
        assert one_sided(*held(one.opened.at)) == one.opened.side
    ends = [at + 30 * MINUTE - 1 for at in by_start]
    unsaid = [
        end
        for end in ends
        if one_sided(*held(end)) and not any(one.opened.at <= end <= one.last.at for one in of(found, "BTC"))
    ]
    assert unsaid == []


# Single orders: nine days of January 2023 and a day of September 2025; the levels are still being learnt in both


@pytest.mark.parametrize("path", [BURSTS, SEPTEMBER])
async def test_every_market_whose_hour_crosses_its_floor_in_the_file_is_told_within_ten_seconds_and_no_other(path):
    alerts, _ = await found_in(path)
    told: dict[str, int] = {}
    for alert in alerts:
        if alert.crossed_usd is not None:
            told.setdefault(alert.asset, alert.at)
    wanted = dict(crossings(rows_of(recorded(path)), Rules()))

    assert told.keys() == wanted.keys()
    for asset, at in wanted.items():
        assert 0 <= told[asset] - at <= 10 * SECOND


@pytest.mark.parametrize("path", [BURSTS, SEPTEMBER])
async def test_whatever_opens_has_the_hour_of_the_file_and_minutes_that_lean_to_its_side(path):
    _, found = await found_in(path)
    rows, rules = rows_of(recorded(path)), Rules()

    assert found
    for one in found:
        alert = one.opened
        hour = rolling(rows, alert.asset, alert.at)
        least = rolling(rows, alert.asset, alert.at, HOUR - 10 * SECOND)  # the oldest ten seconds may be left out
        for side, usd in (("long", alert.long_usd), ("short", alert.short_usd)):
            assert least[side] - 0.01 <= usd <= hour[side] + 0.01
        if alert.rule == "hour":
            continue
        inputs = alert.explain.inputs
        told = {side: inputs[f"burst_{side}_usd"] for side in ("long", "short")}
        assert any(told == pytest.approx(minutes, abs=1) for minutes in lately(rows, alert, int(inputs["burst_s"])))
        part = {"early": rules.early_floor, "level": rules.breadth_floor}[alert.rule]
        assert sum(told.values()) >= part * rules.floor(alert.asset)
        assert told[alert.side] >= rules.lean * sum(told.values())


async def test_the_squeeze_of_2023_01_14_is_told_within_minutes_where_the_rows_that_mix_sides_are_left_out():
    """The recorder called a row long if any order in it was; rows of up to three orders and all shorts are pure."""
    mixed = [row["side"] == "long" and int(row["n_orders"]) > 3 for row in cells(recorded(BURSTS))]
    rows = rows_of(recorded(BURSTS))
    assert len(mixed) == len(rows)
    pure = [row for row, is_mixed in zip(rows, mixed, strict=True) if not is_mixed]
    _, found = await found_in(BURSTS, pure)

    burst = rolling(pure, ALL, ms("2023-01-14 00:44:59"), 5 * MINUTE)
    assert burst["short"] > 16e6 > 50 * burst["long"]
    around = [one for one in found if one.opened.at < ms("2023-01-14 01:00") and one.last.at > ms("2023-01-14 00:30")]
    assert {one.opened.kind.value for one in around} == {"short_squeeze"}
    [whole] = of(around, ALL)  # it began with the 5M of the evening before
    grown = [alert.at for alert in whole.alerts if alert.phase is Phase.GREW]
    assert any(ms("2023-01-14 00:36") <= at <= ms("2023-01-14 00:42") for at in grown)
    largest = max(sum(rolling(pure, ALL, row.at).values()) for row in pure if row.at < ms("2023-01-14 03:00"))
    assert whole.last.peak_usd == pytest.approx(largest, rel=0.01)


async def test_an_episode_does_not_outlast_the_night_in_which_nothing_more_than_small_orders_came():
    _, found = await found_in(BURSTS)
    rows = rows_of(recorded(BURSTS))
    evening = [one for one in of(found, ALL) if ms("2023-01-09 20:00") < one.opened.at < ms("2023-01-09 22:00")]

    # no quarter of an hour, which is what the signals looked at, holds half of the million that growth needs to open one
    quarters = [ms("2023-01-09 21:45") + minute * MINUTE for minute in range(45)]
    assert all(sum(rolling(rows, ALL, at, HOUR).values()) > 0 for at in quarters)
    assert all(sum(rolling(rows, ALL, at, 15 * MINUTE).values()) < 0.5e6 for at in quarters)
    assert all(one.last.phase is Phase.CLOSED for one in evening)
    assert all(one.last.at < ms("2023-01-09 22:45") for one in evening)


async def test_of_the_september_day_all_has_neither_the_hour_nor_the_orders_a_minute_to_be_spoken_of_by_these_rules():
    _, found = await found_in(SEPTEMBER)
    rows = rows_of(recorded(SEPTEMBER))

    assert max(sum(rolling(rows, ALL, row.at).values()) for row in rows) == pytest.approx(22.6e6, abs=0.05e6)
    assert max(len([1 for row in rows if at.at - MINUTE < row.at <= at.at]) for at in rows) < 30
    assert not [one for one in of(found, ALL) if one.opened.rule in {"hour", "early"}]
    squeezed = max((row.at for row in rows), key=lambda at: sum(rolling(rows, "BNB", at).values()))
    [bnb] = [one for one in of(found, "BNB") if one.opened.at < squeezed < one.last.at]
    assert bnb.opened.kind == "short_squeeze"


async def test_small_captures_open_nothing_since_all_of_their_dollars_together_reach_no_floor():
    rows = [row for row in rows_of(recorded(FORCED)) if ms("2025-06-23") <= row.at < ms("2025-06-24")]
    alerts, _ = await found_in(FORCED, rows)

    assert len(rows) > 100
    assert sum(row.usd for row in rows) < min(Rules().floors.values())
    assert alerts == []


async def test_the_busiest_twelve_minutes_there_are_open_one_flush_at_the_second_their_dollars_reach_the_floor():
    rows = list(made(recorded(BUSIEST)))
    alerts, found = await found_in(BUSIEST, rows)
    total, crossed = 0.0, 0
    for row in rows:
        total += row.usd
        crossed = crossed or (row.at if total >= 100e6 else 0)

    assert (len(rows), total) == (63_637, pytest.approx(5.51e9, rel=1e-3))
    [whole] = of(found, ALL)
    assert (whole.opened.kind, whole.worst.grade) == ("long_flush", 5)
    assert 0 <= whole.opened.at - crossed < SECOND
    assert whole.last.peak_usd <= total
    # each coin tells its opening and its two severities; what it grows by is told by ALL
    assert max(len(one.alerts) for one in found) <= 4
    assert len(alerts) < len(rows) / 300
