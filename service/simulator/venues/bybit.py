"""Bybit v5 as its pages describe it: public linear and inverse sockets, paged instruments.

https://bybit-exchange.github.io/docs/v5 (ws/connect, websocket/public/all-liquidation and ticker, market/instrument and
tickers). Wordings of refusals are those the live service was seen to send in 2025 and 2026.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from urllib.parse import quote, unquote

import msgspec

from service.model import Side
from service.simulator import metadata
from service.simulator.base import VenueServer
from service.simulator.contracts import Listing, Order, name_of
from service.simulator.listener import Answer
from service.simulator.peer import Peer
from service.simulator.standing import bybit as standing
from service.tape import Row

_LINES = {"/v5/public/linear": "linear", "/v5/public/inverse": "inverse"}
_DATE = re.compile(r"(\d{2})(\d{2})(\d{2})")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_QUARTERS = {"03": "H", "06": "M", "09": "U", "12": "Z"}
_POSITION_WORDS = {Side.LONG: "Buy", Side.SHORT: "Sell"}
_PAGE, _LONGEST_PAGE = 500, 1000
_BAD_PARAMS = 10001


class Bybit(VenueServer):
    """Liquidations come in batches of 500 ms for each symbol."""

    name = "bybit"
    ENDPOINTS = {  # noqa: RUF012
        "linear": "ws://{at}/v5/public/linear",
        "inverse": "ws://{at}/v5/public/inverse",
        "rest": "http://{at}",
    }
    slot_ms = 500
    tick_s = 0.1
    standing = 540
    idle_s: float = 600.0
    most_args: int = 21_000

    def describe(self, symbol: str) -> Listing:
        """BTCUSDT, BTCPERP (USDC), BTCUSDT-27MAR26; BTCUSD and BTCUSDH26 (a dollar a contract)."""
        name = name_of(symbol)
        pair = f"{name.base}{name.quote}"
        date = _DATE.fullmatch(name.expiry)
        if not name.expiry:
            own = f"{name.base}PERP" if name.quote == "USDC" else pair
        elif date is None:
            own = symbol.upper()
        elif name.inverse:
            own = f"{pair}{_QUARTERS.get(date[2], 'Z')}{date[1]}"
        else:
            own = f"{pair}-{date[3]}{_MONTHS[int(date[2]) - 1]}{date[1]}"
        return Listing(
            symbol=own,
            base=name.base,
            quote=name.quote,
            expiry=name.expiry,
            inverse=name.inverse,
            size=Decimal(1),
        )

    def order(self, row: Row) -> Order:
        """Twins of one file stay twins: one batch may hold equal rows, and a client has to count them."""
        return super().order(msgspec.structs.replace(row, ordinal=0))

    def line(self, path: str) -> str | None:
        """The category: linear or inverse."""
        return _LINES.get(path)

    async def attend(self, peer: Peer) -> None:
        """No pings of its own; cut after 10 minutes without traffic either way."""
        await peer.idle(self.clock.grace(self.idle_s), lambda: max(peer.heard_at, peer.told_at))
        await peer.ws.close(1001, "no traffic")

    async def hear(self, peer: Peer, text: str | bytes) -> None:
        """subscribe, unsubscribe and ping; `req_id` comes back."""
        try:
            request = msgspec.json.decode(text, type=dict[str, object])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            first = str(text[:1])
            refusal = f"Failed to decode incoming data:readObjectStart: expect {{ or n, but found {first}"
            await self._reply(peer, {}, refusal, success=False)
            return
        args = request.get("args")
        match request.get("op"):
            case "ping":
                if not self.faults.mute_pongs:
                    await self._reply(peer, request, "pong")
            case "subscribe" | "unsubscribe" as op if isinstance(args, list):
                await self._topics(peer, request, [str(arg) for arg in args], add=op == "subscribe")
            case _:
                await self._reply(peer, request, "error:invalid op", success=False)

    async def _topics(self, peer: Peer, request: Mapping[str, object], names: list[str], *, add: bool) -> None:
        problem = self._problem(peer, names) if add else None
        if problem:
            await self._reply(peer, request, problem, success=False)
            return
        await self._reply(peer, request, "")
        if not add:
            for name in names:
                peer.topics.pop(name, None)
            return
        self.subscribe(peer, {name: {} for name in names})
        for name in names:
            if name.startswith("tickers.") and not self.faults.silence:
                await peer.say(self._ticker(name, "snapshot"))

    def _problem(self, peer: Peer, names: Sequence[str]) -> str | None:
        """One bad topic fails the whole frame."""
        if not names or self.faults.refuse:
            return f"error:handler not found,topic:{names[0] if names else ''}"
        if sum(map(len, [*peer.topics, *names])) > self.most_args:
            return f"error:args length exceeds {self.most_args}"
        listed = {listing.symbol for listing in self.listings() if listing.inverse == (peer.line == "inverse")}
        for name in names:
            channel, _, symbol = name.partition(".")
            if channel not in ("allLiquidation", "tickers") or symbol not in listed:
                return f"error:handler not found,topic:{name}"
            if name in peer.topics:
                return f"error:already subscribed,topic:{name}"
        return None

    async def _reply(self, peer: Peer, request: Mapping[str, object], text: str, *, success: bool = True) -> None:
        body = {"success": success, "ret_msg": text, "conn_id": peer.id}
        body |= {"req_id": request.get("req_id", ""), "op": request.get("op", "")}
        await peer.say(_json(body))

    def parcels(self, orders: Sequence[Order]) -> list[list[Order]]:
        """One frame for each symbol, its orders in the order given."""
        by_symbol = sorted(orders, key=lambda order: order.listing.symbol)
        return [list(batch) for _, batch in groupby(by_symbol, key=lambda order: order.listing.symbol)]

    def topics(self, peer: Peer, parcel: Sequence[Order]) -> list[str]:
        """The symbol's own topic, on the line of its category."""
        listing = parcel[0].listing
        topic = f"allLiquidation.{listing.symbol}"
        return [topic] if topic in peer.topics and listing.inverse == (peer.line == "inverse") else []

    def frame(self, peer: Peer, topic: str, parcel: Sequence[Order]) -> str:  # noqa: ARG002  # the same for everybody
        """`S` is the POSITION's side: Buy, a long was closed. Sizes in base units, or in dollars for inverse."""
        rows = [
            {"T": order.at, "s": order.listing.symbol, "S": _POSITION_WORDS[order.side], "v": order.quantity}
            | {"p": order.price}
            for order in parcel
        ]
        return _json({"topic": topic, "type": "snapshot", "ts": self.clock.now(), "data": rows})

    def mark(self, peer: Peer, topic: str) -> str | None:  # noqa: ARG002  # the same for everybody
        """A ticker's delta: absent fields are unchanged."""
        return self._ticker(topic, "delta") if topic.startswith("tickers.") else None

    def _ticker(self, topic: str, kind: str) -> str:
        listing, now = self.describe(topic.removeprefix("tickers.")), self.clock.now()
        data = standing.ticker(self, listing) if kind == "snapshot" else standing.moving(self, listing)
        return _json({"topic": topic, "type": kind, "data": data, "cs": now, "ts": now})

    def rest(self, path: str, query: Mapping[str, str]) -> Answer:
        """Instruments of one category, in pages, or all its tickers."""
        if path not in ("/v5/market/instruments-info", "/v5/market/tickers"):
            return 404, {"retCode": 404, "retMsg": "Not Found", "result": {}}
        category, limit = query.get("category", ""), query.get("limit", str(_PAGE))
        if category not in ("linear", "inverse"):
            return 200, self._bad("params error: Category is invalid")
        if path.endswith("tickers"):
            return 200, self._tickers(category)
        if not limit.isdigit() or not 1 <= int(limit) <= _LONGEST_PAGE:
            return 200, self._bad("params error: limit is invalid")
        shown = [listing for listing in self.listings() if listing.inverse == (category == "inverse")]
        if "symbol" in query:
            shown = [listing for listing in shown if listing.symbol == query["symbol"]]
        # Clients send the token as it came or percent-encoded once more.
        after = unquote(unquote(query.get("cursor", ""))).rpartition("last=")[2]
        page = [listing for listing in shown if listing.symbol > after][: int(limit)]
        more = page and page[-1] is not shown[-1]
        cursor = quote(f"first={page[0].symbol}&last={page[-1].symbol}") if more else ""
        return 200, metadata.instruments_info(category, page, cursor, self.clock.now())

    def _tickers(self, category: str) -> Mapping[str, object]:
        shown = [listing for listing in self.listings() if listing.inverse == (category == "inverse")]
        result = {"category": category, "list": [standing.ticker(self, listing) for listing in shown]}
        return {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": self.clock.now()}

    def _bad(self, text: str) -> Mapping[str, object]:
        return {"retCode": _BAD_PARAMS, "retMsg": text, "result": {}, "retExtInfo": {}, "time": self.clock.now()}


def _json(body: object) -> str:
    return msgspec.json.encode(body).decode()
