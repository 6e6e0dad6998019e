"""Any context the records allow, old and incomplete pieces among them."""

from hypothesis import strategies as st

from service.model import HOUR, Context, Divergence, EtfFlow, FundingNow, OiMove, Rates, Side

AT = 1_768_342_440_000
_usd = st.floats(0, 5e10, allow_nan=False)
_signed = st.floats(-5e9, 5e9, allow_nan=False)
_share = st.floats(0, 1, allow_nan=False)
_moment = st.integers(AT - 9_600 * HOUR, AT)
_day = st.sampled_from(["2026-01-12", "2026-01-13"])
_rules = ["aligned_up", "hollow_squeeze", "leverage_only_up", "absorption", "aligned_down", "leverage_only_down"]

FLOWS = st.builds(
    EtfFlow,
    asset=st.sampled_from(["BTC", "ETH", "SOL"]),
    date=_day,
    usd=_signed,
    units=st.none(),
    funds=st.just({}),
    complete=st.booleans(),
    source=st.just("recorded"),
    told_at=_moment,
    revised_from_usd=st.none(),
    streak=st.integers(-120, 120),
    largest_since=st.sampled_from([None, "2025-10-06", "2026-01-08"]),
    first_date=st.just("2024-01-11"),
    usual_usd=st.none() | _usd,
    five_day_usd=st.none() | _signed,
    way=st.sampled_from(["in", "out", "flat"]),
    fresh=st.booleans(),
    streak_at_least=st.booleans(),
)
_moves = st.builds(
    OiMove,
    asset=st.just("BTC"),
    venues=st.sampled_from([("binance",), ("binance", "bybit")]),
    usd=st.floats(1, 5e10),
    change_pct=st.floats(-60, 60),
    since=_moment,
    at=st.just(AT),
    liquidated_usd=st.none() | _usd,
    share=st.none() | _share,
    at_least=st.booleans(),
    ratio=st.none() | st.floats(-9, 9),
    word=st.sampled_from([None, "confirms", "more", "none"]),
    missing=st.just(()),
)
_funding = st.builds(
    FundingNow,
    asset=st.just("BTC"),
    rate_8h=st.floats(-0.02, 0.02),
    percentile=st.none() | _share,
    days=st.just(90.0),
    crowded=st.none() | st.sampled_from(Side),
    venues=st.just(("binance",)),
    at=_moment,
)
_rates = st.builds(
    Rates,
    target_low=st.just(3.5),
    target_high=st.just(3.75),
    sofr=st.none(),
    three_month=st.none(),
    two_year=st.none(),
    dates=st.just({}),
    implied=st.none(),
    word=st.sampled_from([None, "lower"]),
    next_meeting=st.none(),
    days_to_meeting=st.none() | st.integers(0, 40),
    source=st.just("recorded"),
    told_at=_moment,
    fresh=st.booleans(),
)
_divergences = st.builds(
    Divergence,
    rule=st.sampled_from(_rules),
    diverges=st.booleans(),
    flow_usd=_signed,
    date=_day,
    forced_usd=st.none() | _usd,
    ratio=st.none() | st.floats(0, 9),
)
_why = st.sampled_from(["farside answered 403.", "no figure for 2026-01-13 yet", "the table\n<b>has gone;", "x" * 900])
_names = st.sampled_from(["open_interest", "etf BTC", "etf BTC units", "rates", "share"])

CONTEXTS = st.builds(
    Context,
    asset=st.just("BTC"),
    oi=st.none() | _moves,
    funding=st.none() | _funding,
    flows=st.lists(FLOWS, max_size=3, unique_by=lambda flow: flow.asset).map(tuple),
    rates=st.none() | _rates,
    divergence=st.none() | _divergences,
    missing=st.dictionaries(_names, _why, max_size=3),
)
