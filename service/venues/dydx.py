"""dYdX v4: forced orders among the trades of the indexer, one subscription a market, and its public trade history.

Owns dYdX's raw shapes, how markets are shared out over sockets, and the meaning of side and type. Opens no socket.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar

import msgspec

from service.model import Completeness, Contract, DecodeError, Instrument, Print, Side
from service.symbols import asset_of_base
from service.venues import base
from service.venues.base import Control, Event, History, Page, Plan, Refused, Session, Spoilt, Subscribed, Venue
from service.venues.tickers.dydx import DydxTickers

NAME = "dydx"
TRADES = "v4_trades"
#: One small frame a block, about one a second: the cheapest stream that passes through the same pipes as the trades.
CONTROL = "v4_block_height"
#: The indexer refuses the 33rd subscription to a channel on one connection.
SOCKET_MARKETS = 30
#: Two a second are allowed. The venue's code counts them for each market by itself, its pages may be read stricter.
HELLO_GAP_S = 0.6
#: Rows on a market's first page and on the others: most need no second one, and no block has a thousand fills of one.
FIRST_PAGE, NEXT_PAGE = 100, 1000

#: Side of the taker, who in a row of type LIQUIDATED is the one liquidated.
_SIDES = {"SELL": Side.LONG, "BUY": Side.SHORT}
#: Not traded: one has no price yet, the other was settled for good.
_RESTING = ("INITIALIZING", "FINAL_SETTLEMENT")
LONGEST_TICKER = 64  # no order of a longer name is accepted


class _Trade(msgspec.Struct, rename="camel", gc=False):
    side: str
    size: str
    price: str
    created_at: str
    id: str = ""
    type: str = ""
    created_at_height: str = ""


class _Trades(msgspec.Struct):
    trades: list[_Trade]


class _Frame(msgspec.Struct):
    type: str
    channel: str = ""
    id: str = ""
    message: str = ""
    contents: msgspec.Raw = msgspec.Raw()


class _Market(msgspec.Struct):
    ticker: str
    status: str


class _Catalogue(msgspec.Struct):
    markets: dict[str, _Market]


_FRAME = msgspec.json.Decoder(_Frame)
_TRADES = msgspec.json.Decoder(_Trades)
_BATCHES = msgspec.json.Decoder(list[_Trades])
_CATALOGUE = msgspec.json.Decoder(_Catalogue)
_CONTROL = (Control(),)


class _History(History):
    """Trades of one market, newest block first. What the venue need not know stands behind the `#`, never sent."""

    reach_s: ClassVar[float] = 30 * 86_400
    delay_s: ClassVar[float] = 30  # answered from copies of the database, which may lag under load
    gap_s: ClassVar[float] = 0.2  # 100 requests in 10 s and IP

    def asks(
        self, endpoints: Mapping[str, str], instruments: Sequence[Instrument], since: int, until: int
    ) -> Sequence[str]:
        """One address a market: the trades before `until`."""
        path = f"{endpoints['rest']}/v4/trades/perpetualMarket"
        before = datetime.fromtimestamp(until / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return [
            base.address(f"{path}/{base.escape(row.symbol)}", limit=FIRST_PAGE, createdBeforeOrAt=before)
            + base.address("", market=row.symbol, since=since).replace("?", "#")
            for row in instruments
        ]

    def read(self, url: str, body: bytes, seen: int) -> Page:
        """Pages overlap in their last block, so that a block cut in two loses nothing: its rows keep their ids."""
        asked, _, notes = url.partition("#")
        note, query = base.query_of(f"?{notes}"), base.query_of(asked)
        rows = base.parse(_TRADES, body).trades
        orders = tuple(_orders(rows, note["market"], seen))
        if len(rows) < int(query["limit"]) or _moment(rows[-1]) < int(note["since"]):
            return Page(orders=orders)
        height, bound = rows[-1].created_at_height, query.get("createdBeforeOrAtHeight")
        if not (height.isascii() and height.isdigit()):
            raise DecodeError(f"createdAtHeight must be a block's number, got {height[:40]!r}")
        if bound and query["limit"] == str(NEXT_PAGE) and int(height) >= int(bound):
            raise DecodeError(f"{NEXT_PAGE} trades of {note['market']} do not reach below block {bound}")
        more = base.asked_again(asked, limit=NEXT_PAGE, createdBeforeOrAtHeight=height)
        return Page(orders=orders, more=(f"{more}#{notes}",))


class Dydx(Venue):
    """Perpetuals against USD, all linear."""

    name: ClassVar[str] = NAME
    docs: ClassVar[str] = "https://docs.dydx.xyz/indexer-client/websockets"
    endpoints: ClassVar[Mapping[str, str]] = {
        "socket": "wss://indexer.dydx.trade/v4/ws",
        "rest": "https://indexer.dydx.trade",
    }
    dial_gap_s: ClassVar[float] = 1.0
    usual_per_minute: ClassVar[float] = 0.2
    fills: ClassVar[bool] = True
    about: ClassVar[str] = "Shows every fill of a liquidation order; what deleveraging closes is not among them."
    history: ClassVar[History | None] = _History()
    tickers: ClassVar[base.Tickers | None] = DydxTickers()

    def completeness(self, at: int) -> Completeness:
        """Liquidations are fills on chain, and the channel carries every fill."""
        del at
        return Completeness.COMPLETE

    def catalogue(self, endpoints: Mapping[str, str]) -> Sequence[str]:
        """All markets at once."""
        return (f"{endpoints['rest']}/v4/perpetualMarkets",)

    def instruments(self, body: bytes) -> tuple[list[Instrument], None]:
        """Markets that have begun and were not settled for good."""
        rows = base.parse(_CATALOGUE, body).markets.values()
        return [found for row in rows if row.status not in _RESTING and (found := _instrument(row.ticker))], None

    def implied(self, symbol: str) -> Instrument | None:
        """Sizes are base units and prices dollars everywhere."""
        return _instrument(symbol)

    def plans(self, endpoints: Mapping[str, str], instruments: Sequence[Instrument]) -> Sequence[Plan]:
        """As many sockets as the markets need: a new one joins the last socket, the others stay."""
        markets = tuple(instrument.symbol for instrument in instruments)
        runs = [markets[first : first + SOCKET_MARKETS] for first in range(0, len(markets), SOCKET_MARKETS)]
        plan = Plan(venue=NAME, key="", url=endpoints["socket"], control_max_age_s=30, hello_gap_s=HELLO_GAP_S)
        return [msgspec.structs.replace(plan, key=f"trades-{n}", topics=run) for n, run in enumerate(runs)]

    def session(self, plan: Plan | None = None) -> "_Session":
        """A fresh session; without a plan it subscribes to nothing."""
        return _Session(plan.topics if plan else ())


class _Session(Session):
    def __init__(self, markets: Sequence[str]) -> None:
        self._markets = markets
        self._waiting = {CONTROL, *markets} if markets else set()
        self._heard = False  # whether any market was accepted

    def hello(self, now: int) -> Sequence[str]:
        del now
        if not self._markets:
            return []
        asks = [{"type": "subscribe", "channel": TRADES, "id": market, "batched": False} for market in self._markets]
        return [msgspec.json.encode(ask).decode() for ask in ({"type": "subscribe", "channel": CONTROL}, *asks)]

    def decode(self, frame: str | bytes, seen: int) -> Sequence[Event]:
        message = base.parse(_FRAME, frame)
        if message.type == "error":
            return self._refused(message.message)
        if message.channel == CONTROL:
            return self._answered(CONTROL) if message.type == "subscribed" else _CONTROL
        if message.channel == TRADES:
            return self._trades(message, seen)
        if message.type not in ("connected", "pong") and not message.channel:
            raise DecodeError(f"neither a channel nor a known type: {message.type[:40]!r}")
        return ()

    def _trades(self, message: _Frame, seen: int) -> Sequence[Event]:
        match message.type:
            case "channel_data":
                return _orders(base.parse(_TRADES, message.contents).trades, message.id, seen)
            case "channel_batch_data":
                batches = base.parse(_BATCHES, message.contents)
                return _orders([row for batch in batches for row in batch.trades], message.id, seen)
            case "subscribed":
                rows = base.parse(_TRADES, message.contents).trades
                return [
                    *_orders(rows, message.id, seen, seen - base.OLD_MS),
                    *self._answered(message.id, accepted=True),
                ]
        raise DecodeError(f"trades in a frame of unknown type {message.type[:40]!r}")

    def _refused(self, message: str) -> Sequence[Event]:
        """An error that names no market we wait for concerns the connection."""
        reason = f"dydx answered: {message}"
        named = next((market for market in self._waiting if f"({TRADES}-{market})" in message), None)
        if named is None:
            return (Refused(reason=reason),)
        return [Refused(reason=reason, fatal=False), *self._answered(named)]

    def _answered(self, topic: str, *, accepted: bool = False) -> Sequence[Event]:
        waited = topic in self._waiting
        self._waiting.discard(topic)
        self._heard = self._heard or accepted
        if self._waiting or not waited:
            return ()
        return (Subscribed() if self._heard else Refused(reason="dydx refused every market"),)


def _orders(rows: Iterable[_Trade], market: str, seen: int, since: int = 0) -> list[Print | Spoilt]:
    """Only LIQUIDATED: the other types are free trades, and deleveraging moves positions without an order."""

    def read(row: _Trade) -> list[Print]:
        order = _print(row, market, seen) if row.type == "LIQUIDATED" else None
        return [order] if order and order.at >= since else []

    return base.row_by_row(rows, read)


def _print(row: _Trade, market: str, seen: int) -> Print:
    if not row.id:
        raise DecodeError("id is missing")
    return Print(
        venue=NAME,
        symbol=base.contract_name(market, "id of the market"),
        side=base.side_of(row.side, _SIDES),
        price=base.number(row.price, "price"),
        quantity=base.number(row.size, "size"),
        at=_moment(row),
        seen=seen,
        id=base.digest((row.id,)),
    )


def _moment(row: _Trade) -> int:
    return base.moment_of_text(row.created_at, "createdAt")


def _instrument(ticker: str) -> Instrument | None:
    """BTC-USD, and COIN,EXCHANGE,ADDRESS-USD where anybody listed a coin of a decentral exchange."""
    pair, _, quote = ticker.rpartition("-")
    coin = pair.partition(",")[0]
    if not coin or quote != "USD" or len(ticker) > LONGEST_TICKER:
        return None
    return Instrument(venue=NAME, symbol=ticker, asset=asset_of_base(coin), contract=Contract.LINEAR, size=1.0)
