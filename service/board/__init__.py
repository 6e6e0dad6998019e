"""The board in the browser: the market's story on one page, alive, in two languages. Shows; decides and counts nothing.

It needs the extra `board` (NiceGUI), which is imported only where it is installed and a service asks for a front.
"""

import logging
from collections.abc import Callable
from importlib.util import find_spec

from fastapi import FastAPI
from starlette.types import ASGIApp

from service.board.sight import Sight

__all__ = ["HINT", "Dress", "Sight", "dressed", "installed", "plain"]

log = logging.getLogger("cascade.board")

Dress = Callable[[FastAPI, Sight], ASGIApp]
"""Puts something in front of the HTTP door."""

#: How to get it, for whoever runs without.
HINT = "the board in the browser needs the extra `board`: make run EXTRA=board, or pip install 'cascade-monitor[board]'"


def installed() -> bool:
    """Whether the extra is here."""
    return find_spec("nicegui") is not None


def plain(app: FastAPI, _sight: Sight) -> ASGIApp:
    """The door as it is."""
    return app


def dressed(app: FastAPI, sight: Sight) -> ASGIApp:
    """The HTTP door with the board in front of its `/` for browsers; the door as it is without the extra.

    Once in a process: the library keeps its pages, clients and tasks in globals.
    """
    if not installed():
        log.info("%s", HINT)
        return app
    from service.board.front import Front  # noqa: PLC0415  # a second of importing, for who has the board only

    return Front(app, sight)
