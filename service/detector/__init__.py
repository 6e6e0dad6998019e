"""When a cascade opens, grows and closes. Pure: no I/O, no clock, no metrics; everything comes as an argument.

Two seams. `Gauge` turns a market's orders into signals, second by second (gauge.py); `step(state, reading, rules)`
turns a reading, with or without signals, into the next state and what is to be said of it (life.py).
"""

from service.detector.certainty import certainty
from service.detector.episode import Open, State, Verdict
from service.detector.explain import explained
from service.detector.gauge import LATE_MS, Gauge
from service.detector.hour import SPAN, severity_of, side_usd
from service.detector.life import came_to_something, step
from service.detector.records import Board, Claim, interrupted, seen, since
from service.detector.rules import Rules
from service.detector.seeds import seed, sum_of
from service.detector.tail import LEARNT_DAYS

__all__ = [
    "LATE_MS",
    "LEARNT_DAYS",
    "SPAN",
    "Board",
    "Claim",
    "Gauge",
    "Open",
    "Rules",
    "State",
    "Verdict",
    "came_to_something",
    "certainty",
    "explained",
    "interrupted",
    "seed",
    "seen",
    "severity_of",
    "side_usd",
    "since",
    "step",
    "sum_of",
]
