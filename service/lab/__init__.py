"""The laboratory: an invented market whose cascades are known, and what detectors make of it.

Owns the invention (`market`), what a feed shows of it (`feeds`), the comparators (`scores`) and the scoring (`score`).
Nothing here is part of the live street and nothing of the street imports it. It needs numpy, the extra `lab`; this file
imports none of it, so that the command line can say so. What it invents and cannot show: README.md beside this file.
"""


class LabError(ValueError):
    """A run cannot be done as asked; the text says why."""
