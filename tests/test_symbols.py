"""Names of contracts and coins become assets: one table for every venue."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.symbols import asset_of_base, asset_of_symbol
from service.venues import VENUES
from tests.test_venues import header

#: Venue whose form it is, base coin as its metadata tells it, asset.
BASES = [
    ("binance", "BTC", "BTC"),
    ("binance", "1000PEPE", "PEPE"),
    ("binance", "1000SATS", "SATS"),
    ("binance", "1000000MOG", "MOG"),
    ("binance", "1MBABYDOGE", "BABYDOGE"),
    ("binance", "1000LUNC", "LUNC"),
    ("binance", "LUNA2", "LUNA2"),
    ("binance", "1INCH", "1INCH"),
    ("binance", "BTCDOM", "BTCDOM"),
    ("binance", "币安人生", "币安人生"),
    ("binance", "4", "4"),
    ("bybit", "SHIB1000", "SHIB"),
    ("bybit", "10000LADYS", "LADYS"),
    ("bybit", "10000000AIDOGE", "AIDOGE"),
    ("bybit", "1000X", "X"),
    ("bybit", "100", "100"),
    ("bybit", "1000", "1000"),
    ("okx", " ETH ", "ETH"),
    ("okx", "SPX6900", "SPX6900"),
    ("gate", "MBABYDOGE", "BABYDOGE"),
    ("gate", "AI16Z", "AI16Z"),
    ("deribit", "PAXG", "PAXG"),
    ("bitmex", "XBT", "BTC"),
    ("bitfinex", "BTCF0", "BTC"),
    ("bitfinex", "XAUTF0", "XAUT"),
    ("bitfinex", "F0", "F0"),
    ("kraken", "XBT", "BTC"),
    ("kraken", "XDG", "DOGE"),
    ("dydx", "BUFFI,UNISWAP_V3,0X4C1B1302220D7DE5C22B495E78B72F2DD2457D45", "BUFFI"),
    ("hyperliquid", "kPEPE", "PEPE"),
    ("hyperliquid", "kBONK", "BONK"),
    ("hyperliquid", "KAS", "KAS"),
    ("hyperliquid", "KSM", "KSM"),
    ("hyperliquid", "KAVA", "KAVA"),
    ("hyperliquid", "KAITO", "KAITO"),
    ("hyperliquid", "0G", "0G"),
    ("lighter", "1000SHIB", "SHIB"),
    ("aster", "TSLA", "TSLA"),
]

#: Venue whose form it is, contract name as its feed or a recording of it tells it, asset.
SYMBOLS = [
    ("binance", "BTCUSDT", "BTC"),
    ("binance", "1000PEPEUSDT", "PEPE"),
    ("binance", "1MBABYDOGEUSDT", "BABYDOGE"),
    ("binance", "1INCHUSDT", "1INCH"),
    ("binance", "4USDT", "4"),
    ("binance", "SUSDT", "S"),
    ("binance", "PERPUSDT", "PERP"),
    ("binance", "LUNA2USDT", "LUNA2"),
    ("binance", "BTCDOMUSDT", "BTCDOM"),
    ("binance", "币安人生USDT", "币安人生"),
    ("binance", "USDCUSDT", "USDC"),
    ("binance", "BTCUSDC", "BTC"),
    ("binance", "BTCFDUSD", "BTC"),
    ("binance", "ETHUSD1", "ETH"),
    ("binance", "BTCBUSD", "BTC"),
    ("binance", "1000SHIBBUSD", "SHIB"),
    ("binance", "1000LUNCBUSD", "LUNC"),
    ("binance", "LUNA2BUSD", "LUNA2"),
    ("binance", "BNBBUSD", "BNB"),
    ("binance", "BTCUSDT_251226", "BTC"),
    ("binance", "ETH_250627", "ETH"),
    ("binance", "BTCUSD_PERP", "BTC"),
    ("binance", "BTCUSD_260327", "BTC"),
    ("binance", "BNBUSD_PERP", "BNB"),
    ("binance", "ETHBTC", "ETHBTC"),
    ("bybit", "SHIB1000USDT", "SHIB"),
    ("bybit", "SHIB1000PERP", "SHIB"),
    ("bybit", "10000LADYSUSDT", "LADYS"),
    ("bybit", "BTCPERP", "BTC"),
    ("bybit", "BTCUSD", "BTC"),
    ("bybit", "DOTUSD", "DOT"),
    ("bybit", "BTCUSDH25", "BTC"),
    ("bybit", "ETHUSDZ26", "ETH"),
    ("bybit", "BTCUSDT-26DEC25", "BTC"),
    ("bybit", "BTC-26DEC25", "BTC"),
    ("bybit", "USDTUSD", "USDT"),
    ("okx", "BTC-USDT-SWAP", "BTC"),
    ("okx", "BTC-USD-SWAP", "BTC"),
    ("okx", "BTC-USD-260327", "BTC"),
    ("okx", "XRP-USD-230929", "XRP"),
    ("okx", "BTC-USD_UM-261030", "BTC"),
    ("okx", "BTC-USD_UM_XPERP-310404", "BTC"),
    ("okx", "1INCH-USDT-SWAP", "1INCH"),
    ("bitget", "BTCUSD_CM", "BTC"),
    ("bitget", "BNBUSD_CM", "BNB"),
    ("bitget", "BTCUSDT_UMCBL", "BTC"),
    ("bitget", "BTCUSD_DMCBL", "BTC"),
    ("bitget", "BTCPERP_CMCBL", "BTC"),
    ("gate", "BTC_USDT", "BTC"),
    ("gate", "BTC_USD", "BTC"),
    ("gate", "BTC_USD1", "BTC"),
    ("gate", "PERP_USDT", "PERP"),
    ("gate", "MBABYDOGE_USDT", "BABYDOGE"),
    ("htx", "BTC-USDT", "BTC"),
    ("htx", "BTC-USDT-211210", "BTC"),
    ("htx", "BTC-USD", "BTC"),
    ("htx", "BTC200703", "BTC"),
    ("htx", "BTC_CQ", "BTC"),
    ("htx", "btc-usdt", "BTC"),
    ("deribit", "BTC-PERPETUAL", "BTC"),
    ("deribit", "BTC-27MAR26", "BTC"),
    ("deribit", "BTC_USDC-PERPETUAL", "BTC"),
    ("deribit", "SOL_USDC-27MAR26", "SOL"),
    ("bitmex", "XBTUSD", "BTC"),
    ("bitmex", "XBTUSDT", "BTC"),
    ("bitmex", "ETHUSD", "ETH"),
    ("bitmex", "BNBUSD", "BNB"),
    ("bitmex", "SHIBUSD", "SHIB"),
    ("bitmex", "XBTH26", "BTC"),
    ("bitmex", "ETHUSDH26", "ETH"),
    ("bitmex", "XBTUSDTM26", "BTC"),
    ("bitfinex", "tBTCF0:USTF0", "BTC"),
    ("bitfinex", "tBTCDOM:USTF0", "BTCDOM"),
    ("bitfinex", "tEUROPE50IXF0:USTF0", "EUROPE50IX"),
    ("bitfinex", "tBTCUSD", "BTC"),
    ("bitfinex", "tETHBTC", "ETH"),
    ("bitfinex", "tAVAX:USD", "AVAX"),
    ("bitfinex", "t1INCH:USD", "1INCH"),
    ("bitfinex", "tIOTUSD", "IOTA"),
    ("bitfinex", "tUSTUSD", "USDT"),
    ("kraken", "PI_XBTUSD", "BTC"),
    ("kraken", "PF_XBTUSD", "BTC"),
    ("kraken", "PF_XDGUSD", "DOGE"),
    ("kraken", "PF_ARBUSD", "ARB"),
    ("kraken", "PF_1INCHUSD", "1INCH"),
    ("kraken", "FI_XBTUSD_230929", "BTC"),
    ("kraken", "FI_ETHUSD_260327", "ETH"),
    ("kraken", "FF_XBTUSD_260327", "BTC"),
    ("dydx", "BTC-USD", "BTC"),
    ("dydx", "1INCH-USD", "1INCH"),
    ("dydx", "BUFFI,UNISWAP_V3,0X4C1B1302220D7DE5C22B495E78B72F2DD2457D45-USD", "BUFFI"),
    ("aster", "SNDKUSD1", "SNDK"),
    ("aster", "TSLAUSDT", "TSLA"),
    ("lighter", "1000PEPE", "PEPE"),
    ("lighter", "BTC", "BTC"),
    ("coinex", "BTCUSDT", "BTC"),
    ("coinex", "ARBUSD", "ARB"),
    ("hyperliquid", "kPEPE", "PEPE"),
    ("hyperliquid", "KAS", "KAS"),
    ("hyperliquid", "xyz:TSLA", "TSLA"),
    ("hyperliquid", "hyna:kBONK", "BONK"),
    ("kucoin", "XBTUSDTM", "BTC"),
    ("kucoin", "XBTUSDM", "BTC"),
    ("woo", "PERP_BTC_USDT", "BTC"),
    ("recorded", "btcusdt", "BTC"),
    ("recorded", " BTCUSDT ", "BTC"),
    ("recorded", "USDT", "USDT"),
    ("recorded", "FDUSD", "FDUSD"),
    ("recorded", "_", "_"),
    ("recorded", ",", ","),
    ("recorded", "PF_", "PF_"),
    ("recorded", "SOMETHING-NEW", "SOMETHING"),
    ("recorded", "UNHEARDOF", "UNHEARDOF"),
]


@pytest.mark.parametrize(("venue", "base", "asset"), BASES)
def test_a_base_coin_is_its_asset_without_its_lot_size(venue: str, base: str, asset: str) -> None:
    assert asset_of_base(base) == asset


@pytest.mark.parametrize(("venue", "symbol", "asset"), SYMBOLS)
def test_a_contract_name_is_the_asset_before_its_quote(venue: str, symbol: str, asset: str) -> None:
    assert asset_of_symbol(symbol) == asset


NAMED = [(venue, symbol, asset) for venue in VENUES for symbol, asset in header(venue).get("names", {}).items()]


@pytest.mark.parametrize(("venue", "symbol", "asset"), NAMED)
def test_a_name_of_a_fixture_is_the_asset_it_says(venue: str, symbol: str, asset: str) -> None:
    assert asset_of_symbol(symbol) == asset


def test_there_are_names_of_every_venue() -> None:
    """In the table above, or in the head of the venue's own fixture."""
    assert set(VENUES) <= {venue for venue, _, _ in [*SYMBOLS, *NAMED]}


@given(st.text(min_size=1).filter(str.strip))
def test_every_name_has_an_asset(symbol: str) -> None:
    assert asset_of_symbol(symbol)
    assert asset_of_base(symbol)


@given(st.sampled_from([symbol for _, symbol, _ in SYMBOLS]))
def test_an_asset_is_its_own_asset(symbol: str) -> None:
    """What was mapped once is not mapped further, so that tapes of assets and of contracts meet."""
    asset = asset_of_symbol(symbol)
    assert asset_of_base(asset) == asset
