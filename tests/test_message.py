"""What people are sent, word for word, and what holds for every message: marks, length, first line, nothing twice."""

import html
import re
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import text
from service.model import ALL, HOUR, MINUTE, Coverage, Kind, Largest, Phase, Severity, Side
from service.text.markup import MOST, clipped, link, units
from tests import notices
from tests.test_golden import CHINESE, alerts
from tests.test_text import OPENED

LANGUAGES = text.LANGUAGES
HELD = text.Held(reason=text.Reason.QUIET, since=OPENED.at - 8 * HOUR, until=OPENED.at + HOUR, zone="Europe/Berlin")
CLAUSES = re.compile(r"(?:\n|[;.!:] |[；。！：])")
names = st.text(max_size=40) | st.sampled_from(["<b>", "</i>&amp;", "a\nb", "\u202eabc", "\ud800", "𝔹" * 9_000])


class Marks(HTMLParser):
    """Reads marks as a messenger does and refuses what it would refuse."""

    def __init__(self, marked: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.said = ""
        self.links: list[str | None] = []
        self.feed(marked)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in {"b", "i", "a"}
        assert [name for name, _ in attrs] == (["href"] if tag == "a" else [])
        self.links += [value for _, value in attrs]
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said += data


def said(marked: str) -> str:
    """What a reader sees of a message, once it is seen to be one the messenger takes."""
    assert re.fullmatch(r"(?:[^<>&]|<[^<>]+>|&(?:lt|gt|amp|quot|#x27);)+", marked)
    shown = Marks(marked).said
    assert len(shown.encode("utf-16-le")) // 2 == units(marked) <= MOST
    return shown


@pytest.mark.parametrize("name", notices.MESSAGES)
def test_the_messages_are_the_golden_ones(name):
    kept = notices.file(name).read_text(encoding="utf-8")
    assert notices.page(name) == kept, "if meant so: python -m tests.golden"


def test_no_golden_message_is_kept_that_nobody_compares():
    assert {path.stem for path in notices.FOLDER.glob("*.txt")} == {*notices.MESSAGES}


@settings(max_examples=150, deadline=None)
@given(alerts(), st.sampled_from(LANGUAGES), st.sampled_from([0, 6 * MINUTE, 30 * HOUR]), st.booleans())
def test_any_alert_gives_a_message_the_messenger_takes_with_a_short_first_line(alert, language, late_ms, trial):
    shown = said(text.message(alert, language, board_url=notices.BOARD, late_ms=late_ms, trial=trial))
    first, *rest = shown.split("\n")

    assert first == text.headline(alert, language, trial=trial)
    assert len(first) <= 140
    assert "…" not in first, "a coin by its own name must not push the side out of sight"
    assert not re.search(r"None|nan\b|inf\b|\{|\}|\(\)|（）|  |[;；,，:：] ?[.。;；]|\.\.|。。| $", shown)
    assert re.search(r"board$|看板$", rest[-1])
    assert language == "zh" or not CHINESE.search(shown)


@settings(max_examples=150, deadline=None)
@given(alerts(), st.sampled_from(LANGUAGES))
def test_no_clause_of_a_message_is_said_twice(alert, language):
    clauses = [clause for clause in CLAUSES.split(said(text.message(alert, language))) if len(clause) > 6]
    assert len(set(clauses)) == len(clauses)


@settings(max_examples=150, deadline=None)
@given(alerts())
def test_both_languages_call_a_floor_one_equally_often(alert):
    english, chinese = (said(text.message(alert, language)) for language in ("en", "zh"))

    assert english.count("at least ") == chinese.count("至少")
    assert ("at least " in english.replace("at least the ", "the ")) is alert.at_least, "a row of days is its own floor"
    assert english.count("\n") == chinese.count("\n")


@settings(max_examples=100, deadline=None)
@given(alerts(), st.sampled_from(LANGUAGES), st.lists(names, min_size=4, max_size=4))
def test_no_foreign_name_breaks_the_marks_the_lines_or_the_length(alert, language, foreign):
    coin, venue, contract, entry = foreign
    strange = msgspec.structs.replace(
        alert,
        asset=coin,
        venues={venue: 1e6},
        symbols={contract: 1e6},
        assets={coin: 1e6},
        coincides=(entry, venue),
        largest=Largest(venue=venue, symbol=contract, side=Side.SHORT, usd=1e6, at=1),
        coverage=Coverage(venues_live=1, venues=2, seconds_share=0.5, by_venue={venue: 0.1}, leaving_out=(venue, coin)),
    )
    shown = said(text.message(strange, language, board_url=notices.BOARD))
    digest = said(text.digest([strange], language, HELD))

    assert len(shown.split("\n")[0]) <= 140
    assert re.search(r"1 of 2 venues live|2家交易所中1家在线", shown)
    assert not re.search(r"[\u202a-\u202e\u2066-\u2069]", shown + digest)
    assert len(digest.split("\n")) == 2


def test_a_message_that_is_too_long_loses_whole_lines_and_keeps_headline_certainty_and_time():
    long = "x" * 5_000
    full = msgspec.structs.replace(
        notices.known("main_hour"),
        coincides=(long,),
        venues={long: 1e6},
        coverage=Coverage(venues_live=14, venues=14, seconds_share=0.5, leaving_out=(long,)),
    )
    crowded = said(text.message(full, "en", board_url=notices.BOARD)).split("\n")

    assert crowded[0].startswith("● Severe short squeeze, growing · all coins")
    assert crowded[-2].startswith("Share of shorts 86–95%. 14 of 14 venues live")
    assert crowded[-1] == "critical · 2026-01-13 23:00 UTC · board"


def test_lateness_is_said_from_five_minutes_on_before_the_body():
    lines = [text.message(OPENED, "en", late_ms=ms).split("\n")[1] for ms in (0, 5 * MINUTE, 5 * MINUTE + 1)]

    assert lines[0] == lines[1]
    assert lines[2] == "Late by 5 min: as it stood then, not now."
    assert "Late by 1 d 2 h 3 min: " in text.message(OPENED, "en", late_ms=26 * HOUR + 3 * MINUTE)
    assert "延迟2小时送达：" in text.message(OPENED, "zh", late_ms=2 * HOUR)


def test_a_simulation_says_so_first_in_messages_headlines_and_digests():
    invented = msgspec.structs.replace(OPENED, simulated=True)

    for language, word in (("en", "SIMULATION "), ("zh", "模拟 ")):
        assert text.headline(invented, language).startswith(word)
        assert text.message(invented, language).startswith(f"<b>{word}")
        assert text.digest([OPENED, invented], language, HELD).startswith(f"<b>{word}")


def test_the_sign_is_the_fuller_the_graver_and_a_check_where_it_is_over():
    signs = [text.headline(msgspec.structs.replace(OPENED, severity=severity), "en")[0] for severity in Severity]

    assert signs == ["○", "◐", "●"]
    assert text.headline(msgspec.structs.replace(OPENED, phase=Phase.CLOSED), "en")[0] == "✓"


def test_a_language_without_words_is_refused_by_name():
    with pytest.raises(ValueError, match=r"^no words in 'fr'; there are en, zh$"):
        text.message(OPENED, "fr")
    with pytest.raises(ValueError, match="no words in ''"):
        text.digest([OPENED], "", HELD)


def test_only_an_address_of_the_web_becomes_a_link():
    assert Marks(text.message(OPENED, "en", board_url='https://x.example/?a=1&b="<')).links == [
        'https://x.example/?a=1&b="<'
    ]
    assert link("board", "javascript:alert(1)") == ""
    assert link("board", "https://x.example/ y") == ""
    assert text.message(OPENED, "en").endswith("watch · 2026-01-13 22:14 UTC")


def test_what_is_clipped_is_counted_in_utf16_and_never_halves_a_sign():
    assert clipped("𝔹" * 10, 20) == "𝔹" * 10
    assert clipped("𝔹" * 10, 19) == "𝔹" * 9 + "…"
    assert clipped("a" + "𝔹" * 10, 18) == "a" + "𝔹" * 8 + "…"


def digest(*held: object, language: str = "en", **changes: object) -> list[str]:
    return said(text.digest(held, language, msgspec.structs.replace(HELD, **changes))).split("\n")


def test_a_digest_has_one_line_for_each_episode_with_its_latest_word_and_the_share_at_its_peak():
    heading, squeeze, flush = digest(
        notices.known("coin_flush_child", at=1_768_361_000_000),
        notices.known("early_watch"),
        notices.known("closed"),
        notices.known("main_hour"),
        until=1_768_370_000_000,
    )

    assert heading == "While you were quiet (15:14–06:53 Europe/Berlin): 2 episodes, 1 still running"
    assert squeeze == (
        "✓ Severe short squeeze, over · all coins · peak hour at least $458.0M · 91% shorts · 21:58 to 01:35 UTC"
    )
    assert flush == (
        "○ Notable long flush, running · SOL · peak hour so far at least $8.7M · 94% longs · "
        "since 21:20, as of 03:23 UTC"
    )


def test_a_share_of_another_hour_than_the_peak_is_not_told_in_a_digest():
    _, line = digest(notices.known("early_watch"), notices.known("closed"))
    assert "shorts" not in line


def test_a_digest_of_many_shows_the_gravest_in_order_of_time_and_counts_the_rest():
    _, *lines, more = digest(*notices.many(60), until=OPENED.at + 60 * HOUR)

    assert more == "and 35 more"
    assert len(lines) == 25
    assert [line[0] for line in lines].count("●") == 20, "every critical one"
    coins = [int(re.search(r"C(\d+)", line)[1]) for line in lines]
    assert coins == sorted(coins)


@pytest.mark.parametrize(
    ("running", "count", "en", "zh"),
    [
        (1, 1, "1 episode, still running", "1轮爆仓，仍在进行"),
        (0, 2, "2 episodes", "2轮爆仓"),
        (3, 3, "3 episodes, all still running", "3轮爆仓，均仍在进行"),
    ],
)
def test_a_digest_counts_what_still_runs(running, count, en, zh):
    held = [
        msgspec.structs.replace(OPENED, episode=f"{number}", phase=Phase.OPENED if number < running else Phase.CLOSED)
        for number in range(count)
    ]
    assert digest(*held)[0].endswith(f": {en}")
    assert digest(*held, language="zh")[0].endswith(f"：{zh}")


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "北京", "Europe", "../x", "", "Etc/GMT-99"])
def test_a_zone_that_the_database_does_not_have_is_told_as_utc(zone):
    assert digest(OPENED, zone=zone)[0].startswith("While you were quiet (14:14–23:14 UTC): ")
    assert digest(OPENED, zone=zone, language="zh")[0].startswith("免打扰期间（14:14–23:14 UTC）：")


