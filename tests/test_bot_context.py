"""/context: each number with its age or date, what is unknown says so and why, in two languages, and no advice."""

import re

import pytest

from service.bot import LANGUAGES
from service.model import Side
from service.text.chinese.standing import standing as chinese
from service.text.english.standing import standing as english
from tests import beside
from tests.talks import GROUP, ME, NOW, Stage

VOICES = pytest.mark.parametrize("voice", [english, chinese], ids=["en", "zh"])
AGED = re.compile(r"20\d\d-\d\d-\d\d|ago|前")


@pytest.fixture
def stage() -> Stage:
    return Stage()


@VOICES
def test_every_fact_that_is_known_has_its_age_or_its_date(voice):
    told = voice(beside.full("ALL"))
    assert [fact.topic for fact in told] == ["short", "long", "open_interest", "funding", "etf", "etf", "rates"]
    assert all(fact.known and any(AGED.search(note) for note in fact.notes) for fact in told)


@VOICES
def test_every_fact_that_is_unknown_says_so_and_why_and_is_no_zero(voice):
    report = beside.unknown("BTC", flows=())
    told = voice(report)
    assert [fact.topic for fact in told] == ["short", "long", "open_interest", "funding", "etf", "rates"]
    assert {fact.said for fact in told} == {"unknown" if voice is english else "未知"}
    assert [fact.notes for fact in told] == [
        (beside.YOUNG,),
        (beside.YOUNG,),
        (report.missing["open_interest"],),
        (report.missing["funding"],),
        (beside.REFUSED,),
        (report.missing["rates"],),
    ]
    assert not any(fact.known for fact in told)


@VOICES
def test_an_old_day_stays_with_its_date_and_the_reason(voice):
    (flow,) = [fact for fact in voice(beside.unknown("BTC")) if fact.topic == "etf"]
    assert "2026-01-09" in flow.notes[0]
    assert beside.REFUSED in flow.notes[-1]
    assert not flow.known


@VOICES
def test_of_a_coin_its_own_flows_are_told_and_of_all_those_of_all(voice):
    flows = {asset: [one.head for one in voice(beside.full(asset)) if one.topic == "etf"] for asset in ("BTC", "ALL")}
    assert len(flows["BTC"]) == 1
    assert len(flows["ALL"]) == 2
    assert not [one for one in voice(beside.full("DOGE")) if one.topic == "etf"], "no fund holds it, none is missed"


def test_what_a_venue_does_not_tell_is_in_no_age_and_in_no_count():
    funding = next(fact for fact in english(beside.full()) if fact.topic == "funding")
    assert funding.said == "-0.0123% per 8 h, shorts pay longs"
    assert funding.notes == ("2 venues", "oldest figure less than a minute ago")
    interest = next(fact for fact in english(beside.full()) if fact.topic == "open_interest")
    assert interest.said == "at least $17.20B"
    assert interest.notes == ("in coins -2.5% in 1 h, +1.0% in 24 h", "3 venues", "oldest figure 3 min ago")


def test_a_change_that_is_unknown_is_left_out_and_no_zero():
    half = beside.leverage(oi_change_1h_pct=None)
    none = beside.leverage(oi_change_1h_pct=None, oi_change_24h_pct=None)
    notes = [
        next(fact for fact in english(beside.full(leverage=one)) if fact.topic == "open_interest").notes
        for one in (half, none)
    ]
    assert notes[0][0] == "in coins +1.0% in 24 h"
    assert notes[1][0] == "3 venues"


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (0.0001, "+0.0100% per 8 h, longs pay shorts"),
        (-0.01, "-1.0000% per 8 h, shorts pay longs"),
        (0.0, "0% per 8 h, nobody pays"),
        (0.0000004, "0% per 8 h, nobody pays"),
        (-0.0000004, "0% per 8 h, nobody pays"),
        (0.0000005001, "+0.0001% per 8 h, longs pay shorts"),
    ],
)
def test_funding_says_who_pays_by_what_is_shown(part, said):
    report = beside.full(leverage=beside.leverage(funding_8h=part))
    assert next(fact for fact in english(report) if fact.topic == "funding").said == said


