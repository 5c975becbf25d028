"""Why an order line is late: the chain of work and waiting in the live schedule, back to now.

Only reads. From the operation that ends last it walks back to what that waited for: the operation
before, a component, bought material; what lies between is a wait for the machine (other orders
on it, or its changeover), for people or a tool, for a shift, or nothing but the plan's own choice.
Queries grow with BOM levels only.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import QuerySet

from aps import selectors
from aps.models import ScheduledOperation, ScheduleRun
from aps.selectors import Bar, LateLine, ReadyCause
from aps.services import plant, shared
from aps.services.lateness_help import Finder, Machines
from aps.services.lateness_types import Explanation, Step, StepKind
from aps.services.lateness_waits import Plan, booked, named
from aps.services.shared import Shared
from aps.solver import SetupMinutes
from erp import selectors as erp
from erp.selectors import MaterialDate
from masterdata import selectors as masterdata
from masterdata.selectors import UnitInfo
from masterdata.services import calendars
from mes import selectors as mes
from mes.enums import OperationState
from mes.selectors import OpenOperation

DAY = timedelta(days=1)
# Overtime and other machines are looked for until so long after the line is ready.
MARGIN = timedelta(days=7)


def explain(*, site_id: int, line: LateLine, now: datetime) -> Explanation:
    """Why the line is late, and what would help."""
    return explain_all(site_id=site_id, lines=[line], now=now)[0]


def explain_all(
    *, site_id: int, lines: Sequence[LateLine], now: datetime, with_helps: bool = True
) -> list[Explanation]:
    """Why each line is late, in their order; as many queries as for one."""
    run = selectors.current_run(site_id)
    planned = [line for line in lines if line.ready.cause == ReadyCause.SCHEDULE]
    if run is None or not planned:
        return [Explanation(line) for line in lines]
    tree = mes.supply_tree({line.requirement_id for line in planned})
    operations = mes.open_operations(site_id=site_id, work_order_ids=list(tree.orders))
    rows = ScheduledOperation.objects.filter(run=run)
    mine = selectors.as_bars(rows.filter(operation__in=[o.id for o in operations]))
    if not mine:
        return [Explanation(line) for line in lines]
    walk, finder = _read(run, operations, rows, mine, now)
    tops: dict[int, set[int]] = {}
    for peg in tree.pegs:
        tops.setdefault(peg.requirement_id, set()).add(peg.work_order_id)
    chains = named([_chain(line, walk, tops.get(line.requirement_id, set())) for line in lines])
    return [
        Explanation(line, steps, tuple(finder.best(steps)) if with_helps else ())
        for line, steps in zip(lines, chains, strict=True)
    ]


def _chain(line: LateLine, walk: "_Walk", tops: set[int]) -> list[Step]:
    """The steps of a line, the last first; none where the plan has no time for it."""
    last = walk.last_of(tops)
    if last is None or line.ready.cause != ReadyCause.SCHEDULE:
        return []
    return walk.back_from(last)


def _read(
    run: ScheduleRun,
    operations: Sequence[OpenOperation],
    rows: QuerySet[ScheduledOperation],
    mine: Sequence[Bar],
    now: datetime,
) -> tuple["_Walk", Finder]:
    """What the walk and the search for help need of the plant."""
    site_id = run.site_id
    ends_at = max(bar.ends_at for bar in mine) + MARGIN
    units = masterdata.active_units(site_id=site_id)
    machines = Machines.of(units, operations)
    times = calendars.unit_times(site_id=site_id, starts_at=now - DAY, ends_at=ends_at)
    around = selectors.as_bars(rows.filter(starts_at__lt=ends_at, ends_at__gt=now))
    others = _concerned(around, machines.concerned(mine), operations)
    people_and_tools = _shared(site_id, operations, now - DAY, ends_at)
    wanted = {pk for operation in operations for pk in operation.material_requirement_ids}
    by_id = {operation.id: operation for operation in operations}
    walk = _Walk(
        now=now,
        operations=by_id,
        mine=mine,
        plan=Plan(
            operations=by_id,
            by_unit=_by_unit(others),
            codes=machines.codes,
            times=times,
            changeovers=selectors.changeover_minutes(
                run=run, units=units, starts_at=now - DAY, ends_at=ends_at
            ),
            shared=people_and_tools,
            book=booked(people_and_tools, others, times),
        ),
        materials=mes.material_dates(site_id=site_id, now=now) if wanted else {},
        items={row.pk: row.item.code for row in erp.requirements(wanted)},
    )
    setups = _setups(site_id, units, operations)
    return walk, Finder(by_id, others, machines, times, now, setups, people_and_tools)


def _setups(
    site_id: int, units: Sequence[UnitInfo], operations: Iterable[OpenOperation]
) -> SetupMinutes:
    """The changeovers of what is planned and of what routings ask for."""
    return plant.setup_minutes(
        units,
        masterdata.changeovers(site_id=site_id),
        masterdata.setup_families(site_id=site_id) | {o.setup_family for o in operations},
    )


def _concerned(
    bars: Iterable[Bar], unit_ids: Collection[int], operations: Collection[OpenOperation]
) -> list[Bar]:
    """What is open and lies on these work units, or takes what these operations need besides."""
    skills = {o.skill_id for o in operations if o.skill_id is not None}
    tools = {o.tool_id for o in operations if o.tool_id is not None}
    still = OperationState.open()
    return [
        bar
        for bar in bars
        if bar.state in still
        and (bar.work_unit_id in unit_ids or bar.skill_id in skills or bar.tool_id in tools)
    ]


def _shared(
    site_id: int, operations: Iterable[OpenOperation], starts_at: datetime, ends_at: datetime
) -> Shared:
    """The people and tools, where any of the operations needs some."""
    if not any(o.skill_id is not None or o.tool_id is not None for o in operations):
        return Shared()
    return shared.read(site_id=site_id, starts_at=starts_at, ends_at=ends_at)


def _by_unit(bars: Iterable[Bar]) -> dict[int, list[Bar]]:
    """The bars of each work unit, what ends first to the front."""
    found: dict[int, list[Bar]] = {}
    for bar in sorted(bars, key=lambda bar: (bar.ends_at, bar.operation_id)):
        if bar.work_unit_id is not None:
            found.setdefault(bar.work_unit_id, []).append(bar)
    return found


class _Walk:
    """From an operation back to now."""

    def __init__(
        self,
        *,
        now: datetime,
        operations: Mapping[int, OpenOperation],
        mine: Sequence[Bar],
        plan: Plan,
        materials: Mapping[int, MaterialDate],
        items: Mapping[int, str],
    ) -> None:
        self._operations = operations
        self._now = now
        self._plan = plan
        self._materials = materials
        self._items = items
        self._by_order: dict[int, list[Bar]] = {}
        for bar in sorted(mine, key=lambda bar: (bar.sequence, bar.operation_id)):
            self._by_order.setdefault(bar.work_order_id, []).append(bar)

    def last_of(self, work_order_ids: Iterable[int]) -> Bar | None:
        """What ends last of the work orders; None where nothing of them is planned."""
        found = [bar for pk in work_order_ids for bar in self._by_order.get(pk, ())]
        return max(found, key=lambda bar: (bar.ends_at, bar.operation_id), default=None)

    def back_from(self, last: Bar) -> list[Step]:
        """The steps, the last first; without a hole as far as the plan has none."""
        steps: list[Step] = []
        current: Bar | None = last
        until = last.ends_at
        while current is not None:
            begins = max(current.starts_at, self._now)
            kind = StepKind.OUTSIDE if current.work_unit_id is None else StepKind.WORK
            steps.append(self._plan.step(kind, begins, until, current))
            if current.starts_at <= self._now or current.state in OperationState.started():
                break
            before = self._before(current)
            # Of a transfer batch no more than what had passed by then.
            passed = self._now if before is None else min(before.ends_at, current.starts_at)
            ready = self._rested(before, current, passed)
            rested = ready
            material = self._material(current)
            is_material = material is not None and material[0] > ready
            if is_material and material is not None:
                ready = material[0]
            steps.extend(self._plan.waits(current, max(ready, self._now)))
            if is_material and material is not None:
                steps.append(self._waiting(current, material, before))
            if rested > passed:
                since = max(passed, self._now)
                steps.append(self._plan.step(StepKind.REST, since, rested, current))
            current, until = before, passed
        return [step for step in steps if step.ends_at > step.starts_at]

    def _rested(self, before: Bar | None, bar: Bar, passed: datetime) -> datetime:
        """When what passed has waited (cooled, dried) as its routing asks."""
        if before is None:
            rest = self._operations[bar.operation_id].rests_until
            return passed if rest is None else max(passed, rest)
        if before.work_order_id != bar.work_order_id:
            return passed
        wait = timedelta(minutes=self._operations[before.operation_id].wait_minutes)
        return max(passed, min(passed + wait, bar.starts_at))

    def _before(self, bar: Bar) -> Bar | None:
        """What of its own tree it waits for that ends last: the step before, or a component."""
        row = self._by_order[bar.work_order_id]
        at = row.index(bar)
        if at > 0:
            return row[at - 1]
        children = self._operations[bar.operation_id].predecessor_work_order_ids
        lasts = [self._by_order[pk][-1] for pk in children if pk in self._by_order]
        return max(lasts, key=lambda b: (b.ends_at, b.operation_id), default=None)

    def _material(self, bar: Bar) -> tuple[datetime, str, str] | None:
        """When the last bought material of a first operation comes: moment, item, reference."""
        if self._by_order[bar.work_order_id][0] is not bar:
            return None
        found = [
            (date.at, self._items.get(pk, ""), date.reference)
            for pk in self._operations[bar.operation_id].material_requirement_ids
            if (date := self._materials.get(pk)) is not None and date.at is not None
        ]
        return max((row for row in found if row[0] > self._now), default=None)

    def _waiting(self, bar: Bar, material: tuple[datetime, str, str], before: Bar | None) -> Step:
        at, code, reference = material
        since = max(before.ends_at, self._now) if before is not None else self._now
        return self._plan.step(
            StepKind.MATERIAL, since, at, bar, material_code=code, reference=reference
        )
