"""The bot: talks as people have them, rights, double taps, foreign text, broken neighbours, order and pace."""

import asyncio
import contextlib
import dataclasses
import re

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.bot import LANGUAGES, Bot
from service.bot.buttons import MOST_BYTES, OldButtonError, rule_of, with_rule
from service.bot.commands import COMMANDS, OWNERS, TAPS
from service.bot.heard import Place, hear
from service.bot.pace import Pace, Turn
from service.bot.phrases import safe, whole
from service.model import HOUR, FeedState, Kind, Severity
from service.sinks.telegram.outcome import Closed, Gone, Later, Moved, Refused
from service.subscribers import Chat, Quiet, Rule
from service.subscribers.misread import Misread, Slip
from tests import talks
from tests.talks import CHANNEL, EPISODE, GROUP, ME, NOW, Stage, reading

replace = msgspec.structs.replace
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture
def stage() -> Stage:
    return Stage()


# --- the first talk


@pytest.mark.parametrize("language", talks.LANGUAGES)
async def test_the_first_talk_reads_as_it_was_written_down(language):
    path = talks.FOLDER / f"conversation-{language}.txt"
    assert await talks.talk(language) == path.read_text(encoding="utf-8"), "python -m tests.talks writes it anew"


@pytest.mark.parametrize(
    ("language", "market", "test"), [("en", "Whole market", "Send a test"), ("zh", "BTC", "发条测试")]
)
async def test_from_start_to_a_test_alert_it_takes_three_taps(stage, language, market, test):
    await stage.say("/start", language=language)
    assert len(stage.phone.chats[ME]) == 1, "one message"
    await stage.tap(market, language=language)
    assert len(stage.phone.chats[ME]) == 1, "the same message"
    shown = await stage.tap(test, language=language)
    assert ("TEST" if language == "en" else "测试") in shown.text.splitlines()[0]
    assert stage.taps == 3
    assert [rule.asset for rule in stage.kept().rules] == [{"Whole market": "ALL"}.get(market, market)]


async def test_language_is_telegrams_own_and_can_be_turned_on_the_first_page(stage):
    shown = await stage.say("/start", language="zh-hans")
    assert CHINESE.search(shown.text)
    shown = await stage.tap("English", language="zh-hans")
    assert "One tap" in shown.text
    assert (await stage.say("/help", language="zh-hans")).text.startswith("What I understand"), "the choice is kept"


async def test_a_deep_link_offers_its_rule_on_the_first_page(stage):
    shown = await stage.say("/start btc-30m")
    assert "BTC: from $30M" in shown.text
    assert ME not in stage.cupboard.chats, "nothing is kept before it is wanted"
    await stage.tap("Subscribe")
    assert stage.kept().rules == (Rule(id=1, asset="BTC", usd=30e6),)
    plain = await stage.say("/start somebodys-mark")
    assert "You are subscribed" in plain.text


async def test_start_opens_a_closed_chat_again(stage):
    stage.cupboard.chats[ME] = Chat(id=ME, rules=(Rule(id=1),), closed="blocked", next_rule=2)
    shown = await stage.say("/start")
    assert stage.kept().closed == ""
    assert "1. Whole market" in shown.text


# --- rules


async def test_a_rule_is_put_together_by_taps_alone_and_nothing_is_kept_before_the_last(stage):
    await stage.say("/subscribe")
    for label in ("SOL", "Long flushes", "Critical only", "From $50M", "Venue: any", "bybit"):
        shown = await stage.tap(label)
        assert ME not in stage.cupboard.chats
    assert "✓ Critical only" in shown.labels
    assert "Venue: bybit" in shown.labels
    await stage.tap("Subscribe")
    assert stage.kept().rules == (
        Rule(id=1, asset="SOL", kind=Kind.LONG_FLUSH, severity=Severity.CRITICAL, usd=50e6, venue="bybit"),
    )


async def test_the_same_rule_twice_is_refused_kindly_and_named(stage):
    await stage.say("/start")
    await stage.tap("BTC")
    shown = stage.newest()
    await stage.hears(stage.press("preset|BTC", shown.id))
    assert shown.text.startswith("You have that already, as rule 1:")
    assert "Send a test" in shown.labels
    assert len(stage.kept().rules) == 1


async def test_a_chat_has_no_more_rules_than_it_may(stage):
    stage = Stage(most_rules=2)
    for coin in ("BTC", "ETH", "SOL"):
        shown = await stage.say(f"/subscribe {coin}")
    assert "may have 2 rules" in shown.text
    assert [rule.asset for rule in stage.kept().rules] == ["BTC", "ETH"]


async def test_a_coin_nobody_has_seen_is_taken_with_a_note(stage):
    assert "No order of that coin" in (await stage.say("/subscribe newcoin 5m")).text
    assert "No order of that coin" not in (await stage.say("/subscribe SOL")).text


async def test_a_rule_is_edited_paused_resumed_deleted_and_put_back(stage):
    await stage.say("/subscribe BTC 12M")
    await stage.say("/rules")
    await stage.tap("Edit 1")
    assert "✓ From $12M" in stage.newest().labels, "a sum that was typed stands among the offered ones"
    await stage.tap("From $50M")
    shown = await stage.tap("Save")
    assert "Rule 1 is now\nBTC: from $50M" in shown.text
    await stage.tap("My rules")
    await stage.tap("Pause 1")
    assert stage.kept().rules[0].paused
    await stage.tap("Resume 1")
    assert not stage.kept().rules[0].paused
    shown = await stage.tap("Delete 1")
    assert "Deleted: BTC: from $50M" in shown.text
    await stage.tap("Put it back")
    assert stage.kept().rules == (Rule(id=2, asset="BTC", usd=50e6),)


