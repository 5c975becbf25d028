"""What stands above the board: figures, late orders in words, the run under way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aps import selectors
from aps.models import ScheduleRun
from aps.selectors import LateLine, Load
from aps.views import words
from masterdata import selectors as masterdata

# Told above the board; the rest has a page of its own.
FIRST_LATE = 3
BOTTLENECK_DAYS = 7


@dataclass(frozen=True, slots=True)
class Late:
    """A late order line as its row says it."""

    reference: str
    order: str
    item: str
    item_name: str
    late_by: str
    why: str
    due_at: datetime
    ready_at: datetime | None
    line: LateLine


def context(*, site_id: int, run: ScheduleRun | None, now: datetime) -> dict[str, Any]:
    """The figures of the live schedule; a constant number of queries."""
    late = LateLines(selectors.late_orders(site_id=site_id, now=now))
    figures = selectors.kpis(run) if run else {}
    weighted = figures.get("weighted_tardiness_minutes")
    return {
        "run": run,
        "cause": words.cause(run) if run else "",
        "late": late,
        "first_late": late[:FIRST_LATE],
        "late_orders": late.orders,
        "weighted_hours": None if weighted is None else round(weighted / 60),
        "worst": words.duration(figures.get("max_tardiness_minutes", 0)),
        "has_tardiness": bool(weighted),
        "bottleneck": bottleneck(site_id=site_id, now=now),
        "bottleneck_days": BOTTLENECK_DAYS,
        "left_out": figures.get("left_out", 0),
    } | under_way(site_id=site_id)


def under_way(*, site_id: int) -> dict[str, Any]:
    """The run that waits or solves, in words."""
    run = selectors.run_under_way(site_id)
    if run is None:
        return {"active": None}
    weighted = run.progress.get("weighted_tardiness_minutes")
    return {
        "active": run,
        "phase": words.phase(run),
        "percent": run.progress.get("percent", 0),
        "active_late": run.progress.get("late_jobs"),
        "active_hours": None if weighted is None else round(weighted / 60),
    }


class LateLines:
    """The late order lines, the worst first; only those that are looked at are put in words."""

    def __init__(self, lines: Sequence[LateLine]) -> None:
        self._lines = lines
        self.orders = len({order_of(line.reference) for line in lines})
        # Comparisons of plans count these apart from the late ones.
        self.undated = sum(line.late_minutes is None for line in lines)

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, place: slice) -> list[Late]:
        return in_words(self._lines[place])


def late_lines(*, site_id: int, order: str, now: datetime) -> list[Late]:
    """The late lines of an order in words."""
    found = selectors.late_orders(site_id=site_id, now=now)
    return in_words([line for line in found if order_of(line.reference) == order])


def in_words(found: Sequence[LateLine]) -> list[Late]:
    """The lines as their rows say them; one query for the items."""
    items = masterdata.items_by_id({line.item_id for line in found})
    return [
        Late(
            reference=line.reference,
            order=order_of(line.reference),
            item=items[line.item_id].code,
            item_name=items[line.item_id].label,
            late_by=words.late_by(line),
            why=words.why(line),
            due_at=line.due_at,
            ready_at=line.ready.at,
            line=line,
        )
        for line in found
    ]


def order_of(reference: str) -> str:
    """The document of a reference: "SO-100001" of "SO-100001/10"."""
    return reference.partition("/")[0]


def bottleneck(*, site_id: int, now: datetime) -> Load | None:
    """The work unit with the fullest next days; None where nobody works."""
    loads: Sequence[Load] = selectors.utilisation(
        site_id=site_id, starts_at=now, ends_at=now + timedelta(days=BOTTLENECK_DAYS)
    )
    working = [load for load in loads if load.working_minutes]
    return max(working, key=lambda load: load.percent, default=None)
