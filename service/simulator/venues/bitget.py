"""Bitget UTA v3 as its pages describe it: the public socket, the instruments and the delayed history of liquidations.

https://www.bitget.com/docs/uta (websocket/public/Liquidation-Channel, Tickers-Channel; public/Get-Liquidations,
Instruments, Tickers, Get-Current-Funding-Rate). Refusals, the dead words of the older sockets and the idle limit are
what the live service was seen to do.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial

import msgspec

from service.model import HOUR, SECOND, Side
from service.simulator.base import VenueServer
from service.simulator.contracts import Listing, Order, name_of, plain
from service.simulator.listener import Answer
from service.simulator.peer import Peer
from service.simulator.standing import bitget as standing
from service.simulator.standing import figures

_PATH = "/v3/ws/public"
_KINDS = ("usdt-futures", "usdc-futures", "coin-futures")
_POSITION_WORDS = {Side.LONG: "buy", Side.SHORT: "sell"}
_UNKNOWN, _BAD_REQUEST, _TOO_MANY = 30001, 30002, 30006
_LONGEST_PAGE = 100
_KEPT_MS = 72 * HOUR

Arg = Mapping[str, str]


class Bitget(VenueServer):
    """`in_coins`: the history tells amounts in base units, which its page does not rule out."""

    name = "bitget"
    ENDPOINTS = {"public": f"ws://{{at}}{_PATH}", "rest": "http://{at}"}  # noqa: RUF012
    max_request_bytes = 4_096
    slot_ms = 1_000
    tick_s = 0.35
    idle_s: float = 120.0
    messages_per_second: int = 10
    in_coins: bool = False

    def describe(self, symbol: str) -> Listing:
        """BTCUSDT, BTCPERP (USDC), BTCUSD_CM. Whatever the margin, a unit of quantity is a dollar."""
        name = name_of(symbol.upper().removesuffix("_CM"))
        endings = {"USDC": "PERP", "USD": "USD_CM"}
        return Listing(
            symbol=name.base + endings.get(name.quote, name.quote),
            base=name.base,
            quote=name.quote,
            expiry="",
            inverse=True,
            size=Decimal(1),
        )

    def standing_symbols(self) -> list[str]:
        """Those of every venue, and one against USDC."""
        return [*super().standing_symbols(), "BTCPERP"]

    def line(self, path: str) -> str | None:
        """The public socket is the only one."""
        return "public" if path == _PATH else None

    async def attend(self, peer: Peer) -> None:
        """Cut, without a word, after two minutes in which the client said nothing."""
        await peer.idle(self.clock.grace(self.idle_s), lambda: peer.heard_at)
        peer.abort()

    async def hear(self, peer: Peer, text: str | bytes) -> None:
        """The text ping, or a JSON request whose every argument is answered by itself."""
        if peer.flooding(self.clock.now(), self.messages_per_second, SECOND):
            await self._error(peer, _TOO_MANY, "request too many")
            peer.abort()
        elif text == "ping":
            if not self.faults.mute_pongs:
                await peer.say("pong")
        else:
            await self._request(peer, text)

    async def _request(self, peer: Peer, text: str | bytes) -> None:
        try:
            request = msgspec.json.decode(text, type=dict[str, object])
            args = msgspec.convert(request.get("args"), list[dict[str, str]])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            await self._error(peer, _BAD_REQUEST, f"Unrecognized request:{str(text)[:500]}")
            return
        if request.get("op") not in ("subscribe", "unsubscribe"):
            await self._error(peer, _BAD_REQUEST, f"Unrecognized request:{str(text)[:500]}")
            return
        for arg in args:
            await self._arg(peer, str(request["op"]), arg)

    async def _arg(self, peer: Peer, op: str, arg: Arg) -> None:
        """`channel`, the word of the older sockets, and a symbol with the liquidations are acked and carry nothing."""
        dead = "channel" in arg or (arg.get("topic") == "liquidation" and "symbol" in arg)
        topic = None if dead else self._topic(arg)
        if (topic is None and not dead) or (self.faults.refuse and op == "subscribe"):
            await self._error(peer, _UNKNOWN, f"{_json(dict(sorted(arg.items())))} doesn't exist")
            return
        await peer.say(_json({"event": op, "arg": arg, "connId": peer.id}))
        if topic is None:
            return
        if op == "unsubscribe":
            peer.topics.pop(topic, None)
        else:
            self.subscribe(peer, {topic: arg})

    def _topic(self, arg: Arg) -> str | None:
        match arg:
            case {"instType": kind, "topic": "liquidation"} if kind in _KINDS:
                return f"liquidation:{kind}"
            case {"instType": kind, "topic": "ticker", "symbol": symbol} if any(
                (symbol, kind) == (own.symbol, _kind(own)) for own in self.listings()
            ):
                return f"ticker:{symbol}"
            case _:
                return None

    async def _error(self, peer: Peer, code: int, text: str) -> None:
        await peer.say(_json({"event": "error", "code": code, "msg": text, "connId": peer.id}))

    def parcels(self, orders: Sequence[Order]) -> list[list[Order]]:
        """One frame for each family."""
        found: dict[str, list[Order]] = {}
        for order in orders:
            found.setdefault(_kind(order.listing), []).append(order)
        return list(found.values())

    def topics(self, peer: Peer, parcel: Sequence[Order]) -> list[str]:
        """All contracts of a family share one topic."""
        topic = f"liquidation:{_kind(parcel[0].listing)}"
        return [topic] if topic in peer.topics else []

    def frame(self, peer: Peer, topic: str, parcel: Sequence[Order]) -> str:  # noqa: ARG002  # the same for everybody
        """`side` is the POSITION's: buy, a long was closed. `amount` in the quote coin."""
        arg = {"instType": _kind(parcel[0].listing), "topic": "liquidation"}
        return _push(arg, "update", [_row(order, order.quantity) for order in parcel], self.clock.now())

    def mark(self, peer: Peer, topic: str) -> str | None:
        """The ticker of one contract, always whole."""
        kind, _, symbol = topic.partition(":")
        if kind == "liquidation":
            return None
        row = standing.ticker(self, self.describe(symbol)) | {"nextFundingTime": str(figures.paid_next(self))}
        return _push(peer.topics[topic], "snapshot", [row], self.clock.now())

    def rest(self, path: str, query: Mapping[str, str]) -> Answer:
        """Instruments, tickers or funding of one family, or a page of its liquidations."""
        kind, what = query.get("category", "").lower(), path.removeprefix("/api/v3/market/")
        if what not in ("instruments", "tickers", "current-fund-rate", "liquidations") or what == path:
            return 404, self._body("40404", "Request URL NOT FOUND", None)
        if kind not in _KINDS:
            return 400, self._body("40034", "Parameter category does not exist", None)
        if what == "liquidations":
            return self._history(kind, query)
        shown = [listing for listing in self.listings() if _kind(listing) == kind]
        tell: Mapping[str, Callable[[Listing], object]] = {
            "instruments": _instrument,
            "tickers": partial(standing.row, self, kind),
            "current-fund-rate": partial(standing.funding, self),
        }
        return 200, self._body("00000", "success", [tell[what](listing) for listing in shown])

    def _history(self, kind: str, query: Mapping[str, str]) -> Answer:
        """Newest first, three days back; a cursor counts the orders that come before its page."""
        limit, cursor = query.get("limit", str(_LONGEST_PAGE)), query.get("cursor", "")
        numbers = limit.isdigit() and (not cursor or cursor.isdigit())
        if not numbers or not 1 <= int(limit) <= _LONGEST_PAGE:
            return 400, self._body("40017", "Parameter verification failed", None)
        orders = [order for order in self.happened if _kind(order.listing) == kind]
        end = min(int(cursor), len(orders)) if cursor else len(orders)
        first = max(0, end - int(limit))
        page = [order for order in reversed(orders[first:end]) if order.at >= self.clock.now() - _KEPT_MS]
        rows = [_row(order, self._told(order)) for order in page]
        return 200, self._body("00000", "success", {"list": rows, "cursor": str(first) if first and rows else ""})

    def _told(self, order: Order) -> str:
        return plain(Decimal(order.quantity) / Decimal(order.price)) if self.in_coins else order.quantity

    def _body(self, code: str, text: str, data: object) -> Mapping[str, object]:
        return {"code": code, "msg": text, "requestTime": self.clock.now(), "data": data}


def _kind(listing: Listing) -> str:
    return {"USDC": "usdc-futures", "USD": "coin-futures"}.get(listing.quote, "usdt-futures")


def _row(order: Order, amount: str) -> Mapping[str, str]:
    row = {"symbol": order.listing.symbol, "side": _POSITION_WORDS[order.side], "price": order.price}
    return row | {"amount": amount, "ts": str(order.at)}


def _instrument(listing: Listing) -> Mapping[str, str]:
    row = {"symbol": listing.symbol, "category": _kind(listing).upper(), "baseCoin": listing.base}
    row |= {"quoteCoin": listing.quote, "type": "perpetual", "status": "online", "isRwa": "NO"}
    row |= {"minOrderQty": "0.0001", "minOrderAmount": "5", "pricePrecision": "1", "quantityPrecision": "4"}
    return row | {"makerFeeRate": "0.0002", "takerFeeRate": "0.0006", "maxLeverage": "125", "fundInterval": "8"}


def _push(arg: Arg, action: str, data: Sequence[object], now: int) -> str:
    return _json({"data": data, "arg": arg, "action": action, "ts": now})


def _json(body: object) -> str:
    return msgspec.json.encode(body).decode()
