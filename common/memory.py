"""Work that makes a hundred thousand objects and keeps them: nothing for the cycle collector."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_cycle_collection() -> Iterator[None]:
    """Let no full collections run meanwhile, each of which walks all objects of the process.

    For jobs that have their process to themselves. What no longer counts is freed all the same;
    only circles wait for the end.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
