"""Farside's page: its layout, its changes, and pages that lie. Pages are written here; none is a copy."""

import contextlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.context.etf.days import published_by
from service.context.etf.farside import NAME, Farside, rows_of
from service.context.etf.flows import Flows
from service.context.source import SourceError
from service.simulator.slow.etf import TOTALS, page

FUNDS = ("IBIT", "FBTC", "GBTC")
NOW = published_by("2026-01-14")


def line(*cells: str, tag: str = "td") -> str:
    return "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in cells) + "</tr>"


HEAD = line("", "", "", "", "Total", tag="th") + line("", *FUNDS, "", tag="th")
FEES = line("Fee", "0.25%", "0.25%", "1.50%", "") + line("Seed", "10.0", "20.0", "-", "30.0")
DAYS = (
    line("08 Jan 2026", "(193.3)", "(120.5)", "(85.0)", "(398.8)")
    + line("09 Jan 2026", "(252.0)", "7.9", "(5.9)", "(250.0)")
    + line("12 Jan 2026", "(70.7)", "111.7", "75.7", "116.7")
    + line("13 Jan 2026", "376.9", "351.4", "25.5", "753.8")
)
FOOT = line("Total", "1,234.5", "999.9", "(12.0)", "2,222.4") + line("Average", "1", "2", "3", "4")
FOOT += line("Maximum", "376.9", "351.4", "75.7", "753.8") + line("Minimum", "(252.0)", "(120.5)", "(85.0)", "(398.8)")


def html(table: str) -> bytes:
    return f"<!DOCTYPE html><html><head><title>Flow</title></head><body>{table}</body></html>".encode()


def table(head: str = HEAD, days: str = DAYS, foot: str = FOOT, fees: str = FEES) -> str:
    return f'<table class="etf"><thead>{head}{fees}</thead><tbody>{days}{foot}</tbody></table>'


def read(body: bytes, now: int = NOW, book: Flows | None = None) -> Flows:
    book = book or Flows([NAME])
    Farside("BTC", book).take(body, now)
    return book


def refused(body: bytes, reason: str, now: int = NOW) -> None:
    book = Flows([NAME])
    with pytest.raises(SourceError, match=reason):
        read(body, now, book)
    assert book.of("BTC", now) is None, "nothing of a refused page is used"


def told(body: bytes) -> list[tuple[str, float | None]]:
    return [(row.date, row.total) for row in rows_of("BTC", body)]


AS_IT_IS = [("2026-01-08", -398.8e6), ("2026-01-09", -250e6), ("2026-01-12", 116.7e6), ("2026-01-13", 753.8e6)]


def test_the_page_as_it_is() -> None:
    flow = read(html(table())).of("BTC", NOW)
    assert flow is not None
    assert (flow.date, flow.usd, flow.source, flow.complete) == ("2026-01-13", 753.8e6, "farside", True)
    assert flow.funds == {"IBIT": 376.9e6, "FBTC": 351.4e6, "GBTC": 25.5e6}
    assert flow.streak == 2


