"""The file of ETF flows a user drops in, looked at again and again: no network. Reads no line itself."""

from service.clock import Clock
from service.context.etf.dropped import Dropped
from service.context.source import SourceError
from service.context.standing import UNREAD, Standing
from service.model import SourceReport


class FileWatch:
    """Looks at one file until cancelled. A file that is not there is said, and is no failure of ours."""

    def __init__(self, file: Dropped, clock: Clock) -> None:
        self._file, self._clock = file, clock
        self._standing = Standing(file.name)

    @property
    def report(self) -> SourceReport:
        """How the file stands now."""
        return self._standing.report(self._file.every_s)

    async def run(self) -> None:
        """Look at it, and again after a while."""
        while True:
            await self._look()
            await self._clock.sleep(self._file.every_s)

    async def _look(self) -> None:
        now = self._clock.now()
        self._standing.asked(self._file.path.name, now)
        try:
            changed = await self._file.look(now)
        except SourceError as error:
            self._standing.miss(UNREAD)
            self._standing.failed(str(error))
            return
        if not self._file.found:
            self._standing.answered(now, changed=False, reason="there is no such file")
        elif changed or not self._standing.failing:
            self._standing.answered(now, changed=changed)
