"""The demo's scenario against the published figures, recomputed here from nothing but its rows."""

import hashlib
import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise, takewhile

import pytest

from service.detector.rules import Rules
from service.model import HOUR, MINUTE, SECOND, Side, to_units
from service.simulator import scenario
from service.simulator.scenario.market import BY_ASSET
from service.simulator.scenario.orders import Cell, Luck, Order
from service.symbols import asset_of_symbol
from service.tape import Row

M = 1_000_000
MAIN = scenario.DAWN + 20 * HOUR  # 22:00 UTC
LATER = scenario.DAWN + 23 * HOUR  # 01:00 UTC
RULES = Rules()
SEEDS = (scenario.SEED, 1, 2, 3)
# Taken on CPython 3.11, 3.12 and 3.13, all the same.
DIGEST = "90dad11b05fa395526c8ba39c161a483cdd2bd61cd3b8b77b7089867f6085139"


@pytest.fixture(scope="module", params=SEEDS)
def rows(request: pytest.FixtureRequest) -> list[Row]:
    return scenario.day(request.param)


@pytest.fixture(scope="module")
def first() -> list[Row]:
    return scenario.day()


@pytest.fixture(scope="module")
def three_days() -> list[Row]:
    return list(takewhile(lambda row: row.at < scenario.END + 72 * HOUR, scenario.quiet()))


def units(rows: Iterable[Row], since: int, until: int, side: Side | None = None) -> int:
    return sum(to_units(row.usd) for row in rows if since <= row.at < until and side in (None, row.side))


def crossings(rows: list[Row]) -> dict[str, list[tuple[int, float]]]:
    """Every time (and short share) a rolling hour comes to its floor one-sided, by asset.

    The next one counts once the hour was below half the floor or no longer one-sided: hysteresis, without its delay.
    """
    return {asset: times for asset, orders in by_asset(rows).items() if (times := openings(asset, orders))}


def by_asset(rows: list[Row]) -> dict[str, list[Row]]:
    assets: dict[str, list[Row]] = {"ALL": rows}
    for row in rows:
        assets.setdefault(asset_of_symbol(row.symbol), []).append(row)
    return assets


def openings(asset: str, orders: list[Row]) -> list[tuple[int, float]]:
    floor, armed, times = to_units(RULES.floor(asset)), True, []
    for row, before, inside in rolling_hours(orders):
        share = max(inside.values()) / inside.total()
        armed = armed or before < RULES.close_total * floor or share < RULES.close_share
        if armed and inside.total() >= floor and share >= RULES.share:
            times.append((row.at, inside[Side.SHORT] / inside.total()))
            armed = False
    return times


def rolling_hours(orders: list[Row]) -> Iterator[tuple[Row, int, Counter[Side]]]:
    """Each order with its rolling hour's units before it and, by side, with it (one counter, updated)."""
    oldest, inside = 0, Counter[Side]()
    for row in orders:
        while orders[oldest].at <= row.at - HOUR:
            inside[orders[oldest].side] -= to_units(orders[oldest].usd)
            oldest += 1
        before = inside.total()
        inside[row.side] += to_units(row.usd)
        yield row, before, inside


def rolling(rows: list[Row], now: int) -> float:
    return units(rows, now - HOUR + 1, now + 1) / 10_000


@pytest.mark.parametrize(
    ("since", "until", "side", "usd"),
    [
        (MAIN, MAIN + HOUR, Side.SHORT, 419 * M),
        (MAIN, MAIN + HOUR, None, 458 * M),
        (LATER, LATER + HOUR, Side.SHORT, 102 * M),
        (LATER, LATER + HOUR, None, 104 * M),
        (scenario.DAWN, scenario.END, Side.SHORT, 577 * M),
        (scenario.DAWN, scenario.END, Side.LONG, (39 + 2 + 75) * M),
    ],
)
def test_dollars_meet_the_published_figures_exactly(
    rows: list[Row], since: int, until: int, side: Side | None, usd: int
) -> None:
    assert units(rows, since, until, side) == usd * 10_000


def test_btc_in_the_main_hour_is_near_what_was_recorded(rows: list[Row]) -> None:
    btc = [row for row in rows if asset_of_symbol(row.symbol) == "BTC"]
    assert units(btc, MAIN, MAIN + HOUR) / 10_000 == pytest.approx(scenario.FIGURES["main_hour_btc"].usd, rel=0.02)
    assert units(btc, MAIN, MAIN + HOUR, Side.SHORT) / 10_000 == pytest.approx(109.0 * M, rel=0.02)


def test_price_times_quantity_is_each_rows_dollars(rows: list[Row]) -> None:
    for row in rows:
        assert row.price is not None
        assert row.qty is not None
        assert to_units(row.price * row.qty) == to_units(row.usd) > 0
        assert row.usd == to_units(row.usd) / 10_000


