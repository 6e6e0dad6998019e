"""The OpenAPI half of the answers: JSON schemas from the records themselves, and what each field means.

One word has one meaning in the whole house, so one table of meanings serves every record; a test keeps it complete.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from service.api import shapes
from service.api.problem import MEDIA_TYPE, ProblemDetails
from service.model import Alert

_REF = "#/components/schemas/{name}"
SHAPES = (
    Alert,
    shapes.Page,
    shapes.Window,
    shapes.Windows,
    shapes.Episodes,
    shapes.Venues,
    shapes.BadFrames,
    shapes.Health,
    shapes.Ready,
    shapes.Doors,
    ProblemDetails,
)

#: What a field means wherever it stands. Times are ms UTC on the service's clock, money is US dollars.
MEANING: Mapping[str, str] = {
    "about": "What the venue's public feed leaves out, in a sentence.",
    "alerts": "Alerts, newest last; in an episode how many it has had.",
    "allowed": "What would have been accepted.",
    "asset": "The coin over all venues and contracts; ALL is all coins on the enabled venues.",
    "at": "When, ms UTC: of an order the venue's time, of an alert or episode the moment judged.",
    "at_least": "True when the totals are a floor: a venue shows only a part, or not all of the span was heard.",
    "baseline": "What is usual for this market; null while unknown.",
    "by_asset": "The same by asset, largest first; null unless the asset is ALL.",
    "by_symbol": "The same by contract, the 50 largest first.",
    "by_venue": "The same by venue, largest first.",
    "completeness": "complete: every liquidation is shown; sampled: all but one order a second is left out; "
    "partial: an unstated part is left out.",
    "coverage": "How much of the span was heard, or of each span by its name; null while unknown.",
    "detail": "What was wrong.",
    "docs": "The venue's page the decoding was written from.",
    "doors": "Path and meaning of every door.",
    "en": "English.",
    "episode": "Id of the episode the alert belongs to: one cascade, one id.",
    "episodes": "Open episodes, largest running hour first.",
    "estimated": "What the true total may be, in dollars; null while nobody can say.",
    "excitation": "How much the liquidations feed on themselves; null while unknown.",
    "expected_orders": "Orders due since the venue's last one, going by what the other venues show, each coin once a "
    "minute; null: cannot be judged, it shows too little or too few others are live.",
    "frame": "The frame as it came, cut to a few KB.",
    "frames": "Newest first.",
    "gaps": "Stretches of the last day in which the venue was not live, the latest 20, oldest first.",
    "healed": "True when the venue's history has filled the gap since.",
    "healed_share": "The part of the span that no socket brought and a history told later; null while unknown.",
    "heals": "Whether the venue has a public history that gaps can be filled from.",
    "id": "Stable name; seen twice it is the same.",
    "instruments": "Contracts known from the venue's metadata.",
    "kind": "short_squeeze: shorts were forced to buy; long_flush: longs were forced to sell.",
    "largest": "The largest single order of the span; null when there was none.",
    "last_order_at": "Time of the last liquidation, ms UTC; null when there was none yet.",
    "lead": "Who started it; null while unknown.",
    "leaving_out": "Those of the venues whose public feed leaves orders out: with one of them a total is a floor.",
    "live_share_1h": "Time heard of the last hour over all of it, 0 to 1; null while unknown.",
    "long_count": "Long positions closed by force, in orders.",
    "long_usd": "Dollars of long positions closed by force.",
    "name": "The venue's name, as in filters and settings.",
    "nearest": "Allowed names that look like what was asked, best first.",
    "next": "Cursor to ask on with as `since`: everything up to it has been looked at.",
    "now": "The service's clock when it answered, ms UTC.",
    "ours_usd": "Dollars we counted.",
    "parked": "Orders that wait for their contract's metadata; they are in no total.",
    "pattern": "Where the dollars fell: whale (one order carries them), single_venue, single_asset, market_wide "
    "(several venues, five coins above their usual level) or mixed; null while unknown.",
    "peak_at": "When the hour's total was largest, ms UTC.",
    "peak_usd": "Largest hour's total so far, in dollars.",
    "phase": "opened, then grew any number of times, then closed.",
    "price": "Price at the start and now, and the move; null while unknown.",
    "problems": "Why the service cannot watch, in words.",
    "ready": "True: the store answers and a venue is live.",
    "ratio": "Ours over theirs; null while that has no meaning.",
    "reason": "Why, in words; empty when there is nothing to explain.",
    "reconciled": "Our sums of the last 24 h beside those the venue itself publishes, over the same contracts and "
    "intervals; null: it publishes none, or none are known yet.",
    "record": "Since when there was nothing larger; null while unknown.",
    "second_opinion": "The last hour as an aggregator counts it, with its own venues and methods; null: none was "
    "asked, it did not answer, or this is another asset or span.",
    "seconds_share": "Venue-seconds heard, live or filled later, over all of them, 0 to 1; null while unknown.",
    "seen": "When we received it, ms UTC.",
    "service": "The name of this service.",
    "severity": "How large against the market's floor: watch < warning < critical.",
    "share": "Dollars of shorts over dollars of both sides, 0 to 1; null when nothing was liquidated.",
    "short_count": "Short positions closed by force, in orders.",
    "short_usd": "Dollars of short positions closed by force.",
    "side": "The side of the positions that were closed by force.",
    "simulated": "True when the orders come from local venue servers: nothing of this happened in a market.",
    "since": "When this state or comparison began, ms UTC.",
    "socket": "Which of the venue's connections.",
    "sockets": "Every connection to the venue.",
    "source": "Who counted.",
    "span": "The rolling span: 1m, 5m, 15m, 1h, 4h, 24h.",
    "spans": "One entry a span, by its name.",
    "started_at": "When it began, ms UTC.",
    "state": "live: heard; silent: connected, but the data path says something is wrong; connecting; "
    "refused: the venue said no; down.",
    "status": "`alive`; in a problem the HTTP status.",
    "symbol": "The contract, as its venue spells it.",
    "symbols": "Dollars by contract, largest first.",
    "theirs_usd": "Dollars the venue itself published.",
    "title": "The HTTP status in words.",
    "total_usd": "Dollars of both sides.",
    "type": "Kind of the problem; about:blank: the status says it all.",
    "until": "Up to when, ms UTC.",
    "usd": "Dollars.",
    "venue": "The venue's name.",
    "venues": "By venue: its report, its dollars, or how many there are.",
    "venues_live": "How many of the venues are live now.",
    "version": "Version of the service.",
    "why": "The alert in one sentence.",
    "zh": "Chinese.",
}


def described(*shapes: type, about: str, media: str = "application/json") -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that answers with one of some records, or with a problem."""
    named = [{"$ref": _REF.format(name=shape.__name__)} for shape in shapes]
    return plain(about, media, named[0] if len(named) == 1 else {"oneOf": named})


def plain(about: str, media: str, schema: Mapping[str, Any]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route by an explicit schema."""
    problem = {"$ref": _REF.format(name="ProblemDetails")}
    return {
        200: {"description": about, "content": {media: {"schema": dict(schema)}}},
        "default": {"description": "What was wrong, what is allowed.", "content": {MEDIA_TYPE: {"schema": problem}}},
    }


def components() -> dict[str, Any]:
    """JSON schemas of every record that may leave, each field with its meaning."""
    _, found = msgspec.json.schema_components(SHAPES, ref_template=_REF)
    for schema in found.values():
        for name, field in schema.get("properties", {}).items():
            if name in MEANING:
                field.setdefault("description", MEANING[name])
    return found


def install(app: FastAPI) -> None:
    """Make the app describe its answers."""

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            schema = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes, tags=TAGS
            )
            schema["paths"] = dict(sorted(schema["paths"].items()))  # a reader's order, not the router's
            schema.setdefault("components", {})["schemas"] = components()
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # the way FastAPI documents


TAGS = [
    {"name": "alerts", "description": "What was said, and what is being said."},
    {"name": "market", "description": "What the market does."},
    {"name": "service", "description": "What the service does."},
]
