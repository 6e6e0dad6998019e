"""One contract for every venue of the table, and what each venue promises beyond it."""

import copy
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import venues
from service.model import Completeness, Contract, DecodeError, FeedRule, Instrument, Liquidation, Print, Side
from service.venues import VENUES, binance, bybit
from service.venues.base import (
    Control,
    Event,
    Leaving,
    Pong,
    Refused,
    Say,
    Spoilt,
    Subscribed,
    Told,
    Venue,
    digest,
    moment,
    number,
    settle,
)
from tests.shared import recorded

FIXTURES = Path(__file__).parent / "fixtures"
ROOM = Path(venues.__file__).parent
SEEN = 1_791_565_600_000


def header(name: str) -> dict[str, Any]:
    with (FIXTURES / "venues" / f"{name}.jsonl").open(encoding="utf-8") as file:
        return json.loads(file.readline())


def lines(name: str) -> list[dict[str, Any]]:
    text = (FIXTURES / "venues" / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()[1:]]


def raw(frame: object) -> str:
    return frame if isinstance(frame, str) else json.dumps(frame, separators=(",", ":"), ensure_ascii=False)


def metadata(name: str) -> dict[str, Instrument]:
    bodies = [(FIXTURES / "instruments" / file).read_bytes() for file in header(name)["instruments"]]
    return {row.symbol: row for body in bodies for row in VENUES[name].instruments(body)[0]}


def prints(events: list[Event] | tuple[Event, ...]) -> list[Print]:
    return [event for event in events if isinstance(event, Print)]


def settled(venue: Venue, order: Print) -> Liquidation:
    instrument = metadata(venue.name).get(order.symbol) or venue.implied(order.symbol)
    assert instrument, f"no metadata for {order.symbol}"
    return settle(order, instrument)


def cases() -> Iterator[Any]:
    for name in VENUES:
        for row, line in enumerate(lines(name), 2):
            yield pytest.param(VENUES[name], line, id=f"{name}:{row}")


every_line = pytest.mark.parametrize(("venue", "line"), list(cases()))
every_object = pytest.mark.parametrize(
    ("venue", "line"), [case for case in cases() if not isinstance(case.values[1]["frame"], str)]
)
every_venue = pytest.mark.parametrize("venue", VENUES.values(), ids=list(VENUES))


def attempt(venue: Venue, frame: str | bytes) -> list[Event]:
    """What a frame yields; a DecodeError is an answer too, any other error is not."""
    try:
        return list(venue.session().decode(frame, SEEN))
    except DecodeError:
        return []


def refused(venue: Venue, frame: object) -> bool:
    """Whether a frame of one row is refused, as a frame or as a row, and nothing else comes of it."""
    try:
        (event,) = venue.session().decode(raw(frame), SEEN)
    except DecodeError:
        return True
    return isinstance(event, Spoilt)


# --- the contract -----------------------------------------------------------------------------------------------------


def untold(events: Iterable[Event]) -> list[Event]:
    """Without what a control stream tells beside being alive: tests/test_tickers_*.py are about that."""
    return [event for event in events if not isinstance(event, Told)]


@every_line
def test_a_line_decodes_to_exactly_what_it_says(venue: Venue, line: dict[str, Any]) -> None:
    if "DecodeError" in line.get("yields", ()):
        with pytest.raises(DecodeError):
            venue.session().decode(raw(line["frame"]), line["seen"])
        return
    events = venue.session().decode(raw(line["frame"]), line["seen"])
    found = [settled(venue, order) for order in prints(list(events))]
    assert len(found) == len(line["expect"])
    for liquidation, expected in zip(found, line["expect"], strict=True):
        assert (liquidation.venue, liquidation.seen) == (venue.name, line["seen"])
        assert (liquidation.symbol, liquidation.asset) == (expected["symbol"], expected["asset"])
        assert (liquidation.side, liquidation.at) == (Side(expected["side"]), expected["at"])
        assert liquidation.price == expected["price"]
        assert liquidation.quantity == pytest.approx(expected["quantity"], rel=1e-12)
        assert liquidation.usd == pytest.approx(expected["usd"], rel=1e-12)
    others = [type(event).__name__ for event in untold(events) if not isinstance(event, Print)]
    assert others == line.get("yields", [])


@every_line
def test_bytes_and_text_decode_alike_and_to_the_same_ids(venue: Venue, line: dict[str, Any]) -> None:
    text = raw(line["frame"])
    first, second = prints(attempt(venue, text)), prints(attempt(venue, text.encode()))
    assert first == second
    assert len({order.id for order in first}) == len(first)
    assert all(re.fullmatch("[0-9a-f]{16}", order.id) for order in first)


@every_line
def test_a_truncated_line_is_an_error_or_no_order(venue: Venue, line: dict[str, Any]) -> None:
    text = raw(line["frame"]).encode()
    for cut in {*range(0, len(text), 7), *range(max(0, len(text) - 12), len(text))}:
        assert not prints(attempt(venue, text[:cut])), text[:cut]


