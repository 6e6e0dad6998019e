"""How much of a span was heard, by venue and asset, and that an hour filled in later opens no stale episode."""

import msgspec
import pytest

from service.detector import Rules, State, step
from service.instruments import Book
from service.ledger.memory import MemoryLedger
from service.model import (
    ALL,
    HOUR,
    MINUTE,
    Completeness,
    Contract,
    FeedState,
    Gap,
    Instrument,
    Phase,
    Reading,
    Side,
    SocketHealth,
    Totals,
)
from service.outpost import Listings
from service.pipeline import Cover, Health, Heard
from service.pipeline.late import LATE_MS, Late
from tests.orders import T0, order

NOW = T0 + HOUR


def health(**kinds: Completeness) -> Health:
    found = Health({name: lambda _at, kind=kind: kind for name, kind in kinds.items()}, Heard(lambda _v, now: (0, now)))
    for name in kinds:
        found.told(SocketHealth(venue=name, socket="all", state=FeedState.LIVE, since=T0))
    return found


THREE = {"bybit": Completeness.COMPLETE, "okx": Completeness.PARTIAL, "deribit": Completeness.COMPLETE}


async def cover(ledger: MemoryLedger, listing=lambda _asset: ()) -> Cover:
    found = Cover(ledger, health(**THREE), listing)
    await found.refresh(NOW)
    return found


async def test_an_asset_is_covered_by_the_venues_that_list_it_and_no_others():
    ledger = MemoryLedger()
    await ledger.mark_live(["bybit", "okx"], T0 - MINUTE, NOW)
    heard = await cover(ledger, lambda asset: {"PEPE": ["bybit", "okx"], "BTC": ["bybit", "deribit"]}.get(asset, ()))

    assert heard.of("PEPE", "1h", NOW).seconds_share == 1
    assert heard.of("BTC", "1h", NOW).seconds_share == 0.5
    assert heard.of("BTC", "1h", NOW).by_venue == {"bybit": 1, "deribit": 0}
    assert heard.of(ALL, "1h", NOW).seconds_share == pytest.approx(2 / 3)
    assert heard.of("NOBODYKNOWS", "1h", NOW).venues == 3


async def test_a_total_is_a_floor_by_the_venues_that_list_the_asset():
    ledger = MemoryLedger()
    await ledger.mark_live(list(THREE), T0 - MINUTE, NOW)
    heard = await cover(ledger, lambda asset: {"BTC": ["bybit", "deribit"], "PEPE": ["bybit", "okx"]}.get(asset, ()))

    assert (heard.of("BTC", "1h", NOW).at_least, heard.of("BTC", "1h", NOW).leaving_out) == (False, ())
    assert (heard.of("PEPE", "1h", NOW).at_least, heard.of("PEPE", "1h", NOW).leaving_out) == (True, ("okx",))
    assert heard.of("BTC", "4h", NOW).at_least, "three of the four hours were not heard"


async def test_gaps_are_told_by_venue_with_what_became_of_them():
    ledger = MemoryLedger()
    await ledger.mark_live(["bybit"], NOW - 24 * HOUR, NOW - 30 * MINUTE)
    await ledger.mark_healed("bybit", NOW - 30 * MINUTE, NOW - 20 * MINUTE)
    await ledger.mark_live(["bybit"], NOW - 10 * MINUTE, NOW)
    heard = await cover(ledger)

    assert heard.gaps("bybit", NOW) == [
        Gap(since=NOW - 30 * MINUTE, until=NOW - 20 * MINUTE, healed=True),
        Gap(since=NOW - 20 * MINUTE, until=NOW - 10 * MINUTE, healed=False),
    ]
    assert heard.venue("bybit", "1h", NOW) == pytest.approx(5 / 6)
    only = heard.of(ALL, "1h", NOW)
    assert (only.seconds_share, only.healed_share) == (pytest.approx(5 / 18), pytest.approx(1 / 18))


