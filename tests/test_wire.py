"""Frames that are gzipped inside the message, as HTX sends them."""

import gzip

from service.feed.wire import text_of, unzipped


def test_a_gzipped_frame_is_its_text_and_any_other_frame_is_itself() -> None:
    text = '{"op":"ping","ts":"1789676355591"}'
    assert text_of(unzipped(gzip.compress(text.encode()), 1_000)) == text
    assert unzipped(text.encode(), 1_000) == text.encode()


def test_a_broken_archive_is_kept_as_it_came() -> None:
    whole = gzip.compress(b"x" * 100)
    for broken in (whole[:3], b"\x1f\x8b" + b"rubbish" * 9):
        assert unzipped(broken, 1_000) == broken


def test_a_bomb_is_opened_only_as_far_as_a_frame_may_be_long() -> None:
    assert len(unzipped(gzip.compress(b"0" * 10_000_000), 1_000)) == 1_001
