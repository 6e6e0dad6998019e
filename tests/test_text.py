"""The sentences a trader reads at three in the morning, word for word."""

import math

import msgspec
import pytest

from service import text
from service.model import Alert, Coverage, Kind, Largest, Phase, Severity, Side, Words, once_in
from service.text.amounts import percents, when_utc
from service.text.chinese import once_in_zh

OPENED = Alert(
    id="ALL-short_squeeze-1768342440.1",
    episode="ALL-short_squeeze-1768342440",
    kind=Kind.SHORT_SQUEEZE,
    phase=Phase.OPENED,
    severity=Severity.WATCH,
    asset="ALL",
    side=Side.SHORT,
    span="1h",
    started_at=1_768_342_440_000,
    at=1_768_342_440_000,
    long_usd=2_000_000,
    short_usd=102_000_000,
    share=102 / 104,
    at_least=True,
    peak_usd=104_000_000,
    coverage=Coverage(
        venues_live=3,
        venues=3,
        seconds_share=0.97,
        healed_share=0.0,
        by_venue={"binance": 1.0, "bybit": 0.91, "okx": 1.0},
        leaving_out=("binance", "okx"),
    ),
    venues={"bybit": 48e6, "binance": 40e6, "okx": 16e6},
    symbols={"BTCUSDT": 31e6, "ETHUSDT": 20e6},
    largest=Largest(venue="bybit", symbol="BTCUSDT", side=Side.SHORT, usd=9_870_000, at=1),
)


def words(alert: Alert = OPENED, **changes: object) -> Words:
    return text.why(msgspec.structs.replace(alert, **changes))


def heard(**changes: object) -> Coverage:
    return msgspec.structs.replace(OPENED.coverage, **changes)


def test_an_opened_squeeze_says_what_how_much_where_and_how_sure():
    assert words().en == (
        "22:14 UTC short squeeze, all coins on 3 venues: at least $104.0M liquidated in 1 h, 98.1% shorts. "
        "Most on bybit $48.0M; by contract name BTCUSDT $31.0M; largest order $9.9M short (bybit BTCUSDT). "
        "3 of 3 venues live, 97.0% of the hour heard; binance and okx show only part of theirs, so the true sum "
        "is higher."
    )
    assert words().zh == (
        "22:14 UTC，3家交易所全币种轧空：近1小时爆仓至少1.04亿美元，空单占98.1%。"
        "bybit最多，4,800万美元；按合约名BTCUSDT最多，3,100万美元；最大单笔空单987万美元（bybit BTCUSDT）。"
        "3家交易所中3家在线，该小时已收到97.0%；binance和okx只公布一部分，实际金额更高。"
    )


def test_a_flush_that_grows_names_longs_its_asset_and_since_when():
    grew = words(
        kind=Kind.LONG_FLUSH,
        side=Side.LONG,
        phase=Phase.GREW,
        asset="BTC",
        at=1_768_343_000_000,
        long_usd=9e7,
        short_usd=1e7,
        share=0.1,
    )

    assert grew.en.startswith(
        "22:23 UTC long flush growing since 22:14 UTC, BTC: at least $100.0M liquidated in 1 h, 90% longs."
    )
    assert grew.zh.startswith("22:23 UTC，BTC多头踩踏自22:14 UTC起仍在扩大：近1小时爆仓至少1.00亿美元，多单占90%。")


def test_a_closed_episode_tells_its_peak_and_is_silent_on_venues():
    closed = words(
        phase=Phase.CLOSED, at=1_768_347_000_000, short_usd=4e7, long_usd=0, share=None, peak_usd=458e6, coverage=None
    )

    assert closed.en == (
        "Short squeeze over, all coins recorded: 22:14 UTC to 23:30 UTC, "
        "peak hour at least $458.0M, last hour now at least $40.0M."
    )
    assert (
        closed.zh
        == "记录中全币种轧空结束（22:14 UTC至23:30 UTC）：峰值一小时至少4.58亿美元，最近一小时至少4,000万美元。"
    )


def test_a_simulation_says_so_first():
    assert words(simulated=True).en.startswith("SIMULATION. 22:14 UTC short squeeze")
    assert words(simulated=True).zh.startswith("【模拟数据】22:14 UTC，")


def test_at_least_is_said_only_where_it_is_so():
    complete = words(coverage=heard(leaving_out=()), at_least=False)

    assert "at least" not in complete.en
    assert "true sum" not in complete.en
    assert "至少" not in complete.zh


def test_no_feed_is_blamed_for_what_was_merely_not_heard():
    unheard = words(coverage=heard(leaving_out=()))

    assert unheard.en.endswith("97.0% of the hour heard; what was not heard is missing.")
    assert unheard.zh.endswith("该小时已收到97.0%；未收到的部分未计入。")


def test_who_heard_little_of_the_hour_says_so_before_the_number():
    little = words(coverage=Coverage(venues_live=3, venues=3, seconds_share=0.24))

    assert little.en.startswith("Only 24% of the hour heard! 22:14 UTC short squeeze")
    assert little.zh.startswith("该小时只收到24%！22:14 UTC，")


