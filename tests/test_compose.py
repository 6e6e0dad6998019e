"""docker-compose.yml and the Dockerfile: closed by default, whole, and every part runs by hand with the same files."""

import asyncio
import json
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from service import __version__, metrics
from service.ledger.embedded import server_binary
from service.settings.keys import of_variable
from tests.scraping import PROMETHEUS, free_port, prometheus, running

ROOT = Path(__file__).resolve().parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
#: `${NAME:-default}` becomes the default, as compose does with an empty environment.
_VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")


def filled(text: str) -> str:
    return _VARIABLE.sub(r"\2", text)


def mounts(service: str) -> list[tuple[str, str, str]]:
    return [tuple([*mount.split(":"), "rw"][:3]) for mount in SERVICES[service].get("volumes", [])]  # type: ignore[misc]


def test_the_parts_are_these() -> None:
    assert set(SERVICES) == {"service", "redis", "prometheus", "grafana"}


def test_every_variable_has_a_default_so_that_nothing_must_be_set() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert "${" not in filled(text)
    named = {name for name, _ in _VARIABLE.findall(text)}
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert named == set(re.findall(r"^# (\w+)=", example, re.MULTILINE))


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_to_this_machine_only(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", filled(port)), port


def test_the_store_has_no_port_and_nobody_else_on_its_network() -> None:
    assert "ports" not in SERVICES["redis"]
    assert SERVICES["redis"]["networks"] == ["store"]
    assert COMPOSE["networks"]["store"] == {"internal": True}
    assert [name for name, part in SERVICES.items() if "store" in part["networks"]] == ["service", "redis"]


def test_no_password_is_written_down_and_grafana_has_no_account() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert not re.search(r"(?i)(pass(word)?|secret|token)\w*[ \t]*[:=][ \t]*\S", re.sub(r"#.*", "", filled(text)))
    assert "@" not in SERVICES["service"]["environment"]["REDIS_URL"]
    grafana = SERVICES["grafana"]["environment"]
    assert grafana["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
    assert grafana["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert grafana["GF_AUTH_BASIC_ENABLED"] == "false"
    assert grafana["GF_AUTH_ANONYMOUS_ENABLED"] == "true"


@pytest.mark.parametrize(("password", "closed"), [("", "true"), ("a password", "false")])
def test_a_password_makes_the_one_account_and_the_door_to_it(password: str, closed: str) -> None:
    shell, option, script = SERVICES["grafana"]["entrypoint"]
    given = {name: filled(str(value)) for name, value in SERVICES["grafana"]["environment"].items()}
    printing = script.replace("$$", "$").replace("exec /run.sh", "env")
    done = subprocess.run(
        [shell, option, printing],
        env=given | {"GF_SECURITY_ADMIN_PASSWORD": password, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    told = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert told["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == told["GF_AUTH_DISABLE_LOGIN_FORM"] == closed
    assert told["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"


@pytest.mark.parametrize("name", SERVICES)
def test_part_is_pinned_watched_and_cannot_write_where_it_should_not(name: str) -> None:
    part = SERVICES[name]
    assert re.search(r":v?\d+\.\d+\.\d+", part["image"]), "pin the whole version"
    assert part["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert part["restart"] == "unless-stopped"
    assert part["read_only"] is True
    assert "no-new-privileges:true" in part["security_opt"]


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_exists(name: str) -> None:
    for source, target, mode in mounts(name):
        if source.startswith("./"):
            assert (ROOT / source).exists(), source
            assert mode == "ro", f"{source} is a file of the checkout"
        else:
            assert source in COMPOSE["volumes"]
        assert target.startswith("/")


def test_image_carries_our_version() -> None:
    assert SERVICES["service"]["image"] == f"cascade-monitor:{__version__}"


def test_what_a_part_waits_for_has_a_healthcheck() -> None:
    for part in SERVICES.values():
        needs = part.get("depends_on", {})
        for other in needs:
            assert other in SERVICES
            if isinstance(needs, dict) and needs[other]["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other]


def test_variables_of_the_service_are_settings() -> None:
    given = set(SERVICES["service"]["environment"]) | set(re.findall(r"\b(CASCADE_\w+__\w+)=", DOCKERFILE))
    assert given == {"REDIS_URL", "CASCADE_API__HOST"}
    assert all(of_variable(name) for name in given)


def test_configuration_is_mounted_where_the_parts_look() -> None:
    workdir = re.findall(r"^WORKDIR (\S+)", DOCKERFILE, re.MULTILINE)[-1]
    targets = {source: target for name in SERVICES for source, target, _ in mounts(name)}
    assert targets["./config/cascade.toml"] == f"{workdir}/config/cascade.toml"
    assert targets["service"] == f"{workdir}/data"
    assert f"--config.file={targets['./config/prometheus']}/prometheus.yml" in SERVICES["prometheus"]["command"]
    assert sorted(path.name for path in (ROOT / "grafana/dashboards").iterdir()) == ["cascade.json", "feeds.json"]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{targets['./grafana/dashboards']}/cascade.json"
    provider = yaml.safe_load((ROOT / "grafana/provisioning/dashboards/cascade.yml").read_text())["providers"][0]
    assert provider["options"]["path"] == targets["./grafana/dashboards"]
    assert provider["allowUiUpdates"] is False


def test_the_parts_find_each_other() -> None:
    scraped = yaml.safe_load((ROOT / "config/prometheus/prometheus.yml").read_text())["scrape_configs"][0]
    assert scraped["static_configs"] == [{"targets": ["service:8000"]}]
    source = yaml.safe_load((ROOT / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"][0]
    assert source["url"] == "http://prometheus:9090"
    assert SERVICES["service"]["environment"]["REDIS_URL"] == "redis://redis:6379/0"


def test_image_is_built_from_hashes_and_runs_as_nobody_special() -> None:
    stages = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
    assert len(stages) == 2
    assert "--require-hashes -r requirements-telegram.txt -r requirements-board.txt" in stages[0]
    assert re.search(r"^USER cascade$", stages[1], re.MULTILINE)
    assert re.search(r'^HEALTHCHECK .*\n? +CMD \["cascade", "status"', stages[1], re.MULTILINE)
    assert stages[1].rindex("USER cascade") < stages[1].index("ENTRYPOINT")


def test_what_the_image_copies_exists_and_is_not_ignored() -> None:
    sent = re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    copied = [
        line.split()[1:-1] for line in DOCKERFILE.splitlines() if line.startswith("COPY ") and "--from" not in line
    ]
    for source in (source for sources in copied for source in sources):
        assert (ROOT / source).exists()
        assert source in sent, f"{source} does not reach the build"


def servers() -> list[Any]:
    found = {"embedded": server_binary()}
    found |= {name: Path(path) if (path := shutil.which(name)) else None for name in ("redis-server", "valkey-server")}
    return [
        pytest.param(path, id=name, marks=[] if path else pytest.mark.skip(f"{name} is not installed"))
        for name, path in found.items()
    ]


async def answering(port: int) -> Redis:
    client = Redis(port=port, protocol=2)
    for _ in range(200):
        try:
            await client.ping()
        except RedisError:
            await asyncio.sleep(0.025)
        else:
            return client
    await client.aclose()
    raise AssertionError("the server does not answer")


@pytest.mark.parametrize("binary", servers())
async def test_store_with_the_same_flags_refuses_when_full_and_keeps_its_data(binary: Path, tmp_path: Path) -> None:
    port = free_port()
    flags = [*SERVICES["redis"]["command"][1:], "--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path)]
    with running([str(binary), *flags], tmp_path / "first.log") as server:
        client = await answering(port)
        policy = await client.config_get("maxmemory-policy")
        assert policy == {"maxmemory-policy": "noeviction"}
        await client.set("kept", "yes")
        server.send_signal(signal.SIGKILL)
        server.wait(5)
        await client.aclose()
    with running([str(binary), *flags], tmp_path / "second.log"):
        client = await answering(port)
        assert await client.get("kept") == b"yes"
        await client.config_set("maxmemory", 1)
        with pytest.raises(RedisError, match=r"OOM|maxmemory"):
            await client.set("more", "x" * 10_000)
        await client.aclose()


@pytest.fixture
def exporter() -> Iterator[int]:
    """Our own metrics behind a loopback port."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(generate_latest(metrics.REGISTRY))

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.skipif(not PROMETHEUS, reason="prometheus is not installed")
def test_prometheus_runs_on_the_committed_configuration(exporter: int, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "config/prometheus", tmp_path / "prometheus")
    config = tmp_path / "prometheus/prometheus.yml"
    config.write_text(
        config.read_text().replace("service:8000", f"127.0.0.1:{exporter}").replace("interval: 5s", "interval: 1s")
    )
    flags = [
        flag for flag in SERVICES["prometheus"]["command"] if "config.file" not in flag and "tsdb.path" not in flag
    ]
    with prometheus(config, *flags) as asked:
        until = time.monotonic() + 20
        while not (seen := asked.series("cascade_simulated_bool")) and time.monotonic() < until:
            time.sleep(0.2)
        assert seen
        assert seen[0]["metric"]["job"] == "cascade"
        rules = [rule["name"] for group in asked.get("rules")["groups"] for rule in group["rules"]]
        assert {"ServiceDown", "VenueDown", "SinkFailing"} <= set(rules)
        assert all(rule["health"] != "err" for group in asked.get("rules")["groups"] for rule in group["rules"])


@pytest.mark.skipif(not shutil.which("docker"), reason="docker is not installed")
def test_compose_accepts_the_file() -> None:
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("the compose plugin is not installed")
    command = ["docker", "compose", "-f", str(ROOT / "docker-compose.yml"), "config", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)["services"]) == set(SERVICES)
