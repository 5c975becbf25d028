"""Expected failures end as one sentence that says what to do, never as a traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable


class CannotGoOn(Exception):
    """The message is one sentence for the person at the keyboard, ending in what to do."""


def notice(text: str) -> None:
    """Tell what is being done, apart from the output that others read."""
    print(f"millstream: {text}", file=sys.stderr, flush=True)


def run_main(main: Callable[[], int]) -> None:
    """Run `main` and exit with its code; a `CannotGoOn` prints its sentence and exits with 1."""
    try:
        code = main()
    except CannotGoOn as reason:
        notice(str(reason))
        code = 1
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
