"""What of its context an alert says aloud: what is fresh, large enough to notice, and of a named day."""

import msgspec
import pytest

from service import text
from service.model import ALL, Context, Divergence, FundingNow, OiMove, Phase, PriceMove, Rates, Side
from service.text.markup import MOST, units
from tests import notices
from tests.leverage import AT, flow
from tests.test_text import OPENED

OI = OiMove(
    asset="BTC",
    venues=("binance", "bybit"),
    usd=9.3e9,
    change_pct=-2.48,
    since=AT - 3_600_000,
    at=AT,
    liquidated_usd=1e8,
    share=0.0108,
    at_least=True,
    ratio=1.9,
    word="confirms",
    missing=(),
)
PAID = FundingNow(
    asset="BTC", rate_8h=-0.0002, percentile=0.04, days=90.0, crowded=Side.SHORT, venues=("binance",), at=AT
)


def rule(name: str = "aligned_up", usd: float = 753.8e6, date: str = "2026-01-13") -> Divergence:
    against = name in {"hollow_squeeze", "absorption"}
    return Divergence(rule=name, diverges=against, flow_usd=usd, date=date, forced_usd=None, ratio=None)


def said(context: Context | None, **changes: object) -> tuple[str, str]:
    """The words a context adds to an alert of BTC, in both languages."""
    alert = msgspec.structs.replace(OPENED, **{"asset": "BTC"} | changes)
    with_it = msgspec.structs.replace(alert, context=context)
    added = []
    for language in text.LANGUAGES:
        bare, full = (text.message(one, language).split("\n") for one in (alert, with_it))
        added.append("\n".join(line for line in full if line not in bare))
    return added[0], added[1]


def beside(**pieces: object) -> Context:
    return Context(asset="BTC", **pieces)


def test_where_context_is_off_nothing_is_said():
    assert said(None) == ("", "")
    assert said(beside()) == ("", "")


@pytest.mark.parametrize(
    ("name", "en", "zh"),
    [
        ("aligned_up", "Shorts {} closed by force, and ETFs took money in on Jan 13: both buyers.", "空单被强平，1月13日ETF净流入：同为买方。"),
        ("hollow_squeeze", "Shorts {} closed by force, but ETFs paid money out on Jan 13: the slow money went the other way.", "空单被强平，1月13日ETF却净流出：慢钱方向相反。"),
        ("leverage_only_up", "Shorts {} closed by force, and ETF flows were flat on Jan 13: leverage alone.", "空单被强平，1月13日ETF资金基本持平：只有杠杆在动。"),
        ("absorption", "Longs {} closed by force, but ETFs took money in on Jan 13: the slow money went the other way.", "多单被强平，1月13日ETF却净流入：慢钱方向相反。"),
        ("aligned_down", "Longs {} closed by force, and ETFs paid money out on Jan 13: both sellers.", "多单被强平，1月13日ETF净流出：同为卖方。"),
        ("leverage_only_down", "Longs {} closed by force, and ETF flows were flat on Jan 13: leverage alone.", "多单被强平，1月13日ETF资金基本持平：只有杠杆在动。"),
    ],
)  # fmt: skip
def test_each_rule_is_one_plain_sentence_and_its_flows_are_past_and_of_their_day(name, en, zh):
    assert said(beside(divergence=rule(name))) == (en.format("are"), zh)
    assert said(beside(divergence=rule(name)), phase=Phase.CLOSED) == (en.format("were"), zh)


@pytest.mark.parametrize("unsaid", [rule("sideways"), rule(date="soon"), rule(date="")])
def test_a_rule_of_another_version_or_of_no_day_is_left_unsaid(unsaid):
    assert said(beside(divergence=unsaid)) == ("", "")


def test_a_flow_is_told_with_its_day_its_row_and_since_when_there_was_none_as_large():
    day = flow(streak=2, largest_since="2025-10-07")
    en, zh = said(beside(flows=(day,), divergence=rule()))

    assert en.startswith("ETFs took in $753.8M of BTC on Jan 13, the 2nd day in a row, most since 2025-10-07.\n")
    assert zh.startswith("1月13日BTC现货ETF净流入7.54亿美元，连续第2个交易日，为2025-10-07以来最多。\n")


