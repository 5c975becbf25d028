"""OEE of a site's units from calendar, downtime, machines, bookings, reports; what stops them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Q

from common.intervals import Interval, intersect, subtract
from masterdata import selectors as masterdata
from masterdata.enums import RunBasis
from masterdata.selectors import UnitInfo
from masterdata.services import calendars
from mes.enums import BookingKind, LossKind, MachineStatus
from mes.models import Downtime, DowntimeReason, MachineState, OperationReport, TimeBooking
from mes.oee import ZERO, Facts, Oee, Work, believed, measure

Spans = dict[int, list[Interval]]


@dataclass(frozen=True)
class UnitOee:
    """A work unit with its figures."""

    unit: UnitInfo
    figures: Oee


@dataclass(frozen=True)
class Cause:
    """A reason for downtime: minutes, how often, and the share up to and with it, in percent."""

    reason: DowntimeReason | None
    minutes: int
    count: int
    percent: float
    running_percent: float


def oee(*, site_id: int, starts_at: datetime, ends_at: datetime, now: datetime) -> list[UnitOee]:
    """Each active work unit of the site in the span, as far as it is past; a few queries.

    What a machine says is believed; where it says nothing, or has none to say it, the time counts
    that was booked on the unit.
    """
    ends_at = min(ends_at, now)
    units = masterdata.active_units(site_id=site_id)
    if ends_at <= starts_at:
        return [UnitOee(unit, Oee()) for unit in units]
    span = Interval(calendars.to_minutes(starts_at), calendars.to_minutes(ends_at))
    downtimes = _downtimes(site_id, starts_at, ends_at)
    times = calendars.unit_times(
        site_id=site_id,
        starts_at=starts_at,
        ends_at=ends_at,
        # A breakdown closes the machine for the plan; its time was planned to be busy.
        without=[row.exception_id for row in downtimes if row.exception_id],
    )
    states = _states(site_id, starts_at, ends_at, span)
    booked = _bookings(site_id, starts_at, ends_at, span)
    made = _reports(site_id, starts_at, ends_at)
    stops: dict[str, Spans] = {loss: defaultdict(list) for loss in LossKind.values}
    for row in downtimes:
        loss = row.reason.loss if row.reason else LossKind.UNPLANNED
        stops[loss][row.work_unit_id] += _cut(row.starts_at, row.ends_at, span)
    found = []
    for unit in units:
        said = states.get(unit.id, {})
        planned = subtract(list(times[unit.id]), stops[LossKind.PLANNED][unit.id])
        ideal, good, scrap = made.get(unit.id, (ZERO, ZERO, ZERO))
        work = _work(said, booked.get(unit.id, {}))
        facts = Facts(
            planned=tuple(planned),
            stopped=(*stops[LossKind.UNPLANNED][unit.id], *said.get(MachineStatus.DOWN, [])),
            setup=work.setup,
            produced=work.produced,
            ideal_minutes=ideal,
            good=good,
            scrap=scrap,
        )
        found.append(UnitOee(unit, measure(facts)))
    return found


def causes(
    *, site_id: int, starts_at: datetime, ends_at: datetime, now: datetime
) -> Sequence[Cause]:
    """What stopped the site's machines in the span, the longest first; one query."""
    span = Interval(calendars.to_minutes(starts_at), calendars.to_minutes(ends_at))
    minutes: dict[int | None, int] = defaultdict(int)
    counts: dict[int | None, int] = defaultdict(int)
    reasons: dict[int | None, DowntimeReason | None] = {}
    for row in _downtimes(site_id, starts_at, ends_at):
        reasons[row.reason_id] = row.reason
        counts[row.reason_id] += 1
        lasted = _cut(row.starts_at, row.ends_at or min(now, ends_at), span)
        minutes[row.reason_id] += sum(part.minutes for part in lasted)
    whole = sum(minutes.values())
    found, running = [], 0
    for key in sorted(minutes, key=lambda key: -minutes[key]):
        running += minutes[key]
        found.append(
            Cause(
                reason=reasons[key],
                minutes=minutes[key],
                count=counts[key],
                percent=100 * minutes[key] / whole if whole else 0.0,
                running_percent=100 * running / whole if whole else 0.0,
            )
        )
    return found


