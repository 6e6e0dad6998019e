"""The HTTP door put together: routes, problems, headers, documentation. Opens no socket."""

from fastapi import FastAPI, Response

from service import __version__
from service.api import alerts, context, docs, house, problem, records, schema, stream, windows
from service.api.alerts import Archive
from service.api.headers import Headers
from service.api.view import View

ABOUT = (
    "Tells while it is happening that a liquidation cascade runs: how big, which side, on which venues, how sure. "
    "Times are ms UTC, money is US dollars, side is the side of the position that was closed by force. "
    "What is not known is null, never 0. Browsers get a live board at `/` where the extra `board` is installed "
    "(`make run EXTRA=board`), else this page."
)


def build(view: View) -> FastAPI:
    """The door to a running service. It reads `view` and nothing else; its lifespan does nothing."""
    app = FastAPI(
        title="Cascade monitor",
        description=ABOUT,
        version=__version__,
        docs_url=None,
        redoc_url=None,
        default_response_class=Response,
        generate_unique_id_function=lambda route: route.name,
    )
    archive = Archive(view)
    for router in (
        stream.routes(archive),  # before alerts, whose /alerts/{id} would take it
        alerts.routes(archive),
        windows.routes(view),
        records.routes(view),
        context.routes(view),
        house.routes(view),
        docs.routes(app.title),
    ):
        app.include_router(router)
    problem.install(app, tuple(house.DOORS))
    schema.install(app)
    app.add_middleware(Headers, view=view)
    return app
