"""Values over time at a fixed pace, old ones dropped: what is needed to ask "how much was it then". Pure."""

from array import array
from bisect import bisect_right


class Track:
    """At most one value for each step; `step_ms` and `keep_ms` in ms."""

    def __init__(self, step_ms: int, keep_ms: int) -> None:
        self._step, self._keep = step_ms, keep_ms
        self._at, self._values = array("q"), array("d")

    def add(self, at: int, value: float) -> None:
        """Take a value of `at` ms UTC; the first of a step stands, what is older than the last is dropped."""
        if self._at and at // self._step <= self._at[-1] // self._step:
            return
        self._values.append(value)
        self._at.append(at)
        if self._at[0] < at - self._keep - self._keep // 4:  # now and then, not with every value
            first = bisect_right(self._at, at - self._keep)
            del self._at[:first], self._values[:first]

    @property
    def since(self) -> int | None:
        """When its oldest value is of; None while there is none."""
        return self._at[0] if self._at else None

    def before(self, at: int, reach_ms: int) -> float | None:
        """The last value at or before `at`, at most `reach_ms` older; None where nothing is remembered."""
        place = bisect_right(self._at, at) - 1
        if place < 0 or self._at[place] < at - reach_ms:
            return None
        return self._values[place]
