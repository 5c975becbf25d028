"""What a rush simulation tells besides the plan: is the date kept, what lacks, what would help."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, TypedDict

from django.utils.translation import gettext as _

from aps.models import ScheduleRun
from aps.selectors.readiness import waiting_lines
from aps.services import changes as kinds
from aps.services import doors, solving
from aps.services.changes import Change, Demand, Due, Overtime
from aps.services.comparison import of_solution
from aps.services.doors import Doors
from aps.services.inputs import Inputs
from aps.services.problems import Built
from aps.services.runs import TOO_SHORT
from aps.services.trials import Trial
from aps.solver import Placement, Solution
from common.intervals import CalendarExhausted, Interval, WorkingTime
from common.jobs import Claim
from erp import selectors as erp
from masterdata.services import calendars
from masterdata.services.shipping import NoShippingTime

# Seconds of search: an answer within 10 s for a thousand open operations, within 30 s for all.
SMALL, SMALL_SECONDS, SECONDS = 1000, 5.0, 15.0
# Overtime after each shift that is tried, in minutes, the least first.
TRIED_OVERTIME = (120, 240, 480)
MOST_SPANS = 15


class Shortage(TypedDict):
    """Bought material that the order waits for; moments in ISO 8601."""

    item: str
    quantity: str
    needed_by: str
    work_order: str
    expected_at: str
    purchase_order: str


class Help(TypedDict):
    """Overtime on the unit that decides, with which the line would be ready earlier."""

    work_unit: str
    minutes_per_shift: int
    ready_at: str
    kept: bool
    text: str
    # As aps.services.changes reads them, to be added to a scenario.
    changes: list[dict[str, Any]]


class Assessment(TypedDict):
    """``comparison["rush"]`` of a rush scenario."""

    line: str
    due_at: str
    # The wanted day at the customer's door.
    due_day: str | None
    # None while nobody can know; the day is that at the customer's door.
    ready_at: str | None
    day: str | None
    kept: bool
    binding_unit: str
    material: list[Shortage]
    help: list[Help]


def seconds_for(built: Built) -> float:
    """How long a rush may be searched for."""
    return SMALL_SECONDS if len(built.problem.operations) <= SMALL else SECONDS


def operations(built: Built, found: Inputs, changes: Sequence[Change]) -> frozenset[int]:
    """The work behind the lines that are rushed, on all levels, and behind new demand."""
    wanted = {one.requirement for one in changes if isinstance(one, Due)}
    known = {operation.id for operation in built.problem.operations}
    mine = {o.id for o in found.operations if wanted.intersection(o.sales_requirement_ids)}
    return frozenset(mine & known) | {pk for pk in known if pk < 0}


def assess(
    *, run: ScheduleRun, trial: Trial, changes: Sequence[Change], claim: Claim, now: datetime
) -> Assessment:
    """Whether the rushed line is kept, what bought material it waits for, which overtime helps."""
    goal = _Goal(trial, changes, run.site_id, now)
    ready = goal.ready(trial.built, trial.solved.solution)
    kept = ready is not None and ready <= goal.due_at
    mine = operations(trial.built, trial.inputs, changes)
    unit = "" if kept else _binding_unit(trial, mine)
    return Assessment(
        line=goal.line,
        due_at=goal.due_at.isoformat(),
        due_day=goal.day(goal.due_at),
        ready_at=ready.isoformat() if ready else None,
        day=goal.day(ready),
        kept=kept,
        binding_unit=unit,
        material=_material(trial, mine, run.site_id, now) + _to_buy(trial),
        help=list(_help(trial, changes, goal, unit, claim)) if unit else [],
    )


class _Goal:
    """The line that is rushed and the moment it is wanted for."""

    def __init__(
        self, trial: Trial, changes: Sequence[Change], site_id: int, now: datetime
    ) -> None:
        self._requirement = 0
        self._job = 0
        due = next((one for one in changes if isinstance(one, Due)), None)
        if due is not None:
            self.line, self.due_at, self._requirement = due.line, due.due_at, due.requirement
            self._lines = waiting_lines(site_id=site_id, now=now)
            self._doors = Doors(site_id=site_id, requirement_ids=[due.requirement])
            return
        demand = next(one for one in changes if isinstance(one, Demand))
        job = min(trial.built.problem.jobs, key=lambda one: one.id)
        self.line, self._job = demand.line or demand.item, job.id
        self.due_at = calendars.to_datetime(job.due or 0)
        self._door = doors.of(site_id=site_id, customer_id=demand.customer or None, now=now)

    def day(self, ready_at: datetime | None) -> str | None:
        """The day at the customer's door of what is ready then."""
        found = None
        if self._requirement:
            found = self._doors.day(self._requirement, ready_at)
        elif ready_at is not None:
            try:
                found = self._door.arrival(calendars.to_minutes_up(ready_at))
            except NoShippingTime:
                return None
        return found.isoformat() if found else None

    def ready(self, built: Built, solution: Solution) -> datetime | None:
        ends = of_solution(built, solution).ends
        if not self._requirement:
            return ends[self._job][0] if self._job in ends else None
        ready = self._lines.under(ends).get(self._requirement)
        return ready.at if ready else None


