"""GET /context: what is known is told with its age, what is not is null with a reason, and nothing of it is a secret."""

import msgspec
import pytest

from service.api import shapes
from service.api.context import OFF
from service.api.meanings import MEANING
from service.api.schema import components
from service.model import Context, ContextReport
from tests import beside
from tests.stage import NOW, Stage, inside
from tests.test_api import problem


@pytest.fixture
def stage() -> Stage:
    made = Stage()
    made.beside = {"ALL": beside.full("ALL"), "BTC": beside.full("BTC"), "ETH": beside.unknown("ETH")}
    made.config = {"detector": {"floors": {"ALL": 1e8, "BTC": 3e7, "ETH": 2e7, "default": 5e6}}}
    return made


async def test_an_answer_is_the_report_with_every_field_and_says_whose_leverage_it_is(stage: Stage) -> None:
    async with inside(stage) as client:
        whole = await client.get("/context")
        bitcoin = await client.get("/context?asset=btc")

    told = msgspec.json.decode(whole.content, type=shapes.Beside)
    for field in ContextReport.__struct_fields__:
        said = getattr(told, field)
        assert (tuple(said) if field in {"flows", "sources"} else said) == getattr(stage.beside["ALL"], field), field
    assert whole.json()["leverage"]["asset"] == "BTC"
    assert (whole.json()["asset"], bitcoin.json()["asset"]) == ("ALL", "BTC")
    assert whole.json()["simulated"] is False
    assert whole.json()["now"] == NOW
    assert whole.json()["leverage"]["missing"] == {"bitmex": "its last figure is 14 min old"}


async def test_what_is_unknown_is_null_with_its_reason_and_never_zero(stage: Stage) -> None:
    async with inside(stage) as client:
        told = (await client.get("/context?asset=ETH")).json()

    assert (told["leverage"], told["rates"]) == (None, None)
    assert [told["risk"][side]["score"] for side in ("long", "short")] == [None, None]
    assert told["risk"]["short"]["reason"] == beside.YOUNG
    assert told["flows"][0]["fresh"] is False
    assert set(told["missing"]) == {"open_interest", "funding", "risk", "etf BTC", "rates"}
    assert told["sources"][0]["answered_at"] is None


async def test_the_same_answer_is_not_sent_twice(stage: Stage) -> None:
    async with inside(stage) as client:
        tag = (await client.get("/context")).headers["etag"]
        again = await client.get("/context", headers={"If-None-Match": tag})
        stage.beside["ALL"] = beside.full("ALL", NOW + 1)
        other = await client.get("/context", headers={"If-None-Match": tag})

    assert (again.status_code, again.content, other.status_code) == (304, b"", 200)


async def test_an_unknown_coin_or_parameter_is_told_what_is_allowed(stage: Stage) -> None:
    stage.beside["BTD"] = beside.unknown("BTD")
    async with inside(stage) as client:
        coin = problem(await client.get("/context?asset=BTD"), 404)
        name = problem(await client.get("/context?assets=BTC"), 422)
        span = problem(await client.get("/context?span=1h"), 422)

    assert coin.allowed == ["ALL", "BTC", "ETH"]
    assert coin.nearest == ["BTC"]
    assert (name.nearest, span.allowed) == (["asset"], ["asset"])


async def test_a_coin_of_which_nothing_was_liquidated_is_told_of_where_its_leverage_is_known(stage: Stage) -> None:
    stage.beside["TON"] = beside.full("TON")
    async with inside(stage) as client:
        told = (await client.get("/context?asset=TON")).json()

    assert told["leverage"]["asset"] == "TON"


async def test_where_context_is_switched_off_the_door_says_so(stage: Stage) -> None:
    stage.beside = {}
    async with inside(stage) as client:
        assert problem(await client.get("/context"), 404).detail == OFF


async def test_a_rehearsal_says_so(stage: Stage) -> None:
    stage.simulated = True
    async with inside(stage) as client:
        answer = await client.get("/context")

    assert answer.json()["simulated"] is True
    assert answer.headers["x-cascade-simulated"] == "1"


def test_every_field_an_alert_may_tell_of_its_context_has_a_meaning() -> None:
    schemas = components()
    for name in ("Context", "OiMove", "FundingNow", "Risk", "RiskPart", "EtfFlow", "Rates", "Divergence", "Beside"):
        fields = schemas[name]["properties"]
        assert set(fields) <= set(MEANING), name
        assert all("description" in field for field in fields.values()), name
    assert set(Context.__struct_fields__) == set(schemas["Context"]["properties"])
