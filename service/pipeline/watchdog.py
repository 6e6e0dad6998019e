"""Whether a venue whose sockets are well has gone silent, told by what the other venues show meanwhile. Pure: no clock.

Acks and a control stream do not prove that orders would come: Binance's retired path sends both and never an order.
Only a busy market proves it. Counted are coins a minute: however often a coin is hit on a venue within a minute, it
counts once, so neither a storm on one coin nor an order sent twice is evidence, and a feed that shows one order a
second weighs what a complete one does. A verdict must also stand with any one of the other venues left out.
"""

from collections import deque
from collections.abc import Collection, Mapping

from service.model import MINUTE, Record

#: The others' pace is taken over so many whole minutes, ...
WINDOW = 10
#: ... and from so many times their usual pace on the market is busy.
BUSY = 2.0
#: Coins due and not one seen, in a busy market and in any. In ten recorded days no pause between two orders of a venue
#: came to 15 (tests/test_watchdog.py); the tail of the pauses falls by e for every 4 or so, which puts 40 at once in
#: some years for a venue.
ENOUGH = 40.0
PLENTY = 180.0
#: A single minute is worth no more than this, so that five minutes at least must speak against a venue.
MINUTE_MOST = ENOUGH / 5
#: Below so many coins a minute a usual day would not be `PLENTY`: silence proves nothing.
LEAST_PER_MINUTE = PLENTY / (24 * 60)
#: Coins a minute are fewer than orders a minute: 0.47 to 0.59 in recordings of three venues.
COINS_PER_ORDER = 0.55
#: Half of what was learned of the usual pace is forgotten after so many minutes; the first guess weighs three hours.
HALF_LIFE = 24 * 60
GUESS_WEIGHT = 3 * 60
#: Minutes between two looks that count as listened to; the rest the machine slept.
LONGEST_STEP = 30
#: The verdict must stand without any one of the others, so there have to be two.
OTHERS_LEAST = 2


class Silence(Record, frozen=True, kw_only=True):
    """A venue that shows nothing though it should. `since`: its last order, or when its socket came live, ms UTC."""

    since: int
    expected: float
    """Coins due since then, going by the others; at least."""
    multiple: float
    """The others' pace over their usual one when the verdict fell."""
    words: str


class _Usual:
    """Coins a minute a venue usually shows, hours of the day taken together, the last day weighing most."""

    def __init__(self, guess: float) -> None:
        self._coins, self._minutes = guess * GUESS_WEIGHT, float(GUESS_WEIGHT)

    @property
    def per_minute(self) -> float:
        return self._coins / self._minutes

    def learn(self, coins: int, minutes: int) -> None:
        kept = 0.5 ** (minutes / HALF_LIFE)
        self._coins = self._coins * kept + coins
        self._minutes = self._minutes * kept + minutes


class _Standing:
    """How a live venue stands since its last order."""

    def __init__(self, since: int) -> None:
        self.first = since // MINUTE + 1
        """The first minute it was live as a whole."""
        self.since = since
        self.hushed = 0
        """Whole minutes without an order; learned only when one ends them: a dead venue must not become the usual."""
        self.due = 0.0
        self.due_without: dict[str, float] = {}
        """The same with one of the others left out."""
        self.multiple: float | None = None
        """What the others' pace was when the venue was found silent; None: it is not."""

    @property
    def expected(self) -> float:
        return min(self.due_without.values(), default=0.0)

    def spoke(self, seen: int) -> None:
        if self.multiple is not None:
            self.hushed = 0
        self.since, self.due, self.due_without, self.multiple = seen, 0.0, {}, None


