"""Our sums beside a venue's own: over real HTTP, on a clock that is moved by hand; and what may go wrong on the way."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from service import metrics
from service.model import HOUR, MINUTE, SECOND, Contract, DecodeError, Instrument, Liquidation, Reconciled, Side
from service.reconcile import Reconcile, Reconciler
from service.reconcile.sums import DAY, KEPT, Day, OwnSums
from service.reconcile.venue import MOST_CONTRACTS, TRIES
from service.venues import VENUES
from service.venues.base import ContractStats, Tally
from service.venues.okx import Okx
from tests.orders import T0, order
from tests.test_instruments import Answer, Shop, opened

FIVE = 5 * MINUTE
START = T0 - T0 % FIVE
STATS = ContractStats()
#: The sample of the venue's page, and a later row: the newest one is an early reading.
DOCUMENTED = {
    "time": 1603865400,
    "lsr_taker": 100,
    "lsr_account": 0.5,
    "long_liq_size": 0,
    "short_liq_size": 0,
    "open_interest": 124724,
    "short_liq_usd": 0,
    "mark_price": "8865",
    "top_lsr_size": 1.02,
    "short_liq_amount": 0,
    "long_liq_amount": 0,
    "open_interest_usd": 1511,
    "top_lsr_account": 1.5,
    "long_liq_usd": 0,
}


def row(since: int, long_usd: float | str = 0, short_usd: float | str = 0) -> dict[str, object]:
    return DOCUMENTED | {"time": since // SECOND, "long_liq_usd": long_usd, "short_liq_usd": short_usd}


def read(*rows: dict[str, object]) -> Sequence[Tally]:
    url = STATS.ask({"rest": "http://h"}, "BTC_USDT", START)
    return STATS.read(url, json.dumps(rows).encode())


def test_contract_stats_asks_for_the_interval_and_the_one_that_proves_it_final() -> None:
    for symbol, settle in (("BTC_USDT", "usdt"), ("BTC_USD1", "usd1"), ("BTC_USD", "btc")):
        url = urlsplit(STATS.ask({"rest": "https://api.gateio.ws"}, symbol, START))
        assert url.path == f"/api/v4/futures/{settle}/contract_stats"
        query = {name: value for name, [value] in parse_qs(url.query).items()}
        assert query == {"contract": symbol, "from": str(START // SECOND), "interval": "5m", "limit": "4"}


def test_contract_stats_reads_every_row_but_the_newest() -> None:
    newest, first, second = row(START + 2 * FIVE, 9e9), row(START, 1.5, "2.5"), row(START + FIVE, 7)

    told = read(newest, first, second)

    fields = {"symbol": "BTC_USDT", "since": START, "until": START + FIVE, "long_usd": 1.5, "short_usd": 2.5}
    assert told[0] == Tally(**fields)
    assert [tally.since for tally in told] == [START, START + FIVE]
    assert read(first) == []
    assert read() == []
    assert len(read(DOCUMENTED, first)) == 1


@pytest.mark.parametrize(
    "broken",
    [
        row(START, "many"),
        row(START, -1),
        row(START, "nan"),
        row(START, 0, "inf"),
        row(0),
        {"time": START // SECOND, "long_liq_usd": 1},
    ],
)
def test_contract_stats_refuses_what_is_not_documented(broken: dict[str, object]) -> None:
    with pytest.raises(DecodeError):
        read(broken, row(START + FIVE), row(START + 2 * FIVE))
    with pytest.raises(DecodeError):
        STATS.read("http://h?contract=X", b'{"label":"INVALID_PARAM_VALUE"}')


class Gate(Okx):
    """A venue that publishes sums; of the rest nothing is asked here."""

    name = "gate"
    tallies = STATS


class Stepped:
    """A clock that stands, and is moved on by everybody who sleeps on it."""

    speed = 1.0

    def __init__(self, now: int = START) -> None:
        self.at, self.until = now, now
        self.slept: list[float] = []
        self.moved = asyncio.Event()
        self.rests = False
        """Whether somebody waits for the clock to be moved."""

    def now(self) -> int:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        while self.at + seconds * SECOND > self.until:
            self.moved.clear()
            self.rests = True
            await self.moved.wait()
        self.rests = False
        self.at += round(seconds * SECOND)
        await asyncio.sleep(0)

    def grace(self, seconds: float) -> float:
        return seconds


def listed(symbol: str, asset: str) -> Instrument:
    return Instrument(venue="gate", symbol=symbol, asset=asset, contract=Contract.LINEAR, size=1.0)


class Bench:
    """A reconciler at work against a shop that tells sums."""

    def __init__(self, shop: Shop, client: httpx.AsyncClient) -> None:
        self.shop, self.clock = shop, Stepped()
        self.live_since: int | None = START
        contracts = [listed("BTC_USDT", "BTC"), listed("ETH_USDT", "ETH"), listed("X_USDT", "X")]
        self.one = Reconciler(
            Gate(), {"rest": shop.url}, self.clock, client, lambda: contracts, lambda: self.live_since
        )

    def tell(self, symbol: str, *rows: dict[str, object], since: int = START, **changes: object) -> None:
        path = STATS.ask({"rest": ""}, symbol, since)
        self.shop.put(path, list(rows), **changes)

    def told_final(self, symbol: str, long_usd: float, short_usd: float, since: int = START) -> None:
        self.tell(symbol, row(since, long_usd, short_usd), row(since + FIVE), since=since)

    def counted(self, usd: float, symbol: str = "BTC_USDT", at: int = START + 1, **changes: object) -> Liquidation:
        made = order(usd, at, venue="gate", symbol=symbol, **changes)
        self.one.counted([made])
        return made

    async def until(self, minutes: float) -> None:
        """Let the clock run on to so many minutes from the start."""
        self.clock.until = START + round(minutes * MINUTE)
        self.clock.rests = False
        self.clock.moved.set()
        for _ in range(2_500):
            await asyncio.sleep(0.002)
            if self.clock.rests:
                return
        raise AssertionError(f"still at work at {self.clock.at}")


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with opened() as shop, httpx.AsyncClient(trust_env=False) as client:
        bench = Bench(shop, client)
        task = asyncio.create_task(bench.one.run())
        yield bench
        task.cancel()
        await asyncio.wait((task,))


async def test_the_same_contracts_and_intervals_are_compared(bench: Bench) -> None:
    bench.counted(60.0, side=Side.LONG)
    bench.counted(30.0, side=Side.SHORT)
    bench.counted(10.0, symbol="DOGE_USDT")
    bench.counted(500.0, at=START - 1)
    bench.one.counted([order(1e6, START + 1, venue="okx", symbol="BTC_USDT")])
    bench.told_final("BTC_USDT", 60.0, 40.0)
    bench.told_final("DOGE_USDT", 0.0, 10.0)
    bench.told_final("ETH_USDT", 0.0, 15.0)
    await bench.until(12)

    assert bench.one.reconciled == Reconciled(
        ours_usd=100.0, theirs_usd=125.0, ratio=0.8, since=START, until=START + FIVE
    )
    asked = [parse_qs(urlsplit(path).query)["contract"][0] for path in bench.shop.asked]
    assert asked == ["BTC_USDT", "DOGE_USDT", "ETH_USDT"], "the largest first; BTC and ETH even without an order"
    assert sample("ratio") == 0.8
    assert (sample("usd", side="long", source="ours"), sample("usd", side="long", source="theirs")) == (60, 60)
    assert (sample("usd", side="short", source="ours"), sample("usd", side="short", source="theirs")) == (40, 65)


def sample(name: str, **labels: str) -> float | None:
    return metrics.REGISTRY.get_sample_value(f"cascade_reconciliation_{name}", {"venue": "gate", **labels})


async def test_an_order_counts_once_though_it_came_twice(bench: Bench) -> None:
    bench.counted(60.0)
    bench.counted(60.0)
    bench.told_final("BTC_USDT", 0.0, 60.0)
    await bench.until(12)

    assert bench.one.reconciled is not None
    assert bench.one.reconciled.ratio == 1


async def test_nothing_is_asked_before_the_sums_are_final(bench: Bench) -> None:
    bench.counted(60.0)
    await bench.until(10.9)

    assert bench.shop.asked == []
    assert bench.one.reconciled is None


@pytest.mark.parametrize("since", [None, START + 1])
async def test_an_interval_that_was_not_heard_whole_is_not_compared(bench: Bench, since: int | None) -> None:
    bench.live_since = since
    bench.counted(60.0)
    bench.counted(70.0, at=START + FIVE)
    await bench.until(4)
    bench.told_final("BTC_USDT", 0.0, 100.0)
    bench.told_final("BTC_USDT", 0.0, 70.0, since=START + FIVE)
    await bench.until(9)
    bench.live_since = START + 1
    await bench.until(17)

    assert bench.one.reconciled is not None
    assert (bench.one.reconciled.since, bench.one.reconciled.ratio) == (START + FIVE, 1.0)


async def test_a_row_that_is_not_final_is_not_compared(bench: Bench) -> None:
    bench.counted(60.0)
    bench.tell("BTC_USDT", row(START, 0, 8))
    await bench.until(12)

    assert bench.one.reconciled is None
    assert sample("ratio") is None


async def test_nothing_published_has_no_ratio(bench: Bench) -> None:
    bench.counted(60.0)
    bench.told_final("BTC_USDT", 0, 0)
    await bench.until(12)

    assert bench.one.reconciled is not None
    assert bench.one.reconciled.ratio is None
    assert sample("ratio") is None
    assert sample("usd", side="short", source="ours") == 60


async def test_the_venues_wish_to_be_left_alone_is_honoured_and_the_question_repeated(bench: Bench) -> None:
    bench.counted(60.0)
    bench.tell("BTC_USDT", row(START), status=429, Retry_After="77")
    bench.told_final("ETH_USDT", 0, 0)
    await bench.until(11.9)
    assert 77 in bench.clock.slept
    bench.told_final("BTC_USDT", 0, 60.0)
    await bench.until(14)

    assert bench.one.reconciled is not None
    assert bench.one.reconciled.ratio == 1
    assert bench.clock.slept.count(STATS.gap_s) >= 2, "questions are paced"


@pytest.mark.parametrize("status", [500, 429])
async def test_a_venue_that_fails_is_given_up_for_this_interval_only(
    bench: Bench, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    bench.counted(60.0)
    bench.counted(70.0, at=START + FIVE)
    bench.tell("BTC_USDT", row(START), status=status)
    bench.told_final("BTC_USDT", 0, 70.0, since=START + FIVE)
    await bench.until(19)

    assert bench.one.reconciled is not None
    assert (bench.one.reconciled.since, bench.one.reconciled.ratio) == (START + FIVE, 1.0)
    first = [path for path in bench.shop.asked if f"from={START // SECOND}&" in path]
    assert len(first) == TRIES
    assert caplog.text.count("its own sums could not be had") == 1
    assert "?***" in caplog.text


async def test_a_contract_the_venue_does_not_know_spoils_no_other(bench: Bench) -> None:
    bench.counted(60.0, symbol="GONE_USDT")
    bench.counted(50.0, symbol="BTC_USDT")
    bench.tell("GONE_USDT", row(START), status=400)
    bench.told_final("BTC_USDT", 0, 50.0)
    await bench.until(12)

    assert bench.one.reconciled is not None
    assert bench.one.reconciled.ours_usd == 50


@pytest.mark.parametrize("answer", [(200, {}, b'{"label":"?"}'), "hang up"], ids=["another shape", "a dead line"])
async def test_what_is_no_answer_is_survived(bench: Bench, answer: Answer | str) -> None:
    bench.counted(60.0)
    bench.shop.answers[STATS.ask({"rest": ""}, "BTC_USDT", START)] = answer
    await bench.until(14)
    assert len(bench.shop.asked) == TRIES
    bench.counted(70.0, at=START + 2 * FIVE)
    bench.told_final("BTC_USDT", 0, 70.0, since=START + 2 * FIVE)
    await bench.until(23)

    assert bench.one.reconciled is not None
    assert bench.one.reconciled.ratio == 1


async def test_a_ratio_far_from_one_is_said_once_and_so_is_its_end(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "cascade.reconcile")
    for number, ours in enumerate((1e5, 1e5, 9e6)):
        since = START + number * FIVE
        bench.counted(ours, at=since)
        bench.told_final("BTC_USDT", 0, 4e5 if ours < 1e6 else 9e6, since=since)
    await bench.until(13)
    await bench.until(18)
    assert caplog.text.count("do not agree") == 1
    await bench.until(23)

    assert [record.levelname for record in caplog.records if "sums" in record.message] == ["WARNING", "INFO"]
    assert "agree again" in caplog.text


async def test_a_small_sum_is_no_reason_to_complain(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.counted(10.0)
    bench.told_final("BTC_USDT", 0, 1e5)
    await bench.until(13)

    assert bench.one.reconciled is not None
    assert "do not agree" not in caplog.text


async def test_the_number_of_questions_is_bounded(bench: Bench) -> None:
    for number in range(100):
        bench.counted(1e3 + number, symbol=f"C{number}_USDT")
        bench.told_final(f"C{number}_USDT", 0, 1e3 + number)
    await bench.until(14)

    assert len(bench.shop.asked) == MOST_CONTRACTS
    assert "contract=C99_USDT&" in bench.shop.asked[0]


def test_a_contract_of_the_day_is_asked_for_again_and_forgotten_after_it() -> None:
    own = OwnSums(FIVE)
    own.add([order(1.0, START, symbol="A"), order(1.0, START + HOUR, symbol="B")])

    own.trim(START + 2 * HOUR)
    assert own.symbols == ["B", "A"]
    assert own.take(START) == {"A": {Side.LONG: 0, Side.SHORT: 10_000}}
    assert own.take(START) == {}
    own.trim(START + HOUR + KEPT)
    assert own.take(START + HOUR) == {}, "what nobody took is not kept for ever"
    own.trim(START + DAY)
    assert own.symbols == ["B"]
    own.trim(START + 2 * DAY)
    assert own.symbols == []


def test_a_day_holds_a_day() -> None:
    day, none = Day(), dict.fromkeys(Side, 0)
    for hour in range(30):
        since = START + hour * HOUR
        day.add(
            Tally(symbol="A", since=since, until=since + FIVE, long_usd=1.0, short_usd=0.1), {**none, Side.LONG: 5_000}
        )
    day.trim(START + 30 * HOUR)

    found = day.reconciled()
    assert found is not None
    assert (found.theirs_usd, found.ours_usd) == (26.4, 12.0)
    assert found.since >= START + 30 * HOUR - DAY
    day.trim(START + 60 * HOUR)
    assert day.reconciled() is None


@asynccontextmanager
async def all_of_it(**knobs: str) -> AsyncIterator[Reconcile]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield Reconcile(Stepped(), client, lambda: None, **knobs)


async def test_only_venues_that_publish_sums_are_compared() -> None:
    with pytest.raises(ValueError, match="okx publishes no sums"):
        Reconciler(Okx(), {}, Stepped(), httpx.AsyncClient(), list, lambda: None)
    async with all_of_it(url="http://h", key="") as found:
        found.watch(Gate(), {"rest": "http://h"}, list, lambda: None)
        found.watch(Okx(), {}, list, lambda: None)
        found.counted([order(1.0, venue="gate"), order(1.0, venue="okx")])

        assert (found.of("gate"), found.of("okx"), found.opinion()) == (None, None, None)
        task = asyncio.create_task(found.run())
        await asyncio.sleep(0.01)
        assert not task.done()
        task.cancel()
        await asyncio.wait((task,))


def test_every_venues_sums_are_bounded_in_pace_and_patience() -> None:
    for venue in [*VENUES.values(), Gate()]:
        if venue.tallies is not None:
            assert venue.tallies.gap_s > 0
            assert DAY % (venue.tallies.interval_s * SECOND) == 0
            assert venue.tallies.delay_s < HOUR / SECOND


def test_what_was_compared_is_shown_as_it_is() -> None:
    found = Reconciled(ours_usd=1.0, theirs_usd=0.0, ratio=None, since=START, until=START + FIVE)

    assert msgspec.json.decode(msgspec.json.encode(found)) == {
        "ours_usd": 1.0,
        "theirs_usd": 0.0,
        "ratio": None,
        "since": START,
        "until": START + FIVE,
    }
