"""[context] and its tables: what is asked for beside liquidations. Owns names, defaults and bounds; asks nobody."""

import re
from collections.abc import Callable
from typing import Annotated

from annotated_types import Ge, Le
from pydantic import AfterValidator, SecretStr

from service.context.macro.fomc import SHIPPED, MeetingsError, read_meetings
from service.model import ALL
from service.settings.section import Section, Wrong, header_key, web_url

ASSETS = "coins in capitals, each once, as BTC"
MOST_ASSETS = 100
_COIN = re.compile(r"[A-Z0-9]{1,20}")


def _meetings(where: str) -> str:
    try:
        read_meetings(where)
    except MeetingsError as error:
        raise Wrong(error.what, error.allowed) from None
    return where


def _one_of(names: tuple[str, ...]) -> Callable[[str], str]:
    def known(name: str) -> str:
        if name not in names:
            raise Wrong("unknown source", ", ".join(names), names)
        return name

    return known


ETF_SOURCES = ("farside", "sosovalue", "coinglass")
RATE_SOURCES = ("newyork", "treasury", "fred")
EtfPage = Annotated[str, AfterValidator(_one_of(ETF_SOURCES))]
RateSource = Annotated[str, AfterValidator(_one_of(RATE_SOURCES))]


def _coins(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not _COIN.fullmatch(name) or name == ALL or names.count(name) > 1:
            raise Wrong(f"names {name!r}", ASSETS)
    if len(names) > MOST_ASSETS:
        raise Wrong(f"names {len(names)} coins", f"at most {MOST_ASSETS}")
    return names


class EtfKnobs(Section):
    """[context.etf]: daily net flows of US spot ETFs."""

    sources: tuple[EtfPage, ...] = ()
    """Who is asked, the most trusted first; none by default."""
    file: str = ""
    """A CSV file of your own, read whenever it changes, trusted before everybody; empty is none."""
    farside_url: Annotated[str, AfterValidator(web_url)] = "https://farside.co.uk"
    """Where Farside's pages stand."""
    sosovalue_key: Annotated[SecretStr, AfterValidator(header_key)] = SecretStr("")
    """Key of SoSoValue's interface; a secret, better set as CASCADE_CONTEXT__ETF__SOSOVALUE_KEY."""
    sosovalue_url: Annotated[str, AfterValidator(web_url)] = "https://api.sosovalue.xyz"
    """Where SoSoValue's interface stands."""


class RatesKnobs(Section):
    """[context.rates]: what the market expects of the US policy rate."""

    sources: tuple[RateSource, ...] = ("newyork", "treasury")
    """Who is asked; of two that tell a day the first to tell it is believed."""
    newyork_url: Annotated[str, AfterValidator(web_url)] = "https://markets.newyorkfed.org"
    """Where the Federal Reserve Bank of New York tells the target range and SOFR."""
    treasury_url: Annotated[str, AfterValidator(web_url)] = "https://home.treasury.gov"
    """Where the Treasury tells yields."""
    fred_url: Annotated[str, AfterValidator(web_url)] = "https://fred.stlouisfed.org"
    """Where FRED's CSV files stand."""
    meetings: Annotated[str, AfterValidator(_meetings)] = SHIPPED
    """CSV file of FOMC meetings; `shipped` is the service's own, empty is none."""


class ContextKnobs(Section):
    """[context]: open interest, funding, marks, ETF flows and rates beside liquidations."""

    enabled: bool = True
    """Ask for any of it; without it alerts say nothing of it."""
    assets: Annotated[tuple[str, ...], AfterValidator(_coins)] = (
        "BTC", "ETH", "SOL", "XRP", "BNB", "DOGE", "HYPE", "ADA", "SUI", "LINK", "AVAX", "LTC",
    )  # fmt: skip
    """Coins that are followed: asked for one by one where a venue wants that, with a past, a gauge and metrics."""
    every_s: Annotated[float, Ge(15), Le(600)] = 60
    """Seconds between two rounds of a venue; a venue that wants more is given more."""
    past: bool = True
    """Ask Binance daily for the last 30 to 90 days of the followed coins, so that the gauge need not wait for them."""
    etf: EtfKnobs = EtfKnobs()
    rates: RatesKnobs = RatesKnobs()