async def test_an_edit_keeps_a_pause_and_refuses_what_another_rule_says(stage):
    stage.cupboard.chats[ME] = Chat(id=ME, rules=(Rule(id=1, paused=True), Rule(id=2, asset="BTC")), next_rule=3)
    await stage.hears(stage.press(with_rule("s", Rule(id=1, usd=1e6)), 1))
    assert stage.kept().rules[0] == Rule(id=1, usd=1e6, paused=True)
    await stage.hears(stage.press(with_rule("s", Rule(id=1, asset="BTC")), 1))
    assert "rule 2" in stage.newest().text
    assert stage.kept().rules[0].asset == "ALL"


@pytest.mark.parametrize("verb", ["edit", "pause", "resume", "delete", "test"])
async def test_a_button_of_a_rule_that_is_gone_says_so(stage, verb):
    await stage.hears(stage.press(f"{verb}|9", 1))
    assert stage.phone.toasts == [LANGUAGES["en"].gone]


async def test_a_rule_is_never_cut_however_much_it_asks(stage):
    for language, chat in (("en", ME), ("zh", 5)):
        for words in ("BTC squeeze critical 250M hyperliquid", "BTC flush warning hyperliquid"):
            shown = await stage.say(f"/subscribe {words}", chat=chat, user=chat, language=language)
            assert "…" not in shown.text
            assert LANGUAGES[language].rule(stage.kept(chat).rules[-1]) in shown.text
    assert "critical only, from $250M on hyperliquid\n" in (await stage.say("/rules")).text
    assert "led by hyperliquid or mostly there" in (await stage.say("/start")).text


def of_many_rules(count: int) -> Chat:
    """A chat with as many rules as it may have, all of them long."""
    long = Rule(id=0, kind=Kind.LONG_FLUSH, severity=Severity.CRITICAL, venue="hyperliquid", usd=123_456_789.0)
    kept = tuple(replace(long, id=number, asset=f"COIN{number:011d}") for number in range(1, count + 1))
    return Chat(id=ME, rules=kept, next_rule=count + 1)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_hundred_rules_are_shown_page_by_page_and_none_is_left_out(stage, language):
    stage.cupboard.chats[ME] = replace(of_many_rules(100), language=language)
    assert "92" in (await stage.say("/start")).text, "the first page names how many it does not show"
    shown, seen = await stage.say("/rules"), []
    assert "‹" not in shown.labels
    while True:
        seen += [int(number) for number in re.findall(r"(?m)^(\d+)\.", shown.text)]
        if "›" not in shown.labels:
            break
        shown = await stage.tap("›")
    assert seen == list(range(1, 101))
    assert ("page 13 of 13" if language == "en" else "第13页，共13页") in shown.text
    shown = await stage.tap("‹")
    assert ("page 12 of 13" if language == "en" else "第12页，共13页") in shown.text


async def test_what_is_done_to_a_rule_shows_the_page_it_stands_on(stage):
    stage.cupboard.chats[ME] = of_many_rules(17)
    await stage.hears(stage.press("rules|1", 1))
    for label, page in (("Pause 10", "page 2 of 3"), ("Resume 10", "page 2 of 3"), ("Delete 16", "page 2 of 2")):
        assert page in (await stage.tap(label)).text
    assert "17. " in stage.newest().text
    for page in (-5, 99):
        await stage.hears(stage.press(f"rules|{page}", 999))
    assert [("page 1" in shown.text) for shown in stage.phone.chats[ME][-2:]] == [True, False]
    await stage.hears(stage.press("rules|x", 1))
    assert stage.phone.toasts[-1] == LANGUAGES["en"].old_button


async def test_a_bare_coin_begins_a_rule(stage):
    shown = await stage.say("btc 10M")
    assert shown.text.startswith("BTC: from $10M")
    assert "Subscribe" in shown.labels


# --- hours


async def test_hours_without_a_zone_ask_for_it_by_buttons(stage):
    shown = await stage.say("/quiet 23-7")
    assert "where?" in shown.text
    await stage.tap("Asia/Shanghai")
    assert stage.kept().quiet == Quiet(start=23 * 60, end=7 * 60, zone="Asia/Shanghai")
    await stage.tap("Let criticals through: off")
    await stage.tap("22:00–07:00")
    assert stage.kept().quiet == Quiet(start=22 * 60, end=7 * 60, zone="Asia/Shanghai", critical=True)
    await stage.say("/quiet 1-2")
    assert stage.kept().quiet == Quiet(start=60, end=120, zone="Asia/Shanghai", critical=True)
    shown = await stage.tap("No quiet hours")
    assert stage.kept().quiet is None
    assert "No quiet hours are set" in shown.text


async def test_hours_by_taps_alone(stage):
    await stage.say("/quiet")
    await stage.tap("23:00–07:00")
    shown = await stage.tap("UTC")
    assert "(22:14 there now)" in shown.text
    await stage.say("/quiet off")
    assert stage.kept().quiet is None