def told(order: Print) -> tuple[object, ...]:
    return (order.symbol, order.side, order.price, order.quantity, order.at)


def leaves(node: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    if isinstance(node, dict | list):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from leaves(value, (*path, key))


def at(frame: Any, path: tuple[str | int, ...]) -> object:
    for key in path:
        frame = frame[key]
    return frame


def numeric(value: object) -> bool:
    """A JSON number; where a venue writes numbers as text, a number in their place is another type."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def swapped(frame: Any, path: tuple[str | int, ...], value: object) -> Any:
    changed = copy.deepcopy(frame)
    node = changed
    for key in path[:-1]:
        node = node[key]
    node[int(path[-1]) if isinstance(node, list) else path[-1]] = value  # a fixture's header spells a place as text
    return changed


OTHERS = (
    "",
    "x",
    "-1",
    "0",
    "NaN",
    "Infinity",
    "-0.5",
    "1_000",
    0,
    -1,
    1.5,
    1e300,
    10**30,
    True,
    None,
    [],
    {},
    [1],
    {"a": 1},
)


@every_object
def test_a_swapped_type_never_makes_a_different_order(venue: Venue, line: dict[str, Any]) -> None:
    """A field that is read breaks its row or the frame, one that is not read changes nothing."""
    frame = line["frame"]
    wanted = Counter(told(order) for order in prints(attempt(venue, raw(frame))))
    either = header(venue.name).get("either", ())
    for path in leaves(frame):
        for other in OTHERS:
            if numeric(at(frame, path)) and numeric(other) and abs(other) < 1e15:
                continue  # another number is another order
            if path[-1] in either and (numeric(other) or other in ("-1", "-0.5")):
                continue  # this venue writes it as a number or as text, below zero or above
            # A name is free text: another one is another contract, not a wrong order.
            orders = [o for o in prints(attempt(venue, raw(swapped(frame, path, other)))) if o.symbol != other]
            assert Counter(map(told, orders)) <= wanted, (path, other)


@every_object
def test_a_missing_field_never_makes_a_different_order(venue: Venue, line: dict[str, Any]) -> None:
    frame = line["frame"]
    wanted = {told(order) for order in prints(attempt(venue, raw(frame)))}
    for path in leaves(frame):
        changed = copy.deepcopy(frame)
        node = changed
        for key in path[:-1]:
            node = node[key]
        del node[path[-1]]
        for order in prints(attempt(venue, raw(changed))):
            assert told(order) in wanted, path


def of_batch(venue: Venue) -> tuple[Any, list[str | int], dict[str, object]]:
    """A frame of more than one row, where the second stands, and what each of its fields must not be.

    Venues whose frames hold one order say `"batch": null`.
    """
    batch = header(venue.name)["batch"]
    if batch is None:
        pytest.skip("one order a frame")
    frame = next(line["frame"] for line in lines(venue.name) if len(line["expect"]) > 1)
    return frame, batch["path"], batch["values"]


@every_venue
def test_a_bad_row_costs_itself_and_not_the_others(venue: Venue) -> None:
    frame, path, values = of_batch(venue)
    whole = list(venue.session().decode(raw(frame), SEEN))
    for field, value in values.items():
        events = list(venue.session().decode(raw(swapped(frame, (*path, field), value)), SEEN))
        assert [events[0], *events[2:]] == [whole[0], *whole[2:]], field
        assert isinstance(events[1], Spoilt), field
        assert events[1].detail.startswith("row 2: "), field


@every_venue
def test_a_batch_of_another_shape_is_refused_whole(venue: Venue) -> None:
    frame, path, values = of_batch(venue)
    for field in values:
        with pytest.raises(DecodeError):
            venue.session().decode(raw(swapped(frame, (*path, field), None)), SEEN)


@every_venue
def test_fixtures_show_both_sides_and_frames_that_are_no_orders(venue: Venue) -> None:
    found = [expected["side"] for line in lines(venue.name) for expected in line["expect"]]
    assert set(found) == {"long", "short"}
    if not venue.plans(venue.endpoints, list(metadata(venue.name).values())):
        return
    assert {"Control", "Refused"} <= {word for line in lines(venue.name) for word in line.get("yields", ())}
    acks = [line for line in lines(venue.name) if not line["expect"] and line.get("yields", []) in ([], ["Subscribed"])]
    assert acks


@every_venue
def test_every_fixture_line_says_where_it_comes_from_and_why_it_is_there(venue: Venue) -> None:
    head = header(venue.name)
    assert (head["venue"], head["docs"]) == (venue.name, venue.docs)
    assert set(head["sources"]) == set(head["instruments"])
    for line in lines(venue.name):
        assert re.match("captured|documented|synthetic|fixture", line["source"]), line["source"]
        assert line["why"]


@every_venue
def test_hello_is_said_and_nothing_is_subscribed_before_it_is_answered(venue: Venue) -> None:
    for plan in venue.plans(venue.endpoints, list(metadata(venue.name).values())):
        assert plan.venue == venue.name
        assert plan.url.startswith("wss://")
        session = venue.session(plan)
        assert session.hello(SEEN)
        for line in lines(venue.name):
            if line["expect"] or line.get("yields") == ["Control"]:
                events = session.decode(raw(line["frame"]), SEEN)
                assert not any(isinstance(event, Subscribed) for event in events)


@every_venue
def test_plan_keys_are_unique_and_plans_are_the_same_when_asked_again(venue: Venue) -> None:
    listed = list(metadata(venue.name).values())
    plans = venue.plans(venue.endpoints, listed)
    assert len({plan.key for plan in plans}) == len(plans)
    assert plans or (venue.history and venue.history.poll_s), "a venue nobody can hear"
    assert venue.plans(venue.endpoints, listed) == plans
    assert all(plan.control_max_age_s for plan in plans)


@every_venue
def test_endpoints_can_be_overridden(venue: Venue) -> None:
    local = {key: f"ws://localhost:1/{key}" for key in venue.endpoints}
    plans = venue.plans(local, list(metadata(venue.name).values()))
    assert all(plan.url.startswith("ws://localhost:1/") for plan in plans)
    assert all(url.startswith("ws://localhost:1/") for url in venue.catalogue(local))


@every_venue
def test_metadata_is_typed_and_broken_metadata_is_a_decode_error(venue: Venue) -> None:
    rows = metadata(venue.name)
    if not venue.catalogue(venue.endpoints):
        return
    assert rows
    assert all(row.venue == venue.name and row.size > 0 and row.asset for row in rows.values())
    for file in header(venue.name)["instruments"]:
        body = (FIXTURES / "instruments" / file).read_bytes()
        for cut in range(0, len(body) - 2, 97):
            with pytest.raises(DecodeError):
                venue.instruments(body[:cut])
    for body in (b"", b"[]", b"{}", b'{"symbols":1}', b"null", b'{"code":"50011","msg":"Too many"}', b"[" * 100_000):
        with pytest.raises(DecodeError):
            venue.instruments(body)


@every_venue
def test_a_row_is_a_file_a_fixture_and_a_line_of_the_truth_table(venue: Venue) -> None:
    assert (ROOM / f"{venue.name}.py").is_file()
    assert (FIXTURES / "venues" / f"{venue.name}.jsonl").is_file()
    assert re.search(rf"^\| `{venue.name}` \|", (ROOM / "README.md").read_text(encoding="utf-8"), re.MULTILINE)


def test_files_fixtures_and_truth_table_name_no_venue_without_a_row() -> None:
    files = {path.stem for path in ROOM.glob("*.py")} - {"__init__", "forceorder"}
    fixtures = {path.stem for path in (FIXTURES / "venues").glob("*.jsonl")}
    told = set(re.findall(r"^\| `(\w+)` \|", (ROOM / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert files == fixtures == told == set(VENUES)
    used = {file for name in VENUES for file in header(name)["instruments"]}
    assert {path.name for path in (FIXTURES / "instruments").glob("*.json")} == used


#: By collected file, its orders in turn: symbol, side of the position, dollars, time. The dollars were worked out by
#: hand by the venue's own formula: filled x average fill, 100 USD a contract of COIN-M, v x p, contracts x value x bkPx.
RECORDED = [(name, file) for name in VENUES for file in header(name)["collected"]]


def collected(file: str, *kinds: str) -> list[Any]:
    """Raw frames of these kinds from a file of the collection."""
    rows = [json.loads(row) for row in recorded(f"frames/{file}.jsonl").read_text(encoding="utf-8").splitlines()]
    return [row["raw"] for row in rows if row["kind"] in kinds]


def valued(order: Print) -> Liquidation:
    """By a multiplier the fixture states, by the fixture's metadata, or by the form of the name."""
    stated = header(order.venue)["sizes"].get(order.symbol)
    instrument = metadata(order.venue).get(order.symbol) or VENUES[order.venue].implied(order.symbol)
    if stated:
        instrument = Instrument(
            venue=order.venue, symbol=order.symbol, asset="X", contract=Contract(stated[0]), size=stated[1]
        )
    assert instrument, f"no multiplier for {order.symbol}"
    return settle(order, instrument)


@pytest.mark.parametrize(("name", "file"), RECORDED)
def test_every_frame_collected_in_research_decodes_to_its_side_dollars_and_time(name: str, file: str) -> None:
    session = VENUES[name].session()
    found: list[Liquidation] = []
    # venues without a socket were collected as answers of their history, and say so
    for frame in collected(file, *header(name).get("kinds", ("event", "ack", "error"))):
        if isinstance(frame, dict) and str(frame.get("topic", "")).startswith("liquidation."):
            with pytest.raises(DecodeError, match="retired"):
                session.decode(raw(frame), SEEN)
        else:
            found += map(valued, prints(list(session.decode(raw(frame), SEEN))))
    found += map(valued, session.farewell())
    expected = header(name)["collected"][file]
    assert [[row.symbol, row.side.value, row.at] for row in found] == [
        [symbol, side, at or SEEN] for symbol, side, _, at in expected
    ]
    assert [row.usd for row in found] == pytest.approx([usd for _, _, usd, _ in expected], rel=1e-12)


@pytest.mark.parametrize("file", ["bybit", "okx", "bitget"])
def test_a_heartbeat_of_our_own_in_a_recording_means_nothing(file: str) -> None:
    ours = [frame for frame in collected(file, "ping") if frame == "ping" or "success" not in frame]
    assert ours
    for frame in ours:
        for form in (raw(frame), raw(frame).encode()):
            assert list(VENUES[file].session().decode(form, SEEN)) == []


# --- control frames ---------------------------------------------------------------------------------------------------


def control_frames() -> Iterator[Any]:
    """The fixtures' own, and the forms of Binance's unwrapped streams."""
    for name in VENUES:
        for line in lines(name):
            if line.get("yields") == ["Control"]:
                yield pytest.param(VENUES[name], raw(line["frame"]), id=f"{name}:{raw(line['frame'])[:34]}")
                if name == "binance":
                    yield pytest.param(VENUES[name], raw(line["frame"]["data"]), id="binance:unwrapped")


every_control = pytest.mark.parametrize(("venue", "text"), list(control_frames()))


@every_control
def test_a_control_frame_is_a_sign_of_life_only_when_it_is_whole(venue: Venue, text: str) -> None:
    for form in (text, text + " \r\n"):
        assert untold(venue.session().decode(form, SEEN)) == [Control()]
        assert untold(venue.session().decode(form.encode(), SEEN)) == [Control()]
    for cut in range(len(text)):
        for part in (text[:cut], text[:cut].encode()):
            with pytest.raises(DecodeError):
                venue.session().decode(part, SEEN)


@every_venue
@pytest.mark.parametrize("rest", ["\0garbage", "GARBAGE", " ", "}GARBAGE", "]}GARBAGE"])
def test_a_control_stream_that_only_begins_well_is_refused(venue: Venue, rest: str) -> None:
    """Venues without a socket say `"control": null`."""
    if header(venue.name)["control"] is None:
        assert not venue.plans(venue.endpoints, list(metadata(venue.name).values()))
        return
    with pytest.raises(DecodeError):
        venue.session().decode(header(venue.name)["control"] + rest, SEEN)


# --- hostile frames ---------------------------------------------------------------------------------------------------


@every_venue
@pytest.mark.parametrize(
    "frame",
    [
        b"[" * 100_000,
        b'{"data":' * 100_000,
        b'{"data":' + b"[" * 100_000,
        b'{"x":' * 100_000 + b"1" + b"}" * 100_000,
        b"\xff" * 1_000,
        b'{"e":"forceOrder","o":{"s":"\xff"}}',
        "\ud800",
        '{"topic":"\udc00"}',
        '{"topic":"\\ud800"}',
        "",
        b"",
        "null",
        "{}",
        "1e999",
        " " * 1_000_000,
    ],
    ids=lambda frame: repr(frame[:24]),
)
def test_a_hostile_frame_is_an_error_or_no_order(venue: Venue, frame: str | bytes) -> None:
    assert not prints(attempt(venue, frame))


@every_venue
def test_ten_megabytes_of_one_field_are_an_error_or_no_order(venue: Venue) -> None:
    """`"spelt"` tells how the first order's frame writes its contract and its time, where we write them otherwise."""
    line = next(line for line in lines(venue.name) if line["expect"])
    text, first = raw(line["frame"]), line["expect"][0]
    spelt = {"symbol": first["symbol"], "at": str(first["at"])} | header(venue.name).get("spelt", {})
    assert not prints(attempt(venue, text.replace(spelt["symbol"], "A" * 10_000_000)))
    at = spelt["at"]
    assert at not in text or not prints(attempt(venue, text.replace(at, "1" * 10_000_000)))  # not every feed tells one


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "e",
                    "o",
                    "data",
                    "arg",
                    "topic",
                    "event",
                    "id",
                    "result",
                    "code",
                    "success",
                    "op",
                    "s",
                    "S",
                    "T",
                    "details",
                ]
            )
            | st.text(max_size=3),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200) | json_values.map(json.dumps))