SAME = {
    "other class names": lambda page: page.replace('class="etf"', 'class="wp-block has-fixed-layout" id="x7"'),
    "nested tags": lambda page: re.sub(r"<td>([^<]*)</td>", r'<td><div><span class="t"> \1 </span></div></td>', page),
    "outflows in red": lambda page: re.sub(r"(\([\d.]+\))", r'<span class="redFont">\1</span>', page),
    "no tbody": lambda page: re.sub(r"</?t(body|head)>", "", page),
    "unclosed cells and rows": lambda page: re.sub(r"</t[dhr]>", "", page),
    "upper-case tags": lambda page: re.sub(r"</?[a-z]+", lambda tag: tag[0].upper(), page),
    "hard spaces": lambda page: page.replace(" Jan ", "&nbsp;Jan&nbsp;"),
    "another minus": lambda page: re.sub(r"\(([\d.]+)\)", "\u2212\\1", page),
    "footnotes": lambda page: page.replace("753.8<", "753.8*<"),
    "dollars": lambda page: page.replace(">376.9", ">$376.9"),
    "whole months": lambda page: page.replace("Jan", "January"),
    "ISO dates": lambda page: re.sub(r"(\d\d) Jan (\d{4})", r"\2-01-\1", page),
    "Total flow": lambda page: page.replace(">Total</th>", ">Total flow</th>"),
    "a script": lambda page: page.replace(
        "<table", "<script>document.write('<table><tr><td>IBIT<td>FBTC<td>Total')</script></script><table", 1
    ),
    "a script in a cell": lambda page: page.replace(">376.9<", "><script>track(1)</script>376.9<"),
    "a table of something else before": lambda page: page.replace(
        "<body>", "<body><table><tr><td>Fund<td>Total</table>"
    ),
    "a table around it": lambda page: page.replace("<body>", "<body><table><tr><td>").replace(
        "</body>", "</td></tr></table></body>"
    ),
    "Total over two rows": lambda page: page.replace("<th>Total</th>", '<th rowspan="2">Total</th>').replace(
        "<th>GBTC</th><th></th>", "<th>GBTC</th>"
    ),
    "the head of dates over two rows": lambda page: page.replace(
        "<tr><th></th>", '<tr><th rowspan="2">Date</th>', 1
    ).replace("<tr><th></th><th>IBIT", "<tr><th>IBIT"),
    "issuers over two funds": lambda page: page.replace(
        "<tr><th></th><th></th><th></th><th></th>", '<tr><th></th><th colspan="2">Two</th><th></th>', 1
    ),
    "a caption": lambda page: page.replace("<thead>", '<thead><tr><th colspan="5">Total flow (US$m)</th></tr>'),
    "the head again at the foot": lambda page: page.replace("</tbody>", HEAD + "</tbody>"),
    "the head below": lambda page: page.replace(HEAD, "").replace("</tbody>", HEAD + "</tbody>"),
    "newest first": lambda page: page.replace(DAYS, "".join(reversed(re.findall(r"<tr>.*?</tr>", DAYS)))),
}


@pytest.mark.parametrize("change", SAME)
def test_a_changed_page_reads_the_same(change: str) -> None:
    before = html(table()).decode()
    after = SAME[change](before)
    assert after != before
    assert sorted(told(after.encode())) == AS_IT_IS
    flow = read(after.encode()).of("BTC", NOW)
    assert flow is not None
    assert flow.funds == {"IBIT": 376.9e6, "FBTC": 351.4e6, "GBTC": 25.5e6}


NOTE = "<table><tr><td>14 Jan 2026</td><td>follows</td></tr></table>"


def test_columns_are_found_by_their_heads() -> None:
    moved = table(
        head=line("Price", "Total", "GBTC", "Date", "IBIT", "FBTC", "Notes", tag="th"),
        days=line("94,000", "753.8", "25.5", "13 Jan 2026", "376.9", "351.4", f"total is late{NOTE}"),
        foot=line("", "753.8", "25.5", "Total", "376.9", "351.4", ""),
        fees="",
    )
    (row,) = rows_of("BTC", html(moved))
    assert row.total == 753.8e6
    assert row.funds == {"IBIT": 376.9e6, "FBTC": 351.4e6, "GBTC": 25.5e6}


def test_a_new_fund_needs_no_entry() -> None:
    new = table(
        head=line("", "IBIT", "FBTC", "MSBT", "Total", tag="th"),
        days=line("13 Jan 2026", "1.0", "2.0", "3.0", "6.0"),
        foot="",
        fees="",
    )
    flow = read(html(new)).of("BTC", NOW)
    assert flow is not None
    assert flow.funds["MSBT"] == 3e6