async def test_a_zone_that_somebody_made_up_is_kept_by_its_name_in_the_database_or_not_at_all(stage):
    await stage.hears(stage.press("quiet|0|60|北京", 1))
    assert stage.kept().quiet == Quiet(start=0, end=60, zone="Asia/Shanghai")
    await stage.hears(stage.press("quiet|0|90|火星", 1))
    await stage.hears(stage.press("quiet|0|90|", 1))
    assert stage.phone.toasts[-2:] == [LANGUAGES["en"].old_button] * 2
    assert stage.kept().quiet.end == 60


@pytest.mark.parametrize("zone", ["Atlantis/Poseidonis", "Etc/GMTx", "../etc", "", "Europe"])
async def test_a_kept_zone_that_the_database_has_lost_counts_as_utc_and_is_asked_for_anew(stage, zone):
    lost = Quiet(start=60, end=120, zone=zone)
    stage.cupboard.chats[ME] = Chat(id=ME, quiet=lost, muted_until=NOW + HOUR)
    assert "UTC (22:14 there now)" in (await stage.say("/quiet")).text
    assert "(23:14 UTC)" in (await stage.say("/mute")).text
    assert "where?" in (await stage.say("/quiet 1-2")).text
    await stage.hears(stage.press("quiet|0|480", 1))
    assert "where?" in stage.newest().text
    assert stage.kept().quiet == lost


@pytest.mark.parametrize(
    ("zone", "en", "zh"),
    [
        ("北京时间", "Asia/Shanghai (06:14 there now)", "按北京时间（当地现在06:14）"),
        ("berlin", "Europe/Berlin (23:14 there now)", "按Europe/Berlin时间（当地现在23:14）"),
        ("+8", "UTC+8 (06:14 there now)", "按UTC+8时间（当地现在06:14）"),
    ],
)
async def test_a_zone_is_echoed_as_readers_of_the_language_call_it(stage, zone, en, zh):
    assert en in (await stage.say(f"/quiet 23-7 {zone}")).text
    assert zh in (await stage.say(f"/quiet 23-7 {zone}", chat=5, user=5, language="zh")).text


async def test_all_day_says_what_still_comes(stage):
    assert "Nothing is told." in (await stage.say("/quiet 0-24 UTC")).text
    assert "Only critical" in (await stage.tap("Let criticals through: off")).text


async def test_a_mute_ends_at_its_time_or_by_a_tap(stage):
    await stage.say("/mute")
    await stage.tap("8 h")
    assert stage.kept().muted_until == NOW + 8 * HOUR
    await stage.tap("Unmute")
    assert stage.kept().muted_until is None
    await stage.say("/mute 90m")
    stage.now += 2 * HOUR
    assert "Unmute" not in (await stage.say("/mute")).labels


# --- the market


async def test_top_of_nothing_known_says_unknown_and_of_nothing_heard_says_so(stage):
    stage.market.rows = []
    assert "Not known" in (await stage.say("/top")).text
    stage.market.rows = [reading("ALL", 0, 0, heard=None)]
    shown = await stage.say("/top")
    assert "No liquidation was heard." in shown.text
    assert "is not known" in shown.text
    assert "$0" not in shown.text


async def test_top_lists_the_largest_hours_and_calls_a_floor_a_floor(stage):
    coins = [reading(f"C{number}", number * 1e6, 0) for number in range(1, 15)]
    stage.market.rows = [reading("ALL", 1e8, 2e6), *coins]
    lines = (await stage.say("/top")).text.splitlines()
    assert lines[3].startswith("C14: at least $14.0M, 100% longs")
    assert sum(line.startswith("C") for line in lines) == 10


async def test_status_names_who_is_not_heard_and_leaves_lines_to_the_episode_they_belong_to(stage):
    stage.market.running = [EPISODE, replace(EPISODE, asset="BTC", parent=EPISODE.id)]
    shown = await stage.say("/status")
    assert "2 of 3 venues live; not live: okx (down)" in shown.text
    assert shown.text.count("Short squeeze since") == 1
    stage.market.running = [replace(EPISODE, asset="DOGE", stage="fading")]
    shown = await stage.say("/status")
    assert "fading. DOGE: at least" in shown.text, "dollars of a market nobody has read are a floor"
    stage.market.running = []
    assert "No cascade is running." in (await stage.say("/status")).text


async def test_last_is_said_of_nothing_too(stage):
    stage.market.told = []
    assert (await stage.say("/last")).text == "There is no alert to show yet."


@pytest.mark.parametrize(("language", "word"), [("en", "SIMULATION"), ("zh", "模拟")])
async def test_every_answer_of_a_rehearsal_says_so(stage, language, word):
    stage.market.simulated = True
    for text in ("/start", "/top", "/help", "what?"):
        assert (await stage.say(text, language=language)).text.startswith(word)
    await stage.hears(stage.press("test|9", 1, language=language))
    assert stage.phone.toasts[-1].startswith(word)


# --- farewell


async def test_stop_asks_once_then_deletes_everything_and_says_what(stage):
    await stage.say("/subscribe BTC")
    shown = await stage.say("/stop")
    assert "1 rule" in shown.text
    await stage.tap("No, keep it")
    assert stage.kept().rules
    await stage.say("/stop")
    shown = await stage.tap("Yes, delete everything")
    assert ME not in stage.cupboard.chats
    assert shown.text.startswith("Deleted: 1 rule, the language and what waits to be told.")
    assert (await stage.say("/stop")).text.startswith("Nothing is kept")


