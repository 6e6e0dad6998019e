"""The life of a venue's sockets, on real ones: dial, hello, acks, heartbeat, watch, redial."""

import asyncio
import gc
import logging
import random
import time
from contextlib import suppress
from itertools import pairwise

import pytest
from websockets.exceptions import ConnectionClosed

from service import metrics
from service.feed import RETIRED, Knobs
from service.feed.dial import MAX_WIRE_BYTES
from service.model import BadFrame, FeedState, Instrument, Print
from service.venues.base import Heartbeat
from tests.toyvenue import KNOBS, ORIGIN, SPEED, Link, Peer, Stage, ToyVenue, accept, plan, playing, until

CONNECTING, LIVE, SILENT, REFUSED, DOWN = FeedState


def value(name: str, **labels: str) -> float | None:
    return metrics.REGISTRY.get_sample_value(name, {"venue": "toy", **labels})


def bad(stage: Stage) -> list[BadFrame]:
    return [item for item in stage.items if isinstance(item, BadFrame)]


async def silent_peer(link: Link, text: str) -> None:
    """Hears, never answers."""


# -- hello


async def test_orders_arrive_once_the_subscription_is_accepted():
    async with Peer() as peer, playing(plan(peer, key="happy", topics=("a", "b"))) as stage:
        await until(lambda: LIVE in stage.states)
        await peer.links[0].say("p 1", "p 2", "p 3")
        await until(lambda: len(stage.orders) == 3)
        assert stage.orders == ["1", "2", "3"]
        assert peer.links[0].heard == ["sub a 1", "sub b 1"]
        assert [(record.state, record.reason) for record in stage.health] == [(CONNECTING, ""), (LIVE, "")]
        assert all(ORIGIN <= item.seen <= ORIGIN + 600_000 for item in stage.items if isinstance(item, Print))
    assert value("cascade_feed_state_bool", socket="happy", state="live") == 1
    assert value("cascade_feed_state_bool", socket="happy", state="connecting") == 0
    assert value("cascade_feed_changes_total", socket="happy", state="live") == 1
    assert value("cascade_dials_total", socket="happy") == 1
    assert value("cascade_frames_total", socket="happy") == 5


async def test_a_subscription_needs_every_ack_or_the_socket_is_dialed_again():
    async def first_answers_half(link: Link, text: str) -> None:
        if link.number > 1 or text.startswith("sub a"):
            await link.say("ok")

    async with Peer(first_answers_half) as peer, playing(plan(peer, topics=("a", "b"))) as stage:
        await until(lambda: LIVE in stage.states)
        assert stage.states == [CONNECTING, DOWN, LIVE]
        assert stage.health[1].reason == "the subscription was not accepted within 0.4 s"
        assert peer.open == [2]


async def test_hello_frames_keep_the_gap_the_venue_wants():
    at: list[float] = []

    async def note(link: Link, text: str) -> None:
        at.append(time.monotonic())
        await link.say("ok")

    async with Peer(note) as peer, playing(plan(peer, topics=("a", "b", "c"), hello_gap_s=6.0)) as stage:
        await until(lambda: LIVE in stage.states)
    assert all(later - earlier > 0.05 for earlier, later in pairwise(at))


async def test_a_fatal_refusal_is_loud_and_asked_again_slowly():
    async def refuse(link: Link, text: str) -> None:
        await link.say("no")

    async with Peer(refuse) as peer, playing(plan(peer)) as stage:
        await until(lambda: len(peer.links) == 2)
        assert stage.states == [CONNECTING, REFUSED]
        assert stage.health[1].reason == "no such topic in the book"
        assert stage.dice.tops[0] == 30
        assert peer.links[1].opened_at - peer.links[0].opened_at >= 30 / SPEED
        await until(lambda: len(stage.dice.tops) == 2)
        assert stage.dice.tops == [30, 60]
        assert stage.states == [CONNECTING, REFUSED], "asking again is no news"
        await until(lambda: len(bad(stage)) == 2)
        assert {(item.reason, item.detail, item.frame) for item in bad(stage)} == {
            ("refused", "no such topic in the book", "no")
        }