def test_no_frame_raises_anything_but_a_decode_error(frame: str | bytes) -> None:
    for venue in VENUES.values():
        attempt(venue, frame)


@settings(deadline=None)
@given(st.data())
def test_no_mutation_of_a_real_frame_raises_anything_but_a_decode_error(data: st.DataObject) -> None:
    venue = data.draw(st.sampled_from(list(VENUES.values())))
    frame = data.draw(
        st.sampled_from([line["frame"] for line in lines(venue.name) if not isinstance(line["frame"], str)])
    )
    path = data.draw(st.sampled_from(list(leaves(frame))))
    attempt(venue, json.dumps(swapped(frame, path, data.draw(json_values)), separators=(",", ":")))


# --- shared arithmetic ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", "-inf", "0", "-1", "1_0", "１２", "1e15", "1e400"])
def test_what_is_no_plain_rowabove_zero_is_refused_by_name(text: str) -> None:
    with pytest.raises(DecodeError, match=r"o\.z"):
        number(text, "o.z")


def test_numbers_keep_their_value() -> None:
    assert [number(text, "p") for text in ("0.0000001", "1E-8", "83598.50")] == [1e-7, 1e-8, 83598.5]


@pytest.mark.parametrize(
    "value", [0, -1, 1_695_714_031, 1_695_714_031_883_000, "", "-5", "1.5", "1e12", "１", "9" * 40, 10**30]
)
def test_what_is_no_time_in_milliseconds_is_refused_by_name(value: int | str) -> None:
    with pytest.raises(DecodeError, match="ts"):
        moment(value, "ts")


