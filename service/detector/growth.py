"""How many further liquidations one liquidation is causing now: the reproduction number R(t).

Borrowed from epidemic surveillance: a renewal equation with a conjugate (Gamma) posterior (Cori et al. 2013; detection
study, C.1). Orders of a second are due to earlier ones at three speeds, 2, 20 and 180 s:

    L    = sum_k w_k A_k (e^(b_k) - 1)       offspring expected this second per unit of R, A_k of earlier seconds only
    endo = n R L / (mu + R L)                mu = 0.4 m, what comes from outside
    a <- a e^(-1/90) + endo,  b <- b e^(-1/90) + L,  A_k <- A_k e^(-b_k) + n
    R = (a + 3) / (b + 5),    z = (R - 1) (b + 5) / sqrt(a + 3)

so that an order's offspring of all later seconds add up to one per unit of R: a steady flow, however busy, reads at
most one (with the weight 1 - e^(-b_k), which leaves the order's own second out of the sum, it read 1.2 and every news
burst seemed to explode). A gauge of growth, right well above one and low near one; it is shown as a word and a band,
never to two decimals. One update costs the same whatever the number of orders; seconds without orders are bridged in
closed form. No alarm rests on it alone (score.py).
"""

from math import exp, sqrt

import msgspec

from service.model import Excitation

#: Kernel times (s) and their weights.
TIMES = (2.0, 20.0, 180.0)
WEIGHTS = (0.4, 0.4, 0.2)
#: How long (s) evidence counts, and the prior: R of 0.6, worth five expected offspring.
MEMORY_S = 90.0
PRIOR_A, PRIOR_B = 3.0, 5.0
#: The part of the usual rate that nothing earlier explains.
OUTSIDE = 0.4

_D = exp(-1 / MEMORY_S)
_E1, _E2, _E3 = (exp(-1 / time) for time in TIMES)
_G1, _G2, _G3 = (weight * (exp(1 / time) - 1) for weight, time in zip(WEIGHTS, TIMES, strict=True))
#: Two standard normal quantiles: 5 % in each tail.
_BAND = 1.645


class Growth(msgspec.Struct):
    """Posterior sums, and orders still breeding at each speed, as they stood in `second`."""

    second: int = 0
    a: float = 0.0
    b: float = 0.0
    fast: float = 0.0
    mid: float = 0.0
    slow: float = 0.0

    def update(self, second: int, orders: int, usual: float) -> float:
        """Count the orders of a later second; `usual` orders a second. Returns z: how far R is above one."""
        self._bridge(second - 1)
        fast, mid, slow = self.fast * _E1, self.mid * _E2, self.slow * _E3
        due = _G1 * fast + _G2 * mid + _G3 * slow
        a, b = self.a, self.b
        caused = (a + PRIOR_A) / (b + PRIOR_B) * due
        self.a = a = a * _D + orders * caused / (OUTSIDE * usual + caused)
        self.b = b = b * _D + due
        self.fast, self.mid, self.slow, self.second = fast + orders, mid + orders, slow + orders, second
        return (a + PRIOR_A - b - PRIOR_B) / sqrt(a + PRIOR_A)

    def z(self, second: int) -> float:
        """The same as things would stand at `second` without further orders; changes nothing."""
        a, b = self._at(second)
        return (a + PRIOR_A - b - PRIOR_B) / sqrt(a + PRIOR_A)

    def excitation(self, second: int, branching: float | None = None) -> Excitation:
        """R as a word and a band that holds it nine times in ten."""
        a, b = self._at(second)
        mean, spread = (a + PRIOR_A) / (b + PRIOR_B), sqrt(a + PRIOR_A) / (b + PRIOR_B)
        z = (mean - 1) / spread
        word = "exploding" if z > _BAND else "growing" if z > 0 else "steady" if z > -_BAND else "fading"
        low, high = max(0.0, mean - _BAND * spread), mean + _BAND * spread
        return Excitation(word=word, low=round(low, 1), high=round(high, 1), branching=branching)

    def _at(self, second: int) -> tuple[float, float]:
        gap = second - self.second
        if gap <= 0:
            return self.a, self.b
        fade = _D**gap
        due = sum(
            weight * breeding * keep * (fade - keep**gap) / (_D - keep)
            for weight, breeding, keep in ((_G1, self.fast, _E1), (_G2, self.mid, _E2), (_G3, self.slow, _E3))
        )
        return self.a * fade, self.b * fade + due

    def _bridge(self, second: int) -> None:
        gap = second - self.second
        if gap <= 0:
            return
        self.a, self.b = self._at(second)
        self.fast *= _E1**gap
        self.mid *= _E2**gap
        self.slow *= _E3**gap
        self.second = second
