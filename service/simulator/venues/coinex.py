"""CoinEx v2 as its pages describe it: markets and the history of liquidations over REST, and no socket for either.

https://docs.coinex.com/api/v2 (futures: market list, list-market-liquidation-history). The answer to an unknown market
was seen on the live service in September 2026.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from service.simulator.contracts import Listing, Order, name_of, plain
from service.simulator.listener import Answer
from service.simulator.restonly import RestOnlyServer

_PAGE = 10
_BAD_ARGUMENT = 4004
#: How far behind the liquidation price the margin is used up.
_BEHIND = Decimal("0.0025")


class Coinex(RestOnlyServer):
    """`blank`: the market's name is told with a blank before it, as in the venue's own sample."""

    name = "coinex"
    ENDPOINTS = {"rest": "http://{at}/v2"}  # noqa: RUF012
    blank: bool = False

    def describe(self, symbol: str) -> Listing:
        """BTCUSDT, BTCUSDC; BTCUSD in contracts of a dollar."""
        name = name_of(symbol)
        return Listing(
            symbol=f"{name.base}{name.quote}",
            base=name.base,
            quote=name.quote,
            expiry="",
            inverse=name.inverse,
            size=Decimal(1),
        )

    def standing_symbols(self) -> list[str]:
        """Those of every venue, and one against USDC."""
        return [*super().standing_symbols(), "BTCUSDC"]

    def rest(self, path: str, query: Mapping[str, str]) -> Answer:
        """All markets, or one page of a market's liquidations."""
        if path == "/v2/futures/market":
            return 200, _answer([_market(listing) for listing in self.listings()])
        if path == "/v2/futures/liquidation-history":
            return 200, self._history(query)
        return 404, {"code": 404, "data": {}, "message": "Not Found"}

    def _history(self, query: Mapping[str, str]) -> Mapping[str, object]:
        """Newest first. The window is closed on both ends; without one nothing is left out."""
        numbers = [query.get(name, default) for name, default in (("page", "1"), ("limit", str(_PAGE)))]
        window = [query.get(name, "") for name in ("start_time", "end_time")]
        known = any(listing.symbol == query.get("market") for listing in self.listings())
        if not known or not all(text.isdigit() for text in (*numbers, *filter(None, window))):
            return {"code": _BAD_ARGUMENT, "data": {}, "message": "invalid argument"}
        page, limit = map(int, numbers)
        rows = [order for order in reversed(self.happened) if _within(order, query["market"], *window)]
        shown = rows[(page - 1) * limit : page * limit]
        pages = {"total": len(rows), "has_next": page * limit < len(rows)}
        return {**_answer([self._row(order) for order in shown]), "pagination": pages}

    def _row(self, order: Order) -> Mapping[str, object]:
        price, away = Decimal(order.price), -_BEHIND if order.side == "long" else _BEHIND
        return {
            "market": f"{' ' if self.blank else ''}{order.listing.symbol}",
            "side": str(order.side),
            "liq_price": order.price,
            "liq_amount": order.quantity,
            "bkr_price": plain(price * (1 + away)),
            "created_at": order.at,
        }


def _within(order: Order, market: str, start: str, end: str) -> bool:
    since, until = int(start or 0), int(end) if end else order.at
    return order.listing.symbol == market and since <= order.at <= until


def _answer(data: Sequence[object]) -> Mapping[str, object]:
    return {"code": 0, "data": data, "message": "OK"}


def _market(listing: Listing) -> Mapping[str, object]:
    return {
        "market": listing.symbol,
        "contract_type": "inverse" if listing.inverse else "linear",
        "taker_fee_rate": "0.0005",
        "maker_fee_rate": "0.0003",
        "min_amount": "10" if listing.inverse else "0.0005",
        "base_ccy": listing.base,
        "quote_ccy": listing.quote,
        "base_ccy_precision": 8,
        "quote_ccy_precision": 2,
        "tick_size": "0.5",
        "status": "online",
        "delisted_at": 0,
        "is_market_available": True,
        "is_copy_trading_available": True,
        "is_api_trading_available": True,
        "leverage": ["3", "5", "8", "10", "15", "20", "30", "50", "100"],
        "open_interest_volume": "100",
    }