async def test_an_old_question_deletes_nothing_but_is_asked_again(stage):
    await stage.say("/subscribe BTC")
    await stage.say("/stop")
    stage.now += 2 * HOUR
    shown = await stage.tap("Yes, delete everything")
    assert stage.kept().rules
    assert shown.text.startswith("This deletes")


# --- unknown things


@pytest.mark.parametrize(
    ("text", "near"),
    [("/subscirbe", "subscribe"), ("ruls", "rules"), ("你好", "help"), ("/xyzzy", "help"), ("/stats", "status")],
)
async def test_an_unknown_word_gets_one_line_with_the_nearest_command(stage, text, near):
    shown = await stage.say(text)
    assert f"/{near}" in shown.text
    assert "\n" not in shown.text


STICKER = {
    "file_id": "s",
    "file_unique_id": "s",
    "width": 1,
    "height": 1,
    "is_animated": False,
    "is_video": False,
    "type": "regular",
}
WORDLESS = {
    "sticker": STICKER,
    "photo": [{"file_id": "p", "file_unique_id": "p", "width": 1, "height": 1}],
    "voice": {"file_id": "v", "file_unique_id": "v", "duration": 1},
    "location": {"longitude": 1.0, "latitude": 1.0},
}


@pytest.mark.parametrize("kind", WORDLESS)
async def test_what_has_no_words_gets_the_helpful_line_in_private_and_silence_in_a_group(stage, kind):
    shown = await said_without_words(stage, ME, kind)
    assert "/help" in shown.text
    assert await said_without_words(stage, GROUP, kind) is None


async def said_without_words(stage: Stage, chat: int, kind: str):
    await stage.hears(stage.message("", chat, **{kind: WORDLESS[kind]}))
    return stage.newest(chat)


@pytest.mark.parametrize(
    "data",
    [
        "wizard|1",
        "r|1",
        "r|0|BTC|s|c|10M|binance|more",
        "r|0|<b>|s|c|*|*",
        "r|0|BTC|s|c|nan|*",
        "s|0|BTC|*|n|*|gone",
        "test|x",
        "quiet|23:00|7",
        "quiet|1440|0|UTC",
        "quiet|0|1|Atlantis",
        "mute|0",
        "mute|999999",
        "lang|tlh",
        "",
        "|",
    ],
)
async def test_a_button_of_another_version_gets_a_polite_line(stage, data):
    await stage.hears(stage.press(data, 1))
    assert stage.phone.toasts == [LANGUAGES["en"].old_button]
    assert ME not in stage.phone.chats
    assert ME not in stage.cupboard.chats


async def test_stats_are_for_owners(stage):
    stage = Stage(owners=(ME,))
    stage.cupboard.chats[5] = Chat(id=5, closed="blocked")
    shown = await stage.say("/stats")
    assert shown.text == "0 chats, 1 closed\n3 wait or are held, the first is overdue by 1 h 30 min"
    assert "/status" in (await stage.say("/stats", user=77)).text
    assert await stage.say("/stats", chat=GROUP, user=77) is None


# --- groups and channels


async def test_in_a_group_only_admins_change_and_everybody_may_ask(stage):
    shown = await stage.say("/subscribe BTC", chat=GROUP, user=5)
    assert shown.text == LANGUAGES["en"].admins_only == "Only admins can change what is told here."
    assert GROUP not in stage.cupboard.chats
    for text in ("/top", "/status", "/last", "/help", "/rules"):
        assert (await stage.say(text, chat=GROUP, user=5)).text != LANGUAGES["en"].admins_only
    stage.phone.admins.add(5)
    await stage.say("/subscribe BTC", chat=GROUP, user=5)
    assert stage.kept(GROUP).group
    assert stage.newest(GROUP).reply_to == 7000


async def test_a_tap_in_a_group_asks_who_taps(stage):
    stage.phone.admins.add(5)
    await stage.say("/start", chat=GROUP, user=5)
    await stage.tap("BTC", chat=GROUP, user=6)
    assert stage.phone.toasts == [LANGUAGES["en"].admins_only]
    await stage.tap("BTC", chat=GROUP, user=5)
    assert stage.kept(GROUP).rules


@pytest.mark.parametrize(
    ("language", "words"), [("en", "I cannot ask who is an admin"), ("zh", "暂时查不到谁是管理员")]
)
async def test_where_nobody_can_say_who_is_an_admin_that_is_said_and_nothing_changes(stage, language, words):
    stage.phone.admins = None
    shown = await stage.say("/subscribe BTC", chat=GROUP, user=5, language=language)
    assert shown.text.startswith(words)
    await stage.hears(stage.press("preset|BTC", shown.id, GROUP, user=5, language=language))
    assert stage.phone.toasts[0].startswith(words)
    assert GROUP not in stage.cupboard.chats


async def test_an_anonymous_admin_is_one_and_a_channel_that_speaks_in_a_group_is_none(stage):
    anonymous = {"sender_chat": talks.place(GROUP)}
    await stage.hears(stage.message("/subscribe BTC", GROUP, user=1087968824, **anonymous))
    assert stage.kept(GROUP).rules
    await stage.hears(stage.message("/subscribe ETH", GROUP, user=136817688, sender_chat=talks.place(CHANNEL)))
    assert len(stage.kept(GROUP).rules) == 1