def test_quantities_of_linear_contracts_are_whole_lots(first: list[Row]) -> None:
    for row in first:
        if "USD_PERP" in row.symbol or row.symbol.endswith(("USD", "USD-SWAP")):
            assert row.usd == int(row.usd)
        else:
            assert row.qty == round(row.qty or 0, 3)


def test_coin_margined_orders_are_whole_contracts(first: list[Row]) -> None:
    faces = {"BTCUSD_PERP": 100, "BTC-USD-SWAP": 100, "ETHUSD_PERP": 10, "ETH-USD-SWAP": 10, "BTCUSD": 1, "ETHUSD": 1}
    seen = Counter(row.symbol for row in first if row.symbol in faces)
    assert set(seen) == set(faces)
    assert all(row.usd % faces[row.symbol] == 0 for row in first if row.symbol in faces)


def test_rows_are_in_order_of_time_inside_the_day_and_never_twice_at_once(rows: list[Row]) -> None:
    assert all(before.at <= after.at for before, after in pairwise(rows))
    assert all(scenario.DAWN <= row.at < scenario.END for row in rows)
    assert len({(row.venue, row.symbol, row.side, row.at) for row in rows}) == len(rows)
    assert all(row.ordinal == 0 for row in rows)


def test_numbers_of_orders_are_those_of_such_a_day(rows: list[Row]) -> None:
    assert 26_000 <= len(rows) <= 32_000
    assert 4_000 <= sum(MAIN <= row.at < MAIN + HOUR for row in rows) <= 6_000
    assert 1_700 <= sum(LATER <= row.at < LATER + HOUR for row in rows) <= 2_400
    calm = Counter((row.at - scenario.DAWN) // MINUTE for row in rows if not in_an_event(row.at))
    assert len(calm) == 22 * 60
    assert 10 <= min(calm.values()) <= max(calm.values()) <= 25


def in_an_event(at: int) -> bool:
    return MAIN <= at < MAIN + HOUR or LATER <= at < LATER + HOUR


def test_the_market_crosses_its_floor_early_in_the_main_hour_and_again_inside_the_later_one(rows: list[Row]) -> None:
    (main, main_share), (later, later_share) = crossings(rows)["ALL"]
    assert MAIN + 8 * MINUTE < main < MAIN + 15 * MINUTE
    assert LATER + 10 * MINUTE < later < LATER + 40 * MINUTE
    assert main_share > 0.85
    assert later_share > 0.9


def test_btc_and_eth_cross_in_both_hours_and_several_coins_in_the_main_one(rows: list[Row]) -> None:
    found = crossings(rows)
    for asset in ("BTC", "ETH"):
        main, later = (at for at, _ in found[asset])
        assert main < MAIN + 20 * MINUTE
        assert LATER < later < LATER + HOUR
    assert found["BTC"][0][0] < MAIN + 20 * MINUTE
    assert {"SOL", "XRP", "DOGE", "PEPE", "SUI", "BNB"} < set(found)
    assert 10 <= len(found) <= 16


def test_nothing_crosses_outside_of_the_two_hours(rows: list[Row]) -> None:
    for asset, times in crossings(rows).items():
        assert len(times) == len({at // HOUR for at, _ in times}), asset
        assert all(in_an_event(at) for at, _ in times), asset
        assert all(share >= RULES.share for _, share in times), asset


def test_no_rolling_hour_without_an_event_reaches_a_floor(rows: list[Row]) -> None:
    for asset, orders in by_asset(rows).items():
        floor = to_units(RULES.floor(asset))
        high = [row.at for row, _, inside in rolling_hours(orders) if inside.total() >= floor]
        assert all(in_an_event(at) or in_an_event(at - HOUR) for at in high), asset


def test_the_first_episode_can_close_before_the_second(rows: list[Row]) -> None:
    low = [at for at in range(MAIN + HOUR, LATER, MINUTE) if rolling(rows, at) < 50 * M]
    assert low[0] < MAIN + HOUR + 50 * MINUTE
    assert low == list(range(low[0], LATER, MINUTE))
    assert rolling(rows, LATER - MINUTE) < 10 * M


def test_rolling_hours_peak_where_the_figures_say(first: list[Row]) -> None:
    assert 456 * M < max(rolling(first, at) for at in range(MAIN, MAIN + 2 * HOUR, MINUTE)) < 466 * M
    assert 103 * M < max(rolling(first, at) for at in range(LATER, scenario.END + MINUTE, MINUTE)) < 108 * M
    assert max(rolling(first, at) for at in range(scenario.DAWN, MAIN, MINUTE)) < 20 * M


def test_the_peak_minute_holds_a_believable_part_and_comes_in_time(rows: list[Row]) -> None:
    minutes: Counter[int] = Counter()
    for row in rows:
        if MAIN <= row.at < MAIN + HOUR:
            minutes[(row.at - MAIN) // MINUTE] += to_units(row.usd)
    ((minute, most),) = minutes.most_common(1)
    assert 12 <= minute <= 20
    assert 0.08 < most / minutes.total() < 0.25
    assert sum(minutes[m] for m in range(12, 20)) > 0.4 * minutes.total()
    assert sum(minutes[m] for m in range(45, 60)) < 0.05 * minutes.total()


def test_sizes_have_a_heavy_tail_and_no_order_is_the_event(rows: list[Row]) -> None:
    sizes = sorted((row.usd for row in rows if MAIN <= row.at < MAIN + HOUR), reverse=True)
    assert 3 * M < sizes[0] < 0.05 * 458 * M
    assert sizes[0] <= 16 * M
    assert math.fsum(sizes[: len(sizes) // 100]) > 0.2 * 458 * M
    assert sizes[len(sizes) // 2] < 0.5 * 458 * M / len(sizes)
    assert sum(size >= M for size in sizes) >= 20


def test_arrivals_cluster(rows: list[Row]) -> None:
    """Seconds of the peak minutes differ far more than chance (variance 1 x mean) would have them."""
    since, seconds = MAIN + 12 * MINUTE, 480
    counts = Counter((row.at - since) // SECOND for row in rows if since <= row.at < since + seconds * SECOND)
    mean = counts.total() / seconds
    variance = sum((counts[second] - mean) ** 2 for second in range(seconds)) / seconds
    assert variance > 2 * mean


def test_one_contract_leads_by_seconds(rows: list[Row]) -> None:
    onset = MAIN + 5 * MINUTE
    before = [row for row in rows if onset - 10 * SECOND <= row.at < onset and row.side is Side.SHORT]
    lead = math.fsum(row.usd for row in before if (row.venue, row.symbol) == ("bybit", "BTCUSDT"))
    assert lead > 2 * M
    assert lead > 0.9 * math.fsum(row.usd for row in before)
    assert units(rows, MAIN, onset - 10 * SECOND) < 0.5 * M * 10_000
    followers = {(row.venue, row.symbol) for row in rows if onset <= row.at < onset + 15 * SECOND}
    assert len(followers) >= 5
    assert len({venue for venue, _ in followers}) >= 2


def test_each_venue_has_its_part(rows: list[Row]) -> None:
    for since, until in ((MAIN, MAIN + HOUR), (scenario.DAWN, scenario.END)):
        venues: Counter[str] = Counter()
        for row in rows:
            if since <= row.at < until:
                venues[row.venue] += to_units(row.usd)
        assert set(venues) == set(scenario.SYMBOLS)
        assert all(0.15 < part / venues.total() < 0.5 for part in venues.values())


def test_both_sides_appear_on_every_venue_and_calm_hours_lean_long(rows: list[Row]) -> None:
    assert len({(row.venue, row.side) for row in rows}) == 6
    calm = Counter(row.side for row in rows if not in_an_event(row.at))
    assert 0.5 < calm[Side.LONG] / calm.total() < 0.6


def test_symbols_are_the_venues_own_and_name_about_forty_assets(first: list[Row]) -> None:
    assert {(row.venue, row.symbol) for row in first} == {
        (venue, symbol) for venue, symbols in scenario.SYMBOLS.items() for symbol in symbols
    }
    for venue, symbols in scenario.SYMBOLS.items():
        assets = {asset_of_symbol(symbol) for symbol in symbols}
        assert 35 <= len(assets) <= 45, venue
        assert assets <= set(BY_ASSET)
    assert {"BTCUSDT", "1000PEPEUSDT", "BTCUSD_PERP"} < set(scenario.SYMBOLS["binance"])
    assert {"BTCUSDT", "1000PEPEUSDT", "BTCUSD"} < set(scenario.SYMBOLS["bybit"])
    assert {"BTC-USDT-SWAP", "PEPE-USDT-SWAP", "BTC-USD-SWAP"} < set(scenario.SYMBOLS["okx"])


def test_prices_break_out_with_the_squeeze(first: list[Row]) -> None:
    def mean(symbol: str, since: int, until: int) -> float:
        prices = [row.price or 0 for row in first if row.symbol == symbol and since <= row.at < until]
        return math.fsum(prices) / len(prices)

    assert 93_800 < mean("BTCUSDT", MAIN - HOUR, MAIN) < 94_600
    assert 96_000 < mean("BTCUSDT", MAIN + 14 * MINUTE, MAIN + 17 * MINUTE) < 97_000
    assert 3_080 < mean("ETHUSDT", scenario.DAWN, scenario.DAWN + 4 * HOUR) < 3_160
    assert 3_290 < mean("ETHUSDT", MAIN + 30 * MINUTE, MAIN + HOUR) < 3_360
    assert 145 < mean("SOLUSDT", MAIN + 30 * MINUTE, MAIN + HOUR) < 148
    per_coin = mean("1000PEPEUSDT", MAIN, MAIN + HOUR) / mean("PEPE-USDT-SWAP", MAIN, MAIN + HOUR)
    assert per_coin == pytest.approx(1000, rel=0.03)


def test_history_and_live_part_the_day_at_start(first: list[Row]) -> None:
    past, play = scenario.history(first), scenario.live(first)
    assert scenario.START == MAIN - 5 * MINUTE
    assert past + play == first
    assert past[-1].at < scenario.START <= play[0].at
    assert units(play, scenario.START, scenario.START + 20 * MINUTE, Side.SHORT) > 100 * M * 10_000


def test_the_same_seed_gives_the_same_rows_on_every_python(first: list[Row]) -> None:
    text = "\n".join(f"{r.at},{r.venue},{r.symbol},{r.side},{r.price!r},{r.qty!r},{r.usd!r}" for r in first)
    assert hashlib.sha256(text.encode()).hexdigest() == DIGEST
    assert scenario.day(1) != first


def test_a_day_is_made_in_a_moment() -> None:
    started = time.perf_counter()
    scenario.day()
    assert time.perf_counter() - started < 1.5


def test_quiet_rows_go_on_in_order_after_the_night(three_days: list[Row]) -> None:
    assert all(before.at <= after.at for before, after in pairwise(three_days))
    assert scenario.END <= three_days[0].at < scenario.END + MINUTE
    assert {row.symbol for row in three_days} <= {s for symbols in scenario.SYMBOLS.values() for s in symbols}
    assert all(to_units((row.price or 0) * (row.qty or 0)) == to_units(row.usd) for row in three_days)


def test_quiet_can_be_taken_up_anywhere_with_the_same_rows(three_days: list[Row]) -> None:
    after = three_days[30_000].at
    rest = [row for row in three_days if row.at > after][:3_000]
    assert list(islice(scenario.quiet(after), 3_000)) == rest
    assert next(scenario.quiet(MAIN)) == three_days[0]


def test_flushes_and_squeezes_take_turns_about_every_eight_hours(first: list[Row], three_days: list[Row]) -> None:
    times = [pair for pair in crossings(first + three_days)["ALL"] if pair[0] >= scenario.END]
    assert len(times) == 9
    assert [share > 0.5 for _, share in times] == [bool(turn % 2) for turn in range(9)]
    assert all(share <= 1 - RULES.share or share >= RULES.share for _, share in times)
    assert all(5 * HOUR < after - before < 11 * HOUR for (before, _), (after, _) in pairwise(times))
    for at, _ in times:
        start = at // HOUR * HOUR
        assert 120 * M <= units(three_days, start, start + HOUR) / 10_000 <= 200 * M


def test_nothing_else_crosses_in_the_invented_days(first: list[Row], three_days: list[Row]) -> None:
    found = {name: [at for at, _ in times] for name, times in crossings(first + three_days).items()}
    storms = {at // HOUR for at in found["ALL"]}
    assert all(at // HOUR in storms for times in found.values() for at in times)


def test_figures_and_notice_speak_both_languages() -> None:
    assert {name: figure.usd for name, figure in scenario.FIGURES.items()} == {
        "main_hour": 458 * M,
        "main_hour_shorts": 419 * M,
        "main_hour_btc": 118_900_000,
        "later_hour": 104 * M,
        "later_hour_shorts": 102 * M,
        "day_shorts": 577 * M,
    }
    assert all(figure.source.en and figure.source.zh for figure in scenario.FIGURES.values())
    assert "simulation" in scenario.NOTICE["en"]
    assert "模拟" in scenario.NOTICE["zh"]


def test_a_cell_that_cannot_be_closed_to_the_cent_says_so() -> None:
    listing = BY_ASSET["BTC"].listings[0][0]
    order = Order(0, listing, 940_500, 1.0)
    with pytest.raises(ValueError, match="cannot be closed with BTCUSDT"):
        Cell(Side.LONG, 1_000).close(order, order)


def test_luck_is_a_function_of_its_key() -> None:
    assert [Luck(1, "a").unit() for _ in range(2)] == [Luck(1, "a").unit()] * 2
    assert Luck(1, "a").unit() != Luck(1, "b").unit()
    assert all(1 <= Luck(n).tail(0.01) <= 0.01**-1.25 for n in range(200))
