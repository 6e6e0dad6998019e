"""The board: what it shows is what the service knows, what nobody knows is a dash, and all pages share one reader."""

import asyncio
import json
import re
from dataclasses import fields

import msgspec
import pytest
from starlette.datastructures import Headers

from service import board
from service.board import lists, numbers
from service.board.chart import options, table
from service.board.chinese import CHINESE
from service.board.english import ENGLISH
from service.board.market import MINUTES
from service.board.prices import Prices
from service.board.shown import Shown
from service.board.watch import Watch
from service.detector import Board
from service.detector.records import Peak, Stack
from service.model import ALL, HOUR, MINUTE, FeedState, Liquidation, Phase, Side, SocketHealth
from service.pipeline import Recent
from service.text import why
from tests import beside
from tests.stage import NOW, VENUES, Stage, episode
from tests.test_text import OPENED

WORDS = pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=lambda words: words.code)


class Sight(Stage):
    """The service as the board sees it, over a real ledger and its real stream of orders."""

    def __init__(self, **knobs) -> None:
        super().__init__(**knobs)
        self.recent = Recent(self.ledger)
        self.usually: dict[str, float] = {}

    def usual(self, asset: str) -> float | None:
        return self.usually.get(asset)

    async def heard(self, *orders: Liquidation) -> None:
        await self.ledger.add(orders, NOW)
        await self.recent.refresh(NOW)

    async def listen(self, since: int = NOW - 24 * HOUR, until: int = NOW) -> None:
        await self.ledger.mark_live(VENUES, since, until)


def order(usd=1_000_000.0, side=Side.SHORT, ago=MINUTE, **changes):
    at = NOW - ago
    given = {"venue": "binance", "symbol": "BTCUSDT", "asset": "BTC", "price": 95_000.0, **changes}
    name = f"{given['venue']}{given['symbol']}{given['asset']}{usd}{ago}{side}"
    return Liquidation(side=side, quantity=1.0, usd=usd, at=at, seen=at, id=name, **given)


def alert_of(**changes):
    return msgspec.structs.replace(OPENED, **({"at": NOW - MINUTE, "why": why(OPENED)} | changes))


async def shown(sight, asset=ALL):
    return Shown(await Watch(sight).need(asset))


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


@WORDS
async def test_what_nobody_heard_is_a_dash_and_never_zero(words):
    sight = Sight()
    sight.reports = [msgspec.structs.replace(one, state=FeedState.CONNECTING) for one in sight.reports]
    seen = await shown(sight)
    text = plain(numbers.numbers(seen.market(ALL), words))

    assert seen.market(ALL).hour.coverage.seconds_share in (None, 0)
    assert text.count("—") >= 3
    assert words.usd(0) not in text
    assert all(one.short_usd is None and one.long_usd is None for one in seen.market(ALL).minutes)


@WORDS
async def test_a_heard_hour_without_orders_is_a_true_zero(words):
    sight = Sight()
    await sight.listen()
    text = plain(numbers.numbers((await shown(sight)).market(ALL), words))

    assert words.usd(0) in text
    assert words.nothing in text


@WORDS
async def test_big_numbers_say_at_least_side_and_multiple(words):
    sight = Sight()
    await sight.listen()
    await sight.heard(order(90e6), order(10e6, Side.LONG, symbol="ETHUSDT", asset="ETH"))
    sight.usually[ALL] = 5e6
    text = plain(numbers.numbers((await shown(sight)).market(ALL), words))

    assert words.usd(100e6) in text
    assert words.share(0.9) in text
    assert words.times(20.0) in text
    assert words.usual_is(5e6) in text
    assert words.live(await sight.coverage(ALL, "1h", NOW)) in text


async def test_a_number_is_at_least_only_where_something_is_left_out():
    sight = Sight()
    await sight.heard(order(50e6))
    market = (await shown(sight)).market(ALL)
    whole = msgspec.structs.replace(market.hour.coverage, seconds_share=1.0, leaving_out=())
    full = msgspec.structs.replace(market.hour, coverage=whole)

    assert numbers.dollars(market.hour, ENGLISH) == "at least $50.0M"
    assert numbers.dollars(full, ENGLISH) == "$50.0M"
    assert numbers.dollars(market.hour, CHINESE) == "至少5,000万美元"


