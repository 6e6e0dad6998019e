"""The calendar file: dated public events from CSV. The only reader of it; what an entry means is the detector's.

Columns `at,name,source`; `at` is ISO 8601 with its zone. The file beside this one is part of the package. Its sources:

    CPI, jobs reports  release schedules 2025 and 2026 of the US Bureau of Labor Statistics, 08:30 New York time, with
                       the dates two lapses in appropriations moved; reports that were cancelled are left out. Taken
                       from public copies of the schedules (three or more agree) and the Bureau's own notices.
    FOMC decisions     the Federal Reserve's schedule of 2024-08-09, 14:00 New York time on the second day
    option expiries    Deribit's contract introduction policy: last Friday of the month, 08:00 UTC

Dates after September 2026 are the announced ones.
"""

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from service.detector.calendar import Event
from service.settings.section import Wrong

COLUMNS = ("at", "name", "source")
#: Stands for the file that comes with the service.
SHIPPED = "shipped"
_SHIPPED_FILE = Path(__file__).with_name("calendar.csv")
_TIME_FORM = "a time in ISO 8601 with its zone, as 2026-01-13T13:30Z"
ALLOWED = f"{SHIPPED}, a CSV file with the columns {', '.join(COLUMNS)}, or empty for none"


class CalendarError(Wrong):
    """A file is not a calendar; `what` names file and line, `allowed` what would do."""

    def __str__(self) -> str:
        return f"{self.what}; allowed: {self.allowed}"


def read_calendar(where: str) -> tuple[Event, ...]:
    """The events of the file `where`, oldest first: `shipped`, a path, or empty for none. Raises CalendarError."""
    if not where:
        return ()
    path = _SHIPPED_FILE if where == SHIPPED else Path(where)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return tuple(sorted(_events(path, file), key=lambda event: (event.at, event.name)))
    except OSError as error:
        raise CalendarError(f"{path} cannot be read: {error.strerror}", ALLOWED) from None
    except UnicodeDecodeError:
        raise CalendarError(f"{path} is not UTF-8", ALLOWED) from None


def _events(path: Path, lines: Iterable[str]) -> Iterator[Event]:
    rows, wanted = csv.reader(lines, strict=True), ",".join(COLUMNS)
    try:
        header: list[str] = next(rows, [])
        if header != list(COLUMNS):
            raise CalendarError(f"{path}, line 1: the columns are {','.join(header) or 'missing'}", wanted)
        for row in rows:
            if row:
                yield _event(f"{path}, line {rows.line_num}", row)
    except csv.Error as error:
        raise CalendarError(f"{path}, line {rows.line_num}: is not CSV ({error})", wanted) from None


def _event(place: str, row: list[str]) -> Event:
    cells = [cell.strip() for cell in row]
    if len(cells) != len(COLUMNS) or not all(cells):
        raise CalendarError(f"{place}: {','.join(row)[:60]!r} is no entry", f"one text in each of {', '.join(COLUMNS)}")
    try:
        moment = datetime.fromisoformat(cells[0])
    except ValueError:
        raise CalendarError(f"{place}: {cells[0][:60]!r} is not a time", _TIME_FORM) from None
    if moment.tzinfo is None:
        raise CalendarError(f"{place}: {cells[0]!r} has no zone", _TIME_FORM)
    return Event(at=round(moment.timestamp() * 1_000), name=cells[1], source=cells[2])
