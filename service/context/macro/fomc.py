"""The calendar of FOMC meetings: a CSV file with the first and last day of each. Reads no page and guesses no date.

Columns `first,last,projections,source`; days as 2026-01-27, projections `yes` or `no` (a Summary of Economic
Projections). The file beside this one is part of the package. Its sources are the Federal Reserve's own: the calendar
at federalreserve.gov/monetarypolicy/fomccalendars.htm and the press releases that announced each year's dates, the
last of them on 2025-09-05 for 2027. Each date is tentative until the meeting before it confirms it. The decision is
told at 14:00 New York time on the last day. Emergency meetings stand in no calendar.

The settings' calendar of public events has the same decisions as moments; a test holds the two together.
"""

import csv
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from service.context.macro.days import eastern, moment
from service.model import Record

COLUMNS = ("first", "last", "projections", "source")
#: Stands for the file that comes with the service.
SHIPPED = "shipped"
_SHIPPED_FILE = Path(__file__).with_name("fomc.csv")
_WANTED = ",".join(COLUMNS)
ALLOWED = f"{SHIPPED}, a CSV file with the columns {', '.join(COLUMNS)}, or empty for none"
_DAY_FORM = "a day as 2026-01-27"
_DECIDED_AT = 14
_ANSWERS = {"yes": True, "no": False}


class MeetingsError(ValueError):
    """A file is no calendar of meetings; `what` names file and line, `allowed` what would do."""

    def __init__(self, what: str, allowed: str) -> None:
        super().__init__(f"{what}; allowed: {allowed}")
        self.what, self.allowed = what, allowed


class Meeting(Record, frozen=True, kw_only=True):
    """One scheduled meeting, days in US Eastern time; `source` of its dates in words."""

    first: date
    last: date
    projections: bool
    source: str

    @property
    def decided_at(self) -> int:
        """When the statement is told, ms UTC."""
        return moment(self.last, _DECIDED_AT)


class Meetings:
    """Meetings, first to last."""

    def __init__(self, meetings: Iterable[Meeting] = ()) -> None:
        self.all = tuple(sorted(meetings, key=lambda meeting: meeting.last))

    def after(self, now: int) -> Meeting | None:
        """The next meeting that has told no decision yet at `now` ms UTC; None beyond the end of the calendar."""
        return next((meeting for meeting in self.all if meeting.decided_at > now), None)

    def days_to(self, meeting: Meeting, now: int) -> int:
        """Days in US Eastern time until a meeting's last day."""
        return (meeting.last - eastern(now).date()).days

    @property
    def end(self) -> str:
        """What to say where no meeting is left; empty where there is no calendar at all."""
        return f"the calendar of meetings ends on {self.all[-1].last}" if self.all else ""


def read_meetings(where: str = SHIPPED) -> Meetings:
    """The meetings of the file `where`: `shipped`, a path, or empty for none. Raises MeetingsError."""
    if not where:
        return Meetings()
    path = _SHIPPED_FILE if where == SHIPPED else Path(where)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return Meetings(_meetings(path, file))
    except OSError as error:
        raise MeetingsError(f"{path} cannot be read: {error.strerror}", ALLOWED) from None
    except UnicodeDecodeError:
        raise MeetingsError(f"{path} is not UTF-8", ALLOWED) from None


def _meetings(path: Path, lines: Iterable[str]) -> Iterator[Meeting]:
    rows, before = csv.reader(lines, strict=True), None
    try:
        header: list[str] = next(rows, [])
        if header != list(COLUMNS):
            raise MeetingsError(f"{path}, line 1: the columns are {','.join(header)[:60] or 'missing'}", _WANTED)
        for row in rows:
            if row:
                found = _meeting(f"{path}, line {rows.line_num}", row)
                if before is not None and found.first <= before.last:
                    raise MeetingsError(
                        f"{path}, line {rows.line_num}: {found.first} is not after {before.last}", _ORDER
                    )
                yield found
                before = found
    except csv.Error as error:
        raise MeetingsError(f"{path}, line {rows.line_num}: is not CSV ({error})", _WANTED) from None


_ORDER = "meetings one after the other, none twice"


def _meeting(place: str, row: list[str]) -> Meeting:
    cells = [cell.strip() for cell in row]
    if len(cells) != len(COLUMNS) or not all(cells):
        raise MeetingsError(
            f"{place}: {','.join(row)[:60]!r} is no meeting", f"one text in each of {', '.join(COLUMNS)}"
        )
    first, last = (_day(place, cell) for cell in cells[:2])
    if not 0 <= (last - first).days <= _LONGEST:
        raise MeetingsError(
            f"{place}: a meeting from {first} to {last}", f"a last day 0 to {_LONGEST} days after the first"
        )
    if cells[2] not in _ANSWERS:
        raise MeetingsError(f"{place}: projections are {cells[2][:60]!r}", "yes or no")
    return Meeting(first=first, last=last, projections=_ANSWERS[cells[2]], source=cells[3])


_LONGEST = 4


def _day(place: str, text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise MeetingsError(f"{place}: {text[:60]!r} is not a day", _DAY_FORM) from None
    if not text.isascii() or text != found.isoformat():  # 20260127 and 2026-W05-2 are days too, but not to be guessed
        raise MeetingsError(f"{place}: {text[:60]!r} is not a day", _DAY_FORM)
    return found
