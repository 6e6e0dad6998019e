"""The demo's screen: what a person reads fits the terminal."""

import io

import msgspec
import pytest

from service.demo.screen import Screen, _wrapped
from service.model import Phase
from tests.test_text import OPENED, words


@pytest.mark.parametrize("room", [40, 77, 97])
def test_sentences_are_broken_at_words_and_fit(room):
    for text in (words().en, words().zh):
        lines = _wrapped(text, room)

        assert "".join(line.strip() for line in lines).replace(" ", "") == text.replace(" ", "")
        widths = [sum(2 if ord(sign) > 0x2E80 else 1 for sign in line) for line in lines]
        assert max(widths) <= room + 2
        assert min(widths[:-1]) > room * 0.6


def test_all_coins_get_a_sentence_and_one_coin_a_line_with_its_name():
    out = io.StringIO()
    screen = Screen(out, io.StringIO())

    screen._alert(msgspec.structs.replace(OPENED, why=words()))
    screen._alert(msgspec.structs.replace(OPENED, asset="SOL", rule="early"))
    early = out.getvalue().splitlines()[-1]
    screen._alert(msgspec.structs.replace(OPENED, asset="SOL", phase=Phase.CLOSED))

    lines = out.getvalue().splitlines()
    assert lines[1] == "○ 22:14 UTC  ALL   WATCH opened"
    assert early == "○ 22:14 UTC  SOL   WATCH opened: fast growth, hour so far at least $104.0M, 98.1% shorts"
    assert lines[-1] == "✓ 22:14 UTC  SOL   closed (was watch): at least $104.0M, 98.1% shorts"
