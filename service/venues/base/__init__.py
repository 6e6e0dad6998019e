"""The house's side of every venue file: the protocol, reading raw fields, history, and what an order is worth."""

from service.venues.base.contract_stats import ContractStats
from service.venues.base.history import History, Page, Spoilt, address, asked_again, escape, query_of
from service.venues.base.protocol import (
    Control,
    Event,
    Heartbeat,
    Leaving,
    Plan,
    Pong,
    Refused,
    Say,
    Session,
    Subscribed,
    Told,
    Venue,
)
from service.venues.base.reading import (
    BUGS,
    DOLLARS,
    contract_name,
    digest,
    moment,
    moment_of_any,
    moment_of_text,
    number,
    parse,
    shards,
    side_of,
    spelt,
    whole,
)
from service.venues.base.rows import OLD_MS, numbered, row_by_row
from service.venues.base.sipping import Sipping
from service.venues.base.tallies import Tallies, Tally
from service.venues.base.tickers import Ask, Sips, Tickers
from service.venues.base.value import settle

__all__ = [
    "BUGS",
    "DOLLARS",
    "OLD_MS",
    "Ask",
    "ContractStats",
    "Control",
    "Event",
    "Heartbeat",
    "History",
    "Leaving",
    "Page",
    "Plan",
    "Pong",
    "Refused",
    "Say",
    "Session",
    "Sipping",
    "Sips",
    "Spoilt",
    "Subscribed",
    "Tallies",
    "Tally",
    "Tickers",
    "Told",
    "Venue",
    "address",
    "asked_again",
    "contract_name",
    "digest",
    "escape",
    "moment",
    "moment_of_any",
    "moment_of_text",
    "number",
    "numbered",
    "parse",
    "query_of",
    "row_by_row",
    "settle",
    "shards",
    "side_of",
    "spelt",
    "whole",
]
