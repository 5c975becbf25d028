"""Incidents: opened with the first alarm, told line by line, closed with the last."""

from datetime import datetime
from typing import TYPE_CHECKING

from common import audit, events, numbers, transitions
from common.models import User
from mes.enums import INCIDENT_TRANSITIONS, AndonKind, AndonState, EntryKind, IncidentState
from mes.events import IncidentChanged
from mes.models import Incident, IncidentEntry

if TYPE_CHECKING:
    from masterdata.models import WorkUnit


def open_at(*, unit: "WorkUnit", kind: AndonKind, by: User | None, now: datetime) -> Incident:
    """A new incident at a work unit, in the caller's transaction."""
    incident = Incident.objects.create(
        number=numbers.take("INC"),
        site_id=unit.work_center.site_id,
        work_unit=unit,
        kind=kind,
        opened_at=now,
    )
    audit.record(action="mes.incident.open", target=incident, by=by, now=now)
    return incident


def note(
    incident: Incident,
    kind: EntryKind,
    *,
    by: User | None,
    now: datetime,
    **facts: str | int | list[str],
) -> None:
    """Write a line of the story and tell whoever watches."""
    IncidentEntry.objects.create(incident=incident, kind=kind, at=now, by=by, facts=facts)
    events.publish(
        IncidentChanged(
            incident_id=incident.pk, site_id=incident.site_id, work_unit_id=incident.work_unit_id
        ),
        by=by,
        now=now,
    )


def close_if_over(incident: Incident, *, by: User | None, now: datetime) -> None:
    """Close it where no call is open and no machine stands because of it."""
    if incident.state == IncidentState.CLOSED:
        return
    if incident.calls.filter(state__in=AndonState.open()).exists():
        return
    if incident.downtimes.filter(ends_at__isnull=True).exists():
        return
    transitions.check(
        INCIDENT_TRANSITIONS, old=IncidentState(incident.state), new=IncidentState.CLOSED
    )
    incident.state = IncidentState.CLOSED
    incident.closed_at = now
    incident.save(update_fields=["state", "closed_at"])
    audit.record(action="mes.incident.close", target=incident, by=by, now=now)
    note(incident, EntryKind.CLOSED, by=by, now=now)
