"""The evening of 2026-01-13 and the two days after it, replayed with what stood beside: every figure is the files'."""

import contextlib
import csv
import gzip
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service import cli
from tests.shared import recorded

TAPE = "data/coinglass_btc_liq/btc_liq_1h.csv.gz"
OI = "data/oi_funding/binance_oi_5m_BTC_ETH_SOL.csv.gz"
FUNDING = "data/oi_funding/funding_binance_bybit_okx_hyperliquid.csv.gz"
FLOWS = "data/etf_flows/etf_daily_net_flows.csv.gz"
#: Hours of BTC from here on are told of, so that the days after the evening have alerts too.
FLOOR = "[detector.floors]\nBTC = 5_000_000\n"
MILLION = 1e6


def moment(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


SINCE, UNTIL = moment("2026-01-12 12:00"), moment("2026-01-16 12:00")


def rows(name: str) -> Iterator[dict[str, str]]:
    with gzip.open(recorded(name), "rt") as file:
        yield from csv.DictReader(file)


def cut(name: str, folder: Path) -> Path:
    """The file's rows of these days: the whole is half a year."""
    path = folder / Path(name).name.removesuffix(".gz")
    with gzip.open(recorded(name), "rt") as file, path.open("w") as out:
        out.write(next(file))
        out.writelines(line for line in file if SINCE <= int(line.partition(",")[0]) < UNTIL)
    return path


@pytest.fixture(scope="module")
def alerts(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    folder = tmp_path_factory.mktemp("replay")
    (folder / "cascade.toml").write_text(FLOOR)
    files = [cut(TAPE, folder), "--context", cut(OI, folder), cut(FUNDING, folder), recorded(FLOWS)]
    words = [*map(str, files), "--json", "--config", str(folder / "cascade.toml")]
    said, told = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(told):
        assert cli.main(["replay", *words]) == 0
    assert "replay: recorded: 7 rows of BTC refused: 2025-11-27 (Thanksgiving Day), " in told.getvalue()
    return [json.loads(line) for line in said.getvalue().splitlines()]


def of(alerts: list[dict], asset: str, since: str, until: str) -> list[dict]:
    found = [one for one in alerts if one["asset"] == asset and moment(since) <= one["at"] < moment(until)]
    assert found, f"no alert of {asset} from {since} to {until}"
    return found


@pytest.mark.parametrize(
    ("since", "until", "day", "streak"),
    [
        ("2026-01-13 22:00", "2026-01-14 05:00", "2026-01-12", 1),
        ("2026-01-14 05:00", "2026-01-15 05:00", "2026-01-13", 2),
        ("2026-01-15 05:00", "2026-01-16 05:00", "2026-01-14", 3),
    ],
)
def test_the_flow_an_alert_tells_is_the_last_that_was_published_by_then(alerts, since, until, day, streak):
    [usd] = [float(row["total_net_flow_usd_m"]) * MILLION for row in rows(FLOWS) if (row["date"], row["asset"]) == (day, "BTC")]  # fmt: skip

    for alert in of(alerts, "BTC", since, until):
        [flow] = alert["context"]["flows"]
        assert (flow["date"], flow["streak"], flow["fresh"]) == (day, streak, True)
        assert flow["usd"] == pytest.approx(usd)
        assert flow["told_at"] <= alert["at"]
        month_day = f"Jan {int(day[-2:])}"
        assert f"ETFs took in ${usd / MILLION:.1f}M of BTC on {month_day}" in alert["why"]["en"]


def test_open_interest_of_the_evening_is_the_files_from_the_onset_on(alerts):
    told = {int(row["ts_ms"]): float(row["oi_base"]) for row in rows(OI) if row["symbol"] == "BTCUSDT"}
    before = told[moment("2026-01-13 22:00")]
    assert before == pytest.approx(97_358, abs=1)
    assert told[moment("2026-01-13 23:00")] == pytest.approx(94_946, abs=1)

    for alert in of(alerts, "ALL", "2026-01-13 22:00", "2026-01-13 23:00"):
        move = alert["context"]["oi"]
        now = told[alert["at"] // 300_000 * 300_000]
        assert move["since"] == moment("2026-01-13 22:00")
        assert move["change_pct"] == pytest.approx((now / before - 1) * 100, abs=1e-3)
        assert round(move["change_pct"], 1) == -2.5
        assert "BTC open interest on binance fell 2.5% since 22:00 UTC" in alert["why"]["en"]
        assert "未平仓量自22:00 UTC起减少2.5%" in alert["why"]["zh"]


def test_an_episode_that_is_over_is_compared_with_before_it_began(alerts):
    [closed] = [one for one in of(alerts, "ALL", "2026-01-13 22:00", "2026-01-14 05:00") if one["phase"] == "closed"]

    assert closed["context"]["oi"]["since"] == moment("2026-01-13 22:00")


def test_funding_is_the_last_payment_before_the_alert(alerts):
    """Open interest is recorded of Binance alone, so its rate has all the weight."""
    paid = [(int(row["ts_ms"]), float(row["funding_rate"])) for row in rows(FUNDING) if (row["venue"], row["symbol"]) == ("binance", "BTC")]  # fmt: skip

    for alert in of(alerts, "BTC", "2026-01-13 22:00", "2026-01-16 05:00"):
        at, rate = max(pair for pair in paid if pair[0] <= alert["at"])
        funding = alert["context"]["funding"]
        assert (funding["at"], funding["venues"]) == (at, ["binance"])
        assert funding["rate_8h"] == pytest.approx(rate)


def test_a_total_of_three_venues_is_no_part_of_one_venues_open_interest(alerts):
    for alert in alerts:
        move, why = alert["context"]["oi"], alert["context"]["missing"]["share"]
        assert (move["share"], move["liquidated_usd"], move["ratio"], move["word"]) == (None, None, None, None)
        assert why == "liquidations are counted of coinglass(Binance+Bybit+OKX), open interest is known of binance"
        assert "% of it" not in alert["why"]["en"]


def test_shorts_that_died_while_etfs_bought_and_longs_that_died_while_etfs_bought_have_their_rules(alerts):
    squeeze = of(alerts, "BTC", "2026-01-14 14:00", "2026-01-14 16:00")[0]
    flush = of(alerts, "BTC", "2026-01-15 14:00", "2026-01-15 16:00")[0]

    assert squeeze["context"]["divergence"] | {"ratio": None, "forced_usd": None} == {
        "rule": "aligned_up",
        "diverges": False,
        "flow_usd": 753.8e6,
        "date": "2026-01-13",
        "forced_usd": None,
        "ratio": None,
    }
    assert squeeze["context"]["divergence"]["ratio"] == pytest.approx(753.8e6 / squeeze["context"]["divergence"]["forced_usd"], abs=1e-4)  # fmt: skip
    assert "Shorts are closed by force, and ETFs took money in on Jan 13: both buyers." in squeeze["why"]["en"]
    assert (flush["side"], flush["context"]["divergence"]["rule"]) == ("long", "absorption")
    assert flush["context"]["divergence"]["diverges"]


def test_all_coins_stand_beside_the_sum_of_one_day(alerts):
    day = {row["asset"]: float(row["total_net_flow_usd_m"]) for row in rows(FLOWS) if row["date"] == "2026-01-12"}

    for alert in of(alerts, "ALL", "2026-01-13 22:00", "2026-01-14 05:00"):
        assert alert["context"]["asset"] == "BTC"
        assert alert["context"]["divergence"]["flow_usd"] == pytest.approx(sum(day.values()) * MILLION)