def test_times_keep_their_value() -> None:
    assert moment("1695714031883", "ts") == moment(1695714031883, "ts") == 1695714031883


def test_a_digest_is_of_the_spelling_not_of_the_value() -> None:
    assert digest(("a", 1)) == digest(("a", "1")) != digest(("a", "1.0"))
    assert digest(("ab", "c")) != digest(("a", "bc"))


def test_an_order_of_more_dollars_than_a_venue_holds_is_refused() -> None:
    line = lines("binance")[0]["frame"] | {}
    frame = swapped(line, ("o", "z"), "99999999999999")
    order = prints(list(VENUES["binance"].session().decode(raw(frame), SEEN)))[0]
    with pytest.raises(DecodeError, match="cannot be"):
        settled(VENUES["binance"], order)


@every_venue
def test_every_field_of_an_identity_makes_another_id(venue: Venue) -> None:
    """`"nth"` names the fixture line (from 0) with the order; the first one without it."""
    identity = header(venue.name)["identity"]
    frame = lines(venue.name)[identity.get("nth", 0)]["frame"]
    frames = [frame, *(swapped(frame, (*identity["path"], name), new) for name, new in identity["fields"].items())]
    ids = [order.id for changed in frames for order in prints(attempt(venue, raw(changed)))]
    assert len(set(ids)) == len(frames)