class Watchdog:
    """Counts what live venues show and says which are silent. `usual`: orders a minute by venue, a first guess."""

    def __init__(self, usual: Mapping[str, float]) -> None:
        self._usual = {venue: _Usual(guess * COINS_PER_ORDER) for venue, guess in usual.items()}
        self._standing: dict[str, _Standing] = {}
        self._open: dict[int, dict[str, set[str]]] = {}
        """Coins seen by minute and venue, until the minute is closed."""
        self._recent: deque[Mapping[str, int]] = deque(maxlen=WINDOW)
        self._closed = 0

    def counted(self, venue: str, seen: int, asset: str) -> None:
        """The venue's socket brought an order of the asset at `seen` (our clock, ms UTC); twice is no harm."""
        if venue not in self._usual:
            return
        if seen // MINUTE > self._closed:
            self._open.setdefault(seen // MINUTE, {}).setdefault(venue, set()).add(asset)
        standing = self._standing.get(venue)
        if standing and seen > standing.since:
            standing.spoke(seen)

    def look(self, now: int, live: Collection[str]) -> Mapping[str, Silence]:
        """The silent ones among the venues whose sockets are live; call when all orders up to `now` are counted."""
        for venue in self._standing.keys() - set(live):
            del self._standing[venue]
        for venue in live:
            if venue in self._usual:
                self._standing.setdefault(venue, _Standing(now))
        for minute in self._over(now // MINUTE):
            self._close(minute, self._open.pop(minute, {}))
        found = {venue: standing for venue, standing in self._standing.items() if standing.multiple is not None}
        return {venue: _silence(standing, now) for venue, standing in found.items()}

    @property
    def expected(self) -> Mapping[str, float]:
        """Coins due since a venue's last order, of the venues that can be judged now or have been."""
        return {
            venue: one.expected
            for venue, one in self._standing.items()
            if one.multiple is not None or self._judged(venue)
        }

    def usual(self, venue: str) -> float:
        """Coins a minute the venue usually shows, as far as is known."""
        return self._usual[venue].per_minute

    def _over(self, minute: int) -> range:
        first = max(self._closed + 1, minute - LONGEST_STEP)
        self._open = {number: coins for number, coins in self._open.items() if number >= first}
        self._closed = max(self._closed, minute - 1)
        return range(first, minute)

    def _close(self, minute: int, coins: Mapping[str, Collection[str]]) -> None:
        counts = {
            venue: len(coins.get(venue, ()))
            for venue, standing in self._standing.items()
            if standing.first <= minute and standing.multiple is None
        }
        self._recent.append(counts)
        for venue, standing in self._standing.items():
            if standing.first > minute:
                continue
            standing.hushed += 1
            if venue in coins:
                self._usual[venue].learn(len(coins[venue]), standing.hushed)
                standing.hushed = 0
            elif standing.since < minute * MINUTE:
                self._weigh(venue, standing, counts)
        for venue, standing in self._standing.items():
            if standing.multiple is None and self._judged(venue):
                standing.multiple = self._verdict(venue, standing.expected)

    def _weigh(self, venue: str, standing: _Standing, counts: Mapping[str, int]) -> None:
        """What the minute says was due of the venue, with each of the others left out once."""
        others = {name: count for name, count in counts.items() if name != venue}
        coins, usual, own = sum(others.values()), sum(map(self.usual, others)), self.usual(venue)
        known, before = standing.due_without, standing.due
        standing.due += _due(own, coins, usual)
        standing.due_without = {
            name: known.get(name, before) + _due(own, coins - count, usual - self.usual(name))
            for name, count in others.items()
        }

    def _verdict(self, venue: str, expected: float) -> float | None:
        if expected < ENOUGH:
            return None
        names = self._others(venue)
        multiple = min(self._pace([_but(counts, {venue, name}) for counts in self._recent]) for name in names)
        return multiple if multiple >= BUSY or expected >= PLENTY else None

    def _judged(self, venue: str) -> bool:
        return self.usual(venue) >= LEAST_PER_MINUTE and len(self._others(venue)) >= OTHERS_LEAST

    def _others(self, venue: str) -> list[str]:
        return [name for name, one in self._standing.items() if name != venue and one.multiple is None]

    def _pace(self, minutes: Collection[Mapping[str, int]]) -> float:
        """Coins shown in some minutes over what is usual in them."""
        usual = sum(self.usual(name) for counts in minutes for name in counts)
        return sum(count for counts in minutes for count in counts.values()) / usual if usual else 0.0


def _due(own: float, coins: int, usual: float) -> float:
    """Coins due of a venue that usually shows `own` when others, who usually show `usual`, show `coins`."""
    return min(own * coins / usual, MINUTE_MOST) if coins else 0.0


def _but(counts: Mapping[str, int], names: Collection[str]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if name not in names}


def _silence(standing: _Standing, now: int) -> Silence:
    multiple = standing.multiple or 0.0
    minutes = (now - standing.since) // MINUTE
    words = (
        f"no order for {minutes} min, though at least {standing.expected:.0f} coins were due: the other venues "
        f"liquidated at {multiple:.1f} times their usual pace"
    )
    return Silence(since=standing.since, expected=standing.expected, multiple=multiple, words=words)
