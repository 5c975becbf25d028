"""Two plans side by side: figures, moved operations, order lines with another date.

Everything is counted by the same order lines, weights and dates for both plans, those in force
now; minutes are clock minutes unless said otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from aps.models import ScheduledOperation, ScheduleRun
from aps.selectors import beside, load
from aps.selectors.readiness import Ready, WaitingLines, waiting_lines
from aps.services import repair
from aps.services.order_moves import OrderMove, order_moves
from aps.services.plant import MILESTONE, SUBCONTRACT
from aps.services.problems import Built
from aps.solver import Placement, Solution
from aps.solver.solution import changeovers
from masterdata import selectors as masterdata
from masterdata.services import calendars
from masterdata.services.calendars import Rules
from mes import selectors as mes
from mes.enums import OperationState

# Utilisation is that of the days from now in which plans differ most.
UTILISATION_DAYS = 14
# So many moved operations are listed; all are counted.
MOST_MOVES = 300


class Kpis(TypedDict):
    """What a plan is worth."""

    late_orders: int
    undated_orders: int
    weighted_lateness_minutes: int
    utilisation_percent: float
    setup_minutes: int
    makespan_minutes: int


class Move(TypedDict):
    """An operation that is elsewhere or at another time; moments in ISO 8601, units by code."""

    operation: int
    label: str
    work_order: str
    item: str
    from_unit: str
    to_unit: str
    from_starts_at: str
    to_starts_at: str
    to_ends_at: str
    # Later (more than 0) or earlier.
    minutes: int


class Comparison(TypedDict):
    """What ``ScheduleRun.comparison`` holds, besides what repairs and rushes add."""

    base_version: int | None
    before: Kpis
    after: Kpis
    moved_operations: int
    machine_changes: int
    moved: list[Move]
    orders: list[OrderMove]
    # Order lines whose date the plan no longer keeps.
    promise_breaks: list[str]


@dataclass(frozen=True)
class Side:
    """One plan, as far as it is compared."""

    placements: Mapping[int, Placement]
    # Of each work order the last end and how many operations have a time.
    ends: Mapping[int, tuple[datetime, int]]
    utilisation_percent: float
    setup_minutes: int
    makespan_minutes: int


def of_solution(built: Built, solution: Solution) -> Side:
    """The side of a plan that is not stored."""
    job = {operation.id: operation.job for operation in built.problem.operations}
    ends: dict[int, tuple[int, int]] = {}
    for placed in solution.placements:
        end, count = ends.get(job[placed.operation], (0, 0))
        ends[job[placed.operation]] = (max(end, placed.end), count + 1)
    return Side(
        placements=solution.by_operation,
        ends={pk: (calendars.to_datetime(end), count) for pk, (end, count) in ends.items()},
        utilisation_percent=utilisation(built, solution),
        setup_minutes=solution.figures.setup_minutes,
        makespan_minutes=solution.figures.makespan,
    )


def of_run(run: ScheduleRun) -> Side:
    """The side of a stored plan: what of it is still to be done."""
    placements: dict[int, Placement] = {}
    ends: dict[int, tuple[datetime, int]] = {}
    rows = list(
        ScheduledOperation.objects.filter(run=run).values_list(
            "operation_id", "work_unit_id", "starts_at", "ends_at"
        )
    )
    standings = mes.standings([row[0] for row in rows])
    for pk, unit, starts_at, ends_at in rows:
        if standings[pk].state not in OperationState.open():
            continue
        order_id = standings[pk].work_order_id
        start, end = calendars.to_minutes(starts_at), calendars.to_minutes_up(ends_at)
        placements[pk] = Placement(pk, unit or SUBCONTRACT, start, end)
        last, count = ends.get(order_id, (ends_at, 0))
        ends[order_id] = (max(last, ends_at), count + 1)
    return Side(
        placements=placements,
        ends=ends,
        utilisation_percent=run.figures.get("utilisation_percent", 0.0),
        setup_minutes=run.figures.get("setup_minutes", 0),
        makespan_minutes=run.figures.get("makespan_minutes", 0),
    )


def unit_names(built: Built) -> dict[int, str]:
    """The machines of a plan by code, those that only exist in it too; outside work is none."""
    outside = (SUBCONTRACT, MILESTONE)
    return {r.id: r.name for r in built.problem.resources if r.id not in outside}


def utilisation(built: Built, solution: Solution) -> float:
    """Planned share of the machines' working time in the next UTILISATION_DAYS, in percent.

    Counted by ``aps.selectors.load``.
    """
    start = built.problem.now
    end = start + UTILISATION_DAYS * 24 * 60
    times = {
        resource.id: resource.working_time
        for resource in built.problem.resources
        if resource.id not in (SUBCONTRACT, MILESTONE)
    }
    open_minutes = sum(working.worked(start, end) for working in times.values())
    setups = changeovers(built.problem, solution.placements)
    planned = sum(
        load.loaded(
            times[placed.resource],
            load.taken(placed.start, placed.end, setups.get(placed.operation, 0), until=end),
            start,
            end,
        )
        for placed in solution.placements
        if placed.resource in times
    )
    return round(100 * planned / open_minutes, 1) if open_minutes else 0.0


def compare(
    *,
    before: Side,
    after: Side,
    site_id: int,
    now: datetime,
    base_version: int | None,
    lines: WaitingLines | None = None,
    extra_units: Mapping[int, str] | None = None,
    instead: Mapping[int, Rules] | None = None,
) -> Comparison:
    """Both plans side by side; a constant number of queries, none for ``lines`` that are given.

    ``instead``: what calendars, by id, say after and not before.
    """
    lines = lines or waiting_lines(site_id=site_id, now=now)
    tolerance = beside.tolerance(site_id)
    old, new = lines.under(before.ends), lines.under(after.ends)
    moved = repair.moved(before.placements, after.placements, tolerance)
    orders = order_moves(lines, old, new, tolerance, site_id=site_id, instead=instead)
    return Comparison(
        base_version=base_version,
        before=_kpis(before, lines, old),
        after=_kpis(after, lines, new),
        moved_operations=len(moved),
        machine_changes=sum(
            before.placements[pk].resource != after.placements[pk].resource for pk in moved
        ),
        moved=_moves(before, after, moved, extra_units or {}),
        orders=orders,
        promise_breaks=[order["line"] for order in orders if order["breaks"]],
    )


def of_runs(*, one: ScheduleRun, other: ScheduleRun, now: datetime) -> Comparison:
    """Two stored runs of a site side by side, as far as their operations are still kept."""
    return compare(
        before=of_run(one),
        after=of_run(other),
        site_id=one.site_id,
        now=now,
        base_version=one.version,
    )


def _kpis(side: Side, lines: WaitingLines, ready: Mapping[int, Ready]) -> Kpis:
    late = weighted = undated = 0
    for row in lines.rows:
        at = ready[row.requirement_id].at
        if at is None:
            undated += 1
        elif at > row.due_at:
            late += 1
            weighted += row.weight * int((at - row.due_at).total_seconds() // 60)
    return Kpis(
        late_orders=late,
        undated_orders=undated,
        weighted_lateness_minutes=weighted,
        utilisation_percent=side.utilisation_percent,
        setup_minutes=side.setup_minutes,
        makespan_minutes=side.makespan_minutes,
    )


def _moves(
    before: Side, after: Side, moved: list[int], extra_units: Mapping[int, str]
) -> list[Move]:
    """The moved operations by name, those that moved most first."""

    def shift(pk: int) -> int:
        return after.placements[pk].start - before.placements[pk].start

    listed = sorted(moved, key=lambda pk: (-abs(shift(pk)), pk))[:MOST_MOVES]
    labels = mes.operation_labels(listed)
    units = {unit.id: unit.code for unit in masterdata.active_units()} | dict(extra_units)
    return [
        Move(
            operation=pk,
            label=str(labels[pk]),
            work_order=labels[pk].work_order_number,
            item=labels[pk].item_code,
            from_unit=units.get(before.placements[pk].resource, ""),
            to_unit=units.get(after.placements[pk].resource, ""),
            from_starts_at=calendars.to_datetime(before.placements[pk].start).isoformat(),
            to_starts_at=calendars.to_datetime(after.placements[pk].start).isoformat(),
            to_ends_at=calendars.to_datetime(after.placements[pk].end).isoformat(),
            minutes=shift(pk),
        )
        for pk in listed
        if pk in labels
    ]
