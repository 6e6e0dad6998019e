"""What we say on one connection: hello, heartbeats, pings, answers. Owns how long a peer may keep us waiting."""

import asyncio
import time
from collections.abc import Callable, Sequence

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from service.feed.end import End
from service.feed.kit import Kit
from service.feed.pulse import Pulse
from service.venues.base import Plan

#: Real seconds a closing handshake may take when we are told to stop; `LEISURE_S` when a successor has taken over.
HASTE_S = 0.4
LEISURE_S = 5.0


class Talk:
    """Bound to one socket for good. A verdict goes to `over`; a socket the peer has closed is the reader's to judge."""

    def __init__(self, ws: ClientConnection, plan: Plan, kit: Kit, pulse: Pulse, over: Callable[[End], None]) -> None:
        self._ws = ws
        self._plan = plan
        self._kit = kit
        self._pulse = pulse
        self._over = over
        self._patience = kit.clock.grace(kit.knobs.pong_within_s)

    async def say(self, text: str) -> None:
        """Send one text frame; a peer that does not take it in time is dead."""
        try:
            async with asyncio.timeout(self._patience):
                await self._ws.send(text)
        except ConnectionClosed:
            return
        except TimeoutError:
            self._dead("it takes nothing from us")

    async def greet(self, hello: Sequence[str], accepted: "asyncio.Future[None]") -> None:
        """Say hello and see that it is accepted in time."""
        for place, text in enumerate(hello):
            if place and self._plan.hello_gap_s:
                await self._kit.clock.sleep(self._plan.hello_gap_s)
            await self.say(text)
        limit = self._kit.knobs.ack_within_s
        if not await self._pulse.ear.within(accepted, self._kit.clock.grace(limit)):
            self._over(End(reason=f"the subscription was not accepted within {limit:g} s"))
            await self.hang_up(HASTE_S)

    async def beat(self) -> None:
        """The venue's own text heartbeat, where it has one."""
        heartbeat = self._plan.heartbeat
        while heartbeat is not None:
            await self._kit.clock.sleep(heartbeat.every_s)
            await self.say(heartbeat.text)

    async def ping(self) -> None:
        """WebSocket pings: a peer that does not answer is gone, whatever TCP believes."""
        while (pong := await self._send_ping()) is not None:
            if not await self._pulse.ear.within(pong, self._patience):
                self._dead(f"no pong within {self._kit.knobs.pong_within_s:g} s")
                return
            if pong.exception() is not None:
                return
            self._pulse.pong_at = time.monotonic()
            await self._kit.clock.sleep(self._kit.knobs.ping_every_s)

    async def hang_up(self, patience_s: float) -> None:
        """Close the socket, politely for `patience_s` real seconds; frames that arrive meanwhile can still be read."""
        try:
            async with asyncio.timeout(patience_s):
                await self._ws.close()
        except TimeoutError:
            self._ws.transport.abort()
        await self._ws.wait_closed()

    async def _send_ping(self) -> "asyncio.Future[float] | None":
        try:
            async with asyncio.timeout(self._patience):
                return asyncio.ensure_future(await self._ws.ping())
        except ConnectionClosed:
            return None
        except TimeoutError:
            self._dead("it takes nothing from us")
            return None

    def _dead(self, how: str) -> None:
        self._over(End(reason=f"the connection is dead: {how}"))
        self._ws.transport.abort()
