"""The price beside the forced orders: like with like, and what is usual."""

import csv
import gzip
import math
import random
from collections import defaultdict
from statistics import median

import msgspec
import pytest

from service.detector.price import Swing, learn, move
from service.ledger.memory import MemoryLedger
from service.model import HOUR, MINUTE, Liquidation, PriceMove, Side
from service.pipeline import Recent
from service.pipeline.prices import Prices
from tests.orders import T0, order
from tests.shared import recorded


def prints(path, share_short, seed=1, per_minute=4, gap=0.004, minutes=60) -> list[Liquidation]:
    """Orders at path(minute), shorts `gap` above it and longs `gap` below; `share_short(minute)` of them shorts."""
    dice = random.Random(seed)
    rows = []
    for number in range(minutes * per_minute):
        minute = (number + 0.5) / per_minute
        side = Side.SHORT if dice.random() < share_short(minute) else Side.LONG
        price = path(minute) * (1 + (gap if side is Side.SHORT else -gap) + dice.gauss(0, 0.0003))
        rows.append(order(1e4, T0 + round(minute * MINUTE), side, price=price, id=str(number)))
    return rows


def flat(_minute: float) -> float:
    return 95_000.0


def climb(minute: float) -> float:
    return 95_000 * (1 + 0.02 * minute / 60)


def moved(rows, asset="BTC", side=Side.SHORT, swing=0.005) -> PriceMove | None:
    return move(rows, asset, side, T0, T0 + HOUR, swing)


def naive(rows) -> float:
    """What comparing all first with all last prints would say, in per cent."""
    ten = 10 * MINUTE
    first = median(row.price for row in rows if row.at < T0 + ten)
    return 100 * (median(row.price for row in rows if row.at >= T0 + HOUR - ten) / first - 1)


def test_a_change_of_the_mix_of_sides_is_no_move():
    rows = prints(flat, lambda minute: 0.15 if minute < 30 else 0.85)
    assert naive(rows) > 0.6
    said = moved(rows)
    assert said is not None
    assert abs(said.move_pct) < 0.05
    assert said.confirms is None


def test_a_change_of_the_mix_hides_no_move():
    said = moved(prints(climb, lambda minute: 0.85 if minute < 30 else 0.15))
    assert said is not None
    assert 1.5 < said.move_pct < 2.0
    assert said.confirms is True


def test_a_contract_that_starts_or_stops_trading_is_no_move():
    rows = prints(flat, lambda _: 1.0)
    cheap = [
        msgspec.structs.replace(row, symbol="BTC-26JUN26", price=row.price * 0.97, id=f"x{row.id}")
        for row in rows
        if row.at > T0 + HOUR // 2
    ]
    said = moved(rows + cheap + cheap[::2])
    assert said is not None
    assert abs(said.move_pct) < 0.05


@pytest.mark.parametrize(
    ("path", "side", "swing", "confirms"),
    [
        (climb, Side.SHORT, 0.005, True),
        (climb, Side.LONG, 0.005, False),
        (climb, Side.SHORT, 0.03, None),
        (climb, Side.LONG, 0.03, None),
        (climb, Side.SHORT, None, None),
        (lambda minute: 190_000 - climb(minute), Side.LONG, 0.005, True),
        (lambda minute: 190_000 - climb(minute), Side.SHORT, 0.005, False),
        (flat, Side.SHORT, 0.005, None),
    ],
)
def test_the_price_confirms_what_went_its_way_by_the_usual_swing(path, side, swing, confirms):
    said = moved(prints(path, lambda _: 0.5), side=side, swing=swing)
    assert said is not None
    assert said.confirms is confirms


def test_a_few_absurd_prints_change_nothing():
    rows = prints(climb, lambda _: 0.9)
    bad = [msgspec.structs.replace(row, price=row.price * 3) for row in rows[::9]]
    clean, dirty = moved(rows), moved([*(row for at, row in enumerate(rows) if at % 9), *bad])
    assert clean is not None
    assert dirty is not None
    assert dirty.move_pct == pytest.approx(clean.move_pct, abs=0.15)