@pytest.mark.parametrize(
    ("usd", "others", "en", "zh"),
    [
        (753.8e6, 135.9e6, "took in $753.8M of BTC ($889.7M with ETH and SOL) on", "净流入7.54亿美元（连同ETH和SOL共净流入8.90亿美元）"),
        (-20e6, 50e6, "paid out $20.0M of BTC (took in $30.0M with ETH and SOL) on", "净流出2,000万美元（连同ETH和SOL共净流入3,000万美元）"),
        (0.0, -50e6, "saw no net flow of BTC (paid out $50.0M with ETH and SOL) on", "净流量为零（连同ETH和SOL共净流出5,000万美元）"),
    ],
)  # fmt: skip
def test_all_coins_are_told_by_the_first_and_the_sum(usd, others, en, zh):
    flows = (flow(usd=usd), flow("ETH", others / 2), flow("SOL", others / 2))
    words = said(beside(flows=flows, divergence=rule(usd=usd + others)), asset=ALL)

    assert en in words[0]
    assert zh in words[1]


@pytest.mark.parametrize(
    ("streak", "words"),
    [(1, ""), (-1, ""), (0, ""), (-3, "3rd"), (11, "11th"), (12, "12th"), (21, "21st"), (102, "102nd")],
)
def test_a_row_of_days_is_counted_from_the_second_on(streak, words):
    en, _ = said(beside(flows=(flow(streak=streak),), divergence=rule()))
    assert (f", the {words} day in a row" in en) is bool(words)
    assert ("in a row" in en) is bool(words)


@pytest.mark.parametrize(
    ("streak", "en", "zh"),
    [
        (3, " on Jan 13, at least the 3rd day in a row.", "，至少连续第3个交易日。"),
        (-2, " on Jan 13, at least the 2nd day in a row.", "，至少连续第2个交易日。"),
        (1, " on Jan 13.", "净流入7.54亿美元。"),
    ],
)
def test_a_row_that_may_be_longer_is_told_as_a_floor(streak, en, zh):
    words = said(beside(flows=(flow(streak=streak, streak_at_least=True),), divergence=rule()))
    assert en in words[0]
    assert zh in words[1]


@pytest.mark.parametrize("changes", [{"fresh": False}, {"complete": False}, {"date": "2026-01-12"}, {"date": "soon"}])
def test_of_a_flow_that_is_old_incomplete_or_of_another_day_nothing_is_told(changes):
    en, zh = said(beside(flows=(flow(**changes),), divergence=rule()))
    assert "$753.8M" not in en
    assert "7.54亿" not in zh


@pytest.mark.parametrize(
    ("side", "rate", "crowded", "en", "zh"),
    [
        (Side.SHORT, -0.0002, Side.SHORT, "Funding -0.020% per 8 h, shorts crowded.", "资金费率每8小时-0.020%，空头拥挤。"),
        (Side.SHORT, -0.0002, None, "Funding -0.020% per 8 h, shorts pay.", "资金费率每8小时-0.020%，空头付费。"),
        (Side.SHORT, 0.0001, None, "", ""),
        (Side.SHORT, 0.0009, Side.LONG, "Funding +0.090% per 8 h, longs crowded.", "资金费率每8小时+0.090%，多头拥挤。"),
        (Side.LONG, 0.0001, None, "Funding +0.010% per 8 h, longs pay.", "资金费率每8小时+0.010%，多头付费。"),
        (Side.LONG, -0.0002, None, "", ""),
        (Side.SHORT, -0.000001, None, "", ""),
    ],
)  # fmt: skip
def test_funding_is_told_where_the_closed_side_pays_or_somebody_is_crowded(side, rate, crowded, en, zh):
    paid = msgspec.structs.replace(PAID, rate_8h=rate, crowded=crowded)
    assert said(beside(funding=paid), side=side) == (en, zh)


@pytest.mark.parametrize(
    ("changes", "en", "zh"),
    [
        ({}, "on 2 venues fell 2.5%", "2家交易所未平仓量自22:00 UTC起减少2.5%"),
        ({"change_pct": 0.31}, "on 2 venues rose 0.3%", "2家交易所未平仓量自22:00 UTC起增加0.3%"),
        ({"change_pct": 0.31, "word": "none"}, "on 2 venues rose 0.3%", "2家交易所未平仓量自22:00 UTC起增加0.3%"),
        ({"change_pct": 0.24, "word": "none"}, "on 2 venues did not fall", "2家交易所未平仓量自22:00 UTC起未见减少"),
        ({"change_pct": 0.0, "word": "none"}, "on 2 venues did not fall", "2家交易所未平仓量自22:00 UTC起未见减少"),
        ({"change_pct": -0.04, "word": "none"}, "on 2 venues did not fall", "2家交易所未平仓量自22:00 UTC起未见减少"),
        ({"change_pct": -0.24, "word": "none"}, "on 2 venues fell only 0.2%", "2家交易所未平仓量自22:00 UTC起仅减少0.2%"),
        ({"change_pct": -1.5, "word": "none"}, "on 2 venues fell only 1.5%", "2家交易所未平仓量自22:00 UTC起仅减少1.5%"),
        ({"word": None, "ratio": None}, "on 2 venues fell 2.5%", "2家交易所未平仓量自22:00 UTC起减少2.5%"),
        ({"word": "more"}, "on 2 venues fell 2.5%, more than was seen liquidated,", "2家交易所未平仓量自22:00 UTC起减少2.5%，多于已知爆仓"),
        ({"venues": ("okx",)}, "on okx fell 2.5%", "okx上未平仓量自22:00 UTC起减少2.5%"),
    ],
)  # fmt: skip
def test_open_interest_is_told_where_it_moved_or_did_not_though_much_was_forced(changes, en, zh):
    move = msgspec.structs.replace(OI, **{"share": None} | changes)
    assert said(beside(oi=move), at=AT) == (f"Open interest {en} since 22:00 UTC.", f"{zh}。")


