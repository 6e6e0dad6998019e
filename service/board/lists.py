"""Episodes, alerts, tape and venues as HTML. Escapes all it is given; pure."""

from collections.abc import Sequence
from html import escape

from service.board.phrases import UNKNOWN, Phrases
from service.board.picture import Market, Picture, Running
from service.model import ALL, MINUTE, Alert, FeedState, Phase, VenueReport
from service.text import headline, percent, sign
from service.text.amounts import clock_utc, when_utc
from service.text.message import SIGN

#: Alerts shown.
SHOWN = 12
#: An alert younger than this (ms) stands out.
_NEW_MS = 3 * MINUTE
#: Episodes of coins shown beside the one of all coins.
_MOST = 6


def episodes(picture: Picture, asset: str, words: Phrases) -> str:
    """What runs: of all coins everything, of one coin its own."""
    mine = [one for one in picture.running if asset in (ALL, one.episode.asset)]
    if not mine:
        return f"<p class=none>{escape(words.no_episode)}</p>"
    ordered = sorted(mine, key=lambda one: one.episode.parent is not None)
    return "".join(_episode(one, picture.now, words, alone=asset != ALL) for one in ordered[:_MOST])


def _episode(one: Running, now: int, words: Phrases, *, alone: bool) -> str:
    """Beside the episode of all coins those of single ones are lines."""
    episode, alert = one.episode, one.alert
    line = episode.parent is not None
    floor = f"{words.floor} " if alert is None or alert.at_least else ""
    usd = floor + words.usd(episode.long_usd + episode.short_usd)
    usd = usd if words.code == "en" else usd.replace(" ", "")
    share = words.no_share if episode.share is None else words.share(episode.share)
    facts = [words.began(episode.started_at, now), words.hour_usd(usd), share, words.part if line else ""]
    why = _why(alert, words) if alert and (alone or not line) else ""
    return (
        f"<article class='episode {episode.side} {escape(episode.stage)}'><h3><span class=sign aria-hidden=true>"
        f"{SIGN[episode.severity]}</span> {escape(words.kind(episode))} · {escape(_name(episode.asset, words))} "
        f"<span class='tag {escape(episode.stage)}'>{escape(words.stage(episode))}</span>"
        f"<span class='tag {episode.severity}'>{escape(words.severity(episode.severity))}</span></h3>"
        f"<p class=facts>{escape(' · '.join(filter(None, facts)))}</p>{why}</article>"
    )


def _why(alert: Alert, words: Phrases) -> str:
    text = alert.why.en if words.code == "en" else alert.why.zh
    return f"<p class=why>{escape(text.removeprefix('SIMULATION. ').removeprefix('【模拟数据】'))}</p>" if text else ""


def _name(asset: str, words: Phrases) -> str:
    return words.all_coins if asset == ALL else asset


def told(picture: Picture, asset: str) -> Sequence[Alert]:
    """The alerts of a market that people are told of, newest first; of one coin its lines, too."""
    if asset == ALL:
        return [alert for alert in picture.alerts if alert.parent is None][:SHOWN]
    return [alert for alert in picture.alerts if alert.asset == asset][:SHOWN]


def spoken(alert: Alert, words: Phrases) -> str:
    """An alert's headline without the marks, which the page has already."""
    text = headline(alert, words.code)
    return text.partition(sign(alert))[2].strip() or text


def alerts(picture: Picture, asset: str, words: Phrases) -> str:
    """The latest, newest first."""
    mine = told(picture, asset)
    if not mine:
        return f"<p class=none>{escape(words.no_alert)}</p>"
    shown = {one.alert.id for one in picture.running if one.alert and asset in (ALL, one.episode.asset)}
    rows = (_alert(one, picture.now, words, unfold=one is mine[0] and one.id not in shown) for one in mine)
    return f"<ol>{''.join(rows)}</ol>"


def _alert(alert: Alert, now: int, words: Phrases, *, unfold: bool) -> str:
    """A headline that opens on what was said; it is open for the newest one, unless its episode says the same."""
    fresh = " fresh" if now - alert.at < _NEW_MS else ""
    over = " over" if alert.phase is Phase.CLOSED else ""
    turn = f" <span class=turn>{escape(words.started)}</span>" if alert.phase is Phase.OPENED else ""
    return (
        f"<li class='{alert.side}{fresh}{over}'><time>{escape(when_utc(alert.at, now))}</time>"
        f"<span class=sign aria-hidden=true>{sign(alert)}</span>"
        f"<details{' open' if unfold else ''}><summary class=words>{escape(spoken(alert, words))}{turn}</summary>"
        f"{_why(alert, words)}</details></li>"
    )


def tape(market: Market | None, words: Phrases) -> str:
    """The newest orders."""
    if market is None or not market.tape:
        return f"<p class=none>{escape(words.waiting if market is None else words.no_order)}</p>"
    rows = "".join(
        f"<tr class={order.side}><td><time>{_second(order.at)}</time></td><td>{escape(order.venue)}</td>"
        f"<td class=name>{escape(order.symbol)}</td><td class=side>{escape(words.order(order))}</td>"
        f"<td class=number>{escape(words.usd(order.usd))}</td></tr>"
        for order in market.tape
    )
    heads = words.columns
    return _table(words.tape, (heads.time, heads.venue, heads.contract, heads.side, heads.usd), rows)


def _second(at: int) -> str:
    return f"{clock_utc(at)[:5]}:{at // 1_000 % 60:02d}"


def venues(picture: Picture | None, words: Phrases) -> str:
    """Every enabled venue, how it is and why."""
    if picture is None:
        return f"<p class=none>{escape(words.waiting)}</p>"
    rows = "".join(_venue(report, picture.now, words) for report in picture.venues)
    heads = words.columns
    return _table(words.venues, (heads.venue, heads.state, heads.heard, heads.last_order), rows)


def _venue(report: VenueReport, now: int, words: Phrases) -> str:
    heard = UNKNOWN if report.live_share_1h is None else percent(report.live_share_1h)
    last = UNKNOWN if report.last_order_at is None else when_utc(report.last_order_at, now).removesuffix(" UTC")
    why = "" if report.state is FeedState.LIVE else _reason(report, words)
    reason = f"<span class=reason>{escape(why)}</span>" if why else ""
    return (
        f"<tr><th scope=row>{escape(report.name)}</th><td class='state {report.state}'>"
        f"<span class=dot aria-hidden=true></span>{escape(words.states[report.state])}{reason}</td>"
        f"<td class=number>{heard}</td><td class=number>{escape(last)}</td></tr>"
    )


def _reason(report: VenueReport, words: Phrases) -> str:
    """Why it is not live: its own reason, else that of its worst socket."""
    sockets = (one for one in report.sockets if one.state is report.state and one.reason)
    worst = next(sockets, None)
    return report.reason or (words.socket(worst.socket, worst.reason) if worst else "")


def _table(caption: str, heads: Sequence[str], rows: str) -> str:
    head = "".join(f"<th scope=col>{escape(name)}</th>" for name in heads)
    title = f"<caption class=unseen>{escape(caption)}</caption>"
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
