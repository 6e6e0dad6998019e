"""All that is known beside liquidations, and the questions that are asked of it: by an alert, by a door, by a scrape.

Everything is answered from memory, at once. Pollers and sockets write into it; it asks nobody and opens no file.
"""

from collections.abc import Collection, Iterable, Mapping

import msgspec

from service.context.beside import Known, beside, with_etfs
from service.context.closing import closing_price
from service.context.divergence import unit_checked
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
    Rates,
    Risk,
    Side,
    Situation,
    SourceReport,
    coin_of,
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
        """What stands beside an alert; of rates only what may be kept."""
        asset, now = coin_of(told.asset), told.at
        flows, doubts = self._flows(told.asset, now)
        rates, lacking = self._rates(now, kept_only=True)
        own = self.risk(asset, told.side, now)
        known = Known(
            leverage=self.memory.leverage(asset, now),
            held=self.memory.pairs(asset, told.onset, now),
            risk=own,
            flows=flows,
            # their coins are checked, by the price of their day: it is the one they make
            marks={one.asset: one.usd / one.units for one in flows if one.units},
            rates=rates,
            missing=doubts | lacking | self._unrisked(own),
            unasked=self._unasked,
        )
        context = beside(told, known)
        return msgspec.structs.replace(context, missing=self._asked({**known.missing, **context.missing}))

    def risk(self, asset: str, side: Side, now: int) -> Risk:
        """The gauge of one side at `now` ms UTC; its percentiles are worked out once a minute."""
        known = self._fuel.get(asset)
        if known is None or not 0 <= now - known[0] < MINUTE:
            contract = self.memory.reference(asset, now)
            if contract is None:  # whatever name was asked for: nothing of it stays
                self._fuel.pop(asset, None)
                return risk(Fuel(asset=asset), side, now)
            fuel = fuel_of(asset, contract.past_and_present(), now)
            known = self._fuel[asset] = now, fuel, f"{contract.symbol} on {contract.venue}"
        return msgspec.structs.replace(risk(known[1], side, now), of=known[2])

    def report(self, asset: str, now: int, sources: Iterable[SourceReport]) -> ContextReport:
        """All the context of an asset (ALL: leverage and gauge of BTC) at `now` ms UTC."""
        coin = coin_of(asset)
        gauges = {side.value: self.risk(coin, side, now) for side in Side}
        leverage, (flows, doubts) = self.memory.leverage(coin, now), self._flows(asset, now)
        rates, lacking = self._rates(now)
        return ContextReport(
            asset=asset,
            now=now,
            leverage=leverage,
            risk=gauges,
            flows=flows,
            rates=rates,
            missing=self._asked(doubts | lacking | self._unrisked(gauges[Side.SHORT]) | _untold(leverage)),
            sources=tuple(sources),
        )

    def _flows(self, asset: str, now: int) -> tuple[tuple[EtfFlow, ...], dict[str, str]]:
        """The flows that belong to an asset, their coins checked; and what of them is not here or old, and why."""
        names = () if "etf" in self._unasked else with_etfs(asset)
        doubts = {f"etf {name}": why for name, why in self.flows.missing(now, assets=names).items()}
        found = []
        for flow in filter(None, [self.flows.of(name, now) for name in names]):
            price = closing_price(self.memory, flow.asset, flow.date, now) if flow.units is not None else None
            checked, why = unit_checked(flow, price.usd, price.slack, price.name) if price else (flow, "")
            found.append(checked)
            doubts |= {f"etf {flow.asset} units": why} if why else {}
        return tuple(found), doubts

    def _rates(self, now: int, kept_only: bool = False) -> tuple[Rates | None, dict[str, str]]:
        rates = self.macro.of(now, kept_only=kept_only)
        why = self.macro.lacking(rates, now)
        return rates, {"rates": why} if why else {}

    def _unrisked(self, gauge: Risk) -> dict[str, str]:
        return {"risk": gauge.reason} if gauge.score is None else {}

    def _asked(self, missing: Mapping[str, str]) -> dict[str, str]:
        """What is missing of that which is asked for."""
        return {name: why for name, why in missing.items() if name.partition(" ")[0] not in self._unasked}


def _untold(leverage: Leverage | None) -> dict[str, str]:
    """Open interest and funding where no venue tells them now, with what the venues' polls say."""
    why = "; ".join(sorted({f"{name}: {text}" for name, text in leverage.missing.items()})) if leverage else ""
    oi, funding = (leverage.oi_usd, leverage.funding_8h) if leverage else (None, None)
    found = {"open_interest": oi, "funding": funding}
    return {name: why or "no venue told it" for name, value in found.items() if value is None}
