"""GET /windows: how much was liquidated in a rolling span, and how sure that is. Sums nothing itself."""

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response
from msgspec.structs import asdict

from service.api import answer, query
from service.api.problem import Problem, nearest
from service.api.schema import described
from service.api.shapes import Part, Window, Windows, part
from service.api.view import View
from service.model import ALL, SPANS, Edge, Reading, Totals


async def _window(view: View, reading: Reading, span: str, edge: Edge) -> Window:
    detail = await view.ledger.detail(reading.asset, span, reading.now)
    coverage = await view.coverage(reading.asset, span, reading.now)
    found = await view.depth(reading.asset, span, reading.now)
    return Window(
        asset=reading.asset,
        span=span,
        now=reading.now,
        **asdict(part(reading.spans[span])),
        mid_usd=edge.mid_usd(reading.spans[span]),
        hi_usd=edge.hi_usd(reading.spans[span]),
        at_least=coverage.at_least,
        coverage=coverage,
        by_venue=_parts(detail.venues),
        by_symbol=_parts(detail.symbols),
        by_asset=_parts(detail.assets) if reading.asset == ALL else None,
        largest=detail.largest,
        estimated=found.estimated and found.estimated.no_less_than(reading.spans[span].usd),
        certainty=found.certainty,
        second_opinion=view.second_opinion() if (reading.asset, span) == (ALL, "1h") else None,
        simulated=view.simulated,
    )


def _parts(totals: Mapping[str, Totals]) -> dict[str, Part]:
    return {name: part(one) for name, one in totals.items()}


async def known(view: View, asset: str) -> int:
    """The moment of an answer, ms UTC. Raises Problem for an asset that has no floor and had no order for a day."""
    now = view.clock.now()
    floors = view.config.get("detector", {}).get("floors", {})
    names = [ALL, *(name for name in floors if name not in (ALL, "default"))]
    if asset not in names:
        names = list(dict.fromkeys([*names, *await view.ledger.assets(now)]))
    if asset not in names:
        what = f"nothing of {asset} was liquidated in the last 24 h"
        raise Problem(404, what, allowed=names, near=nearest(asset, names))
    return now


def routes(view: View) -> APIRouter:
    """The one door."""
    router = APIRouter(tags=["market"])

    @router.get(
        "/windows",
        summary="Rolling totals of one asset",
        responses=described(Window, Windows, about="One span, or with `span=all` every span by its name."),
        openapi_extra={"parameters": [param.openapi() for param in query.WINDOW]},
    )
    async def windows(request: Request) -> Response:
        """Totals end now. They are sums of what the enabled venues show: see `at_least` and `coverage`."""
        values = query.read(request.query_params, query.WINDOW)
        asset, span = values.get("asset", ALL), values.get("span", "1h")
        (reading,) = await view.ledger.read([asset], await known(view, asset))
        edges = await view.ledger.edges(asset, reading.now)
        if span != "all":
            return answer.json(request, await _window(view, reading, span, edges[span]))
        spans = {name: await _window(view, reading, name, edges[name]) for name in SPANS}
        return answer.json(request, Windows(asset=asset, now=reading.now, simulated=view.simulated, spans=spans))

    return router
