"""The picture of an episode: what is picked for it, and that a real PNG comes out of it, from threads too."""

import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from math import isnan, sin

import msgspec
import pytest

from service.model import HOUR, MINUTE, Coverage, Liquidation, PriceMove, Side, Totals
from service.sinks.telegram.chart import _figure, chart
from service.sinks.telegram.picture import Picture, hour_of, picture_of
from tests.notices import HOSTILE, known
from tests.test_text import OPENED

SINCE, UNTIL = hour_of(OPENED)
BUSY = {
    at: Totals(long_usd=1e5 + at % 7e5, short_usd=8e6 * (1 + sin(at / 3e5)), long_count=1, short_count=9)
    for at in range(SINCE, UNTIL, MINUTE)
}


def order(minute: float, price: float | None, *, symbol: str = "BTCUSDT", asset: str = "BTC", usd: float = 1e5):
    at = SINCE + int(minute * MINUTE)
    return Liquidation(
        venue="bybit",
        symbol=symbol,
        asset=asset,
        side=Side.SHORT,
        price=price,
        quantity=1.0,
        usd=usd,
        at=at,
        seen=at,
        id=f"{symbol}{minute}{price}",
    )


ORDERS = [order(minute, 92_800 + 900 * sin(minute / 9)) for minute in range(60) if minute not in {20, 21, 40, 42}]


def priced(picture: Picture) -> dict[int, float]:
    return {(at - SINCE) // MINUTE: price for at, price in picture.prices if price is not None}


def texts(picture: Picture) -> str:
    figure = _figure(picture)
    return "\n".join(text.get_text() for one in (figure, *figure.axes) for text in one.texts)


def test_the_hour_ends_with_the_minute_of_the_alert_and_of_one_that_is_over_with_its_peak_hour():
    closed = known("closed")

    assert hour_of(OPENED) == (OPENED.at - HOUR, OPENED.at), "an alert on the minute has nothing after it"
    assert hour_of(msgspec.structs.replace(OPENED, at=OPENED.at + 1)) == (SINCE + MINUTE, UNTIL + MINUTE)
    assert hour_of(closed) == (closed.course.peak_hour_at - HOUR, closed.course.peak_hour_at)
    assert hour_of(msgspec.structs.replace(closed, course=None))[1] == closed.at


def test_a_minute_without_orders_is_no_bar_of_zero_dollars():
    picture = picture_of(OPENED, {SINCE: Totals(short_usd=5.0, short_count=1), SINCE + MINUTE: Totals()}, [])
    assert picture.minutes == ((SINCE, 0.0, 5.0),)


def test_minutes_outside_the_hour_are_passed_over():
    around = {SINCE - MINUTE: Totals(long_usd=1.0), UNTIL: Totals(long_usd=1.0)}
    assert picture_of(OPENED, around, [order(-1, 1.0), order(60, 1.0)]) == picture_of(OPENED, {}, [])


def test_a_minute_without_a_price_is_a_gap_and_never_zero():
    picture = picture_of(OPENED, {}, [order(0, 1.0), order(1, 2.0), order(3, None), order(4, 5.0)])
    line = _figure(picture).axes[1].lines[0].get_ydata()

    assert priced(picture) == {0: 1.0, 1: 2.0, 4: 5.0}
    assert len(picture.prices) == len(line) == 60
    assert [index for index, price in enumerate(line) if not isnan(price)] == [0, 1, 4]


def test_the_price_of_a_minute_is_its_median():
    assert priced(picture_of(OPENED, {}, [order(2, 10.0), order(2.5, 11.0), order(2.9, 99.0)])) == {2: 11.0}


def test_prices_come_from_the_one_contract_with_most_dollars():
    orders = [
        order(0, 92_000.0, usd=3e6),
        order(1, 92_050.0, usd=3e6),
        order(1, 61_000.0, symbol="BTC_TOTHEMOON", usd=5e6),
        order(2, 3_000.0, symbol="ETHUSDT", asset="ETH", usd=9e9),
    ]
    picture = picture_of(OPENED, {}, orders)

    assert picture.price_name == "BTCUSDT"
    assert priced(picture) == {0: 92_000.0, 1: 92_050.0}


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "BTCUSDT"),
        ({"asset": "ETH"}, "ETHUSDT"),
        ({"price": PriceMove(asset="ETH", start=1, now=1, move_pct=0, confirms=None)}, "ETHUSDT"),
        ({"asset": "SOL"}, ""),
    ],
)
def test_the_price_is_the_assets_own_and_bitcoins_for_all_coins(changes, name):
    orders = [order(0, 92_000.0), order(0, 3_000.0, symbol="ETHUSDT", asset="ETH")]
    assert picture_of(msgspec.structs.replace(OPENED, **changes), {}, orders).price_name == name