# --- binance ----------------------------------------------------------------------------------------------------------


def test_binance_is_subscribed_when_both_streams_are_acked() -> None:
    venue = VENUES["binance"]
    um, cm = venue.plans(venue.endpoints, ())
    assert (um.key, um.url) == ("um", "wss://fstream.binance.com/market/stream")
    assert (cm.key, cm.url) == ("cm", "wss://dstream.binance.com/stream")
    session = venue.session(cm)
    said = [json.loads(text) for text in session.hello(SEEN)]
    assert [ask["params"] for ask in said] == [["!forceOrder@arr"], ["btcusd_perp@markPrice@1s"]]
    assert session.decode('{"result":null,"id":2}', SEEN) == ()
    assert session.decode('{"result":null,"id":2}', SEEN) == ()
    assert session.decode('{"result":null,"id":7}', SEEN) == ()
    assert session.decode('{"result":null,"id":1}', SEEN) == (Subscribed(),)
    assert session.decode('{"result":null,"id":1}', SEEN) == ()


@pytest.mark.parametrize(
    "answer",
    ['{"error":{"code":3,"msg":"Invalid JSON"}}', '{"code":2,"msg":"Invalid"}', '{"id":1,"code":-1,"msg":"x"}'],
)
def test_a_binance_error_is_a_refusal_of_the_connection(answer: str) -> None:
    (event,) = VENUES["binance"].session().decode(answer, SEEN)
    assert isinstance(event, Refused)
    assert event.fatal


def test_one_binance_order_has_one_id_on_both_sockets() -> None:
    venue = VENUES["binance"]
    line = next(line for line in lines("binance") if line["expect"] and "stream" not in line["frame"])
    um, cm = (venue.session(plan) for plan in venue.plans(venue.endpoints, ()))
    bare = prints(list(um.decode(raw(line["frame"]), SEEN)))
    wrapped = prints(list(cm.decode(raw({"stream": "!forceOrder@arr", "data": line["frame"]}), SEEN + 5)))
    assert [order.id for order in bare] == [order.id for order in wrapped]


@pytest.mark.parametrize(
    ("field", "value"), [("z", "0"), ("ap", "0"), ("ap", "0.0"), ("S", "buy"), ("T", 0), ("T", "1")]
)
def test_a_binance_order_without_a_fill_or_with_unknown_words_is_refused(field: str, value: object) -> None:
    assert refused(VENUES["binance"], swapped(lines("binance")[0]["frame"], ("o", field), value))


