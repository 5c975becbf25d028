"""A machine stands: what runs is interrupted, people are told, the schedule works around it.

The plan is mended by the reaction to ``masterdata.capacity.changed``: an estimate is a span in
which the calendar of the unit is closed, and nothing here plans.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from common import audit
from common.enums import Level, Role
from common.jobs import enqueue
from common.models import User
from common.notifications import notify
from masterdata import selectors as masterdata
from masterdata.services import unit_exceptions
from mes import andon_policies as policies
from mes import selectors
from mes.andon_policies import CannotEstimate, CannotRecover, CannotReportDown
from mes.enums import AndonKind, AndonState, EntryKind
from mes.models import AndonCall, Downtime, DowntimeReason, Incident
from mes.services import andon, execution, incidents

if TYPE_CHECKING:
    from masterdata.models import WorkUnit

__all__ = [
    "CannotEstimate",
    "CannotRecover",
    "CannotReportDown",
    "check_estimate",
    "estimate",
    "recover",
    "report",
]

# A machine that stands at its estimate is expected back so much later, until somebody knows.
ROLLED_ON = timedelta(minutes=30)
_ONE_OPEN = "mes_downtime_one_open_per_unit"


def report(
    *,
    work_unit_id: int,
    estimated_ends_at: datetime | None,
    reason: DowntimeReason | None = None,
    note: str = "",
    by: User | None,
    now: datetime,
) -> Incident:
    """The machine stands from now on; raise CannotReportDown.

    Interrupts what runs on it, calls the responsible people (or takes up the call that waits) and
    opens the downtime. With an estimate the schedule keeps free of it until then; without, it
    stays as it is until somebody knows.
    """
    with transaction.atomic():
        unit = masterdata.work_unit(work_unit_id)
        policies.check_can_report(standing(work_unit_id), unit.code, estimated_ends_at, now)
        incident = _incident_of_call(work_unit_id, note, by, now)
        _interrupt(incident, unit, reason, by, now)
        downtime = _open(incident, unit, reason, now)
        audit.record(
            action="mes.downtime.start",
            target=incident,
            by=by,
            now=now,
            reason=reason.code if reason else note[:200],
        )
        incidents.note(
            incident, EntryKind.DOWN, by=by, now=now, reason=reason.code if reason else ""
        )
        if estimated_ends_at is not None:
            _close_until(downtime, estimated_ends_at, by, now)
    return incident


def estimate(
    *,
    incident: Incident,
    estimated_ends_at: datetime,
    reason: DowntimeReason | None = None,
    by: User | None,
    now: datetime,
) -> Incident:
    """Say (again) until when the machine stands, and why where that is known now.

    Raise CannotEstimate. The schedule is made anew with it.
    """
    with transaction.atomic():
        incident = Incident.objects.select_for_update(no_key=True).get(pk=incident.pk)
        downtime = _standing_of(incident)
        policies.check_can_estimate(downtime, estimated_ends_at, now)
        assert downtime is not None  # noqa: S101 - checked above
        if reason is not None:
            downtime.reason = reason
            downtime.save(update_fields=["reason"])
        before = downtime.estimated_ends_at
        _close_until(downtime, estimated_ends_at, by, now)
        audit.record(
            action="mes.downtime.estimate",
            target=incident,
            by=by,
            now=now,
            changes={"until": [_said(before), _said(estimated_ends_at)]},
        )
    return incident


def recover(*, incident: Incident, by: User | None, now: datetime) -> Incident:
    """The machine runs again: downtime, calls and incident end, the schedule may use it.

    Raise CannotRecover. What was interrupted goes on when somebody resumes it.
    """
    with transaction.atomic():
        incident = Incident.objects.select_for_update(no_key=True).get(pk=incident.pk)
        downtime = _standing_of(incident)
        policies.check_can_recover(downtime)
        assert downtime is not None  # noqa: S101 - checked above
        downtime.ends_at = max(now, downtime.starts_at)
        downtime.save(update_fields=["ends_at"])
        audit.record(action="mes.downtime.end", target=incident, by=by, now=now)
        incidents.note(incident, EntryKind.RECOVERED, by=by, now=now)
        if downtime.exception_id is not None:
            _capacity_changes(incident, now)
            unit_exceptions.end_at(exception_id=downtime.exception_id, ends_at=now, by=by, now=now)
        for call in AndonCall.objects.select_for_update(no_key=True).filter(
            incident=incident, state__in=AndonState.open(), kind=AndonKind.MACHINE_DOWN
        ):
            call.incident = incident
            andon.settle(call, by=by, now=now)
        incidents.close_if_over(incident, by=by, now=now)
    return incident


def check_estimate(*, downtime_id: int, now: datetime) -> None:
    """At the estimate: a machine that still stands is kept out of the plan, and people are told.

    Else the plan would put work on it that cannot be done. Asked for again by each new estimate;
    an old one finds another moment and does nothing.
    """
    with transaction.atomic():
        incident_id = Downtime.objects.values_list("incident_id", flat=True).get(pk=downtime_id)
        incident = Incident.objects.select_for_update(no_key=True).get(pk=incident_id)
        downtime = _standing_of(incident)
        if downtime is None or downtime.pk != downtime_id or downtime.estimated_ends_at is None:
            return
        if downtime.estimated_ends_at > now:
            return
        unit = masterdata.work_unit(incident.work_unit_id)
        incidents.note(incident, EntryKind.OVERDUE, by=None, now=now)
        _close_until(downtime, now + ROLLED_ON, None, now)
        notify(
            kind="mes.estimate_overdue",
            parameters={"unit": unit.code, "incident": incident.number},
            roles=[Role.SUPERVISOR, Role.PLANNER],
            level=Level.DANGER,
            url=reverse("andon:board"),
            now=now,
        )


def standing(work_unit_id: int) -> Downtime | None:
    """The downtime that lasts at the unit."""
    return (
        Downtime.objects.select_related("incident")
        .filter(work_unit_id=work_unit_id, ends_at__isnull=True)
        .first()
    )


def _incident_of_call(work_unit_id: int, note: str, by: User | None, now: datetime) -> Incident:
    """The incident of the call that waits, held; of a new call where none does."""
    call = andon.open_call(work_unit_id, AndonKind.MACHINE_DOWN)
    if call is not None:
        incident = Incident.objects.select_for_update(no_key=True).get(pk=call.incident_id)
        # Between the look and the lock somebody may have resolved it: a machine that stands now
        # is not to hang on what is over.
        if incident.calls.filter(pk=call.pk, state__in=AndonState.open()).exists():
            return incident
    call = andon.raise_call(
        work_unit_id=work_unit_id, kind=AndonKind.MACHINE_DOWN, note=note, by=by, now=now
    )
    return Incident.objects.select_for_update(no_key=True).get(pk=call.incident_id)


def _standing_of(incident: Incident) -> Downtime | None:
    rows = Downtime.objects.select_for_update(no_key=True)
    found = rows.filter(incident=incident, ends_at__isnull=True).first()
    if found is not None:
        found.incident = incident
    return found


def _interrupt(
    incident: Incident,
    unit: "WorkUnit",
    reason: DowntimeReason | None,
    by: User | None,
    now: datetime,
) -> None:
    """Stop what runs on the unit; between the look and the lock it may have ended by itself."""
    operation = selectors.running_on(unit.pk)
    if operation is None:
        return
    why = reason.label if reason else str(AndonKind.MACHINE_DOWN.label)
    try:
        execution.interrupt(operation=operation, reason=why, by=by, now=now)
    except execution.CannotInterrupt:
        return
    incidents.note(
        incident,
        EntryKind.INTERRUPTED,
        by=by,
        now=now,
        operation=f"{operation.work_order.number} / {operation.sequence}",
        work_order=operation.work_order.number,
    )


def _open(
    incident: Incident, unit: "WorkUnit", reason: DowntimeReason | None, now: datetime
) -> Downtime:
    """Two reports at once: the database lets one through, the other is told."""
    try:
        with transaction.atomic():
            return Downtime.objects.create(
                incident=incident, work_unit=unit, reason=reason, starts_at=now
            )
    except IntegrityError as conflict:
        if _ONE_OPEN not in str(conflict):
            raise
        policies.check_can_report(standing(unit.pk), unit.code, None, now)
        raise


def _close_until(downtime: Downtime, until: datetime, by: User | None, now: datetime) -> None:
    """Keep the schedule free of the unit until then, and look again when that has come."""
    downtime.estimated_ends_at = until
    incident = downtime.incident
    reason = _("Down: %(incident)s") % {"incident": incident.number}
    kept = None
    if downtime.exception_id is not None:
        kept = unit_exceptions.end_at(
            exception_id=downtime.exception_id, ends_at=until, by=by, now=now, reason=reason
        )
    if kept is None:
        kept = unit_exceptions.add(
            work_unit_id=downtime.work_unit_id,
            starts_at=downtime.starts_at,
            ends_at=until,
            is_working=False,
            reason=reason,
            by=by,
            now=now,
        )
    downtime.exception = kept
    downtime.save(update_fields=["estimated_ends_at", "exception"])
    _capacity_changes(incident, now)
    incidents.note(incident, EntryKind.ESTIMATED, by=by, now=now, until=until.isoformat())
    enqueue(
        "mes.check_estimate",
        key=f"estimate:{downtime.pk}:{until.isoformat()}",
        now=now,
        run_at=until,
        downtime_id=downtime.pk,
    )


def _capacity_changes(incident: Incident, now: datetime) -> None:
    incident.capacity_changed_at = now
    incident.save(update_fields=["capacity_changed_at"])


def _said(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