async def test_the_largest_hour_since_is_told_with_its_date_and_not_within_a_day():
    sight = Sight()
    await sight.listen()
    await sight.heard(order(50e6))
    old = Peak(at=NOW - 90 * 24 * HOUR, usd=80e6)
    sight.boards[ALL] = Board(first_at=NOW - 365 * 24 * HOUR, stacks={"hour total": Stack(recent=(old,))})
    market = (await shown(sight)).market(ALL)
    assert market.since.largest_since == "2025-10-15"
    assert "largest hour since 2025-10-15" in plain(numbers.numbers(market, ENGLISH))

    late = Peak(at=NOW - 5 * HOUR, usd=80e6)
    sight.boards[ALL] = Board(first_at=NOW - 365 * 24 * HOUR, stacks={"hour total": Stack(recent=(old, late))})
    text = plain(numbers.numbers((await shown(sight)).market(ALL), ENGLISH))
    assert ENGLISH.since_lately in text

    sight.boards[ALL] = Board(first_at=NOW - 3 * HOUR)
    assert ENGLISH.since_when in plain(numbers.numbers((await shown(sight)).market(ALL), ENGLISH))


async def test_bars_are_mirrored_shorts_up_longs_down_with_the_price_of_one_contract():
    sight = Sight()
    await sight.listen()
    await sight.heard(
        order(3e6, ago=5 * MINUTE, price=95_100.0),
        order(1e6, Side.LONG, ago=5 * MINUTE, price=95_000.0),
        order(2e6, ago=4 * MINUTE, price=95_200.0),
        order(9e6, ago=4 * MINUTE, symbol="1000PEPEUSDT", asset="PEPE", price=0.01),
    )
    market = (await shown(sight)).market(ALL)
    up, down, line = options(market, ENGLISH)["series"]

    assert len(market.minutes) == MINUTES
    assert market.minutes[-1].at <= NOW < market.minutes[-1].at + MINUTE
    place = next(at for at, one in enumerate(market.minutes) if one.at == (NOW - 5 * MINUTE) // MINUTE * MINUTE)
    assert (up["data"][place], down["data"][place]) == (3_000_000, -1_000_000)
    assert line["data"][place + 1] == 95_200.0
    assert market.quoted == "binance BTCUSDT"
    assert sum(one.short_usd for one in market.minutes) == market.hour.totals.short_usd
    json.dumps(options(market, ENGLISH))


async def test_the_table_says_what_the_bars_say():
    sight = Sight()
    await sight.listen()
    await sight.heard(order(3e6, ago=5 * MINUTE))
    html = table((await shown(sight)).market(ALL), ENGLISH)

    assert html.count("<tr>") == MINUTES + 1
    assert "$3.0M" in html
    assert html.count("scope=row") == MINUTES


async def test_minutes_in_which_somebody_was_away_are_marked():
    sight = Sight()
    await sight.listen(until=NOW - 30 * MINUTE)
    await sight.listen(since=NOW - 20 * MINUTE)
    market = (await shown(sight)).market(ALL)
    areas = options(market, ENGLISH)["series"][0]["markArea"]["data"]

    missing = [one for one in market.minutes if one.heard == 0]
    assert len(missing) in (10, 11)
    assert len(areas) == 1
    assert all(one.short_usd is None for one in missing)


@WORDS
async def test_an_open_episode_shows_its_stage_and_why(words):
    sight = Sight()
    said = alert_of(id="e1.1", episode="e1", asset=ALL)
    token = await sight.ledger.lease("me", 10_000)
    await sight.ledger.commit(token, {}, [said])
    sight.open = [msgspec.structs.replace(episode("e1"), id="e1", asset=ALL, parent=None, alerts=1, stage="fading")]
    seen = await shown(sight)
    text = plain(lists.episodes(seen.picture, ALL, words))

    assert words.stage(sight.open[0]) in text
    assert getattr(said.why, words.code)
    assert getattr(said.why, words.code) in text
    assert words.no_episode in lists.episodes(seen.picture, "ETH", words)

    sight.open = [msgspec.structs.replace(sight.open[0], asset="BTC", parent="e0")]
    seen = await shown(sight)
    assert "class=why" not in lists.episodes(seen.picture, ALL, words), "a line beside the market's own episode"
    assert "class=why" in lists.episodes(seen.picture, "BTC", words)


@WORDS
async def test_alerts_stand_newest_first_and_lines_only_at_their_coin(words):
    sight = Sight()
    token = await sight.ledger.lease("me", 10_000)
    first = alert_of(id="e1.1", episode="e1", asset=ALL, at=NOW - HOUR)
    line = alert_of(id="e2.1", episode="e2", asset="BTC", parent="e1", at=NOW - 2 * MINUTE)
    last = alert_of(id="e1.2", episode="e1", asset=ALL, phase=Phase.CLOSED, at=NOW - MINUTE)
    await sight.ledger.commit(token, {}, [first, line, last])
    picture = (await shown(sight)).picture

    assert [one.id for one in lists.told(picture, ALL)] == ["e1.2", "e1.1"]
    assert [one.id for one in lists.told(picture, "BTC")] == ["e2.1"]
    assert lists.alerts(picture, ALL, words).count("<li") == 2
    assert words.no_alert in lists.alerts(picture, "ETH", words)


async def test_the_tape_is_newest_first_and_of_the_asset():
    sight = Sight()
    await sight.heard(order(1e6, ago=9 * MINUTE), order(2e6, ago=MINUTE), order(3e6, ago=2 * MINUTE, asset="ETH"))
    everything, coin = await shown(sight), await shown(sight, "ETH")

    assert [one.usd for one in everything.market(ALL).tape] == [2e6, 3e6, 1e6]
    assert [one.usd for one in coin.market("ETH").tape] == [3e6]


async def test_what_venues_send_is_escaped():
    sight = Sight()
    await sight.heard(order(symbol="<img src=x onerror=alert(1)>", venue="okx"))
    html = lists.tape((await shown(sight)).market(ALL), ENGLISH)

    assert "<img" not in html
    assert "&lt;img" in html


async def test_a_coin_called_like_markup_cannot_be_picked():
    sight = Sight()
    await sight.heard(order(asset="<b>x"), order(asset="SOL"), order(asset="BTC"), order(asset="币安人生"))

    assert (await shown(sight)).assets == ("BTC", "SOL", "币安人生")


@WORDS
async def test_a_venue_that_is_not_live_says_why(words):
    sight = Sight()
    away = SocketHealth(venue="okx", socket="swap-0", state=FeedState.DOWN, since=NOW, reason="closed <1006>")
    sight.reports[2] = msgspec.structs.replace(
        sight.reports[2], state=FeedState.DOWN, sockets=(away,), last_order_at=None, live_share_1h=None
    )
    row = lists.venues((await shown(sight)).picture, words).split("<tr>")[-1]

    assert words.states[FeedState.DOWN] in row
    assert "closed &lt;1006&gt;" in row
    assert row.count("—") == 2


async def test_a_rehearsal_and_a_service_that_is_not_ready_say_so():
    sight = Sight(simulated=True)
    sight.reasons = ["no venue is live"]
    areas = (await shown(sight)).areas(ALL, ENGLISH)
    real = (await shown(Sight())).areas(ALL, ENGLISH)

    assert areas["simulation"].startswith("SIMULATION")
    assert "no venue is live" in areas["unready"]
    assert real["simulation"] == real["unready"] == ""


async def test_a_hundred_pages_share_one_picture():
    sight = Sight()
    watch = Watch(sight)
    pictures = await asyncio.gather(*(watch.need(ALL) for _ in range(100)))

    assert len({id(picture) for picture in pictures}) == 1
    assert len(sight.ledger.asked) == 1
    seen = Shown(pictures[0])
    assert seen.areas(ALL, ENGLISH) is seen.areas(ALL, ENGLISH)
    assert seen.chart(ALL, ENGLISH) is seen.chart(ALL, ENGLISH)


async def test_only_what_somebody_looks_at_is_read():
    sight = Sight()
    await sight.heard(order(), order(asset="ETH", symbol="ETHUSDT"))
    watch = Watch(sight)
    watch.looked["ETH"] += 1
    await watch.need("BTC")
    await watch.take()

    assert set(watch.picture.markets) == {"ETH"}
    assert set(watch.picture.assets) == {"BTC", "ETH"}


async def test_a_store_that_is_away_leaves_the_old_picture_and_its_time(caplog):
    sight = Sight()
    watch = Watch(sight)
    watch.looked[ALL] += 1
    await watch.take()
    before = watch.picture
    sight.ledger.down = True
    await watch.take()
    await watch.take()
    assert watch.picture is before
    assert caplog.text.count("does not answer") == 1

    sight.ledger.down = False
    await watch.take()
    assert watch.picture.taken == before.taken + 1


async def test_a_picture_follows_an_alert_within_a_second():
    sight = Sight()
    watch = Watch(sight)
    watch.looked[ALL] += 1
    told: list[int] = []
    running = asyncio.create_task(watch.run(lambda picture: told.append(len(picture.alerts))))
    await asyncio.sleep(0.05)
    token = await sight.ledger.lease("me", 10_000)
    await sight.ledger.commit(token, {}, [alert_of(asset=ALL)])
    sight.bell.ring()
    await asyncio.sleep(0.6)
    running.cancel()

    assert told[0] == 0
    assert told[-1] == 1


async def test_nothing_is_read_while_nobody_looks():
    sight = Sight()
    running = asyncio.create_task(Watch(sight).run(lambda _: None))
    await asyncio.sleep(0.4)
    running.cancel()

    assert sight.ledger.asked == []


@pytest.mark.parametrize("words", [ENGLISH, CHINESE])
def test_without_a_picture_every_area_is_there_and_no_number_is(words):
    areas = Shown(None).areas(ALL, words)

    assert set(areas) >= {"numbers", "tape", "venues", "clock", "episodes", "alerts", "unready"}
    assert not re.search(
        r"\d", plain(areas["numbers"] + areas["tape"] + areas["venues"]).replace("24", "").replace("1", "")
    )


def test_both_languages_say_everything_in_words_of_their_own():
    same = {"other_code"}
    for one in fields(ENGLISH):
        mine, other = getattr(ENGLISH, one.name), getattr(CHINESE, one.name)
        assert callable(mine) is callable(other)
        if isinstance(mine, str) and one.name not in same:
            assert mine != other, one.name
    assert not re.search(r"[\u4e00-\u9fff]", repr(ENGLISH).replace("中文", ""))


def test_the_price_is_that_of_the_contract_quoted_most():
    prices = Prices(2 * HOUR)
    prices.see([order(ago=ago * MINUTE, price=100.0 + ago) for ago in range(5)], NOW)
    prices.see([order(symbol="1000BTC", venue="okx", price=0.1)], NOW)
    name, line = prices.line()
    assert name == "binance BTCUSDT"
    assert line[(NOW - 3 * MINUTE) // MINUTE * MINUTE] == 103.0

    prices.see([], NOW + 3 * HOUR)
    assert prices.line() == ("", {})


def test_without_the_extra_the_door_stays_as_it_is_and_says_how_to_get_the_board(monkeypatch, caplog):
    monkeypatch.setattr(board, "find_spec", lambda _: None)
    door = object()
    with caplog.at_level("INFO"):
        assert board.dressed(door, Sight()) is door
    assert "make run EXTRA=board" in caplog.text


@pytest.mark.parametrize(
    ("asked", "cookie", "accepts", "spoken"),
    [
        ("", "", "", "en"),
        ("", "", "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("", "", "de-DE,zh;q=0.5", "zh"),
        ("", "cascade_lang=en", "zh-CN", "en"),
        ("zh", "cascade_lang=en", "en-US", "zh"),
        ("xx", "cascade_lang=<b>", "fr", "en"),
    ],
)
def test_the_language_is_the_one_asked_for_then_the_one_remembered_then_the_browsers(asked, cookie, accepts, spoken):
    front = pytest.importorskip("service.board.front", reason="the extra `board` is not installed")
    assert front.language(asked, Headers({"cookie": cookie, "accept-language": accepts})) == spoken


@WORDS
async def test_what_stands_beside_the_market_is_shown_with_its_age(words):
    sight = Sight()
    sight.beside = {ALL: beside.full(ALL), "BTC": beside.unknown("BTC")}
    known, unknown = [(await shown(sight, asset)).areas(asset, words)["beside"] for asset in (ALL, "BTC")]

    for fact in words.standing(beside.full(ALL)):
        assert all(part in plain(known) for part in (fact.head, fact.said, *fact.notes))
    assert known.count("class='fact ") == 7
    assert " unknown'" not in known
    assert words.no_forecast in plain(known)
    assert re.search("has not been shown to forecast|尚未证明有预测能力", plain(known))
    assert unknown.count(" unknown'") == 6, "an old day is shown, and shown as old"
    assert beside.REFUSED in plain(unknown)
    assert not re.search(r"[$≈ >]0[ <%]", unknown)


@WORDS
async def test_where_context_is_switched_off_the_card_says_so_and_nothing_else_changes(words):
    sight = Sight()
    seen = await shown(sight)
    assert plain(seen.areas(ALL, words)["beside"]) == words.no_context
    assert plain(Shown(None).areas(ALL, words)["beside"]) == words.waiting


async def test_seconds_that_pass_do_not_send_the_card_anew():
    sight = Sight()
    sight.beside = {ALL: beside.full(ALL)}
    first = (await shown(sight)).areas(ALL, ENGLISH)["beside"]
    later = beside.full(ALL)
    sight.beside = {ALL: beside.partly(later, now=later.now + 5_000)}
    assert (await shown(sight)).areas(ALL, ENGLISH)["beside"] == first


async def test_a_hostile_reason_stays_text():
    sight = Sight()
    sight.beside = {ALL: beside.unknown(ALL, missing={"rates": "<script>alert(1)</script>"})}
    html = (await shown(sight)).areas(ALL, ENGLISH)["beside"]
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
