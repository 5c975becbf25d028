"""What was measured on a unit: value, limits as of then, and where it lies among its neighbours."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from statistics import fmean, pstdev
from typing import TYPE_CHECKING

from crm.trace.life import Life
from traceability import selectors as ledger
from traceability.enums import Verdict

if TYPE_CHECKING:
    from traceability.models import Lot, Parameter, Reading, SerialUnit

# Units numbered around it that the trend shows.
AROUND = 40
WIDTH, HEIGHT = 160, 36
_EDGE = 4


@dataclass(frozen=True, slots=True)
class Trend:
    """Values of the units made around it as points of a small chart; the unit's own is marked."""

    points: str
    own_x: float
    own_y: float
    lower_y: float | None
    upper_y: float | None
    mean: float
    # How many standard deviations from the mean of its neighbours; None where all are the same.
    sigmas: float | None
    count: int


@dataclass(frozen=True, slots=True)
class Measured:
    """A value with its limits, at which station, by whom."""

    at: datetime
    thing: "Lot | SerialUnit"
    is_own: bool
    operation: int | None
    parameter: "Parameter"
    value: Decimal | None
    lower: Decimal | None
    upper: Decimal | None
    verdict: Verdict
    machine: str
    tool: str
    program: str
    operator: str
    trend: Trend | None

    @property
    def is_fault(self) -> bool:
        return self.verdict == Verdict.FAIL


@dataclass(frozen=True, slots=True)
class Passed:
    """The thing passed a station: when, where, by whom."""

    at: datetime
    operation: int | None
    machine: str
    machine_name: str
    tool: str
    program: str
    operator: str


def measured(life: Life, *, may_see_operators: bool) -> tuple[list[Measured], list[Measured]]:
    """Measured values, then inspections without a value; own ones first, each in time."""
    rows = [reading for reading in life.readings if reading.parameter_id in life.parameters]
    trends = _trends(life, rows)
    told = [_measured(life, row, trends, may_see_operators) for row in rows]
    told.sort(key=lambda row: (not row.is_own, row.at))
    return (
        [row for row in told if row.value is not None],
        [row for row in told if row.value is None],
    )


def _measured(life: Life, row: "Reading", trends: dict[int, Trend], may_see: bool) -> Measured:
    return Measured(
        at=row.at,
        thing=life.things[row.subject],
        is_own=row.subject == life.thing.pk,
        operation=row.operation,
        parameter=life.parameters[row.parameter_id or 0],
        value=row.value,
        lower=row.lower,
        upper=row.upper,
        verdict=Verdict(row.verdict),
        machine=_code(life.work_units.get(row.work_unit_id or 0)),
        tool=_code(life.tools.get(row.tool_id or 0)),
        program=row.program,
        operator=life.operator(row.operator_id, may_see=may_see),
        trend=trends.get(row.id),
    )


def passed(life: Life, *, may_see_operators: bool) -> list[Passed]:
    """Where the thing itself was, each station once per visit."""
    found: dict[tuple[object, ...], Passed] = {}
    for row in life.readings:
        if row.subject != life.thing.pk:
            continue
        key = (row.event_id, row.operation, row.work_unit_id, row.operator_id, row.program)
        unit = life.work_units.get(row.work_unit_id or 0)
        found.setdefault(
            key,
            Passed(
                at=row.at,
                operation=row.operation,
                machine=_code(unit),
                machine_name=unit.label if unit else "",
                tool=_code(life.tools.get(row.tool_id or 0)),
                program=row.program,
                operator=life.operator(row.operator_id, may_see=may_see_operators),
            ),
        )
    return [row for row in found.values() if row.machine or row.operator]


def _code(row: object) -> str:
    return str(getattr(row, "code", ""))


def _trends(life: Life, rows: Iterable["Reading"]) -> dict[int, Trend]:
    """By own reading: its neighbours' values of the same parameter and operation."""
    own = [row for row in rows if row.subject == life.thing.pk and row.value is not None]
    if not own or not life.is_unit:
        return {}
    item_id = life.thing.item_id
    near = ledger.neighbours([life.thing.pk], item_id=item_id, most=AROUND)
    others: dict[tuple[int | None, int | None], dict[int, float]] = {}
    for row in ledger.readings_of(near):
        if row.value is not None:
            key = (row.parameter_id, row.operation)
            # The last one of each unit counts.
            others.setdefault(key, {})[row.subject] = float(row.value)
    found = {}
    for row in own:
        values = others.get((row.parameter_id, row.operation), {})
        if len(values) > 1:
            found[row.id] = trend(row, values)
    return found


def trend(row: "Reading", values: dict[int, float]) -> Trend:
    """The unit's value among the others, in the order of their numbers."""
    own = float(row.value or 0)
    series = [*((pk, value) for pk, value in values.items()), (row.subject, own)]
    series.sort()
    limits = [float(limit) for limit in (row.lower, row.upper) if limit is not None]
    low, high = min([v for _pk, v in series] + limits), max([v for _pk, v in series] + limits)

    def y(value: float) -> float:
        span = (high - low) or 1
        return round(HEIGHT - _EDGE - (value - low) / span * (HEIGHT - 2 * _EDGE), 1)

    def x(place: int) -> float:
        return round(_EDGE + place * (WIDTH - 2 * _EDGE) / max(1, len(series) - 1), 1)

    place = [pk for pk, _value in series].index(row.subject)
    mean, spread = fmean(values.values()), pstdev(values.values())
    return Trend(
        points=" ".join(f"{x(n)},{y(value)}" for n, (_pk, value) in enumerate(series)),
        own_x=x(place),
        own_y=y(own),
        lower_y=y(float(row.lower)) if row.lower is not None else None,
        upper_y=y(float(row.upper)) if row.upper is not None else None,
        mean=mean,
        sigmas=(own - mean) / spread if spread else None,
        count=len(values),
    )


def out_of_limits(rows: Sequence[Measured]) -> int:
    """How many of the values are outside their limits."""
    return sum(row.is_fault for row in rows)
