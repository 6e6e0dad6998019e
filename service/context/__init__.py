"""The slow beside the fast: leverage, ETF flows and rates, each with its age and its source. Opens no episode."""
