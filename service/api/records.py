"""GET /records: the largest hours and days of one asset that nothing has reached since. Compares nothing itself."""

from collections.abc import Iterator
from datetime import UTC
from functools import partial

from fastapi import APIRouter, Request, Response

from service.api import answer, query
from service.api.schema import described
from service.api.shapes import Records, Standing
from service.api.values import integer, one_of
from service.api.view import View
from service.api.windows import known
from service.detector import Board
from service.detector.records import MEASURES, SIDES, comparable, date_in, standing, zone_name
from service.model import ALL

#: Of each measure and side.
STANDING = 20
PARAMS = (
    query.WINDOW[0],
    query.Param(
        name="measure",
        about="Only the rolling `hour`, the calendar `day` in UTC, or the rolling `24h`.",
        schema={"type": "string", "enum": list(MEASURES)},
        read=partial(one_of, list(MEASURES)),
    ),
    query.Param(
        name="side",
        about="Only positions of this side, or `total` for both together.",
        schema={"type": "string", "enum": list(SIDES)},
        read=partial(one_of, list(SIDES)),
    ),
    query.Param(
        name="limit",
        about="At most this many of each measure and side, the largest.",
        schema={"type": "integer", "minimum": 1, "maximum": 100, "default": STANDING},
        read=partial(integer, 1, 100),
    ),
)


def _standing(view: View, board: Board, measure: str, side: str, most: int) -> Iterator[Standing]:
    for peak in standing(board, measure, side)[-most:]:
        yield Standing(
            measure=f"{measure} {side}",
            usd=peak.usd,
            at=peak.at,
            date=date_in(peak.at, UTC),
            zone_date=date_in(peak.at, view.zone),
            comparable=comparable(board, measure, peak),
        )


def routes(view: View) -> APIRouter:
    """The one door."""
    router = APIRouter(tags=["market"])

    @router.get(
        "/records",
        summary="The largest hours and days that still stand",
        responses=described(Records, about="By measure and side, the latest (and so smallest) first."),
        openapi_extra={"parameters": [param.openapi() for param in PARAMS]},
    )
    async def records(request: Request) -> Response:
        """Nothing is said of the time before `first_at`; what was not heard is in no record."""
        values = query.read(request.query_params, PARAMS)
        asset = values.get("asset", ALL)
        now = await known(view, asset)
        board = view.records(asset) or Board()
        measures, sides = (
            [values[name]] if name in values else names
            for name, names in (("measure", [*MEASURES]), ("side", [*SIDES]))
        )
        most = values.get("limit", STANDING)
        rows = [one for name in measures for side in sides for one in _standing(view, board, name, side, most)]
        told = Records(
            asset=asset,
            now=now,
            simulated=view.simulated,
            first_at=board.first_at,
            regime=board.regime,
            alike_since=board.alike_since,
            zone=zone_name(now, view.zone),
            records=rows,
        )
        return answer.json(request, told)

    return router
