"""What Prometheus is told of context: what is known, its age, and nothing where nothing is known."""

from collections.abc import Iterator

import msgspec
import pytest

from service import metrics
from service.mailroom.house import House
from service.model import HOUR, MINUTE, ContextReport
from service.pipeline.beside import MOST_SOURCES, Beside, midnight
from tests import beside
from tests.stage import Stage
from tests.test_meters import samples

GAUGES = [
    metrics.OPEN_INTEREST,
    metrics.FUNDING,
    metrics.MARK_PRICE,
    metrics.SQUEEZE_RISK,
    metrics.SQUEEZE_RISK_AGE,
    metrics.ETF_FLOW,
    metrics.ETF_DAY,
    metrics.RATE,
    metrics.RATE_DAY,
    metrics.CONTEXT_AGE,
]


@pytest.fixture(autouse=True)
def _blank() -> Iterator[None]:
    for one in GAUGES:
        one.clear()
    yield
    for one in GAUGES:
        one.clear()


class Known:
    """What memory holds, by asset."""

    def __init__(self, **reports: ContextReport) -> None:
        self.reports: dict[str, ContextReport] = reports

    def __call__(self, asset: str) -> ContextReport | None:
        return self.reports.get(asset)


def test_every_figure_is_shown_by_venue_and_asset_and_all_stands_for_bitcoin() -> None:
    Beside(Known(ALL=beside.full("ALL"), BTC=beside.full("BTC")), ["BTC", "ETH"]).show()

    assert samples(metrics.OPEN_INTEREST)["binance", "BTC"] == 9.25e9
    assert samples(metrics.OPEN_INTEREST)["binance", "ALL"] == 9.25e9
    assert samples(metrics.FUNDING) == {
        ("binance", "ALL"): -0.0002,
        ("bybit", "ALL"): 0.0001,
        ("binance", "BTC"): -0.0002,
        ("bybit", "BTC"): 0.0001,
    }, "okx tells none, bitmex nothing"
    assert samples(metrics.MARK_PRICE)["BTC",] == 95_010.5
    assert samples(metrics.SQUEEZE_RISK)["BTC", "short"] == 84.2
    assert samples(metrics.SQUEEZE_RISK_AGE)["BTC", "short"] == 2 * HOUR / 1_000, "its oldest part"
    assert samples(metrics.ETF_FLOW) == {("BTC",): 116.7e6, ("ETH",): -35.2e6}
    assert samples(metrics.ETF_DAY)["BTC",] == 1_768_176_000
    assert samples(metrics.RATE)["two_year",] == 3.54
    assert samples(metrics.RATE_DAY)["target_low",] == 1_768_262_400
    assert samples(metrics.RATE_DAY)["next_meeting",] == midnight("2026-01-28")
    assert samples(metrics.CONTEXT_AGE)["etf farside BTC",] == HOUR / 1_000


def test_what_is_unknown_has_no_series_and_what_was_known_leaves_none_behind() -> None:
    known = Known(ALL=beside.full("ALL"), BTC=beside.full("BTC"))
    shown = Beside(known, ["BTC"])
    shown.show()
    known.reports = {"ALL": beside.unknown("ALL"), "BTC": beside.unknown("BTC")}
    shown.show()

    for gauge in (metrics.OPEN_INTEREST, metrics.FUNDING, metrics.MARK_PRICE, metrics.RATE, metrics.RATE_DAY):
        assert samples(gauge) == {}
    assert samples(metrics.SQUEEZE_RISK) == samples(metrics.SQUEEZE_RISK_AGE) == {}
    assert samples(metrics.ETF_FLOW) == {("BTC",): 116.7e6}, "the last day that is known"
    assert samples(metrics.ETF_DAY) == {("BTC",): midnight("2026-01-09")}, "its date says how old it is"
    assert samples(metrics.CONTEXT_AGE) == {("etf farside BTC",): 36 * HOUR / 1_000}, "who never answered has no age"


def test_a_day_some_funds_have_not_reported_has_no_series_since_a_number_cannot_say_so() -> None:
    known = Known(ALL=beside.full("ALL"))
    shown = Beside(known, [])
    shown.show()
    partial = beside.flow("BTC", usd=90e6, date="2026-01-13", complete=False, reason="not all funds have reported")
    known.reports = {"ALL": beside.full("ALL", flows=(partial, beside.flow("ETH", usd=-35.2e6)))}
    shown.show()

    assert samples(metrics.ETF_FLOW) == {("ETH",): -35.2e6}
    assert set(samples(metrics.ETF_DAY)) == {("ETH",)}


def test_where_context_is_switched_off_there_is_no_series() -> None:
    Beside(Known(), ["BTC"]).show()
    assert all(samples(gauge) == {} for gauge in GAUGES)


def test_a_rate_nobody_told_has_neither_value_nor_date() -> None:
    partly = beside.full("ALL", rates=beside.rates(sofr=None, next_meeting=None, days_to_meeting=None))
    Beside(Known(ALL=partly), []).show()
    assert set(samples(metrics.RATE)) == {("target_low",), ("target_high",), ("three_month",), ("two_year",)}
    assert set(samples(metrics.RATE_DAY)) == set(samples(metrics.RATE))


def test_a_part_that_is_unknown_has_no_say_in_the_age_of_the_gauge() -> None:
    risk = beside.full().risk["short"]
    parts = tuple(
        msgspec.structs.replace(part, value=None) if part.at < beside.NOW - HOUR else part for part in risk.parts
    )
    report = beside.full("ALL", risk={"short": msgspec.structs.replace(risk, parts=parts)})
    Beside(Known(ALL=report), []).show()
    assert samples(metrics.SQUEEZE_RISK_AGE) == {("ALL", "short"): MINUTE / 1_000}


def test_series_are_bounded_by_the_settings_whatever_is_known() -> None:
    class Everything(dict[str, ContextReport]):
        def __call__(self, asset: str) -> ContextReport:
            sources = tuple(beside.source(f"s{number}") for number in range(5_000))
            return beside.full(asset, sources=sources)

    Beside(Everything(), [f"COIN{number}" for number in range(500)], most=20).show()
    assert len(samples(metrics.OPEN_INTEREST)) == 21 * 3
    assert len(samples(metrics.SQUEEZE_RISK)) == 21 * 2
    assert len(samples(metrics.CONTEXT_AGE)) == MOST_SOURCES


def test_a_mistake_in_context_costs_its_gauges_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_asset: str) -> ContextReport | None:
        raise KeyError("a mistake")

    shown = Beside(broken, ["BTC"])
    with caplog.at_level("ERROR"):
        shown.show()
        shown.show()
    assert len(caplog.records) == 1


@pytest.mark.parametrize("word", ["", "yesterday", "2026-02-30", "13/01/2026"])
def test_what_is_no_date_is_unknown(word: str) -> None:
    assert midnight(word) is None


async def test_the_bot_is_told_what_the_door_is_told() -> None:
    stage = Stage()
    stage.beside = {"BTC": beside.full("BTC")}
    house = House(stage, ["binance"], ["BTC"])
    assert house.context("BTC") is stage.beside["BTC"]
    assert house.context("ETH") is None
