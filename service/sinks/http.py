"""One POST of one alert: its patience, what each status means, and an error that tells no secret. Retries nothing.

The address is the secret: errors name `https://host/***`, quote of an answer only what the sink itself picks out of it,
and carry no exception of the client along, whose text or request may hold the address.
"""

import asyncio
from collections.abc import Callable, Mapping
from http import HTTPStatus

import httpx

from service import __version__
from service.masking import host_of
from service.model import Record
from service.retry import retry_after
from service.sinks.base import SinkError, Tools

#: Real seconds from the first byte to the server's verdict.
PATIENCE_S = 10.0
#: Refusals that are about the moment, not about the alert: time-out, too early, too many.
PASSING = frozenset({408, 425, 429})
#: Of an answer that is no 2xx so many bytes are read, for so long; its status is a verdict without them.
_READ, _READ_S = 4_096, 2.0


class Said(Record, frozen=True, kw_only=True):
    """What a sink picks out of an answer: a word that is safe to show, and the seconds the server asks for."""

    word: str = ""
    wait: float | None = None


def taken(status: int) -> bool:
    """Whether an HTTP status says that the alert was taken."""
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def passing(status: int) -> bool:
    """Whether the same alert may be taken later; every other status that is no 2xx is final."""
    return status in PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR


class Hook:
    """One address alerts are posted to. `read` picks what may be told out of the body of a refusal."""

    def __init__(self, url: str, tools: Tools, read: Callable[[bytes], Said] = lambda _body: Said()) -> None:
        self.name = host_of(url)
        self._url = httpx.URL(url)
        self._tools = tools
        self._read = read

    async def post(self, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Post JSON. Raises SinkError unless the answer is a 2xx."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                error = await self._answer(body, headers or {})
        except (httpx.HTTPError, httpx.StreamError, OSError, TimeoutError) as failure:
            kind = "no answer in time" if isinstance(failure, TimeoutError) else type(failure).__name__
            error = SinkError(f"{self.name} did not answer: {kind}", permanent=False)
        if error is not None:
            raise error  # out here it has no context: the client's own exceptions know the address

    async def _answer(self, body: bytes, headers: Mapping[str, str]) -> SinkError | None:
        ours = {"Content-Type": "application/json", "User-Agent": f"cascade-monitor/{__version__}"}
        asking = self._tools.client.stream(
            "POST",
            self._url,
            content=body,
            headers={**ours, **headers},
            follow_redirects=False,  # a verdict, and the secret would go where nobody sent it
            timeout=PATIENCE_S,
        )
        async with asking as answer:
            if taken(answer.status_code):
                return None  # whatever its body says, and however long that takes
            said = self._read(await _beginning(answer))
        wait = said.wait
        if wait is None:
            wait = retry_after(answer.headers.get("Retry-After"), self._tools.now())
        text = f"{self.name} answered {answer.status_code}{said.word and ': '}{said.word}"
        return SinkError(text, permanent=not passing(answer.status_code), retry_after=wait)


async def _beginning(answer: httpx.Response) -> bytes:
    body = b""
    try:
        async with asyncio.timeout(_READ_S):
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) >= _READ:
                    break
    except (httpx.HTTPError, TimeoutError):
        return b""
    return body[:_READ]