def test_a_binance_event_without_a_name_is_refused() -> None:
    with pytest.raises(DecodeError, match="name"):
        VENUES["binance"].session().decode('{"stream":"!forceOrder@arr","data":{"E":1}}', SEEN)


def test_a_long_binance_mark_price_frame_is_decoded_once_in_ten_seconds() -> None:
    session = VENUES["binance"].session()
    frame = b'{"stream":"!markPrice@arr@1s","data":[' + b"this is not JSON" * 10_000 + b"}]}"
    kinds = [[type(event) for event in session.decode(frame, SEEN + ms)] for ms in (0, 1_000, 9_999, 10_000)]
    assert kinds == [[Control, Spoilt], [Control], [Control], [Control, Spoilt]]


@pytest.mark.parametrize(
    ("symbol", "size"),
    [
        ("BTCUSDT", 1.0),
        ("1000SATSUSDT", 1.0),
        ("BTCUSDT_251226", 1.0),
        ("ETHUSDC", 1.0),
        ("币安人生USDT", 1.0),
        ("BTCUSD_PERP", None),
        ("BTCUSD_251226", None),
        ("ETHBTC", None),
        ("", None),
    ],
)
def test_a_binance_symbol_implies_its_contract_only_without_a_multiplier(symbol: str, size: float | None) -> None:
    implied = VENUES["binance"].implied(symbol)
    assert (implied.size if implied else None) == size


def test_binance_metadata_gives_coin_m_its_size_and_leaves_out_pairs_without_dollars() -> None:
    rows = metadata("binance")
    assert (rows["BTCUSD_PERP"].contract, rows["BTCUSD_PERP"].size) == (Contract.INVERSE, 100.0)
    assert rows["ETHUSD_PERP"].size == 10.0
    assert (rows["1000SATSUSDT"].asset, rows["1000SATSUSDT"].size) == ("SATS", 1.0)
    assert "ETHBTC" not in rows
    with pytest.raises(DecodeError, match="contractSize"):
        VENUES["binance"].instruments(b'{"symbols":[{"symbol":"BTCUSD_PERP","baseAsset":"BTC","quoteAsset":"USD"}]}')


# --- bybit ------------------------------------------------------------------------------------------------------------


def contracts(count: int, contract: Contract = Contract.LINEAR, first: int = 0) -> list[Instrument]:
    return [
        Instrument(venue="bybit", symbol=f"COIN{row:04}USDT", asset=f"COIN{row:04}", contract=contract, size=1.0)
        for row in range(first, first + count)
    ]


def ack(request: str, **changes: object) -> str:
    answer = {
        "success": True,
        "ret_msg": "",
        "conn_id": "c",
        "req_id": json.loads(request)["req_id"],
        "op": "subscribe",
    }
    return json.dumps(answer | changes)


REFUSAL = {"success": False, "ret_msg": "error:handler not found"}


def test_bybit_shards_850_contracts_under_ten_thousand_characters_each() -> None:
    venue = VENUES["bybit"]
    listed = contracts(850)
    plans = venue.plans(venue.endpoints, listed)
    assert [plan.key for plan in plans] == ["linear-0", "linear-1", "linear-2"]
    asked: list[str] = []
    for plan in plans:
        frames = [json.loads(text)["args"] for text in venue.session(plan).hello(SEEN)]
        assert all(len(args) <= 50 for args in frames)
        topics = [topic for args in frames for topic in args]
        assert len(json.dumps(topics, separators=(",", ":"))) < 10_000
        assert topics[0] == "tickers.BTCUSDT"
        asked += topics[1:]
    assert asked == [f"allLiquidation.{row.symbol}" for row in listed]


def test_a_new_bybit_contract_joins_the_last_socket_and_moves_nothing() -> None:
    venue = VENUES["bybit"]
    before = venue.plans(venue.endpoints, contracts(850))
    after = venue.plans(venue.endpoints, [*contracts(850), *contracts(1, first=9000)])
    assert after[:-1] == before[:-1]
    assert after[-1].topics == (*before[-1].topics, "allLiquidation.COIN9000USDT")


def test_bybit_keeps_linear_and_inverse_apart() -> None:
    venue = VENUES["bybit"]
    plans = {plan.key: plan for plan in venue.plans(venue.endpoints, list(metadata("bybit").values()))}
    assert set(plans) == {"linear-0", "inverse-0"}
    assert plans["inverse-0"].topics[:2] == ("tickers.BTCUSD", "allLiquidation.BTCUSD")
    assert plans["inverse-0"].url.endswith("/inverse")
    assert plans["linear-0"].heartbeat


def bybit_session(count: int) -> tuple[Any, list[str]]:
    venue = VENUES["bybit"]
    session = venue.session(venue.plans(venue.endpoints, contracts(count))[0])
    return session, list(session.hello(SEEN))


