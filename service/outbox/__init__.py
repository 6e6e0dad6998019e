"""What people are to be told and what became of it, on the store. Sends nothing, words nothing."""

from service.outbox.outbox import Outbox
from service.outbox.rows import Box, Row, State, Told

__all__ = ["Box", "Outbox", "Row", "State", "Told"]
