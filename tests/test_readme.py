"""What the README shows a reader is what happens."""

import re
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_conversation_in_the_readme_is_the_one_the_bot_holds(language):
    held = (ROOT / f"tests/fixtures/conversation-{language}.txt").read_text(encoding="utf-8")
    blocks = re.findall(r"(?m)^    user: /start\n(?:(?:    .*)?\n)+", (ROOT / "README.md").read_text(encoding="utf-8"))
    shown = [textwrap.dedent(block).strip() for block in blocks]

    assert len(shown) == 2
    assert any(held.startswith(block) for block in shown)
    assert held.count("user: [") >= 2
    assert all(block.count("user: ") == 3 for block in shown), "three taps to a test alert"
