"""GET /alerts/stream: server-sent events, one an alert. The cursor is the event's id, so a client resumes where it was.

Written by hand over StreamingResponse: alerts are bytes already, a reader pulls from its cursor so a slow one costs no
memory, and it must end when the service stops, which no package knows about.
"""

import asyncio
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from service.api import query
from service.api.alerts import Archive
from service.api.query import FILTERS, SINCE, Filter
from service.api.schema import described
from service.api.tail import Row
from service.api.values import cursor as cursor_of
from service.ledger import LedgerError
from service.model import Alert

#: Real seconds of silence after which a comment is sent, so that proxies keep the connection.
KEEP_ALIVE_S = 15.0
#: Alerts in one piece of the stream.
BATCH = 50
RETRY_MS = 2_000
LAST_ID = "Last-Event-ID"


def _event(row: Row) -> bytes:
    return b"id: %s\nevent: alert\ndata: %s\n\n" % (row.cursor.encode(), row.body)


async def events(archive: Archive, wanted: Filter, since: str) -> AsyncIterator[bytes]:
    """Pieces of the stream behind a cursor, until the service stops. A store that is away is waited for."""
    yield b"retry: %d\n\n" % RETRY_MS
    clock = asyncio.get_running_loop().time
    spoken = clock()
    while not archive.view.stopping:
        rows: list[Row] = []
        try:
            await archive.tail.refresh()
            rows, since = await archive.page(wanted, since, BATCH)
        except LedgerError:
            yield b": the ledger does not answer, still trying\n\n"
        if rows:
            yield b"".join(map(_event, rows))
            spoken = clock()
            continue
        try:
            async with asyncio.timeout_at(spoken + KEEP_ALIVE_S):
                await archive.view.changed(KEEP_ALIVE_S)
        except TimeoutError:
            yield b": still here\n\n"
            spoken = clock()


def routes(archive: Archive) -> APIRouter:
    """The one door."""
    router = APIRouter(tags=["alerts"])
    resume = {
        "name": LAST_ID,
        "in": "header",
        "description": "The id of the last event that was received; beats `since`. Browsers send it by themselves.",
        "schema": SINCE.schema,
    }

    @router.get(
        "/alerts/stream",
        summary="Alerts as server-sent events",
        responses=described(
            Alert, about="Events `alert`: `id` is the cursor, `data` one alert.", media="text/event-stream"
        ),
        openapi_extra={"parameters": [*(param.openapi() for param in (SINCE, *FILTERS)), resume]},
    )
    async def stream(request: Request) -> StreamingResponse:
        """Begins behind `Last-Event-ID` or `since`, else with the next alert; a comment after every 15 s of silence."""
        values = query.read(request.query_params, (SINCE, *FILTERS))
        last = request.headers.get(LAST_ID)
        await archive.tail.refresh()
        since = cursor_of(LAST_ID, last) if last else values.get("since", archive.tail.cursor)
        return StreamingResponse(
            events(archive, Filter(values), since),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no"},
        )

    return router
