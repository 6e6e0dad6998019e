"""Every key the ledger may write, named once. Owns names and nothing else; the scripts get theirs from `prefixes`.

All keys carry one hash tag, so that on a cluster they live on one node and one script may touch them all.
"""

import re
from collections.abc import Mapping


class Keys:
    """The names under one tag. Two services with different tags share a server without meeting."""

    def __init__(self, tag: str) -> None:
        if not re.fullmatch(r"[\w.:-]+", tag, re.ASCII):
            raise ValueError(f"a tag is made of letters, digits and _ . : -, got {tag!r}")
        self._head = f"{{{tag}}}:"
        self.assets = f"{self._head}assets"
        self.orders = f"{self._head}liquidations"
        self.lease = f"{self._head}lease"
        self.token = f"{self._head}token"
        self.states = f"{self._head}states"
        self.alerts = f"{self._head}alerts"
        self.cursors = f"{self._head}cursors"
        self.health = f"{self._head}health"
        self.sums = f"{self._head}sums"
        self.chats = f"{self._head}chats"
        self.due = f"{self._head}due"
        self.pictures = f"{self._head}pictures"
        self.free = f"{self._head}free"
        self.episodes = f"{self._head}told"
        self.stay_away = f"{self._head}away"

    def in_scripts(self) -> Mapping[str, str]:
        """What scripts name by themselves: starts of keys, completed as the README says, and one whole key."""
        return {name: f"{self._head}{name}:" for name in ("seen", "bucket", "detail")} | {"sums": self.sums}

    def bucket(self, width: int, slot: int) -> str:
        """The totals of all assets in one time slot; `width` in ms."""
        return f"{self._head}bucket:{width // 1000}:{slot}"

    def detail(self, width: int, slot: int) -> str:
        """The breakdown of one time slot; `width` in ms."""
        return f"{self._head}detail:{width // 1000}:{slot}"

    def live(self, venue: str, hour: int) -> str:
        """The live-time bitmap of one venue in one hour since 1970."""
        return f"{self._head}live:{venue}:{hour}"

    def healed(self, venue: str, hour: int) -> str:
        """The bitmap of what the history filled, beside `live`."""
        return f"{self._head}healed:{venue}:{hour}"

    def alert(self, id: str) -> str:
        """Where the alert with this id stands in the stream."""
        return f"{self._head}alert:{id}"

    def refused(self, sink: str) -> str:
        """Alerts a sink will never take."""
        return f"{self._head}refused:{sink}"

    def frames(self, venue: str) -> str:
        """Bad frames kept for inspection."""
        return f"{self._head}frames:{venue}"

    def box(self, chat: int | str) -> str:
        """Pending rows of a chat, by alert; without one the start of such names."""
        return f"{self._head}box:{chat}"

    def done(self, week: int, chat: int | str) -> str:
        """Rows of a chat that were settled in one week since 1970."""
        return f"{self._head}done:{week}:{chat}"

    def told(self, episode: str) -> str:
        """What each chat was told of one episode."""
        return f"{self._head}told:{episode}"

    def picture(self, alert: str) -> str:
        """What the picture of an alert can be sent by again."""
        return f"{self._head}picture:{alert}"

    def pattern(self) -> str:
        """Glob pattern of all keys of this tag."""
        return f"{self._head}*"
