"""What a server adds to the contract: keys, stream, history, passwords, outages, a full memory."""

import asyncio
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from redis.exceptions import RedisError

from service.ledger import LedgerError
from service.ledger.embedded import EmbeddedServer
from service.ledger.keys import Keys
from service.ledger.redis import RedisLedger
from service.ledger.server import Server, preamble
from service.masking import mask
from service.model import ALL, HOUR, MINUTE, Alert, BadFrame, FeedState, Side, SocketHealth, Totals
from tests.orders import T0, order
from tests.test_ledger import NOW, alert
from tests.test_replay import cascade


@pytest.fixture
async def server(tmp_path):
    async with EmbeddedServer(tmp_path) as own:
        yield own


@pytest.fixture
async def alone(server):
    """A ledger that has a server for itself."""
    ledger = RedisLedger(server.url, "only", timeout_s=0.4)
    yield ledger
    await ledger.close()


async def everything(ledger: RedisLedger) -> list[Alert]:
    """Every method that writes."""
    batch = [order(usd=n + 1, at=T0 + n * MINUTE, asset=f"A{n % 3}", symbol=f"A{n % 3}USDT") for n in range(9)]
    await ledger.add(batch, NOW)
    await ledger.read([ALL, "A1", "other"], NOW + HOUR)
    await ledger.detail(ALL, "24h", NOW)
    await ledger.mark_live(["okx"], T0, T0 + 3 * HOUR)
    token = await ledger.lease("me", 60_000)
    await ledger.commit(token, {ALL: b"open", "gone": None}, [alert(1), alert(2)])
    await ledger.advance("log", "1-0")
    await ledger.refuse("slack", "1-0", "e.1", "gone")
    await ledger.save_health([SocketHealth(venue="okx", socket="a", state=FeedState.LIVE, since=1)])
    await ledger.keep(BadFrame(venue="okx", frame="{", reason="json", detail="", seen=1))
    return [one for _, one in await ledger.alerts(None, 10)]


async def test_every_key_carries_the_tag(alone):
    await everything(alone)

    found = [key.decode() for key in await alone._server.client.keys("*")]

    kinds = {key.removeprefix("{only}:").partition(":")[0] for key in found}
    assert kinds >= {"seen", "bucket", "sums", "detail", "assets", "liquidations", "live", "lease", "token", "states"}
    assert kinds >= {"alerts", "alert", "cursors", "refused", "health", "frames"}
    assert [key for key in found if not key.startswith("{only}:")] == []


async def test_whatever_grows_with_orders_has_an_end(alone):
    await everything(alone)

    client = alone._server.client
    endless = {key.decode() for key in await client.keys("*") if await client.pttl(key) == -1}

    # one field per asset, market, sink or socket; the last 200 or 100; trimmed by age
    bounded = {"assets", "sums", "states", "cursors", "health", "token", "frames:okx", "liquidations", "alerts"}
    bounded |= {"refused:slack"}
    assert endless == {f"{{only}}:{name}" for name in bounded}


async def test_two_tags_do_not_meet(valkey, tag):
    here, there = RedisLedger(valkey.url, tag), RedisLedger(valkey.url, f"{tag}-2")
    try:
        await here.add([order()], NOW)
        assert (await there.add([order()], NOW)).fresh == (0,)
    finally:
        await here.close()
        await there.close()


async def test_two_replicas_that_hear_the_same_count_it_once(valkey, tag):
    one, other = RedisLedger(valkey.url, tag), RedisLedger(valkey.url, tag)
    batches = [[order(usd=n, at=T0 + n) for n in range(start, start + 60)] for start in range(0, 600, 50)]
    try:
        added = await asyncio.gather(*(replica.add(batch, NOW) for batch in batches for replica in (one, other)))
        assert sum(len(part.fresh) for part in added) == 610
        assert (await one.read([ALL], NOW))[0].spans["1m"].short_count == 610
        assert len(await other.orders()) == 610
    finally:
        await one.close()
        await other.close()


async def test_the_stream_holds_each_order_once_as_it_came(redis_ledger):
    bare = order(usd=3.25, price=None, quantity=None, side=Side.LONG, at=T0 + 1)
    batch = [order(usd=1.5), bare, order(usd=1.5), order(usd=100.0, price=7, quantity=None, id="q")]
    await redis_ledger.add(batch, NOW)
    await redis_ledger.add([*batch, order(usd=2)], NOW)

    assert await redis_ledger.orders() == [batch[0], bare, batch[3], order(usd=2)]


async def test_a_batch_larger_than_one_command_takes(redis_ledger):
    batch = [order(usd=n + 1, at=T0 + n % 7, symbol=f"S{n}", asset=f"A{n % 1500}") for n in range(5_000)]

    first, again = await redis_ledger.add(batch, NOW), await redis_ledger.add(batch, NOW)

    assert (len(first.fresh), again.duplicates) == (5_000, 5_000)
    assert len(first.readings) == 1_501
    assert first.readings[0].spans["1m"].short_usd == sum(range(5_001))
    assert len(await redis_ledger.assets(NOW)) == 1_500


