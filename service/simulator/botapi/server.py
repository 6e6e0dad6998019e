"""The messenger on a port: who may call, limits, scripts, faults, then the method. Knows no rules of texts."""

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Self, TypeVar

from service.simulator.botapi.answers import Hang, Refusal, Said, Step, Through, result, too_many
from service.simulator.botapi.call import Call
from service.simulator.botapi.faults import Dice, Fate, Faults
from service.simulator.botapi.limits import Kind, Limits
from service.simulator.botapi.messenger import TOKEN
from service.simulator.botapi.methods import METHODS, SPEAKING, named
from service.simulator.botapi.stage import Stage
from service.simulator.botapi.wire import Connection, Reply, Request

T = TypeVar("T")
_THROUGH = Through()


class BotServer(Stage):
    """A Telegram for tests and rehearsals. `strict` refuses what breaks a limit, else it is only counted."""

    def __init__(
        self,
        token: str = TOKEN,
        *,
        limits: Limits | None = None,
        faults: Faults | None = None,
        strict: bool = False,
    ) -> None:
        super().__init__(token, limits)
        self.strict = strict
        self._dice = Dice(faults or Faults())
        self._scripts: dict[int, deque[Step]] = {}
        self._peers: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._at = ""
        self._turned = asyncio.Event()

    @property
    def url(self) -> str:
        """What a client puts before the token, as http://127.0.0.1:8081/bot."""
        return f"http://{self._at}/bot"

    @property
    def faults(self) -> Faults:
        """What goes wrong at the moment; may be set at any time, the dice start anew."""
        return self._dice.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._dice = Dice(faults)

    @property
    def limits(self) -> Limits:
        """What is allowed; may be set at any time."""
        return self.counts.meter.limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        self.counts.meter.limits = limits

    def script(self, chat: int, steps: Sequence[Step]) -> None:
        """What the next messages and edits to a chat meet, one step each, after those already queued."""
        self._scripts.setdefault(chat, deque()).extend(steps)

    async def until(self, fact: Callable[[], T], seconds: float = 5.0) -> T:
        """Wait for something to become true, looking after every request; what `fact` says then.

        Raises TimeoutError when it has not within `seconds`.
        """
        async with asyncio.timeout(seconds):
            while not (found := fact()):
                self._turned.clear()
                await self._turned.wait()
        return found

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen, and return `url`. Raises OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self._answer, self._peers), host, port, backlog=1_024
        )
        self._at = f"{host}:{self._server.sockets[0].getsockname()[1]}"
        return self.url

    async def close(self) -> None:
        """Hang up on everybody and stop. What was sent can still be read; it may be started again."""
        if self._server is not None:
            self._server.close()
        for peer in list(self._peers):
            peer.close()
        await asyncio.gather(*(peer.gone() for peer in list(self._peers)))
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None

    async def __aenter__(self) -> Self:
        """Started."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closed."""
        await self.close()

    async def _answer(self, request: Request) -> Reply | None:
        try:
            reply = await self._handled(request)
        except Refusal as refusal:
            reply = refusal.reply()
        self._turned.set()
        if self.faults.slow_s:
            await asyncio.sleep(self.faults.slow_s)
        if reply is not None:
            self.counts.answers[reply.status] += 1
        return reply

    async def _handled(self, request: Request) -> Reply | None:
        call = Call.read(request, self.token)
        name = named(call.method)
        self.counts.requests[name] += 1
        if name in SPEAKING:
            self._measure(call)
        step = self._step(call, speaks=name in SPEAKING)
        match step:
            case Said():
                return step.reply()
            case Hang():
                return await self._silence(step, name, call)
            case Through():
                return await self._done(name, call)

    def _measure(self, call: Call) -> None:
        """Count a message by the limits. Raises a 429 when they are enforced; what is refused so does not count."""
        chat = self.chats.get(call.chat or 0)
        kind: Kind | None = None if chat is None else "private" if chat.kind == "private" else "group"
        meter = self.counts.meter
        wait = meter.wait(call.at, call.chat or 0, kind) if self.strict else 0
        if wait > 0:
            raise too_many(max(1, math.ceil(wait)))
        meter.take(call.at, call.chat or 0, kind)

    def _step(self, call: Call, *, speaks: bool) -> Step:
        script = self._scripts.get(call.chat or 0)
        if speaks and script:
            return script.popleft()
        fate = self._dice.fate(speaks=speaks)
        return _THROUGH if fate == "fine" else self._fated(fate)

    def _fated(self, fate: Fate) -> Step:
        hold = self.faults.hold_s
        steps: dict[Fate, Step] = {
            "too_many": Said.too_many(self.faults.retry_after_s),
            "internal": Said.internal(),
            "gateway": Said.gateway(),
            "lost": Hang(seconds=hold),
            "dropped": Hang(seconds=hold, taken=False),
        }
        return steps[fate]

    async def _silence(self, step: Hang, name: str, call: Call) -> Reply | None:
        speaks = name in SPEAKING
        reply = await self._refused(name, call) if step.taken else None
        if speaks and not step.answered:
            arrived = reply is not None and reply.status == 200  # noqa: PLR2004
            (self.counts.lost if arrived else self.counts.dropped)[call.chat or 0] += 1
        self._turned.set()
        await asyncio.sleep(step.seconds)
        return reply if step.answered else None

    async def _refused(self, name: str, call: Call) -> Reply:
        try:
            return await self._done(name, call)
        except Refusal as refusal:
            return refusal.reply()

    async def _done(self, name: str, call: Call) -> Reply:
        value = METHODS[name](self, call)
        return result(await value if isinstance(value, Awaitable) else value)