async def test_a_post_of_a_channel_is_an_admins_but_a_tap_there_may_be_anybodys(stage):
    await stage.say("/start", chat=CHANNEL)
    await stage.tap("BTC", chat=CHANNEL, user=5)
    assert CHANNEL not in stage.cupboard.chats
    await stage.say("/subscribe BTC", chat=CHANNEL)
    assert stage.kept(CHANNEL).group


@pytest.mark.parametrize("text", ["hello there", "BTC", "/start@other_bot", "/rolldice"])
async def test_what_is_not_said_to_us_in_a_group_stays_unanswered(stage, text):
    assert await stage.say(text, chat=GROUP) is None


async def test_our_name_behind_a_command_means_us_in_any_case(stage):
    assert (await stage.say("/HELP@Cascade_Bot", chat=GROUP)).text.startswith("What I understand")
    assert "/rules" in (await stage.say("/rulez@cascade_bot", chat=GROUP)).text


async def test_brought_into_a_group_the_bot_shows_its_first_page_and_blocked_it_is_silent(stage):
    await stage.hears(stage.membership("left", "member", GROUP))
    assert stage.newest(GROUP).text.startswith("Liquidation cascades")
    await stage.hears(stage.membership("member", "administrator", GROUP))
    await stage.hears(stage.membership("left", "administrator", CHANNEL))
    assert CHANNEL not in stage.phone.chats
    assert len(stage.phone.chats[GROUP]) == 1


async def test_a_chat_that_blocks_or_drops_the_bot_is_closed(stage):
    await stage.say("/subscribe BTC")
    await stage.hears(stage.membership("member", "kicked"))
    assert stage.kept().closed == "blocked"
    await stage.hears(stage.membership("kicked", "member"))
    assert stage.kept().closed == "blocked", "the /start that follows opens it"
    await stage.hears(stage.membership("member", "left", GROUP))
    assert GROUP not in stage.cupboard.chats


async def test_a_group_that_moves_takes_everything_along_told_from_either_side(stage):
    stage.cupboard.chats[-5] = Chat(id=-5, rules=(Rule(id=1),), group=True)
    await stage.hears(stage.message("", -5, migrate_to_chat_id=GROUP))
    await stage.hears(stage.message("", GROUP, migrate_from_chat_id=-5))
    assert stage.kept(GROUP).rules
    assert stage.cupboard.moved == [(-5, GROUP)] * 2


# --- outcomes


async def test_a_closed_outcome_closes_the_chat_if_it_is_kept(stage):
    await stage.say("/subscribe BTC")
    stage.phone.outcomes[ME] = talks.deque([Closed(reason="bot was blocked by the user")])
    await stage.say("/rules")
    assert stage.kept().closed == "bot was blocked by the user"
    stage.phone.outcomes[5] = talks.deque([Closed(reason="blocked")])
    await stage.say("/start", chat=5, user=5)
    assert 5 not in stage.cupboard.chats


async def test_a_moved_outcome_moves_the_chat_and_says_it_there(stage):
    stage.cupboard.chats[-5] = Chat(id=-5, rules=(Rule(id=1),), group=True)
    stage.phone.outcomes[-5] = talks.deque([Moved(chat=GROUP)])
    await stage.say("/rules", chat=-5)
    assert stage.kept(GROUP).rules
    assert stage.newest(GROUP).text.startswith("Your rules")


async def test_a_message_that_is_gone_is_said_anew(stage):
    await stage.hears(stage.press("rules", 4711))
    assert stage.newest().text.startswith("You have no rules yet")
    stage.phone.outcomes[ME] = talks.deque([Gone(reason="gone")])
    await stage.tap("Quiet hours")
    assert len(stage.phone.chats[ME]) == 2


async def test_a_short_wait_is_waited_and_a_long_one_is_not(stage):
    stage.phone.outcomes[ME] = talks.deque([Later(seconds=0.01, reason="too many", told=True)])
    assert await stage.say("/help")
    stage.phone.outcomes[5] = talks.deque([Later(seconds=9_000, reason="too many", told=True)])
    assert await stage.say("/help", chat=5) is None
    stage.phone.outcomes[6] = talks.deque([Refused(reason="bad")])
    assert await stage.say("/help", chat=6) is None


async def test_a_request_without_an_answer_is_not_made_again_since_it_may_have_arrived(stage):
    stage.phone.outcomes[ME] = talks.deque([Later(seconds=0, reason="no answer in time; it may have arrived")])
    assert await stage.say("/help") is None
    assert await stage.say("/help"), "people ask once more"


async def test_a_store_that_is_away_is_said_and_changes_nothing(stage):
    stage.cupboard.down = True
    assert (await stage.say("/subscribe BTC")).text == LANGUAGES["en"].store_down
    await stage.hears(stage.press("preset|BTC", 1))
    assert stage.phone.answered, "the button is let go of"


async def test_a_mistake_of_ours_is_said_and_logged(stage, caplog):
    stage.market.rows = None
    assert (await stage.say("/top")).text == LANGUAGES["en"].our_fault
    assert "has a bug at top" in caplog.text


# --- what buttons carry


