"""A local server of slow sources, ETF flows and US rates, for the demo and the tests. Knows no reader of its pages."""

from service.simulator.slow.server import ETF_PATHS, FRED_PATH, Asked, SlowPages

__all__ = ["ETF_PATHS", "FRED_PATH", "Asked", "SlowPages"]
