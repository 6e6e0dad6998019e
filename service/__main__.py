"""`python -m service` is `cascade`; also the installed command's entry, so that an early Ctrl-C is no traceback."""

import sys


def main() -> int:
    """Run the command line; the exit code."""
    try:
        from service import cli  # noqa: PLC0415  # loading takes a second, in which somebody may change his mind

        return cli.main()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