def test_bybit_is_subscribed_when_every_frame_is_acked() -> None:
    session, asks = bybit_session(120)
    assert len(asks) == 3
    answers = [session.decode(ack(ask), SEEN) for ask in (*asks, asks[0])]
    assert answers == [[], [], [Subscribed()], []]


def test_bybit_halves_a_refused_frame_until_the_bad_topic_stands_alone() -> None:
    session, asks = bybit_session(49)
    bad = "allLiquidation.COIN0031USDT"
    events: list[Event] = []
    frames = 0
    while asks:
        ask = asks.pop(0)
        frames += 1
        refused = bad in json.loads(ask)["args"]
        for event in session.decode(ack(ask, **(REFUSAL if refused else {})), SEEN):
            asks.append(event.text) if isinstance(event, Say) else events.append(event)
    assert [type(event) for event in events] == [Refused, Subscribed]
    assert isinstance(events[0], Refused)
    assert bad in events[0].reason
    assert not events[0].fatal
    assert frames <= 13


def test_bybit_refusing_every_topic_is_fatal() -> None:
    session, asks = bybit_session(2)
    events: list[Event] = []
    while asks:
        for event in session.decode(ack(asks.pop(), **REFUSAL), SEEN):
            asks.append(event.text) if isinstance(event, Say) else events.append(event)
    assert [event.fatal for event in events if isinstance(event, Refused)] == [False, False, False, True]


def test_bybit_calls_an_already_subscribed_topic_a_success() -> None:
    session, (ask,) = bybit_session(1)
    halves = [event.text for event in session.decode(ack(ask, **REFUSAL), SEEN)]
    already = {"success": False, "ret_msg": "error:already subscribed,topic:x"}
    assert [session.decode(ack(half, **already), SEEN) for half in halves] == [[], [Subscribed()]]


def test_equal_rows_of_one_bybit_batch_are_two_orders_and_the_batch_again_is_the_same_two() -> None:
    frame = copy.deepcopy(lines("bybit")[0]["frame"])
    frame["data"] *= 2
    first = prints(list(VENUES["bybit"].session().decode(raw(frame), SEEN)))
    second = prints(list(VENUES["bybit"].session().decode(raw(frame), SEEN + 1)))
    alone = prints(list(VENUES["bybit"].session().decode(raw(lines("bybit")[0]["frame"]), SEEN)))
    assert len({order.id for order in first}) == 2
    assert [order.id for order in first] == [order.id for order in second]
    assert alone[0].id == first[0].id


def test_bybit_metadata_pages_on_and_leaves_out_what_does_not_trade() -> None:
    venue = VENUES["bybit"]
    rows, cursor = venue.instruments((FIXTURES / "instruments" / "bybit_linear.json").read_bytes())
    assert [row.symbol for row in rows] == ["BTCUSDT", "SHIB1000USDT", "BTCPERP", "DOGEUSDT-09OCT26"]
    assert {row.symbol: row.asset for row in rows}["SHIB1000USDT"] == "SHIB"
    assert cursor == "first%3DBTCUSDT%26last%3DBIOUSDT"
    first = venue.catalogue(venue.endpoints)[0]
    assert venue.next_page(first, cursor) == f"{first}&cursor=first%253DBTCUSDT%2526last%253DBIOUSDT"
    inverse, none = venue.instruments((FIXTURES / "instruments" / "bybit_inverse.json").read_bytes())
    assert none is None
    assert {row.contract for row in inverse} == {Contract.INVERSE}
    with pytest.raises(DecodeError, match="10006"):
        venue.instruments(b'{"retCode":10006,"retMsg":"Too many visits!","result":{"category":"linear"}}')


@pytest.mark.parametrize(
    ("symbol", "contract"),
    [
        ("BTCUSDT", Contract.LINEAR),
        ("BTCPERP", Contract.LINEAR),
        ("BTC-26DEC25", Contract.LINEAR),
        ("DOGEUSDT-09OCT26", Contract.LINEAR),
        ("BTCUSD", Contract.INVERSE),
        ("BTCUSDH25", Contract.INVERSE),
        ("BTC-26DEC25-100000-C", None),
        ("WHAT", None),
    ],
)
def test_a_bybit_symbol_implies_its_contract(symbol: str, contract: Contract | None) -> None:
    implied = VENUES["bybit"].implied(symbol)
    assert (implied.contract if implied else None) == contract


def test_bybit_is_complete_since_its_topic_of_all_liquidations() -> None:
    venue = VENUES["bybit"]
    assert venue.completeness(bybit.COMPLETE_SINCE) is Completeness.COMPLETE
    assert venue.completeness(bybit.COMPLETE_SINCE - 1) is Completeness.SAMPLED


# --- which orders a feed shows ----------------------------------------------------------------------------------------

DAY = 24 * 3_600_000


