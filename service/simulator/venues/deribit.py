"""Deribit v2 as its pages describe it: JSON-RPC on a socket, instruments and the trades of the last day over REST.

https://docs.deribit.com (public/subscribe, set_heartbeat, get_instruments, get_last_trades_by_currency_and_time,
get_book_summary_by_currency, the trades and price index channels, RPC error codes).
"""

import asyncio
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

import msgspec

from service.clock import Clock
from service.model import HOUR, Side
from service.simulator.base import VenueServer
from service.simulator.contracts import Listing, Order, name_of
from service.simulator.faults import Faults
from service.simulator.listener import Answer
from service.simulator.peer import Peer
from service.simulator.standing import deribit as standing

_PATH = "/ws/api/v2"
_REST = "/api/v2/public/"
_NEVER, _LISTED_AT = 32_503_708_800_000, 1_534_167_754_000
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_OWN = re.compile(r"(?P<base>[A-Z0-9]+?)(?:_(?P<quote>USD[CT]))?-(?P<tail>PERPETUAL|\d{1,2}[A-Z]{3}\d{2})")
_DATE = re.compile(r"(\d{2})(\d{2})(\d{2})")
#: Direction is the taker's. Forced to sell is a long; where the maker was forced, the taker did the opposite.
_TAKER, _MAKER = {Side.LONG: "sell", Side.SHORT: "buy"}, {Side.LONG: "buy", Side.SHORT: "sell"}
#: Ordinary trades around each forced one: on a socket in the same batch, in the history more of them.
_BESIDE, _AROUND = 1, 6
_DAY_MS = 24 * HOUR
_BAD_PARAMS, _NO_METHOD, _NO_JSON, _NEEDS_LOGIN = -32602, -32601, -32700, 13778

Fields = Mapping[str, object]


