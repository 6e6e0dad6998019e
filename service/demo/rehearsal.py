"""The settings of a service that listens to our own venue servers: one TOML text, for the demo and for `simulate`."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from service.model import Record

#: A rehearsal on a store that also serves the real thing keeps its keys apart.
TAG = "cascade-rehearsal"


#: Venues are asked for leverage once in so many seconds on the clock, and not more often than this in real ones.
_EVERY_S, _MOST_S, _REAL_S = 60.0, 600.0, 2.0


class Stage(Record, frozen=True, kw_only=True):
    """Where the venue servers are and how their time runs; times in ms UTC."""

    endpoints: Mapping[str, Mapping[str, str]]
    origin: int
    wall_origin: int | None
    speed: float
    slow: Mapping[str, str] = {}
    """Where the local pages of ETF flows and rates are; without them neither is asked for."""
    home: str
    """Data directory; a rehearsal never shares one with the real thing."""


def settings_toml(stage: Stage) -> str:
    """A configuration that makes `cascade run` listen to the stage on the stage's clock."""
    lines = [
        "# A rehearsal: every order comes from local venue servers.",
        "[service]",
        f"data_dir = {_text(stage.home)}",
    ]
    lines += ["", "[ledger]", f"tag = {_text(TAG)}", "", "[clock]"]
    lines += [f"origin = {_text(_iso(stage.origin))}", f"speed = {stage.speed}"]
    if stage.wall_origin is not None:
        lines.append(f"wall_origin = {_text(_iso(stage.wall_origin))}")
    lines += ["", "[venues]", f"enabled = {json.dumps(list(stage.endpoints))}"]
    for venue, urls in stage.endpoints.items():
        lines += ["", f"[venues.{venue}.endpoints]", *(f"{key} = {_text(url)}" for key, url in urls.items())]
    return "\n".join([*lines, *_context(stage.slow, stage.speed)]) + "\n"


def _context(pages: Mapping[str, str], speed: float) -> list[str]:
    """A rehearsal asks none of the real ones, and however fast its clock runs, not too often."""
    etf, fred = pages.get("etf"), pages.get("fred")
    flows = ['sources = ["farside"]', f"farside_url = {_text(etf)}"] if etf else ["sources = []"]
    rates = ['sources = ["fred"]', f"fred_url = {_text(fred)}"] if fred else ["sources = []"]
    every_s = min(_MOST_S, max(_EVERY_S, _REAL_S * speed))
    pace = ["[context]", f"every_s = {every_s:g}"]
    return ["", *pace, "", "[context.etf]", *flows, "", "[context.rates]", *rates]


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _text(value: str) -> str:
    return json.dumps(value)


def handed_over(text: str, path: Path | None) -> str:
    """What to say once the settings are in the file at `path`; without one the settings themselves."""
    if path is None:
        return text
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(text)
    fresh.rename(path)  # whoever waits for the file must not read half of it
    return f"settings in {path}; listen with: cascade run --config {path}"
