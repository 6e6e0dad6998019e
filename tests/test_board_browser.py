"""The board in a real browser on a running demo: what a person clicks, sees and hears, and that nothing leaves loopback."""

import contextlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

pytest.importorskip("nicegui", reason="the extra `board` is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
#: The first alert of the evening comes 4 s after the curtain.
SPEED = 240
#: Nothing a person sees of an event may be later, in seconds; a slow machine gets some more here.
PATIENCE_MS = 25_000


class Demo:
    """A demo on a port of its own that can be killed and goes on where it was."""

    def __init__(self, folder: Path, speed: float = SPEED) -> None:
        self.folder, self.speed = folder, speed
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "service", "demo", "--speed", str(self.speed)]
        root = str(Path(__file__).resolve().parent.parent)
        with (self.folder / "out").open("ab") as out:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={"PATH": "/usr/bin:/bin", "PYTHONPATH": root, "CASCADE_API__PORT": str(self.port)},
                stdout=out,
                stderr=out,
            )
        for _ in range(200):
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.url}healthz", trust_env=False).is_success:
                    return
            time.sleep(0.1)
        raise AssertionError((self.folder / "out").read_text())

    def stop(self, how: int = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        self.process.wait(20)


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Iterator[Demo]:
    running = Demo(tmp_path_factory.mktemp("demo"))
    yield running
    running.stop()


@pytest.fixture
def mortal(tmp_path) -> Iterator[Demo]:
    """A demo of the test's own, which it may kill."""
    running = Demo(tmp_path)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def browser():
    play = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no chromium on the PATH (Debian: apt install chromium)")
    with play.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield opened
        opened.close()


class Eyes:
    """One open page, its errors, and every address it asked for."""

    def __init__(self, browser, demo: Demo, **knobs) -> None:
        self.context = browser.new_context(**({"locale": "en-US", "color_scheme": "dark"} | knobs))
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.errors: list[str] = []
        self.asked: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._said)
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("websocket", lambda line: self.asked.append(line.url))
        self.page.goto(demo.url)
        self.page.wait_for_selector(".numbers .card")

    def _said(self, message) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(message.text)

    def until(self, expression: str) -> None:
        self.page.wait_for_function(expression)

    def text(self, selector: str) -> str:
        return self.page.inner_text(selector)


@pytest.fixture
def eyes(browser):
    opened: list[Eyes] = []

    def look(demo: Demo, **knobs) -> Eyes:
        opened.append(Eyes(browser, demo, **knobs))
        return opened[-1]

    yield look
    for one in opened:
        one.context.close()


def test_programs_get_the_index_and_browsers_the_board_in_their_language(demo):
    with httpx.Client(base_url=demo.url, trust_env=False) as client:
        index = client.get("/")
        english = client.get("/", headers={"accept": "text/html", "accept-language": "de, en"})
        chinese = client.get("/?lang=zh", headers={"accept": "text/html", "accept-language": "en"})
        kept = client.get("/", headers={"accept": "text/html", "accept-language": "en"})

    assert index.json()["doors"]["/alerts"]
    assert 'lang="en' in english.text
    assert all('lang="zh' in page.text for page in (chinese, kept))
    hosts = set(re.findall(r"(?:src|href)=[\"']?(https?://[^\"' >]+)", english.text))
    assert not hosts, "the page names another host"
    assert chinese.headers["x-cascade-simulated"] == "1"


def test_a_person_picks_a_coin_a_language_and_a_theme_and_they_are_remembered(eyes, demo):
    seen = eyes(demo)
    page = seen.page
    assert "SIMULATION" in seen.text(".simulation")
    seen.until("document.querySelectorAll('.tape tbody tr').length > 3")
    seen.until("[...document.querySelectorAll('#market option')].some(o => o.value === 'ETH')")

    page.select_option("#market", "ETH")
    seen.until("[...document.querySelectorAll('.tape td.name')].every(e => e.innerText.includes('ETH'))")
    assert page.evaluate("document.body.classList.contains('body--dark')")
    page.click("#theme")
    seen.until("document.body.classList.contains('body--light')")
    page.click("text=The chart as a table")
    seen.until("document.querySelectorAll('.table tbody tr').length === 120")

    page.click("text=中文")
    seen.until("document.documentElement.lang.startsWith('zh')")
    seen.until("document.body.classList.contains('body--light')")
    assert page.input_value("#market") == "ETH"
    assert "近1小时爆仓" in seen.text(".numbers")
    page.goto(page.url.partition("?")[0])
    seen.until("document.documentElement.lang.startsWith('zh')")

    assert {urlsplit(url).hostname for url in seen.asked if not url.startswith("data:")} == {"127.0.0.1"}
    assert seen.errors == []


def test_keyboard_and_phone_reach_everything(eyes, demo):
    phone = eyes(demo, viewport={"width": 390, "height": 844}, color_scheme="light")
    page = phone.page
    phone.until("document.querySelectorAll('.tape tbody tr').length > 3")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

    focused = []
    for _ in range(7):
        page.keyboard.press("Tab")
        focused.append(
            page.evaluate(
                "document.activeElement.id.replace(/^c\\d+$/, '') || document.activeElement.innerText.split('\\n')[0]"
            )
        )
    assert focused[:4] == ["Skip to the figures", "market", "中文", "theme"]
    assert "The chart as a table" in focused
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    unnamed = "[...document.querySelectorAll('section')].filter(e => !e.ariaLabel && !document.getElementById("
    assert page.evaluate(f"{unnamed}e.getAttribute('aria-labelledby'))).length") == 0
    assert page.locator("[role=img]").first.get_attribute("aria-label").startswith("Bar chart, All coins")
    assert phone.errors == []


def test_what_stands_beside_the_market_is_a_card_of_its_own_in_both_languages(eyes, demo):
    seen = eyes(demo, viewport={"width": 390, "height": 844})
    card = "section[aria-labelledby=title-context]"
    for code, title, fact, off in (
        ("en", "Beside it", "Fuel for a short squeeze", "Context is switched off"),
        ("zh", "市场背景", "轧空燃料", "背景数据没有开启"),
    ):
        seen.page.goto(f"{demo.url}?lang={code}")
        seen.until(f"[...document.querySelectorAll('{card}')].some(e => /{fact}|{off}/.test(e.innerText))")
        assert seen.text(f"{card} h2") == title
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert {urlsplit(url).hostname for url in seen.asked if not url.startswith("data:")} == {"127.0.0.1"}
    assert seen.errors == []


def test_an_alert_arrives_and_the_page_outlives_the_server(eyes, mortal):
    seen = eyes(mortal)
    seen.until("document.querySelectorAll('.alerts li').length > 0")
    seen.until("document.querySelector('[aria-live=polite]').innerText.startsWith('New alert')")
    seen.until("document.querySelector('.episode .why')?.innerText.includes('short squeeze')")
    assert seen.errors == []

    mortal.stop(signal.SIGKILL)
    seen.until("document.body.classList.contains('stale')")
    assert seen.text("#stale").startswith("Stale since ")
    assert "$0" not in seen.text(".numbers .big >> nth=0"), "the last figures stay"

    mortal.start()
    seen.until("!document.body.classList.contains('stale') && document.querySelector('[data-beat]')")
    seen.until("document.querySelectorAll('.alerts li').length > 0")
    assert "hort squeeze" in seen.text(".alerts"), "what was said before the restart is still there"
    ours = [error for error in seen.errors if "ERR_CONNECTION_REFUSED" not in error and "WebSocket" not in error]
    assert ours == []
