"""The sentences a trader reads at three in the morning, word for word."""

import msgspec
import pytest

from service import text
from service.model import Alert, Coverage, Kind, Largest, Phase, Severity, Side

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
    coverage=Coverage(venues_live=3, venues=3, seconds_share=0.97),
    venues={"bybit": 48e6, "binance": 40e6, "okx": 16e6},
    symbols={"BTCUSDT": 31e6, "ETHUSDT": 20e6},
    largest=Largest(venue="bybit", symbol="BTCUSDT", side=Side.SHORT, usd=9_870_000, at=1),
)


def test_an_opened_squeeze_says_what_how_much_where_and_how_sure():
    assert text.why(OPENED).en == (
        "Short squeeze, whole market: at least $104.0M liquidated in the last hour, 98.1% shorts. "
        "Most on bybit $48.0M, most in BTCUSDT $31.0M; largest order $9.9M (bybit BTCUSDT). "
        "3 of 3 venues live, 97.0% of the hour heard; some feeds show only part, so the true sum is higher."
    )
    assert text.why(OPENED).zh == (
        "全市场轧空：最近一小时爆仓至少1.04亿美元，空单占98.1%。"
        "交易所以bybit最多（4,800万美元），合约以BTCUSDT最多（3,100万美元）；最大单笔987万美元（bybit BTCUSDT）。"
        "3家交易所中3家在线，覆盖该小时的97.0%；部分数据源只公布一部分，实际金额更高。"
    )


def test_a_flush_that_grows_names_longs_and_its_asset():
    grew = msgspec.structs.replace(
        OPENED,
        kind=Kind.LONG_FLUSH,
        side=Side.LONG,
        phase=Phase.GREW,
        asset="BTC",
        long_usd=9e7,
        short_usd=1e7,
        share=0.1,
    )

    assert text.why(grew).en.startswith(
        "Long flush, BTC, growing: at least $100.0M liquidated in the last hour, 90% longs."
    )
    assert text.why(grew).zh.startswith("BTC多头踩踏仍在扩大：最近一小时爆仓至少1.00亿美元，多单占90%。")


def test_a_closed_episode_tells_its_peak_and_is_silent_on_venues():
    closed = msgspec.structs.replace(
        OPENED,
        phase=Phase.CLOSED,
        at=1_768_347_000_000,
        short_usd=4e7,
        long_usd=0,
        share=None,
        peak_usd=458e6,
        coverage=None,
    )

    assert text.why(closed).en == (
        "Short squeeze, whole market: over since 23:30 UTC, opened 22:14 UTC; "
        "its peak hour was at least $458.0M; the last hour is down to at least $40.0M."
    )
    assert text.why(closed).zh == (
        "全市场轧空已于23:30 UTC结束（22:14 UTC开始）：峰值一小时至少4.58亿美元，最近一小时已降至至少4,000万美元。"
    )


def test_a_simulation_says_so_first():
    simulated = text.why(msgspec.structs.replace(OPENED, simulated=True))

    assert simulated.en.startswith("SIMULATION. Short squeeze")
    assert simulated.zh.startswith("【模拟数据】全市场轧空")


def test_at_least_is_said_only_where_it_is_so():
    complete = text.why(msgspec.structs.replace(OPENED, at_least=False))

    assert "at least" not in complete.en
    assert "true sum" not in complete.en
    assert "至少" not in complete.zh


@pytest.mark.parametrize(
    ("usd", "en", "zh"),
    [
        (0, "$0", "0美元"),
        (999, "$999", "999美元"),
        (12_345, "$12k", "1万美元"),
        (950_000, "$950k", "95万美元"),
        (999_960, "$1.0M", "100万美元"),
        (104_000_000, "$104.0M", "1.04亿美元"),
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
