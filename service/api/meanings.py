"""What each field of an answer means. One word has one meaning in the whole house, so one table serves every record.

A test keeps it complete and without words that are nowhere.
"""

from collections.abc import Mapping

from service.api.beside import BESIDE

#: What a field means wherever it stands. Times are ms UTC on the service's clock, money is US dollars.
_MARKET: Mapping[str, str] = {
    "about": "What the venue's public feed leaves out, in a sentence.",
    "alert": "Id of the alert that was refused.",
    "alerts": "Alerts, newest last; in an episode how many it has had.",
    "alike_since": "Since when everything is counted by the same venues and rules and without a hole of hours, ms UTC; "
    "null: as long as the memory reaches.",
    "allowed": "What would have been accepted.",
    "asset": "The coin over all venues and contracts; ALL is all coins on the enabled venues, whose leverage and risk "
    "are BTC's.",
    "assets": "Of ALL: dollars by asset, largest first; empty for one asset.",
    "at": "When, ms UTC: of an order the venue's time, of an alert or episode the moment judged, of a record the time "
    "it was set (null where the memory holds nothing as large), of a leader its own onset, of a refusal when it was "
    "kept, of a figure when its source told it.",
    "at_least": "True when the totals are a floor: a venue shows only a part, or not all of the span was heard; of "
    "open interest whether the dollars liquidated are.",
    "baseline": "What is usual for this market; null while unknown.",
    "because": "Why the rule fired or did not, in a sentence with its numbers.",
    "branching": "The part of the orders that earlier orders caused within seconds, 0 to 1; null where the feed shows "
    "too little.",
    "burst_usd": "Dollars of the episode's side in the last five minutes; null where single orders are unknown.",
    "by_asset": "The same by asset, largest first; null unless the asset is ALL.",
    "by_symbol": "The same by contract, the 50 largest first.",
    "by_venue": "The same by venue, largest first.",
    "certainty": "How far the share can be trusted, each order weighing its dollars; null while unknown.",
    "coincides": "Calendar entries within 15 minutes of the onset: beside it, not its cause.",
    "comparable": "False where the venues, or what they show, have changed in between: the two are not counted alike.",
    "completeness": "complete: every liquidation is shown; sampled: all but one order a second is left out; "
    "partial: an unstated part is left out.",
    "confirms": "True: price moved with the forced orders by at least its usual swing; false: against them; null: "
    "neither, or the usual swing is unknown.",
    "course": "When the episode began, how its dollars came, its running and its peak hour; null while unknown.",
    "coverage": "How much of the span was heard, or of each span by its name; null while unknown.",
    "crossed_usd": "The market's floor in dollars where the hour has just crossed it; null when that was said before.",
    "cursor": "The alert's place in the archive.",
    "date": "Its date in UTC, as 2025-10-10; of ETF flows the trading day in US Eastern time.",
    "delivered_through": "The sink's cursor: everything up to it was delivered, refused or not for it; null before it "
    "has one.",
    "detail": "What was wrong.",
    "docs": "The venue's page the decoding was written from.",
    "doors": "Path and meaning of every door.",
    "en": "English.",
    "episode": "Id of the episode the alert belongs to: one cascade, one id.",
    "episodes": "Open episodes, largest running hour first.",
    "error": "The last error.",
    "estimated": "What the true total may be, in dollars, 90 % of the time between low and high; null while nobody can "
    "say.",
    "excitation": "How much the liquidations feed on themselves: a gauge, no alarm; null while unknown.",
    "expected_orders": "Orders due since the venue's last one, going by what the other venues show, each coin once a "
    "minute; null: cannot be judged, it shows too little or too few others are live.",
    "explain": "Every input, level and rule behind the alert as they stood; only there when asked for.",
    "failing": "The last error and since when nothing was taken; null when the last try was taken, and on a replica "
    "that does not speak.",
    "fired": "Whether the rule fired.",
    "first_at": "How far back the memory reaches, ms UTC.",
    "first_venue": "Where 10 % of the dollars were reached first: shown, never decided by; null while unknown.",
    "frame": "The frame as it came, cut to a few KB.",
    "frames": "Newest first.",
    "gaps": "Stretches of the last day in which the venue was not live, the latest 20, oldest first.",
    "grade": "1 to 5: notable, major, severe, extreme, historic; 0 below them.",
    "healed": "True when the venue's history has filled the gap since.",
    "healed_share": "The part of the span that no socket brought and a history told later; null while unknown.",
    "heals": "Whether the venue has a public history that gaps can be filled from.",
    "high": "Upper end of the interval: of an estimate in dollars, of a share 0 to 1, of excitation further orders an "
    "order causes.",
    "hour_usd": "Dollars of both sides in the running hour.",
    "hi_usd": "Dollars of both sides, certainly not more: the total and all of the bucket its old edge runs through.",
    "id": "Stable name; seen twice it is the same.",
    "inputs": "What went into the rules, or into a part of the gauge, by name; null while unknown.",
    "instruments": "Contracts known from the venue's metadata.",
    "kind": "short_squeeze: shorts were forced to buy; long_flush: longs were forced to sell.",
    "largest": "The largest single order of the span; null when there was none.",
    "largest_since": "The date in UTC, as 2025-10-10, of ETF flows the last day with at least as much the same way; "
    "null where the memory holds nothing as large.",
    "last_order_at": "Time of the last liquidation, ms UTC; null when there was none yet.",
    "lead": "Who went first, or that nobody did; null while unknown.",
    "learning": "True until 30 days have been heard: what is usual leans on the settings instead of on data.",
    "leaving_out": "Those of the venues whose public feed leaves orders out: with one of them a total is a floor.",
    "levels": "What the inputs had to reach, by name; null while unknown.",
    "live_share_1h": "Time heard of the last hour over all of it, 0 to 1; null while unknown.",
    "long_count": "Long positions closed by force, in orders.",
    "long_usd": "Dollars of long positions closed by force.",
    "low": "Lower end of the interval: of an estimate in dollars, of a share 0 to 1, of excitation further orders an "
    "order causes.",
    "measure": "What was compared: hour, day or 24h, then the side or total, as `24h short`.",
    "method": "order sizes: the missing part follows from the sizes shown; reference venue: scaled from a venue that "
    "shows all; `and` joins them where both were used.",
    "move_pct": "The move from start to now, in percent.",
    "multiple": "The span's dollars over the usual ones.",
    "now_usd": "How much it is now, in dollars: what was compared; null in alerts written before it was noted.",
    "n_eff": "Orders of equal size that would say as much: (sum of dollars)^2 over sum of squares.",
    "mid_usd": "Dollars of both sides, best guess: the total and the part of that bucket that is still inside. For "
    "display; claims rest on the total.",
    "name": "The name of the venue or sink, as in filters and settings; of a source of context as in the metrics; of a "
    "part of the gauge crowding, leverage or stretch.",
    "nearest": "Allowed names that look like what was asked, best first.",
    "next": "Cursor to ask on with as `since`: everything up to it has been looked at.",
    "notices": "How many alerts the episode has had.",
    "now": "The service's clock when it answered, ms UTC; of a price the last one.",
    "onset": "Change point, before anything could be known, ms UTC.",
    "ours_usd": "Dollars we counted.",
    "p10_at": "When 10 % of the episode's dollars had come, ms UTC; null while unknown.",
    "p50_at": "When half of the episode's dollars had come, ms UTC; null while unknown.",
    "p90_at": "When 90 % of the episode's dollars had come, ms UTC; null while unknown.",
    "parent": "Id of the open episode of ALL this one is a line of; null: it speaks for itself.",
    "parked": "Orders that wait for their contract's metadata; they are in no total.",
    "pattern": "Where the dollars fell: whale (one order carries them), single_venue, single_asset, market_wide "
    "(several venues, five coins above their usual level) or mixed; null while unknown.",
    "pending": "Alerts behind the sink's cursor, lines that it will pass over among them, counted to 1,000; null "
    "before it has a cursor.",
    "pending_at_least": "True when there are more than `pending`.",
    "peak_at": "When the hour's total was largest, ms UTC.",
    "peak_hour_at": "End of the largest hour so far, ms UTC.",
    "peak_hour_usd": "Dollars of both sides in the largest hour so far.",
    "peak_usd": "Largest hour's total so far, in dollars.",
    "phase": "opened, then grew any number of times, then closed.",
    "price": "Price at the start and now, and the move; null while unknown.",
    "problems": "Why the service cannot watch, in words.",
    "rarity": "How often as much happens to this market, as `about once in 4 months`; null while it is being learned.",
    "rarity_days": "The same in days; null while unknown.",
    "ready": "True: the store answers and a venue is live.",
    "ratio": "Ours over theirs; of open interest the dollars that vanished over those liquidated, below 0 where it "
    "grew; of a divergence the size of the flow over the forced dollars; null while that has no meaning.",
    "reason": "Why, in words; empty when there is nothing to explain.",
    "reconciled": "Our sums of the last 24 h beside those the venue itself publishes, over the same contracts and "
    "intervals; null: it publishes none, or none are known yet.",
    "record": "Since when there was nothing larger; null while unknown.",
    "rule": "Of an alert what made it speak: early (fast growth), level (unusual 5 minutes), hour (the hour crossed "
    "its floor or grew), reminder (still running), calm (over); of a venue which orders of a "
    "second its feed shows of each contract, as its documentation says: complete (all of them), largest, latest, first "
    "or unknown; in an explanation the name of one; of a divergence aligned_up, hollow_squeeze, leverage_only_up, "
    "absorption, aligned_down or leverage_only_down.",
    "running": "True while it may still grow: it is already the largest since; only the end makes it final.",
    "rules": "Every rule and whether it fired.",
    "records": "Peaks that nothing has reached since, by measure and side, the latest (and so smallest) first.",
    "refused": "What the sink will never take, newest first: the latest 20, of 100 that are kept.",
    "regime": "Which venues are counted, by which rules of their feeds; null while nothing is remembered.",
    "second_opinion": "The last hour as an aggregator counts it, with its own venues and methods; null: none was "
    "asked, it did not answer, or this is another asset or span.",
    "seconds_share": "Venue-seconds heard, live or filled later, over all of them, 0 to 1; null while unknown.",
    "seen": "When we received it, ms UTC.",
    "service": "The name of this service.",
    "severity": "How large against the market's floor: watch < warning < critical.",
    "share": "Dollars of shorts over dollars of both sides, 0 to 1; of a leader its part of the dollars; of open "
    "interest the part that was liquidated; null when nothing was liquidated, or while unknown.",
    "share_of_day": "The peak hour's part of the dollars of the last 24 h, 0 to 1; null while unknown.",
    "short_count": "Short positions closed by force, in orders.",
    "short_usd": "Dollars of short positions closed by force.",
    "side": "The side of the positions that were closed by force; of the gauge the one that would be.",
    "simulated": "True when the orders come from local venue servers: nothing of this happened in a market.",
    "since": "When this state or comparison began, ms UTC; of open interest the moment before the onset.",
    "socket": "Which of the venue's connections.",
    "sink": "The sink that refused.",
    "sinks": "Every channel alerts go to.",
    "sizes": "Whose order sizes an estimate leans on: reference (venues that show all), isolated (its own) or usual.",
    "sockets": "Every connection to the venue.",
    "source": "Who counted, or told it.",
    "span": "The rolling span: 1m, 5m, 15m, 1h, 4h, 24h.",
    "spans": "One entry a span, by its name.",
    "start": "Price at the start, in the quote currency.",
    "stage": "running, or fading: the signals are low, and what comes back within half an hour is the same episode.",
    "started_at": "When it began, ms UTC.",
    "state": "live: heard; silent: connected, but the data path says something is wrong; connecting; "
    "refused: the venue said no; down.",
    "status": "`alive`; in a problem the HTTP status.",
    "symbol": "The contract, as its venue spells it; null where nobody led.",
    "symbols": "Dollars by contract, largest first.",
    "theirs_usd": "Dollars the venue itself published.",
    "title": "The HTTP status in words.",
    "total_usd": "Dollars of both sides.",
    "type": "Of a problem its kind, about:blank: the status says it all; of a certainty one_sided, two_sided, whale "
    "(one order carries the total) or mixed.",
    "unknown": "Venues whose missing part nobody can say: with one of them even the estimate is a floor.",
    "until": "Up to when, ms UTC.",
    "usd": "Dollars; of a record how much it was then (null where the memory holds nothing as large), of a course "
    "those of its side since the onset, of ETF flows what came in over what went out (negative: out), of open "
    "interest what there was before the onset.",
    "usual_usd": "Dollars that are usual for this market in the span at this time of day; of ETF flows the median "
    "size of the 60 days before, null below 20 of them.",
    "venue": "The venue's name; null where nobody led.",
    "venues": "By venue: its report, its dollars, or how many there are; of an estimate those whose missing part is "
    "estimated, of leverage those whose figures it is made of.",
    "venues_live": "How many of the venues are live now.",
    "version": "Version of the service.",
    "watching": "Markets whose growth is above the watch level, and since when, ms UTC.",
    "why": "The alert in a few short sentences; the first alone must do.",
    "within_s": "How close together the venues went, in seconds; null when one led.",
    "word": "fading, steady, growing or exploding; of the gauge low, raised (60), high (80) or extreme (90); of open "
    "interest confirms, more or none; of rates where the 2-year yield puts the policy rate: lower, unchanged or "
    "higher.",
    "zh": "Chinese.",
    "zone": "Where `zone_date` is a date: UTC+8, or UTC.",
    "zone_date": "The same moment's date in `zone`; null where the memory holds nothing as large.",
}

#: All of them.
MEANING: Mapping[str, str] = {**_MARKET, **BESIDE}
