"""The command `cascade lab`: from arguments to tables. Imports numpy only when asked, and says what to install."""

import argparse
import asyncio
import sys

from tqdm import tqdm

from service.lab import LabError


async def lab(args: argparse.Namespace, stop: asyncio.Event) -> int:
    """Run the bench, print its tables, write all of it to `--json`. Raises LabError for what cannot be run."""
    try:
        from service.lab import bench, run, table  # noqa: PLC0415  # an extra: nobody who watches needs numpy
    except ModuleNotFoundError as error:
        if error.name != "numpy":
            raise
        raise LabError("it needs numpy, the extra `lab`: pip install 'cascade-monitor[lab]'") from None
    plan = run.Plan(
        seeds=tuple(args.seeds),
        months=args.months,
        warm_up_days=args.warm_up_days,
        quiet_days=args.quiet_days,
        budget=args.budget,
        feeds=tuple(args.feeds or run.FEEDS_BY_DEFAULT),
        detectors=tuple(args.detectors or bench.BY_DEFAULT),
        jobs=args.jobs,
        sided_news=args.sided_news,
    ).checked()
    with tqdm(total=plan.days, unit="days", file=sys.stderr, disable=not sys.stderr.isatty()) as bar:

        def tell(days: int) -> None:
            if stop.is_set():
                raise LabError("interrupted")
            bar.update(days)

        trials = await asyncio.to_thread(run.run, plan, tell)
    tqdm.write("\n".join(table.lines(plan, trials)))
    if args.json:
        args.json.write_bytes(table.document(plan, trials))
    return 0
