"""Net flows of the US spot ETFs: what a day is, one file for each source, and the book of days they are handed to."""

#: Assets that have US spot ETFs whose flows are told daily.
ASSETS = ("BTC", "ETH", "SOL")
