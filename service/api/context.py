"""GET /context: what stands beside the liquidations of one asset, out of memory. Asks nobody, works out nothing."""

from fastapi import APIRouter, Request, Response
from msgspec.structs import asdict

from service.api import answer, query
from service.api.problem import Problem
from service.api.schema import described
from service.api.shapes import Beside
from service.api.view import View
from service.api.windows import known
from service.model import ALL

OFF = "context is switched off in the settings, section [context]"
PARAMS = (query.WINDOW[0],)


def routes(view: View) -> APIRouter:
    """The one door."""
    router = APIRouter(tags=["market"])

    @router.get(
        "/context",
        summary="Open interest, funding, squeeze risk, ETF flows and rates",
        responses=described(Beside, about="What is known now, how old it is, and why the rest is not known."),
        openapi_extra={"parameters": [param.openapi() for param in PARAMS]},
    )
    async def context(request: Request) -> Response:
        """Nothing here opens an episode, and no alert waits for it. Of ALL the leverage and the risk are BTC's."""
        asset = query.read(request.query_params, PARAMS).get("asset", ALL)
        report = view.context(asset)
        if report is None:
            raise Problem(404, OFF)
        if report.leverage is None:  # a coin whose leverage is known is one, whatever was liquidated of it
            await known(view, asset)
        return answer.json(request, Beside(**asdict(report), simulated=view.simulated))

    return router