async def test_a_part_refused_is_kept_and_the_rest_goes_on():
    async with Peer() as peer, playing(plan(peer)) as stage:
        await until(lambda: LIVE in stage.states)
        await peer.links[0].say("no part", "p 1")
        await until(lambda: stage.orders)
        assert [(item.reason, item.detail, item.frame) for item in bad(stage)] == [
            ("refused", "no such topic in the book", "no part")
        ]
        assert stage.states == [CONNECTING, LIVE]
        assert peer.open == [1]


async def test_a_refusal_after_the_acceptance_costs_nothing_but_its_frame():
    before = value("cascade_bad_frames_total", reason="refused") or 0
    async with Peer() as peer, playing(plan(peer)) as stage:
        await until(lambda: LIVE in stage.states)
        await peer.links[0].say("p 1", "no", "p 2")
        await until(lambda: len(stage.orders) == 2)
        assert [(item.reason, item.detail, item.frame) for item in bad(stage)] == [
            ("refused", "no such topic in the book", "no")
        ]
        await asyncio.sleep(0.3)
        assert stage.states == [CONNECTING, LIVE]
        assert (peer.open, len(peer.links)) == ([1], 1)
    assert value("cascade_bad_frames_total", reason="refused") == before + 1


# -- back-off


async def test_a_peer_that_accepts_and_closes_is_not_hammered():
    async def close(link: Link, text: str) -> None:
        await link.say("ok")
        await link.ws.close(1001)

    async with Peer(close) as peer, playing(plan(peer)) as stage:
        await until(lambda: len(peer.links) == 6)
        assert stage.dice.tops[:5] == [1, 2, 4, 8, 16], "an accepted subscription alone must not reset the back-off"
        gaps = [later - earlier for earlier, later in pairwise(peer.dialed_at)]
        assert all(gap >= 2**attempt / SPEED for attempt, gap in enumerate(gaps[:5]))
        assert {record.state for record in stage.health} == {CONNECTING, LIVE, DOWN}
        assert "the connection was lost: received 1001" in stage.health[2].reason


async def test_a_settled_life_starts_the_back_off_afresh():
    async def close_three_times(link: Link, text: str) -> None:
        await accept(link, text)
        if link.number <= 3:
            await link.ws.close()

    async with Peer(close_three_times) as peer, playing(plan(peer)) as stage:
        await until(lambda: peer.open == [4])
        assert stage.dice.tops == [1, 2, 4]
        await asyncio.sleep(35 / SPEED)
        await peer.links[3].ws.close()
        await until(lambda: peer.open == [5])
        assert stage.dice.tops == [1, 2, 4, 1]


async def test_a_life_shorter_than_settled_does_not():
    async def close_three_times(link: Link, text: str) -> None:
        await accept(link, text)
        if link.number <= 3:
            await link.ws.close()

    async with Peer(close_three_times) as peer, playing(plan(peer), knobs=Knobs(settled_after_s=600)) as stage:
        await until(lambda: peer.open == [4])
        await asyncio.sleep(35 / SPEED)
        await peer.links[3].ws.close()
        await until(lambda: peer.open == [5])
        assert stage.dice.tops == [1, 2, 4, 8]


async def test_a_blocked_address_is_refused_and_says_so():
    async with Peer() as peer:
        peer.statuses = [(451, {})]
        async with playing(plan(peer)) as stage:
            await until(lambda: LIVE in stage.states)
            assert stage.states == [CONNECTING, REFUSED, LIVE]
            assert stage.health[1].reason == "geo-blocked or forbidden (HTTP 451)"
            assert stage.dice.tops == [30]


