"""What becomes of one thing said to the bot: who it is, whether they may, what is answered, what the answer met.

The only place that looks a chat up, asks who may change it, and acts on an outcome.
"""

import asyncio
import difflib
import logging
from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from service.bot.buttons import OldButtonError
from service.bot.commands import ANYBODY, COMMANDS, OWNERS, TAPS
from service.bot.heard import Heard, Place
from service.bot.pace import Pace, Turn
from service.bot.pages import board_page
from service.bot.visit import Answer, Desk, Visit, fresh_chat
from service.ledger import LedgerError
from service.sinks.telegram.outcome import Closed, Delivered, Gone, Later, Moved, Outcome
from service.subscribers import parse
from service.subscribers.misread import Misread

log = logging.getLogger("cascade.bot")

_TRIES = 3
#: A longer wait nobody sits through: who asked will ask again.
_MOST_WAIT_S = 20.0
_TOAST = 190

#: Lets so many seconds pass.
Wait = Callable[[float], Awaitable[None]]


class Reception:
    """Answers what is heard, one at a time for each chat."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._pace = Pace(desk.knobs.per_minute)

    async def receive(self, heard: Heard, wait: Wait = asyncio.sleep) -> None:
        """Answer. Raises LedgerError where not even that could be said.

        `wait` is called where the messenger asks for patience.
        """
        outbox = self._desk.outbox
        if heard.migrated_to is not None:
            await outbox.move(heard.chat, heard.migrated_to, self._desk.now())
            return
        if heard.left:
            await self._close(heard.chat, heard.left)
            return
        turn = self._pace.turn(heard.chat, _seconds()) if _to_us(heard) else Turn.ANSWER
        if turn is Turn.SILENCE:
            return
        visit, answer = await self._answered(heard, turn)
        if answer is None:
            return
        if turn is Turn.ANSWER:
            self._pace.answered(heard.chat, _seconds())
        await self._deliver(visit, answer, wait)

    async def _answered(self, heard: Heard, turn: Turn) -> tuple[Visit, Answer | None]:
        """The answer, and to whom; None where silence is."""
        visit = Visit(desk=self._desk, heard=heard, chat=fresh_chat(heard, self._desk.knobs), known=False)
        try:
            visit = await self._visit(visit)
            return visit, _slower(visit) if turn is Turn.SLOW else await self._answer(visit)
        except Misread as error:
            return visit, Answer(text=visit.say.slip(error), fresh=True)
        except OldButtonError:
            return visit, Answer(toast=visit.say.old_button)
        except LedgerError as error:
            log.warning("the bot has no store for %s: %s", heard.command or heard.data, error)
            return visit, Answer(text=visit.say.store_down, fresh=True)
        except Exception:
            log.exception("the bot has a bug at %s", heard.command or heard.data or "a text")
            return visit, Answer(text=visit.say.our_fault, fresh=True)

    async def _visit(self, visit: Visit) -> Visit:
        chat = await self._desk.outbox.chat(visit.heard.chat)
        return visit if chat is None else Visit(desk=visit.desk, heard=visit.heard, chat=chat, known=True)

    async def _answer(self, visit: Visit) -> Answer | None:
        heard = visit.heard
        if heard.joined:  # a group that stays open under us has heard the first page already
            return None if visit.known and not visit.chat.closed else await COMMANDS["start"](visit, "")
        if heard.data is not None:
            return await self._tapped(visit, heard.data)
        command = COMMANDS.get(heard.command)
        if command is None or (heard.command in OWNERS and heard.user not in self._desk.knobs.owners):
            return await self._unknown(visit)
        if heard.command not in ANYBODY and (refusal := await self._refusal(visit)):
            return Answer(text=refusal)
        return await command(visit, heard.text)

    async def _tapped(self, visit: Visit, data: str) -> Answer:
        verb, *parts = data.split("|")
        tap = TAPS.get(verb)
        if tap is None:
            raise OldButtonError(f"{verb!r} is no button of this version")
        if refusal := await self._refusal(visit):
            return Answer(toast=refusal)
        return await tap(visit, parts)

    async def _refusal(self, visit: Visit) -> str:
        """Why somebody may not change what the chat is told; empty where they may."""
        heard = visit.heard
        if heard.place is Place.PRIVATE or heard.admin:
            return ""
        admin = heard.user is not None and await self._desk.messenger.is_admin(heard.chat, heard.user)
        if admin is None:
            return visit.say.admins_unknown
        return "" if admin else visit.say.admins_only

    async def _unknown(self, visit: Visit) -> Answer | None:
        """One line that helps. A text that names a market begins a rule; in a group other bots may be meant."""
        heard, house = visit.heard, self._desk.house
        if heard.place is not Place.PRIVATE and not heard.named:
            return None
        if heard.text and not heard.command:
            known = await house.assets()
            wanted = parse.wish(heard.text, house.venue_names, known)
            if wanted is not None:
                return board_page(visit, wanted)
        word = heard.command or next(iter(heard.text.lower().split()), "")
        near = difflib.get_close_matches(word, [name for name in COMMANDS if name not in OWNERS], 1)
        return Answer(text=visit.say.unknown(near[0] if near else "help"))

    async def _deliver(self, visit: Visit, answer: Answer, wait: Wait) -> None:
        heard, simulation = visit.heard, visit.say.simulation if self._desk.house.simulated else ""
        if heard.callback is not None:
            toast = " ".join(part for part in (answer.toast and simulation, answer.toast) if part)
            await self._desk.messenger.answer(heard.callback, toast[:_TOAST])
        if not answer.text:
            return
        text = f"{simulation}\n{answer.text}" if simulation else answer.text
        outcome = await self._said(visit, replace(answer, text=text), wait)
        match outcome:
            case Closed():
                await self._close(heard.chat, outcome.reason)
            case Moved():
                await self._desk.outbox.move(heard.chat, outcome.chat, self._desk.now())
            case Delivered():
                pass
            case Later() if outcome.told and outcome.seconds > _MOST_WAIT_S:
                self._pace.rest(heard.chat, _seconds(), outcome.seconds)
                log.warning("a chat must rest for %.0f s; what it says until then is dropped", outcome.seconds)
            case _:
                log.warning("the bot could not answer a chat: %s", outcome.reason)

    async def _said(self, visit: Visit, answer: Answer, wait: Wait) -> Outcome:
        """Say it: in place of the tapped message, or anew; again where the messenger has said when.

        A request without an answer may have arrived, and is not made again: whoever sees nothing asks once more.
        """
        heard, messenger = visit.heard, self._desk.messenger
        chat, group = heard.chat, heard.place is not Place.PRIVATE
        pressed = heard.message if heard.callback is not None and not answer.fresh else None
        outcome: Outcome = Later(seconds=0, reason="not tried")
        for _ in range(_TRIES):
            if pressed is not None:
                outcome = await messenger.edit(chat, pressed, answer.text, buttons=answer.buttons, group=group)
            else:
                to = heard.message if group and heard.callback is None else None
                outcome = await messenger.send(chat, answer.text, buttons=answer.buttons, reply_to=to, group=group)
            match outcome:
                case Gone():
                    pressed = None
                case Moved():
                    chat = outcome.chat
                    await self._desk.outbox.move(heard.chat, chat, self._desk.now())
                case Later() if outcome.told and outcome.seconds <= _MOST_WAIT_S:
                    await wait(outcome.seconds)
                case _:
                    return outcome
        return outcome

    async def _close(self, chat: int, reason: str) -> None:
        """Note that nothing can be sent there any more. Of a chat of which nothing is kept, nothing is noted."""
        kept = await self._desk.outbox.chat(chat)
        if kept is not None and not kept.closed:
            await self._desk.outbox.save(replace(kept, closed=reason), self._desk.now())


def _to_us(heard: Heard) -> bool:
    """Whether it waits for an answer. In a group another bot may be meant by what is none of our commands."""
    known = heard.command in COMMANDS and heard.command not in OWNERS
    return known or heard.named or heard.joined or heard.data is not None or heard.place is Place.PRIVATE


def _seconds() -> float:
    """On the clock of the running loop."""
    return asyncio.get_running_loop().time()


def _slower(visit: Visit) -> Answer:
    said = visit.say.slower
    return Answer(text=said) if visit.heard.data is None else Answer(toast=said)