async def test_the_hours_are_kept_as_history(redis_ledger):
    hour = T0 // HOUR * HOUR
    batch = [
        order(usd=1, at=hour),
        order(usd=2, at=hour + HOUR - 1),
        order(usd=4, at=hour - 200 * HOUR, side=Side.LONG),
    ]
    await redis_ledger.add(batch, NOW)

    assert await redis_ledger.history(ALL, hour - 300 * HOUR, hour + HOUR) == {
        hour - 200 * HOUR: Totals(long_usd=4, long_count=1),
        hour: Totals(short_usd=3, short_count=2),
    }
    assert await redis_ledger.history("BTC", hour - 199 * HOUR, hour) == {}


# Scripts


async def test_scripts_come_back_after_the_server_forgot_them(redis_ledger):
    await redis_ledger.add([order(usd=1)], NOW)
    await redis_ledger._server.client.script_flush()

    assert (await redis_ledger.add([order(usd=2)], NOW)).readings[0].spans["1h"].short_usd == 3
    assert await redis_ledger.lease("me", 1_000) is not None


def test_scripts_take_names_and_widths_from_where_they_are_defined():
    text = preamble(Keys("x"))

    assert '"{x}:seen:"' in text.replace("'", '"')
    assert "local TICK = 10000\n" in text


async def test_the_sums_are_a_cache_that_can_be_lost(alone):
    await alone.add([order(usd=5, at=T0 - n * 30 * MINUTE) for n in range(20)], NOW)
    [before] = await alone.read([ALL], NOW)
    assert await alone._server.client.delete("{only}:sums") == 1

    assert await alone.read([ALL], NOW) == [before]
    assert (await alone.add([order(usd=7)], NOW)).readings[0].spans["24h"].short_count == 21


# Outages


async def test_a_frozen_server_is_an_error_within_the_time_limit_and_the_repeat_counts_once(server, alone):
    await alone.add([order(usd=1)], NOW)
    os.kill(server.pid, signal.SIGSTOP)
    try:
        started = time.monotonic()
        with pytest.raises(LedgerError, match="Timeout"):
            await alone.add([order(usd=2)], NOW)
        with pytest.raises(LedgerError):
            await alone.ping()
        assert time.monotonic() - started < 2
    finally:
        os.kill(server.pid, signal.SIGCONT)

    await alone.add([order(usd=2)], NOW)
    assert (await alone.read([ALL], NOW))[0].spans["1h"] == Totals(short_usd=3, short_count=2)


async def test_no_cancellation_is_lost_in_a_call(redis_ledger):
    async def work() -> None:
        number = 0
        while True:
            number += 1
            await redis_ledger.add([order(1.0, id=f"{number:016x}")], T0)

    for number in range(300):
        task = asyncio.create_task(work())
        await asyncio.sleep(0.0002 * (number % 30))
        task.cancel()
        _, lost = await asyncio.wait([task], timeout=2)
        while not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=0.01)
        assert not lost, f"the task went on after its cancellation, in round {number}"


@pytest.mark.parametrize("error", [TimeoutError(), OSError("reset"), RedisError("refused")])
async def test_no_cancellation_is_lost_in_an_error(error):
    async def stopped() -> None:
        with Server("redis://127.0.0.1:1/0", "x")._asking():
            asyncio.current_task().cancel()
            raise error

    task = asyncio.create_task(stopped())
    await asyncio.wait([task])
    assert task.cancelled()


async def test_an_old_cancellation_turns_no_error_into_another():
    async def tidying_up() -> None:
        task = asyncio.current_task()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
        with Server("redis://127.0.0.1:1/0", "x")._asking():
            raise OSError("reset")

    with pytest.raises(LedgerError, match="reset"):
        await asyncio.create_task(tidying_up())


async def test_a_restarted_server_is_found_again_with_everything_in_it(server, alone):
    first = await alone.add([order(usd=1)], NOW)
    said = await everything(alone)
    await server.close()
    with pytest.raises(LedgerError, match=r"redis\.sock"):
        await alone.add([order(usd=2)], NOW)
    await server.open()

    again = await alone.add([order(usd=1)], NOW)
    assert again.duplicates == 1
    assert again.readings[0].spans["1h"].usd > first.readings[0].spans["1h"].usd
    assert [one for _, one in await alone.alerts(None, 10)] == said
    assert await alone.states() == {ALL: b"open"}


async def test_a_full_server_refuses_the_whole_batch_and_takes_it_later(alone):
    await alone.add([order(usd=1)], NOW)
    await alone._server.client.config_set("maxmemory", "1")
    with pytest.raises(LedgerError, match="maxmemory"):
        await alone.add([order(usd=2)], NOW)
    await alone._server.client.config_set("maxmemory", "0")

    added = await alone.add([order(usd=2)], NOW)
    assert added.fresh == (0,)
    assert added.readings[0].spans["1h"].short_usd == 3
    assert len(await alone.orders()) == 2