async def test_retry_after_is_honoured_by_every_socket_of_the_venue():
    async with Peer() as peer:
        peer.statuses = [(429, {"Retry-After": "60"})]
        knobs = Knobs(refused_first_s=1)
        async with playing(plan(peer), plan(peer, key="two"), knobs=knobs) as stage:
            await until(lambda: peer.open == [1, 2])
            told, *others = peer.dialed_at
            # the second socket may have been under way when the first was told
            assert max(others) - told >= 60 / SPEED
            assert "too many requests (HTTP 429), told to wait 60 s" in {record.reason for record in stage.health}


async def test_a_server_that_asks_for_time_gets_it_and_no_other_socket_waits():
    async with Peer() as peer:
        peer.statuses = [(503, {"Retry-After": "60"})]
        async with playing(plan(peer, key="first"), plan(peer, key="second")) as stage:
            await until(lambda: peer.open == [1, 2])
            assert max(peer.dialed_at) - peer.dialed_at[0] >= 60 / SPEED
            assert peer.links[0].opened_at - peer.dialed_at[0] < 0.9
            assert "unavailable (HTTP 503), told to wait 60 s" in {record.reason for record in stage.health}


async def test_a_held_pace_holds_sockets_that_come_later():
    async with Peer() as peer:
        peer.statuses = [(418, {"Retry-After": "60"})]
        venue = ToyVenue(lambda found: [plan(peer, key="one"), plan(peer, key="two")][: 1 + len(found)])
        async with playing(venue=venue, knobs=Knobs(refused_first_s=1)) as stage:
            await until(lambda: DOWN in stage.states)
            await stage.feeds.replan([instrument("A")])
            await until(lambda: peer.open == [1, 2])
            assert all(at - peer.dialed_at[0] >= 60 / SPEED for at in peer.dialed_at[1:])


async def test_dials_of_one_venue_keep_their_distance():
    async with Peer() as peer:
        plans = [plan(peer, key=f"shard-{place}") for place in range(4)]
        async with playing(venue=ToyVenue(lambda _: plans, dial_gap_s=12.0)):
            await until(lambda: len(peer.open) == 4)
    assert all(later - earlier >= 0.15 for earlier, later in pairwise(peer.dialed_at))


# -- liveness


async def test_heartbeats_go_both_ways():
    async with Peer() as peer:
        beats = plan(peer, key="beats", heartbeat=Heartbeat(text="ping", every_s=3))
        async with playing(beats) as stage:
            await until(lambda: LIVE in stage.states)
            link = peer.links[0]
            await asyncio.wait_for(await link.ws.ping(), 2)
            await link.say("ask", "pong")
            await until(lambda: link.heard.count("ping") >= 2 and "answer 1" in link.heard)
            await until(lambda: value("cascade_pong_age_seconds", socket="beats") is not None)
            assert 0 <= value("cascade_frame_age_seconds", socket="beats") < 600
            assert value("cascade_control_age_seconds", socket="beats") is None, "unknown is not zero"


async def test_a_half_open_peer_is_found_and_left():
    async with Peer() as peer, playing(plan(peer)) as stage:
        await until(lambda: LIVE in stage.states)
        peer.links[0].ws.transport.pause_reading()
        await until(lambda: stage.states[-1] is LIVE and len(peer.links) == 2)
        assert stage.states == [CONNECTING, LIVE, DOWN, LIVE]
        assert stage.health[2].reason == "the connection is dead: no pong within 0.4 s"


def age(stage: Stage) -> float:
    """Real seconds since the venue was last heard."""
    heard = stage.feeds.heard_at()
    assert heard is not None
    return (stage.feeds._kit.clock.now() - heard) / 1_000 / SPEED


