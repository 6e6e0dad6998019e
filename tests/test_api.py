"""The HTTP door, asked without a socket: pages, filters, tags, windows, problems, documentation."""

import asyncio
import re
from typing import Any, ClassVar

import httpx
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.api import shapes
from service.api.house import DOORS
from service.api.meanings import MEANING
from service.api.problem import ProblemDetails
from service.api.schema import components
from service.api.tail import KEEP
from service.detector import Board, seen
from service.model import (
    HOUR,
    MINUTE,
    SPANS,
    Alert,
    BadFrame,
    Completeness,
    Explained,
    FeedState,
    Fired,
    Kind,
    Largest,
    Phase,
    Reading,
    Severity,
    Side,
    Totals,
)
from service.sinks import Courier, SinkError
from service.venues import VENUES as TABLE
from tests.orders import order
from tests.stage import NOW, VENUES, Stage, alert, episode, inside, report


class Picky:
    """A sink that answers each alert as it was told."""

    name: ClassVar[str] = "picky"

    def __init__(self, *answers: SinkError | None) -> None:
        self.answers = list(answers)

    async def send(self, _alert: Alert) -> None:
        if error := self.answers.pop(0):
            raise error


@pytest.fixture
def stage() -> Stage:
    return Stage()


def numbers(page: httpx.Response) -> list[int]:
    """The numbers of the alerts of a page."""
    assert page.status_code == 200, page.text
    return [int(one["episode"].rpartition("-")[2]) for one in page.json()["alerts"]]


async def walk(client: httpx.AsyncClient, asked: str, since: str = "0-0") -> list[int]:
    """Everything from a cursor on, page by page, until a page leaves the cursor where it was."""
    found: list[int] = []
    for _ in range(1_000):
        page = await client.get(f"/alerts?since={since}{asked}")
        found += numbers(page)
        if page.json()["next"] == since:
            return found
        since = page.json()["next"]
    raise AssertionError("the cursor never came to rest")


