"""The desk: what an alert is told and what a door is told, of the same memory, with nothing asked for twice or in vain."""

from datetime import date
from typing import Any

import pytest

from service.context.desk import Desk
from service.context.etf.days import closes, due, published_by
from service.context.etf.flows import Flows
from service.context.macro import Fred, Macro, Meetings, Observation, read_meetings
from service.context.memory import Memory
from service.context.risk import Point
from service.model import ALL, HOUR, ContextReport, FlowDay, Side, Situation, Ticker

DAY = "2026-01-13"
NOW = due(DAY)
FRED = "observation_date,DFEDTARL,DFEDTARU,SOFR,DGS3MO,DGS2\n2026-01-12,3.50,3.75,3.63,3.65,3.52\n"
RATES = {"target_low": 3.5, "target_high": 3.75, "sofr": 3.63, "three_month": 3.65, "two_year": 3.52}


def ticker(asset: str = "BTC", mark: float = 95_400.0, at: int = NOW, symbol: str = "") -> Ticker:
    told = {"oi_coins": 1e4, "funding": 0.0001, "interval_h": 8.0, "mark": mark}
    return Ticker(venue="binance", symbol=symbol or f"{asset}USDT", asset=asset, at=at, seen=at, **told)


def flows(*days: FlowDay) -> Flows:
    book = Flows(["farside"])
    book.take(days, "farside", NOW, published_by)
    return book


def day(asset: str = "BTC", usd: float = 753.8e6, **more: Any) -> FlowDay:
    return FlowDay(asset=asset, date=more.pop("date", DAY), usd=usd, **more)


def rates(told: dict[str, float], when: date = date(2026, 1, 12)) -> Macro:
    book = Macro(read_meetings())
    book.take([Observation(series=name, day=when, value=value) for name, value in told.items()], "publisher", NOW)
    return book


def desk(book: Flows | None = None, macro: Macro | None = None, **more: Any) -> Desk:
    return Desk(Memory(), book or Flows(["farside"]), macro or Macro(Meetings()), **more)


def told(house: Desk, asset: str = "BTC", now: int = NOW) -> Any:
    return house.beside(Situation(asset=asset, side=Side.SHORT, onset=now - HOUR, at=now))


def shown(house: Desk, asset: str = "BTC", now: int = NOW) -> ContextReport:
    return house.report(asset, now, ())


class Counting(Flows):
    """A book that notes whom it is asked about."""

    asked: list[str]

    def of(self, asset: str, now: int, replay: bool = False) -> Any:
        self.asked.append(asset)
        return super().of(asset, now, replay)


@pytest.mark.parametrize(("asset", "wanted"), [("ETH", {"ETH"}), ("DOGE", set()), (ALL, {"BTC", "ETH", "SOL"})])
def test_only_flows_that_belong_to_an_asset_are_asked_for(asset: str, wanted: set[str]) -> None:
    book = Counting(["farside"])
    book.asked = []
    house = desk(book)
    told(house, asset)
    shown(house, asset)
    assert set(book.asked) == wanted


def test_flows_nobody_asks_for_are_not_looked_at() -> None:
    book = Counting(["farside"])
    book.asked = []
    house = desk(book, unasked=["etf"])
    book.take([day()], "farside", NOW)
    assert (told(house, ALL).flows, shown(house, ALL).flows) == ((), ())
    assert book.asked == []
    assert not [name for name in told(house, ALL).missing if name.startswith("etf")]


def test_a_rate_that_is_not_known_is_missing_though_the_others_are_fresh() -> None:
    house = desk(macro=rates({name: value for name, value in RATES.items() if name != "sofr"}))
    for answer in (told(house), shown(house)):
        assert answer.rates.fresh
        assert answer.missing["rates"] == "SOFR is not known"
    whole = desk(macro=rates(RATES))
    assert "rates" not in told(whole).missing
    assert "rates" not in shown(whole).missing
    off = desk(macro=rates({"sofr": 3.63}), unasked=["rates"])
    assert "rates" not in told(off).missing


