"""What the feeds leave out, watched while the service runs: each feed's rule every half hour, the estimate every night.

Owns when that is done and what became of it; how it is done is the detector's. Judges no market.
"""

from service.pipeline.shown import documented
from service.selfcheck.nightly import SelfCheck
from service.selfcheck.table import is_fine, table

__all__ = ["SelfCheck", "documented", "is_fine", "table"]