def problem(answer: httpx.Response, status: int) -> ProblemDetails:
    """The problem an answer tells of."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    details = msgspec.json.decode(answer.content, type=ProblemDetails)
    assert details.status == status
    assert details.title
    return details


class TestPages:
    async def test_without_since_there_are_the_newest_with_the_newest_last(self, stage: Stage) -> None:
        await stage.say(*(alert(number) for number in range(120)))
        async with inside(stage) as client:
            assert numbers(await client.get("/alerts")) == list(range(70, 120))
            assert numbers(await client.get("/alerts?limit=3")) == [117, 118, 119]

    async def test_an_alert_is_told_with_every_field_as_it_was_written(self, stage: Stage) -> None:
        said = alert(1, largest=Largest(venue="bybit", symbol="BTCUSDT", side=Side.SHORT, usd=1e6, at=NOW))
        await stage.say(said)
        async with inside(stage) as client:
            page = await client.get("/alerts")

            assert msgspec.json.decode(page.content, type=shapes.Page).alerts == [said]
            assert page.json()["alerts"][0]["estimated"] is None
            assert (await client.get(f"/alerts/{said.id}")).json() == page.json()["alerts"][0]

    @pytest.mark.parametrize(
        ("asked", "count"),
        [
            *((asked, count) for asked in ("", "&limit=1", "&limit=7") for count in (0, 1, 7)),
            *((asked, count) for asked in ("", "&limit=7", "&limit=500") for count in (KEEP + 3, 2 * KEEP + 11)),
            *((asked, 2 * KEEP + 11) for asked in ("&asset=ETH", "&asset=ETH&limit=2")),
        ],
    )
    async def test_paging_reads_everything_once(self, stage: Stage, asked: str, count: int) -> None:
        await stage.say(*(alert(n, asset="ETH" if n % 10 == 3 else "BTC") for n in range(count)))
        wanted = [n for n in range(count) if "ETH" not in asked or n % 10 == 3]
        async with inside(stage) as client:
            assert await walk(client, asked) == wanted

    async def test_next_of_an_empty_archive_finds_the_first_alert(self, stage: Stage) -> None:
        async with inside(stage) as client:
            cursor = (await client.get("/alerts")).json()["next"]
            await stage.say(alert(1))
            await stage.say(alert(2))

            assert numbers(await client.get(f"/alerts?since={cursor}")) == [1, 2]

    async def test_next_moves_past_what_the_filter_held_back(self, stage: Stage) -> None:
        await stage.say(alert(1), alert(2))
        async with inside(stage) as client:
            nothing = await client.get("/alerts?asset=DOGE")
            await stage.say(alert(3))

            assert numbers(nothing) == []
            assert numbers(await client.get(f"/alerts?since={nothing.json()['next']}")) == [3]

    async def test_next_of_a_full_page_stands_behind_its_last_alert(self, stage: Stage) -> None:
        await stage.say(*(alert(n) for n in range(5)))
        async with inside(stage) as client:
            page = await client.get("/alerts?since=0-0&limit=2")

            assert numbers(await client.get(f"/alerts?since={page.json()['next']}")) == [2, 3, 4]

    async def test_the_newest_matching_are_found_far_behind_the_newest(self, stage: Stage) -> None:
        await stage.say(alert(0, asset="ETH"), *(alert(n) for n in range(1, 3 * KEEP)))
        async with inside(stage) as client:
            page = await client.get("/alerts?asset=ETH")

            assert numbers(page) == [0]
            assert numbers(await client.get(f"/alerts?since={page.json()['next']}")) == []

    async def test_what_another_replica_wrote_is_there_at_once(self, stage: Stage) -> None:
        async with inside(stage) as client:
            assert numbers(await client.get("/alerts")) == []
            await stage.say(alert(1), ring=False)
            assert numbers(await client.get("/alerts")) == [1]
            await stage.say(alert(2), ring=False)
            assert numbers(await client.get("/alerts")) == [1, 2]

    async def test_pollers_share_one_look_at_the_ledger_and_never_read_old_alerts_again(self, stage: Stage) -> None:
        await stage.say(*(alert(n) for n in range(10)))
        async with inside(stage) as client:
            cursor = (await client.get("/alerts")).json()["next"]
            stage.ledger.asked.clear()
            for _ in range(3):
                await client.get(f"/alerts?since={cursor}")

        assert stage.ledger.asked == [(cursor, KEEP)] * 3


class TestExplanation:
    async def test_how_an_alert_came_about_is_told_to_whoever_asks_and_nobody_else(self, stage: Stage) -> None:
        behind = Explained(
            inputs={"early": 12.5}, levels={"early": 9.0}, rules=(Fired(rule="early", fired=True, because="12.5 of 9"),)
        )
        await stage.say(alert(1, explain=behind))
        async with inside(stage) as client:
            asked = (await client.get("/alerts/BTC-short-1.1?explain=1")).json()
            plain = [
                (await client.get("/alerts/BTC-short-1.1")).json(),
                (await client.get("/alerts")).json()["alerts"][0],
            ]
            wrong = await client.get("/alerts/BTC-short-1.1?explain=maybe")

        assert asked["explain"] == {
            "inputs": {"early": 12.5},
            "levels": {"early": 9.0},
            "rules": [{"rule": "early", "fired": True, "because": "12.5 of 9"}],
        }
        assert [one for one in plain if "explain" in one] == []
        assert plain[0] == plain[1] == {name: value for name, value in asked.items() if name != "explain"}
        assert wrong.status_code == 422
        assert wrong.json()["allowed"] == ["1", "true", "0", "false"]


class TestFilters:
    @pytest.mark.parametrize(
        ("asked", "wanted"),
        [
            ("kind=long_flush", [2]),
            ("kind=long_flush,short_squeeze", [1, 2, 3, 4]),
            ("asset=eth", [2]),
            ("asset=ETH,ALL", [2, 3]),
            ("asset=ETH&asset=ALL", [2, 3]),
            ("venue=okx", [2]),
            ("venue=okx,bybit", [1, 2, 4]),
            ("severity=watch", [1, 2, 3, 4]),
            ("severity=warning", [2, 3]),
            ("severity=critical", [3]),
            ("phase=grew,closed", [3, 4]),
            ("phase=Opened", [1, 2]),
            ("state=open", [1, 3]),
            ("state=closed", [2, 4]),
            ("state=open&severity=warning&asset=", [3]),
            ("kind=short_squeeze&venue=okx", []),
            ("notice=1", [1, 3, 4]),
            ("notice=false", [2]),
        ],
    )
    async def test_each_filter_lets_through_what_it_says(self, stage: Stage, asked: str, wanted: list[int]) -> None:
        await stage.say(
            alert(1),
            alert(2, kind=Kind.LONG_FLUSH, asset="ETH", venues={"okx": 1.0}, severity=Severity.WARNING, parent="ALL-1"),
            alert(3, asset="ALL", venues={"binance": 1.0}, severity=Severity.CRITICAL, phase=Phase.GREW),
            alert(4, phase=Phase.CLOSED),
        )
        stage.open = [episode("BTC-short-1"), episode("BTC-short-3")]
        async with inside(stage) as client:
            assert numbers(await client.get(f"/alerts?{asked}")) == wanted
            assert numbers(await client.get(f"/alerts?since=0-0&{asked}")) == wanted

    async def test_state_is_the_present_one_though_nothing_was_said_since(self, stage: Stage) -> None:
        await stage.say(alert(1))
        async with inside(stage) as client:
            assert numbers(await client.get("/alerts?state=open")) == []
            stage.open = [episode("BTC-short-1")]
            assert numbers(await client.get("/alerts?state=open")) == [1]

    @pytest.mark.parametrize(
        ("asked", "detail", "allowed", "nearest"),
        [
            ("assets=BTC", "unknown parameter assets; did you mean asset?", None, ["asset"]),
            ("limit=000000001999999", "limit=000000001999999 is out of bounds", ["1 to 500"], []),
            ("severity=high", "severity=high is unknown", ["watch", "warning", "critical"], []),
            (
                "severity=critcal",
                "severity=critcal is unknown; did you mean critical?",
                ["watch", "warning", "critical"],
                ["critical"],
            ),
            ("venue=bybit,binanse", "venue=binanse is unknown; did you mean binance?", list(TABLE), ["binance"]),
            ("state=opened", "state=opened is unknown; did you mean open?", ["open", "closed"], ["open"]),
            (
                "kind=squeeze",
                "kind=squeeze is unknown; did you mean short_squeeze?",
                ["short_squeeze", "long_flush"],
                ["short_squeeze"],
            ),
            ("phase=grown", "phase=grown is unknown; did you mean grew?", ["opened", "grew", "closed"], ["grew"]),
            ("asset=B$", "asset=B$ is not the name of an asset", ["ALL", "BTC", "ETH", "..."], []),
            ("limit=0", "limit=0 is out of bounds", ["1 to 500"], []),
            ("limit=501", "limit=501 is out of bounds", ["1 to 500"], []),
            ("limit=ten", "limit=ten is out of bounds", ["1 to 500"], []),
            ("limit=1&limit=2", "limit=1,2 is out of bounds", ["1 to 500"], []),
            ("wait=31", "wait=31 is out of bounds", ["0 to 30 seconds"], []),
            ("wait=nan", "wait=nan is out of bounds", ["0 to 30 seconds"], []),
            ("wait=soon", "wait=soon is out of bounds", ["0 to 30 seconds"], []),
            ("since=yesterday", "since=yesterday is not a cursor", None, []),
            ("since=1-99999999999999999999", "since=1-99999999999999999999 is not a cursor", None, []),
        ],
    )
    async def test_a_wrong_question_is_told_what_is_allowed(
        self, stage: Stage, asked: str, detail: str, allowed: list[str] | None, nearest: list[str]
    ) -> None:
        async with inside(stage) as client:
            told = problem(await client.get(f"/alerts?{asked}"), 422)

        assert (told.detail, told.nearest) == (detail, nearest)
        assert told.allowed == allowed if allowed is not None else told.allowed


class TestTags:
    async def test_the_same_page_is_not_sent_twice(self, stage: Stage) -> None:
        await stage.say(alert(1))
        async with inside(stage) as client:
            first = await client.get("/alerts")
            tag = first.headers["etag"]
            again = await client.get("/alerts", headers={"If-None-Match": tag})
            await stage.say(alert(2))
            other = await client.get("/alerts", headers={"If-None-Match": tag})

        assert re.fullmatch(r'"[0-9a-f]{24}"', tag)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert "content-type" not in again.headers
        assert other.status_code == 200
        assert other.headers["etag"] != tag
        assert {one.headers["cache-control"] for one in (first, again, other)} == {"no-cache"}

    @pytest.mark.parametrize("header", ["*", "W/{}", '"a", {}', '"a",W/{} , "b"'])
    async def test_every_way_of_naming_a_tag_is_understood(self, stage: Stage, header: str) -> None:
        async with inside(stage) as client:
            for path in ("/alerts?limit=2", "/windows", "/episodes", "/venues", "/config", "/healthz", "/"):
                tag = (await client.get(path)).headers["etag"]
                again = await client.get(path, headers={"If-None-Match": header.format(tag)})
                assert again.status_code == 304, path

    async def test_a_waiting_answer_has_no_tag(self, stage: Stage) -> None:
        await stage.say(alert(1))
        async with inside(stage) as client:
            answer = await client.get("/alerts?wait=1", headers={"If-None-Match": "*"})

        assert answer.status_code == 200
        assert "etag" not in answer.headers


#: 2025-10-10T21:15Z, in China the eleventh.
OCTOBER = 1_760_130_900_000
COVERAGE = {
    "venues_live": 3,
    "venues": 3,
    "seconds_share": 1.0,
    "healed_share": None,
    "by_venue": {},
    "leaving_out": [],
}


class TestWindows:
    async def test_a_window_says_how_much_on_which_side_and_where(self, stage: Stage) -> None:
        await self.fill(stage)
        async with inside(stage) as client:
            answer = (await client.get("/windows")).json()

        both = {"long_usd": 2e6, "short_usd": 8e6, "total_usd": 10e6, "share": 0.8, "long_count": 1, "short_count": 2}
        both |= {"mid_usd": 10e6, "hi_usd": 10e6}
        bitcoin = {"long_usd": 2e6, "short_usd": 6e6, "total_usd": 8e6, "share": 0.75, "long_count": 1}
        ether = {"long_usd": 0.0, "short_usd": 2e6, "total_usd": 2e6, "share": 1.0, "long_count": 0, "short_count": 1}
        assert answer == both | {
            "asset": "ALL",
            "span": "1h",
            "now": NOW,
            "at_least": False,
            "coverage": COVERAGE,
            "by_venue": {"bybit": bitcoin | {"short_count": 1}, "okx": ether},
            "by_symbol": {"BTCUSDT": bitcoin | {"short_count": 1}, "ETH-USDT-SWAP": ether},
            "by_asset": {"BTC": bitcoin | {"short_count": 1}, "ETH": ether},
            "largest": {"venue": "bybit", "symbol": "BTCUSDT", "side": "short", "usd": 6e6, "at": NOW - 5 * MINUTE},
            "estimated": None,
            "certainty": None,
            "second_opinion": None,
            "simulated": False,
        }

    async def test_all_spans_come_at_once(self, stage: Stage) -> None:
        await self.fill(stage)
        async with inside(stage) as client:
            answer = (await client.get("/windows?asset=btc&span=all")).json()
            single = (await client.get("/windows?asset=BTC&span=15m")).json()

        assert (answer["asset"], answer["now"], list(answer["spans"])) == ("BTC", NOW, list(SPANS))
        assert answer["spans"]["15m"] == single
        assert answer["spans"]["5m"]["total_usd"] == 0
        assert answer["spans"]["5m"]["share"] is None
        assert answer["spans"]["5m"]["largest"] is None
        assert single["by_asset"] is None

    async def test_a_quiet_asset_with_a_floor_is_known_another_is_not(self, stage: Stage) -> None:
        await self.fill(stage)
        async with inside(stage) as client:
            assert (await client.get("/windows?asset=BTC&span=1m")).json()["total_usd"] == 0
            told = problem(await client.get("/windows?asset=BTCC"), 404)

        assert told.allowed == ["ALL", "BTC", "ETH"]
        assert told.nearest == ["BTC"]
        assert told.detail == "nothing of BTCC was liquidated in the last 24 h; did you mean BTC?"

    async def test_a_window_tells_what_its_old_edge_leaves_out(self, stage: Stage) -> None:
        await stage.ledger.add([order(1e6, NOW - 30_000), order(4e6, NOW - HOUR + 9_000)], NOW)
        stage.clock.moment = NOW + 2_500
        async with inside(stage) as client:
            hour = (await client.get("/windows")).json()
            spans = (await client.get("/windows?span=all")).json()["spans"]

        assert (hour["total_usd"], hour["mid_usd"], hour["hi_usd"]) == (1e6, 4e6, 5e6)
        assert spans["1h"] == hour
        assert (spans["4h"]["total_usd"], spans["4h"]["mid_usd"]) == (5e6, 5e6)

    @pytest.mark.parametrize("span", ["2h", "1H ago", "60"])
    async def test_an_unknown_span_is_told_the_spans(self, stage: Stage, span: str) -> None:
        async with inside(stage) as client:
            assert problem(await client.get(f"/windows?span={span}"), 422).allowed == [*SPANS, "all"]

    @pytest.mark.parametrize(
        ("span", "near"),
        [("2h", ["1h", "4h"]), ("30m", ["15m", "1h"]), ("10s", ["1m"]), ("7d", ["24h"]), ("60m", ["1h"])],
    )
    async def test_an_unknown_length_is_told_the_spans_beside_it(
        self, stage: Stage, span: str, near: list[str]
    ) -> None:
        async with inside(stage) as client:
            assert problem(await client.get(f"/windows?span={span}"), 422).nearest == near

    async def test_a_total_is_a_floor_when_a_venue_shows_only_a_part(self, stage: Stage) -> None:
        await self.fill(stage)
        stage.reports[0] = report("binance", completeness=Completeness.SAMPLED, state=FeedState.DOWN)
        async with inside(stage) as client:
            answer = (await client.get("/windows")).json()

        assert answer["at_least"] is True
        assert answer["coverage"] == COVERAGE | {"venues_live": 2, "leaving_out": ["binance"]}

    async def test_a_total_is_a_floor_when_not_everything_was_heard(self, stage: Stage) -> None:
        await stage.ledger.mark_live(VENUES, NOW - HOUR // 2, NOW)
        async with inside(stage) as client:
            half = (await client.get("/windows")).json()
            stage.reports = []
            unknown = (await client.get("/windows")).json()

        assert (half["at_least"], half["coverage"]["seconds_share"]) == (True, pytest.approx(0.5, abs=0.01))
        assert (unknown["at_least"], unknown["coverage"]["seconds_share"]) == (True, None)

    @staticmethod
    async def fill(stage: Stage) -> None:
        at = NOW - 5 * MINUTE
        ether = {"venue": "okx", "symbol": "ETH-USDT-SWAP", "asset": "ETH"}
        orders = [order(2e6, at - 20_000, Side.LONG), order(6e6, at), order(2e6, at - 20_000, **ether)]
        await stage.ledger.add(orders, NOW)
        await stage.ledger.mark_live(VENUES, NOW - 25 * HOUR, NOW)


class TestRecords:
    async def test_what_still_stands_is_told_by_measure_and_side_with_both_dates(self, stage: Stage) -> None:
        self.fill(stage)
        async with inside(stage) as client:
            answer = (await client.get("/records?measure=24h&side=short")).json()

        peak = {"measure": "24h short", "comparable": True}
        assert answer == {
            "asset": "ALL",
            "now": NOW,
            "simulated": False,
            "first_at": OCTOBER - 24 * HOUR,
            "regime": "bybit:complete",
            "alike_since": None,
            "zone": "UTC+8",
            "records": [
                peak | {"usd": 322.0, "at": NOW - 7 * 24 * HOUR, "date": "2026-01-06", "zone_date": "2026-01-07"},
                peak | {"usd": 2456.0, "at": OCTOBER, "date": "2025-10-10", "zone_date": "2025-10-11"},
            ],
        }

    async def test_the_limit_keeps_the_largest_and_every_measure_and_side_is_there(self, stage: Stage) -> None:
        self.fill(stage)
        async with inside(stage) as client:
            rows = (await client.get("/records?limit=1")).json()["records"]

        assert [(row["measure"], row["usd"]) for row in rows] == [
            (f"{measure} {side}", 2456.0) for measure in ("hour", "24h") for side in ("short", "total")
        ]

    async def test_what_lies_behind_a_change_of_the_venues_is_not_comparable(self, stage: Stage) -> None:
        self.fill(stage)
        quiet = Reading(asset="ALL", now=NOW - HOUR, spans=dict.fromkeys(SPANS, Totals()))
        stage.boards["ALL"] = seen(stage.boards["ALL"], quiet, "bybit:complete okx:partial")
        async with inside(stage) as client:
            answer = (await client.get("/records?side=short")).json()

        assert (answer["regime"], answer["alike_since"]) == ("bybit:complete okx:partial", NOW - HOUR)
        assert {row["comparable"] for row in answer["records"]} == {False}

    async def test_without_a_memory_there_are_no_records_and_no_beginning(self, stage: Stage) -> None:
        async with inside(stage) as client:
            answer = (await client.get("/records?asset=BTC")).json()
            told = problem(await client.get("/records?asset=NOBODY"), 404)

        assert (answer["asset"], answer["first_at"], answer["regime"], answer["records"]) == ("BTC", None, None, [])
        assert told.allowed == ["ALL", "BTC"]

    @pytest.mark.parametrize(
        ("asked", "allowed"),
        [
            ("measure=week", ["hour", "day", "24h"]),
            ("side=shorts", ["long", "short", "total"]),
            ("span=1h", ["asset", "measure", "side", "limit"]),
            ("limit=0", ["1 to 100"]),
        ],
    )
    async def test_a_wrong_question_is_told_what_is_allowed(self, stage: Stage, asked: str, allowed: list[str]) -> None:
        async with inside(stage) as client:
            assert problem(await client.get(f"/records?{asked}"), 422).allowed == allowed

    @staticmethod
    def fill(stage: Stage) -> None:
        board = Board()
        for at, usd in [(OCTOBER - 24 * HOUR, 1.0), (OCTOBER, 2456.0), (NOW - 7 * 24 * HOUR, 322.0)]:
            spans = dict.fromkeys(SPANS, Totals(short_usd=usd, short_count=1))
            board = seen(board, Reading(asset="ALL", now=at, spans=spans), "bybit:complete")
        stage.boards["ALL"] = board


class TestHouse:
    async def test_open_episodes_are_listed(self, stage: Stage) -> None:
        stage.open = [episode("BTC-short-1")]
        async with inside(stage) as client:
            answer = await client.get("/episodes")

        found = msgspec.json.decode(answer.content, type=shapes.Episodes)
        assert found.episodes == stage.open
        assert found.watching == stage.watching()

    async def test_venues_are_reported(self, stage: Stage) -> None:
        async with inside(stage) as client:
            answer = await client.get("/venues")

        assert msgspec.json.decode(answer.content, type=shapes.Venues).venues == stage.reports

    async def test_kept_frames_are_shown_newest_first_whatever_is_in_them(self, stage: Stage) -> None:
        for number, frame in enumerate(
            ['{"a":', "\x00\ud83d</script>".encode("utf-16", "surrogatepass").decode("latin1")]
        ):
            await stage.ledger.keep(
                BadFrame(venue="okx", frame=frame, reason="decode", detail="no JSON", seen=NOW + number)
            )
        async with inside(stage) as client:
            answer = (await client.get("/venues/okx/bad-frames")).json()
            one = (await client.get("/venues/okx/bad-frames?limit=1")).json()
            told = problem(await client.get("/venues/okex/bad-frames"), 404)

        assert [frame["seen"] for frame in answer["frames"]] == [NOW + 1, NOW]
        assert answer["frames"][1]["frame"] == '{"a":'
        assert one == {"venue": "okx", "frames": answer["frames"][:1]}
        assert told.detail == "there is no venue okex here; did you mean okx?"

    async def test_every_sink_is_told_with_its_place_its_failure_and_what_it_refused(self, stage: Stage) -> None:
        picky = Picky(SinkError("answered 404", permanent=True), None, SinkError("answered 503", permanent=False))
        stage.couriers = [Courier(picky, stage.ledger, stage.changed, now=lambda: NOW)]
        async with inside(stage) as client:
            before = (await client.get("/sinks")).json()
            start = await stage.couriers[0].begin()
            await stage.say(alert(1), alert(2), alert(3))
            work = asyncio.create_task(stage.couriers[0].errand(start))
            await asyncio.sleep(0.05)
            after = await client.get("/sinks")
            work.cancel()

        rows = await stage.ledger.alerts(None, 3)
        [sink] = after.json()["sinks"]
        [refused] = sink.pop("refused")
        nothing = {"name": "picky", "pending": None, "pending_at_least": False, "delivered_through": None}
        assert before == {"now": NOW, "simulated": False, "sinks": [nothing | {"failing": None, "refused": []}]}
        assert sink == {
            "name": "picky",
            "pending": 1,
            "pending_at_least": False,
            "delivered_through": rows[1][0],
            "failing": {"error": "answered 503", "since": NOW},
        }
        assert refused.pop("at") > NOW
        assert refused == {"sink": "picky", "alert": alert(1).id, "cursor": rows[0][0], "reason": "answered 404"}
        assert set(msgspec.json.decode(after.content, type=shapes.Sinks).sinks[0].__struct_fields__) == {
            *sink,
            "refused",
        }

    async def test_settings_are_shown_as_they_are_given(self, stage: Stage) -> None:
        async with inside(stage) as client:
            assert (await client.get("/config")).json() == stage.config

    async def test_alive_is_not_ready(self, stage: Stage) -> None:
        stage.reasons = ["no venue is live", "the ledger does not answer"]
        async with inside(stage) as client:
            alive, ready = await client.get("/healthz"), await client.get("/readyz")

        assert alive.json()["status"] == "alive"
        assert alive.json()["now"] == NOW
        told = problem(ready, 503)
        assert told.problems == stage.reasons
        assert told.detail == "no venue is live; the ledger does not answer"

    async def test_ready_says_so(self, stage: Stage) -> None:
        async with inside(stage) as client:
            answer = await client.get("/readyz")

        assert (answer.status_code, answer.json()) == (200, {"ready": True, "problems": []})

    async def test_metrics_are_what_a_scraper_reads(self, stage: Stage) -> None:
        async with inside(stage) as client:
            answer = await client.get("/metrics")

        assert answer.headers["content-type"].startswith("text/plain; version=")
        assert "cascade_queue_depth" in {family.name for family in text_string_to_metric_families(answer.text)}

    async def test_the_front_door_lists_the_others_and_leads_browsers_to_the_documentation(self, stage: Stage) -> None:
        async with inside(stage) as client:
            listed = await client.get("/")
            led = await client.get("/", headers={"Accept": "text/html,application/xhtml+xml"})

        assert listed.json()["doors"] == DOORS
        assert (led.status_code, led.headers["location"]) == (307, "docs")

    async def test_a_rehearsal_marks_every_answer(self) -> None:
        stage = Stage(simulated=True)
        async with inside(stage) as client:
            for path in ("/alerts", "/windows", "/metrics", "/nowhere", "/healthz", "/docs"):
                assert (await client.get(path)).headers["x-cascade-simulated"] == "1"
            tag = (await client.get("/alerts")).headers["etag"]
            again = await client.get("/alerts", headers={"If-None-Match": tag})
            for path in ("/windows", "/episodes", "/venues", "/healthz", "/"):
                assert (await client.get(path)).json()["simulated"] is True

        assert again.headers["x-cascade-simulated"] == "1"

    async def test_the_real_market_is_not_marked(self, stage: Stage) -> None:
        async with inside(stage) as client:
            assert "x-cascade-simulated" not in (await client.get("/alerts")).headers


class TestProblems:
    async def test_an_unknown_path_is_told_the_doors(self, stage: Stage) -> None:
        async with inside(stage) as client:
            told = problem(await client.get("/alrts"), 404)

        assert told.detail.startswith("there is no /alrts here; did you mean /alerts")
        assert told.allowed == list(DOORS)
        assert told.nearest[0] == "/alerts"

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
    async def test_nothing_can_be_written(self, stage: Stage, method: str) -> None:
        async with inside(stage) as client:
            answer = await client.request(method, "/alerts")

        assert problem(answer, 405).allowed == ["GET"]
        assert answer.headers["allow"] == "GET"

    async def test_an_unknown_alert_is_told_the_newest_and_the_nearest(self, stage: Stage) -> None:
        await stage.say(*(alert(n) for n in range(20)))
        async with inside(stage) as client:
            told = problem(await client.get("/alerts/BTC-short-7"), 404)

        assert told.nearest[0] == "BTC-short-7.1"
        assert told.allowed[0] == "BTC-short-19.1"

    @pytest.mark.parametrize(
        "path",
        ["/alerts", "/alerts?since=0-0", "/alerts/x", "/alerts/stream", "/windows", "/venues/okx/bad-frames", "/sinks"],
    )
    async def test_a_store_that_does_not_answer_is_503_and_comes_back(self, stage: Stage, path: str) -> None:
        async with inside(stage) as client:
            stage.couriers = [Courier(Picky(), stage.ledger, stage.changed)]
            stage.ledger.down = True
            answer = await client.get(path)
            stage.ledger.down = False
            if path == "/alerts":
                assert numbers(await client.get(path)) == []

        assert (
            problem(answer, 503).detail == "the ledger does not answer; orders are kept and nothing is lost, try again"
        )
        assert answer.headers["retry-after"] == "1"

    async def test_a_mistake_of_ours_is_a_problem_without_its_inside(self, stage: Stage) -> None:
        stage.config = {"bad": object()}
        async with inside(stage) as client:
            told = problem(await client.get("/config"), 500)

        assert told.detail == "the service made a mistake; its log has the details"


class TestDocumentation:
    async def test_the_page_needs_no_other_host(self, stage: Stage) -> None:
        async with inside(stage) as client:
            page = await client.get("/docs")
            named = re.findall(r'(?:src|href)="([^"]+)"', page.text)
            files = [await client.get(f"/{name}") for name in named if name.startswith("docs/")]

        assert sorted(named) == ["data:,", "docs/swagger-ui-bundle.js", "docs/swagger-ui.css"]
        assert "//" not in re.sub(r"//.*$|<!--.*?-->", "", page.text, flags=re.MULTILINE)
        assert '"validatorUrl": null' in page.text
        assert [one.status_code for one in files] == [200, 200]
        assert all(len(one.content) > 100_000 for one in files)
        assert {one.headers["cache-control"] for one in files} == {"public, max-age=86400"}

    async def test_no_other_file_leaves_through_the_documentation(self, stage: Stage) -> None:
        async with inside(stage) as client:
            for name in ("redoc.standalone.js", "..%2f__init__.py", "favicon.png"):
                assert problem(await client.get(f"/docs/{name}"), 404)

    async def test_every_door_is_described(self, schema: dict[str, Any]) -> None:
        assert {*schema["paths"], "/docs", "/openapi.json"} == {*DOORS, "/"}
        assert [path for path in schema["paths"] if "alerts" in path] == ["/alerts", "/alerts/stream", "/alerts/{id}"]

    async def test_every_answer_has_a_schema_and_every_error_is_a_problem(self, schema: dict[str, Any]) -> None:
        for path, methods in schema["paths"].items():
            responses = methods["get"]["responses"]
            assert set(responses) == {"200", "default"}, path
            assert list(responses["default"]["content"]) == ["application/problem+json"]
            (content,) = responses["200"]["content"].values()
            assert content["schema"], path

    async def test_every_reference_leads_somewhere(self, schema: dict[str, Any]) -> None:
        known = {f"#/components/schemas/{name}" for name in schema["components"]["schemas"]}
        named = set(re.findall(r'"\$ref":"([^"]+)"', msgspec.json.encode(schema).decode()))

        assert named == known & named
        assert "#/components/schemas/Alert" in named

    async def test_every_field_has_a_meaning(self, schema: dict[str, Any]) -> None:
        silent = [
            f"{name}.{field}"
            for name, one in schema["components"]["schemas"].items()
            for field, what in one.get("properties", {}).items()
            if not what.get("description")
        ]

        assert silent == []

    async def test_every_parameter_that_is_described_is_understood(self, schema: dict[str, Any], stage: Stage) -> None:
        values = {"since": "0-0", "limit": "5", "wait": "0", "asset": "BTC", "span": "4h", "notice": "1"}
        async with inside(stage) as client:
            for path in ("/alerts", "/windows", "/records", "/venues/{name}/bad-frames"):
                for one in schema["paths"][path]["get"]["parameters"]:
                    if one["in"] != "query":
                        continue
                    items = one["schema"].get("items", one["schema"])
                    value = values.get(one["name"]) or items["enum"][0]
                    answer = await client.get(path.format(name="okx"), params={one["name"]: value})
                    assert answer.status_code == 200, answer.text
                    assert one["description"]

    async def test_real_answers_have_the_described_fields(self, schema: dict[str, Any], stage: Stage) -> None:
        await stage.say(alert(1))
        stage.open = [episode("BTC-short-1")]
        components = schema["components"]["schemas"]
        async with inside(stage) as client:
            for path, name in {
                "/alerts": "Page",
                "/windows": "Window",
                "/records": "Records",
                "/venues": "Venues",
                "/sinks": "Sinks",
                "/readyz": "Ready",
            }.items():
                answer = (await client.get(path)).json()
                assert set(answer) == set(components[name]["properties"]), path
            said = (await client.get("/alerts")).json()["alerts"][0]
            assert {*said, "explain"} == set(components["Alert"]["properties"])
            assert "explain" not in said, "a long field that nobody asked for"

    @pytest.fixture
    async def schema(self, stage: Stage) -> dict[str, Any]:
        async with inside(stage) as client:
            found: dict[str, Any] = (await client.get("/openapi.json")).json()
        return found


def test_the_table_of_meanings_has_no_word_that_is_nowhere() -> None:
    fields = {field for one in components().values() for field in one.get("properties", {})}
    assert set(MEANING) == fields
    assert set(Alert.__struct_fields__) <= fields
