"""Calls at machines: raised, answered, resolved; more people are told while nobody answers."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.urls import reverse

from common import audit, transitions
from common.enums import Level, Role
from common.jobs import enqueue
from common.models import User
from common.notifications import notify
from masterdata import selectors as masterdata
from mes import andon_policies as policies
from mes import selectors
from mes.andon_policies import CannotAnswer, CannotRaise
from mes.enums import ANDON_TRANSITIONS, AndonKind, AndonState, EntryKind
from mes.models import AndonCall, Incident
from mes.services import andon_rules, incidents

if TYPE_CHECKING:
    from masterdata.models import WorkUnit

__all__ = ["CannotAnswer", "CannotRaise", "acknowledge", "escalate", "raise_call", "resolve"]

_ONE_OPEN = "mes_andoncall_one_open_per_unit_and_kind"


def raise_call(
    *,
    work_unit_id: int,
    kind: AndonKind,
    note: str = "",
    by: User | None,
    now: datetime,
    is_from_machine: bool = False,
) -> AndonCall:
    """Call the people who are responsible for it; raise CannotRaise where that waits already.

    The call opens an incident. A machine that is down is ``breakdowns.report``, which calls too.
    """
    with transaction.atomic():
        unit = masterdata.work_unit(work_unit_id)
        policies.check_can_raise(open_call(work_unit_id, kind), unit.code)
        incident = incidents.open_at(unit=unit, kind=kind, by=by, now=now)
        call = _insert(incident, unit, kind, note, by, now, is_from_machine)
        audit.record(action="mes.andon.raise", target=incident, by=by, now=now, reason=note)
        incidents.note(incident, EntryKind.RAISED, by=by, now=now, call=kind.value, note=call.note)
        _tell(call, unit, roles=_roles(call, unit)[0], now=now)
        _watch(call, unit, now)
    return call


def acknowledge(*, call: AndonCall, by: User | None, now: datetime) -> AndonCall:
    """Say that one is on it; raise CannotAnswer. Nobody else is told any more."""
    with transaction.atomic():
        call = _locked(call.pk)
        policies.check_can_acknowledge(call)
        _move(call, AndonState.ACKNOWLEDGED)
        call.acknowledged_at = now
        call.acknowledged_by = by
        call.save(update_fields=["state", "acknowledged_at", "acknowledged_by"])
        audit.record(action="mes.andon.acknowledge", target=call.incident, by=by, now=now)
        incidents.note(call.incident, EntryKind.ACKNOWLEDGED, by=by, now=now)
    return call


def resolve(*, call: AndonCall, by: User | None, now: datetime) -> AndonCall:
    """Say that it is over; raise CannotAnswer. The last call closes the incident."""
    with transaction.atomic():
        call = _locked(call.pk)
        policies.check_can_resolve(call)
        settle(call, by=by, now=now)
        incidents.close_if_over(call.incident, by=by, now=now)
    return call


def settle(call: AndonCall, *, by: User | None, now: datetime) -> None:
    """Mark a locked call as resolved; the incident is the caller's."""
    _move(call, AndonState.RESOLVED)
    call.resolved_at = now
    call.resolved_by = by
    call.save(update_fields=["state", "resolved_at", "resolved_by"])
    audit.record(action="mes.andon.resolve", target=call.incident, by=by, now=now)
    incidents.note(call.incident, EntryKind.RESOLVED, by=by, now=now)


def escalate(*, call_id: int, level: int, now: datetime) -> None:
    """Tell the people of the next step, if still nobody has answered; then watch on."""
    with transaction.atomic():
        call = _locked(call_id)
        if call.state != AndonState.RAISED or call.level >= level:
            return
        unit = masterdata.work_unit(call.work_unit_id)
        steps = _roles(call, unit)
        if level >= len(steps):
            return  # The rules were changed meanwhile.
        call.level = level
        call.save(update_fields=["level"])
        roles = steps[level]
        incidents.note(
            call.incident,
            EntryKind.ESCALATED,
            by=None,
            now=now,
            level=level,
            roles=[role.value for role in roles],
        )
        _tell(call, unit, roles=roles, now=now, is_again=True)
        _watch(call, unit, now)


def open_call(work_unit_id: int, kind: AndonKind) -> AndonCall | None:
    """The call of this kind that waits or is worked on at the unit."""
    return (
        AndonCall.objects.select_related("incident")
        .filter(work_unit_id=work_unit_id, kind=kind, state__in=AndonState.open())
        .first()
    )


def _insert(
    incident: Incident,
    unit: "WorkUnit",
    kind: AndonKind,
    note: str,
    by: User | None,
    now: datetime,
    is_from_machine: bool,
) -> AndonCall:
    """Two taps at once: the database lets one through, the other is told."""
    try:
        with transaction.atomic():
            return AndonCall.objects.create(
                incident=incident,
                work_unit=unit,
                operation=selectors.running_on(unit.pk),
                kind=kind,
                note=note.strip()[:200],
                is_from_machine=is_from_machine,
                raised_at=now,
                raised_by=by,
            )
    except IntegrityError as conflict:
        if _ONE_OPEN not in str(conflict):
            raise
        policies.check_can_raise(open_call(unit.pk, kind), unit.code)
        raise


def _locked(pk: int) -> AndonCall:
    """The call as it is now, its incident's row held first: one act at a time on each."""
    incident_id = AndonCall.objects.values_list("incident_id", flat=True).get(pk=pk)
    incident = Incident.objects.select_for_update(no_key=True).get(pk=incident_id)
    call = AndonCall.objects.select_for_update(no_key=True).get(pk=pk)
    call.incident = incident
    return call


def _move(call: AndonCall, new: AndonState) -> None:
    transitions.check(ANDON_TRANSITIONS, old=AndonState(call.state), new=new)
    call.state = new


def _roles(call: AndonCall, unit: "WorkUnit") -> list[tuple[Role, ...]]:
    steps = andon_rules.steps(kind=AndonKind(call.kind), work_center_id=unit.work_center_id)
    return [step.roles for step in steps]


def _tell(
    call: AndonCall,
    unit: "WorkUnit",
    *,
    roles: tuple[Role, ...],
    now: datetime,
    is_again: bool = False,
) -> None:
    minutes = int((now - call.raised_at).total_seconds() // 60)
    facts = {"unit": unit.code, "note": call.note, "incident": call.incident.number}
    notify(
        kind="mes.andon_unanswered" if is_again else f"mes.andon_{call.kind}",
        parameters={**facts, "minutes": minutes},
        roles=roles,
        level=Level.DANGER,
        url=reverse("andon:board"),
        now=now,
    )


def _watch(call: AndonCall, unit: "WorkUnit", now: datetime) -> None:
    """Ask for the next step at its time; nothing where there is none."""
    steps = andon_rules.steps(kind=AndonKind(call.kind), work_center_id=unit.work_center_id)
    level = call.level + 1
    if level >= len(steps):
        return
    enqueue(
        "mes.escalate_call",
        key=f"escalate:{call.pk}:{level}",
        now=now,
        run_at=max(call.raised_at + steps[level].after, now),
        call_id=call.pk,
        level=level,
    )
