"""US policy rate, yields and meetings: what is expected of the rate, from open figures. Knows no market."""

from service.context.macro.fomc import SHIPPED, Meeting, Meetings, MeetingsError, read_meetings
from service.context.macro.fred import Fred
from service.context.macro.newyork import NewYork
from service.context.macro.observation import SERIES, Observation
from service.context.macro.rates import Macro
from service.context.macro.treasury import Treasury

__all__ = [
    "SERIES",
    "SHIPPED",
    "Fred",
    "Macro",
    "Meeting",
    "Meetings",
    "MeetingsError",
    "NewYork",
    "Observation",
    "Treasury",
    "read_meetings",
]
