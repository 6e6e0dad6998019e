"""From readings to alerts: steps every market, enriches what is to be said, and writes state and alerts in one step.

Owns the detector states between steps. Live and replay use the very same object; it reads no clock.
"""

import logging
from collections.abc import Callable, Iterable, Mapping

import msgspec

from service import text
from service.detector import SPAN, Open, Rules, State, Verdict, step
from service.ledger import Ledger
from service.model import Alert, Coverage, Episode, Reading, Totals

log = logging.getLogger("cascade.pipeline")

_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(State).decode


class Judge:
    """Detector states by market, and the way from a verdict to an alert.

    `cover` tells the coverage of an asset and span at a time, where it is known. `at_least` is for recordings, of
    which it is not: their totals are floors. `single_orders` is False for bucket totals, whose largest order nobody
    knows.
    """

    def __init__(
        self,
        ledger: Ledger,
        rules: Rules,
        cover: Callable[[str, str, int], Coverage] | None,
        *,
        at_least: bool = False,
        simulated: bool = False,
        single_orders: bool = True,
    ) -> None:
        self._ledger = ledger
        self._rules = rules
        self._cover = cover
        self._at_least = at_least
        self._simulated = simulated
        self._single_orders = single_orders
        self._states: dict[str, State] = {}
        self._latest: dict[str, Reading] = {}
        self._odd: set[str] = set()

    async def load(self) -> None:
        """Take up the states as they were committed: an open episode goes on after a restart or a change of leader."""
        self._states = {}
        for market, state in (await self._ledger.states()).items():
            try:
                self._states[market] = _DECODE(state)
            except msgspec.MsgspecError as error:
                if market not in self._odd:
                    log.warning("the stored state of %s is of another version and is forgotten: %s", market, error)
                self._odd.add(market)

    def look(self, readings: Iterable[Reading]) -> None:
        """Take note of readings for `episodes` without judging them."""
        self._latest.update({reading.asset: reading for reading in readings})

    @property
    def open_markets(self) -> list[str]:
        """Markets with an open episode: they need a reading even when nothing new came."""
        return [market for market, state in self._states.items() if state.open]

    async def observe(self, readings: Iterable[Reading], token: int) -> list[Alert]:
        """Step the readings' markets and commit what changed. On LedgerError or LeaseLostError nothing changed."""
        states, verdicts = dict(self._states), []
        for reading in readings:
            self._latest[reading.asset] = reading
            state, verdict = step(states.get(reading.asset, State()), reading, self._rules)
            states[reading.asset] = state
            if verdict:
                verdicts.append(verdict)
        changed = {market: state for market, state in states.items() if state != self._states.get(market, State())}
        if not changed:
            return []
        alerts = [await self._alert(verdict) for verdict in verdicts]
        written = {market: _ENCODE(state) if state.open else None for market, state in changed.items()}
        await self._ledger.commit(token, written, alerts)
        self._states = {market: state for market, state in states.items() if state.open}
        return alerts

    def episodes(self) -> list[Episode]:
        """Open episodes as they stand, largest running hour first."""
        found = [self._episode(market, state.open) for market, state in self._states.items() if state.open]
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
        )

    async def _alert(self, verdict: Verdict) -> Alert:
        episode, totals = verdict.episode, verdict.totals
        detail = await self._ledger.detail(verdict.asset, SPAN, verdict.at)
        coverage = self._cover(verdict.asset, SPAN, verdict.at) if self._cover else None
        alert = Alert(
            id=f"{episode.id}.{episode.alerts}",
            episode=episode.id,
            kind=episode.kind,
            phase=verdict.phase,
            severity=episode.severity,
            asset=verdict.asset,
            side=episode.side,
            span=SPAN,
            started_at=episode.started_at,
            at=verdict.at,
            long_usd=totals.long_usd,
            short_usd=totals.short_usd,
            share=totals.share,
            at_least=self._at_least or (coverage is not None and coverage.at_least),
            peak_usd=episode.peak_usd,
            coverage=coverage,
            venues=_dollars(detail.venues),
            symbols=_dollars(detail.symbols),
            largest=detail.largest if self._single_orders else None,
            simulated=self._simulated,
        )
        return msgspec.structs.replace(alert, why=text.why(alert))


def _dollars(names: Mapping[str, Totals], most: int = 10) -> dict[str, float]:
    return {name: totals.usd for name, totals in list(names.items())[:most]}
