"""Liquidations for tests of the street."""

from service.model import Liquidation, Side

T0 = 1_768_341_600_000


def order(usd: float = 1e6, at: int = T0, side: Side = Side.SHORT, **changes: object) -> Liquidation:
    """One order; its id follows from its fields unless given."""
    fields: dict[str, object] = {
        "venue": "bybit",
        "symbol": "BTCUSDT",
        "asset": "BTC",
        "price": 95_000.0,
        "quantity": usd / 95_000,
        "seen": at,
    } | changes
    fields.setdefault("id", f"{fields['venue']}{fields['symbol']}{side}{at}{usd}")
    return Liquidation(usd=usd, at=at, side=side, **fields)
