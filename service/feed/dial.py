"""One attempt to open a WebSocket, its failures put into words. Owns the HTTP side of the handshake, no retry."""

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidProxy, InvalidStatus, InvalidURI, WebSocketException
from websockets.http11 import Response

from service.clock import Clock
from service.feed.end import End, plain
from service.fetch import is_loopback
from service.model import FeedState
from service.retry import retry_after

Headers = tuple[tuple[str, str], ...]

OPEN_WITHIN_S = 10.0
#: Room for a 10 MB frame: it is kept (cut) for inspection, the connection lives on.
MAX_WIRE_BYTES = 16 * 2**20
#: Frames read ahead. While the queue is full and we do not read, the venue's ping frames behind this many still get
#: their pong: at one control message a second that is four minutes, and Binance wants its pong within ten.
READ_AHEAD = 256


async def dial(url: str, clock: Clock, headers: Headers = ()) -> ClientConnection | End:
    """An open connection, or why there is none. Never raises for what a peer, a network or a URL can do."""
    try:
        return await connect(
            url,
            additional_headers=headers,
            # a rehearsal on this machine is not reached through a company's proxy
            proxy=None if is_loopback(url) else True,
            open_timeout=clock.grace(OPEN_WITHIN_S),
            ping_interval=None,
            max_size=MAX_WIRE_BYTES,
            max_queue=READ_AHEAD,
        )
    except InvalidStatus as answer:
        return _answered(answer.response, clock.now())
    except InvalidURI:
        # its text repeats the address, which may carry a key
        return End(reason="the configured address is no WebSocket URL", slow=True)
    except InvalidProxy:
        return End(reason="the configured proxy is not usable", slow=True)
    except (OSError, WebSocketException, ValueError, ImportError) as error:
        return End(reason=plain(f"cannot connect: {type(error).__name__}: {error}"))


def _answered(response: Response, now: int) -> End:
    status = response.status_code
    asked = retry_after(response.headers.get("Retry-After"), now)
    told = "" if asked is None else f", told to wait {asked:.0f} s"
    match status:
        case 403 | 451:
            return End(reason=f"geo-blocked or forbidden (HTTP {status})", state=FeedState.REFUSED, slow=True)
        case 418 | 429:
            # both count requests of an address, so its other sockets wait as well
            reason = f"too many requests (HTTP {status}){told}"
            return End(reason=reason, slow=True, wait_s=asked or 0.0, everywhere=asked is not None)
        case 503:
            return End(reason=f"unavailable (HTTP 503){told}", wait_s=asked or 0.0)
        case _:
            return End(reason=f"HTTP {status} instead of a WebSocket")
