"""Stores to test on: this process, an embedded server of this run, and the server of $REDIS_URL where one is given."""

import asyncio
import os
import uuid

import hypothesis
import pytest

from service.ledger.embedded import EmbeddedServer
from service.ledger.memory import MemoryLedger
from service.ledger.redis import RedisLedger

# a slow or busy machine is no defect of what is tested
hypothesis.settings.register_profile(
    "house",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("house")


@pytest.fixture(scope="session")
def valkey(tmp_path_factory):
    """One embedded server for the whole run; tests share it under tags of their own."""
    server = EmbeddedServer(tmp_path_factory.mktemp("valkey"))
    asyncio.run(server.open())
    yield server
    asyncio.run(server.close())


@pytest.fixture
def tag() -> str:
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture(params=["memory", "embedded", "remote"])
def store_url(request) -> str | None:
    match request.param:
        case "memory":
            return None
        case "embedded":
            return request.getfixturevalue("valkey").url
    if not (url := os.environ.get("REDIS_URL")):
        pytest.skip("REDIS_URL is not set")
    return url


@pytest.fixture
async def ledger(store_url, tag):
    """A ledger with nothing in it; on a shared server it leaves nothing behind."""
    if store_url is None:
        yield MemoryLedger()
        return
    store = RedisLedger(store_url, tag)
    yield store
    await erase(store)
    await store.close()


@pytest.fixture
async def redis_ledger(valkey, tag):
    """A ledger on the embedded server, for what only a server has."""
    store = RedisLedger(valkey.url, tag)
    yield store
    await store.close()


async def keys_of(store: RedisLedger) -> list[bytes]:
    return [key async for key in store._server.client.scan_iter(store._keys.pattern(), count=1000)]


async def erase(store: RedisLedger) -> None:
    if found := await keys_of(store):
        await store._server.client.delete(*found)