def test_an_onset_before_the_hour_is_not_marked():
    early = known("early_watch")
    before = msgspec.structs.replace(early, course=msgspec.structs.replace(early.course, onset=early.at - 2 * HOUR))

    assert picture_of(early, {}, []).onset == early.course.onset
    assert picture_of(before, {}, []).onset is None
    assert picture_of(OPENED, {}, []).onset is None, "when it was first told of is no onset"


@pytest.mark.parametrize(
    ("changes", "footer"),
    [
        ({}, "Liquidated by the minute, at least: 3 of 3 venues live, 97.0% heard. Hour to 2026-01-13 22:14 UTC"),
        (
            {"coverage": Coverage(venues_live=2, venues=3, seconds_share=None), "at_least": False},
            "Liquidated by the minute: 2 of 3 venues live. Hour to 2026-01-13 22:14 UTC",
        ),
        (
            {"coverage": None},
            "Liquidated by the minute, at least: how much was heard is unknown. Hour to 2026-01-13 22:14 UTC",
        ),
    ],
)
def test_the_footer_says_what_the_bars_rest_on(changes, footer):
    assert picture_of(msgspec.structs.replace(OPENED, **changes), {}, []).footer == footer


def test_a_full_hour_is_a_png_of_the_promised_size_and_weight():
    alert = known("early_watch", at=OPENED.at, simulated=True)
    png = chart(picture_of(alert, BUSY, ORDERS))

    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", png[16:24]) == (1_000, 560)
    assert len(png) <= 120_000


def test_an_empty_hour_says_so_and_shows_no_dollars():
    empty = _figure(picture_of(OPENED, {}, []))
    dollars, price = empty.axes

    assert [text.get_text() for text in dollars.texts] == ["no orders heard in this hour"]
    assert not dollars.get_yticks().size
    assert not dollars.patches
    assert not price.lines


def test_shorts_stand_above_the_line_and_longs_below_with_dollars_beside_them():
    dollars = _figure(picture_of(OPENED, BUSY, ORDERS)).axes[0]
    heights = [bar.get_height() for bar in dollars.patches]

    assert all(height > 0 for height in heights[:60])
    assert all(height < 0 for height in heights[60:])
    assert dollars.yaxis.get_major_formatter()(-1e7, 0) == "$10M"


def test_only_a_simulation_wears_its_mark():
    picture = picture_of(OPENED, BUSY, ORDERS)

    assert "SIMULATION" not in texts(picture)
    assert "SIMULATION" in texts(msgspec.structs.replace(picture, simulated=True))


def test_names_no_font_has_and_formulas_are_drawn_as_plain_signs():
    strange = msgspec.structs.replace(HOSTILE, asset="币安$x_1$", price=None)
    contract = order(1, 2.0, symbol="币安\n$\\frac$", asset="币安$x_1$")
    picture = picture_of(strange, BUSY, [contract])

    assert picture.price_name == "?? $\\frac$"
    assert "??$x_1$" in picture.title
    assert chart(picture).startswith(b"\x89PNG")


def test_two_pictures_drawn_at_once_come_out_as_they_do_alone():
    pictures = [picture_of(alert, BUSY, ORDERS) for alert in (OPENED, msgspec.structs.replace(OPENED, at=UNTIL - 1))]
    alone = [chart(picture) for picture in pictures]

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(chart, pictures * 2)) == alone * 2


def test_the_drawing_library_is_loaded_by_the_first_picture_only_and_never_its_global_door():
    program = (
        "import sys, service.sinks, service.sinks.telegram.chart as c, service.sinks.telegram.picture as p\n"
        "assert 'matplotlib' not in sys.modules\n"
        "c.chart(p.Picture(title='', footer='', since=0, minutes=(), prices=(), price_name='', onset=None, simulated=False))\n"
        "assert 'matplotlib.figure' in sys.modules and 'matplotlib.pyplot' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
