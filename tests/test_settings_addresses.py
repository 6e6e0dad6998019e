"""Addresses of the web in the settings: one that nobody can connect to is refused at the start, and named."""

import pytest

from service.settings import SettingsError, load
from service.settings.keys import KEYS

#: Addresses without a secret in them, by the name of their variable.
PLAIN = (
    "CASCADE_CONTEXT__ETF__FARSIDE_URL",
    "CASCADE_CONTEXT__ETF__SOSOVALUE_URL",
    "CASCADE_CONTEXT__RATES__NEWYORK_URL",
    "CASCADE_CONTEXT__RATES__TREASURY_URL",
    "CASCADE_CONTEXT__RATES__FRED_URL",
    "CASCADE_SECOND_OPINION__COINGLASS_URL",
    "CASCADE_SINKS__TELEGRAM__API_URL",
)
NO_PORT = ("http://127.0.0.1:65536", "https://h:99999/path", "http://h:-1", "http://h:1x", "http://h:0", "http://[::1")


def problem(variable: str, text: str) -> str:
    with pytest.raises(SettingsError) as refusal:
        load(None, {variable: text})
    (found,) = refusal.value.problems
    return found


@pytest.mark.parametrize("text", NO_PORT)
@pytest.mark.parametrize("variable", PLAIN)
def test_a_port_that_cannot_be_is_refused_for_every_address(variable: str, text: str) -> None:
    said = problem(variable, text)
    assert said.startswith(f'{variable} = "{text.removesuffix("/path")}')
    assert said.endswith('": is not an address of the web; allowed: http://... or https://..., a port up to 65535')


@pytest.mark.parametrize("variable", ["CASCADE_SINKS__WEBHOOK__URL", "CASCADE_SINKS__SLACK__URL"])
def test_a_webhook_with_such_a_port_is_refused_unseen(variable: str) -> None:
    assert "65536" not in problem(variable, "http://127.0.0.1:65536/hunter2")


@pytest.mark.parametrize("text", ["http://127.0.0.1:65535", "https://h:1/", "http://[::1]:8080", "https://h"])
@pytest.mark.parametrize("variable", PLAIN)
def test_a_port_that_can_be_is_taken(variable: str, text: str) -> None:
    load(None, {variable: text})


def test_no_address_of_the_settings_is_left_out_here() -> None:
    named = {variable.removeprefix("CASCADE_").lower().replace("__", ".") for variable in PLAIN}
    known = {".".join(path) for path in KEYS if path[-1].endswith("_url") and path[-1] != "board_url"}
    assert named == known


@pytest.mark.parametrize(
    ("variable", "text", "words"),
    [
        ("CASCADE_CONTEXT__ETF__SOURCES", "farsite", "allowed: farside, sosovalue, coinglass; did you mean farside?"),
        ("CASCADE_CONTEXT__RATES__SOURCES", "newyork,fret", "allowed: newyork, treasury, fred; did you mean fred?"),
    ],
)
def test_a_source_that_nobody_knows_is_named_beside_those_there_are(variable: str, text: str, words: str) -> None:
    with pytest.raises(SettingsError, match="unknown source") as refusal:
        load(None, {variable: text})
    assert words in str(refusal.value)