@pytest.mark.parametrize("word", [None, "confirms"])
def test_a_small_change_is_no_news_where_it_confirms_or_nothing_was_concluded(word):
    move = msgspec.structs.replace(OI, share=None, change_pct=-0.29, ratio=None, word=word)
    assert said(beside(oi=move), at=AT) == ("", "")


@pytest.mark.parametrize("share", [None, 0.00099])
def test_a_share_of_nearly_nothing_is_not_told(share):
    assert "liquidations" not in said(beside(oi=msgspec.structs.replace(OI, share=share)))[0]


def test_a_share_is_a_floor_where_its_dollars_are_and_no_news_of_what_is_over():
    en, zh = said(beside(oi=OI), at=AT)

    assert en.endswith("; the hour's liquidations there are at least 1.1% of it.")
    assert zh.endswith("；这些交易所近1小时爆仓至少占其1.1%。")
    assert "at least 1.1%" not in said(beside(oi=msgspec.structs.replace(OI, at_least=False)))[0]
    assert "liquidations" not in said(beside(oi=OI), phase=Phase.CLOSED)[0]


@pytest.mark.parametrize(
    ("venues", "change", "en", "zh"),
    [
        (("okx",), -2.48, "on okx fell 2.5% since 22:00 UTC; the hour's liquidations there are", "okx上未平仓量自22:00 UTC起减少2.5%；该所近1小时爆仓"),
        (("okx",), 0.1, "The hour's liquidations on okx are at least 1.1% of open interest there.", "okx上近1小时爆仓至少占其未平仓量的1.1%。"),
        (("okx", "gate"), 0.1, "The hour's liquidations on 2 venues are at least 1.1% of open interest there.", "2家交易所近1小时爆仓至少占其未平仓量的1.1%。"),
    ],
)  # fmt: skip
def test_the_venues_both_figures_are_of_are_named_once(venues, change, en, zh):
    words = said(beside(oi=msgspec.structs.replace(OI, venues=venues, change_pct=change)), at=AT)
    assert en in words[0]
    assert zh in words[1]
    assert words[0].count(" on ") == words[1].count("okx") + words[1].count("2家") == 1


@pytest.mark.parametrize(("moved", "shown"), [(-0.04, "BTC 0.0%"), (0.04, "BTC 0.0%"), (-0.06, "BTC -0.1%")])
def test_a_price_has_the_sign_of_what_is_shown(moved, shown):
    price = PriceMove(asset="BTC", start=1.0, now=1.0, move_pct=moved, confirms=None)
    alert = msgspec.structs.replace(OPENED, price=price)
    assert f"rice undecided: {shown}" in text.why(alert).en
    assert shown in text.why(alert).zh


def test_leverage_of_another_asset_than_the_alerts_is_called_by_its_name():
    en, zh = said(beside(oi=OI, funding=PAID), asset=ALL, at=AT)

    assert en.startswith("BTC funding -0.020% per 8 h, shorts crowded; BTC open interest on 2 venues fell 2.5%")
    assert "; the hour's BTC liquidations there are" in en
    assert zh.startswith("BTC资金费率每8小时-0.020%，空头拥挤；2家交易所BTC未平仓量自22:00 UTC起减少2.5%")
    assert "；这些交易所近1小时BTC爆仓" in zh


