"""US rates: what is read and what is refused, how old it may be, what may be said of it, and nothing before its time."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.context.macro import (
    SERIES,
    Fred,
    Macro,
    Meetings,
    MeetingsError,
    NewYork,
    Observation,
    Treasury,
    read_meetings,
)
from service.context.macro.days import EASTERN, business_days, eastern, is_business, next_business, public_from
from service.context.macro.fred import CITATION, TABLE
from service.context.source import Source, SourceError
from service.settings import read_calendar
from service.simulator.slow import fred as simulated

SHIPPED = read_meetings()
HEADER = "observation_date,DFEDTARL,DFEDTARU,SOFR,DGS3MO,DGS2"
PAGE = f"""{HEADER}
2026-01-08,3.50,3.75,3.64,3.61,3.49
2026-01-09,3.50,3.75,3.64,3.62,3.54
2026-01-10,3.50,3.75,,,
2026-01-11,3.50,3.75,.,.,.
2026-01-12,3.50,3.75,3.63,3.65,3.52
2026-01-13,3.50,3.75,,,
"""


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000)


NOW = ms("2026-01-13T22:00Z")


def on(day: date, hour: int = 12) -> int:
    return round(datetime(day.year, day.month, day.day, hour, tzinfo=EASTERN).timestamp() * 1_000)


def told(text: str = PAGE, now: int = NOW) -> Macro:
    book = Macro(SHIPPED)
    Fred(book).take(text.encode(), now)
    return book


def seen(day: date, **values: float) -> list[Observation]:
    return [Observation(series=series, day=day, value=value) for series, value in values.items()]


# the calendar of meetings


def test_the_shipped_meetings_are_the_ones_whose_decisions_the_public_calendar_has():
    decisions = [event.at for event in read_calendar("shipped") if "FOMC" in event.name]
    assert decisions
    assert [one.decided_at for one in SHIPPED.all if one.last.year in (2025, 2026)] == decisions


def test_eight_meetings_a_year_end_midweek_and_every_other_one_has_projections():
    for year in range(2024, 2028):
        meetings = [one for one in SHIPPED.all if one.last.year == year]
        assert len(meetings) == 8
        assert {one.last - one.first for one in meetings} == {timedelta(days=1)}
        assert [one.last.month for one in meetings if one.projections] == [3, 6, 9, 12]
    odd = [one.last for one in SHIPPED.all if one.last.weekday() != 2]
    assert odd == [date(2024, 11, 7)], "one meeting began a day later, for an election"


def test_a_meeting_is_the_next_one_until_its_decision_is_told():
    before, after = (SHIPPED.after(ms(f"2026-01-28T{clock}Z")) for clock in ("18:59:59", "19:00:00"))
    assert before is not None
    assert after is not None
    assert (before.last, after.last) == (date(2026, 1, 28), date(2026, 3, 18))
    assert SHIPPED.days_to(before, ms("2026-01-28T18:59:59Z")) == 0
    assert SHIPPED.days_to(after, ms("2026-01-29T04:59Z")) == 49, "it is still the 28th in New York"


def test_when_the_calendar_has_ended_that_is_said_and_no_meeting_is_guessed():
    now = ms("2027-12-08T19:00Z")
    book = Macro(SHIPPED)
    book.take(seen(date(2027, 12, 7), target_low=3.0, target_high=3.25, two_year=3.1), "test", now)
    rates = book.of(now)
    assert rates is not None
    assert (rates.next_meeting, rates.days_to_meeting) == (None, None)
    assert "the calendar of meetings ends on 2027-12-08" in rates.reason


GOOD = "first,last,projections,source\n2026-01-27,2026-01-28,no,Fed\n"


@pytest.mark.parametrize(
    ("text", "what", "allowed"),
    [
        ("", "line 1: the columns are missing", "first,last,projections,source"),
        ("a,b\n", "line 1: the columns are a,b", "first,last,projections,source"),
        (GOOD + "2026-03-17,2026-03-18,yes\n", "line 3: '2026-03-17,2026-03-18,yes' is no meeting", "one text in each"),
        (GOOD + "2026-03-17,,yes,Fed\n", "line 3", "one text in each"),
        (GOOD + "17.3.2026,2026-03-18,yes,Fed\n", "line 3: '17.3.2026' is not a day", "a day as 2026-01-27"),
        (GOOD + "20260317,2026-03-18,yes,Fed\n", "line 3: '20260317' is not a day", "a day as"),
        (GOOD + "2026-02-30,2026-03-18,yes,Fed\n", "line 3: '2026-02-30' is not a day", "a day as"),
        (GOOD + "2026-03-18,2026-03-17,yes,Fed\n", "line 3: a meeting from 2026-03-18 to 2026-03-17", "0 to 4 days"),
        (GOOD + "2026-03-17,2026-03-18,maybe,Fed\n", "line 3: projections are 'maybe'", "yes or no"),
        (GOOD + "2026-01-27,2026-01-28,no,Fed\n", "line 3: 2026-01-27 is not after 2026-01-28", "none twice"),
        (GOOD + '2026-03-17,"2026-03-18"x,no,Fed\n', "line 3: is not CSV", "first,last,projections,source"),
    ],
)
def test_a_wrong_calendar_is_refused_with_its_file_and_line(tmp_path: Path, text: str, what: str, allowed: str):
    path = tmp_path / "own.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MeetingsError) as caught:
        read_meetings(str(path))
    assert str(path) in caught.value.what
    assert what in caught.value.what
    assert allowed in caught.value.allowed


def test_a_calendar_of_ones_own_is_read_and_none_at_all_is_fine(tmp_path: Path):
    path = tmp_path / "own.csv"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode() + b"\r\n")
    assert [one.last for one in read_meetings(str(path)).all] == [date(2026, 1, 28)]
    assert read_meetings("").all == ()
    with pytest.raises(MeetingsError, match=r"cannot be read.*allowed: shipped, a CSV file"):
        read_meetings(str(tmp_path / "none.csv"))
    path.write_bytes(b"first,\xff")
    with pytest.raises(MeetingsError, match="is not UTF-8"):
        read_meetings(str(path))


# days


def test_the_federal_reserve_is_closed_on_its_holidays_and_open_on_the_friday_before_a_saturday_one():
    closed = {day for n in range(365) if not is_business(day := date(2026, 1, 1) + timedelta(days=n))}
    holidays = {day.isoformat()[5:] for day in closed if day.weekday() < 5}
    assert holidays == {
        *("01-01", "01-19", "02-16", "05-25", "06-19", "09-07", "10-12", "11-11", "11-26", "12-25"),
    }, "4 July 2026 is a Saturday"
    assert not is_business(date(2027, 7, 5)), "4 July 2027 is a Sunday"


def test_a_day_is_public_from_the_end_of_the_next_business_day():
    assert public_from(date(2026, 1, 12)) == ms("2026-01-14T00:00-05:00")
    assert public_from(date(2026, 1, 16)) == ms("2026-01-21T00:00-05:00"), "a long weekend"
    assert public_from(date(2026, 3, 6)) == ms("2026-03-10T00:00-04:00"), "clocks went forward"
    assert next_business(date(2025, 12, 31)) == date(2026, 1, 2)
    assert business_days(date(2026, 1, 9), date(2026, 1, 13)) == 2
    assert business_days(date(2026, 1, 13), date(2026, 1, 9)) == 0


# what is read


def test_the_last_figure_of_each_series_is_told_with_its_own_day_and_a_missing_one_is_never_a_zero():
    rates = told().of(NOW)
    assert rates is not None
    assert (rates.target_low, rates.target_high, rates.sofr, rates.three_month, rates.two_year) == (
        *(3.50, 3.75, 3.63, 3.65, 3.52),
    )
    assert rates.dates == {
        "target_low": "2026-01-13",
        "target_high": "2026-01-13",
        "sofr": "2026-01-12",
        "three_month": "2026-01-12",
        "two_year": "2026-01-12",
    }
    assert (rates.implied, rates.near, rates.word) == (-0.105, 0.025, "unchanged")
    assert (rates.next_meeting, rates.days_to_meeting) == ("2026-01-28", 15)
    assert (rates.source, rates.fresh, rates.reason) == (CITATION, True, "")
    assert rates.told_at == NOW


def test_the_former_header_windows_line_ends_a_mark_in_front_and_other_columns_are_read_too():
    text = PAGE.replace("observation_date", "DATE").replace("\n", "\r\n")
    assert told("\ufeff" + text).of(NOW) == told().of(NOW)
    wide = "\n".join(line + (",VIXCLS" if "obs" in line else ",high") for line in PAGE.splitlines()) + "\n"
    assert told(wide).of(NOW) == told().of(NOW)


def test_a_request_names_its_series_and_45_days_and_does_not_pretend_to_be_a_browser():
    source: Source = Fred(Macro(SHIPPED), "http://127.0.0.1:1/")
    question = source.question(ms("2026-01-13T03:00Z"))
    assert question.url == (
        "http://127.0.0.1:1/graph/fredgraph.csv?id=DFEDTARL,DFEDTARU,SOFR,DGS3MO,DGS2&cosd=2025-11-28"
    )
    assert {name.lower() for name in question.headers} == {"accept"}
    assert source.every_s == 6 * 3600


def test_of_a_whole_history_only_the_last_45_days_are_read():
    old = [f"{date(2025, 11, 28) - timedelta(days=n)},9.00,8.00,99.00,.,." for n in range(2_000)]
    rates = told("\n".join([HEADER, *reversed(old), *PAGE.splitlines()[1:]]) + "\n").of(NOW)
    assert rates == told().of(NOW)


def test_a_missing_column_is_said_and_the_others_are_used():
    text = "\n".join(line.rpartition(",")[0] for line in PAGE.splitlines()) + "\n"
    rates = told(text).of(NOW)
    assert rates is not None
    assert (rates.three_month, rates.two_year, rates.implied, rates.word) == (3.65, None, None, None)
    assert rates.reason == "the 2-year yield is not known"
    book = told()
    Fred(book).take(text.encode(), NOW + 3_600_000)
    later = book.of(NOW + 3_600_000)
    assert later is not None
    assert (later.two_year, later.word) == (3.52, "unchanged")
    assert later.reason == f"the 2-year yield is of 2026-01-12 and was not in the last answer of {CITATION}"


LIES = {
    "a page of a web site": ("<!DOCTYPE html>\n<html><body>Just a moment</body></html>\n", "the first line is"),
    "nothing": ("", "the first line is ''"),
    "a header alone": (HEADER + "\n", "tells no rate"),
    "days without figures": (HEADER + "\n2026-01-13,,,.,.,\n", "tells no rate"),
    "only old days": (HEADER + "\n2025-01-13,3.50,3.75,3.6,3.6,3.5\n", "tells no rate"),
    "other columns": ("observation_date,VIXCLS\n2026-01-13,15.00\n", "one of DFEDTARL"),
    "a column twice": ("observation_date,DGS2,DGS2\n2026-01-12,3.50,3.51\n", "may be there once"),
    "no number": (PAGE.replace("3.52", "NaN"), "DGS2 is 'NaN'"),
    "an infinite rate": (PAGE.replace("3.52", "inf"), "DGS2 is 'inf'"),
    "a number of another kind": (PAGE.replace("3.52", "3_5"), "DGS2 is '3_5'"),
    "a rate of 352": (PAGE.replace("3.52", "352"), "the 2-year yield of 2026-01-12 is 352.0; allowed: -5 to 30"),
    "a rate of -6": (PAGE.replace("3.52", "-6.00"), "is -6.0; allowed: -5 to 30"),
    "tomorrow": (PAGE + "2026-01-14,3.50,3.75,,,\n", "which is to come; allowed: up to 2026-01-13"),
    "a range upside down": (PAGE.replace("13,3.50,3.75", "13,3.75,3.50"), "goes from 3.75 to 3.5"),
    "a day twice": (PAGE + "2026-01-12,3.50,3.75,3.63,3.65,3.58\n", "is told twice: 3.52 and 3.58"),
    "a day that is none": (PAGE.replace("2026-01-12", "2026-01-32"), "line 6: '2026-01-32' is not a day"),
    "a day otherwise": (PAGE.replace("2026-01-12", "01/12/2026"), "line 6: '01/12/2026' is not a day"),
    "a cell too few": (PAGE.replace(",3.65,3.52", ",3.65"), "line 6 has 5 cells"),
    "an end inside a number": (PAGE.rpartition("2026-01-13")[0].rstrip("\n")[:-1], "ends inside a figure"),
    "a quote left open": (PAGE + '2026-01-13,"3.50\n', "is not CSV"),
}


@pytest.mark.parametrize("lie", LIES)
def test_an_answer_that_cannot_be_is_refused_in_words_and_what_was_known_stays(lie: str):
    text, words = LIES[lie]
    book = told()
    before = book.of(NOW)
    with pytest.raises(SourceError) as caught:
        Fred(book).take(text.encode(), NOW)
    assert words in str(caught.value)
    assert book.of(NOW) == before


def test_an_archive_and_other_bytes_are_no_text():
    with pytest.raises(SourceError, match="not text"):
        Fred(Macro(SHIPPED)).take(b"PK\x03\x04\xff\xfe", NOW)


def test_an_older_page_than_the_last_is_refused_and_the_better_figures_stay():
    book = told()
    yesterday = PAGE.rpartition("2026-01-13")[0]
    with pytest.raises(SourceError, match=r"an older page: .* up to 2026-01-12, and 2026-01-13 is known already"):
        Fred(book).take(yesterday.encode(), NOW)
    assert book.of(NOW) == told().of(NOW)


def test_what_an_earlier_page_had_is_not_lost_when_a_later_one_is_shorter():
    book = told()
    Fred(book).take(f"{HEADER}\n2026-01-14,3.50,3.75,,,\n".encode(), NOW + 86_400_000)
    rates = book.of(NOW + 86_400_000)
    assert rates is not None
    assert (rates.two_year, rates.dates["target_low"]) == (3.52, "2026-01-14")


def test_the_days_of_new_york_count_not_those_of_greenwich():
    night = ms("2026-01-14T03:00Z")
    with pytest.raises(SourceError, match="which is to come"):
        told(PAGE + "2026-01-14,3.50,3.75,,,\n", night)
    told(PAGE + "2026-01-14,3.50,3.75,,,\n", ms("2026-01-14T05:00Z"))


# those who publish the figures first

YIELDS = """Date,"1 Mo","1.5 Month","2 Mo","3 Mo","4 Mo","6 Mo","1 Yr","2 Yr","3 Yr"
01/13/2026,3.70,,3.69,3.66,3.65,3.60,3.52,3.53,3.59
01/12/2026,3.69,3.70,3.68,3.65,3.64,3.59,3.51,3.52,3.58
"""
LATEST = b"""{"refRates":[
 {"effectiveDate":"2026-01-13","type":"SOFRAI","average30day":3.70,"index":1.2,"revisionIndicator":""},
 {"effectiveDate":"2026-01-12","type":"SOFR","percentRate":3.63,"percentPercentile1":"NA","volumeInBillions":3205},
 {"effectiveDate":"2026-01-12","type":"EFFR","percentRate":3.64,"targetRateFrom":3.50,"targetRateTo":3.75},
 {"effectiveDate":"2026-01-12","type":"OBFR","percentRate":3.63,"targetRateFrom":9.0}]}"""


def test_the_publishers_themselves_tell_the_same_rates_each_with_its_own_day():
    book = Macro(SHIPPED)
    Treasury(book).take(YIELDS.encode(), NOW)
    NewYork(book).take(LATEST, NOW)
    rates = book.of(NOW)
    assert rates is not None
    assert (rates.target_low, rates.target_high, rates.sofr, rates.three_month, rates.two_year) == (
        *(3.50, 3.75, 3.63, 3.66, 3.53),
    )
    assert (rates.dates["two_year"], rates.dates["target_low"]) == ("2026-01-13", "2026-01-12")
    assert rates.source == "Federal Reserve Bank of New York, U.S. Department of the Treasury"
    assert (rates.fresh, rates.reason, rates.word) == (True, "", "unchanged")
    assert book.stored() != b"[]", "these may be kept"


@pytest.mark.parametrize(
    ("now", "year"),
    [
        ("2026-01-02T17:00Z", 2025),
        ("2026-01-05T17:00Z", 2026),
        ("2025-12-31T17:00Z", 2025),
        ("2026-01-13T22:00Z", 2026),
    ],
)
def test_the_treasury_is_asked_for_a_year_that_has_figures_already(now: str, year: int):
    source: Source = Treasury(Macro(SHIPPED), "http://127.0.0.1:1")
    url = source.question(ms(now)).url
    assert f"/daily-treasury-rates.csv/{year}/all?" in url
    assert f"field_tdr_date_value={year}&" in url


def test_new_york_is_asked_for_the_last_day():
    source: Source = NewYork(Macro(SHIPPED))
    assert source.question(NOW).url == "https://markets.newyorkfed.org/api/rates/all/latest.json"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html></html>", "not what is documented"),
        (b'{"refRates":[]}', "tells no rate"),
        (LATEST.replace(b"3.63", b'"NA"', 1), "SOFR of 2026-01-12 says 'NA'"),
        (LATEST.replace(b"3.75", b"3.25"), "goes from 3.5 to 3.25"),
        (LATEST.replace(b"3.63", b"363"), "allowed: -5 to 30"),
        (LATEST.replace(b"2026-01-12", b"2026-01-14"), "which is to come"),
        (LATEST.replace(b"2026-01-12", b"January"), "not what is documented"),
        (LATEST[:-60], "not what is documented"),
    ],
)
def test_what_new_york_cannot_have_said_is_refused(body: bytes, words: str):
    book = Macro(SHIPPED)
    with pytest.raises(SourceError, match=words):
        NewYork(book).take(body, NOW)
    assert book.of(NOW) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (YIELDS.replace("3.53", "N A"), "2 Yr is 'N A'"),
        (YIELDS.replace("01/13", "13/01"), "'13/01/2026' is not a day; allowed: a day as 01/13/2026"),
        (YIELDS[:-3], "ends inside a figure"),
        (PAGE, "the first line is 'observation_date"),
    ],
)
def test_what_the_treasury_cannot_have_said_is_refused(text: str, words: str):
    with pytest.raises(SourceError, match=words):
        Treasury(Macro(SHIPPED)).take(text.encode(), NOW)


def test_a_field_that_new_york_leaves_out_is_said():
    book = Macro(SHIPPED)
    NewYork(book).take(LATEST.replace(b'"targetRateFrom":3.50,', b""), NOW)
    rates = book.of(NOW)
    assert rates is not None
    assert (rates.target_low, rates.sofr) == (None, 3.63)
    assert "the lower end of the target range is not known" in rates.reason


# how old, and what may be said


def test_the_age_of_a_figure_is_said_after_five_business_days_ends_conclusions_after_fourteen_and_hides_it_at_last():
    book = told()

    def at(day: date):
        rates = book.of(on(day))
        assert rates is not None
        return rates

    assert at(date(2026, 1, 20)).reason == ""
    aged = at(date(2026, 1, 21))
    assert aged.fresh
    assert "the 2-year yield is of 2026-01-12, 6 business days ago" in aged.reason
    assert aged.word == "unchanged"
    assert at(date(2026, 2, 2)).word == "unchanged"
    stale = at(date(2026, 2, 3))
    assert (stale.fresh, stale.two_year, stale.implied, stale.near, stale.word) == (False, 3.52, None, None, None)
    assert "the 2-year yield is of 2026-01-12, 15 business days ago" in stale.reason
    assert at(date(2026, 3, 14)).target_low == 3.5
    assert book.of(on(date(2026, 3, 15))) is None, "nothing that old is shown"


def test_a_series_that_ended_long_ago_does_not_make_the_others_old():
    book = told()
    later = date(2026, 3, 20)
    book.take(seen(later, target_low=3.5, target_high=3.75, two_year=3.9), "test", on(later))
    rates = book.of(on(later))
    assert rates is not None
    assert (rates.fresh, rates.sofr, rates.word, rates.source) == (True, None, "higher", "test")
    assert rates.reason == "SOFR is not known; the 3-month yield is not known"
    assert book.lacking(rates, on(later)) == rates.reason, "fresh, and not all of it"


@pytest.mark.parametrize("series", ["target_low", "two_year"])
def test_a_figure_the_word_rests_on_is_not_fresh_again_when_it_is_too_old_to_be_shown(series: str):
    book, others = told(), {"target_low": 3.5, "target_high": 3.75, "two_year": 3.5, "sofr": 3.6, "three_month": 3.6}
    del others[series]
    for later, shown in ((date(2026, 2, 5), True), (date(2026, 3, 12), True), (date(2026, 3, 20), False)):
        book.take(seen(later, **others), "test", on(later))
        rates = book.of(on(later))
        assert rates is not None
        assert (rates.fresh, rates.word, getattr(rates, series) is not None) == (False, None, shown)
        assert book.lacking(rates, on(later)) == rates.reason != ""


def test_what_is_lacking_is_said_in_words():
    book = Macro(SHIPPED)
    assert book.lacking(book.of(NOW), NOW) == "no source has told it"
    book = told()
    assert book.lacking(book.of(NOW), NOW) == ""
    late = on(date(2026, 6, 1))
    assert book.lacking(book.of(late), late) == "what was told is older than 60 days"


@pytest.mark.parametrize(
    ("two_year", "implied", "word"),
    [
        (3.47, -0.155, "lower"),
        (3.475, -0.15, "unchanged"),
        (3.625, 0.0, "unchanged"),
        (3.775, 0.15, "unchanged"),
        (3.78, 0.155, "higher"),
        (-1.0, -4.625, "lower"),
    ],
)
def test_the_word_needs_more_than_fifteen_hundredths_of_a_point(two_year: float, implied: float, word: str):
    book = Macro(Meetings())
    book.take(seen(date(2026, 1, 12), target_low=3.5, target_high=3.75, two_year=two_year), "test", NOW)
    rates = book.of(NOW)
    assert rates is not None
    assert (rates.implied, rates.word, rates.near) == (implied, word, None)


def test_without_a_target_range_nothing_is_concluded_and_without_anything_there_are_no_rates():
    book = Macro(Meetings())
    assert book.of(NOW) is None
    book.take(seen(date(2026, 1, 12), target_low=3.5, two_year=3.2), "test", NOW)
    rates = book.of(NOW)
    assert rates is not None
    assert (rates.target_high, rates.implied, rates.word, rates.next_meeting) == (None, None, None, None)
    assert "the upper end of the target range is not known" in rates.reason
    assert "calendar" not in rates.reason, "nobody asked for one"


# when it was known


def test_a_history_read_later_is_known_from_the_end_of_the_next_business_day_and_no_earlier():
    book = told(now=ms("2026-02-01T00:00Z"))
    edge = public_from(date(2026, 1, 12))
    before, after = book.of(edge - 1), book.of(edge)
    assert before is not None
    assert after is not None
    assert (before.two_year, after.two_year) == (3.54, 3.52)
    assert after.told_at == edge


def test_what_was_told_in_time_is_known_at_once_and_not_before():
    book = told()
    assert book.of(NOW - 1) is not None, "the days before are public by then"
    early = book.of(NOW - 1)
    assert early is not None
    assert early.dates["target_low"] == "2026-01-11"
    assert early.two_year == 3.54


def test_a_figure_that_is_changed_is_known_as_changed_only_from_then_on():
    book = told()
    later = ms("2026-01-20T15:00Z")
    Fred(book).take((PAGE.replace("3.52", "3.56") + "2026-01-16,3.50,3.75,,,\n").encode(), later)
    before, after = book.of(later - 1), book.of(later)
    assert before is not None
    assert after is not None
    assert (before.two_year, after.two_year) == (3.52, 3.56)


def test_of_two_sources_that_differ_the_first_to_tell_a_day_is_believed():
    book, day = Macro(SHIPPED), date(2026, 1, 12)
    for _ in range(3):
        book.take(seen(day, sofr=3.64), "one", NOW)
        book.take(seen(day, sofr=3.65), "two", NOW)
    rates = book.of(NOW)
    assert rates is not None
    assert (rates.sofr, rates.source) == (3.64, "one")


DAYS = st.dates(date(2026, 1, 2), date(2026, 2, 20))


@given(st.dictionaries(DAYS, st.integers(-500, 3000), min_size=1, max_size=12), st.integers(0, 60 * 24))
def test_a_replay_never_sees_what_was_not_public_yet(values: dict[date, int], hours: int):
    at = ms("2026-01-02T12:00Z") + hours * 3_600_000
    book = Macro(SHIPPED)
    all_of_it = [one for day, value in values.items() for one in seen(day, two_year=value / 100)]
    book.take(all_of_it, "history", ms("2026-06-01T00:00Z"))
    public = {day: value for day, value in values.items() if public_from(day) <= at}
    rates = book.of(at)
    if not public:
        assert rates is None
    else:
        assert rates is not None
        assert (rates.dates["two_year"], rates.two_year) == (max(public).isoformat(), public[max(public)] / 100)
        assert rates.told_at <= at


# what is kept


def test_what_was_stored_is_loaded_as_it_was():
    book, day = Macro(SHIPPED), date(2026, 1, 12)
    book.take(seen(day, target_low=3.5, target_high=3.75, sofr=3.63, three_month=3.65, two_year=3.4), "test", NOW)
    fresh = Macro(SHIPPED)
    fresh.load(book.stored())
    fresh.load(book.stored())
    assert fresh.of(NOW) == book.of(NOW)
    assert fresh.stored() == book.stored()
    assert fresh.of(NOW - 86_400_000) == book.of(NOW - 86_400_000)


def test_nothing_of_fred_is_written_to_a_store():
    assert told().stored() == b"[]"


def test_what_must_not_be_kept_is_shown_and_stands_in_no_alert():
    book = told()
    shown, kept = book.of(NOW), book.of(NOW, kept_only=True)
    assert shown is not None
    assert kept is not None
    assert (shown.two_year, shown.source) == (3.52, CITATION)
    assert [getattr(kept, series) for series in SERIES] == [None] * 5
    assert (kept.dates, kept.implied, kept.near, kept.word) == ({}, None, None, None)
    assert (kept.next_meeting, kept.days_to_meeting, kept.fresh) == ("2026-01-28", 15, True)
    assert (kept.source, kept.reason) == (
        "Federal Reserve press release of 2024-08-09: schedule for 2025 and 2026",
        "FRED's figures are shown, not kept",
    )
    assert book.lacking(kept, NOW) == kept.reason


def test_without_a_meeting_nothing_is_left_of_what_must_not_be_kept():
    book = Macro(Meetings())
    Fred(book).take(PAGE.encode(), NOW)
    assert book.of(NOW, kept_only=True) is None
    assert book.lacking(None, NOW) == "FRED's figures are shown, not kept"


def test_what_others_tell_of_the_same_day_is_kept_though_fred_was_first():
    book, day = told(), date(2026, 1, 12)
    book.take(seen(day, sofr=3.64, two_year=3.5), "publisher", NOW)
    shown, kept = book.of(NOW), book.of(NOW, kept_only=True)
    assert shown is not None
    assert kept is not None
    assert (shown.sofr, shown.two_year) == (3.63, 3.52), "of two sources the first to tell a day is believed"
    assert (kept.sofr, kept.two_year, kept.three_month, kept.source) == (3.64, 3.5, None, "publisher")
    assert kept.reason == "FRED's figures are shown, not kept"
    again = Macro(SHIPPED)
    again.load(book.stored())
    assert b"FRED" not in book.stored()
    assert again.of(NOW) is not None
    assert again.of(NOW).sofr == 3.64  # type: ignore[union-attr]


def test_figures_of_a_rehearsals_own_server_may_be_kept():
    book = Macro(SHIPPED)
    Fred(book, keep=True).take(PAGE.encode(), NOW)
    assert book.of(NOW, kept_only=True) == book.of(NOW) == told().of(NOW)
    assert book.stored() != b"[]"


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"{}",
        b"\xff",
        b'[{"series":"two_year","day":"2026-01-12","value":99,"source":"x","since":0}]',
        b'[{"series":"tea","day":"2026-01-12","value":3,"source":"x","since":0}]',
        b'[{"series":"two_year","day":"soon","value":3,"source":"x","since":0}]',
        b"[" * 5_000,
    ],
)
def test_a_state_that_is_none_is_refused(state: bytes):
    book = told()
    with pytest.raises(SourceError):
        book.load(state)
    assert book.of(NOW) == told().of(NOW)


# whatever comes


@given(st.binary(max_size=400) | st.text(max_size=400).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_bytes_of_any_kind_raise_nothing_but_a_source_error(body: bytes):
    for source in (Fred, Treasury, NewYork):
        with pytest.raises(SourceError):
            source(Macro(SHIPPED)).take(body, NOW)


@given(st.integers(0, len(LATEST)), st.integers(0, 3), st.sampled_from(list(b'",:{}[]-9eN0')))
def test_a_bent_answer_of_new_york_raises_nothing_but_a_source_error(at: int, length: int, put: int):
    book = Macro(SHIPPED)
    try:
        NewYork(book).take(LATEST[:at] + bytes([put]) + LATEST[at + length :], NOW)
    except SourceError:
        assert book.of(NOW) is None


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(st.integers(0, len(PAGE)), st.integers(0, 3), st.sampled_from(list(',.\n\r"\0-9eT<５ '))), max_size=4
    )
)
def test_a_bent_page_is_refused_or_read_within_bounds(bends: list[tuple[int, int, str]]):
    text = PAGE
    for at, length, put in bends:
        text = text[:at] + put + text[at + length :]
    book = Macro(SHIPPED)
    try:
        Fred(book).take(text.encode(), NOW)
    except SourceError:
        assert book.of(NOW) is None
        return
    rates = book.of(NOW)
    if rates is not None:
        for value in (rates.target_low, rates.target_high, rates.sofr, rates.three_month, rates.two_year):
            assert value is None or -5 <= value <= 30
        assert all(date.fromisoformat(day) <= eastern(NOW).date() for day in rates.dates.values())


@settings(max_examples=60)
@given(st.integers(0, 150 * 24))
def test_the_simulated_file_is_read_at_every_hour_and_never_tells_what_is_to_come(hours: int):
    now = ms("2025-10-01T00:30Z") + hours * 3_600_000
    today = eastern(now).date()
    body = simulated.page(now, (), (today - timedelta(days=45)).isoformat())
    days = {one.series: one.day for one in TABLE.read(body)}
    assert days["target_low"] == today
    assert 1 <= business_days(days["two_year"], today) <= 2
    book = Macro(SHIPPED)
    Fred(book).take(body, now)
    rates = book.of(now)
    assert rates is not None
    assert (rates.fresh, rates.reason) == (True, "")
