"""HTX's open interest, funding and candles of the mark, as its pages show them for its three products."""

from collections.abc import Callable, Mapping

from service.simulator.base import VenueServer
from service.simulator.contracts import Listing
from service.simulator.standing import figures

Body = Mapping[str, object]

_PRODUCTS = {"linear": "/linear-swap-api/v1/swap", "swap": "/swap-api/v1/swap", "futures": "/api/v1/contract"}
_INTEREST = {f"{path}_open_interest": line for line, path in _PRODUCTS.items()}
_FUNDING = {f"{path}_batch_funding_rate": line for line, path in _PRODUCTS.items() if line != "futures"}
_MARKS = ("/index/market/history/linear_swap_mark_price_kline", "/index/market/history/swap_mark_price_kline")
_BOTH_SIDES = 2


def answer(
    server: VenueServer,
    path: str,
    query: Mapping[str, str],
    line_of: Callable[[Listing], str],
    face_of: Callable[[Listing], float],
) -> Body | None:
    """The body of a path that tells any of it, None for another path; a contract it does not know is an error."""
    if path in _MARKS:
        return _mark(server, query)
    line = _INTEREST.get(path) or _FUNDING.get(path)
    if line is None:
        return None
    dated = query.get("business_type") == "all"
    shown = [
        own for own in server.listings() if line_of(own) == line and (dated or line == "futures" or not own.expiry)
    ]
    rows = [_interest(server, own, face_of(own)) if path in _INTEREST else _funding(server, own) for own in shown]
    return {"status": "ok", "data": rows, "ts": server.clock.now()}


def _interest(server: VenueServer, listing: Listing, face: float) -> Body:
    """Contracts and coins of one side; what was traded is counted on both."""
    coins, volume = figures.coins(server, listing), server.interest.volume_usd(listing) * _BOTH_SIDES
    body: dict[str, object] = {"symbol": listing.base, "contract_code": listing.symbol, "amount": coins}
    worth = figures.usd(server, listing) if listing.inverse else coins
    body |= {"volume": worth / face, "trade_turnover": volume}
    body |= {"trade_amount": volume / figures.mark(server, listing)}
    return body if listing.inverse else body | {"value": figures.usd(server, listing)}


def _funding(server: VenueServer, listing: Listing) -> Body:
    rate, due = figures.text(server.interest.rate(listing), 18), str(figures.paid_next(server))
    body = {"symbol": listing.base, "contract_code": listing.symbol, "fee_asset": listing.quote, "funding_rate": rate}
    return body | {"funding_time": due, "estimated_rate": None, "next_funding_time": None}


def _mark(server: VenueServer, query: Mapping[str, str]) -> Body:
    """The running candle; there are no others here."""
    name, now = query.get("contract_code", ""), server.clock.now()
    found = next((own for own in server.listings() if own.symbol == name), None)
    if found is None or query.get("period") != "1min":
        return {"status": "error", "err_code": 1332, "err_msg": "The contract doesn't exist.", "ts": now}
    price = server.price(found)
    candle = {"id": now // 60_000 * 60, "open": price, "close": price, "low": price, "high": price}
    candle |= {"amount": "0", "vol": "0", "count": "0"}
    return {"ch": f"market.{name}.mark_price.1min", "status": "ok", "data": [candle], "ts": now}
