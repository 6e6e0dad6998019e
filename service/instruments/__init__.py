"""What each contract is worth: a venue's metadata, fetched, cached and refreshed. Opens no socket of orders.

`source` is the only caller of metadata REST, `cache` the only reader and writer of its file, `parking` keeps the orders
nobody can value yet, and `book` puts them together. No multiplier is ever guessed.
"""

from service.instruments.book import Book
from service.instruments.source import InstrumentsError

__all__ = ["Book", "InstrumentsError"]
