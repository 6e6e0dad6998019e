"""One source of context asked again and again: when, under which condition, and how long to stay away after a no.

Owns the pace of one address. Knows no answer's meaning: the source reads it, and what it raises costs this answer only.
"""

import hashlib
import random

import httpx

from service.clock import Clock
from service.context.source import Question, Source
from service.context.standing import FAULTS, UNREAD, Standing, hidden, refusal
from service.fetch import Answer, FetchError, Request, ask
from service.masking import mask
from service.model import SourceReport
from service.retry import WAIT_MOST_S

#: Seconds on the clock. The first question comes at most so late, so that a restart of many is no burst ...
LATE_S = 30.0
#: ... and not later than this part of the time between two.
LATE_PART = 0.1
#: The time between two is stretched or shortened by up to this part.
JITTER = 0.1
#: The first pause after a failure, doubled with each one that follows, up to the longer of this and `every_s`.
RETRY_S = (30.0, 3600.0)
#: After a no that would be the same tomorrow: not sooner than this.
DECLINED_S = 3600.0
AGAIN = "asked again in an hour at the soonest: "
_DOUBLINGS = 20


def backoff(failures: int, every_s: float) -> float:
    """Seconds until the next question after so many failures in a row, from 1 on."""
    first, most = RETRY_S
    return min(first * 2.0 ** min(failures - 1, _DOUBLINGS), max(most, every_s))


class Poll:
    """Asks one source until cancelled. `dice` spread the times."""

    def __init__(
        self, source: Source, clock: Clock, client: httpx.AsyncClient, dice: random.Random | None = None
    ) -> None:
        self._source, self._clock, self._client = source, clock, client
        self._dice = dice or random.Random()  # noqa: S311  # no secret
        self._standing = Standing(source.name)
        self._failures = 0
        self._used: tuple[str, Answer] | None = None
        """The address and the marks of the last answer that was read; its body is not kept."""
        self._digest = b""

    @property
    def report(self) -> SourceReport:
        """How the source stands now."""
        return self._standing.report(self._source.every_s)

    async def run(self) -> None:
        """Ask at once, then again and again until cancelled."""
        await self._clock.sleep(self._dice.uniform(0.0, min(self._source.every_s * LATE_PART, LATE_S)))
        while True:
            await self._clock.sleep(await self._once())

    async def _once(self) -> float:
        """One question; seconds until the next."""
        try:
            question = self._source.question(self._clock.now())
        except FAULTS as error:
            return self._failed(self._standing.spoilt(error))
        self._standing.asked(mask(question.url), self._clock.now())
        try:
            answer = await ask(self._client, self._request(question), self._clock)
        except FetchError as error:
            return self._declined(error, question)
        return self._read(answer, question)

    def _request(self, question: Question) -> Request:
        url, known = self._used or ("", None)
        known = known if url == question.url else None
        return Request(
            url=question.url,
            post=question.post,
            headers=question.headers,
            etag=known.etag if known else "",
            modified=known.modified if known else "",
            most_bytes=question.most_bytes,
        )

    def _read(self, answer: Answer, question: Question) -> float:
        now, digest = self._clock.now(), self._digest
        if not answer.unchanged:
            try:
                self._source.take(answer.body, now)
            except FAULTS as error:
                self._used = None  # it must be sent in full again
                self._standing.miss(UNREAD)
                return self._failed(hidden(self._standing.spoilt(error), question))
            digest = hashlib.blake2b(answer.body).digest()
            self._used = (question.url, Answer(status=0, body=b"", etag=answer.etag, modified=answer.modified))
        self._failures = 0
        self._standing.answered(now, changed=digest != self._digest)
        self._digest = digest
        return self._source.every_s * self._spread()

    def _declined(self, error: FetchError, question: Question) -> float:
        self._standing.miss(str(error.status or "none"))
        words = refusal(error, question)
        least = error.retry_after or 0.0
        if error.lasting:
            least = max(least, DECLINED_S)
            words = f"{AGAIN}{words}"
        return max(self._failed(words), min(least, WAIT_MOST_S) * self._dice.uniform(1.0, 1.0 + JITTER))

    def _failed(self, reason: str) -> float:
        self._failures += 1
        self._standing.failed(reason)
        return backoff(self._failures, self._source.every_s) * self._spread()

    def _spread(self) -> float:
        return self._dice.uniform(1.0 - JITTER, 1.0 + JITTER)