@pytest.mark.parametrize(
    ("hour", "day", "en", "zh"),
    [
        (-0.04, 0.04, "in coins 0.0% in 1 h, 0.0% in 24 h", "按币计1小时0.0%，24小时0.0%"),
        (-0.06, 0.06, "in coins -0.1% in 1 h, +0.1% in 24 h", "按币计1小时-0.1%，24小时+0.1%"),
        (0.0, -12.34, "in coins 0.0% in 1 h, -12.3% in 24 h", "按币计1小时0.0%，24小时-12.3%"),
    ],
)
def test_a_change_has_the_sign_of_what_is_shown(hour, day, en, zh):
    report = beside.full(leverage=beside.leverage(oi_change_1h_pct=hour, oi_change_24h_pct=day))
    assert [
        fact.notes[0] for voice in (english, chinese) for fact in voice(report) if fact.topic == "open_interest"
    ] == [
        en,
        zh,
    ]


@pytest.mark.parametrize(
    ("score", "word", "en", "zh"),
    [
        (79.6, "raised", "79 of 100, raised", "79分（满分100），偏高"),
        (59.7, "low", "59 of 100, low", "59分（满分100），低"),
        (89.99, "high", "89 of 100, high", "89分（满分100），高"),
        (90.0, "extreme", "90 of 100, extreme", "90分（满分100），极高"),
        (0.4, "low", "0 of 100, low", "0分（满分100），低"),
    ],
)
def test_a_score_never_reads_higher_than_its_word(score, word, en, zh):
    report = beside.full(risk={"short": beside.risk(Side.SHORT, score, word)})
    assert [fact.said for voice in (english, chinese) for fact in voice(report) if fact.topic == "short"] == [en, zh]


@pytest.mark.parametrize("usd", [0.0, 0.4, -0.4])
def test_less_than_a_dollar_has_no_direction(usd):
    (told,) = [fact for fact in english(beside.full(flows=(beside.flow(usd=usd),))) if fact.topic == "etf"]
    assert told.said == "as much in as out"


@pytest.mark.parametrize(
    ("word", "en", "zh"),
    [
        ("lower", "points lower", "较政策利率偏低"),
        ("unchanged", "points to no change", "与政策利率相近"),
        ("higher", "points higher", "较政策利率偏高"),
    ],
)
def test_the_two_year_yield_is_set_beside_the_policy_rate_and_promises_no_decision(word, en, zh):
    report = beside.full(rates=beside.rates(word=word))
    notes = [fact.notes[1] for voice in (english, chinese) for fact in voice(report) if fact.topic == "rates"]
    assert notes == [f"the 2-year yield (3.54%, 2026-01-12) {en}", f"2年期国债收益率3.54%（2026-01-12），{zh}"]


@VOICES
@pytest.mark.parametrize("fresh", [True, False])
def test_rates_whose_range_is_unknown_say_why(voice, fresh):
    why = "the lower end of the target range is not known; the upper end of the target range is not known"
    unknown = beside.rates(target_low=None, target_high=None, word=None, fresh=fresh, reason=why)
    told = next(fact for fact in voice(beside.full(rates=unknown)) if fact.topic == "rates")
    assert not told.known
    assert told.said == ("unknown" if voice is english else "未知")
    assert told.notes[-1] == why


def test_rates_that_are_known_and_old_say_both():
    old = beside.rates(fresh=False, reason="SOFR is of 2025-12-01, 30 business days ago")
    told = next(fact for fact in english(beside.full(rates=old)) if fact.topic == "rates")
    assert told.said == "3.50 to 3.75%"
    assert told.notes[-1] == "old: SOFR is of 2025-12-01, 30 business days ago"


