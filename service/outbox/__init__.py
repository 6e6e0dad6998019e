"""What people are to be told and what became of it, on the store. Sends nothing, words nothing."""

from service.outbox.outbox import Outbox
from service.outbox.rows import Box, Counts, Row, State, Told, Turn, key_of

__all__ = ["Box", "Counts", "Outbox", "Row", "State", "Told", "Turn", "key_of"]
