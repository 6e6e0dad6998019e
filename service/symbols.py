"""From a contract's name or base coin to the house's asset. Pure; metadata first, these rules second."""

import re

_MULTIPLES = re.compile(r"^(?:1000000|100000|10000|1000|1M|k(?=[A-Z]{3}))(?=[A-Z])")
#: Bybit puts the lot size of SHIB behind the name (base coin SHIB1000); every other lot stands in front.
_ALIASES = {"XBT": "BTC", "SHIB1000": "SHIB"}
_QUOTES = ("USDT", "USDC", "FDUSD", "BUSD", "USD1", "USD", "PERP")
_HEAD = re.compile(r"^(?:PF|PI|FF|FI)_")
_TAIL = re.compile(r"[-_/:].*$")
#: Delivery month and year of a dated inverse contract, as in BTCUSDH25.
_DELIVERY = re.compile(r"(?<=USD)[FGHJKMNQUVXZ]\d{2}$")


def asset_of_base(base: str) -> str:
    """The asset of a venue's base coin: 1000PEPE, 1MBABYDOGE and kPEPE are the coin they count in lots; XBT is BTC."""
    coin = _MULTIPLES.sub("", base.strip())
    return _ALIASES.get(coin.upper(), coin.upper())


def asset_of_symbol(symbol: str) -> str:
    """The asset by the form of a contract's name, where no metadata is at hand; unknown forms are their own asset."""
    text = symbol.strip()
    name = _DELIVERY.sub("", _TAIL.sub("", _HEAD.sub("", text)))
    for quote in _QUOTES:
        if len(name) > len(quote) and name.endswith(quote):
            name = name.removesuffix(quote)
            break
    return asset_of_base(name or text)
