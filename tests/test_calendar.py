"""Dated public events: the file, what is refused of it, and what stands beside an onset."""

import tomllib
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from service.detector.calendar import Event, coincides
from service.settings import CalendarError, Settings, SettingsError, load, read_calendar

ROOT = Path(__file__).parent.parent
EVENTS = read_calendar("shipped")
NEW_YORK = ZoneInfo("America/New_York")


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000)


def when(event: Event, zone: ZoneInfo | None = None) -> datetime:
    return datetime.fromtimestamp(event.at / 1_000, zone or UTC)


def named(word: str) -> list[Event]:
    return [event for event in EVENTS if word in event.name]


def test_the_consumer_prices_of_the_founding_day_are_beside_an_onset_ten_minutes_later_and_not_beside_the_evening():
    assert coincides(EVENTS, ms("2026-01-13T13:40Z")) == ("US CPI for December 2025",)
    assert coincides(EVENTS, ms("2026-01-13T22:00Z")) == ()


def test_a_quarter_of_an_hour_is_near_on_both_sides_and_a_second_more_is_not():
    at = ms("2026-01-13T13:30Z")
    for seconds, near in ((-900, True), (900, True), (-901, False), (901, False), (0, True)):
        assert bool(coincides(EVENTS, at + seconds * 1_000)) is near


def test_the_nearest_entry_comes_first():
    rows = [Event(at=minute * 60_000, name=f"m{minute}", source="-") for minute in (3, 9, 14, 40)]
    assert coincides(rows, 10 * 60_000) == ("m9", "m14", "m3")


def test_the_shipped_dates_are_what_their_sources_say():
    reports = named("CPI") + named("jobs")
    assert len(named("CPI")) == len(named("jobs")) == 23, "a report a month, less one month that was cancelled"
    assert {(when(event, NEW_YORK).hour, when(event, NEW_YORK).minute) for event in reports} == {(8, 30)}
    assert {when(event, NEW_YORK).weekday() for event in reports} <= set(range(5))
    assert not [event for event in reports if "October 2025" in event.name]
    assert len(named("FOMC")) == 16
    assert {(when(event, NEW_YORK).hour, when(event, NEW_YORK).weekday()) for event in named("FOMC")} == {(14, 2)}
    expiries = named("expiry")
    assert len(expiries) == 24
    for event in expiries:
        day = when(event)
        assert (day.hour, day.minute, day.weekday()) == (8, 0, 4)
        assert (day + timedelta(days=7)).month != day.month
        assert event.name.startswith("quarterly" if day.month % 3 == 0 else "monthly")


def test_the_shipped_file_is_in_order_and_tells_the_source_of_every_date():
    assert [event.at for event in EVENTS] == sorted({event.at for event in EVENTS})
    assert all(event.source for event in EVENTS)
    assert {when(event).year for event in EVENTS} == {2025, 2026}


def test_an_own_file_may_be_in_any_order_and_zone(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("at,name,source\n2026-05-01T08:00+08:00,b,me\n\n2026-04-30T23:59Z, a ,me\n", encoding="utf-8")
    assert [(event.name, event.at) for event in read_calendar(str(path))] == [
        ("a", ms("2026-04-30T23:59Z")),
        ("b", ms("2026-05-01T00:00Z")),
    ]
    assert read_calendar("") == ()


@pytest.mark.parametrize(
    ("text", "line", "wrong", "allowed"),
    [
        ("", 1, "the columns are missing", "at,name,source"),
        ("at,name\n", 1, "the columns are at,name", "at,name,source"),
        ("at,name,source\nx,CPI,BLS\n", 2, "'x' is not a time", "with its zone"),
        ("at,name,source\n2026-01-13T13:30Z,a,b\n2026-01-13T13:30,CPI,BLS\n", 3, "has no zone", "with its zone"),
        ("at,name,source\n2026-01-13T13:30Z,CPI\n", 2, "'2026-01-13T13:30Z,CPI' is no entry", "at, name, source"),
        ("at,name,source\n2026-01-13T13:30Z,,BLS\n", 2, "is no entry", "at, name, source"),
        ('at,name,source\n2026-01-13T13:30Z,"C"PI,BLS\n', 2, "is not CSV", "at,name,source"),
    ],
)
def test_what_is_no_calendar_is_refused_with_file_line_and_what_is_allowed(tmp_path, text, line, wrong, allowed):
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CalendarError) as refusal:
        read_calendar(str(path))
    said = str(refusal.value)
    assert said.startswith(f"{path}, line {line}: ")
    assert wrong in said
    assert allowed in said.partition("; allowed: ")[2]


def test_what_is_no_text_at_all_is_refused_by_name(tmp_path):
    (tmp_path / "bad.csv").write_bytes(b"at,name,source\n\xff\xfe\n")
    with pytest.raises(CalendarError, match=r"bad\.csv is not UTF-8; allowed: shipped, "):
        read_calendar(str(tmp_path / "bad.csv"))
    with pytest.raises(CalendarError, match=r"nothing\.csv cannot be read: No such file"):
        read_calendar(str(tmp_path / "nothing.csv"))


def test_settings_refuse_a_bad_calendar_and_take_a_good_one_or_none(tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("at,name,source\nsoon,CPI,BLS\n", encoding="utf-8")
    file = tmp_path / "cascade.toml"
    file.write_text("", encoding="utf-8")
    assert load(file, {}).detector.calendar == Settings().detector.calendar == "shipped"
    with pytest.raises(SettingsError) as refusal:
        load(file, {"CASCADE_DETECTOR__CALENDAR": str(bad)})
    assert refusal.value.problems[0].startswith("CASCADE_DETECTOR__CALENDAR = ")
    assert (
        "bad.csv, line 2: 'soon' is not a time; allowed: a time in ISO 8601 with its zone" in refusal.value.problems[0]
    )
    bad.write_text("at,name,source\n2027-01-01T00:00Z,CPI,BLS\n", encoding="utf-8")
    assert load(file, {"CASCADE_DETECTOR__CALENDAR": str(bad)}).detector.calendar == str(bad)
    file.write_text('[detector]\ncalendar = ""\n', encoding="utf-8")
    assert read_calendar(load(file, {}).detector.calendar) == ()


def test_the_built_package_holds_the_calendar(tmp_path):
    builder = pytest.importorskip("hatchling.builders.wheel", reason="hatchling is not installed")
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    (wheel,) = builder.WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    assert version in wheel
    with zipfile.ZipFile(wheel) as built:
        assert built.read("service/settings/calendar.csv") == (ROOT / "service/settings/calendar.csv").read_bytes()
