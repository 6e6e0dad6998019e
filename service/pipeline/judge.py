"""From readings to alerts: steps every market, and writes states and alerts in one step.

Owns the order of judging: ALL first, since the others may be lines of it. What an alert carries beyond its verdict is
gathered in dossier.py. Live and replay use the very same object; it reads no clock.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from service.detector import SPAN, Open, Rules, State, Verdict, step
from service.ledger import Ledger
from service.model import ALL, Alert, Coverage, Episode, Pulse, Reading, Totals
from service.pipeline.dossier import Dossier
from service.pipeline.markets import Markets

#: Without anything to say, states are written every so many rounds: a successor reads on from them.
SNAPSHOT_ROUNDS = 20
#: The span of the coverage that scales what a minute teaches.
_HEARD_SPAN = "1m"

Covered = Callable[[str, str, int], Coverage]


class Judge:
    """`cover` tells the coverage of an asset and span at a time, where it is known.

    `singles` is False for recordings of totals, whose single orders nobody knows; `keep` is False where no successor
    will read the states.
    """

    def __init__(
        self,
        ledger: Ledger,
        rules: Rules,
        cover: Covered | None,
        dossier: Dossier,
        *,
        singles: bool = True,
        keep: bool = True,
    ) -> None:
        self._ledger, self._rules, self._cover, self._dossier = ledger, rules, cover, dossier
        self._keep = keep
        self.markets = Markets(ledger, rules, singles=singles)
        self._pulses: dict[str, list[Pulse]] = {}
        self._latest: dict[str, Reading] = {}
        self._rounds = 0

    async def load(self, now: int) -> None:
        """Take up the states as they were committed: an open episode goes on after a restart or a change of leader."""
        self._pulses = {}
        await self.markets.load(now)

    def look(self, readings: Iterable[Reading]) -> None:
        """Take note of readings for `episodes` without judging them."""
        self._latest.update({reading.asset: reading for reading in readings})

    async def listen(self, now: int) -> set[str]:
        """Bring the signals up to `now`; the markets that need a reading, even when nothing new came."""
        coverage = self._cover(ALL, _HEARD_SPAN, now) if self._cover else None
        share = coverage.seconds_share if coverage else None
        for market, pulses in (await self.markets.listen(now, 1.0 if share is None else share)).items():
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
        changed, now = False, 0
        for reading in sorted(readings, key=lambda one: one.asset != ALL):
            now = max(now, reading.now)
            life, said = self._step(before.get(reading.asset, State()), reading)
            verdicts += said
            changed |= self.markets.keep(reading.asset, life)
        try:
            alerts = [await self._dossier.alert(verdict) for verdict in verdicts]
            await self._write(token, alerts, now, changed=changed)
        except BaseException:
            self.markets.lives = before
            raise
        self._pulses = {}
        return alerts

    def _step(self, life: State, reading: Reading) -> tuple[State, list[Verdict]]:
        market, verdicts = reading.asset, []
        self._latest[market] = reading
        now = self.markets.pulse(market, reading.now)
        pulses: Sequence[Pulse | None] = [*self._pulses.get(market, ()), now]
        parent = self.markets.lives.get(ALL, State()).open if market != ALL else None
        for pulse in pulses:
            seen = msgspec.structs.replace(reading, pulse=pulse)
            life, verdict = step(life, seen, self._rules, parent)
            if verdict:
                verdicts.append(verdict)
        return life, verdicts

    async def _write(self, token: int, alerts: Sequence[Alert], now: int, *, changed: bool) -> None:
        self._rounds += 1
        if not changed and not alerts and (not self._keep or self._rounds % SNAPSHOT_ROUNDS):
            return
        states = self.markets.unwritten(now) if self._keep else {}
        await self._ledger.commit(token, states, alerts)
        self.markets.written(states)

    def episodes(self) -> list[Episode]:
        """Open episodes as they stand, largest running hour first."""
        found = [self._episode(market, life.open) for market, life in self.markets.lives.items() if life.open]
        return sorted(found, key=lambda episode: -(episode.long_usd + episode.short_usd))

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