async def test_a_venue_is_heard_as_long_as_frames_or_pongs_come():
    slow = Knobs(ack_within_s=0.4, ping_every_s=3_600)
    for knobs, words in ((slow, ("c", "p 1")), (KNOBS, ())):
        async with Peer() as peer, playing(plan(peer), knobs=knobs) as stage:
            assert stage.feeds.heard_at() is None
            await until(lambda stage=stage: LIVE in stage.states)
            for _ in range(6):
                await asyncio.sleep(0.1)
                await peer.links[0].say(*words)
                await asyncio.sleep(0.1)
                assert 0 <= age(stage) < 0.9
            assert stage.feeds._kit.clock.now() - ORIGIN > 60_000, "long enough to tell a fresh sign from the first"


async def test_with_a_control_stream_only_it_and_orders_prove_that_a_venue_is_heard():
    """Neither an acceptance nor pongs: a server may shake hands, answer pings, and have no data behind it."""
    async with Peer() as peer, playing(plan(peer, control_max_age_s=600)) as stage:
        await until(lambda: LIVE in stage.states)
        await asyncio.sleep(0.5)
        assert stage.feeds.heard() is None
        before = stage.feeds._kit.clock.now()
        await peer.links[0].say("c")
        await until(lambda: stage.feeds.heard() is not None)
        since, first = stage.feeds.heard() or (0, 0)
        assert since >= before - 100, "since its first word, not since the acceptance half a minute before"
        await asyncio.sleep(0.5)
        assert abs((stage.feeds.heard_at() or 0) - first) <= 100, "a pong is no sign of life here"
        await peer.links[0].say("p 1")
        await until(lambda: (stage.feeds.heard_at() or 0) > first + 10_000)
        assert abs((stage.feeds.heard() or (0, 0))[0] - since) <= 100


async def test_a_half_open_peer_is_not_heard_any_more_and_the_venue_is_as_its_quietest_socket():
    async with Peer() as peer:
        patient = Knobs(ack_within_s=0.4, ping_every_s=6, pong_within_s=600)
        async with playing(plan(peer, key="one"), plan(peer, key="two"), knobs=patient) as stage:
            await until(lambda: stage.states.count(LIVE) == 2)
            peer.links[0].ws.transport.pause_reading()
            await asyncio.sleep(0.2)
            before, then = stage.feeds.heard_at(), age(stage)
            await asyncio.sleep(0.8)
            await peer.links[1].say("p 1")
            assert before is not None
            assert abs((stage.feeds.heard_at() or 0) - before) <= 5
            assert age(stage) >= then + 0.7


async def test_a_venue_with_a_socket_that_is_not_accepted_is_not_heard():
    async def second_is_silent(link: Link, text: str) -> None:
        if link.number != 2:
            await accept(link, text)

    async with Peer(second_is_silent) as peer, playing(plan(peer, key="one"), plan(peer, key="two")) as stage:
        await until(lambda: LIVE in stage.states and len(peer.links) == 2)
        assert stage.feeds.heard_at() is None
        await until(lambda: stage.states.count(LIVE) == 2)
        await until(lambda: stage.feeds.heard_at() is not None)
        peer.answer = silent_peer
        peer.links[0].ws.transport.abort()
        await until(lambda: stage.feeds.heard_at() is None)


async def test_silence_of_orders_alone_is_no_illness():
    async with Peer() as peer, playing(plan(peer)) as stage:
        await until(lambda: LIVE in stage.states)
        await asyncio.sleep(1.0)
        assert stage.states == [CONNECTING, LIVE]
        assert peer.open == [1]


async def test_a_quiet_control_stream_makes_a_healthy_socket_silent_until_it_speaks():
    async with Peer() as peer, playing(plan(peer, control_max_age_s=0.4)) as stage:
        await until(lambda: LIVE in stage.states)
        began = time.monotonic()
        await until(lambda: SILENT in stage.states)
        assert time.monotonic() - began > 0.3, "the first word has its time as well"
        assert stage.health[-1].reason == "the control stream has said nothing for more than 0.4 s"
        await peer.links[0].say("p 1")
        await until(lambda: stage.orders)
        assert stage.states[-1] is SILENT, "an order is no word of the control stream"
        await peer.links[0].say("c")
        await until(lambda: stage.states[-1] is LIVE)
        assert stage.states == [CONNECTING, LIVE, SILENT, LIVE]
        assert peer.open == [1]


