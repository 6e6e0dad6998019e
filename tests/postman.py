"""A process that delivers and can be killed: `python -m tests.postman STORE TAG API [FASTER]`. It leads, and runs FASTER times as fast."""

import asyncio
import base64
import sys

from service.clock import WallClock
from service.ledger.redis import RedisLedger
from service.outbox import Outbox
from service.sinks.telegram import deliver
from service.sinks.telegram.api import TelegramApi
from service.sinks.telegram.courtesy import Courtesy, Limits
from service.sinks.telegram.kit import Kit
from service.sinks.telegram.patience import Patience
from service.sinks.telegram.wording import Wording

TOKEN = "123456:" + "A" * 35
#: The smallest picture there is.
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def faster(times: float) -> Limits:
    plain = Limits()
    return Limits(
        per_second=plain.per_second * times,
        chat_s=plain.chat_s / times,
        group_s=plain.group_s / times,
        grace_s=plain.grace_s / times,
    )


async def draw(_alert) -> bytes:
    return PIXEL


def kit_of(ledger, api, times: float = 1.0, **changes) -> Kit:
    outbox, courtesy, now = Outbox(ledger.server), Courtesy(faster(times)), WallClock().now
    parts = {
        "outbox": outbox,
        "ledger": ledger,
        "post": api,
        "words": Wording(""),
        "courtesy": courtesy,
        "patience": Patience(courtesy, outbox, now),
        "draw": draw,
        "now": now,
        "changed": asyncio.sleep,
        "leads": lambda: True,
    }
    return Kit(**parts | changes)


async def main(store: str, tag: str, url: str, times: float) -> None:
    ledger, api = RedisLedger(store, tag), TelegramApi(TOKEN, url)
    deliver.CLAIM_S, deliver.LOOK_S = deliver.CLAIM_S / times, 0.05
    await api.open()
    print("delivering", flush=True)
    await deliver.Deliverer(kit_of(ledger, api, times)).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4], float((sys.argv[4:] or ["1"])[0])))
