"""A stage for talks with the bot: people who type and tap, a strict messenger, a store and a market in this process.

    python -m tests.talks      write the golden talks anew (read the diff before committing it)

The messenger refuses what Telegram would: HTML it does not know, texts and buttons that are too long.
"""

import asyncio
import html.parser
import itertools
import re
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from telegram import Update

from service import text
from service.bot import Bot, Knobs
from service.bot.heard import hear
from service.bot.reception import Reception
from service.bot.visit import Desk
from service.ledger import LedgerError
from service.model import (
    Completeness,
    ContextReport,
    Coverage,
    Episode,
    FeedState,
    Kind,
    Phase,
    Reading,
    Record,
    Severity,
    Side,
    Totals,
    VenueReport,
)
from service.sinks.telegram.outcome import Delivered, Gone, Outcome
from service.subscribers import Chat, Rule
from tests import beside
from tests.test_text import OPENED

FOLDER = Path(__file__).resolve().parent / "fixtures"
LANGUAGES = {"en": "en-GB", "zh": "zh-hans"}
NOW = OPENED.at
ME, GROUP, CHANNEL = 1001, -2002, -1003003
TAGS = frozenset({"b", "i", "code"})
RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
)


class Screen(html.parser.HTMLParser):
    """What a reader sees of Telegram's HTML; an unknown, open or crossed tag is an error."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.seen, self.open = "", []
        self.feed(text)
        self.close()
        assert not self.open, f"open tags {self.open} in {text!r}"
        assert not re.search(r"&(?!lt;|gt;|amp;)", text), f"a bare & in {text!r}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        assert tag in TAGS, f"<{tag}> is unknown to Telegram"
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.seen += data


class Shown(msgspec.Struct):
    """One message as it now stands in a chat."""

    id: int
    html: str
    buttons: Sequence[Sequence[tuple[str, str]]]
    reply_to: int | None

    @property
    def text(self) -> str:
        return Screen(self.html).seen

    @property
    def labels(self) -> list[str]:
        return [label for row in self.buttons for label, _ in row]


class Phone:
    """The messenger: keeps what every chat shows, and answers as it was told to."""

    name = "cascade_bot"

    def __init__(self) -> None:
        self.chats: dict[int, list[Shown]] = {}
        self.toasts: list[str] = []
        self.answered: list[str] = []
        self.admins: set[int] | None = set()
        """None: nobody can say."""
        self.outcomes: dict[int, deque[Outcome | Exception]] = {}
        self.hang: set[int] = set()
        self.hung: set[int] = set()
        """Chats for whose request somebody waits."""
        self.inbox: asyncio.Queue[Update | Exception] = asyncio.Queue()
        self.offsets: list[int | None] = []
        self._ids = itertools.count(1)

    async def send(self, chat: int, text: str, *, buttons=(), reply_to=None, group=False) -> Outcome:
        if (outcome := await self._scripted(chat)) is not None:
            return outcome
        assert group is (chat < 0)
        shown = Shown(next(self._ids), text, buttons, reply_to)
        self._check(shown)
        self.chats.setdefault(chat, []).append(shown)
        return Delivered(message=shown.id)

    async def edit(self, chat: int, message: int, text: str, *, buttons=(), group=False) -> Outcome:
        if (outcome := await self._scripted(chat)) is not None:
            return outcome
        assert group is (chat < 0)
        found = next((one for one in self.chats.get(chat, []) if one.id == message), None)
        if found is None:
            return Gone(reason="message to edit not found")
        found.html, found.buttons = text, buttons
        self._check(found)
        return Delivered(message=message)

    async def answer(self, callback: str, text: str = "") -> None:
        assert len(text) <= 200
        self.answered.append(callback)
        self.toasts.append(text)

    async def is_admin(self, chat: int, user: int) -> bool | None:  # noqa: ARG002
        return None if self.admins is None else user in self.admins

    async def updates(self, offset: int | None, timeout_s: float) -> Sequence[Update]:  # noqa: ARG002
        self.offsets.append(offset)
        first = await self.inbox.get()
        if isinstance(first, Exception):
            raise first
        return [first, *(self.inbox.get_nowait() for _ in range(self.inbox.qsize()))]

    async def _scripted(self, chat: int) -> Outcome | None:
        if chat in self.hang:
            self.hung.add(chat)
            try:
                await asyncio.Event().wait()
            finally:
                self.hung.discard(chat)
        script = self.outcomes.get(chat)
        if not script:
            return None
        outcome = script.popleft()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _check(self, shown: Shown) -> None:
        assert 0 < len(shown.text.encode("utf-16-le")) // 2 <= 4096
        buttons = [button for row in shown.buttons for button in row]
        assert len(buttons) <= 100
        for label, data in buttons:
            assert label
            assert 0 < len(data.encode()) <= 64, data


class Counted(Record, frozen=True, kw_only=True):
    chats: int
    closed: int
    waiting: int
    oldest: int | None


class Cupboard:
    """The store of chats."""

    def __init__(self) -> None:
        self.chats: dict[int, Chat] = {}
        self.moved: list[tuple[int, int]] = []
        self.down = False

    async def chat(self, id: int) -> Chat | None:
        await asyncio.sleep(0)
        if self.down:
            raise LedgerError("the store is away")
        return self.chats.get(id)

    async def save(self, chat: Chat, now: int) -> None:  # noqa: ARG002
        await asyncio.sleep(0)
        if self.down:
            raise LedgerError("the store is away")
        self.chats[chat.id] = chat

    async def erase(self, id: int, now: int) -> bool:  # noqa: ARG002
        return self.chats.pop(id, None) is not None

    async def move(self, old: int, new: int, now: int) -> None:  # noqa: ARG002
        self.moved.append((old, new))
        if (chat := self.chats.pop(old, None)) is not None:
            self.chats[new] = msgspec.structs.replace(chat, id=new)

    async def counts(self) -> Counted:
        closed = sum(bool(chat.closed) for chat in self.chats.values())
        return Counted(chats=len(self.chats) - closed, closed=closed, waiting=3, oldest=NOW - 90 * 60_000)


def reading(asset: str, long_usd: float, short_usd: float, heard: float | None = 0.97) -> Reading:
    coverage = Coverage(venues_live=3, venues=3, seconds_share=heard, leaving_out=("okx",) if asset != "SOL" else ())
    spans = {"1h": Totals(long_usd=long_usd, short_usd=short_usd, long_count=9, short_count=9)}
    return Reading(asset=asset, now=NOW, spans=spans, coverage={"1h": coverage})


def venue(name: str, state: FeedState = FeedState.LIVE) -> VenueReport:
    return VenueReport(
        name=name,
        state=state,
        completeness=Completeness.PARTIAL,
        about="",
        docs="",
        sockets=(),
        instruments=1,
        parked=0,
        last_order_at=None,
        live_share_1h=None,
    )


EPISODE = Episode(
    id=OPENED.episode,
    kind=Kind.SHORT_SQUEEZE,
    side=Side.SHORT,
    asset="ALL",
    severity=Severity.WATCH,
    started_at=NOW - 600_000,
    at=NOW,
    long_usd=2e6,
    short_usd=102e6,
    share=102 / 104,
    peak_usd=104e6,
    peak_at=NOW,
    alerts=1,
    onset=NOW - 660_000,
    rule="hour",
    grade=0,
    stage="running",
    parent=None,
)


class Market:
    """The running service."""

    simulated = False
    venue_names = ("binance", "bybit", "okx", "hyperliquid")

    def __init__(self) -> None:
        self.rows = [reading("ALL", 2e6, 102e6), reading("BTC", 1e6, 60e6), reading("SOL", 9e5, 1e5, 1.0)]
        self.running: list[Episode] = [EPISODE]
        self.beside = {asset: beside.full(asset, NOW) for asset in ("ALL", "BTC", "ETH")}
        self.told = [
            msgspec.structs.replace(OPENED, at=NOW - 30 * 3_600_000, asset="BTC", phase=Phase.CLOSED),
            OPENED,
        ]

    async def assets(self) -> set[str]:
        return {"BTC", "ETH", "SOL"}

    async def readings(self) -> list[Reading]:
        return self.rows

    def episodes(self) -> list[Episode]:
        return self.running

    async def venues(self) -> list[VenueReport]:
        return [venue("binance"), venue("bybit"), venue("okx", FeedState.DOWN)]

    def context(self, asset: str) -> ContextReport | None:
        return self.beside.get(asset)

    async def last(self, limit: int) -> list[Any]:
        return self.told[-limit:]


def sample(language: str, rule: Rule) -> str:
    """What a test looks like: the message of an invented alert, as the mailroom makes it."""
    kind = rule.kind or Kind.SHORT_SQUEEZE
    alert = text.sample(rule.asset, NOW, kind=kind, usd=rule.usd, venue=rule.venue or "bybit")
    return text.message(alert, language, trial=True)


class Stage:
    """People in chats, and the bot behind the desk."""

    def __init__(self, **knobs: Any) -> None:
        self.phone, self.cupboard, self.market = Phone(), Cupboard(), Market()
        self.now, self.taps = NOW, 0
        self.knobs = Knobs(**knobs)
        self._ids = itertools.count(1)

    def bot(self) -> Bot:
        return Bot(self.phone, self.cupboard, self.market, self.knobs, sample=sample, now=lambda: self.now)

    async def hears(self, update: Update) -> None:
        heard = hear(update, self.phone.name)
        desk = Desk(
            messenger=self.phone,
            outbox=self.cupboard,
            house=self.market,
            knobs=self.knobs,
            sample=sample,
            now=lambda: self.now,
        )
        if heard is not None:
            await Reception(desk).receive(heard)

    async def say(self, text: str, chat: int = ME, user: int = ME, language: str = "en") -> Shown | None:
        """What somebody types; the newest message of the chat."""
        self.taps += text.startswith("/start")
        await self.hears(self.message(text, chat, user, language))
        return self.newest(chat)

    async def tap(self, label: str, chat: int = ME, user: int = ME, language: str = "en") -> Shown:
        """Tap the newest button with that label; the newest message of the chat."""
        self.taps += 1
        shown, data = next(
            (shown, data)
            for shown in reversed(self.phone.chats[chat])
            for row in shown.buttons
            for name, data in row
            if name == label
        )
        await self.hears(self.press(data, shown.id, chat, user, language))
        found = self.newest(chat)
        assert found is not None
        return found

    def newest(self, chat: int = ME) -> Shown | None:
        shown = self.phone.chats.get(chat)
        return shown[-1] if shown else None

    def kept(self, chat: int = ME) -> Chat:
        return self.cupboard.chats[chat]

    def message(self, text: str, chat: int = ME, user: int = ME, language: str = "en", **more: Any) -> Update:
        key = "channel_post" if chat == CHANNEL else "message"
        said = {"message_id": 7000, "date": 0, "chat": place(chat), "text": text}
        if key == "message":
            said["from"] = person(user, language)
        return self.update({key: {**said, **more}})

    def press(self, data: str, message: int, chat: int = ME, user: int = ME, language: str = "en") -> Update:
        shown = {"message_id": message, "date": 0, "chat": place(chat)}
        number = next(self._ids)
        tap = {"id": f"t{number}", "from": person(user, language), "chat_instance": "1", "data": data, "message": shown}
        return self.update({"callback_query": tap})

    def membership(self, old: str, new: str, chat: int = ME, **more: Any) -> Update:
        old_member, new_member = member(old), member(new)
        change = {"chat": place(chat), "from": person(ME, "en"), "date": 0}
        return self.update(
            {"my_chat_member": {**change, "old_chat_member": old_member, "new_chat_member": new_member, **more}}
        )

    def update(self, fields: dict[str, Any]) -> Update:
        return Update.de_json({"update_id": next(self._ids), **fields}, None)


def place(chat: int) -> dict[str, Any]:
    kinds = {GROUP: "supergroup", CHANNEL: "channel"}
    return {"id": chat, "type": "private" if chat > 0 else kinds.get(chat, "group"), "title": "a <group>"}


def member(status: str) -> dict[str, Any]:
    """The bot's own standing, with what Telegram says of it."""
    said = {
        "kicked": {"until_date": 0},
        "administrator": {"is_anonymous": False, "can_be_edited": False, **dict.fromkeys(RIGHTS, True)},
    }
    return {"status": status, "user": {"id": 9, "is_bot": True, "first_name": "cascade"}, **said.get(status, {})}


