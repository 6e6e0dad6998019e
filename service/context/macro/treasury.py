"""The Treasury's file of daily par yields: where it is and what its columns mean. Owns these words; checks no rate.

`GET /resource-center/data-chart-center/interest-rates/daily-treasury-rates.csv/2026/all?...` answers with a year:
`Date,"1 Mo","1.5 Month","2 Mo","3 Mo",...,"2 Yr",...`, then a line for each business day, the newest first:
`01/12/2026,3.70,...`; a cell may be empty. A day's yields come in the evening of that day, New York time. The same
figures are the Federal Reserve's constant-maturity yields (H.15), FRED's DGS3MO and DGS2. A work of the US government.
"""

from collections.abc import Mapping
from datetime import date, timedelta

from service.context.macro.days import eastern, is_business
from service.context.macro.rates import Macro
from service.context.macro.table import Table
from service.context.source import Question

CITATION = "U.S. Department of the Treasury"
URL = "https://home.treasury.gov"
PATH = "/resource-center/data-chart-center/interest-rates/daily-treasury-rates.csv"
EVERY_S = 6 * 3_600.0
COLUMNS: Mapping[str, str] = {"3 Mo": "three_month", "2 Yr": "two_year"}
TABLE = Table(dates=("date",), columns=COLUMNS, day=r"(?P<m>\d{2})/(?P<d>\d{2})/(?P<y>\d{4})", example="01/13/2026")
WINDOW = timedelta(days=45)
_DAY = timedelta(days=1)


class Treasury:
    """A source of the 3-month and the 2-year yield. `url` may be another server that speaks the same."""

    name = "rates treasury"

    def __init__(self, book: Macro, url: str = URL, every_s: float = EVERY_S) -> None:
        self.every_s = every_s
        self._book, self._url = book, url.rstrip("/")

    def question(self, now: int) -> Question:
        """The year of the last business day that has ended: a new year's file is empty until its first evening."""
        year = _ended(eastern(now).date()).year
        query = f"type=daily_treasury_yield_curve&field_tdr_date_value={year}&page&_format=csv"
        return Question(url=f"{self._url}{PATH}/{year}/all?{query}", headers={"Accept": "text/csv"})

    def take(self, body: bytes, now: int) -> None:
        """Read an answer and hand it on. Raises SourceError, and then nothing of it is used."""
        observations = TABLE.read(body, eastern(now).date() - WINDOW)
        told = {one.series for one in observations}
        self._book.take(observations, CITATION, now, absent=set(COLUMNS.values()) - told)


def _ended(today: date) -> date:
    day = today - _DAY
    while not is_business(day):
        day -= _DAY
    return day