CHALLENGE = b"""<!DOCTYPE html><html><head><title>Just a moment...</title><script>window._cf_chl_opt={}</script></head>
<body><noscript><div>Enable JavaScript and cookies to continue</div></noscript></body></html>"""


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (CHALLENGE, "without a table, titled 'Just a moment...'"),
        (b"", "without a table"),
        (b'{"error": "rate limited"}', "without a table"),
        (html(table(head="")), "no table has the tickers of BTC funds"),
        (html(table()).replace(b"IBIT", b"iShares").replace(b"FBTC", b"Fidelity"), "no table has the tickers"),
        (html(table()).replace(b">Total</th>", b">Sum</th>"), "0 columns headed Total"),
        (html(table(days="")), "0 columns of dates"),
        (html(table()).replace(b"Jan", b"Foo"), "'08 Foo 2026' is no date"),
        (html(table()).replace(b" Jan 2026", b"/01/2026"), "0 columns of dates"),
        (html(table()).replace(b"13 Jan", b"13 Foo"), "'13 Foo 2026' is no date"),
        (html(table()).replace(b"13 Jan", b"32 Jan"), "'2026-01-32' is no date"),
        (html(table())[: html(table()).index(b"351.4")], "breaks off inside a table"),
        (html(table()).replace(b">753.8<", b">853.8<", 1), "add up to 753.8 M.*total is 853.8 M"),
        (html(table()).replace(b"376.9", b"NaN"), "'NaN' is no figure"),
        (html(table()).replace(b"376.9", b"37690000.0"), r"IBIT is 37,690,000.0 M\$; wanted: at most 20 bn"),
        (html(table()).replace(b"376.9", b"1e3"), "'1e3' is no figure"),
        (html(table()).replace(b"<td>25.5</td>", b"", 1), "has 4 cells; wanted: 5"),
        (html(table()).replace(b"12 Jan", b"13 Jan"), "2026-01-13 stands there twice"),
        (html(table()).replace(b"13 Jan 2026", b"13 Jan 2027"), "has not come yet"),
        (html(table(days=line("13 Jan 2026", "-", "-", "-", "0.0"))), "no day has been reported"),
        (html("<div>" * 5_000 + table()), "more than 200 deep"),
    ],
)
def test_a_page_that_cannot_be_believed_is_refused(body: bytes, reason: str) -> None:
    refused(body, reason)


def test_the_table_of_another_asset_is_refused() -> None:
    with pytest.raises(SourceError, match="no table has the tickers of ETH funds"):
        rows_of("ETH", html(table()))


def test_rounding_is_no_error() -> None:
    rows_of("BTC", html(table()).replace(b">753.8<", b">754.4<", 1))
    assert read(html(table()).replace(b">753.8<", b">754.4<", 1)).of("BTC", NOW)


def test_yesterdays_page_is_refused_and_todays_stays() -> None:
    book = read(html(table()))
    old = html(table().replace(re.findall(r"<tr>.*?</tr>", DAYS)[-1], ""))
    with pytest.raises(SourceError, match="newest day is 2026-01-12, and 2026-01-13 was known already"):
        read(old, NOW + 1, book)
    flow = book.of("BTC", NOW + 2)
    assert flow is not None
    assert flow.date == "2026-01-13"


def test_a_fund_that_has_not_reported_leaves_the_day_open() -> None:
    part = DAYS + line("14 Jan 2026", "648.4", "125.4", "-", "773.8")
    evening = NOW - 3_600_000
    book = read(html(table(days=part)), evening)
    flow = book.of("BTC", evening)
    assert flow is not None
    assert flow.date == "2026-01-13", "the last whole day stands while the evening goes on"
    assert flow.fresh
    late = published_by("2026-01-14") + 8 * 3_600_000
    flow = book.of("BTC", late)
    assert flow is not None
    assert (flow.date, flow.usd, flow.complete, flow.way) == ("2026-01-14", 773.8e6, False, "in")
    assert flow.reason == "not all funds have reported 2026-01-14"
    assert book.missing(late)["BTC"] == "not all funds have reported 2026-01-14"


