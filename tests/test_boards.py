"""The memories of records between readings: first from the ledger's hours, then kept up, stored and taken up again."""

from service.detector import Claim
from service.detector.records import DAY, standing
from service.model import ALL, HOUR, MINUTE
from service.pipeline import Boards
from tests.orders import T0, order

NOON = T0 // DAY * DAY + DAY // 2


def boards(ledger) -> Boards:
    return Boards(ledger, lambda _now: "bybit:complete")


async def observe(found: Boards, ledger, now: int, usd: float, asset: str = "BTC") -> set[str]:
    added = await ledger.add([order(usd=usd, at=now, asset=asset)], now)
    return await found.observe(added.readings, {})


def days(found: Boards, asset: str = ALL) -> list[tuple[int, float]]:
    return [(peak.at, peak.usd) for peak in standing(found.of(asset), "day", "short")]


async def test_readings_fill_the_memory_of_their_market_and_of_all(ledger):
    found = boards(ledger)

    assert await observe(found, ledger, NOON, 7) == {ALL, "BTC"}
    assert await observe(found, ledger, NOON + DAY, 3, "ETH") == {ALL, "ETH"}

    assert days(found) == [(NOON + DAY, 3), (NOON, 7)]
    assert (days(found, "BTC"), days(found, "ETH")) == ([(NOON, 7)], [(NOON + DAY, 3)])
    assert found.of("SOL") is None
    claim = Claim(measure="24h", side="short", usd=5, onset=NOON + 2 * DAY)
    assert found.since(ALL, claim).usd == 7
    assert found.since("SOL", claim) is None


async def test_a_first_memory_comes_from_the_hours_and_knows_that_nobody_noted_who_was_counted(ledger):
    for hours, usd in [(-400, 50), (-90, 20)]:
        await ledger.add([order(usd=usd, at=NOON + hours * HOUR)], NOON)
    found = boards(ledger)
    await observe(found, ledger, NOON, 1)

    assert [usd for _, usd in days(found)] == [1, 20, 50]
    told = found.since(ALL, Claim(measure="day", side="short", usd=30, onset=NOON))
    assert (told.usd, told.comparable) == (50, False)
    assert (told.first_at, found.of(ALL).alike_since) == ((NOON - 400 * HOUR) // HOUR * HOUR, NOON)


async def test_the_last_minute_of_a_day_is_in_its_total(ledger):
    found, midnight = boards(ledger), NOON + DAY // 2
    await observe(found, ledger, NOON, 7)
    for late, usd in [(-50_000, 10), (-20_000, 20), (-1, 40)]:
        await observe(found, ledger, midnight + late, usd)
    await observe(found, ledger, midnight + 5_000, 1)

    assert days(found) == [(NOON + DAY, 1), (NOON, 77)]


async def test_a_day_is_not_added_up_at_every_reading(ledger, monkeypatch):
    asked, history = [], ledger.history

    async def counting(asset, since, until):
        asked.append(asset)
        return await history(asset, since, until)

    monkeypatch.setattr(ledger, "history", counting)
    found = boards(ledger)
    for second in range(59):
        await observe(found, ledger, NOON + second * 1_000, 1)
    assert asked == [ALL, ALL, "BTC", "BTC"]

    await observe(found, ledger, NOON + MINUTE, 1)
    assert asked[4:] == [ALL, "BTC"]
    assert days(found) == [(NOON, 60)]


async def test_what_was_stored_goes_on_after_a_restart(ledger):
    found = boards(ledger)
    await observe(found, ledger, NOON, 7)
    again = boards(ledger)
    again.load({asset: found.stored(asset) for asset in (ALL, "BTC")} | {"ETH": b"{}}"})
    for one in (found, again):
        await observe(one, ledger, NOON + DAY, 3)

    assert [again.of(asset) for asset in (ALL, "BTC")] == [found.of(asset) for asset in (ALL, "BTC")]
    assert again.of("ETH") is None
    assert again.stored("ETH") is None


async def test_nothing_to_note_changes_nothing(ledger):
    found = boards(ledger)
    await observe(found, ledger, NOON, 7)
    readings = await ledger.read([ALL], NOON + 10_000)

    assert await found.observe(readings, {}) == await found.observe([], {}) == set()


async def test_what_lies_behind_a_long_silence_of_the_service_is_not_comparable(ledger):
    found = boards(ledger)
    await observe(found, ledger, NOON, 7)
    await observe(found, ledger, NOON + 3 * HOUR, 1, "ETH")
    claim = Claim(measure="24h", side="short", usd=5, onset=NOON + 3 * DAY)
    assert found.since("BTC", claim).comparable is True

    await observe(found, ledger, NOON + 7 * HOUR + 1, 1, "ETH")

    assert found.since("BTC", claim).comparable is False
    assert found.since("BTC", claim).usd == 7
    assert found.since("ETH", Claim(measure="24h", side="short", usd=1, onset=NOON + 3 * DAY)).comparable is False


async def test_only_a_few_coins_begin_their_memory_in_one_round(ledger):
    """Each of them asks for months of hours: all at once would take longer than a lease lasts."""
    found = boards(ledger)
    coins = [f"C{number}" for number in range(8)]
    begun = []
    for _ in range(3):
        await found.observe(await ledger.read([ALL, *coins], NOON), {"C7": NOON})
        begun.append(sum(found.of(coin) is not None for coin in coins))

    assert begun == [4, 7, 8], "the one with an open event at once"
    assert found.of(ALL)