async def test_a_long_silence_replaces_the_connection():
    async def second_speaks(link: Link, text: str) -> None:
        await accept(link, text)
        if link.number == 2:
            await link.say("c")

    knobs = Knobs(silent_redial_s=48)
    async with Peer(second_speaks) as peer, playing(plan(peer, control_max_age_s=0.4), knobs=knobs) as stage:
        await until(lambda: stage.states[-1:] == [SILENT])
        assert len(peer.links) == 1
        await until(lambda: stage.states[-1] is LIVE)
        await until(lambda: peer.open == [2])
        assert peer.links[1].opened_at - peer.links[0].opened_at >= 48 / SPEED
        assert stage.states == [CONNECTING, LIVE, SILENT, LIVE]


async def test_a_silent_successor_changes_nothing_and_is_tried_ever_more_rarely():
    knobs = Knobs(silent_redial_s=30)
    async with Peer() as peer, playing(plan(peer, control_max_age_s=0.3), knobs=knobs) as stage:
        await until(lambda: len(peer.links) == 4, within=10)
        assert stage.states == [CONNECTING, LIVE, SILENT]
        assert 1 in peer.open
        assert stage.dice.tops == [1, 2]
        await peer.links[0].say("c", "p 1")
        await until(lambda: stage.states[-1] is LIVE and stage.orders == ["1"])


async def test_a_stall_of_our_own_is_not_the_venues_silence():
    async def speak(link: Link, text: str) -> None:
        await link.say("ok", "c")

    async with Peer(speak) as peer, playing(plan(peer, control_max_age_s=1.0)) as stage:
        await until(lambda: LIVE in stage.states)
        time.sleep(1.6)  # noqa: ASYNC251  # the whole process stands still
        for _ in range(4):
            await asyncio.sleep(0.1)
            await peer.shout("c")
        assert stage.states == [CONNECTING, LIVE]


# -- replacement


async def numbered(peer: Peer) -> None:
    for number in range(100_000):
        await peer.shout(f"p {number}")
        await asyncio.sleep(0.003)


def complete(stage: Stage) -> bool:
    """Every number from the first to the last is there."""
    seen = {int(name) for name in stage.orders}
    return seen == set(range(min(seen), max(seen) + 1))


async def test_a_planned_reconnect_overlaps_and_loses_nothing():
    async def late_ack(link: Link, text: str) -> None:
        link.accepted = True
        await asyncio.sleep(0.05)
        await link.say("ok")

    async with Peer(late_ack) as peer, playing(plan(peer, lifetime_s=30)) as stage:
        await until(lambda: LIVE in stage.states)
        teller = asyncio.create_task(numbered(peer))
        await until(lambda: len(peer.links) >= 3 and len(peer.open) == 1)
        teller.cancel()
        await asyncio.sleep(0.05)
        assert complete(stage)
        assert len(stage.orders) - len(set(stage.orders)) >= 10, "both connections deliver for a while"
        assert stage.states == [CONNECTING, LIVE]
        assert stage.dice.tops[:2] == [1.02, 1.02], "planned ends are spread"


async def test_a_successor_that_fails_leaves_the_old_connection_at_work():
    async with Peer() as peer, playing(plan(peer, lifetime_s=30)) as stage:
        await until(lambda: LIVE in stage.states)
        peer.statuses = [(503, {}), (451, {})]
        teller = asyncio.create_task(numbered(peer))
        await until(lambda: peer.open == [2])
        teller.cancel()
        await asyncio.sleep(0.05)
        assert complete(stage)
        assert stage.states == [CONNECTING, LIVE]
        assert stage.dice.tops[1:3] == [1, 60]