async def test_a_stored_record_nobody_can_read_is_named(alone):
    await alone._server.client.xadd("{only}:alerts", {"alert": '{"id": 5}'})

    with pytest.raises(LedgerError, match="a stored Alert cannot be read"):
        await alone.alerts(None, 1)


def test_waiting_has_a_limit_by_default():
    settings = Server("redis://127.0.0.1:1/0", "x").client.connection_pool.connection_kwargs

    assert (settings["socket_timeout"], settings["socket_connect_timeout"]) == (5, 2)


# Addresses


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:hunter2@db.example:6380/3", "redis://***@db.example:6380/3"),
        ("redis://:a@hunter2@db.example:6380/3", "redis://***@db.example:6380/3"),
        ("rediss://ada:hunter2@db.example", "rediss://***@db.example"),
        ("redis://db.example/0?password=hunter2", "redis://db.example/0?***"),
        ("unix://ada:hunter2@/run/redis.sock?db=1", "unix://***@/run/redis.sock?***"),
        ("unix:///run/a.sock", "unix:///run/a.sock"),
    ],
)
def test_no_address_shows_its_password(url, shown):
    assert mask(url) == shown
    assert Server(url, "x").kind == shown


@pytest.mark.parametrize(
    "url",
    [
        "http://db.example",
        "redis://:hunter2@db.example:seven",
        "redis://db.example/0?db=x",
        "redis://:hunter2/pass@db.example/0",
        "redis://:hunter2#pass@db.example/0",
        "redis://:pass?hunter2@db.example/0",
        "redis://:12/hunter2@db.example/0",
        "redis://:#hunter2@db.example/0",
        "redis://hunter2/pass@db.example/0",
        "unix://ada:hunter2/pass@/run/redis.sock",
        "redis://[db.example",
        "redis://db.example/0?hunter2=1",
        "rediss://db.example/0?ssl_cert_reqs=hunter2",
        "redis://:hunter2\u2100@db.example",
    ],
)
def test_what_is_no_address_is_said_without_its_password(url):
    with pytest.raises(LedgerError, match="is no address of a Redis server; allowed: redis://") as told:
        Server(url, "x")
    assert "hunter2" not in str(told.value)


def test_the_command_says_in_one_sentence_that_an_address_is_none(tmp_path):
    env = os.environ | {"REDIS_URL": "redis://:hunter2/pass@h/0", "PYTHONPATH": str(Path(__file__).parents[1])}

    answer = cascade("run", cwd=tmp_path, env=env)

    assert answer.returncode == 2
    assert answer.stderr.startswith("cascade run: redis://***@h/0 is no address of a Redis server; allowed: ")
    assert answer.stderr.count("\n") == 1
    assert "hunter2" not in answer.stdout + answer.stderr


@pytest.mark.parametrize("tag", ["", "a b", "{x}", "x*", "ä"])
def test_a_tag_is_a_plain_word(tag):
    with pytest.raises(ValueError, match="a tag is made of"):
        Keys(tag)


async def test_a_user_with_a_password_is_taken_from_the_address_and_a_wrong_one_is_an_error(server, alone):
    await alone._server.client.execute_command(
        "ACL", "SETUSER", "ada", "on", ">hunter2", "~{only}:*", "+@all", "-@dangerous"
    )
    theirs = RedisLedger(server.url.replace("unix://", "unix://ada:hunter2@"), "only")
    wrong = RedisLedger(server.url.replace("unix://", "unix://ada:hunter3@"), "only")
    try:
        await theirs.greet()  # INFO is a dangerous command: not being allowed to ask is no error
        assert await theirs.used_bytes() is None
        await everything(theirs)
        await theirs.history(ALL, T0, NOW)
        with pytest.raises(LedgerError, match="invalid username-password") as told:
            await wrong.greet()
        assert "hunter3" not in str(told.value)
    finally:
        await theirs.close()
        await wrong.close()


async def test_a_server_that_may_drop_keys_is_warned_about(alone, caplog):
    await alone._server.client.config_set("maxmemory", "1gb")
    await alone._server.client.config_set("maxmemory-policy", "allkeys-lru")

    await alone.greet()

    assert "use noeviction" in caplog.text


async def test_a_server_too_old_is_refused():
    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            word = line.strip().upper()
            if word == b"PING":
                writer.write(b"+PONG\r\n")
            elif word == b"INFO":
                writer.write(b"$21\r\nredis_version:5.0.14\r\n\r\n")
            elif word == b"CLIENT":
                writer.write(b"+OK\r\n")
        writer.close()

    async with await asyncio.start_server(old, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        ledger = RedisLedger(f"redis://127.0.0.1:{port}", "x")
        with pytest.raises(LedgerError, match=r"5\.0\.14 is too old, 6\.2 is the oldest allowed"):
            await ledger.greet()
        await ledger.close()


def test_alert_bytes_are_plain_json(valkey):
    assert msgspec.json.decode(msgspec.json.encode(alert(1)))["symbols"] == {"币安人生USDT": 1.5}