async def test_what_was_read_once_stands_for_its_slot():
    ledger = MemoryLedger()
    heard = await cover(ledger)
    await ledger.mark_live(list(THREE), T0, NOW)
    await heard.refresh(NOW + 9_999)
    assert heard.of(ALL, "1h", NOW).seconds_share == 0
    await heard.refresh(NOW + 10_000)
    assert heard.of(ALL, "1h", NOW + 10_000).seconds_share == pytest.approx(1 - 1 / 360)


class Listed(Book):
    def __init__(self, *assets: str) -> None:
        self._listed = tuple(
            Instrument(venue="x", symbol=one, asset=one, contract=Contract.LINEAR, size=1.0) for one in assets
        )


def test_a_venue_whose_contracts_are_unknown_may_list_anything():
    listings = Listings({"bybit": Listed("BTC", "ETH"), "gate": Listed(), "okx": Listed("ETH")})

    assert listings.venues("BTC") == ["bybit", "gate"]
    assert listings.venues("ETH") == ["bybit", "gate", "okx"]
    assert listings.venues("DOGE") == []


# Late dollars


def test_only_what_is_told_long_after_it_happened_is_late_and_it_leaves_with_its_hour():
    late = Late()
    assert not late.note(order(5.0, T0), T0 + LATE_MS)
    assert late.note(order(7.0, T0), T0 + LATE_MS + 1)
    assert (late.usd("BTC", T0 + 50 * MINUTE), late.usd(ALL, T0 + 50 * MINUTE), late.usd("ETH", T0)) == (7, 7, 0)
    assert late.usd("BTC", T0 + HOUR) == 0


def test_a_new_leader_learns_what_was_late_from_what_was_counted():
    late = Late(1.0, [order(7.0, T0, seen=T0 + 10 * MINUTE), order(5.0, T0, seen=T0 + 3_000)])
    assert late.usd(ALL, T0 + 20 * MINUTE) == 7


RULES = Rules(floors={"ALL": 100e6, "default": 5e6})


def reading(hour: float, quarter: float, late: float, asset: str = ALL) -> Reading:
    def spans(usd: float) -> Totals:
        return Totals(short_usd=usd, short_count=1)

    return Reading(asset=asset, now=NOW, spans={"1h": spans(hour), "15m": spans(quarter)}, late_usd=late)


@pytest.mark.parametrize(
    ("hour", "quarter", "late", "opens"),
    [
        (104e6, 1e6, 0, True),  # the plain rule asks for nothing but the hour
        (104e6, 1e6, 104e6, False),  # an outage ended, the squeeze is over: told an hour late it would be a false alarm
        (104e6, 12e6, 104e6, True),  # it is still running
        (104e6, 1e6, 3e6, True),  # what came in time is enough by itself
        (104e6, 1e6, 5e6, False),
    ],
)
def test_late_dollars_alone_open_no_episode_unless_the_market_is_still_at_it(hour, quarter, late, opens):
    _, verdict = step(State(), reading(hour, quarter, late), RULES)

    assert (verdict is not None) is opens
    assert verdict is None or verdict.phase is Phase.OPENED


def test_the_quarter_must_be_of_the_side_that_dominates():
    spans = {"1h": Totals(short_usd=104e6), "15m": Totals(long_usd=50e6)}
    _, verdict = step(State(), Reading(asset=ALL, now=NOW, spans=spans, late_usd=104e6), RULES)

    assert verdict is None


def test_late_dollars_close_nothing_and_grow_what_is_open():
    state, _ = step(State(), reading(120e6, 60e6, 0), RULES)
    state, verdict = step(state, msgspec.structs.replace(reading(200e6, 1e6, 80e6), now=NOW + 1_000), RULES)

    assert verdict is not None
    assert verdict.phase is Phase.GREW
    assert state.open is not None
    assert state.open.side is Side.SHORT
