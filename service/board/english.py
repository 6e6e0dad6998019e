"""The board in English. Owns its words; numbers are written by `service.text`."""

from service.board.phrases import Columns, Controls, Phrases
from service.model import Coverage, Episode, FeedState, Liquidation, Side, Since
from service.text import grade_en, percent, usd_en
from service.text.amounts import multiple, when_utc
from service.text.english.nouns import KIND, SIDE
from service.text.english.standing import standing

_STAGE = {"running": "running", "fading": "fading"}
_MILLIONS = (
    "v => { const a = Math.abs(v); return '$' + (a >= 1e9 ? a / 1e9 + 'B' : a >= 1e6 ? a / 1e6 + 'M' "
    ": a >= 1e3 ? a / 1e3 + 'k' : a); }"
)


def _share(short: float) -> str:
    return f"{percent(short)} shorts" if short >= 1 / 2 else f"{percent(1 - short)} longs"


def _since(found: Since) -> str:
    if found.largest_since is None:
        return "largest on record here"
    unlike = "" if found.comparable else ", then counted otherwise"
    return f"largest hour since {found.largest_since}{unlike}"


def _hidden(coverage: Coverage) -> str:
    names = ", ".join(coverage.leaving_out)
    return f"{names} show only part of theirs" if names else ""


def _kind(episode: Episode) -> str:
    return f"{grade_en(episode.grade)} {KIND[episode.kind]}".strip().capitalize()


def _order(order: Liquidation) -> str:
    return SIDE[order.side].removesuffix("s")


ENGLISH = Phrases(
    code="en",
    title="Cascade monitor",
    simulation="SIMULATION: a rehearsal on local venue servers. No market did this.",
    columns=Columns(
        time="Time, UTC",
        venue="Venue",
        contract="Contract",
        side="Side",
        usd="Dollars",
        longs="Longs",
        shorts="Shorts",
        price="Price",
        heard="Heard",
        state="State",
        last_order="Last order",
    ),
    controls=Controls(
        market="Market",
        other_language="中文",
        other_code="zh",
        skip="Skip to the figures",
        theme={"auto": "Theme: system", "light": "Theme: light", "dark": "Theme: dark"},
        docs="API",
    ),
    all_coins="All coins",
    usd=usd_en,
    floor="at least",
    side={Side.LONG: "longs", Side.SHORT: "shorts"},
    kind=_kind,
    severity=str,
    numbers="Key figures",
    hour="Liquidated, last hour",
    day="Liquidated, last 24 h",
    share=_share,
    no_share="side unknown",
    nothing="no order",
    usual="Against the usual hour",
    times=lambda times: f"{multiple(times)}x",
    usual_is=lambda usd: f"usual at this time of day: {usd_en(usd)}",
    learning="what is usual here is still being learnt",
    since=_since,
    since_lately="as much within the last day",
    since_when="too short a memory for records",
    heard="Heard",
    heard_hour="of the last hour",
    live=lambda coverage: f"{coverage.venues_live} of {coverage.venues} venues live",
    hidden=_hidden,
    bars="Liquidations a minute",
    bars_about="Shorts up, longs down, last two hours; grey: not all was heard",
    bars_label=lambda market, usd: f"Bar chart, {market}: dollars liquidated each minute. Last hour {usd}.",
    price_of=lambda contract: f"Price, {contract}",
    not_heard="not heard",
    as_table="The chart as a table",
    millions=_MILLIONS,
    episodes="Running now",
    no_episode="No cascade is running.",
    began=lambda at, now: f"since {when_utc(at, now)}",
    stage=lambda episode: _STAGE.get(episode.stage, episode.stage),
    hour_usd=lambda usd: f"{usd} in the last hour",
    part="part of the market-wide cascade",
    beside="Beside it",
    standing=standing,
    no_context="Context is switched off: no open interest, funding, ETF flows or rates are read.",
    no_forecast="Fuel is a gauge of crowding that has not been shown to forecast. Unknown is not zero.",
    alerts="Latest alerts",
    no_alert="No alert yet.",
    started="started",
    new_alert=lambda words: f"New alert: {words}",
    tape="Newest orders",
    no_order="No order in the last 75 minutes.",
    order=_order,
    venues="Venues",
    states={
        FeedState.CONNECTING: "connecting",
        FeedState.LIVE: "live",
        FeedState.SILENT: "silent",
        FeedState.REFUSED: "refuses us",
        FeedState.DOWN: "down",
    },
    socket=lambda socket, reason: f"{socket}: {reason}",
    stale="Stale since {time}. These are the last figures known; trying to reach the service.",
    waiting="Waiting for the first figures.",
    unready=lambda why: f"Not watching: {why}",
    no_advice="A measuring instrument. No advice, no promise about prices.",
)