@pytest.mark.parametrize(
    ("streak", "least", "en", "zh"),
    [
        (3, True, "at least 3 trading days in a row with money in", "至少连续3个交易日净流入"),
        (3, False, "3 trading days in a row with money in", "连续3个交易日净流入"),
        (-2, True, "at least 2 trading days in a row with money out", "至少连续2个交易日净流出"),
    ],
)
def test_a_row_whose_beginning_is_not_known_is_a_floor(streak, least, en, zh):
    report = beside.full(flows=(beside.flow(streak=streak, streak_at_least=least),))
    assert [fact.notes[1] for voice in (english, chinese) for fact in voice(report) if fact.topic == "etf"] == [en, zh]


@pytest.mark.parametrize(
    ("days", "end"), [(None, "2026-01-28"), (0, ", today"), (1, ", in 1 day"), (15, ", in 15 days")]
)
def test_the_next_meeting_has_its_date_and_how_far_it_is(days, end):
    report = beside.full(rates=beside.rates(days_to_meeting=days))
    assert next(fact for fact in english(report) if fact.topic == "rates").notes[-1].endswith(end)


def test_money_out_a_day_unfinished_and_a_reason_without_end_are_said_shortly():
    flow = beside.flow(usd=-394.7e6, streak=-3, complete=False, fresh=False, reason="x" * 5_000)
    (told,) = [fact for fact in english(beside.full(flows=(flow,))) if fact.topic == "etf"]
    assert told.said == "$394.7M out, net"
    assert told.notes[1:3] == ("3 trading days in a row with money out", "some funds have not reported")
    assert len(told.notes[3]) < 140


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", [beside.full, beside.unknown])
async def test_the_answer_is_calm_and_fits_in_both_languages(stage, language, kind):
    stage.market.beside = {"ALL": kind("ALL", NOW)}
    shown = await stage.say("/context", language=language)
    assert len(shown.text) < 2_000
    assert re.search("has not been shown to forecast|尚未证明有预测能力", shown.text)
    assert not re.search(r"\b(buy|sell|should|will|expect)\b|买入|卖出|建议|将会", shown.text)


async def test_a_coin_can_be_asked_for_by_words_and_by_taps(stage):
    assert "Context: ETH" in (await stage.say("/context eth")).text
    assert "Context: Whole market" in (await stage.say("/context 全市场")).text
    shown = await stage.tap("BTC")
    assert "Context: BTC" in shown.text
    assert shown.labels == ["Whole market", "ETH", "SOL"]
    assert len(stage.phone.chats[ME]) == 2, "a tap changes the message"


async def test_where_context_is_switched_off_it_says_so(stage):
    stage.market.beside = {}
    assert (await stage.say("/context")).text.startswith("Context is switched off here")
    assert (await stage.say("/context", language="zh", chat=7, user=7)).text.startswith("这里没有开启")


async def test_what_is_no_coin_is_asked_back_and_an_old_button_says_so(stage):
    assert "is no name of a coin" in (await stage.say("/context <b>&x")).text
    await stage.hears(stage.press("beside|<b>", 1))
    await stage.hears(stage.press("beside|BTC|ETH", 1))
    assert stage.phone.toasts == [LANGUAGES["en"].old_button] * 2


async def test_a_hostile_reason_is_shown_as_text(stage):
    stage.market.beside = {"ALL": beside.unknown("ALL", NOW, missing={"rates": "<b>&amp;"})}
    assert "<b>&amp;" in (await stage.say("/context")).text


async def test_anybody_in_a_group_may_ask_and_nobody_there_gets_buttons(stage):
    shown = await stage.say("/context", chat=GROUP, user=5)
    assert "Context: Whole market" in shown.text
    assert shown.labels == []


@pytest.mark.parametrize(("risk", "head"), [(None, "Open interest, BTC"), ({}, "Open interest")])
def test_of_all_the_leverage_is_never_called_alls(risk, head):
    report = beside.unknown(
        "ALL", risk={side: beside.risk(side, None, None) for side in Side} if risk is None else risk
    )
    assert next(fact for fact in english(report) if fact.topic == "open_interest").head == head


@VOICES
def test_what_is_asked_of_nobody_is_not_called_unknown(voice):
    silent = beside.unknown("BTC", flows=(), missing={"risk": beside.YOUNG}, rates=None)
    assert [fact.topic for fact in voice(silent)] == ["short", "long"]