async def test_an_order_only_the_old_connection_has_is_still_read_after_the_change():
    async def first_knows_more(link: Link, text: str) -> None:
        await accept(link, text)
        if link.number == 2:
            await asyncio.sleep(0.02)
            await peer.links[0].say("p 1")

    async with Peer(first_knows_more) as peer, playing(plan(peer)) as stage:
        await until(lambda: LIVE in stage.states)
        await peer.links[0].say("leave")
        await until(lambda: peer.open == [2])
        assert stage.orders == ["1"]


async def test_a_venue_that_announces_its_leave_is_left_first():
    async with Peer() as peer, playing(plan(peer)) as stage:
        await until(lambda: LIVE in stage.states)
        teller = asyncio.create_task(numbered(peer))
        await peer.links[0].say("leave")
        await until(lambda: peer.open == [2])
        teller.cancel()
        await asyncio.sleep(0.05)
        assert complete(stage)
        assert stage.states == [CONNECTING, LIVE]


async def test_losing_the_old_one_while_its_successor_is_on_the_way_is_a_gap_and_says_so():
    async def second_waits(link: Link, text: str) -> None:
        if link.number != 2:
            await accept(link, text)

    async with Peer(second_waits) as peer, playing(plan(peer), knobs=Knobs(ack_within_s=5)) as stage:
        await until(lambda: LIVE in stage.states)
        await peer.links[0].say("leave")
        await until(lambda: len(peer.links) == 2 and peer.links[1].heard)
        await peer.links[0].ws.close(1012)
        await until(lambda: stage.states[-1] is DOWN)
        await peer.links[1].say("ok")
        await until(lambda: stage.states[-1] is LIVE)
        assert stage.states == [CONNECTING, LIVE, DOWN, LIVE]
        assert len(peer.links) == 2


async def test_a_late_word_of_an_old_connection_is_not_said_on_the_new_one():
    async with Peer() as peer, playing(plan(peer), room=3, drained=False) as stage:
        await until(lambda: stage.queue.qsize() == 2)
        await peer.links[0].say("leave", "p 1", "p 2 ask")
        await until(lambda: len(peer.links) == 2 and peer.links[1].accepted)
        await asyncio.sleep(0.1)
        drain = asyncio.create_task(stage.drain())
        await until(lambda: peer.open == [2] and stage.orders == ["1", "2"])
        await peer.links[1].say("ask")
        await until(lambda: "answer 2" in peer.links[1].heard)
        drain.cancel()
        assert [text for text in peer.links[1].heard if not text.endswith(" 2")] == []


# -- replan


def instrument(symbol: str) -> Instrument:
    return Instrument(venue="toy", symbol=symbol, asset=symbol, contract="linear", size=1.0)


async def test_replan_starts_stops_and_replaces_sockets():
    async with Peer() as peer:

        def plans(found):
            names = tuple(each.symbol for each in found)
            return [plan(peer, key="kept"), *([plan(peer, key="some", topics=names)] if names else [])]

        async with playing(venue=ToyVenue(plans)) as stage:
            await until(lambda: stage.states == [CONNECTING, LIVE])
            await stage.feeds.replan([instrument("A")])
            await until(lambda: peer.open == [1, 2] and stage.states.count(LIVE) == 2)
            assert peer.links[1].heard == ["sub A 2"]

            await stage.feeds.replan([instrument("A"), instrument("B")])
            await until(lambda: peer.open == [1, 3])
            assert peer.links[2].heard == ["sub A 3", "sub B 3"]
            assert len(stage.health) == 4, "a replacement that works is no news"

            await stage.feeds.replan([])
            await until(lambda: peer.open == [1])
            await until(lambda: len(stage.health) == 5)
            last = stage.health[-1]
            assert (last.socket, last.state, last.reason) == ("some", DOWN, RETIRED)
            assert value("cascade_feed_state_bool", socket="some", state="live") is None
            assert value("cascade_frame_age_seconds", socket="some") is None
            assert peer.links[0].heard == ["sub all 1"], "the kept socket was left alone"