@pytest.mark.parametrize(
    ("zone", "en", "zh"),
    [
        ("Asia/Shanghai", "22:14–07:14 Asia/Shanghai", "北京时间22:14–07:14"),
        ("Etc/GMT-8", "22:14–07:14 UTC+8", "22:14–07:14 UTC+8"),
        ("Etc/GMT+5", "09:14–18:14 UTC-5", "09:14–18:14 UTC-5"),
        ("Etc/GMT+0", "14:14–23:14 UTC", "14:14–23:14 UTC"),
        ("Europe/Berlin", "15:14–00:14 Europe/Berlin", "15:14–00:14 Europe/Berlin"),
    ],
)
def test_a_span_is_told_on_its_clock_with_the_sign_and_the_name_people_use(zone, en, zh):
    assert f"({en})" in digest(OPENED, zone=zone)[0]
    assert f"（{zh}）" in digest(OPENED, zone=zone, language="zh")[0]


def test_an_episode_of_which_only_the_end_was_held_reads_well():
    over = notices.known("closed")
    english, chinese = (digest(over, language=language, until=over.at + HOUR) for language in ("en", "zh"))

    assert english == [
        "While you were quiet (15:14–03:35 Europe/Berlin): 1 episode",
        "✓ Severe short squeeze, over · all coins · peak hour at least $458.0M · 21:58 to 01:35 UTC",
    ]
    assert chinese == [
        "免打扰期间（15:14–03:35 Europe/Berlin）：1轮爆仓",
        "✓ 严重轧空已结束 · 全币种 · 峰值1小时至少4.58亿美元 · 21:58至01:35 UTC",
    ]


