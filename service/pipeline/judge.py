"""From readings to alerts: steps every market, and writes states and alerts in one step.

Owns the order of judging: ALL first, since the others may be lines of it. What an alert carries beyond its verdict is
gathered in dossier.py. Live and replay use the very same object; it reads no clock.
"""

import logging
from collections.abc import Iterable, Sequence

import msgspec

from service import metrics
from service.detector import SPAN, Claim, Open, State, Verdict, step
from service.model import ALL, HOUR, MINUTE, SECOND, Alert, Episode, Pulse, Reading, Side, Since, Totals
from service.pipeline.dossier import Dossier
from service.pipeline.markets import Markets
from service.pipeline.prices import Prices
from service.pipeline.sources import Sources

log = logging.getLogger("cascade.pipeline")

#: Without anything to say, states are written every so many rounds: a successor reads on from them.
SNAPSHOT_ROUNDS = 20
#: The span of the coverage that scales what a minute teaches.
_HEARD_SPAN = "1m"
#: A signal is checked against prices over so long.
_CHECKED_MS = 5 * MINUTE


class Judge:
    """Steps markets. What it knows stands in `sources` and in the ledger."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._ledger, self._rules = sources.ledger, sources.rules
        self._prices = Prices(sources.recent, sources.moves)
        self.marks = sources.marks
        self._dossier = Dossier(sources, self._prices)
        self.markets = Markets(sources, self._prices)
        self._pulses: dict[str, list[Pulse]] = {}
        self._latest: dict[str, Reading] = {}
        self._against: dict[str, Side] = {}
        self._now = 0
        self._rounds = 0

    async def load(self, now: int) -> None:
        """Take up the states as they were committed: an open episode goes on after a restart or a change of leader."""
        self._pulses = {}
        await self.markets.load(now)
        self._rounds = -1  # the first round writes: what was made up for must not be made up for again

    async def glance(self) -> None:
        """Take note of what another replica judges."""
        await self.markets.glance()

    def look(self, readings: Iterable[Reading]) -> None:
        """Take note of readings for `episodes` without judging them."""
        self._latest.update({reading.asset: reading for reading in readings})

    async def listen(self, now: int) -> set[str]:
        """Bring the signals up to `now`; the markets that need a reading, even when nothing new came."""
        self._now = now
        coverage = self._sources.cover(ALL, _HEARD_SPAN, now) if self._sources.cover else None
        share = coverage.seconds_share if coverage else None
        for market, pulses in (await self.markets.listen(now, 1.0 if share is None else round(share, 1))).items():
            self._pulses.setdefault(market, []).extend(pulses)
        return {*self._pulses, *self.open_markets}

    @property
    def open_markets(self) -> list[str]:
        """Markets with an open episode, or about to have one."""
        return [market for market, life in self.markets.lives.items() if life.open or life.waiting_since is not None]

    async def observe(self, readings: Iterable[Reading], token: int) -> list[Alert]:
        """Step the readings' markets and commit what changed. On LedgerError or LeaseLostError nothing changed."""
        before = dict(self.markets.lives)
        verdicts: list[Verdict] = []
        changed = False
        ordered = sorted(readings, key=lambda one: one.asset != ALL)
        try:
            onsets = {market: life.open.onset for market, life in before.items() if life.open}
            self.markets.changed(await self._sources.boards.observe(ordered, onsets))
            for reading in ordered:
                life, said = self._step(before.get(reading.asset, State()), reading)
                verdicts += said
                changed |= self.markets.keep(reading.asset, life)
            above = [market for market in self._pulses if market != ALL]
            alerts = [await self._dossier.alert(verdict, above) for verdict in verdicts]
            await self._write(token, alerts, changed=changed)
        except BaseException:
            self.markets.lives = before
            raise
        self._pulses = {}
        return alerts

    def _step(self, life: State, reading: Reading) -> tuple[State, list[Verdict]]:
        market, verdicts = reading.asset, list[Verdict]()
        self._latest[market] = reading
        pulses = self._pulses.get(market, [])
        if pulses and life.open is None:
            reading = msgspec.structs.replace(reading, against=self._contradicted(market, pulses[-1], reading.now))
        parent = self.markets.lives.get(ALL, State()).open if market != ALL else None
        for pulse in [*pulses, self.markets.pulse(market, reading.now)]:
            seen = msgspec.structs.replace(reading, pulse=pulse)
            life, verdict = step(life, seen, self._rules, parent)
            if verdict:
                verdicts.append(verdict)
        return life, verdicts

    def _contradicted(self, market: str, pulse: Pulse, now: int) -> Side | None:
        """The side whose orders prices speak against: an alarm about the feeds, not about the market."""
        side = Side.SHORT if (pulse.lean or 0.0) >= 1 / 2 else Side.LONG
        found = self._dossier.price(market, side, now - _CHECKED_MS, now)
        if found is None or found.confirms is not False:
            self._against.pop(market, None)
            return None
        if self._against.get(market) is not side:
            metrics.DATA_ALARMS.labels("price_direction").inc()
            text = "%s: %ss are closed by force while the price moves %+.2f %%: check what the feeds call a side"
            log.warning(text, market, side, found.move_pct)
        self._against[market] = side
        return side

    async def _write(self, token: int, alerts: Sequence[Alert], *, changed: bool) -> None:
        keep = self._sources.keep
        self._rounds += 1
        if not changed and not alerts and (not keep or self._rounds % SNAPSHOT_ROUNDS):
            return
        states = self.markets.unwritten(self._now) if keep else {}
        await self._ledger.commit(token, states, alerts)
        self.markets.written(states)

    def episodes(self) -> list[Episode]:
        """Open episodes as they stand, largest running hour first."""
        found = [self._episode(market, life.open) for market, life in self.markets.lives.items() if life.open]
        return sorted(found, key=lambda episode: -(episode.long_usd + episode.short_usd))

    def watching(self) -> dict[str, int]:
        """Markets on watch, of which nobody is told, and since when (ms UTC)."""
        lives = self.markets.lives.items()
        return {market: life.watch_since for market, life in lives if life.watch_since is not None and not life.open}

    def pulse(self, market: str) -> Pulse | None:
        """The signals of a market as they stand, for showing; None while too little is known."""
        return self.markets.shown(market)

    def usual(self, market: str) -> float | None:
        """Dollars an hour usually holds at this time of day; None while that is unknown."""
        pulse = self.pulse(market)
        return pulse.usual(HOUR // SECOND) if pulse else None

    def since(self, market: str, claim: Claim) -> Since | None:
        """The last time there was as much; None while nothing can be said."""
        return self._sources.boards.since(market, claim)

    def _episode(self, market: str, episode: Open) -> Episode:
        reading = self._latest.get(market)
        totals = reading.spans[SPAN] if reading else Totals()
        return Episode(
            id=episode.id,
            kind=episode.kind,
            side=episode.side,
            asset=market,
            severity=episode.severity,
            started_at=episode.started_at,
            at=reading.now if reading else episode.peak_at,
            long_usd=totals.long_usd,
            short_usd=totals.short_usd,
            share=totals.share,
            peak_usd=episode.peak_usd,
            peak_at=episode.peak_at,
            alerts=episode.alerts,
            onset=episode.onset,
            rule=episode.rule,
            grade=episode.grade,
            stage="fading" if episode.fading else "running",
            parent=episode.parent,
        )
