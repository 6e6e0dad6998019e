"""The messenger in a terminal: one person talks to a bot, without a phone. Owns the screen and the keyboard only.

Lines typed are said to the bot; `tap LABEL` presses a button of the newest message that has it. Ctrl-C ends it.
"""

import argparse
import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable, Sequence

from service.simulator.botapi.chats import Chat, Message
from service.simulator.botapi.messenger import TOKEN
from service.simulator.botapi.server import BotServer

PERSON = 1


def show(chat: Chat, message: Message) -> str:
    """A message as a person at a terminal reads it."""
    head = f"-- {chat.title} ({chat.id}), message {message.id}{', edited' if message.edits else ''}"
    lines = [head, *(["(photo)"] if message.photo else []), message.words]
    lines += [" ".join(f"[{button['text']}]" for button in row) for row in message.keyboard]
    return "\n".join(lines) + "\n\n"


def act(server: BotServer, line: str) -> str:
    """Do what was typed; what went wrong, or nothing."""
    words = line.strip()
    try:
        if words.startswith("tap "):
            server.tap(PERSON, words.removeprefix("tap ").strip())
        elif words:
            server.say(PERSON, words)
    except LookupError as wrong:
        return f"{wrong.args[0]}\n"
    return ""


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _listen(typed: Callable[[str], object], loop: asyncio.AbstractEventLoop) -> None:
    # a daemon: a read of the terminal cannot be cancelled, and must not keep the process
    def read() -> None:
        for line in sys.stdin:
            with contextlib.suppress(RuntimeError):  # the loop has gone meanwhile
                loop.call_soon_threadsafe(typed, line)

    threading.Thread(target=read, daemon=True).start()


async def serve(port: int, token: str, language: str) -> None:
    """Run until cancelled."""
    server = BotServer(token)
    server.private(PERSON, language=language, started=False)
    server.witness = lambda chat, message: _write(show(chat, message))
    await server.start(port=port)
    try:
        _write(
            f"Bot API on {server.url}{token}/\nType /start to begin, `tap LABEL` to press a button, Ctrl-C to end.\n"
        )
        _listen(lambda line: _write(act(server, line)), asyncio.get_running_loop())
        await asyncio.Event().wait()
    finally:
        await server.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m service.simulator.botapi", description=__doc__)
    parser.add_argument("--port", type=int, default=8081, help="port on loopback (8081); 0 takes any free one")
    parser.add_argument("--token", default=TOKEN, help=f"the only token that is let in ({TOKEN})")
    parser.add_argument("--language", default="en", help="language of the person's app (en)")
    chosen = parser.parse_args(arguments)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(chosen.port, chosen.token, chosen.language))


if __name__ == "__main__":
    main()
