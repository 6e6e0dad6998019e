"""The golden texts word for word, and what holds for the words of any alert."""

import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import text
from service.model import (
    Alert,
    Baseline,
    Certainty,
    Course,
    Estimated,
    Excitation,
    Kind,
    Largest,
    Lead,
    Phase,
    PriceMove,
    Side,
    Since,
)
from tests import golden
from tests.contexts import CONTEXTS
from tests.test_text import OPENED

DAY = 86_400_000
AT = OPENED.at
CHINESE = re.compile(r"[\u4e00-\u9fff]")
CLAUSES = re.compile(r"(?:[;.!:] |[；。！：])")

usd = st.floats(0, 5e10, allow_nan=False)
share = st.floats(0, 1, allow_nan=False)
moment = st.integers(AT - 400 * DAY, AT)
names = st.sampled_from(["binance", "bybit", "okx", "gate"])


def maybe(some: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | some


@st.composite
def since(draw) -> Since:
    then = draw(
        maybe(
            st.fixed_dictionaries(
                {"at": moment, "usd": usd, "zone_date": st.sampled_from(["2025-10-10", "2025-10-11"])}
            )
        )
    )
    measure = f"{draw(st.sampled_from(['hour', 'day', '24h']))} {draw(st.sampled_from(['short', 'long', 'total']))}"
    known = {**then, "largest_since": "2025-10-10"} if then else {}
    return Since(
        zone="UTC+8",
        measure=measure,
        comparable=draw(st.booleans()),
        first_at=draw(moment),
        running=draw(st.booleans()),
        now_usd=draw(maybe(usd)),
        **known,
    )


FINDINGS = {
    "context": CONTEXTS,
    "burst_usd": usd,
    "crossed_usd": st.sampled_from([5e6, 100e6]),
    "parent": st.just("ALL-short_squeeze-1"),
    "certainty": st.builds(
        Certainty,
        type=st.sampled_from(["one_sided", "two_sided", "whale", "mixed"]),
        low=st.floats(0, 0.5),
        high=st.floats(0.5, 1),
        n_eff=st.just(9.0),
    ),
    "estimated": st.builds(
        Estimated,
        usd=usd,
        low=usd,
        high=usd,
        method=st.sampled_from(["order sizes", "reference venue", "order sizes and reference venue"]),
        unknown=st.sampled_from([(), ("okx",), ("okx", "htx")]),
    ),
    "baseline": st.one_of(
        st.builds(
            Baseline,
            usual_usd=usd,
            multiple=st.floats(0, 5_000),
            rarity=st.just("about once in 4 months"),
            rarity_days=st.just(122.0),
            learning=st.just(False),
            span=st.sampled_from(["5m", "1h"]),
        ),
        st.builds(
            Baseline,
            usual_usd=usd,
            multiple=st.floats(0, 5_000),
            rarity=st.none(),
            rarity_days=st.none(),
            learning=st.just(True),
        ),
    ),
    "excitation": st.builds(
        Excitation,
        word=st.sampled_from(["fading", "steady", "growing", "exploding"]),
        low=st.just(0.2),
        high=st.just(1.2),
        branching=st.none(),
    ),
    "record": since(),
    "lead": st.one_of(
        st.builds(
            Lead,
            venue=names,
            symbol=maybe(st.just("BTCUSDT")),
            at=maybe(moment),
            share=maybe(share),
            within_s=st.none(),
        ),
        st.builds(
            Lead, venue=st.none(), symbol=st.none(), at=st.none(), share=st.none(), within_s=maybe(st.floats(0, 90))
        ),
    ),
    "pattern": st.sampled_from(["whale", "single_venue", "single_asset", "market_wide", "mixed"]),
    "course": st.builds(
        Course,
        onset=moment,
        p10_at=maybe(moment),
        p50_at=maybe(moment),
        p90_at=maybe(moment),
        usd=usd,
        hour_usd=usd,
        peak_hour_usd=usd,
        peak_hour_at=moment,
        share_of_day=maybe(share),
        notices=st.just(3),
    ),
    "largest": st.builds(
        Largest, venue=names, symbol=st.just("BTCUSDT"), side=st.sampled_from(Side), usd=usd, at=moment
    ),
    "price": st.builds(
        PriceMove,
        asset=st.just("BTC"),
        start=st.just(1.0),
        now=st.just(1.0),
        move_pct=st.floats(-60, 60),
        confirms=maybe(st.booleans()),
    ),
    "coverage": st.just(OPENED.coverage),
}


@st.composite
def alerts(draw) -> Alert:
    """Any alert the records allow: every finding known or not, every phase, rule and grade."""
    side = draw(st.sampled_from(Side))
    known = {name: draw(maybe(finding)) for name, finding in FINDINGS.items()}
    split = draw(st.sampled_from([{}, {"venues": OPENED.venues, "symbols": OPENED.symbols}]))
    return msgspec.structs.replace(
        OPENED,
        side=side,
        kind=Kind.SHORT_SQUEEZE if side is Side.SHORT else Kind.LONG_FLUSH,
        phase=draw(st.sampled_from(Phase)),
        rule=draw(st.sampled_from(["early", "level", "hour", "reminder", "calm"])),
        grade=draw(st.integers(0, 5)),
        asset=draw(st.sampled_from(["ALL", "SOL"])),
        long_usd=draw(usd),
        short_usd=draw(usd),
        share=draw(maybe(share)),
        at_least=draw(st.booleans()),
        peak_usd=draw(usd),
        started_at=draw(moment),
        coincides=draw(st.sampled_from([(), ("a release",), ("a release", "an expiry")])),
        assets=draw(st.sampled_from([{}, {"BTC": 60e6, "ETH": 20e6}])),
        simulated=draw(st.booleans()),
        **{"venues": {}, "symbols": {}, **split},
        **known,
    )


@pytest.mark.parametrize("path", golden.FILES, ids=lambda path: path.stem)
def test_the_words_are_the_golden_ones(path):
    assert golden.page(path) == path.read_text(encoding="utf-8"), "if meant so: python -m tests.golden"


@pytest.mark.parametrize("path", golden.FILES, ids=lambda path: path.stem)
def test_the_first_sentence_alone_says_when_what_where_how_much_and_which_side(path):
    alert = golden.alert(path)
    first = re.split(r"(?<=[a-z)%])\. (?=[A-Z0-9])", text.why(alert).en)[0]
    dollars = alert.peak_usd if alert.phase is Phase.CLOSED else alert.long_usd + alert.short_usd

    assert text.clock_utc(alert.at) in first
    assert text.usd_en(dollars) in first
    assert ("at least" in first) is alert.at_least
    assert re.search(r"all coins|SOL, part of the ALL episode", first)
    assert re.search(r"short|long", first)


def test_a_golden_alert_with_a_key_that_no_alert_has_is_refused(tmp_path):
    path = tmp_path / "slip.txt"
    right = golden.typed(golden.FILES[0])
    path.write_text(right.replace('"p10_at"', '"p_10_at"'), encoding="utf-8")

    with pytest.raises((ValueError, msgspec.ValidationError)):
        golden.alert(path)
    path.write_text(right.replace('"grade"', '"grad"'), encoding="utf-8")
    with pytest.raises(ValueError, match=r"no alert has grad$"):
        golden.alert(path)


@settings(max_examples=150, deadline=None)
@given(alerts())
def test_no_alert_breaks_a_sentence_or_says_nothing_aloud(alert):
    words = text.why(alert)

    for said in (words.en, words.zh):
        assert not re.search(r"None|nan\b|inf\b|\{|\}|\(\)|（）|  |[;；,，:：] ?[.。;；]|\.\.|。。| $", said)
    assert re.search(r"[a-zA-Z0-9)%]\.$", words.en)
    assert words.zh.endswith("。")
    assert not CHINESE.search(words.en)
    assert len(re.findall(r"[a-zA-Z0-9)%]\.(?: |$)", words.en)) <= 7 + alert.simulated + 2 * (alert.context is not None)


@settings(max_examples=150, deadline=None)
@given(alerts())
def test_no_clause_is_said_twice(alert):
    for said in (text.why(alert).en, text.why(alert).zh):
        clauses = [clause for clause in CLAUSES.split(said) if len(clause) > 6]
        assert len(set(clauses)) == len(clauses)


@settings(max_examples=150, deadline=None)
@given(alerts())
def test_a_floor_is_called_one_wherever_it_stands_and_nothing_else_is(alert):
    words = text.why(alert)

    assert ("at least" in words.en.replace("at least the ", "the ")) is alert.at_least, "a row of days is its own floor"
    assert ("至少" in words.zh.replace("至少连续", "连续")) is alert.at_least
    assert words.en.count("at least ") == words.zh.count("至少")


@settings(max_examples=150, deadline=None)
@given(alerts(), st.sampled_from(sorted({*FINDINGS} - {"coverage"})))
def test_what_is_not_known_is_left_out_of_both_languages_and_what_is_known_of_neither_alone(alert, finding):
    silent = msgspec.structs.replace(alert, **{finding: None})
    before, after = text.why(alert), text.why(silent)

    assert (before.en == after.en) is (before.zh == after.zh)


@settings(max_examples=150, deadline=None)
@given(alerts())
def test_a_record_counted_differently_never_goes_without_saying_so(alert):
    record, said = alert.record, text.why(alert)
    told = re.search(r"argest (?:hour|UTC day|24 h) of [a-z ]+ since", said.en)

    if record and told:
        assert (
            "counted differently then" in said.en or "not all of them counted alike" in said.en
        ) is not record.comparable
        assert ("统计口径不同" in said.zh) is not record.comparable
    if record and record.at is None:
        assert " then)" not in said.en


def test_a_record_of_less_than_a_week_is_no_news():
    fresh = Since(
        largest_since="2026-01-10",
        zone_date="2026-01-10",
        zone="UTC+8",
        at=AT - 7 * DAY + 1,
        usd=1e9,
        measure="hour short",
        comparable=True,
        first_at=0,
    )
    said = [
        text.why(msgspec.structs.replace(OPENED, record=msgspec.structs.replace(fresh, at=at))).en
        for at in (fresh.at, fresh.at - 1)
    ]

    assert "largest hour" not in said[0]
    assert "Already the largest hour of shorts since 2026-01-10 (UTC) ($1.00B then)." in said[1]
