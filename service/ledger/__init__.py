"""The ledger: how much was liquidated, what was said about it, and who may speak. One protocol, two stores.

Owns windows, dedup, the alert archive, episode states, live-time bookkeeping and the lease. Holds no opinion.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from service.ledger.live import Slots
from service.model import (
    HOUR,
    Alert,
    BadFrame,
    Detail,
    Edge,
    Liquidation,
    Reading,
    Record,
    Refusal,
    SocketHealth,
    Totals,
)


class Added(Record, frozen=True, kw_only=True):
    """What became of a batch. `fresh`: positions of the orders counted now; the rest are duplicates.

    `readings`: ALL and every touched asset, as they stand behind the batch.
    """

    fresh: tuple[int, ...]
    duplicates: int
    readings: tuple[Reading, ...]


class LedgerError(Exception):
    """The store could not be reached or refused. The same call may be repeated: every write is idempotent."""


class LeaseLostError(Exception):
    """Another replica holds the right to judge and speak; nothing was written."""


class Ledger(Protocol):
    """All times are ms UTC on the service's clock. Every method may raise LedgerError."""

    kind: str
    """For people: "memory", "embedded valkey", or the server's address without its password."""

    async def add(self, batch: Sequence[Liquidation], now: int) -> Added:
        """Count each id once, in its own past (by `at`); one round trip; safe to repeat."""
        ...

    async def read(self, assets: Collection[str], now: int) -> list[Reading]:
        """All spans of the given assets, in the given order, in one round trip."""
        ...

    async def edges(self, asset: str, now: int) -> dict[str, Edge]:
        """By span: the bucket a reading of this `now` leaves out at its old edge."""
        ...

    async def history(self, asset: str, since: int, until: int, width: int = HOUR) -> dict[int, Totals]:
        """Hours with orders, by their start, of those that start in [since, until); up to five years back.

        With a `width` of a minute or 10 s (ms) those buckets instead: minutes of two days, ticks of three hours.
        """
        ...

    async def detail(self, asset: str, span: str, now: int) -> Detail:
        """One span broken down by venue, symbol and (for ALL) asset, with its largest order; minute resolution."""
        ...

    async def assets(self, now: int) -> list[str]:
        """Assets with at least one order in the last 24 h, without ALL, sorted."""
        ...

    async def mark_live(self, venues: Collection[str], since: int, until: int) -> None:
        """The venues were live from `since` to `until`; whole 10 s slots inside are marked. Safe to repeat."""
        ...

    async def mark_healed(self, venue: str, since: int, until: int) -> None:
        """The venue's history has filled these whole slots. Safe to repeat."""
        ...

    async def mark_deaf(self, venue: str, since: int, until: int) -> None:
        """Take back: in every slot this touches the venue was neither live nor healed, whatever was marked before."""
        ...

    async def slots(self, venues: Collection[str], now: int) -> Slots:
        """What was heard of each venue in the last 26 hours, in one round trip."""
        ...

    async def live_share(self, venues: Sequence[str], span: str, now: int) -> float | None:
        """Heard venue-seconds, live or healed, over all venue-seconds of the span; None when `venues` is empty."""
        ...

    async def recall(self, venues: Collection[str], since: int, until: int) -> list[Liquidation]:
        """Orders of the venues with `at` in [since, until), as they were counted; at least those of the last day."""
        ...

    async def follow(self, cursor: str | None, since: int) -> tuple[list[Liquidation], str]:
        """Orders counted behind `cursor`, in the order they were counted, and the cursor behind them.

        At most some hundred batches at a time; without a cursor all that were seen since `since` (ms UTC) or later.
        """
        ...

    async def lease(self, holder: str, ttl_ms: int) -> int | None:
        """Take or renew the right to judge; the fencing token, or None while somebody else holds it. Real time."""
        ...

    async def release(self, holder: str) -> None:
        """Give the lease back, so that a successor need not wait."""
        ...

    async def states(self) -> dict[str, bytes]:
        """Detector states by market, as they were committed."""
        ...

    async def commit(self, token: int, states: Mapping[str, bytes | None], alerts: Sequence[Alert]) -> None:
        """Write detector states (None removes) and append alerts with new ids, in one step. Raises LeaseLostError."""
        ...

    async def alerts(self, since: str | None, limit: int) -> list[tuple[str, Alert]]:
        """(cursor, alert) after `since`, oldest first; without `since` the newest `limit`, newest last."""
        ...

    async def alert(self, id: str) -> Alert | None:
        """One alert by its id."""
        ...

    async def cursor(self, sink: str) -> str | None:
        """How far a sink has delivered."""
        ...

    async def advance(self, sink: str, cursor: str) -> None:
        """Remember that a sink has delivered everything up to `cursor`."""
        ...

    async def refuse(self, sink: str, cursor: str, alert_id: str, reason: str) -> None:
        """As `advance` over an alert the sink will never take, and keep why; the newest 100 of each sink stay."""
        ...

    async def refused(self, sink: str, limit: int = 20) -> list[Refusal]:
        """What a sink will never take, newest first."""
        ...

    async def pending(self, sink: str, most: int) -> int | None:
        """Alerts behind a sink's cursor, counted up to `most`; None when it has no cursor."""
        ...

    async def save_health(self, records: Sequence[SocketHealth]) -> None:
        """Keep the latest record of each socket, for other processes to read."""
        ...

    async def health(self) -> list[SocketHealth]:
        """The latest record of each socket."""
        ...

    async def keep(self, bad: BadFrame) -> None:
        """Keep a bad frame for inspection; the newest 200 of each venue stay."""
        ...

    async def kept(self, venue: str, limit: int = 20) -> list[BadFrame]:
        """Bad frames of a venue, newest first."""
        ...

    async def ping(self) -> None:
        """Raises LedgerError when the store does not answer."""
        ...

    async def used_bytes(self) -> int | None:
        """Memory the store's data takes, as it says itself; None where nobody says."""
        ...

    async def close(self) -> None:
        """Let go of the store; an embedded server is stopped and keeps its data."""
        ...
