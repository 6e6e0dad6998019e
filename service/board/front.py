"""The board in front of the HTTP door: browsers that knock at `/` get the page in their language, all others the door.

Owns which language and what the browser remembers, and the list of open pages. The library keeps its own state in
globals, so there is one front in a process.
"""

from collections.abc import Mapping
from functools import partial
from importlib.resources import files
from urllib.parse import parse_qs, unquote

from fastapi import FastAPI, Request
from nicegui import app as library
from nicegui import ui
from nicegui.client import Client
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import Message, Receive, Scope, Send

from service.board.chinese import CHINESE
from service.board.english import ENGLISH
from service.board.page import THEMES, Page
from service.board.phrases import Phrases
from service.board.picture import Picture
from service.board.shown import Shown, is_asset
from service.board.sight import Sight
from service.board.watch import Watch
from service.model import ALL

#: Where the library's own files and sockets live.
MOUNT = "/board"
LANGUAGES: Mapping[str, Phrases] = {"en": ENGLISH, "zh": CHINESE}
#: As the library names them.
_LOCALES = {"en": "en-US", "zh": "zh-CN"}
#: Real seconds a page that lost its line may come back in.
_BACK_S = 8.0
_ICON = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'><path fill='#5794f2' d='M4 4h6v12H4zM13 9h6v7h-6z'/>"
    "<path fill='#ff9830' d='M13 16h6v12h-6zM22 16h6v7h-6z'/></svg>"
)


class Front:
    """ASGI around the door."""

    def __init__(self, app: FastAPI, sight: Sight) -> None:
        self._app = app
        self._pages: dict[str, Page] = {}
        self._watch = Watch(sight)
        self._shown = Shown(None)
        self._told = 0
        head = files("service.board")
        self._head = (
            f"<style>{(head / 'style.css').read_text()}</style><script>{(head / 'stale.js').read_text()}</script>"
        )
        for code in LANGUAGES:
            self._open(code)
        library.on_startup(self._run)
        ui.run_with(
            app,
            mount_path=MOUNT,
            favicon=_ICON,
            dark=None,
            tailwind=False,
            reconnect_timeout=_BACK_S,
            message_history_length=40,
            binding_refresh_interval=None,
            show_welcome_message=False,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A browser's `/` becomes the page; everything else goes through."""
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] not in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if "text/html" not in headers.get("accept", ""):
            await self._app(scope, receive, send)
            return
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("lang", [""])[0]
        code = language(asked, headers)
        path = f"{MOUNT}/{code}"

        async def remembered(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = MutableHeaders(scope=message)
                kept.append("vary", "accept, accept-language, cookie")
                if asked in LANGUAGES:
                    kept.append("set-cookie", f"cascade_lang={code}; Path=/; Max-Age=31536000; SameSite=Lax")
            await send(message)

        await self._app({**scope, "path": path, "raw_path": path.encode()}, receive, remembered)

    def _open(self, code: str) -> None:
        words = LANGUAGES[code]

        @ui.page(f"/{code}", title=words.title, language=_LOCALES[code])  # type: ignore[arg-type]
        async def board(request: Request, client: Client) -> None:
            await self._welcome(request, client, words)

    async def _welcome(self, request: Request, client: Client, words: Phrases) -> None:
        market, theme = (request.cookies.get(f"cascade_{name}", "") for name in ("market", "theme"))
        market = unquote(market)
        page = _Page(
            words,
            market if is_asset(market) else ALL,
            theme if theme in THEMES else "auto",
            self,
        )
        ui.add_head_html(self._head)
        await self.enter(page.asset)
        page.build(self._shown)
        self._watch.looked[page.asset] += 1
        self._pages[client.id] = page
        client.on_delete(lambda: self._leave(client.id))

    async def enter(self, asset: str) -> None:
        """See to it that an asset is in the picture, if one can be taken."""
        picture = await self._watch.need(asset)
        if picture is not self._shown.picture:
            self._shown = Shown(picture)

    async def change(self, page: Page, asset: str) -> None:
        """A page shows another asset from now on. What no coin is called is ignored."""
        if not is_asset(asset):
            return
        await self.enter(asset)
        self._watch.looked[page.asset] -= 1
        self._watch.looked[asset] += 1
        page.asset = asset
        page.show(self._shown)

    def _leave(self, client_id: str) -> None:
        if page := self._pages.pop(client_id, None):
            self._watch.looked[page.asset] -= 1

    async def _run(self) -> None:
        await self._watch.run(self._tell)

    def _tell(self, picture: Picture) -> None:
        if picture.taken == self._told:
            return
        self._told = picture.taken
        if picture is not self._shown.picture:
            self._shown = Shown(picture)
        for page in list(self._pages.values()):
            library.safe_invoke(partial(page.show, self._shown))  # one page's failure is no other's


class _Page(Page):
    """A page that knows who has all of them."""

    def __init__(self, words: Phrases, asset: str, theme: str, front: Front) -> None:
        super().__init__(words, asset, theme)
        self._front = front

    async def picks(self, asset: str) -> None:
        await self._front.change(self, asset)


def language(asked: str, headers: Headers) -> str:
    """The one asked for, else the one remembered, else the browser's first that there are words in, else English."""
    kept = cookie_parser(headers.get("cookie", "")).get("cascade_lang", "")
    spoken = [part.split(";")[0].strip()[:2].lower() for part in headers.get("accept-language", "").split(",")]
    return next((code for code in (asked, kept, *spoken) if code in LANGUAGES), "en")
