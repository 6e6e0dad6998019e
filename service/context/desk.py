"""All that is known beside liquidations, and the questions that are asked of it: by an alert, by a door, by a scrape.

Everything is answered from memory, at once. Pollers and sockets write into it; it asks nobody and opens no file.
"""

from collections.abc import Collection, Iterable

import msgspec

from service.context.beside import Known, beside, whose, with_etfs
from service.context.etf.flows import Flows
from service.context.macro.rates import Macro
from service.context.memory import Memory
from service.context.risk import Fuel, fuel_of, risk
from service.model import (
    MINUTE,
    Context,
    ContextReport,
    EtfFlow,
    Leverage,
    Risk,
    Side,
    Situation,
    SourceReport,
)

#: Pieces of context by their names in `missing`.
PIECES = ("open_interest", "funding", "risk", "etf", "rates")


class Desk:
    """`unasked` are pieces nobody is asked for: they are not missing, they are off."""

    def __init__(self, memory: Memory, flows: Flows, macro: Macro, unasked: Collection[str] = ()) -> None:
        self.memory, self.flows, self.macro = memory, flows, macro
        self._unasked = frozenset(unasked)
        self._fuel: dict[str, tuple[int, Fuel, str]] = {}

    def beside(self, told: Situation) -> Context:
        """What stands beside an alert."""
        asset, now = whose(told.asset), told.at
        flows = self._flows(told.asset, now)
        marks = {one.asset: mark for one in flows if (mark := self.memory.price(one.asset, now)) is not None}
        own = self.risk(asset, told.side, now)
        known = Known(
            leverage=self.memory.leverage(asset, now),
            held=self.memory.pairs(asset, told.onset, now),
            risk=own,
            flows=flows,
            marks=marks,
            rates=self.macro.of(now),
            missing=self._why(told.asset, own, now),
            unasked=self._unasked,
        )
        return beside(told, known)

    def risk(self, asset: str, side: Side, now: int) -> Risk:
        """The gauge of one side at `now` ms UTC; its percentiles are worked out once a minute."""
        known = self._fuel.get(asset)
        if known is None or not 0 <= now - known[0] < MINUTE:
            contract = self.memory.reference(asset, now)
            fuel = fuel_of(asset, contract.past_and_present(), now) if contract else Fuel(asset=asset)
            known = self._fuel[asset] = now, fuel, f"{contract.symbol} on {contract.venue}" if contract else ""
        return msgspec.structs.replace(risk(known[1], side, now), of=known[2])

    def report(self, asset: str, now: int, sources: Iterable[SourceReport]) -> ContextReport:
        """All the context of an asset (ALL: leverage and gauge of BTC) at `now` ms UTC."""
        coin = whose(asset)
        gauges = {side.value: self.risk(coin, side, now) for side in Side}
        leverage, flows, rates = self.memory.leverage(coin, now), self._flows(asset, now), self.macro.of(now)
        missing = self._why(asset, gauges[Side.SHORT], now) | _untold(leverage)
        if rates is not None and not rates.fresh:
            missing["rates"] = rates.reason
        missing |= {f"etf {one.asset}": one.reason for one in flows if not one.fresh}
        return ContextReport(
            asset=asset,
            now=now,
            leverage=leverage,
            risk=gauges,
            flows=flows,
            rates=rates,
            missing={name: why for name, why in missing.items() if name.partition(" ")[0] not in self._unasked},
            sources=tuple(sources),
        )

    def _flows(self, asset: str, now: int) -> tuple[EtfFlow, ...]:
        found = (self.flows.of(name, now) for name in with_etfs(asset))
        return tuple(one for one in found if one is not None)

    def _why(self, asset: str, gauge: Risk, now: int) -> dict[str, str]:
        """Why a piece is not here, as far as somebody knows."""
        flows = self.flows.missing(now)
        found = {f"etf {name}": flows[name] for name in with_etfs(asset) if name in flows}
        if gauge.score is None:
            found["risk"] = gauge.reason
        if self.macro.of(now) is None:
            found["rates"] = "no source has told it"
        return found


def _untold(leverage: Leverage | None) -> dict[str, str]:
    """Open interest and funding where no venue tells them now, with what the venues' polls say."""
    why = "; ".join(sorted({f"{name}: {text}" for name, text in leverage.missing.items()})) if leverage else ""
    oi, funding = (leverage.oi_usd, leverage.funding_8h) if leverage else (None, None)
    found = {"open_interest": oi, "funding": funding}
    return {name: why or "no venue told it" for name, value in found.items() if value is None}
