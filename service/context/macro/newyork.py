"""The New York Fed's reference rates: where they are and what their fields mean. Owns these words; checks no rate.

`GET /api/rates/all/latest.json` answers with the last day of each rate: `{"refRates":[{"effectiveDate":"2026-01-12",
"type":"EFFR","percentRate":3.64,"targetRateFrom":3.50,"targetRateTo":3.75,...},{"type":"SOFR","percentRate":3.65,...}]}`.
The row of the effective federal funds rate carries the target range of its day, so that a decision shows a business day
late. SOFR comes at about 08:00, the other at about 09:00 New York time of the next business day.

Terms (newyorkfed.org): whoever publishes SOFR says that it is subject to them, that the New York Fed is not responsible
for the publication, does not sanction or endorse it, and has no liability for its use.
"""

from datetime import date

import msgspec

from service.context.macro.observation import Observation
from service.context.macro.rates import Macro
from service.context.source import Question, SourceError

CITATION = "Federal Reserve Bank of New York"
URL = "https://markets.newyorkfed.org"
PATH = "/api/rates/all/latest.json"
EVERY_S = 6 * 3_600.0
#: Type of a row, its field -> field of `Rates`.
FIELDS = (
    ("EFFR", "target_from", "target_low"),
    ("EFFR", "target_to", "target_high"),
    ("SOFR", "percent", "sofr"),
)
_QUOTED = 40


class _Row(msgspec.Struct):
    kind: str = msgspec.field(name="type")
    day: date = msgspec.field(name="effectiveDate")
    percent: float | str | None = msgspec.field(name="percentRate", default=None)
    target_from: float | str | None = msgspec.field(name="targetRateFrom", default=None)
    target_to: float | str | None = msgspec.field(name="targetRateTo", default=None)


class _Answer(msgspec.Struct):
    rows: list[_Row] = msgspec.field(name="refRates")


_ANSWER = msgspec.json.Decoder(_Answer)


class NewYork:
    """A source of the target range and SOFR. `url` may be another server that speaks the same."""

    name = "rates newyork"

    def __init__(self, book: Macro, url: str = URL, every_s: float = EVERY_S) -> None:
        self.every_s = every_s
        self._book, self._url = book, url.rstrip("/")

    def question(self, now: int) -> Question:  # noqa: ARG002  # the last day, whenever it is
        """The last day of every rate."""
        return Question(url=f"{self._url}{PATH}", headers={"Accept": "application/json"})

    def take(self, body: bytes, now: int) -> None:
        """Read an answer and hand it on. Raises SourceError, and then nothing of it is used."""
        try:
            rows = _ANSWER.decode(body).rows
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise SourceError(f"the answer is not what is documented: {error}") from None
        found = [one for row in rows for one in _read(row)]
        absent = {series for _, _, series in FIELDS} - {one.series for one in found}
        self._book.take(found, CITATION, now, absent=absent)


def _read(row: _Row) -> list[Observation]:
    found = []
    for kind, name, series in FIELDS:
        value = getattr(row, name)
        if row.kind != kind or value is None:
            continue
        if isinstance(value, str):
            raise SourceError(f"{kind} of {row.day} says {value[:_QUOTED]!r}; allowed: a number")
        found.append(Observation(series=series, day=row.day, value=value))
    return found
