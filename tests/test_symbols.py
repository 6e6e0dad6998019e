"""Names of contracts and coins become assets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.symbols import asset_of_base, asset_of_symbol


@pytest.mark.parametrize(
    ("base", "asset"),
    [
        ("BTC", "BTC"),
        ("XBT", "BTC"),
        ("1000PEPE", "PEPE"),
        ("10000LADYS", "LADYS"),
        ("1000000MOG", "MOG"),
        ("1MBABYDOGE", "BABYDOGE"),
        ("kPEPE", "PEPE"),
        ("SHIB1000", "SHIB"),
        ("KAVA", "KAVA"),
        ("KSM", "KSM"),
        ("1INCH", "1INCH"),
        ("1000", "1000"),
        ("4", "4"),
        ("LUNA2", "LUNA2"),
        ("SPX6900", "SPX6900"),
        ("币安人生", "币安人生"),
        (" ETH ", "ETH"),
    ],
)
def test_a_base_coin_is_its_asset_without_its_lot_size(base: str, asset: str) -> None:
    assert asset_of_base(base) == asset


@pytest.mark.parametrize(
    ("symbol", "asset"),
    [
        ("BTCUSDT", "BTC"),
        ("1000PEPEUSDT", "PEPE"),
        ("1000SHIBBUSD", "SHIB"),
        ("SHIB1000USDT", "SHIB"),
        ("kPEPE", "PEPE"),
        ("1INCHUSDT", "1INCH"),
        ("4USDT", "4"),
        ("SUSDT", "S"),
        ("USDCUSDT", "USDC"),
        ("USDTUSD", "USDT"),
        ("BTCUSDC", "BTC"),
        ("BTCFDUSD", "BTC"),
        ("ETHUSD1", "ETH"),
        ("XBTUSD", "BTC"),
        ("BTCPERP", "BTC"),
        ("PERPUSDT", "PERP"),
        ("BTCUSD_PERP", "BTC"),
        ("BTCUSD_260925", "BTC"),
        ("BTCUSDT_251226", "BTC"),
        ("ETH_250627", "ETH"),
        ("BTCUSDH25", "BTC"),
        ("ETHUSDZ26", "ETH"),
        ("BTC-26DEC25", "BTC"),
        ("BTCUSDT-26DEC25", "BTC"),
        ("BTC-USDT-SWAP", "BTC"),
        ("BTC-USD_UM_XPERP-310404", "BTC"),
        ("BTC-PERPETUAL", "BTC"),
        ("BTC_USDT", "BTC"),
        ("PF_XBTUSD", "BTC"),
        ("FI_ETHUSD_260327", "ETH"),
        ("币安人生USDT", "币安人生"),
        ("USDT", "USDT"),
        ("_", "_"),
    ],
)
def test_a_contract_name_is_the_asset_before_its_quote(symbol: str, asset: str) -> None:
    assert asset_of_symbol(symbol) == asset


@given(st.text(min_size=1).filter(str.strip))
def test_every_name_has_an_asset(symbol: str) -> None:
    assert asset_of_symbol(symbol)
    assert asset_of_base(symbol)
