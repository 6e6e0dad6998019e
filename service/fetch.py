"""One GET, its failures put into words. Owns patience and masking; retries nothing and knows no venue's words."""

import asyncio
from collections.abc import Mapping

import httpx

from service.clock import Clock
from service.masking import mask
from service.retry import retry_after

#: Real seconds a server may take for one answer.
PATIENCE_S = 30.0
_SAID = 200


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


async def get(client: httpx.AsyncClient, url: str, clock: Clock, headers: Mapping[str, str] | None = None) -> bytes:
    """The body of a 200; a `#fragment` of the address is ours and is not sent. Raises FetchError, address masked."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            answer = await client.get(url.partition("#")[0], timeout=PATIENCE_S, headers=headers)
    except httpx.InvalidURL:
        # its text repeats a part of the address, which may carry a key
        raise FetchError(f"{mask(url)} is no usable address") from None
    except (httpx.HTTPError, TimeoutError) as error:
        raise FetchError(f"{mask(url)} did not answer: {error!r}", said=type(error).__name__) from None
    if answer.status_code != httpx.codes.OK:
        said = answer.text[:_SAID]
        raise FetchError(
            f"{mask(url)} answered {answer.status_code}: {said!r}",
            status=answer.status_code,
            said=said,
            retry_after=retry_after(answer.headers.get("Retry-After"), clock.now()),
        )
    return answer.content