rules = st.builds(
    Rule,
    id=st.integers(0, 9_999),
    asset=st.text("ABCXYZ0189", min_size=1, max_size=15) | st.text("币安人生", min_size=1, max_size=8),
    kind=st.sampled_from([None, *Kind]),
    severity=st.sampled_from(Severity),
    usd=st.none() | st.integers(1_000, 10**12).map(float),
    venue=st.none() | st.sampled_from(["binance", "hyperliquid"]),
)


@given(rules)
def test_any_rule_fits_a_button_and_comes_back_whole(rule):
    data = with_rule("r", rule)
    assert len(data.encode()) <= MOST_BYTES
    assert rule_of(data.split("|")[1:]) == rule


@given(st.lists(st.text(max_size=12), max_size=8))
def test_no_button_breaks_the_reading(parts):
    with contextlib.suppress(OldButtonError):
        rule_of(parts)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["", "/", "/subscribe ", "/quiet ", "/mute ", "/lang ", "/start ", "/quiet 1-2 "]),
    st.text(max_size=100) | st.sampled_from(["<b>", "&amp;", "<script>", "</b>&", "a" * 5_000, "BTC <i> 10M"]),
    st.sampled_from(["en", "zh"]),
)
def test_no_text_breaks_the_html_or_the_bot(head, text, language):
    stage = Stage()
    asyncio.run(stage.say(head + text, language=language))
    shown = stage.newest()
    assert shown is None or shown.text not in {phrases.our_fault for phrases in LANGUAGES.values()}


def test_foreign_text_is_escaped_and_cut_and_our_own_only_escaped():
    assert whole("<b>&" + "a" * 500) == "&lt;b&gt;&amp;" + "a" * 500
    assert safe("<b>&") == "&lt;b&gt;&amp;"
    assert len(safe("a" * 500)) == 60


# --- words


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_command_has_its_line_in_the_help(code):
    assert set(LANGUAGES[code].menu) == set(COMMANDS) - OWNERS


def test_no_english_is_left_in_chinese_and_the_other_way_round():
    def said(phrases) -> list[str]:
        fields = [*dataclasses.asdict(phrases).items(), *dataclasses.asdict(phrases.label).items()]
        return [value for name, value in fields if isinstance(value, str) and name not in {"code", "name"}]

    assert all(CHINESE.search(text) for text in said(LANGUAGES["zh"]))
    assert not any(CHINESE.search(text) for text in said(LANGUAGES["en"]))


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("slip", Slip)
def test_every_slip_names_what_was_typed_and_what_may_have_been_meant(code, slip):
    said = talks.Screen(LANGUAGES[code].slip(Misread(slip, "<x>", ("<y>", "z")))).seen
    assert "“<x>”" in said
    assert "<y>" in said
    assert talks.Screen(LANGUAGES[code].slip(Misread(slip, " "))).seen
    assert "{" not in said


def test_what_a_rule_has_once_is_all_named():
    assert "one severity" in LANGUAGES["en"].slip(Misread(Slip.TWICE, "x"))
    assert "一个级别" in LANGUAGES["zh"].slip(Misread(Slip.TWICE, "x"))


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("state", FeedState)
async def test_every_state_of_a_venue_has_a_word(stage, code, state):
    async def venues():
        return [talks.venue("<okx>", state)]

    stage.market.venues = venues
    shown = await stage.say("/status", language=code)
    assert ("<okx>" in shown.text) is (state is not FeedState.LIVE)
    if code == "zh":
        assert state.value not in shown.text
        assert ("无数据" in shown.text) is (state is FeedState.SILENT), "it is connected and shows no orders"


@given(rules, st.sampled_from(list(LANGUAGES)))
def test_rules_that_differ_read_differently(rule, code):
    say = LANGUAGES[code].rule
    for field, other in (("kind", Kind.LONG_FLUSH), ("severity", Severity.CRITICAL), ("usd", 7e6), ("venue", "okx")):
        changed = replace(rule, **{field: other})
        if changed != rule and not 6.9e6 < (rule.usd or 0) < 7.1e6:
            assert say(changed) != say(rule)


async def test_every_verb_on_a_button_is_in_the_table(stage):
    for text in ("/start", "/subscribe BTC", "/rules", "/quiet 1-2 UTC", "/mute 1h", "/lang", "/stop", "/subscribe"):
        shown = await stage.say(text)
        verbs = {data.partition("|")[0] for row in shown.buttons for _, data in row}
        assert verbs <= set(TAPS)


# --- what is heard


def test_what_is_heard_of_an_update_is_who_where_and_what(stage):
    heard = hear(stage.message("/mute  2h", language="zh-hans"), "cascade_bot")
    assert (heard.chat, heard.place, heard.user, heard.language) == (ME, Place.PRIVATE, ME, "zh-hans")
    assert (heard.command, heard.text, heard.named, heard.admin) == ("mute", "2h", False, False)


@pytest.mark.parametrize(
    "fields",
    [
        {"edited_message": {"message_id": 1, "date": 0, "chat": talks.place(ME), "text": "/stop", "edit_date": 1}},
        {"message": {"message_id": 1, "date": 0, "chat": talks.place(ME), "from": talks.person(ME, "en")}},
        {"message": {"message_id": 1, "date": 0, "chat": talks.place(GROUP), "new_chat_title": "x"}},
        {"message": {"message_id": 1, "date": 0, "chat": talks.place(GROUP), "sticker": STICKER}},
        {"callback_query": {"id": "1", "from": talks.person(ME, "en"), "chat_instance": "1", "data": "x"}},
        {},
    ],
)
def test_edits_pictures_and_news_of_the_group_are_not_said_to_us(stage, fields):
    assert hear(stage.update(fields), "cascade_bot") is None


