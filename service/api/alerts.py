"""GET /alerts and /alerts/{id}: pages of alerts by cursor, filtered, long-polled. Decides nothing about an alert."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from service.api import answer, query
from service.api.problem import Problem, nearest
from service.api.query import Filter
from service.api.schema import described
from service.api.shapes import Page
from service.api.tail import KEEP, START, Row, Tail, rows_of
from service.api.view import View
from service.model import Alert, unexplained

#: Ledger reads one request may cost; past them the page ends early and its cursor goes on.
MOST_READS = 20
#: How far back the newest matching alerts are looked for.
DEPTHS = (4 * KEEP, 16 * KEEP)
#: Answers kept encoded until the next alert: pollers ask the same again and again.
_CACHED, _CACHED_BYTES = 64, 100_000


class Archive:
    """Alerts by cursor and filter, out of the tail where it reaches, else out of the ledger."""

    def __init__(self, view: View) -> None:
        self.tail = Tail(view.ledger)
        self.view = view

    async def page(self, wanted: Filter, since: str | None, limit: int) -> tuple[list[Row], str]:
        """Matching rows, oldest first, and the cursor behind everything looked at. Call `tail.refresh` first."""
        return await (self._newest(wanted, limit) if since is None else self._after(wanted, since, limit))

    async def _after(self, wanted: Filter, since: str, limit: int) -> tuple[list[Row], str]:
        found: list[Row] = []
        for _ in range(MOST_READS):
            rows = self.tail.after(since)
            last = rows is not None
            if rows is None:
                most = KEEP if wanted.chooses else limit - len(found)
                rows = rows_of(await self.view.ledger.alerts(since, most))
                last = len(rows) < most
            open_episodes = self._open(wanted)
            for row in rows:
                since = row.cursor
                if wanted.passes(row.alert, open_episodes):
                    found.append(row)
                    if len(found) == limit:
                        return found, since
            if last:
                break
        return found, since

    async def _newest(self, wanted: Filter, limit: int) -> tuple[list[Row], str]:
        rows, whole = self.tail.rows, self.tail.whole
        found = self._matching(wanted, rows)
        for depth in DEPTHS:
            if whole or len(found) >= limit:
                break
            rows = rows_of(await self.view.ledger.alerts(None, depth))
            whole = len(rows) < depth
            found = self._matching(wanted, rows)
        return found[-limit:], rows[-1].cursor if rows else START

    def _matching(self, wanted: Filter, rows: Sequence[Row]) -> list[Row]:
        open_episodes = self._open(wanted)
        return [row for row in rows if wanted.passes(row.alert, open_episodes)]

    def _open(self, wanted: Filter) -> Collection[str]:
        return {episode.id for episode in self.view.episodes()} if wanted.state else ()


class Pages:
    """Answers to GET /alerts, those out of the tail kept encoded until the next alert."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._kept: dict[bytes, tuple[bytes, str]] = {}
        self._revision = -1

    async def get(self, request: Request) -> Response:
        """One page, at once or after waiting for it."""
        asked = request.scope["query_string"]
        await self._archive.tail.refresh()
        if self._revision != self._archive.tail.revision:
            self._revision = self._archive.tail.revision
            self._kept.clear()
        if kept := self._kept.get(asked):
            return answer.encoded(request, *kept)
        values = query.read(request.query_params, query.PAGING)
        if values.get("wait"):
            return Response(await self._waited(values), media_type=answer.JSON)
        revision = self._revision
        body = await self._page(values)
        tag = answer.etag(body)
        small = len(self._kept) < _CACHED and len(body) < _CACHED_BYTES
        if small and "state" not in values and revision == self._revision == self._archive.tail.revision:
            self._kept[asked] = body, tag
        return answer.encoded(request, body, tag)

    async def _page(self, values: dict[str, Any]) -> bytes:
        limit = values.get("limit", query.LIMIT)
        return _body(*await self._archive.page(Filter(values), values.get("since"), limit))

    async def _waited(self, values: dict[str, Any]) -> bytes:
        wanted, limit, view = Filter(values), values.get("limit", query.LIMIT), self._archive.view
        rows, cursor = await self._archive.page(wanted, values.get("since"), limit)
        deadline = asyncio.get_running_loop().time() + values["wait"]
        while not rows and not view.stopping:
            try:
                async with asyncio.timeout_at(deadline):
                    await view.changed(values["wait"])
            except TimeoutError:
                break
            await self._archive.tail.refresh()
            rows, cursor = await self._archive.page(wanted, cursor, limit)
        return _body(rows, cursor)


def _body(rows: Sequence[Row], cursor: str) -> bytes:
    return b'{"alerts":[%s],"next":"%s"}' % (b",".join(row.body for row in rows), cursor.encode())


def routes(archive: Archive) -> APIRouter:
    """The two doors."""
    router, pages = APIRouter(tags=["alerts"]), Pages(archive)

    @router.get(
        "/alerts",
        summary="Alerts, newest last",
        responses=described(Page, about="Alerts behind `since`, or the newest ones, and the cursor to ask on with."),
        openapi_extra={"parameters": [param.openapi() for param in query.PAGING]},
    )
    async def alerts(request: Request) -> Response:
        """Without `since` the newest `limit` alerts that match.

        `next` is always good as the next `since`: it has moved past everything that was looked at, alerts that did not
        match included, so nothing is skipped or read twice.
        """
        return await pages.get(request)

    @router.get(
        "/alerts/{id}",
        summary="One alert",
        responses=described(Alert, about="The alert with this id."),
        openapi_extra={"parameters": [param.openapi() for param in query.EXPLAIN]},
    )
    async def alert(request: Request, id: str) -> Response:
        """Kept for 90 days. With `explain=1` everything that led to it stands in `explain`."""
        explain = query.read(request.query_params, query.EXPLAIN).get("explain", False)
        found = await archive.view.ledger.alert(id)
        if found is None:
            await archive.tail.refresh()
            known = [row.alert.id for row in reversed(archive.tail.rows)]
            raise Problem(404, f"there is no alert {id[:80]}", allowed=known[:5], near=nearest(id, known))
        return answer.json(request, found if explain else unexplained(found))

    return router