def _material(trial: Trial, mine: frozenset[int], site_id: int, now: datetime) -> list[Shortage]:
    wanted = {
        pk for o in trial.inputs.operations if o.id in mine for pk in o.material_requirement_ids
    }
    starts = {o.work_order_number: 0 for o in trial.inputs.operations if o.id in mine}
    by_id = {o.id: o.work_order_number for o in trial.inputs.operations}
    for placed in trial.solved.solution.placements:
        number = by_id.get(placed.operation)
        if number in starts:
            starts[number] = min(starts[number] or placed.start, placed.start)
    return [
        Shortage(
            item=row.item_code,
            quantity=f"{row.quantity.normalize():f}",
            needed_by=calendars.to_datetime(
                starts.get(row.reference) or trial.inputs.now
            ).isoformat(),
            work_order=row.reference,
            expected_at=row.expected_at.isoformat(),
            purchase_order=row.order_reference,
        )
        for row in erp.shortages(site_id=site_id, now=now)
        if row.requirement_id in wanted
    ]


def _to_buy(trial: Trial) -> list[Shortage]:
    """What new demand waits for."""
    return [
        Shortage(
            item=row.item.code,
            quantity=f"{(row.needed - row.on_stock).normalize():f}",
            needed_by=calendars.to_datetime(trial.inputs.now).isoformat(),
            work_order="",
            expected_at=calendars.to_datetime(row.at).isoformat(),
            purchase_order=row.reference,
        )
        for row in trial.built.shortages.values()
    ]


def _binding_unit(trial: Trial, mine: frozenset[int]) -> str:
    """The machine on which the chain that ends last spends the most time, waiting and working."""
    at = trial.solved.solution.by_operation
    by_id = {operation.id: operation for operation in trial.built.problem.operations}
    names = {r.id: r.name for r in trial.built.problem.resources if r.id >= 0}
    spent: dict[int, int] = {}
    step = max(
        (at[pk] for pk in mine if pk in at), key=lambda p: (p.end, p.operation), default=None
    )
    while step is not None:
        operation = by_id[step.operation]
        before = max(
            (at[pk] for pk in operation.waits_for if pk in at), key=lambda p: p.end, default=None
        )
        ready = max(trial.built.problem.now, operation.release, before.end if before else 0)
        if step.resource in names:
            spent[step.resource] = spent.get(step.resource, 0) + step.end - min(ready, step.start)
        step = before
    return names[max(spent, key=lambda pk: spent[pk])] if spent else ""


def _help(
    trial: Trial, changes: Sequence[Change], goal: _Goal, unit: str, claim: Claim
) -> Iterator[Help]:
    """Overtime on the unit, the least that keeps the date, else the most that gains something."""
    working = next(r for r in trial.built.problem.resources if r.name == unit)
    now_ready = goal.ready(trial.built, trial.solved.solution)
    until = calendars.to_minutes(now_ready or goal.due_at)
    best: Help | None = None
    for minutes in TRIED_OVERTIME:
        claim.extend()
        spans = _after_shifts(working.working_time, trial.inputs.now, until, minutes)
        overtime = [_overtime(unit, working.id, span) for span in spans[:MOST_SPANS]]
        ready = _try(trial, [*changes, *overtime], goal)
        if ready is None or not overtime or (now_ready is not None and ready >= now_ready):
            continue
        best = Help(
            work_unit=unit,
            minutes_per_shift=minutes,
            ready_at=ready.isoformat(),
            kept=ready <= goal.due_at,
            text=help_text(unit, minutes),
            changes=[one.as_json() for one in overtime],
        )
        if best["kept"]:
            break
    if best is not None:
        yield best


def help_text(work_unit: str, minutes_per_shift: int) -> str:
    """The overtime that helps, in the reader's language."""
    hours = minutes_per_shift // 60
    text = _("%(hours)s h of overtime after each shift on %(unit)s")
    return text % {"hours": hours, "unit": work_unit}


def _try(trial: Trial, changes: Sequence[Change], goal: _Goal) -> datetime | None:
    """When the line would be ready with these changes: the rush first, the others in order."""
    built = kinds.build(trial.inputs, changes)
    first = operations(built, trial.inputs, changes)
    try:
        solution = solving.keep_order(
            built.problem, [p for p in _kept(trial) if p.operation > 0], first=first
        )
    except TOO_SHORT:
        return None
    return goal.ready(built, solution)


def _kept(trial: Trial) -> tuple[Placement, ...]:
    return trial.solved.solution.placements


def _overtime(unit: str, pk: int, span: Interval) -> Overtime:
    return Overtime(
        work_unit=unit,
        starts_at=calendars.to_datetime(span.start),
        ends_at=calendars.to_datetime(span.end),
        work_unit_id=pk,
    )


def _after_shifts(working: WorkingTime, now: int, until: int, minutes: int) -> list[Interval]:
    """The time after each working window until ``until``, as far as nobody works then."""
    found: list[Interval] = []
    moment = now
    while True:
        try:
            window = working.window_at(working.next_working(moment))
            if window is None or window.start >= until:
                return found
            following = working.next_working(window.end)
        except CalendarExhausted:
            return found
        end = min(window.end + minutes, following)
        if end > window.end:
            found.append(Interval(window.end, end))
        moment = window.end