def test_an_alert_tells_no_figure_that_must_not_be_kept_and_the_door_shows_it() -> None:
    macro = Macro(read_meetings())
    Fred(macro).take(FRED.encode(), NOW)
    house = desk(macro=macro)
    kept, seen = told(house), shown(house)
    assert seen.rates is not None
    assert (seen.rates.two_year, seen.missing.get("rates")) == (3.52, None)
    assert (kept.rates.two_year, kept.rates.target_low, kept.rates.dates) == (None, None, {})
    assert (kept.rates.next_meeting, kept.rates.fresh) == ("2026-01-28", True)
    assert kept.missing["rates"] == "FRED's figures are shown, not kept"
    bare = Macro(Meetings())
    Fred(bare).take(FRED.encode(), NOW)
    alone = told(desk(macro=bare))
    assert (alone.rates, alone.missing["rates"]) == (None, "FRED's figures are shown, not kept")


@pytest.mark.parametrize(
    ("usd", "units", "kept"), [(753.8e6, 7_901.5, True), (753.8e6, 7_901_500.0, False), (0.0, 0.0, True)]
)
def test_a_door_shows_coins_checked_as_an_alert_tells_them(usd: float, units: float, kept: bool) -> None:
    house = desk(flows(day(usd=usd, units=units)))
    house.memory.hear([ticker()])
    for answer in (told(house), shown(house)):
        (flow,) = answer.flows
        assert flow.units == (units if kept else None)
        assert ("etf BTC units" in answer.missing) is not kept


def test_coins_are_checked_by_the_price_of_their_own_day() -> None:
    house = desk(flows(day(units=753.8e6 / 80_000)))
    house.memory.hear([ticker(mark=95_400.0)])
    assert told(house).flows[0].units is None, "only the mark of now is known, and it is far away"
    house.memory.recall(ticker(), [Point(at=closes(DAY) - HOUR, price=80_500.0)])
    assert told(house).flows[0].units == 753.8e6 / 80_000
    assert "etf BTC units" not in told(house).missing
    other = desk(flows(day(units=753.8e6 / 95_400)))
    other.memory.recall(ticker(), [Point(at=closes(DAY) - HOUR, price=80_500.0)])
    other.memory.hear([ticker(mark=95_400.0)])
    assert told(other).missing["etf BTC units"] == (
        "753,800,000 dollars of 2026-01-13 make 95,400.00 dollars a coin, "
        "more than 5 % from the price of 2026-01-13 80,500.00"
    )


@pytest.mark.parametrize(
    ("days_later", "off", "kept"),
    [(0, 0.09, True), (0, 0.11, False), (1, 0.14, True), (1, 0.16, False), (3, 0.24, True), (3, 0.26, False)],
)
def test_the_mark_of_now_may_be_off_by_more_the_older_the_day_is(days_later: int, off: float, kept: bool) -> None:
    now = NOW + days_later * 24 * HOUR
    house = desk(flows(day(units=753.8e6 / (95_400.0 * (1 + off)))))
    house.memory.hear([ticker(at=now)])
    assert (told(house, now=now).flows[0].units is not None) is kept


def test_the_mark_of_now_says_nothing_of_a_day_long_ago() -> None:
    now = NOW + 4 * 24 * HOUR
    house = desk(flows(day(units=7_901.5)))
    house.memory.hear([ticker(at=now)])
    assert told(house, now=now).missing["etf BTC units"] == "no price of 2026-01-13 is known to check coins with"


def test_contracts_that_count_lots_price_no_coin() -> None:
    house = desk(flows(day("SOL", 14.2e6, units=100_000.0)))
    lots = ticker("SOL", 142_000.0, symbol="1000SOLUSDT")
    house.memory.recall(lots, [Point(at=closes(DAY) - HOUR, price=142_000.0)])
    house.memory.hear([lots])
    assert told(house, "SOL").missing["etf SOL units"] == "no price of 2026-01-13 is known to check coins with"


def test_names_nobody_knows_leave_nothing_behind() -> None:
    house = desk(flows(day()), rates(RATES))
    house.memory.hear([ticker()])
    for number in range(50):
        assert shown(house, f"NONE{number}").risk["short"].score is None
        told(house, f"NONE{number}")
    told(house)
    assert list(house._fuel) == ["BTC"]
    assert house.memory.contracts("NONE1") == []
    assert list(house.memory._by_asset) == ["BTC"]
