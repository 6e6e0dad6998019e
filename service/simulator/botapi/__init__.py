"""A local server that speaks the messenger's Bot API: limits that are measured, faults to order, people to play.

It is the other side: it knows nothing of the service's own bot, channel or client library.
"""

from service.simulator.botapi.answers import Hang, Said, Through
from service.simulator.botapi.chats import Chat, Edit, Message
from service.simulator.botapi.faults import Faults
from service.simulator.botapi.limits import Limits, Violation
from service.simulator.botapi.messenger import TOKEN
from service.simulator.botapi.people import Member, User
from service.simulator.botapi.server import BotServer

__all__ = [
    "TOKEN",
    "BotServer",
    "Chat",
    "Edit",
    "Faults",
    "Hang",
    "Limits",
    "Member",
    "Message",
    "Said",
    "Through",
    "User",
    "Violation",
]
