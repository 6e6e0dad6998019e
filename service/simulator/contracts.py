"""Contracts and quantities in exact decimals: names apart, faces, prices, and a recorded row as an order. Pure.

Written from the venues' own pages, not from the decoders of this house, so that errors of the two cannot cancel out.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, localcontext

from service.model import USD_UNIT, Record, Side, to_units
from service.symbols import asset_of_base
from service.tape import Row

_FORM = re.compile(
    r"^(?P<base>.+?)[-_]?(?P<quote>USDT|USDC|FDUSD|BUSD|USD1|USD|PERP)"
    r"(?:[-_]?(?P<tail>SWAP|PERP|\d{6}|[HMUZ]\d{2}|\d{1,2}[A-Z]{3}\d{2}))?$"
)
_SLACK_USD = Decimal("0.00005")
_EDGE = Decimal("0.49")
_EXACT_USD = 9
"""Derived quantities are good for this many decimals of a dollar."""

#: Coin: (plausible price in dollars, base units of one linear OKX contract). Prices of January 2026, rounded.
COINS: Mapping[str, tuple[str, str]] = {
    "BTC": ("95000", "0.01"), "ETH": ("3300", "0.1"), "SOL": ("145", "1"), "XRP": ("2.1", "100"),
    "BNB": ("930", "0.01"), "DOGE": ("0.14", "1000"), "ADA": ("0.4", "100"), "LINK": ("13.8", "1"),
    "LTC": ("78", "1"), "AVAX": ("14", "1"), "SUI": ("1.8", "1"), "TRX": ("0.3", "1000"), "DOT": ("2.1", "1"),
    "BCH": ("600", "0.1"), "HBAR": ("0.12", "100"), "XLM": ("0.23", "100"), "TON": ("1.75", "1"), "UNI": ("5.5", "1"),
    "AAVE": ("175", "0.1"), "NEAR": ("1.7", "10"), "APT": ("1.8", "1"), "ICP": ("3.8", "0.01"), "ETC": ("12.6", "10"),
    "FIL": ("1.5", "0.1"), "ARB": ("0.21", "10"), "OP": ("0.33", "1"), "INJ": ("5.2", "0.1"), "ATOM": ("2.5", "1"),
    "HYPE": ("25", "0.1"), "ENA": ("0.23", "10"), "WLD": ("0.57", "1"), "LDO": ("0.62", "1"), "CRV": ("0.42", "1"),
    "ONDO": ("0.4", "10"), "WIF": ("0.38", "1"), "ZEC": ("410", "0.1"), "TAO": ("290", "0.1"), "POL": ("0.15", "10"),
    "PEPE": ("0.0000062", "10000000"), "SHIB": ("0.0000087", "1000000"), "1000PEPE": ("0.0062", "1"),
    "1000BONK": ("0.0105", "1"), "TRUMP": ("5.4", "0.1"), "GALA": ("0.0066", "10"),
}  # fmt: skip


class Name(Record, frozen=True, kw_only=True):
    """A contract's name taken apart; `expiry` is empty for a perpetual."""

    base: str
    quote: str
    expiry: str

    @property
    def inverse(self) -> bool:
        """Margined in the coin, counted in dollars."""
        return self.quote == "USD"


class Listing(Record, frozen=True, kw_only=True):
    """One contract of a venue. `size` is dollars (inverse) or base units (linear) per unit of quantity."""

    symbol: str
    base: str
    quote: str
    expiry: str
    inverse: bool
    size: Decimal


class Order(Record, frozen=True, kw_only=True):
    """One forced order ready to be told: numbers as text, quantity in the venue's unit, `at` in ms UTC."""

    listing: Listing
    side: Side
    price: str
    quantity: str
    at: int
    units: int
    """Its dollars in the stored unit, for the count of what was played."""


def name_of(symbol: str) -> Name:
    """A tape's or a venue's symbol taken apart; a bare coin is its USDT perpetual."""
    found = _FORM.match(symbol.strip().upper())
    if found is None:
        return Name(base=symbol.strip().upper(), quote="USDT", expiry="")
    base, quote, tail = found["base"], found["quote"], found["tail"] or ""
    perpetual = tail in ("", "SWAP", "PERP")
    return Name(base=base, quote="USDC" if quote == "PERP" else quote, expiry="" if perpetual else tail)


def coins(count: int) -> Iterator[str]:
    """A standing list of `count` base coins: the majors, then invented ones such as BABE, all distinct."""
    syllables = ["".join(pair) for pair in itertools.product("BDFGHKLMNPRSTV", "AEIOU")]
    invented = ("".join(pair) for pair in itertools.product(syllables, syllables))
    yield from itertools.islice(itertools.chain(COINS, (coin for coin in invented if coin not in COINS)), count)


def price_of(base: str) -> Decimal:
    """A plausible price of a coin, 1 where none is known."""
    price, _ = COINS.get(base) or COINS.get(asset_of_base(base)) or ("1", "")
    return Decimal(price)


def order_of(row: Row, listing: Listing, at: int) -> Order:
    """A row in the venue's unit: what a client computes by the venue's formula is row.usd to 1/10,000 dollar.

    Price and quantity are the recorded ones where they give row.usd; else the quantity is derived from the price.
    """
    with localcontext(prec=60):
        units, price = to_units(row.usd), _price(row, listing)
        usd = Decimal(units) / USD_UNIT if units else _exact(row.usd)
        if listing.inverse:
            quantity = usd / listing.size
        elif _agrees(row, units):
            quantity = _exact(row.qty or 0.0) / listing.size
        else:
            quantity = _derived(usd, price * listing.size)
        return Order(listing=listing, side=row.side, price=plain(price), quantity=plain(quantity), at=at, units=units)


def plain(value: Decimal) -> str:
    """A decimal as venues write it: no exponent, no trailing zeros."""
    return format(value.normalize(), "f")


def _agrees(row: Row, units: int) -> bool:
    """Clear of the edge of a unit, where the order of a client's multiplications would decide."""
    if not row.price or not row.qty:
        return False
    product = _exact(row.price) * _exact(row.qty)
    return abs(product - _exact(row.usd)) <= _SLACK_USD and abs(product * USD_UNIT - units) < _EDGE


def _price(row: Row, listing: Listing) -> Decimal:
    if row.price:
        return _exact(row.price)
    if row.qty:
        with localcontext(prec=12):
            return _exact(row.usd) / _exact(row.qty)
    return price_of(listing.base)


def _derived(usd: Decimal, value: Decimal) -> Decimal:
    decimals = max(0, value.adjusted() + 1 + _EXACT_USD)
    return (usd / value).quantize(Decimal(1).scaleb(-decimals))


def _exact(number: float) -> Decimal:
    return Decimal(repr(number))