async def test_replan_before_run_is_followed():
    async with Peer() as peer:
        venue = ToyVenue(lambda found: [plan(peer, topics=tuple(each.symbol for each in found))])
        async with playing(venue=venue) as stage:
            await stage.feeds.replan([instrument("A"), instrument("B")])
            await until(lambda: LIVE in stage.states)
        assert peer.links[0].heard == ["sub A 1", "sub B 1"]


async def test_two_plans_of_one_name_are_refused():
    async with Peer() as peer:
        venue = ToyVenue(lambda found: [plan(peer), plan(peer)][: 1 + len(found)])
        async with playing(venue=venue) as stage:
            with pytest.raises(ValueError, match="toy plans two sockets named 'one'"):
                await stage.feeds.replan([instrument("A")])


# -- hostile frames


async def test_bad_frames_are_kept_and_cost_nothing_but_themselves(caplog):
    async with Peer() as peer, playing(plan(peer)) as stage:
        await until(lambda: LIVE in stage.states)
        link = peer.links[0]
        await link.say("garbage", "[" * 500_000, b"\x1f\x8b\x00", "x" * 10_000_000, "bug", "bug", "p 1")
        await link.ws.send(b"\xff\xfe", text=True)
        await link.say("p 2")
        await until(lambda: len(stage.orders) == 2)
        kept = bad(stage)
        reasons = ["decode", "decode", "decode", "too_long", "bug", "bug", "decode"]
        assert [item.reason for item in kept] == reasons
        assert max(len(item.frame) for item in kept) == 4_096
        assert kept[2].frame == "\x1f\\x8b\x00"
        assert kept[3].detail == "10000000 bytes, at most 1000000 are decoded"
        assert "KeyError" in kept[4].detail
        assert stage.states == [CONNECTING, LIVE]
        assert peer.open == [1]
    errors = [record for record in caplog.records if record.levelno == logging.ERROR and record.name == "cascade.feed"]
    assert len(errors) == 1, "the same bug is told once"


async def test_a_bad_row_is_kept_with_its_frame_and_the_others_go_on():
    before = value("cascade_bad_frames_total", reason="decode") or 0
    async with Peer() as peer, playing(plan(peer)) as stage:
        await until(lambda: LIVE in stage.states)
        await peer.links[0].say("half 7", "p 8")
        await until(lambda: len(stage.orders) == 2)
        assert stage.orders == ["7", "8"]
        assert [(item.reason, item.frame, item.detail) for item in bad(stage)] == [
            ("decode", "half 7", "row 1: no price")
        ]
        assert peer.open == [1]
    assert value("cascade_bad_frames_total", reason="decode") == before + 1


@pytest.mark.parametrize(
    "frame", ["x" * (MAX_WIRE_BYTES + 1), random.Random(1).randbytes(MAX_WIRE_BYTES + 1)], ids=["squeezed", "whole"]
)
async def test_a_frame_above_the_sockets_own_limit_is_counted(frame):
    before = value("cascade_bad_frames_total", reason="too_long") or 0
    async with Peer() as peer, playing(plan(peer), knobs=Knobs()) as stage:
        await until(lambda: LIVE in stage.states)
        await peer.links[0].say("p 1")
        with suppress(ConnectionClosed):
            await peer.links[0].say(frame)
        await until(lambda: DOWN in stage.states)
        assert stage.orders == ["1"]
        await until(lambda: bad(stage))
        assert [(item.reason, item.frame) for item in bad(stage)] == [("too_long", "")]
        assert str(MAX_WIRE_BYTES) in bad(stage)[0].detail
        assert value("cascade_bad_frames_total", reason="too_long") == before + 1
        await until(lambda: stage.states[-1] is LIVE)


