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
    ],
)
def test_funding_says_who_pays(part, said):
    report = beside.full(leverage=beside.leverage(funding_8h=part))
    assert next(fact for fact in english(report) if fact.topic == "funding").said == said


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
    assert re.search("not a forecast|不是预测", shown.text)
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
