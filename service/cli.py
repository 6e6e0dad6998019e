"""The command line: `cascade`. Parses, calls one door, turns its errors into a sentence and an exit code."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from service import __version__, doors
from service.app import StartError
from service.context.recorded import RecordedError
from service.demo import DemoError
from service.instruments import InstrumentsError
from service.lab import LabError
from service.lab.door import lab as lab_door
from service.ledger import LedgerError
from service.model import DecodeError
from service.selfcheck.door import selfcheck as selfcheck_door
from service.settings import SettingsError
from service.simulator import FaultsError
from service.tape import TapeError
from service.venues import VENUES

#: What a user can mend: one sentence on stderr, exit code 2, no traceback.
_EXPECTED = (
    FaultsError,
    SettingsError,
    TapeError,
    StartError,
    DemoError,
    DecodeError,
    InstrumentsError,
    LabError,
    LedgerError,
    OSError,
    RecordedError,
    doors.DoorError,
)

#: How long a command may take to end by itself once it was asked to.
PATIENCE_S = 1.5
INTERRUPTED = 130

Door = Callable[[argparse.Namespace, asyncio.Event], Coroutine[Any, Any, int]]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    args = _parser().parse_args(argv)
    code = 2
    try:
        code = asyncio.run(_until_signal(args.door, args))
    except* BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read us has gone, as `head` does
    except* _EXPECTED as errors:
        for error in _leaves(errors):
            print(f"cascade {args.command}: {error}", file=sys.stderr)
    except* KeyboardInterrupt:
        code = INTERRUPTED
    return code


async def _until_signal(door: Door, args: argparse.Namespace) -> int:
    if door is doors.decode:  # it reads stdin and yields to nobody: only a KeyboardInterrupt ends it
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return await door(args, asyncio.Event())
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    work = asyncio.ensure_future(door(args, stop))

    def ask() -> None:
        stop.set()
        loop.call_later(PATIENCE_S, work.cancel)  # it may be waiting for somebody who does not answer

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ask)
    try:
        return await work
    except asyncio.CancelledError:
        return INTERRUPTED


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cascade", description="Watches liquidation feeds, says when a cascade runs.")
    parser.add_argument("--version", action="version", version=f"cascade {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_run(commands)
    _add_demo(commands)
    _add_replay(commands)
    _add_decode(commands)
    _add_simulate(commands)
    _add_record(commands)
    _add_selfcheck(commands)
    _add_lab(commands)
    _add(commands, "venues", doors.venues, "the table of venues and what their feeds leave out")
    _config(_add(commands, "check", doors.check, "the effective settings, or exactly what is wrong with them"))
    status = _config(_add(commands, "status", doors.status, "health of a running service; exit 1 when not ready"))
    status.add_argument("--url", help="where the service is (default: the host and port of its settings)")
    return parser


def _add(commands: Any, name: str, door: Door, about: str) -> argparse.ArgumentParser:  # argparse's own
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=about, description=about[0].upper() + about[1:] + "."
    )
    parser.set_defaults(door=door)
    return parser


def _config(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings in TOML (default: config/cascade.toml)")
    return parser


def _add_run(commands: Any) -> None:
    _config(_add(commands, "run", doors.run, "watch every enabled venue, live"))


def _add_demo(commands: Any) -> None:
    demo = _add(
        commands, "demo", doors.demo, "local venue servers play the squeeze of 2026-01-13/14 through the service"
    )
    demo.add_argument("--once", action="store_true", help="end after the episode closed; print the alerts served")
    demo.add_argument("--speed", type=_speed, default=60.0, metavar="N", help="N times as fast as life (default 60)")
    demo.add_argument("--keep", action="store_true", help="keep the demo's data when it ends")
    demo.add_argument("--fresh", action="store_true", help="start anew, even if a killed demo could go on")


def _add_replay(commands: Any) -> None:
    replay = _config(_add(commands, "replay", doors.replay, "the same detector over recorded data"))
    replay.add_argument("files", nargs="+", type=Path, metavar="FILE", help="CSV, JSONL (also .gz) or Parquet")
    replay.add_argument(
        "--context", nargs="+", default=[], type=Path, metavar="FILE", help="recorded open interest, funding, ETF flows"
    )
    replay.add_argument("--json", action="store_true", help="one JSON line an alert instead of sentences")
    replay.add_argument("--explain", action="store_true", help="with --json: every input, level and rule behind it too")


def _add_decode(commands: Any) -> None:
    decode = _add(commands, "decode", doors.decode, "raw frames on stdin, normalised orders on stdout")
    decode.add_argument("venue", choices=VENUES, metavar="VENUE", help=", ".join(VENUES))
    decode.add_argument("--instruments", nargs="+", type=Path, default=[], metavar="FILE", help="raw metadata bodies")


def _add_simulate(commands: Any) -> None:
    simulate = _add(commands, "simulate", doors.simulate, "just the local venue servers, playing a tape")
    simulate.add_argument("venues", nargs="+", choices=VENUES, metavar="VENUE", help=", ".join(VENUES))
    simulate.add_argument("--tape", type=Path, metavar="FILE", help="what to play (default: the demo's evening)")
    simulate.add_argument("--speed", type=_speed, default=60.0, metavar="N", help="N times as fast (default 60)")
    simulate.add_argument("--max-gap", type=_speed, metavar="S", help="shorten pauses of the tape to S seconds")
    simulate.add_argument("--relabel", action="store_true", help="play every row, whatever venue it was recorded on")
    simulate.add_argument("--faults", default="", metavar="LIST", help="for example drop=200,duplicate=0.05")
    simulate.add_argument(
        "--settings", type=Path, metavar="FILE", help="write the settings for `cascade run --config` here"
    )


def _add_record(commands: Any) -> None:
    record = _config(_add(commands, "record", doors.record, "raw frames of a venue with receive times"))
    record.add_argument("venue", choices=VENUES, metavar="VENUE", help=", ".join(VENUES))
    record.add_argument("--seconds", type=_speed, metavar="N", help="how long (default: until Ctrl-C)")
    record.add_argument("--out", type=Path, required=True, metavar="FILE", help="JSON lines; appended to")


def _add_selfcheck(commands: Any) -> None:
    about = "what sampled feeds hide, estimated where it is known; exit 1 when the estimate is wrong"
    check = _config(_add(commands, "selfcheck", selfcheck_door, about))
    check.add_argument("files", nargs="*", type=Path, metavar="FILE", help="recorded orders (default: the ledger's)")
    check.add_argument("--hours", type=_speed, metavar="N", help="only the last N hours (default: 24 of the ledger)")


def _add_lab(commands: Any) -> None:
    lab = _add(commands, "lab", lab_door, "detectors against an invented market whose cascades are known")
    lab.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3], metavar="N", help="markets (default 1 2 3)")
    lab.add_argument("--months", type=_speed, default=6.0, metavar="N", help="months of 30 days to judge (default 6)")
    lab.add_argument("--warm-up-days", type=int, default=45, metavar="N", help="days before them (default 45)")
    lab.add_argument("--quiet-days", type=int, default=180, metavar="N", help="days to set levels on (default 180)")
    lab.add_argument("--budget", type=_speed, default=1.0, metavar="N", help="false episodes in 30 quiet days")
    lab.add_argument("--feeds", nargs="+", metavar="FEED", help="what is shown (default full sampled batched)")
    lab.add_argument("--detectors", nargs="+", metavar="NAME", help="who is judged (default all but variants)")
    lab.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (default 1); results stay the same")
    lab.add_argument("--sided-news", action="store_true", help="news hits one side instead of both alike")
    lab.add_argument("--json", type=Path, metavar="FILE", help="write every number here")


def _speed(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number above 0, got {text!r}") from None
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number above 0, got {text!r}")
    return value


if __name__ == "__main__":
    sys.exit(main())
