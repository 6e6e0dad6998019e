"""The shape of the settings: one class a section. Owns names, defaults and bounds that no other room owns."""

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from service.backfill import Knobs as BackfillKnobs
from service.detector.rules import Rules
from service.feed import Knobs as FeedKnobs
from service.pipeline import Knobs as StreetKnobs
from service.settings.context import ContextKnobs
from service.settings.section import Section, Wrong, header_key, web_url
from service.settings.sinks import Sinks
from service.venues import VENUES

TIME_FORM = "ISO 8601 with its zone, as 2026-01-13T18:00:00Z"
#: Stands for every venue that is on by default, so that a new one needs no line in anybody's settings.
EVERY = "all"
STORE_URLS = ("redis://", "rediss://", "unix://")
_TAG = re.compile(r"[A-Za-z0-9_-]{1,40}")


def _time(text: str) -> str:
    if text and _moment(text) is None:
        raise Wrong("is not a time", f"{TIME_FORM}, or empty")
    return text


def _moment(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else round(moment.timestamp() * 1_000)


def _known(name: str) -> str:
    if name not in (*VENUES, EVERY):
        raise Wrong("unknown venue", f"{EVERY}, or the venues {', '.join(VENUES)}", (*VENUES, EVERY))
    return name


def _once_each(names: tuple[str, ...]) -> tuple[str, ...]:
    again = sorted({name for name in names if names.count(name) > 1})
    if again:
        raise Wrong(f"names {', '.join(again)} more than once", f"each of {', '.join(VENUES)} once")
    if not names:
        raise Wrong("names no venue", f"one or more of {', '.join(VENUES)}")
    return names


def _store_url(url: SecretStr) -> SecretStr:
    if url and not url.get_secret_value().startswith(STORE_URLS):
        raise Wrong("is not the address of a store", f"{', '.join(STORE_URLS)}..., or empty")
    return url


def _tag(text: str) -> str:
    if not _TAG.fullmatch(text):
        raise Wrong("has the wrong form", "1 to 40 letters, digits, - and _")
    return text


Time = Annotated[str, AfterValidator(_time)]


class Process(Section):
    """[service]: where things are kept, how much is said."""

    data_dir: Path = Path("data")
    """Where the embedded store and the cached metadata live; relative to the working directory."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severity written to the log."""


class Rehearsal(Section):
    """[clock]: the wall by default; anything else is a rehearsal and is marked as one."""

    speed: Annotated[float, Gt(0), Le(10_000)] = 1.0
    """Seconds on the service's clock per second of the wall."""
    origin: Time = ""
    """Where a rehearsal's time starts; empty is now."""
    wall_origin: Time = ""
    """The moment of the wall at which the clock shows `origin`; lets several processes share one rehearsal."""

    @field_validator("wall_origin")
    @classmethod
    def _needs_origin(cls, text: str, info: ValidationInfo) -> str:
        if text and not info.data.get("origin", "-"):
            raise Wrong("has no meaning without origin", "empty, or together with origin")
        return text

    @property
    def origin_ms(self) -> int | None:
        """`origin` in ms UTC; None when empty."""
        return _moment(self.origin)

    @property
    def wall_origin_ms(self) -> int | None:
        """`wall_origin` in ms UTC; None when empty."""
        return _moment(self.wall_origin)


class Store(Section):
    """[ledger]: which store, where, under which tag."""

    url: Annotated[SecretStr, AfterValidator(_store_url)] = SecretStr("")
    """Address of a Redis or Valkey server, password included; better in the environment as REDIS_URL."""
    store: Literal["auto", "redis", "embedded", "memory"] = "auto"
    """`auto` takes the server of `url` when there is one, else the embedded server, else memory."""
    tag: Annotated[str, AfterValidator(_tag)] = "cascade"
    """The hash tag every key carries; two services on one server need two tags."""

    @field_validator("store")
    @classmethod
    def _needs_url(cls, store: str, info: ValidationInfo) -> str:
        if store == "redis" and not info.data.get("url", "-"):
            raise Wrong("needs an address", "redis together with url (or REDIS_URL), auto, embedded, memory")
        return store


class VenueKnobs(Section):
    """[venues.<name>]: what may be changed of one venue."""

    endpoints: Mapping[str, str] = {}
    """URLs, or accounts to watch, by the venue's own endpoint keys, over its defaults."""


class Venues(BaseModel):
    """[venues] and its sub-tables."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, VenueKnobs]

    enabled: Annotated[tuple[Annotated[str, AfterValidator(_known)], ...], AfterValidator(_once_each)] = (EVERY,)
    """Venues to listen to; `all` is every one but those that are off by default."""

    @property
    def names(self) -> tuple[str, ...]:
        """The venues to listen to, each once, in the order given."""
        every = [name for name, row in VENUES.items() if row.by_default]
        return tuple(dict.fromkeys(name for word in self.enabled for name in (every if word == EVERY else [word])))

    def endpoints(self, name: str) -> dict[str, str]:
        """URLs of one venue by key: its defaults under the configured ones."""
        ours = self.__pydantic_extra__.get(name, VenueKnobs())
        return {**VENUES[name].endpoints, **ours.endpoints}


class Door(Section):
    """[api]: where the HTTP door listens."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    """Address to listen on. There is no password on this door."""
    port: Annotated[int, Ge(0), Le(65_535)] = 8000
    """Port to listen on; 0 takes a free one."""


class Opinions(Section):
    """[second_opinion]: an aggregator's own hour beside ours; off without a key."""

    coinglass_key: Annotated[SecretStr, AfterValidator(header_key)] = SecretStr("")
    """Key of CoinGlass' paid interface; a secret, better set as CASCADE_SECOND_OPINION__COINGLASS_KEY."""
    coinglass_url: Annotated[str, AfterValidator(web_url)] = "https://open-api-v4.coinglass.com"
    """Where its version 4 interface stands."""


class Settings(Section):
    """Everything that can be set, checked."""

    service: Process = Process()
    clock: Rehearsal = Rehearsal()
    ledger: Store = Store()
    feed: FeedKnobs = FeedKnobs()
    backfill: BackfillKnobs = BackfillKnobs()
    pipeline: StreetKnobs = StreetKnobs()
    detector: Rules = Rules()
    venues: Venues = Venues.model_validate({})
    api: Door = Door()
    second_opinion: Opinions = Opinions()
    context: ContextKnobs = ContextKnobs()
    sinks: Sinks = Sinks()

    @property
    def simulated(self) -> bool:
        """True for a rehearsal: the clock is not the wall."""
        return self.clock.speed != 1 or self.clock.origin != ""