def test_what_a_history_told_later_and_who_was_heard_least_are_named():
    patched = words(coverage=heard(healed_share=0.04, by_venue={"gate": 0.61, "okx": 1.0}, leaving_out=("a", "b", "c")))

    assert patched.en.endswith(
        "97.0% of the hour heard (4% of it only later, from the venues' history); least heard gate 61%; "
        "a, b and c show only part of theirs, so the true sum is higher."
    )
    assert patched.zh.endswith(
        "该小时已收到97.0%（其中4%为事后从交易所历史补录）；缺失最多：gate 61%；a、b和c只公布一部分，实际金额更高。"
    )


def test_what_rounds_to_nothing_is_not_told():
    hardly = words(coverage=heard(healed_share=0.004))
    assert "later" not in hardly.en
    assert "补录" not in hardly.zh


def test_a_list_has_half_a_line():
    assert text.brief(OPENED) == "at least $104.0M, 98.1% shorts"


@pytest.mark.parametrize(
    ("usd", "en", "zh"),
    [
        (0, "$0", "0美元"),
        (999, "$999", "999美元"),
        (12_345, "$12k", "1万美元"),
        (950_000, "$950k", "95万美元"),
        (999_960, "$1.0M", "100万美元"),
        (9_999.6, "$10k", "1万美元"),
        (999.6, "$1k", "1,000美元"),
        (99_999_999, "$100.0M", "1.00亿美元"),
        (104_000_000, "$104.0M", "1.04亿美元"),
        (999_960_000, "$1.00B", "10.00亿美元"),
        (1_040_000_000, "$1.04B", "10.40亿美元"),
    ],
)
def test_dollars_are_written_in_the_habit_of_each_language(usd, en, zh):
    assert (text.usd_en(usd), text.usd_zh(usd)) == (en, zh)


@pytest.mark.parametrize(
    ("share", "text_"), [(0.915, "92%"), (0.981, "98.1%"), (0.9996, "99.9%"), (1.0, "100%"), (0, "0%")]
)
def test_a_share_keeps_a_decimal_where_whole_numbers_would_say_all(share, text_):
    assert text.percent(share) == text_


@pytest.mark.parametrize(
    ("days", "en", "zh"),
    [
        (0.4, "more than once a day", "一天不止一次"),
        (1, "about once a day", "约1天一遇"),
        (13.4, "about once in 13 days", "约13天一遇"),
        (14, "about once in 2 weeks", "约2周一遇"),
        (60, "about once in 9 weeks", "约9周一遇"),
        (61, "about once in 2 months", "约2个月一遇"),
        (122, "about once in 4 months", "约4个月一遇"),
        (730, "about once in 24 months", "约24个月一遇"),
        (731, "about once in 2 years", "约2年一遇"),
    ],
)
def test_a_return_time_is_told_in_the_unit_a_person_counts_in(days, en, zh):
    assert (once_in(days), once_in_zh(days)) == (en, zh)


@pytest.mark.parametrize("days", [0, -1, math.inf, math.nan])
def test_what_is_no_return_time_is_refused(days):
    with pytest.raises(ValueError, match="positive number of days"):
        once_in(days)


@pytest.mark.parametrize(
    ("low", "high", "text_"),
    [
        (0.93, 0.99, "93–99%"),
        (0.29, 0.57, "29–57%"),
        (0.931, 0.981, "93–99%"),
        (0.54, 1.0, "54–100%"),
        (0.9, 0.9991, "90–99.9%"),
    ],
)
def test_an_interval_is_rounded_outwards_and_reaches_all_only_where_it_does(low, high, text_):
    assert percents(low, high) == text_


def test_a_clock_has_its_date_where_the_hour_alone_could_be_another_days():
    day = 86_400_000
    assert when_utc(OPENED.at - day + 60_000, OPENED.at) == "22:15 UTC"
    assert when_utc(OPENED.at - day, OPENED.at) == "2026-01-12 22:14 UTC"
    assert when_utc(OPENED.at + 60_000, OPENED.at) == "2026-01-13 22:15 UTC"


def test_grades_have_names_and_what_has_none_stays_unnamed():
    assert [text.grade_en(grade) for grade in range(7)] == [
        "",
        "notable",
        "major",
        "severe",
        "extreme",
        "historic",
        "",
    ]
    assert [text.grade_zh(grade) for grade in range(7)] == ["", "显著", "重大", "严重", "极端", "历史级", ""]


def test_a_line_in_a_list_says_when_the_hour_is_not_full_yet():
    early = msgspec.structs.replace(OPENED, rule="early", share=None)
    assert text.brief(early) == "fast growth, hour so far at least $104.0M, side unknown"


def test_a_whale_without_a_known_order_is_still_called_one():
    unknown = words(pattern="whale", largest=None)
    assert "few large orders carry it" in unknown.en
    assert "主要由少数大单构成" in unknown.zh