# --- order and pace


@contextlib.asynccontextmanager
async def running(bot: Bot):
    task = asyncio.create_task(bot.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(true) -> None:
    async with asyncio.timeout(2):
        while not true():  # noqa: ASYNC110  # what is waited for has no event
            await asyncio.sleep(0.001)


async def test_what_one_chat_says_is_answered_in_order_and_let_go_of(stage):
    for coin in ("BTC", "ETH", "SOL"):
        stage.phone.inbox.put_nowait(stage.message(f"/subscribe {coin}"))
    async with running(stage.bot()):
        await until(lambda: ME in stage.cupboard.chats and len(stage.kept().rules) == 3)
        await until(lambda: len(stage.phone.offsets) == 2)
    assert [rule.asset for rule in stage.kept().rules] == ["BTC", "ETH", "SOL"]
    assert stage.phone.offsets == [None, 4]


async def test_a_slow_chat_delays_no_other(stage):
    stage.phone.hang.add(5)
    for _ in range(3):
        stage.phone.inbox.put_nowait(stage.message("/help", chat=5, user=5))
    stage.phone.inbox.put_nowait(stage.message("/help"))
    async with running(stage.bot()):
        await until(lambda: stage.newest() is not None)
    assert 5 not in stage.phone.chats


async def test_an_answer_that_hangs_is_given_up_and_the_chat_goes_on(caplog):
    stage = Stage(patience_s=0.02)
    stage.phone.hang.add(ME)
    stage.phone.inbox.put_nowait(stage.message("/help"))
    async with running(stage.bot()):
        await until(lambda: "without an answer" in caplog.text)
        stage.phone.hang.clear()
        stage.phone.inbox.put_nowait(stage.message("/rules"))
        await until(lambda: stage.newest() is not None)


async def test_one_bad_update_ends_nothing(stage, caplog):
    bad = stage.message("/help")
    object.__setattr__(bad, "message", 7)
    stage.phone.inbox.put_nowait(bad)
    stage.phone.inbox.put_nowait(stage.message("/help"))
    async with running(stage.bot()):
        await until(lambda: stage.newest() is not None)
    assert "cannot read update 1" in caplog.text


async def test_a_messenger_that_fails_is_asked_again_and_its_words_stay_out_of_the_log(stage, caplog, monkeypatch):
    monkeypatch.setattr("service.bot.poll._RETRY_S", (0.001, 0.01))
    stage.phone.inbox.put_nowait(RuntimeError("the token 1234:SECRET was rejected"))
    async with running(stage.bot()):
        await until(lambda: "cannot listen (RuntimeError)" in caplog.text)
        stage.phone.inbox.put_nowait(stage.message("/help"))
        await until(lambda: stage.newest() is not None)
    assert "SECRET" not in caplog.text


async def test_a_chat_that_floods_is_cut_and_others_are_answered(caplog):
    stage = Stage(most_waiting=3)
    stage.phone.hang.add(5)
    for _ in range(30):
        stage.phone.inbox.put_nowait(stage.message("/help", chat=5, user=5))
    stage.phone.inbox.put_nowait(stage.message("/help"))
    async with running(stage.bot()):
        await until(lambda: stage.newest() is not None)
    assert caplog.text.count("is dropped") == 27


async def test_no_more_chats_are_answered_at_once_than_allowed():
    stage = Stage(at_once=2)
    stage.phone.hang |= {5, 6}
    for chat in (5, 6, ME):
        stage.phone.inbox.put_nowait(stage.message("/help", chat=chat, user=chat))
    async with running(stage.bot()):
        await asyncio.sleep(0.02)
        assert stage.newest() is None
        stage.phone.inbox.put_nowait(stage.message("/help", chat=7, user=7))
        await until(lambda: len(stage.phone.offsets) == 3)  # everything is taken in all the same
        assert len([task for task in asyncio.all_tasks() if task.get_name() == "bot-lane"]) == 4


async def test_a_chat_that_waits_as_the_messenger_asked_holds_up_nobody():
    stage = Stage(at_once=1)
    for chat in (5, 6):
        stage.phone.outcomes[chat] = talks.deque([Later(seconds=0.2, reason="too many", told=True)])
        stage.phone.inbox.put_nowait(stage.message("/help", chat=chat, user=chat))
    stage.phone.inbox.put_nowait(stage.message("/help"))
    async with running(stage.bot()):
        await until(lambda: stage.newest() is not None)
        assert stage.newest(5) is stage.newest(6) is None
        await until(lambda: stage.newest(5) is not None and stage.newest(6) is not None)


async def test_who_has_waited_needs_a_place_again():
    stage = Stage(at_once=1)
    stage.phone.outcomes[5] = talks.deque([Later(seconds=0.001, reason="too many", told=True)])
    stage.phone.hang |= {6}
    for chat in (5, 6):
        stage.phone.inbox.put_nowait(stage.message("/help", chat=chat, user=chat))
    async with running(stage.bot()):
        await until(lambda: stage.phone.hung == {6})
        await asyncio.sleep(0.02)
        assert stage.newest(5) is None


async def test_a_place_is_neither_lost_nor_won_when_a_wait_is_cut(caplog):
    stage = Stage(at_once=1, patience_s=0.02)
    for chat in (5, 6, 7):
        stage.phone.outcomes[chat] = talks.deque([Later(seconds=9, reason="too many", told=True)])
        stage.phone.inbox.put_nowait(stage.message("/help", chat=chat, user=chat))
    async with running(stage.bot()):
        await until(lambda: caplog.text.count("without an answer") == 3)
        stage.phone.hang |= {5, 6}
        for chat in (5, 6):
            stage.phone.inbox.put_nowait(stage.message("/help", chat=chat, user=chat))
        await until(lambda: stage.phone.hung == {5})
        await until(lambda: stage.phone.hung == {6})
        stage.phone.inbox.put_nowait(stage.message("/help"))
        await until(lambda: stage.newest() is not None)


async def test_a_chat_that_must_rest_is_asked_for_nothing_until_then_and_noted_once(caplog):
    stage = Stage(at_once=1)
    stage.phone.outcomes[5] = talks.deque([Later(seconds=9_000, reason="too many", told=True)])
    for _ in range(10):
        stage.phone.inbox.put_nowait(stage.message("/help", chat=5, user=5))
    stage.phone.inbox.put_nowait(stage.message("/help"))
    async with running(stage.bot()):
        await until(lambda: stage.newest() is not None)
        stage.cupboard.chats[5] = Chat(id=5, rules=(Rule(id=1),))
        stage.phone.inbox.put_nowait(stage.membership("member", "kicked", 5))
        await until(lambda: stage.kept(5).closed == "blocked")  # that needs no answer
    assert stage.newest(5) is None
    assert caplog.text.count("must rest for 9000 s") == 1


async def test_a_flood_of_strangers_fills_no_more_than_its_lanes_and_is_noted_once(caplog):
    stage = Stage(most_chats=3)
    strangers = range(10, 60)
    stage.phone.hang |= {*strangers}
    for chat in strangers:
        stage.phone.inbox.put_nowait(stage.message("/help", chat=chat, user=chat))
    async with running(stage.bot()):
        await until(lambda: len(stage.phone.offsets) == 2)
        assert len([task for task in asyncio.all_tasks() if task.get_name() == "bot-lane"]) == 3
    assert caplog.text.count("3 chats wait for an answer") == 1


async def test_the_pictures_of_an_album_get_one_answer(stage):
    for album in ("7", "7", "7", "8"):
        picture = stage.message("", photo=WORDLESS["photo"], media_group_id=album)
        stage.phone.inbox.put_nowait(picture)
    async with running(stage.bot()):
        await until(lambda: len(stage.phone.chats.get(ME, ())) == 2)
        await asyncio.sleep(0.02)
    assert len(stage.phone.chats[ME]) == 2


@pytest.mark.parametrize(("language", "line"), [("en", "slow down"), ("zh", "请慢一点")])
async def test_a_chat_gets_so_many_answers_a_minute_then_one_line_then_silence(language, line):
    stage = Stage(per_minute=3, most_waiting=100)
    for _ in range(9):
        stage.phone.inbox.put_nowait(stage.message("/help", language=language))
    stage.phone.inbox.put_nowait(stage.message("/subscribe BTC", language=language))
    stage.phone.inbox.put_nowait(stage.message("/help", chat=5, user=5))
    async with running(stage.bot()):
        await until(lambda: stage.newest(5) is not None and len(stage.phone.chats.get(ME, ())) == 4)
    assert [line in shown.text for shown in stage.phone.chats[ME]] == [False, False, False, True]
    assert ME not in stage.cupboard.chats, "what is not answered changes nothing"


async def test_who_taps_too_fast_is_told_over_the_chat_and_others_in_a_group_are_not_counted():
    stage = Stage(per_minute=1, most_waiting=100)
    for text in ("hello", "/rolldice", "/top", "/rolldice", "hello"):
        stage.phone.inbox.put_nowait(stage.message(text, GROUP))
    for _ in range(3):
        stage.phone.inbox.put_nowait(stage.press("rules", 1, GROUP))
    stage.phone.inbox.put_nowait(stage.message("/help"))
    async with running(stage.bot()):
        await until(lambda: stage.newest() is not None and stage.phone.toasts)
    assert len(stage.phone.chats[GROUP]) == 1
    assert stage.phone.toasts == [LANGUAGES["en"].slower]


def test_a_pace_is_any_minutes_and_forgets_who_is_silent(monkeypatch):
    monkeypatch.setattr("service.bot.pace._MANY", 3)
    pace, said = Pace(2), []
    for now in (0.0, 30.0, 40.0, 50.0, 59.0, 60.0, 61.0, 90.0, 101.0):
        said.append(pace.turn(1, now))
        if said[-1] is Turn.ANSWER:
            pace.answered(1, now)
    answer, slow, silence = Turn
    assert said == [answer, answer, slow, silence, silence, answer, silence, answer, slow]

    pace.rest(2, 100.0, 9_000.0)
    pace.rest(2, 100.0, 1.0)
    for chat in range(3, 50):
        pace.answered(chat, 200.0 + 61 * chat)
        assert len(pace._chats) <= 4
    assert pace.turn(2, 9_099.0) is silence, "a rest that was asked for outlives what was answered"
    assert pace.turn(2, 9_101.0) is answer
