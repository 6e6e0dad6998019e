"""Bodies of the venues' metadata endpoints, shaped as their pages show them. Pure; does not choose the contracts."""

from collections.abc import Mapping, Sequence

from service.simulator.contracts import Listing, plain

#: When perpetuals end (Binance's own far date), and when everything here was listed.
_NEVER = 4_133_404_800_000
_LISTED_AT = 1_585_526_400_000


def exchange_info(listings: Sequence[Listing], now: int) -> Mapping[str, object]:
    """Binance /fapi/v1/exchangeInfo and /dapi/v1/exchangeInfo."""
    return {
        "timezone": "UTC",
        "serverTime": now,
        "rateLimits": [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400}],
        "exchangeFilters": [],
        "symbols": [_binance(listing) for listing in listings],
    }


def instruments_info(category: str, page: Sequence[Listing], cursor: str, now: int) -> Mapping[str, object]:
    """Bybit /v5/market/instruments-info: one page."""
    shown = [_bybit(listing) for listing in page]
    result = {"category": category, "list": shown, "nextPageCursor": cursor}
    return {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": now}


def instruments(kind: str, listings: Sequence[Listing]) -> Mapping[str, object]:
    """OKX /api/v5/public/instruments: SWAP or FUTURES."""
    return {"code": "0", "msg": "", "data": [_okx(kind, listing) for listing in listings]}


def contract_info(listing: Listing, face: float) -> Mapping[str, object]:
    """One contract of HTX's three lists, of `face` coins (linear) or dollars (coin-margined)."""
    body = {"symbol": listing.base, "contract_code": listing.symbol, "contract_size": face, "price_tick": 0.1}
    body |= {"delivery_time": "", "create_date": "20201021", "contract_status": 1}
    if not listing.inverse:
        kind = "futures" if listing.expiry else "swap"
        body |= {"business_type": kind, "pair": f"{listing.base}-{listing.quote}", "trade_partition": "USDT"}
    return body | {"contract_type": "quarter" if listing.expiry else "swap"}


def _binance(listing: Listing) -> dict[str, object]:
    body: dict[str, object] = {
        "symbol": listing.symbol,
        "pair": f"{listing.base}{listing.quote}",
        "contractType": "CURRENT_QUARTER" if listing.expiry else "PERPETUAL",
        "deliveryDate": _NEVER,
        "onboardDate": _LISTED_AT,
        "baseAsset": listing.base,
        "quoteAsset": listing.quote,
        "marginAsset": listing.base if listing.inverse else listing.quote,
        "pricePrecision": 2,
        "quantityPrecision": 0 if listing.inverse else 3,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "filters": [{"filterType": "PRICE_FILTER", "minPrice": "0.1", "maxPrice": "1000000", "tickSize": "0.1"}],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
        "liquidationFee": "0.012500",
    }
    if listing.inverse:
        return body | {"contractStatus": "TRADING", "contractSize": int(listing.size)}
    return body | {"status": "TRADING"}


def _bybit(listing: Listing) -> dict[str, object]:
    kind = "Inverse" if listing.inverse else "Linear"
    return {
        "symbol": listing.symbol,
        "contractType": f"{kind}{'Futures' if listing.expiry else 'Perpetual'}",
        "status": "Trading",
        "baseCoin": listing.base,
        "quoteCoin": listing.quote,
        "launchTime": str(_LISTED_AT),
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": "2",
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
        "priceFilter": {"minPrice": "0.10", "maxPrice": "1999999.80", "tickSize": "0.10"},
        "lotSizeFilter": {"maxOrderQty": "1190.000", "minOrderQty": "0.001", "qtyStep": "0.001"},
        "unifiedMarginTrade": True,
        "fundingInterval": 480,
        "settleCoin": listing.base if listing.inverse else listing.quote,
        "copyTrading": "both",
        "upperFundingRate": "0.00375",
        "lowerFundingRate": "-0.00375",
        "isPreListing": False,
        "preListingInfo": None,
        "symbolType": "",
    }


def _okx(kind: str, listing: Listing) -> dict[str, object]:
    family = f"{listing.base}-{listing.quote}"
    return {
        "alias": "",
        "baseCcy": "",
        "category": "1",
        "ctMult": "1",
        "ctType": "inverse" if listing.inverse else "linear",
        "ctVal": plain(listing.size),
        "ctValCcy": "USD" if listing.inverse else listing.base,
        "expTime": str(_NEVER) if listing.expiry else "",
        "instFamily": family,
        "instId": listing.symbol,
        "instType": kind,
        "lever": "50",
        "listTime": str(_LISTED_AT),
        "lotSz": "0.1",
        "minSz": "0.1",
        "quoteCcy": "",
        "ruleType": "normal",
        "settleCcy": listing.base if listing.inverse else listing.quote,
        "state": "live",
        "tickSz": "0.1",
        "uly": family,
    }