def test_of_all_coins_bitcoin_speaks_and_of_a_coin_only_itself():
    rows = prints(climb, lambda _: 1.0)
    ether = [msgspec.structs.replace(row, asset="ETH", symbol="ETHUSDT", price=3_300.0) for row in rows]
    whole, own = moved(rows + ether, "ALL"), moved(rows + ether, "ETH")
    assert whole is not None
    assert own is not None
    assert (whole.asset, own.asset, own.move_pct) == ("BTC", "ETH", 0.0)
    assert (own.start, own.now) == (3_300.0, 3_300.0)
    assert whole.now / whole.start == pytest.approx(1 + whole.move_pct / 100, abs=1e-5)
    assert 95_000 < whole.start < 96_000
    assert moved(ether, "ALL") is None


def test_marks_tell_a_move_for_showing_and_nothing_is_judged_by_them():
    prices = Prices(Recent(MemoryLedger()), lambda coin, *_: (95_000.0, 96_900.0) if coin == "BTC" else None)
    assert prices.of_marks("ALL", Side.SHORT, T0, T0 + HOUR) == PriceMove(
        asset="BTC", start=95_000.0, now=96_900.0, move_pct=2.0, confirms=None
    )
    assert prices.of_marks("ETH", Side.SHORT, T0, T0 + HOUR) is None
    assert prices.move("ALL", Side.SHORT, T0, T0 + HOUR) is None
    assert Prices(Recent(MemoryLedger())).of_marks("ALL", Side.SHORT, T0, T0 + HOUR) is None


