"""Clocks: the wall's, and one that runs faster."""

import asyncio
import time

import pytest

from service.clock import ScaledClock, WallClock


async def test_a_scaled_clock_starts_at_its_origin_and_runs_at_its_speed():
    clock = ScaledClock(1_000_000, 600)
    started = time.monotonic()

    await clock.sleep(60)
    real, passed = time.monotonic() - started, clock.now() - 1_000_000

    assert real == pytest.approx(0.1, abs=0.09)
    assert passed == pytest.approx(real * 600_000, rel=0.2)


async def test_two_clocks_with_one_wall_origin_agree():
    wall = WallClock().now() - 2_000
    first = ScaledClock(5_000_000, 60, wall)
    await asyncio.sleep(0.05)
    second = ScaledClock(5_000_000, 60, wall)

    assert abs(first.now() - second.now()) < 60 * 20
    assert first.now() - 5_000_000 == pytest.approx(60 * 2_050, rel=0.2)


def test_patience_never_shrinks_below_what_a_network_needs():
    clock = ScaledClock(0, 60)

    assert clock.grace(3600) == 60
    assert clock.grace(20) == 5
    assert clock.grace(2) == 2
    assert WallClock().grace(20) == 20


def test_a_clock_that_stands_still_is_refused():
    with pytest.raises(ValueError, match="clock speed must be above 0, got 0"):
        ScaledClock(0, 0)
