"""FRED's file of US rates: where it is and what its columns mean. Owns these words; checks no rate itself.

`GET /graph/fredgraph.csv?id=DFEDTARL,...&cosd=2026-01-01` answers with a header (`observation_date` and the series;
`DATE` until 2025), then a line for each day: `2026-01-13,3.50,3.75,3.65,3.58,3.53`, a missing figure empty or `.`.
`cosd` is said to be passed over when several series are asked for; the answer is then the whole history, under a
megabyte, and its last days are read. Requests that pretend to be a browser are turned away, so none is pretended.

The series: DFEDTARL and DFEDTARU, the target range, of the Board of Governors; SOFR of the Federal Reserve Bank of New
York; DGS3MO and DGS2, constant-maturity Treasury yields, of the Board of Governors (H.15). FRED marks its yields
"Public Domain: Citation Requested", and its terms (fred.stlouisfed.org/legal) forbid to store, cache or archive its
content and to pass on what was stored: so nothing of it is kept here beyond the process, in a file, an archive or a
message. Those who publish the figures first have no such rule: see `newyork` and `treasury`.
"""

from collections.abc import Mapping
from datetime import timedelta

from service.context.macro.days import eastern
from service.context.macro.rates import Macro
from service.context.macro.table import Table
from service.context.source import Question

#: How the source is cited.
CITATION = "FRED, Federal Reserve Bank of St. Louis"
URL = "https://fred.stlouisfed.org"
PATH = "/graph/fredgraph.csv"
EVERY_S = 6 * 3_600.0
#: Column of the file -> field of `Rates`.
COLUMNS: Mapping[str, str] = {
    "DFEDTARL": "target_low",
    "DFEDTARU": "target_high",
    "SOFR": "sofr",
    "DGS3MO": "three_month",
    "DGS2": "two_year",
}
TABLE = Table(
    dates=("observation_date", "date"),
    columns=COLUMNS,
    day=r"(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})",
    example="2026-01-13",
)
#: Days that are asked for and read.
WINDOW = timedelta(days=45)


class Fred:
    """A source of all five rates. What it reads goes to `book`; `url` may be another server that speaks the same.

    `keep` only where the figures are not FRED's, as those of a rehearsal's own server.
    """

    name = "rates fred"

    def __init__(self, book: Macro, url: str = URL, every_s: float = EVERY_S, *, keep: bool = False) -> None:
        self.every_s = every_s
        self._book, self._url, self._keep = book, url.rstrip("/"), keep

    def question(self, now: int) -> Question:
        """The last 45 days of all series."""
        since = eastern(now).date() - WINDOW
        return Question(url=f"{self._url}{PATH}?id={','.join(COLUMNS)}&cosd={since}", headers={"Accept": "text/csv"})

    def take(self, body: bytes, now: int) -> None:
        """Read an answer and hand it on. Raises SourceError, and then nothing of it is used."""
        observations = TABLE.read(body, eastern(now).date() - WINDOW)
        told = {one.series for one in observations}
        absent = [series for series in COLUMNS.values() if series not in told]
        self._book.take(observations, CITATION, now, absent=absent, keep=self._keep)