async def test_a_peer_that_finds_our_words_too_long_is_no_bad_frame():
    async with Peer() as peer, playing(plan(peer)) as stage:
        await until(lambda: LIVE in stage.states)
        await peer.links[0].ws.close(1009)
        await until(lambda: stage.states[-2:] == [DOWN, LIVE])
        assert bad(stage) == []


async def test_a_flood_of_garbage_is_counted_and_thinned():
    before = value("cascade_bad_frames_total", reason="decode") or 0
    async with Peer() as peer, playing(plan(peer)) as stage:
        await until(lambda: LIVE in stage.states)
        await peer.links[0].say(*["garbage"] * 2_000, "p 1")
        await until(lambda: stage.orders)
        assert value("cascade_bad_frames_total", reason="decode") == before + 2_000
        assert 20 <= len(bad(stage)) < 100


# -- the queue and the end


async def test_a_full_queue_makes_the_feed_wait_and_nothing_is_lost():
    async with Peer() as peer:
        beats = plan(peer, heartbeat=Heartbeat(text="ping", every_s=6), control_max_age_s=0.4)
        async with playing(beats, room=10, drained=False) as stage:
            await until(lambda: peer.links and peer.links[0].accepted)
            link = peer.links[0]
            await link.say("c", *[f"p {number}" for number in range(100)])
            await until(stage.queue.full)
            heard = len(link.heard)
            await asyncio.wait_for(await link.ws.ping(), 2)
            sending = asyncio.create_task(link.say(*[f"p {number}" for number in range(100, 3_000)]))
            await asyncio.sleep(1.2)
            assert len(link.heard) >= heard + 5, "heartbeats go on"
            assert stage.queue.qsize() == 10

            drain = asyncio.create_task(stage.drain())
            await until(lambda: len(stage.orders) == 3_000)
            await sending
            await link.say("c")
            await asyncio.sleep(0.3)
            drain.cancel()
            assert stage.orders == [str(number) for number in range(3_000)]
            assert stage.states == [CONNECTING, LIVE], "a queue of ours is not the venue's illness"
            assert peer.open == [1]


async def test_frames_sent_before_a_close_are_all_read():
    async with Peer() as peer, playing(plan(peer), room=5, drained=False) as stage:
        await until(lambda: peer.links and peer.links[0].accepted)
        await peer.links[0].say(*[f"p {number}" for number in range(200)])
        closing = asyncio.create_task(peer.links[0].ws.close())
        await asyncio.sleep(0.3)
        drain = asyncio.create_task(stage.drain())
        await until(lambda: len(stage.orders) == 200)
        await closing
        drain.cancel()


@pytest.mark.parametrize("rude", [False, True])
async def test_cancelling_closes_everything_within_a_second(rude):
    before = asyncio.all_tasks()
    async with Peer() as peer:
        served = asyncio.all_tasks()
        plans = [plan(peer, key=f"shard-{place}", lifetime_s=3_600) for place in range(5)]
        async with playing(*plans) as stage:
            await until(lambda: len(peer.open) == 5 and stage.states.count(LIVE) == 5)
            if rude:
                for link in peer.links:
                    link.ws.transport.pause_reading()
            began = time.monotonic()
            stage.task.cancel()
            await asyncio.wait((stage.task,))
            assert time.monotonic() - began < 1.0
            if not rude:
                await until(lambda: peer.open == [])
                left = {task.get_name() for task in asyncio.all_tasks() - served - {asyncio.current_task()}}
                assert len(left) == 1, f"only the drain of this test is left, not {left}"
    gc.collect()
    await until(lambda: asyncio.all_tasks() <= before)


async def test_a_dead_port_is_down_until_it_answers():
    async with Peer() as peer:
        gone = plan(peer)
    async with playing(gone) as stage:
        await until(lambda: len(stage.dice.tops) >= 3)
        assert stage.states[:2] == [CONNECTING, DOWN]
        assert set(stage.states[1:]) == {DOWN}
        assert stage.health[1].reason.startswith("cannot connect: ConnectionRefusedError")
