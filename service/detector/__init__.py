"""When a cascade opens, grows and closes. Pure: no I/O, no clock, no metrics; everything comes as an argument.

The seam is `step(state, reading, rules)`: a later rule brings its own state and keeps this shape.
"""

from service.detector.certainty import certainty
from service.detector.hour import SPAN, Open, State, Verdict, severity_of, step
from service.detector.records import Board, Claim, interrupted, seen, since
from service.detector.rules import Rules
from service.detector.seeds import seed, sum_of

__all__ = [
    "SPAN",
    "Board",
    "Claim",
    "Open",
    "Rules",
    "State",
    "Verdict",
    "certainty",
    "interrupted",
    "seed",
    "seen",
    "severity_of",
    "since",
    "step",
    "sum_of",
]
