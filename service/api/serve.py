"""The socket the HTTP door listens on and the server behind it. Owns no route and takes no signal."""

import contextlib
import os
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

#: Real seconds an open answer may take when the service stops.
STOP_S = 1.0


class StartError(Exception):
    """The service cannot start; the text says what to change."""


class Server(uvicorn.Server):
    """Signals are the command line's business, not the HTTP door's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield


def server(app: ASGIApp) -> Server:
    """Uvicorn without its own log and signals."""
    return Server(
        uvicorn.Config(app, log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=int(STOP_S))
    )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises StartError naming host and port."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:
        number = getattr(error, "errno", None)
        reason = os.strerror(number) if number and number > 0 else error
        raise StartError(f"cannot listen on {host}:{port}: {reason}; set [api] host and port") from None
    # asyncio sets it only on sockets it makes itself; without it each answer on a kept connection waits 40 ms
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
