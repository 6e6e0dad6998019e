"""The decode and record doors on frames of which a part is bad: what can be told is told, what cannot is named."""

import io
import json

from service.decode import decode
from service.model import Print
from service.record import Frame, TappedVenue
from service.venues import VENUES
from service.venues.base import Spoilt
from tests.test_venues import lines, metadata, raw, swapped

#: A frame of two orders of one contract; the second has lost its price.
WHOLE = next(line["frame"] for line in lines("okx") if len(line["expect"]) == 2)
SPOILT = swapped(WHOLE, ("data", 0, "details", 1, "bkPx"), "")


def decoded(*frames: object) -> tuple[int, list[dict[str, object]], list[str]]:
    out, err = io.StringIO(), io.StringIO()
    text = "".join(f"{raw(frame)}\n" for frame in frames).encode()
    code = decode(VENUES["okx"], metadata("okx"), io.BytesIO(text), out, err)
    return code, [json.loads(line) for line in out.getvalue().splitlines()], err.getvalue().splitlines()


def test_a_bad_row_is_one_line_of_complaint_and_the_others_are_told():
    code, orders, complaints = decoded(WHOLE, "", SPOILT)

    assert code == 1
    assert complaints == ["line 3: row 2: bkPx is not a number: ''"]
    assert orders == [orders[0], orders[1], orders[0]]


def test_an_order_nobody_can_value_costs_the_others_nothing():
    code, orders, complaints = decoded(swapped(WHOLE, ("data", 0, "details", 0, "sz"), "900000000000"))

    assert code == 1
    assert len(orders) == len(complaints) == 1
    assert "cannot be" in complaints[0]


def test_whole_frames_are_no_reason_to_complain():
    code, orders, complaints = decoded(WHOLE)

    assert (code, len(orders), complaints) == (0, 2, [])


def test_a_recording_keeps_a_frame_with_a_bad_row():
    kept: list[Frame] = []
    session = TappedVenue(VENUES["okx"], kept.append).session()

    events = session.decode(raw(SPOILT), 5)

    assert [type(event) for event in events] == [Print, Spoilt]
    assert [(frame.seen, frame.frame) for frame in kept] == [(5, raw(SPOILT))]
