"""The recorded data beside the project, where there is any: tests that need it skip where it is absent."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


def recorded(name: str) -> Path:
    """A recorded file, or a skip that says which one is missing."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"recorded data is not part of the project: {name} is absent")
    return path