def test_too_few_prints_and_prints_without_a_price_say_nothing():
    assert moved([]) is None
    assert moved(prints(climb, lambda _: 1.0)[:5]) is None
    assert moved([msgspec.structs.replace(row, price=None) for row in prints(climb, lambda _: 1.0)]) is None
    only_early = [row for row in prints(climb, lambda _: 1.0) if row.at < T0 + HOUR // 2]
    assert moved(only_early) is None


def walk(seed: int, minutes: int, sigma: float, heard: float = 1.0) -> list[Liquidation]:
    """Prints of a random walk of `sigma` a minute, both sides; in a minute there are any with probability `heard`."""
    dice, log, rows = random.Random(seed), math.log(95_000), []
    for minute in range(minutes):
        log += dice.gauss(0, sigma)
        if dice.random() < heard:
            for number in range(3):
                side = dice.choice((Side.SHORT, Side.LONG))
                price = math.exp(log + (0.001 if side is Side.SHORT else -0.001))
                rows.append(order(1e3, T0 + minute * MINUTE + number, side, price=price, id=f"{minute}.{number}"))
    return rows


@pytest.mark.parametrize("heard", [1.0, 0.2])
def test_the_usual_swing_of_a_known_walk_is_found_with_and_without_gaps(heard):
    rows = walk(3, 4_000, 0.0008, heard)
    sigma = learn(Swing(), rows, T0 + 4_000 * MINUTE + MINUTE).sigma(HOUR)
    assert sigma == pytest.approx(0.0008 * math.sqrt(60), rel=0.12)


def test_learning_in_pieces_twice_over_and_through_a_restart_is_learning_at_once():
    rows = walk(4, 600, 0.001, 0.7)
    whole = learn(Swing(), rows, T0 + 601 * MINUTE)
    pieces = Swing()
    for minute in range(0, 602, 7):
        now = T0 + minute * MINUTE + 20_000
        pieces = learn(pieces, [row for row in rows if row.at < now], now)
        pieces = msgspec.json.decode(msgspec.json.encode(pieces), type=Swing)
    pieces = learn(pieces, rows, T0 + 601 * MINUTE)
    assert pieces.upto == whole.upto
    assert pieces.sigma(HOUR) == pytest.approx(whole.sigma(HOUR))


def test_nothing_is_usual_before_thirty_returns():
    assert Swing().sigma(HOUR) is None
    assert learn(Swing(), walk(5, 30, 0.001), T0 + 40 * MINUTE).sigma(HOUR) is None
    heard = learn(Swing(), walk(5, 60, 0.001), T0 + 61 * MINUTE)
    assert heard.sigma(HOUR) is not None
    assert learn(heard, [], T0 + 48 * HOUR).sigma(HOUR) is None


def test_an_event_hardly_lifts_its_own_bar():
    calm = walk(6, 1_500, 0.0005)
    before = learn(Swing(), calm, T0 + 1_501 * MINUTE)
    jump = [order(1e3, T0 + 1_501 * MINUTE + n, Side.SHORT, price=calm[-1].price * 1.10, id=f"j{n}") for n in range(3)]
    after = learn(before, [*calm, *jump], T0 + 1_503 * MINUTE)
    assert after.sigma(HOUR) < 1.02 * before.sigma(HOUR)


def test_the_state_stays_small_however_many_contracts_were_heard():
    rows = [order(1e3, T0 + n * MINUTE, symbol=f"S{n}", price=1.0, id=str(n)) for n in range(1_000)]
    assert len(learn(Swing(), rows, T0 + 1_001 * MINUTE).last) <= 61


def tape(capture: str, symbol: str) -> list[Liquidation]:
    with gzip.open(recorded("data/binance_force_orders_raw/force_orders.csv.gz"), "rt", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["capture"].startswith(capture) and row["symbol"] == symbol]
    return [
        order(
            float(row["notional_usd"]),
            int(row["ts_ms"]),
            Side(row["side"]),
            venue=row["venue"],
            symbol=symbol,
            price=float(row["price"]),
            id=str(number),
        )
        for number, row in enumerate(rows)
    ]


def plain(rows: list[Liquidation], since: int, now: int) -> float:
    """All first prints against all last ones, in per cent."""
    part = (now - since) / 12
    first = median(row.price for row in rows if since <= row.at < since + part)
    return 100 * (median(row.price for row in rows if now - part < row.at <= now) / first - 1)


def test_a_real_squeeze_of_which_other_venues_tell_the_end_moved_as_the_mark_did():
    since = 1_775_221_200_000 + 18 * MINUTE
    now = since + 70 * MINUTE
    rows = [msgspec.structs.replace(row, asset="ETH") for row in tape("2026-04", "ETHUSDT")]
    with gzip.open(recorded("data/oi_funding/binance_oi_5m_BTC_ETH_SOL.csv.gz"), "rt", encoding="utf-8") as file:
        marks = {
            int(row["ts_ms"]): float(row["oi_usd"]) / float(row["oi_base"])
            for row in csv.DictReader(file)
            if row["symbol"] == "ETHUSDT" and since - HOUR < int(row["ts_ms"]) < now + HOUR
        }
    first, last = (min(marks, key=lambda at, moment=moment: abs(at - moment)) for moment in (since, now))
    true = 100 * (marks[last] / marks[first] - 1)
    said = move(rows, "ETH", Side.SHORT, since, now, None)
    assert said is not None
    assert said.move_pct == pytest.approx(true, abs=0.1)
    assert abs(plain(rows, since, now) - true) > 2 * abs(said.move_pct - true)
    assert plain(rows, since, now) > true + 0.15


def test_a_real_hour_with_few_prints_of_a_kind_says_nothing_where_a_plain_comparison_says_a_fall_that_was_none():
    rows = [row for row in tape("2025-06", "BTCUSDT") if row.at >= 1_750_712_400_000]
    since, now = rows[0].at, rows[-1].at
    with gzip.open(recorded("data/klines/perp_1h_binance_bybit_okx.csv.gz"), "rt", encoding="utf-8") as file:
        wanted = ("1750712400000", "binance", "BTC")
        candles = csv.DictReader(file)
        candle = next(row for row in candles if (row["ts_ms"], row["venue"], row["symbol"]) == wanted)
    assert abs(float(candle["close"]) / float(candle["open"]) - 1) < 0.001
    assert 100 * (rows[-1].price / rows[0].price - 1) < -0.9
    assert move(rows, "BTC", Side.SHORT, since, now, None) is None


def test_the_swing_of_real_candles_is_the_hour_they_had():
    candles = defaultdict(list)
    path = recorded("data/klines/binance_usdm_1m_24symbols_2023-01-03.csv.gz")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            candles[row["symbol"]].append((int(row["ts_ms"]), float(row["close"])))
    ratios = []
    for symbol, rows in candles.items():
        orders = [order(1e3, at, symbol=symbol, price=close, id=str(at)) for at, close in rows]
        sigma = learn(Swing(), orders, rows[-1][0] + 2 * MINUTE).sigma(HOUR)
        hours = [math.log(b / a) for (_, a), (_, b) in zip(rows[::60], rows[60::60], strict=False)]
        assert sigma is not None
        ratios.append(sigma / math.sqrt(sum(hour * hour for hour in hours) / len(hours)))
    assert 0.8 < median(ratios) < 1.3