def _downtimes(site_id: int, starts_at: datetime, ends_at: datetime) -> list[Downtime]:
    rows = Downtime.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=starts_at),
        incident__site_id=site_id,
        starts_at__lt=ends_at,
    )
    return list(rows.select_related("reason"))


def _states(
    site_id: int, starts_at: datetime, ends_at: datetime, span: Interval
) -> dict[int, dict[str, list[Interval]]]:
    rows = MachineState.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=starts_at),
        work_unit__work_center__site_id=site_id,
        starts_at__lt=ends_at,
    )
    found: dict[int, dict[str, list[Interval]]] = {}
    for row in rows:
        by_status = found.setdefault(row.work_unit_id, {})
        by_status.setdefault(row.status, []).extend(_cut(row.starts_at, row.ends_at, span))
    return found


def _work(said: dict[str, list[Interval]], booked: dict[str, list[Interval]]) -> Work:
    # A machine that has lost its connection is no witness.
    silent = {MachineStatus.RUNNING, MachineStatus.SETUP, MachineStatus.UNKNOWN}
    otherwise = [part for status, parts in said.items() if status not in silent for part in parts]
    return believed(
        Work(
            setup=tuple(said.get(MachineStatus.SETUP, ())),
            produced=tuple(said.get(MachineStatus.RUNNING, ())),
        ),
        otherwise,
        Work(
            setup=tuple(booked.get(BookingKind.SETUP, ())),
            produced=tuple(booked.get(BookingKind.RUN, ())),
        ),
    )


def _bookings(
    site_id: int, starts_at: datetime, ends_at: datetime, span: Interval
) -> dict[int, dict[str, list[Interval]]]:
    """By unit when it was set up and when it ran, as booked from what people did; no pauses."""
    rows = TimeBooking.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=starts_at),
        work_unit__work_center__site_id=site_id,
        kind__in=[BookingKind.SETUP, BookingKind.RUN],
        starts_at__lt=ends_at,
    )
    found: dict[int, dict[str, list[Interval]]] = {}
    for unit_id, kind, begin, end in rows.values_list(
        "work_unit_id", "kind", "starts_at", "ends_at"
    ):
        if unit_id is not None:
            by_kind = found.setdefault(unit_id, {})
            by_kind.setdefault(kind, []).extend(_cut(begin, end, span))
    return found


def _reports(
    site_id: int, starts_at: datetime, ends_at: datetime
) -> dict[int, tuple[Decimal, Decimal, Decimal]]:
    """By unit the planned run minutes of what was reported, good and scrap."""
    rows = OperationReport.objects.filter(
        at__gte=starts_at, at__lt=ends_at, operation__work_unit__work_center__site_id=site_id
    ).values_list(
        "operation__work_unit_id",
        "good",
        "scrap",
        "operation__run_minutes",
        "operation__run_basis",
        "operation__work_order__quantity",
    )
    found: dict[int, tuple[Decimal, Decimal, Decimal]] = {}
    for unit_id, good, scrap, run, basis, quantity in rows:
        if unit_id is None:
            continue
        each = run if basis == RunBasis.PER_PIECE else run / quantity
        ideal, so_far, lost = found.get(unit_id, (ZERO, ZERO, ZERO))
        found[unit_id] = (ideal + each * (good + scrap), so_far + good, lost + scrap)
    return found


def _cut(starts_at: datetime, ends_at: datetime | None, span: Interval) -> list[Interval]:
    start = calendars.to_minutes(starts_at)
    end = calendars.to_minutes(ends_at) if ends_at else span.end
    return intersect([span], [Interval(start, end)]) if end > start else []