@pytest.mark.parametrize(
    ("days", "en", "zh"),
    [
        (0, "The Fed decides today.", "美联储今日公布利率决议。"),
        (1, "The Fed decides tomorrow.", "美联储明日公布利率决议。"),
        (2, "The Fed decides in 2 days.", "美联储两日后公布利率决议。"),
        (3, "", ""),
        (None, "", ""),
    ],
)
def test_a_decision_on_rates_is_told_when_it_is_near(days, en, zh):
    rates = Rates(
        target_low=3.5,
        target_high=3.75,
        sofr=None,
        three_month=None,
        two_year=None,
        dates={},
        implied=None,
        word=None,
        next_meeting="2026-01-28",
        days_to_meeting=days,
        source="treasury",
        told_at=AT,
        fresh=True,
    )
    assert said(beside(rates=rates)) == (en, zh)
    assert said(beside(rates=msgspec.structs.replace(rates, fresh=False))) == ("", "")


@pytest.mark.parametrize(
    ("missing", "en", "zh"),
    [
        ({"etf BTC": "farside answered 403."}, "ETF flows unknown (farside answered 403).", "ETF资金流向未知（来源返回403）。"),
        ({"etf BTC": "no figure for 2026-01-14 yet"}, "ETF flows unknown (no figure for 2026-01-14 yet).", "ETF资金流向未知（2026-01-14的数据尚未得到）。"),
        ({"etf BTC": "no figure for 2026-01-14 yet, farside answered 403"}, "ETF flows unknown (no figure for 2026-01-14 yet, farside answered 403).", "ETF资金流向未知（来源返回403）。"),
        ({"etf BTC": "it is old: its newest day is 2026-01-12"}, "ETF flows unknown (it is old: its newest day is 2026-01-12).", "ETF资金流向未知（it is old: its newest day is 2026-01-12）。"),
        ({"etf BTC": "the table has gone"}, "ETF flows unknown (the table has gone).", "ETF资金流向未知（the table has gone）。"),
        ({"open_interest": "nothing in 500 contracts"}, "Open interest unknown (nothing in 500 contracts).", "未平仓量未知（nothing in 500 contracts）。"),
        ({"open_interest": "answered code 40004"}, "Open interest unknown (answered code 40004).", "未平仓量未知（answered code 40004）。"),
        ({"etf BTC": ""}, "ETF flows unknown.", "ETF资金流向未知。"),
        ({"open_interest": "binance: answered 429"}, "Open interest unknown (binance: answered 429).", "未平仓量未知（来源返回429）。"),
        ({"etf BTC": "answered 403", "open_interest": "x", "rates": "y"}, "ETF flows unknown (answered 403).", "ETF资金流向未知（来源返回403）。"),
        ({"etf BTC units": "too few", "rates": "y", "funding": "z", "share": "s", "risk": "r"}, "", ""),
    ],
)  # fmt: skip
def test_one_missing_thing_is_told_and_only_one_people_would_look_for(missing, en, zh):
    assert said(beside(missing=missing)) == (en, zh)


def test_a_missing_asset_is_no_news_where_the_others_make_a_rule_or_nobody_looks_for_it():
    words = said(beside(flows=(flow(),), divergence=rule(), missing={"etf SOL": "answered 403"}), asset=ALL)
    assert "unknown" not in words[0]
    assert said(beside(missing={"open_interest": "no source has told it"}), asset="DOGE") == ("", "")


def test_a_reason_from_outside_is_one_short_line_without_marks():
    en, _ = said(beside(missing={"etf BTC": "<b>gone\nafter\u202e a change " + "x" * 900}))
    assert en.startswith("ETF flows unknown (&lt;b&gt;gone after a change xxx")
    assert len(en) < 140


def test_context_goes_first_when_room_is_short():
    long = "x" * 900
    full = notices.known("squeeze_aligned_up")
    heard = msgspec.structs.replace(full.coverage, leaving_out=(long, long))
    crowded = msgspec.structs.replace(full, asset=long, symbols={long: 1e6}, coincides=(long,), coverage=heard)
    crowded = msgspec.structs.replace(crowded, context=msgspec.structs.replace(full.context, asset="y" * 900))
    words = text.message(crowded, "en")

    assert units(words) <= MOST
    assert "both buyers" not in words
    assert "ETFs took in" not in words
    assert "Market-wide, most on bybit" in words
    assert "show only part of theirs" in words or "…</i>" in words


def test_no_word_advises_or_promises():
    for name in ("squeeze_aligned_up", "flush_absorption", "flows_unknown", "squeeze_aligned_closed"):
        words = text.why(notices.known(name))
        for bad in (
            "should",
            "will ",
            "expect",
            "bullish",
            "bearish",
            "建议",
            "应该",
            "将会",
            "看涨",
            "看跌",
            "利好",
            "利空",
        ):
            assert bad not in words.en + words.zh