def test_the_foot_of_what_is_over_names_how_grave_it_was():
    over = notices.known("closed")
    assert "was critical · " in text.message(over, "en")
    assert "最高级别：紧急 · " in text.message(over, "zh")


def test_a_digest_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one alert"):
        text.digest([], "en", HELD)


def test_a_mute_of_days_is_told_with_its_dates():
    heading, line = digest(OPENED, reason=text.Reason.MUTE, zone="UTC", until=OPENED.at + 50 * HOUR)

    assert heading.startswith("While alerts were muted (01-13 14:14–01-16 00:14 UTC): 1 episode")
    assert line.endswith("since 01-13 22:14 UTC")


@pytest.mark.parametrize("asset", [ALL, "SOL"])
@pytest.mark.parametrize("kind", Kind)
def test_a_sample_is_headed_as_a_test_says_its_figures_are_invented_and_obeys_the_rule(asset, kind):
    alert = text.sample(asset, OPENED.at, kind=kind, usd=55e6, venue="okx")
    english, chinese = (text.message(alert, language, trial=True) for language in ("en", "zh"))

    assert english.startswith("<b>TEST ◐ ")
    assert chinese.startswith("<b>测试 ◐ ")
    assert "figures here are invented" in english
    assert "数字均为虚构" in chinese
    assert "at least $55.0M in 1 h" in html.unescape(english)
    assert "Most on okx" in english
    assert ("long flush" in english) is (kind is Kind.LONG_FLUSH)
    assert alert.long_usd + alert.short_usd == pytest.approx(55e6)
    assert 0 <= alert.certainty.low < alert.share < alert.certainty.high <= 1


def test_a_sample_is_a_real_alert_that_the_wire_can_carry():
    alert = text.sample(ALL, OPENED.at)
    assert msgspec.json.decode(msgspec.json.encode(alert), type=type(alert)) == alert
