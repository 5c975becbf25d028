"""The records the kernel's arrays are made of; all numbers are 64 bits wide."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FAR = 1 << 40
"""A moment no calendar reaches: the work does not fit."""

Array = NDArray[Any]


def _record(numbers: str, floats: str = "") -> np.dtype[np.void]:
    fields: list[tuple[str, Any]] = [(name, np.int64) for name in numbers.split()]
    return np.dtype(fields + [(name, np.float64) for name in floats.split()])


OPERATION = _record(
    "start end at machine minutes mode hold queued stamp picked turn "  # the state
    "ready pauses family job fixed lock rank first_mode last_mode "
    "first_before last_before first_after last_after first_need last_need "
    "planned planned_resource"
)
MODE = _record("machine minutes")
MACHINE = _record(
    "count "  # the state: operations in the queue
    "resource queue first_place setup first_block last_block "
    "first_window last_window first_bucket bucket_from bucket_minutes buckets"
)
WINDOW = _record("start end done")
BLOCK = _record("start end first_family last_family")
JOB = _record(
    "tardiness flow conflict early end stamp picked turn "  # the state
    "due weight first_step last_step"
)
CHANGE = _record("item one two three four five")
LINK = _record("lag most part tail")
NEED = _record("pool units")
POOL = _record("count first_place held first_level last_level")
LEVEL = _record("moment units")
BOOKING = _record("item units")
TOTALS = _record(
    "conflict tardiness setup flow early moved changed moved_before changed_before "
    "heap changes prices taken picked stamp random rich in_order",
    "per_conflict per_tardiness per_setup per_flow per_early per_makespan per_moved per_changed "
    "paid",
)