def person(id: int, language: str) -> dict[str, Any]:
    return {"id": id, "is_bot": False, "first_name": "A", "language_code": language}


#: The first talk of somebody new: what is typed, or which button (row, place in it) of the newest message is tapped.
TALK: tuple[str | tuple[int, int], ...] = (
    "/start",
    (0, 0),
    (0, 0),
    {"en": "/subscribe BTC squeeze 10M binance critical", "zh": "/subscribe BTC 轧空 1000万 binance 紧急"},
    "/subscribe",
    (1, 0),
    (1, 1),
    (2, 1),
    (5, 0),
    "/rules",
    (2, 1),
    {"en": "/quiet 23:00-07:00 Europe/Berlin", "zh": "/quiet 23:00-07:00 北京时间"},
    (0, 0),
    {"en": "/mute 2h", "zh": "/mute 2小时"},
    "/unmute",
    "/top",
    "/status",
    "/last",
    "/context",
    (0, 0),
    {"en": "/subscirbe", "zh": "/subscirbe"},
    {"en": "/mute soon", "zh": "/mute 一会儿"},
    "/help",
    "/stop",
    (0, 0),
)


async def talk(language: str) -> str:
    """The whole first talk in one language, as a reader sees it."""
    stage, lines = Stage(), []
    for step in TALK:
        spoken = step[language] if isinstance(step, dict) else step
        code = LANGUAGES[language]
        if isinstance(spoken, str):
            shown = await stage.say(spoken, language=code)
            lines.append(f"user: {spoken}")
        else:
            before = stage.newest()
            label, _ = before.buttons[spoken[0]][spoken[1]]
            shown = await stage.tap(label, language=code)
            lines.append(f"user: [{label}]")
        lines.append("bot: " + shown.text.replace("\n", "\n     "))
        lines += ["     " + " ".join(f"[{label}]" for label, _ in row) for row in shown.buttons]
    return "\n".join(re.sub(r" +$", "", line, flags=re.MULTILINE) for line in lines) + "\n"


if __name__ == "__main__":
    for code in LANGUAGES:
        path = FOLDER / f"conversation-{code}.txt"
        path.write_text(asyncio.run(talk(code)), encoding="utf-8")