class Deribit(VenueServer):
    """Trades in batches of 100 ms, a few of them forced, now of the taker and now of the maker."""

    name = "deribit"
    ENDPOINTS = {"public": f"ws://{{at}}{_PATH}", "rest": "http://{at}"}  # noqa: RUF012
    slot_ms = 100
    standing = 20

    def __init__(self, clock: Clock, symbols: Iterable[str], faults: Faults) -> None:
        super().__init__(clock, symbols, faults)
        self._beats: dict[str, asyncio.Future[float]] = {}

    def describe(self, symbol: str) -> Listing:
        """BTC-PERPETUAL and BTC-27MAR26 (inverse, in dollars); all else settles in USDC: SOL_USDC-PERPETUAL."""
        own = _OWN.fullmatch(symbol.upper())
        if own:
            base, quote, tail = own["base"], own["quote"] or "USD", own["tail"]
        else:
            name, date = name_of(symbol), _DATE.fullmatch(name_of(symbol).expiry)
            base, quote = name.base, "USD" if name.inverse else "USDC"
            tail = f"{int(date[3])}{_MONTHS[int(date[2]) - 1]}{date[1]}" if date else name.expiry or "PERPETUAL"
        inverse = quote == "USD"
        return Listing(
            symbol=f"{base}-{tail}" if inverse else f"{base}_{quote}-{tail}",
            base=base,
            quote=quote,
            expiry="" if tail == "PERPETUAL" else tail,
            inverse=inverse,
            size=Decimal(1),
        )

    def standing_symbols(self) -> list[str]:
        """Linear perpetuals, the two inverse ones, and two dated contracts."""
        linear = [symbol for symbol in super().standing_symbols() if symbol.endswith("USDT")]
        return [*linear, "BTCUSD", "ETHUSD", "BTC-27MAR26", "ETH-27MAR26"]

    def line(self, path: str) -> str | None:
        """One socket for everything."""
        return "public" if path == _PATH else None

    async def attend(self, peer: Peer) -> None:
        """Once heartbeats are set, a question each interval; a client that does not answer it is cut off."""
        loop = asyncio.get_running_loop()
        interval = await self._beats.setdefault(peer.id, loop.create_future())
        silent = False
        while not silent:
            asked = loop.time()
            await peer.say(_json({"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "test_request"}}))
            await self.clock.sleep(interval)
            silent = peer.heard_at < asked and loop.time() - peer.heard_at > self.clock.grace(interval)
        await peer.ws.close(1000, "no answer to a test request")

    async def hear(self, peer: Peer, text: str | bytes) -> None:
        """One JSON-RPC request, its `id` comes back."""
        try:
            request = msgspec.json.decode(text, type=dict[str, object])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            await peer.say(_json({"jsonrpc": "2.0", "error": {"code": _NO_JSON, "message": "Parse error"}}))
            return
        given = request.get("params")
        params = given if isinstance(given, dict) else {}
        match request.get("method"):
            case "public/test":
                if not self.faults.mute_pongs:
                    await self._reply(peer, request, {"version": "1.2.26"})
            case "public/set_heartbeat":
                await self._heartbeat(peer, request, params.get("interval"))
            case "public/subscribe" | "public/unsubscribe" as method if isinstance(params.get("channels"), list):
                await self._channels(peer, request, [str(name) for name in params["channels"]], method)
            case _:
                await self._error(peer, request, _NO_METHOD, "Method not found")

    async def _heartbeat(self, peer: Peer, request: Fields, interval: object) -> None:
        if not isinstance(interval, int) or interval < 10:  # noqa: PLR2004  # the least the page allows
            await self._error(peer, request, _BAD_PARAMS, "Invalid params")
            return
        beat = self._beats.setdefault(peer.id, asyncio.get_running_loop().create_future())
        if not beat.done():
            beat.set_result(interval)
        await self._reply(peer, request, "ok")

    async def _channels(self, peer: Peer, request: Fields, names: list[str], method: str) -> None:
        """Channels that do not exist are left out of the list; raw ones need a login."""
        if any(name.endswith(".raw") for name in names):
            await self._error(peer, request, _NEEDS_LOGIN, "raw_subscriptions_not_available_for_unauthorized")
            return
        if method == "public/unsubscribe":
            gone = [name for name in names if peer.topics.pop(name, None) is not None]
            await self._reply(peer, request, gone)
            return
        known = [name for name in names if not self.faults.refuse and self._exists(name)]
        await self._reply(peer, request, known)
        self.subscribe(peer, {name: {} for name in known})

    def _exists(self, name: str) -> bool:
        parts = name.split(".")
        if parts[0] == "deribit_price_index":
            return parts[1:] == ["btc_usd"]
        if parts[0] != "trades" or parts[-1] != "100ms":
            return False
        return parts[1] == "future" or any(listing.symbol == parts[1] for listing in self.listings())

    async def _reply(self, peer: Peer, request: Fields, result: object) -> None:
        now = self.clock.now() * 1_000
        times = {"usIn": now, "usOut": now + 90, "usDiff": 90, "testnet": False}
        await peer.say(_json({"jsonrpc": "2.0", "id": request.get("id"), "result": result, **times}))

    async def _error(self, peer: Peer, request: Fields, code: int, text: str) -> None:
        await peer.say(_json({"jsonrpc": "2.0", "id": request.get("id"), "error": {"code": code, "message": text}}))

    def parcels(self, orders: Sequence[Order]) -> list[list[Order]]:
        """One notification a contract."""
        found: dict[str, list[Order]] = {}
        for order in orders:
            found.setdefault(order.listing.symbol, []).append(order)
        return list(found.values())

    def topics(self, peer: Peer, parcel: Sequence[Order]) -> list[str]:
        """The contract's own channel, its currency's, and that of all currencies."""
        listing = parcel[0].listing
        names = (f"trades.{name}.100ms" for name in ("future.any", f"future.{_currency(listing)}", listing.symbol))
        return [name for name in names if name in peer.topics]

    def frame(self, peer: Peer, topic: str, parcel: Sequence[Order]) -> str:  # noqa: ARG002  # the same for everybody
        """Forced trades among others."""
        rows = [row for order in parcel for row in _trades(order, _BESIDE)]
        return _json({"jsonrpc": "2.0", "method": "subscription", "params": {"channel": topic, "data": rows}})

    def mark(self, peer: Peer, topic: str) -> str | None:  # noqa: ARG002  # the same for everybody
        """The index of bitcoin."""
        if topic.startswith("trades."):
            return None
        price = float(self.price(self.describe("BTCUSD")))
        data = {"timestamp": self.clock.now(), "price": price, "index_name": "btc_usd"}
        return _json({"jsonrpc": "2.0", "method": "subscription", "params": {"channel": topic, "data": data}})

    def rest(self, path: str, query: Mapping[str, str]) -> Answer:
        """Instruments, summaries and trades."""
        if path == f"{_REST}get_instruments" and query.get("currency"):
            shown = [row for row in self.listings() if query["currency"] in ("any", _currency(row))]
            return 200, _result([_contract(row) for row in shown if query.get("kind", "future") == "future"])
        if path == f"{_REST}get_book_summary_by_currency" and query.get("kind") == "future":
            rows = [standing.summary(self, row) for row in self.listings() if _currency(row) == query.get("currency")]
            return 200, _result(rows)
        times = [query.get(name, "") for name in ("start_timestamp", "end_timestamp", "count")]
        if path != f"{_REST}get_last_trades_by_currency_and_time" or not all(time.isdigit() for time in times):
            return 400, {"jsonrpc": "2.0", "error": {"code": _BAD_PARAMS, "message": "Invalid params"}}
        start, end, count = map(int, times)
        return 200, _result(self._trades(query.get("currency", ""), start, end, min(count, 1_000)))

    def _trades(self, currency: str, start: int, end: int, count: int) -> Fields:
        """What is older than a day is gone, and a window that begins there is empty."""
        if start < self.clock.now() - _DAY_MS:
            return {"trades": [], "has_more": False}
        orders = [one for one in self.happened if start <= one.at <= end and _currency(one.listing) == currency]
        found = [row for order in sorted(orders, key=lambda order: order.at) for row in _trades(order, _AROUND)]
        return {"trades": found[:count], "has_more": len(found) > count}


def _currency(listing: Listing) -> str:
    return listing.base if listing.inverse else listing.quote


def _trades(order: Order, others: int) -> Iterator[dict[str, object]]:
    """The forced trade last, in the same millisecond as the free ones before it."""
    number = zlib.crc32(f"{order.listing.symbol} {order.side} {order.at} {order.price} {order.quantity}".encode())
    prefix = "" if _currency(order.listing) == "BTC" else f"{_currency(order.listing)}-"
    price, maker = float(order.price), number % 4 == 0
    for place in range(others + 1):
        forced = place == others
        yield {
            "trade_seq": number + place,
            "trade_id": f"{prefix}{number * 10 + (0 if forced else place + 1)}",
            "timestamp": order.at,
            "tick_direction": 3,
            "price": price,
            "mark_price": price,
            "instrument_name": order.listing.symbol,
            "index_price": price,
            "direction": (_MAKER if maker else _TAKER)[order.side],
            "amount": float(order.quantity) if forced else 10.0,
        } | ({"liquidation": "M" if maker else "T"} if forced else {})


def _contract(listing: Listing) -> Fields:
    kind = "reversed" if listing.inverse else "linear"
    return {
        "price_index": f"{listing.base}_{listing.quote}".lower(),
        "kind": "future",
        "instrument_name": listing.symbol,
        "instrument_type": kind,
        "future_type": kind,
        "expiration_timestamp": _NEVER,
        "creation_timestamp": _LISTED_AT,
        "is_active": True,
        "contract_size": 10 if listing.inverse else 0.001,
        "min_trade_amount": 10 if listing.inverse else 0.001,
        "settlement_currency": _currency(listing),
        "settlement_period": "month" if listing.expiry else "perpetual",
        "base_currency": listing.base,
        "counter_currency": listing.quote,
        "quote_currency": listing.quote,
    }


def _result(result: object) -> Fields:
    return {"jsonrpc": "2.0", "result": result, "usIn": 1, "usOut": 2, "usDiff": 1, "testnet": False}


def _json(body: object) -> str:
    return msgspec.json.encode(body).decode()
