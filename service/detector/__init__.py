"""When a cascade opens, grows and closes. Pure: no I/O, no clock, no metrics; everything comes as an argument.

The seam is `step(state, reading, rules)`: a later rule brings its own state and keeps this shape.
"""

from service.detector.hour import SPAN, Open, State, Verdict, severity_of, step
from service.detector.rules import Rules

__all__ = ["SPAN", "Open", "Rules", "State", "Verdict", "severity_of", "step"]
