"""What an order was worth, by its contract's own metadata. Pure; never guesses a multiplier or a price."""

from service.model import Contract, DecodeError, Instrument, Liquidation, Print

_MOST_USD = 1e11  # one order cannot outweigh the whole open interest of a venue


def settle(order: Print, instrument: Instrument) -> Liquidation:
    """Dollars and base units of an order. Raises DecodeError above 100 billion USD, and where no price is known."""
    units, price = order.quantity * instrument.size, order.price or instrument.mark
    usd = units if instrument.contract is Contract.INVERSE else _priced(order, units, price, instrument)
    if not 0 < usd < _MOST_USD:
        raise DecodeError(f"{order.venue} {order.symbol}: {order.quantity} at {price} cannot be {usd} dollars")
    return Liquidation(
        venue=order.venue,
        symbol=instrument.alias or order.symbol,
        asset=instrument.asset,
        side=order.side,
        price=order.price,
        quantity=_base_units(instrument.contract, units, usd, price),
        usd=usd,
        at=order.at,
        seen=order.seen,
        id=order.id,
    )


def _priced(order: Print, units: float, price: float | None, instrument: Instrument) -> float:
    if price is None:
        raise DecodeError(f"{order.venue} {order.symbol}: neither the order nor the metadata tells a price")
    told = order.rate if instrument.contract is Contract.QUANTO else None  # a linear contract pays out in dollars
    return units * price * (told or instrument.rate)


def _base_units(contract: Contract, units: float, usd: float, price: float | None) -> float | None:
    """None where no price is known: unknown is not zero."""
    if contract is Contract.LINEAR:
        return units
    return usd / price if price else None
