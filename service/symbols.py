"""From a contract's name or base coin to the house's asset. Pure; metadata first, these rules second.

One mapping for the names of every venue, recorded ones too. A name of no known form is its own asset: it is never
dropped, and never merged with another by a guess.
"""

import re

#: Lots stand in front of the coin (1000PEPE, 1MBABYDOGE, kPEPE); 1INCH is no lot.
_MULTIPLES = re.compile(r"^(?:10{3,8}|1M|k(?=[A-Z0-9]{3}))(?=[A-Z])")
#: A name with a lot somewhere in it (1000PEPEUSDT, 1MBABYDOGE, kPEPE, SHIB1000USDT).
_LOTS = re.compile(r"(?<![0-9])(?:10{3,8}|1M|k)(?=[A-Z])|(?<=[A-Z])10{3,8}(?=[A-Z])")
#: Names of one coin. Bybit puts the lot of SHIB behind it, Gate leaves the 1 off a million, Kraken says XDG.
_ALIASES = {"XBT": "BTC", "XDG": "DOGE", "SHIB1000": "SHIB", "MBABYDOGE": "BABYDOGE"}
#: Bitfinex: t and two coins, of three letters each or with a colon between them; F0 marks a derivative.
_BITFINEX = re.compile(r"t(?:(?P<long>[A-Z0-9]{2,}):[A-Z0-9]+|(?P<short>[A-Z0-9]{3})[A-Z0-9]{3})")
_DERIVATIVE = re.compile(r"(?<=[A-Z0-9]{2})F0$")
#: Coins it shortens to three letters, which are other coins elsewhere.
_BITFINEX_COINS = {
    "ALG": "ALGO", "ATO": "ATOM", "DSH": "DASH", "IOT": "IOTA", "MNA": "MANA", "QTM": "QTUM", "STJ": "STORJ",
    "UDC": "USDC", "UST": "USDT",
}  # fmt: skip
#: Kraken's kinds, WOO's PERP_BTC_USDT, and Hyperliquid's builders (xyz:TSLA).
_HEAD = re.compile(r"^(?:P[FIV]_|F[FI]_|PERP_(?=[^_]+_)|[a-z][a-z0-9]*:)")
#: Expiry, settlement or quote behind the name; dYdX writes the pool of a coin there, behind a comma.
_TAIL = re.compile(r"[-_/:,].*$")
#: Delivery of a dated contract: BTCUSDH25, XBTH26 and BTC200703; and KuCoin's M.
_DELIVERY = re.compile(r"(?:(?<=[A-Z]{2})[FGHJKMNQUVXZ]\d{2}|(?<=[A-Z]{2})\d{6}|(?<=USDT)M|(?<=USDC)M|(?<=USD)M)$")
_QUOTES = ("USDT", "USDC", "FDUSD", "USD1", "USD", "PERP")
#: Recorders' names for venues of the table.
_VENUES = {"binance_usdm": "binance", "binance_um": "binance", "binance_coinm": "binance", "binance_cm": "binance"}
#: The coins Binance ever quoted in BUSD, which it has given up. BNBUSD and ARBUSD are quoted in USD.
_OF_BUSD = frozenset({
    "1000LUNC", "1000SHIB", "ADA", "AGIX", "AMB", "ANC", "APE", "APT", "AUCTION", "AVAX", "BNB", "BTC", "CVX", "DODO",
    "DOGE", "DOT", "ETC", "ETH", "FIL", "FTM", "FTT", "GAL", "GALA", "GMT", "ICP", "LDO", "LEVER", "LINK", "LTC",
    "LUNA2", "MATIC", "NEAR", "PHB", "SAND", "SOL", "TLM", "TRX", "UNI", "WAVES", "XRP",
})  # fmt: skip
#: Coins that end like a quote.
_DOLLAR_COINS = frozenset({"BUSD", "FDUSD", "PYUSD", "RLUSD", "TUSD"})


def asset_of_base(base: str) -> str:
    """The asset of a venue's base coin: 1000PEPE, 1MBABYDOGE and kPEPE are the coin they count in lots; XBT is BTC."""
    text = base.strip()
    coin = _MULTIPLES.sub("", _DERIVATIVE.sub("", text.partition(",")[0])).upper()
    return _ALIASES.get(coin, coin) or text.upper()


def counts_lots(symbol: str) -> bool:
    """Whether a contract counts lots of the coin: its price is that of a lot."""
    return _LOTS.search(symbol) is not None


def asset_of_symbol(symbol: str) -> str:
    """The asset by the form of a contract's name, where no metadata is at hand; unknown forms are their own asset."""
    text = symbol.strip()
    if pair := _BITFINEX.fullmatch(text):
        coin = _DERIVATIVE.sub("", pair["long"] or pair["short"])
        return asset_of_base(_BITFINEX_COINS.get(coin, coin))
    text = text.upper() if text.islower() else text
    name = _DELIVERY.sub("", _TAIL.sub("", _HEAD.sub("", text)))
    return asset_of_base(_without_quote(name) or text)


def venue_of_recorder(name: str) -> str:
    """The house's name of a venue as a recorder wrote it: binance for Binance_USDM."""
    venue = name.strip().lower()
    return _VENUES.get(venue, venue)


def _without_quote(name: str) -> str:
    if name in _DOLLAR_COINS:
        return name
    if name.endswith("BUSD") and name.removesuffix("BUSD") in _OF_BUSD:
        return name.removesuffix("BUSD")
    for quote in _QUOTES:
        if len(name) > len(quote) and name.endswith(quote):
            return name.removesuffix(quote)
    return name