def test_a_page_of_two_days_cannot_show_who_reports_so_a_dash_leaves_the_newest_open() -> None:
    short = line("12 Jan 2026", "1.0", "1.0", "-", "2.0") + line("13 Jan 2026", "1.0", "1.0", "-", "2.0")
    flow = read(html(table(days=short))).of("BTC", NOW)
    assert flow is not None
    assert (flow.date, flow.complete) == ("2026-01-13", False)


def test_a_row_of_dashes_is_a_day_not_reported_and_never_zero() -> None:
    waiting = DAYS + line("14 Jan 2026", "-", "-", "-", "0.0")
    flow = read(html(table(days=waiting))).of("BTC", NOW)
    assert flow is not None
    assert flow.date == "2026-01-13"


def test_a_fund_before_its_launch_leaves_no_day_open() -> None:
    launched = "".join(
        line(f"{day:02d} Jan 2026", "1.0", "1.0", "-" if day < 13 else "1.0", "2.0" if day < 13 else "3.0")
        for day in (5, 6, 7, 8, 9, 12, 13)
    )
    book = read(html(table(days=launched)))
    flow = book.of("BTC", NOW)
    assert flow is not None
    assert (flow.complete, flow.streak) == (True, 7)


def test_an_answer_of_many_open_cells_is_read_in_time() -> None:
    rows = "".join(f"<tr><td>Note<td>{n}<td>1<td>2<td>3" for n in range(3_000))
    assert len(told(html(table(foot=rows)))) == len(AS_IT_IS)


def test_an_asset_without_a_page_is_named() -> None:
    with pytest.raises(ValueError, match="'DOGE' has no table; allowed: BTC, ETH, SOL"):
        Farside("DOGE", Flows([]))


def test_the_page_is_asked_for_without_a_key() -> None:
    asked = Farside("SOL", Flows([])).question(NOW)
    assert (asked.url, asked.headers, asked.post) == ("https://farside.co.uk/sol/", {}, "")


TAGS = "<table> </table> <tr> <td> </td> <th/colspan=9> <td/rowspan=99> <!-- <script> <svg>"
CHUNKS = st.sampled_from(
    [*TAGS.split(), *FUNDS, "Total", "-", "(1.0)", "NaN", "13 Jan 2026", "99 Jan 0000", "9" * 400, "\x00"]
)


@settings(max_examples=150)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.lists(CHUNKS, max_size=60).map(lambda parts: "".join(parts).encode("utf-8", "surrogatepass")),
    )
)
def test_no_page_raises_anything_but_a_source_error(body: bytes) -> None:
    with contextlib.suppress(SourceError):
        read(body)


@settings(max_examples=150)
@given(st.integers(0, 2_000), st.integers(0, 40), st.binary(max_size=12))
def test_a_page_changed_anywhere_raises_nothing_else(place: int, out: int, into: bytes) -> None:
    whole = html(table())
    book = Flows([NAME])
    try:
        read(whole[:place] + into + whole[place + out :], NOW, book)
    except SourceError:
        assert book.of("BTC", NOW) is None


def test_a_page_cut_anywhere_is_refused_or_whole() -> None:
    whole, outcomes = html(table()), set()
    for place in range(len(whole)):
        try:
            outcomes.add(tuple(told(whole[:place])))
        except SourceError:
            outcomes.add(())
    assert outcomes == {(), tuple(AS_IT_IS)}


@pytest.mark.parametrize("asset", ["BTC", "ETH", "SOL"])
def test_the_demos_pages_tell_the_published_totals_and_none_before_its_time(asset: str) -> None:
    book = Flows([NAME])
    for day in TOTALS:
        with_it, without = published_by(day), published_by(day) - 1
        if day > min(TOTALS):
            Farside(asset, book).take(page(asset, without), without)
            earlier = book.of(asset, without)
            assert earlier is not None
            assert earlier.date < day
        Farside(asset, book).take(page(asset, with_it), with_it)
        flow = book.of(asset, with_it)
        assert flow is not None
        assert (flow.date, flow.usd) == (day, TOTALS[day][asset] * 1e6)
