"""What every answer carries: no cache without asking again, and the mark of a simulation. Answers HEAD like GET."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.view import View

STREAM = "/alerts/stream"


class Headers:
    """ASGI middleware around all routes."""

    def __init__(self, app: ASGIApp, view: View) -> None:
        self._app = app
        self._view = view

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass through, adding headers; the server drops the body of an answer to HEAD by itself."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD" and scope["path"] != STREAM:
            scope = {**scope, "method": "GET"}

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                if not any(name == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-cache"))
                if self._view.simulated:
                    headers.append((b"x-cascade-simulated", b"1"))
            await send(message)

        await self._app(scope, receive, marked)
