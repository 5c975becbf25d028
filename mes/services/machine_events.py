"""Machine data comes in here, by HTTP and MQTT alike, and is made into states by a job."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse

from common.concurrency import Lock, lock
from common.enums import Level, Role
from common.jobs import enqueue
from common.models import User
from common.notifications import notify
from masterdata import selectors as masterdata
from mes import machine_states
from mes.enums import AndonKind, AndonState, MachineEventKind, MachineStatus
from mes.models import AndonCall, MachineBacklog, MachineEvent, MachineState
from mes.services import andon, breakdowns, machine_checks, machine_sources
from mes.services.machine_checks import Told
from mes.services.machine_parsing import Row

# States are derived so soon after the first event that waits.
DERIVE_AFTER = timedelta(seconds=1)
_INSERT = """
INSERT INTO mes_machineevent
  (work_unit_id, source, event_id, kind, status, good, scrap, name, value, at, received_at)
SELECT unit, %s, event_id, kind, status, good, scrap, name, value, at, %s
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::numeric[], %s::numeric[],
            %s::text[], %s::numeric[], %s::timestamptz[])
  AS row (unit, event_id, kind, status, good, scrap, name, value, at)
ON CONFLICT (source, event_id) DO NOTHING
RETURNING work_unit_id, kind, at, name, value
"""


@dataclass(frozen=True)
class Recorded:
    """How many events were new, and how many had come before."""

    stored: int
    duplicates: int


def record(*, source: str, rows: Sequence[Row], by: User | None, now: datetime) -> Recorded:
    """Keep the events, each once by source and event id, and ask for the states; one insert.

    ``by`` sends them from outside: raise CannotSend where the source is not of that account. What
    a machine says of a parameter answers the check that asks for it.
    """
    if not rows:
        return Recorded(0, 0)
    # In one order: two batches with the same events wait for each other and never in a circle.
    ordered = sorted(rows, key=lambda row: row.event_id)
    columns = ("unit_id", "event_id", "kind", "status", "good", "scrap", "name", "value", "at")
    with transaction.atomic():
        if by is not None:
            machine_sources.claim(name=source, by=by, now=now)
        with connection.cursor() as cursor:
            values = [[getattr(row, column) for row in ordered] for column in columns]
            cursor.execute(_INSERT, [source, now, *values])
            new = cursor.fetchall()
        since: dict[int, datetime] = {}
        told: list[Told] = []
        for unit_id, kind, at, name, value in new:
            if kind == MachineEventKind.STATE:
                since[unit_id] = min(at, since.get(unit_id, at))
            elif kind == MachineEventKind.PARAMETER:
                told.append(Told(unit_id, name, value, at))
        machine_checks.answer(told)
        if since:
            MachineBacklog.objects.bulk_create(
                MachineBacklog(work_unit_id=unit_id, since=at) for unit_id, at in since.items()
            )
            enqueue(
                "mes.derive_machine_states",
                key="machine-states",
                group_key="machine-states",
                coalesce=True,
                now=now,
                by=by,
                run_at=now + DERIVE_AFTER,
            )
    return Recorded(len(new), len(rows) - len(new))


def derive(*, now: datetime) -> int:
    """Bring the states of all work units up to date that have said something; how many."""
    units = sorted(set(MachineBacklog.objects.values_list("work_unit_id", flat=True)))
    for unit_id in units:
        derive_unit(work_unit_id=unit_id, now=now)
    return len(units)


def derive_unit(*, work_unit_id: int, now: datetime) -> None:
    """Derive the states of a unit anew from the first event that waits, and act on a change."""
    with transaction.atomic():
        lock(Lock.MACHINE, work_unit_id)
        waiting = MachineBacklog.objects.filter(work_unit_id=work_unit_id)
        ids, moments = [], []
        for pk, since in waiting.values_list("pk", "since"):
            ids.append(pk)
            moments.append(since)
        if not ids:
            return
        before = MachineState.objects.filter(work_unit_id=work_unit_id, ends_at=None).first()
        derived = _rewrite(work_unit_id, min(moments), now)
        MachineBacklog.objects.filter(pk__in=ids).delete()
        if derived.look_again_at is not None:
            _look_again(work_unit_id, derived.look_again_at, now)
        after = derived.spans[-1].status if derived.spans else ""
        if after != (before.status if before else ""):
            _act(work_unit_id, after, now)


def _rewrite(work_unit_id: int, since: datetime, now: datetime) -> machine_states.Derived:
    """Replace the states from the last one on that the events since then cannot have changed."""
    debounce = timedelta(seconds=settings.MACHINE_DEBOUNCE_SECONDS)
    states = MachineState.objects.filter(work_unit_id=work_unit_id)
    sure = states.filter(starts_at__lte=since - debounce).order_by("-starts_at").first()
    events = MachineEvent.objects.filter(work_unit_id=work_unit_id, kind=MachineEventKind.STATE)
    if sure is not None:
        events = events.filter(at__gte=sure.starts_at)
        states = states.filter(starts_at__gte=sure.starts_at)
    points = list(events.order_by("at", "pk").values_list("at", "status"))
    derived = machine_states.derive(points, debounce=debounce, until=now)
    states.delete()
    MachineState.objects.bulk_create(
        MachineState(
            work_unit_id=work_unit_id,
            status=span.status,
            starts_at=span.starts_at,
            ends_at=span.ends_at,
        )
        for span in derived.spans
    )
    return derived


def _look_again(work_unit_id: int, at: datetime, now: datetime) -> None:
    """When the newest state is old enough to count."""
    MachineBacklog.objects.create(work_unit_id=work_unit_id, since=at)
    enqueue(
        "mes.derive_machine_state",
        key=f"machine-state:{work_unit_id}:{at.isoformat()}",
        now=now,
        run_at=at,
        work_unit_id=work_unit_id,
    )


def _act(work_unit_id: int, status: str, now: datetime) -> None:
    """A machine that is down calls for people; one that runs again says so."""
    if status == MachineStatus.DOWN:
        is_known = andon.open_call(work_unit_id, AndonKind.MACHINE_DOWN) is not None
        if not is_known and breakdowns.standing(work_unit_id) is None:
            andon.raise_call(
                work_unit_id=work_unit_id,
                kind=AndonKind.MACHINE_DOWN,
                by=None,
                now=now,
                is_from_machine=True,
            )
    elif status == MachineStatus.RUNNING:
        _runs_again(work_unit_id, now)


def _runs_again(work_unit_id: int, now: datetime) -> None:
    """What nobody has confirmed is over; a breakdown that people manage is theirs to end."""
    call = andon.open_call(work_unit_id, AndonKind.MACHINE_DOWN)
    if call is None:
        return
    standing = breakdowns.standing(work_unit_id)
    if standing is None:
        if call.is_from_machine and call.state == AndonState.RAISED:
            andon.resolve(call=AndonCall.objects.get(pk=call.pk), by=None, now=now)
        return
    unit = masterdata.work_unit(work_unit_id)
    notify(
        kind="mes.machine_runs",
        parameters={"unit": unit.code, "incident": call.incident.number},
        roles=[Role.SUPERVISOR],
        level=Level.SUCCESS,
        url=reverse("andon:board"),
        now=now,
    )
