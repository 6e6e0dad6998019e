"""How much memory this process takes. Linux tells; elsewhere it is unknown."""

import os
from pathlib import Path

_STATM = Path("/proc/self/statm")


def process_bytes() -> int | None:
    """Resident memory in bytes; None where nobody says."""
    try:
        pages = int(_STATM.read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
