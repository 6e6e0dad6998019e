"""One Redis or Valkey server as the ledger sees it: its address, its time-outs, its scripts, its errors.

Owns the client and turns every failure into LedgerError. Knows no window and no alert. Needs Redis 6.2 or newer.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import NoPermissionError, RedisClusterException, RedisError

from service.ledger import LedgerError, buckets
from service.ledger.keys import Keys
from service.masking import mask
from service.model import ALL

log = logging.getLogger("cascade.ledger")

CONNECT_TIMEOUT_S = 2.0
TIMEOUT_S = 5.0
OLDEST = (6, 2)
#: Script -> files it is made of, in order. Those with windows.lua get the constants of `preamble` in front.
_SCRIPTS: Mapping[str, tuple[str, ...]] = {
    "add": ("windows", "add"),
    "read": ("windows", "read"),
    "detail": ("detail",),
    "mark": ("mark",),
    "lease": ("lease",),
    "release": ("release",),
    "commit": ("commit",),
    "advance": ("advance",),
    "refuse": ("advance", "refuse"),
    "pending": ("pending",),
    "keep": ("keep",),
    "post": ("post",),
    "take": ("take",),
    "settle": ("settle",),
    "erase": ("erase",),
    "move": ("move",),
    "wake": ("wake",),
    "close": ("close",),
    "rest": ("rest",),
    "unclaim": ("unclaim",),
}
_FOLDER = Path(__file__).with_name("scripts")
_ALLOWED = (
    "allowed: redis://user:password@host:port/db, rediss://..., unix://user:password@/path, "
    "with : / ? # @ and % of a password written as %3A %2F %3F %23 %40 and %25, and options of redis-py behind a ?"
)


class Server:
    """A connection pool to `url`. `kind` is what people and errors call it; by default the address, masked.

    Raises LedgerError when `url` is no address.
    """

    def __init__(self, url: str, tag: str, kind: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self.kind = kind or mask(url)
        self.keys = Keys(tag)
        try:
            _plain(url)
            self.client: Any = Redis.from_url(
                url,
                protocol=2,
                socket_connect_timeout=min(CONNECT_TIMEOUT_S, timeout_s),
                socket_timeout=timeout_s,
                # One fresh connection after a lost one; a frozen server must not be waited for twice.
                retry=Retry(NoBackoff(), 1, supported_errors=(Disconnected,)),
            )
            pool: Any = self.client.connection_pool
            pool.make_connection()  # dials nothing, but refuses options nobody knows
        except (ValueError, TypeError, RedisError):  # their texts may hold a part of the password
            raise LedgerError(f"{self.kind} is no address of a Redis server; {_ALLOWED}") from None
        texts = scripts(self.keys)
        self._scripts = {name: self.client.register_script(text) for name, text in texts.items()}

    async def run(self, script: str, keys: Sequence[str], *args: str | bytes | int) -> Any:
        """One script in one round trip; the server gets its text again when it has lost it."""
        with self._asking():
            return await self._scripts[script](keys=list(keys), args=args)

    async def ask(self, command: str, *args: str | bytes | int) -> Any:
        """One command in one round trip; the reply as redis-py shapes it."""
        with self._asking():
            return await self.client.execute_command(command, *args)

    async def ask_all(self, commands: Sequence[tuple[str, ...]]) -> list[Any]:
        """Many commands in one round trip; not one step for the server."""
        with self._asking():
            pipe = self.client.pipeline(transaction=False)
            for command in commands:
                pipe.execute_command(*command)
            replies: list[Any] = await pipe.execute()
        return replies

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Turns whatever the client raises into LedgerError with the server's name.

        The client writes under asyncio.wait_for, which up to Python 3.11 loses a cancellation that arrives together
        with the result or an error: one call in twenty under load. It is raised here, or a stop would wait forever.
        """
        task = asyncio.current_task()
        cancelling = task.cancelling() if task else 0
        try:
            yield
        except (RedisError, RedisClusterException, OSError) as error:
            raise LedgerError(f"{self.kind}: {error or type(error).__name__}") from error
        finally:
            if task and task.cancelling() > cancelling:
                raise asyncio.CancelledError

    async def greet(self) -> None:
        """Check that the server answers and is new enough; warn when it may drop our keys. Raises LedgerError."""
        await self.ask("PING")
        with self._asking():
            try:
                info: Mapping[str, Any] = await self.client.info()
            except NoPermissionError:
                log.info("%s: this user may not ask INFO, so its version is taken on trust", self.kind)
                return
        version = str(info.get("redis_version", "0"))
        if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
            raise LedgerError(f"{self.kind}: server version {version} is too old, 6.2 is the oldest allowed")
        policy = info.get("maxmemory_policy", "noeviction")
        if info.get("maxmemory") and policy != "noeviction":
            log.warning("%s: maxmemory-policy is %s and may drop counted orders; use noeviction", self.kind, policy)

    async def used_bytes(self) -> int | None:
        """The server's used_memory; None where it does not tell or this user may not ask. Raises LedgerError."""
        with self._asking():
            try:
                info: Mapping[str, Any] = await self.client.info("memory")
            except NoPermissionError:
                return None
        used = info.get("used_memory")
        return used if isinstance(used, int) else None

    async def close(self) -> None:
        """Close every connection."""
        with self._asking():
            await self.client.aclose()


def _plain(url: str) -> None:
    """Raises ValueError for a password with a / ? or # in it: its first part would be taken for the host and dialed."""
    host = urlsplit(url).netloc
    if host and "@" in url and "@" not in host:
        raise ValueError


def scripts(keys: Keys) -> dict[str, str]:
    """Full text of every script."""
    texts = {}
    for name, files in _SCRIPTS.items():
        parts = [(_FOLDER / f"{file}.lua").read_text() for file in files]
        texts[name] = "\n".join([preamble(keys), *parts] if "windows" in files else parts)
    return texts


def preamble(keys: Keys) -> str:
    """The constants of buckets.py and the names of keys.py as Lua, so that they stand in one place."""
    windows = ({"span": w.span, "width": w.width, "ahead": buckets.AHEAD} for w in buckets.WINDOWS.values())
    constants: Mapping[str, object] = {
        "KEY": keys.in_scripts(),
        "ALL": ALL,
        "TICK": buckets.TICK,
        "WIDTHS": list(buckets.WIDTHS),
        "WINDOWS": list(windows),
        "BUCKET_KEEP": buckets.BUCKET_KEEP,
        "DETAIL_KEEP": buckets.DETAIL_KEEP,
        "SEEN_WIDTH": buckets.SEEN_WIDTH,
        "SEEN_KEEP": buckets.SEEN_KEEP,
        "ORDERS_KEEP": buckets.SEEN_KEEP,
    }
    return "".join(f"local {name} = {_lua(value)}\n" for name, value in constants.items())


def _lua(value: object) -> str:
    match value:
        case Mapping():
            return "{" + ", ".join(f"[{_lua(key)}] = {_lua(item)}" for key, item in value.items()) + "}"
        case list():
            return "{" + ", ".join(map(_lua, value)) + "}"
        case _:
            return repr(value)
