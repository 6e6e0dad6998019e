"""Cascade monitor: watches the public liquidation feeds of crypto derivatives venues and says when a cascade runs."""

__version__ = "0.1.0"
