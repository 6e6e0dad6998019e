"""One GET or POST, its failures put into words. Owns patience, size, masking; retries nothing, knows no venue's words.

An answer is read piece by piece and unpacked here, never further than its limit: a piece of 64 KB may unpack to 64 MB,
one that is packed twice to gigabytes. So gzip is the only packing asked for, and any other is refused.
"""

import asyncio
import zlib
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from urllib.parse import urljoin, urlsplit

import httpx

from service import __version__
from service.clock import Clock
from service.masking import mask
from service.model import Record
from service.retry import retry_after

#: Real seconds a server may take for one answer.
PATIENCE_S = 30.0
#: Bytes of one answer, unpacked; the largest metadata of a venue is a third of it.
MOST_BYTES = 32_000_000
_AGENT = f"cascade-monitor/{__version__}"
_SAID = 200
#: Bytes of a refusal that are read, and real seconds for them: its status must not wait for a body that never ends.
_MOST_REFUSAL, _REFUSAL_S = 16_000, 2.0
_OK, _UNCHANGED = 200, 304
_LONGEST_MARK = 500
_PACKINGS = ("identity", "gzip", "x-gzip", "deflate")
_EITHER_HEADER = 47  # zlib's word for "gzip or zlib, look yourself"


class FetchError(Exception):
    """There is no answer to use.

    `status` is 0 when there was none at all; `said` is the beginning of its body, or the kind of failure without a
    word of what was sent; `retry_after` is the server's wish in seconds.
    """

    def __init__(self, text: str, status: int = 0, said: str = "", retry_after: float | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.said = said
        self.retry_after = retry_after

    @property
    def lasting(self) -> bool:
        """Whether the same question would get the same answer: the server understood it and declined."""
        return 400 <= self.status < 500 and self.status not in _PASSING  # noqa: PLR2004  # HTTP's own classes


#: Refusals that are about the moment, not about the question: time-out, too early, too many, Binance's ban.
_PASSING = frozenset({408, 418, 425, 429})


class Request(Record, frozen=True, kw_only=True):
    """A GET of `url`, or a POST of the JSON text `post`; a `#fragment` of the address is ours and is not sent."""

    url: str
    post: str = ""
    headers: Mapping[str, str] = {}
    etag: str = ""
    """The mark of an answer that is known already: the server may say that nothing has changed. Of a GET only."""
    modified: str = ""
    """The same, by the `Last-Modified` of that answer."""
    most_bytes: int = MOST_BYTES
    """A longer answer is a FetchError, however it is packed and whatever length it announces."""


class Answer(Record, frozen=True, kw_only=True):
    """What a server said: 200 with a body, or 304 and nothing, when what is known still holds."""

    status: int
    body: bytes
    etag: str
    modified: str

    @property
    def unchanged(self) -> bool:
        """Whether the answer of which the request carried the marks still holds."""
        return self.status == _UNCHANGED


def client(*, trust_env: bool) -> httpx.AsyncClient:
    """A client for everybody we ask. It keeps no cookies: what one server sets must not go along, or fail, later."""
    found = httpx.AsyncClient(trust_env=trust_env)
    found.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return found


async def get(
    client: httpx.AsyncClient,
    url: str,
    clock: Clock,
    headers: Mapping[str, str] | None = None,
    most_bytes: int = MOST_BYTES,
) -> bytes:
    """The body of a 200. Raises FetchError, address masked."""
    return (await ask(client, Request(url=url, headers=headers or {}, most_bytes=most_bytes), clock)).body


async def ask(client: httpx.AsyncClient, request: Request, clock: Clock) -> Answer:
    """A 200, or a 304 to a request that carries marks. Raises FetchError for all else, address masked."""
    shown, conditions = mask(request.url), _conditions(request)
    headers = httpx.Headers({"User-Agent": _AGENT} | ({"Content-Type": "application/json"} if request.post else {}))
    try:
        headers.update(request.headers)
        headers.update(conditions | {"Accept-Encoding": "gzip"})
        async with (
            asyncio.timeout(PATIENCE_S),
            client.stream(
                "POST" if request.post else "GET",
                request.url.partition("#")[0],
                content=request.post.encode() if request.post else None,
                headers=headers,
                timeout=PATIENCE_S,
                follow_redirects=False,
            ) as answer,
        ):
            if answer.status_code != _OK and not (answer.status_code == _UNCHANGED and conditions):
                raise await _refusal(answer, request.url, clock)
            body = await _body(answer, shown, request.most_bytes) if answer.status_code == _OK else b""
            return Answer(
                status=answer.status_code,
                body=body,
                etag=_plain_mark(answer.headers.get("ETag")),
                modified=_plain_mark(answer.headers.get("Last-Modified")),
            )
    except httpx.InvalidURL:
        # its text repeats a part of the address, which may carry a key
        raise FetchError(f"{shown} is no usable address") from None
    except (httpx.LocalProtocolError, UnicodeError):
        # its text repeats a header, which may be a key
        raise FetchError(f"{shown} was not asked: a header is no plain text", said="LocalProtocolError") from None
    except (httpx.HTTPError, TimeoutError) as error:
        raise FetchError(f"{shown} did not answer: {error!r}", said=type(error).__name__) from None


def _conditions(request: Request) -> dict[str, str]:
    marks = {"If-None-Match": request.etag, "If-Modified-Since": request.modified}
    return {} if request.post else {name: value for name, value in marks.items() if value}


def _plain_mark(value: str | None) -> str:
    """A mark as it may be sent back: what is no plain text is none, rather than a request that cannot be made."""
    return value if value and value.isascii() and value.isprintable() and len(value) <= _LONGEST_MARK else ""


async def _refusal(answer: httpx.Response, url: str, clock: Clock) -> FetchError:
    status = answer.status_code
    try:
        async with asyncio.timeout(_REFUSAL_S):
            said = (await _read(answer, _MOST_REFUSAL))[:_SAID].decode("utf-8", "replace")
    except (httpx.HTTPError, TimeoutError, zlib.error):
        said = ""  # the status tells enough
    words = f"{mask(url)} answered {status}: {said!r}"
    if "Location" in answer.headers and answer.is_redirect:
        words = f"{mask(url)} answered {status} and points to {_target(url, answer.headers['Location'])}"
    return FetchError(
        words, status=status, said=said, retry_after=retry_after(answer.headers.get("Retry-After"), clock.now())
    )


def _target(url: str, location: str) -> str:
    try:
        return repr(mask(urljoin(url, location)[:_SAID]))
    except ValueError:
        return "no usable address"


async def _body(answer: httpx.Response, shown: str, most: int) -> bytes:
    """All of an answer. Raises FetchError when it is longer than `most` bytes, packed in another way, or damaged."""
    try:
        body = await _read(answer, most)
    except zlib.error as error:
        said = f"that cannot be unpacked from {_packing(answer)!r}: {error}"
        raise FetchError(f"{shown} sent an answer {said}", status=_OK, said=said) from None
    if len(body) > most:
        said = f"longer than {most} bytes"
        raise FetchError(f"{shown} sent an answer {said}", status=_OK, said=said)
    return body


def _packing(answer: httpx.Response) -> str:
    return answer.headers.get("Content-Encoding", "").strip().lower()[:_SAID] or "identity"


async def _read(answer: httpx.Response, most: int) -> bytes:
    """The unpacked body up to its end, or its beginning of `most` bytes and one or more. Raises zlib.error, httpx's."""
    packing = _packing(answer)
    if packing not in _PACKINGS:
        raise zlib.error("only gzip was asked for")
    unzip = None if packing == "identity" else zlib.decompressobj(_EITHER_HEADER)
    found, wire = bytearray(), 0
    async for piece in answer.aiter_raw():
        wire += len(piece)
        if unzip is None:
            found += piece
        elif not unzip.eof:
            found += unzip.decompress(piece, most + 1 - len(found))
        if len(found) > most:
            return bytes(found)
        if wire > most + _MOST_REFUSAL:  # what stands behind the end of what is packed, or packs nothing at all
            raise zlib.error("it is longer than what it holds")
    if unzip is not None and (not unzip.eof or unzip.unused_data):
        raise zlib.error("it goes on behind its end" if unzip.eof else "it breaks off")
    return bytes(found)


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
