"""The clock hours of the demo: the published night, then invented ones without end.

Owns dollars, prices and cascades by the hour. Only the night follows published figures; see `invented`.
"""

from collections.abc import Mapping
from itertools import accumulate, pairwise

from service.model import HOUR, MINUTE, Side
from service.simulator.scenario.figures import CALM_LONGS_USD, FIGURES
from service.simulator.scenario.market import Path
from service.simulator.scenario.orders import Luck
from service.simulator.scenario.waves import Cascade, Hour

#: 2026-01-13 02:00 UTC, where the day of the $577M begins, and where it ends.
DAWN = 1_768_269_600_000
END = DAWN + 24 * HOUR
_MAIN, _LATER = 20, 23

#: How busy the hours from 02:00 UTC are beside each other, after the recorded BTC hours; the two cascades aside.
_PULSE = (6, 4, 4, 9, 5, 4, 5, 7, 4, 4, 4, 7, 11, 12, 10, 6, 7, 10, 9, 5, 0, 6, 4, 0)

#: BTC, (minutes after 02:00 UTC, dollars): public hourly levels, rounded; the later hour's rise is invented.
_BTC = (
    (0, 91_150), (180, 91_450), (300, 92_150), (420, 92_240), (540, 92_050), (720, 92_000), (780, 92_400),
    (840, 93_400), (900, 93_200), (960, 93_580), (1_020, 94_180), (1_080, 94_340), (1_195, 94_050),
    (1_204, 94_080), (1_208, 94_280), (1_210, 94_600), (1_212, 95_250), (1_214, 96_550), (1_215, 96_860),
    (1_218, 95_900), (1_224, 96_200), (1_235, 95_850), (1_260, 95_730), (1_263, 96_050), (1_320, 95_380),
    (1_386, 95_150), (1_391, 95_500), (1_394, 95_950), (1_405, 95_600), (1_440, 95_200),
)  # fmt: skip
BTC_PATH: Path = tuple((DAWN + minute * MINUTE, float(price)) for minute, price in _BTC)
_BTC_AT_END = 95_200.0

_MAIN_CASCADE = Cascade(
    side=Side.SHORT,
    lead=("BTC", "bybit"),
    minutes={
        5: 2.5, 6: 3, 7: 4, 8: 6, 9: 9, 10: 14, 11: 20, 12: 30, 13: 44, 14: 56, 15: 46, 16: 36, 17: 28, 18: 24, 19: 18,
        20: 14, 21: 11, 22: 9, 23: 8, 24: 12, 25: 9, 26: 6, 27: 5, 28: 4, 29: 3, 30: 3, 31: 2.5, 32: 6, 33: 4, 34: 2.5,
        35: 2, 36: 1.5, 37: 1, 38: 1, 40: 1, 42: 0.7, 44: 0.7, 46: 2, 47: 1, 50: 0.5, 53: 0.5, 56: 0.4,
    },
    orders=4_300,
)  # fmt: skip
_LATER_CASCADE = Cascade(
    side=Side.SHORT,
    lead=("ETH", "binance"),
    minutes={
        6: 1, 7: 2, 8: 3, 9: 5, 10: 7, 11: 10, 12: 13, 13: 14, 14: 11, 15: 8, 16: 6, 17: 5, 18: 4, 19: 3, 20: 2.5,
        21: 2, 22: 1.5, 23: 1, 24: 0.7, 26: 0.4, 30: 0.3,
    },
    orders=1_100,
    shares={"BTC": 31.8, "ETH": 23.6},
)  # fmt: skip

#: One invented cascade in each stretch of so many hours, flush and squeeze by turns.
_EVERY = 8
_LEADS = (("BTC", "binance"), ("ETH", "bybit"), ("BTC", "okx"), ("SOL", "binance"), ("ETH", "okx"), ("BTC", "bybit"))


def night() -> list[Hour]:
    """The 24 published hours; the shorts and longs beside the two cascades follow the pulse of the day."""
    main = _published("main_hour")
    later = _published("later_hour")
    shorts = _spread(FIGURES["day_shorts"].usd - main[Side.SHORT] - later[Side.SHORT])
    longs = _spread(CALM_LONGS_USD)
    hours = []
    for place in range(24):
        usd: Mapping[Side, int] = {Side.SHORT: shorts[place], Side.LONG: longs[place]}
        cascade = None
        if place == _MAIN:
            usd, cascade = main, _MAIN_CASCADE
        elif place == _LATER:
            usd, cascade = later, _LATER_CASCADE
        hours.append(Hour(start=DAWN + place * HOUR, usd=usd, path=BTC_PATH, cascade=cascade))
    return hours


def invented(start: int, seed: int) -> Hour:
    """The clock hour from `start` (ms UTC, at or after END): no published figure stands behind it.

    About $6M of calm orders, or, once in every 8 hours, a cascade of $120-200M, a long flush and a short squeeze by
    turns. Depends on `start` and `seed` alone, so a tape may be taken up anywhere.
    """
    luck = Luck(seed, "hour", start)
    low, high = _btc(start, seed), _btc(start + HOUR, seed)
    stretch, place = divmod((start - END) // HOUR, _EVERY)
    if place == 4 + Luck(seed, "stretch", stretch).below(3):
        return _storm(start, Side.SHORT if stretch % 2 else Side.LONG, (low, high), luck)
    busy = luck.between(0.6, 1.5)
    usd = {Side.SHORT: int(2_500_000 * busy), Side.LONG: int(3_300_000 * busy)}
    return Hour(start=start, usd=usd, path=((start, low), (start + HOUR, high)))


def _storm(start: int, side: Side, ends: tuple[float, float], luck: Luck) -> Hour:
    total = 1_000 * int(luck.between(120_000, 200_000))
    strong = int(total * luck.between(0.91, 0.97))
    other = Side.LONG if side is Side.SHORT else Side.SHORT
    onset = 8 + luck.below(10)
    rise, crest = 3 + luck.below(4), 3 + luck.below(4)
    minutes = {onset + rise - back: 20.0 / 2**back for back in range(rise, 0, -1)}
    minutes |= {onset + rise + step: 22.0 + luck.below(6) for step in range(crest)}
    minutes |= {onset + rise + crest + step: 12 / (1 + step) for step in range(20)}
    extreme = ends[0] * (1.018 if side is Side.SHORT else 0.982)
    turns = ((0, ends[0]), (onset, ends[0]), (onset + rise + crest, extreme), (60, ends[1]))
    return Hour(
        start=start,
        usd={side: strong, other: total - strong},
        path=tuple((start + minute * MINUTE, price) for minute, price in turns),
        cascade=Cascade(
            side=side, lead=_LEADS[luck.below(len(_LEADS))], minutes=minutes, orders=1_800 + luck.below(900)
        ),
    )


def _btc(at: int, seed: int) -> float:
    """BTC at a full hour after the night: around its last level, never far."""
    return _BTC_AT_END if at == END else _BTC_AT_END * Luck(seed, "btc", at).between(0.99, 1.01)


def _published(name: str) -> Mapping[Side, int]:
    shorts = FIGURES[f"{name}_shorts"].usd
    return {Side.SHORT: shorts, Side.LONG: FIGURES[name].usd - shorts}


def _spread(usd: int) -> list[int]:
    """Whole dollars over the day by its pulse, none lost."""
    sums = [usd * done // sum(_PULSE) for done in accumulate(_PULSE, initial=0)]
    return [after - before for before, after in pairwise(sums)]
