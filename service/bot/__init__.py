"""What subscribers say to the bot and what it answers. Sends no alert; keeps nothing but what a chat asked for."""

from service.bot.knobs import Knobs
from service.bot.poll import Bot
from service.bot.visit import LANGUAGES

__all__ = ["LANGUAGES", "Bot", "Knobs"]