@every_venue
def test_a_feed_shows_every_order_exactly_where_it_is_called_complete(venue: Venue) -> None:
    for at in range(1_577_836_800_000, SEEN, 7 * DAY):
        complete = venue.completeness(at) is Completeness.COMPLETE
        assert (venue.rule(at) is FeedRule.COMPLETE) is complete


def test_binance_shows_the_largest_order_since_its_page_says_so() -> None:
    venue = VENUES["binance"]
    assert venue.rule(binance.LARGEST_SINCE) is FeedRule.LARGEST
    assert venue.rule(binance.LARGEST_SINCE - 1) is FeedRule.LATEST
    assert binance.LARGEST_SINCE == 1_775_779_200_000  # 2026-04-10
    assert not venue.by_side


def test_the_rules_are_what_the_pages_say() -> None:
    sampled = {name: venue.rule(SEEN) for name, venue in VENUES.items() if venue.rule(SEEN) is not FeedRule.COMPLETE}
    assert sampled == {
        "binance": FeedRule.LARGEST,
        "bitget": FeedRule.LARGEST,
        "aster": FeedRule.LATEST,
        **dict.fromkeys(("okx", "htx", "coinex", "hyperliquid", "poloniex"), FeedRule.UNKNOWN),
    }
    assert VENUES["bitget"].by_side  # a second may show a long and a short
    assert VENUES["bybit"].rule(bybit.COMPLETE_SINCE - 1) is FeedRule.UNKNOWN


# --- okx --------------------------------------------------------------------------------------------------------------


def test_okx_is_subscribed_when_every_argument_is_acked() -> None:
    venue = VENUES["okx"]
    (plan,) = venue.plans(venue.endpoints, ())
    session = venue.session(plan)
    (hello,) = session.hello(SEEN)
    args = json.loads(hello)["args"]
    assert args == [
        {"channel": "liquidation-orders", "instType": "SWAP"},
        {"channel": "liquidation-orders", "instType": "FUTURES"},
        {"channel": "mark-price", "instId": "BTC-USDT-SWAP"},
    ]
    acks = [json.dumps({"event": "subscribe", "arg": arg, "connId": "a"}) for arg in args]
    assert [session.decode(text, SEEN) for text in (acks[2], acks[0], acks[0], acks[1], acks[1])] == [
        (),
        (),
        (),
        (Subscribed(),),
        (),
    ]


def test_okx_says_goodbye_only_in_its_upgrade_notice() -> None:
    session = VENUES["okx"].session()
    assert session.decode('{"event":"notice","code":"64008","msg":"soon"}', SEEN) == (Leaving(reason="soon"),)
    assert session.decode('{"event":"notice","code":"64999","msg":"other"}', SEEN) == ()
    assert session.decode(b"pong", SEEN) == (Pong(),)


def test_okx_contract_value_decides_whether_a_price_is_needed() -> None:
    body = {"code": "0", "data": []}
    facts = [
        ("AAA-USDT-SWAP", "linear", "10", "2", "AAA"),
        ("BBB-USDT-SWAP", "linear", "5", "1", "USDT"),
        ("CCC-USD-SWAP", "inverse", "100", "1", "USD"),
        ("USDC-USDT-SWAP", "linear", "1", "1", "USDC"),
        ("DDD-BTC-SWAP", "linear", "1", "1", "DDD"),
    ]
    for symbol, kind, value, mult, currency in facts:
        row = {"instId": symbol, "state": "live", "ctType": kind, "ctVal": value, "ctMult": mult, "ctValCcy": currency}
        body["data"].append(row)  # type: ignore[attr-defined]
    announced = {"instId": "EEE-USDT-SWAP", "state": "preopen", "ctType": "", "ctVal": "", "ctMult": "", "ctValCcy": ""}
    body["data"].append(announced)  # type: ignore[attr-defined]
    rows, cursor = VENUES["okx"].instruments(msgspec.json.encode(body))
    assert cursor is None
    assert [(row.symbol, row.contract, row.size) for row in rows] == [
        ("AAA-USDT-SWAP", Contract.LINEAR, 20.0),
        ("BBB-USDT-SWAP", Contract.INVERSE, 5.0),
        ("CCC-USD-SWAP", Contract.INVERSE, 100.0),
        ("USDC-USDT-SWAP", Contract.LINEAR, 1.0),
    ]


def test_okx_implies_nothing_and_skips_what_is_only_announced() -> None:
    assert VENUES["okx"].implied("BTC-USDT-SWAP") is None
    assert "" not in metadata("okx")
    assert metadata("okx")["BTC-USD_UM-261030"].contract is Contract.LINEAR


@pytest.mark.parametrize(
    ("field", "value"), [("posSide", "both"), ("posSide", ""), ("sz", "0"), ("bkPx", ""), ("ts", "x")]
)
def test_an_okx_row_with_unknown_words_is_refused(field: str, value: str) -> None:
    assert refused(VENUES["okx"], swapped(lines("okx")[0]["frame"], ("data", 0, "details", 0, field), value))
