"""The messages that are kept word for word, one for each thing that can happen, and the digests of them."""

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from service import text
from service.model import (
    ALL,
    HOUR,
    MINUTE,
    Alert,
    Baseline,
    Coverage,
    Kind,
    Largest,
    Lead,
    Phase,
    PriceMove,
    Severity,
    Side,
)
from tests import golden
from tests.test_text import OPENED

FOLDER = golden.FOLDER / "messages"
BOARD = "https://monitor.example/d/cascade?orgId=1&kiosk"


def known(name: str, **changes: object) -> Alert:
    return msgspec.structs.replace(golden.alert(golden.FOLDER / f"{name}.txt"), **changes)


#: Names nobody chose with us in mind: tags, quotes, line ends, marks that turn the line round.
HOSTILE = msgspec.structs.replace(
    OPENED,
    asset="<b>&",
    venues={'<a href="https://bad.example">by&bit</a>': 48e6, "</b>okx": 1e6},
    symbols={"BTC<USDT>\n● Major long flush": 31e6},
    largest=Largest(venue="</b>", symbol="&amp;\u202eTDSU", side=Side.SHORT, usd=9_870_000, at=1),
    coverage=Coverage(venues_live=3, venues=3, seconds_share=0.97, leaving_out=("<i>", "&lt;")),
    lead=Lead(venue="<code>", symbol="<>", at=OPENED.at - MINUTE, share=0.4, within_s=None),
    price=PriceMove(asset="<b>&", start=1.0, now=1.02, move_pct=2.0, confirms=True),
    coincides=("CPI <flash>", "Q&A"),
)

#: The founding case as its first hour filled.
CROSSED = known(
    "hour_crossed",
    phase=Phase.OPENED,
    severity=Severity.WARNING,
    crossed_usd=None,
    started_at=OPENED.at,
    at_least=True,
    long_usd=2.1e6,
    short_usd=102.1e6,
    share=102.1 / 104.2,
    peak_usd=104.2e6,
    baseline=Baseline(
        usual_usd=18.4e6, multiple=5.66, rarity="about once in 5 weeks", rarity_days=34.0, learning=False
    ),
    coverage=OPENED.coverage,
    assets={"BTC": 55e6, "ETH": 28e6},
    price=PriceMove(asset="BTC", start=92_800.0, now=93_900.0, move_pct=1.19, confirms=True),
)

MESSAGES: Mapping[str, Callable[[str], str]] = {
    "opened": lambda language: text.message(
        CROSSED,
        language,
        board_url=BOARD,
    ),
    "early": lambda language: text.message(known("early_watch"), language, board_url=BOARD),
    "level": lambda language: text.message(known("level"), language, board_url=BOARD),
    "crossed": lambda language: text.message(known("hour_crossed"), language),
    "grew_record": lambda language: text.message(known("main_hour"), language, board_url=BOARD),
    "reminder": lambda language: text.message(known("founding_hour"), language, board_url=BOARD),
    "closed": lambda language: text.message(known("closed"), language, board_url=BOARD),
    "little_heard": lambda language: text.message(known("low_coverage"), language),
    "estimated": lambda language: text.message(known("estimated"), language),
    "whale": lambda language: text.message(known("whale_hour"), language),
    "two_sided": lambda language: text.message(known("two_sided"), language),
    "coin_of_all": lambda language: text.message(known("coin_flush_child"), language),
    "squeeze_aligned_up": lambda language: text.message(known("squeeze_aligned_up"), language, board_url=BOARD),
    "flush_absorption": lambda language: text.message(known("flush_absorption"), language),
    "flows_unknown": lambda language: text.message(known("flows_unknown"), language),
    "squeeze_aligned_closed": lambda language: text.message(known("squeeze_aligned_closed"), language),
    "hostile": lambda language: text.message(HOSTILE, language, board_url=BOARD),
    "simulated_late": lambda language: text.message(
        known("main_hour", simulated=True), language, late_ms=2 * HOUR + 47 * MINUTE
    ),
    "trial": lambda language: text.message(text.sample(ALL, OPENED.at), language, trial=True),
    "trial_coin": lambda language: text.message(
        text.sample("SOL", OPENED.at, kind=Kind.LONG_FLUSH, usd=30e6, venue="binance"), language, trial=True
    ),
    "digest_quiet": lambda language: text.digest(
        [known("early_watch"), known("main_hour"), known("coin_flush_child"), known("closed"), known("two_sided")],
        language,
        text.Held(
            reason=text.Reason.QUIET,
            since=1_769_007_600_000,
            until=1_769_036_400_000,
            zone="Asia/Shanghai",
        ),
        board_url=BOARD,
    ),
    "digest_burst": lambda language: text.digest(
        [known("coin_flush_child"), known("main_hour", severity=Severity.WARNING), known("price_against")],
        language,
        text.Held(reason=text.Reason.BURST, since=OPENED.at - HOUR, until=OPENED.at + HOUR),
    ),
    "digest_of_60": lambda language: text.digest(
        many(60),
        language,
        text.Held(reason=text.Reason.MUTE, since=OPENED.at, until=OPENED.at + 3 * 24 * HOUR),
    ),
}


def many(count: int) -> list[Alert]:
    """One alert for each of so many episodes, the later the larger, every third over."""
    return [
        msgspec.structs.replace(
            OPENED,
            episode=f"C{number}-short_squeeze",
            asset=f"C{number}",
            severity=tuple(Severity)[number % 3],
            phase=Phase.OPENED if number % 3 else Phase.CLOSED,
            started_at=OPENED.at + number * HOUR,
            at=OPENED.at + number * HOUR + 9 * MINUTE,
            peak_usd=104e6 + number * 1e6,
            long_usd=2e6,
            short_usd=102e6 + number * 1e6,
        )
        for number in range(count)
    ]


def file(name: str) -> Path:
    return FOLDER / f"{name}.txt"


def page(name: str) -> str:
    """What the file of a message must hold."""
    return f"--- en\n{MESSAGES[name]('en')}\n\n--- zh\n{MESSAGES[name]('zh')}\n"
