"""The tables of the bot: every command and every button, and nothing else.

A new command is a function in the file of its group, a row here, and its line in the `menu` of each language.
"""

from collections.abc import Mapping

from service.bot.buttons import BOARD, MARKETS, SAVE, VENUES
from service.bot.commands import chat, hours, market, rules, start
from service.bot.visit import Command, Tap

#: What people say behind a slash.
COMMANDS: Mapping[str, Command] = {
    "start": start.start,
    "subscribe": rules.subscribe,
    "rules": rules.rules,
    "quiet": hours.quiet,
    "mute": hours.mute,
    "unmute": hours.unmute,
    "top": market.top,
    "status": market.status,
    "last": market.last,
    "context": market.context,
    "lang": chat.lang,
    "stop": chat.stop,
    "help": chat.help,
    "stats": chat.stats,
}

#: What anybody may ask in a group; all else changes what the group is told.
ANYBODY = frozenset({"top", "status", "last", "context", "rules", "help"})
#: Known to the owners only; to others there is no such command.
OWNERS = frozenset({"stats"})

#: The verb a button carries. A verb whose parts change their meaning gets a new name: old buttons stay in chats.
TAPS: Mapping[str, Tap] = {
    "preset": start.preset,
    "first": start.language,
    BOARD: rules.board,
    MARKETS: rules.markets,
    VENUES: rules.venues,
    SAVE: rules.save,
    "rules": rules.listed,
    "edit": rules.edit,
    "pause": rules.pause,
    "resume": rules.resume,
    "delete": rules.delete,
    "test": rules.test,
    "quiet": hours.choose_hours,
    "loud": hours.no_hours,
    "critical": hours.critical,
    "mute": hours.choose_mute,
    "unmute": hours.end_mute,
    "beside": market.beside,
    "lang": chat.choose_lang,
    "stop": chat.sure,
    "keep": chat.keep,
}
