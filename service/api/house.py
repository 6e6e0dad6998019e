"""The doors about the service itself: episodes, venues, frames, sinks, settings, health, metrics. Decides nothing."""

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from service import __version__, metrics
from service.api import answer, query
from service.api.problem import Problem, nearest
from service.api.schema import described, plain
from service.api.shapes import BadFrames, Doors, Episodes, Health, Ready, Sinks, Venues
from service.api.view import View

#: Every door with its sentence: the index, and what is allowed when somebody knocks elsewhere.
DOORS: Mapping[str, str] = {
    "/alerts": "alerts, newest last; since= and next page through them, wait= waits for the next one",
    "/alerts/{id}": "one alert",
    "/alerts/stream": "alerts as server-sent events",
    "/windows": "rolling totals of one asset, or of all on the enabled venues",
    "/records": "the largest hours and days of one asset that nothing has reached since",
    "/context": "what stands beside the liquidations of one asset: leverage, squeeze risk, ETF flows, rates",
    "/episodes": "cascades that are running",
    "/venues": "the enabled venues and how they are",
    "/venues/{name}/bad-frames": "frames of a venue that could not be accepted",
    "/sinks": "where alerts go, how far each channel is, and what it refused",
    "/config": "the settings in force",
    "/healthz": "the process answers",
    "/readyz": "the service watches",
    "/metrics": "metrics for Prometheus",
    "/docs": "all of this, to read and to try",
    "/openapi.json": "all of this, for programs",
}


def routes(view: View) -> APIRouter:
    """All of them."""
    router = APIRouter()
    _market(router, view)
    _venues(router, view)
    _sinks(router, view)
    _front(router, view)
    _health(router, view)
    return router


def _market(router: APIRouter, view: View) -> None:
    @router.get(
        "/episodes",
        tags=["market"],
        summary="Cascades that are running",
        responses=described(Episodes, about="Open episodes, largest running hour first."),
    )
    async def episodes(request: Request) -> Response:
        """What was said of closed ones is in /alerts."""
        now, simulated = view.clock.now(), view.simulated
        found = Episodes(now=now, simulated=simulated, episodes=view.episodes(), watching=view.watching())
        return answer.json(request, found)


def _venues(router: APIRouter, view: View) -> None:
    @router.get(
        "/venues",
        tags=["service"],
        summary="The enabled venues and how they are",
        responses=described(Venues, about="State, truth and contracts of every enabled venue."),
    )
    async def venues(request: Request) -> Response:
        """A venue is as well as its worst socket."""
        now, simulated = view.clock.now(), view.simulated
        return answer.json(request, Venues(now=now, simulated=simulated, venues=await view.venues()))

    @router.get(
        "/venues/{name}/bad-frames",
        tags=["service"],
        summary="Frames that could not be accepted",
        responses=described(BadFrames, about="The newest kept frames; 200 of each venue stay."),
        openapi_extra={"parameters": [param.openapi() for param in query.FRAMES]},
    )
    async def bad_frames(request: Request, name: str) -> Response:
        """None of them entered a window."""
        values = query.read(request.query_params, query.FRAMES)
        known = [report.name for report in await view.venues()]
        if name not in known:
            raise Problem(404, f"there is no venue {name[:40]} here", allowed=known, near=nearest(name, known))
        frames = await view.ledger.kept(name, values.get("limit", 20))
        return answer.json(request, BadFrames(venue=name, frames=frames))


def _sinks(router: APIRouter, view: View) -> None:
    @router.get(
        "/sinks",
        tags=["service"],
        summary="Where alerts go",
        responses=described(Sinks, about="Every channel: how far it is, whether it delivers, what it refused."),
    )
    async def sinks(request: Request) -> Response:
        """What is refused for good is left behind and kept here; everything else is tried until it is delivered."""
        now, simulated = view.clock.now(), view.simulated
        return answer.json(request, Sinks(now=now, simulated=simulated, sinks=await view.sinks()))


def _front(router: APIRouter, view: View) -> None:
    @router.get(
        "/", tags=["service"], summary="The doors", responses=described(Doors, about="Every door and its sentence.")
    )
    async def index(request: Request) -> Response:
        """Programs get this list, browsers are led to /docs."""
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("docs")
        doors = Doors(service="cascade-monitor", version=__version__, simulated=view.simulated, doors=DOORS)
        return answer.json(request, doors)

    @router.get(
        "/config",
        tags=["service"],
        summary="The settings in force",
        responses=plain(
            "Sections and keys as in config/cascade.toml, secrets masked.", answer.JSON, {"type": "object"}
        ),
    )
    async def config(request: Request) -> Response:
        """What every key means stands in config/README.md."""
        return answer.json(request, view.config)


def _health(router: APIRouter, view: View) -> None:
    @router.get(
        "/healthz", tags=["service"], summary="Alive", responses=described(Health, about="The process answers.")
    )
    async def healthz(request: Request) -> Response:
        """Says nothing about venues or store: that is /readyz."""
        now, since = view.clock.now(), view.started_at
        health = Health(status="alive", version=__version__, now=now, started_at=since, simulated=view.simulated)
        return answer.json(request, health)

    @router.get(
        "/readyz", tags=["service"], summary="Watching", responses=described(Ready, about="Store and venues are there.")
    )
    async def readyz(request: Request) -> Response:
        """503 with the reasons while it cannot watch."""
        if problems := view.problems():
            raise Problem(503, "; ".join(problems), problems=problems)
        return answer.json(request, Ready(ready=True, problems=()))

    @router.get(
        "/metrics",
        tags=["service"],
        summary="Metrics for Prometheus",
        responses=plain("Text exposition format.", "text/plain", {"type": "string"}),
    )
    async def prometheus() -> Response:
        """Every metric's sentence is in the answer."""
        return Response(generate_latest(metrics.REGISTRY), headers={"content-type": CONTENT_TYPE_LATEST})
