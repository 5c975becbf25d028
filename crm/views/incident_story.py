"""What an incident led to, in order of time: alarms, stops, plans, dates, notices."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from aps import selectors as aps
from common.enums import Role
from common.templatetags.ui_format import moment
from crm.enums import NoticeState
from crm.models import DelayNotice, Projection
from mes.enums import AndonKind, EntryKind
from mes.selectors import Incident

if TYPE_CHECKING:
    from aps.models import ScheduleRun
    from mes.models import IncidentEntry

# So many moved operations of a plan are listed; all are counted.
MOST_MOVES = 12


@dataclass(frozen=True)
class Step:
    """One line of the story."""

    at: datetime
    title: str
    icon: str
    # done, current, problem
    state: str = "done"
    who: str = ""
    note: str = ""


@dataclass(frozen=True)
class Version:
    """A plan that was made because of the incident."""

    number: int
    published_at: datetime
    seconds: int
    moved: int
    machine_changes: int
    moves: Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Story:
    steps: list[Step] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    dates: list[Projection] = field(default_factory=list)
    notices: list[DelayNotice] = field(default_factory=list)


_LOOKS = {
    EntryKind.RAISED: ("bell-ringing", "problem"),
    EntryKind.ESCALATED: ("speakerphone", "problem"),
    EntryKind.ACKNOWLEDGED: ("hand-stop", "done"),
    EntryKind.RESOLVED: ("check", "done"),
    EntryKind.DOWN: ("tool", "problem"),
    EntryKind.INTERRUPTED: ("player-pause", "problem"),
    EntryKind.ESTIMATED: ("clock", "done"),
    EntryKind.OVERDUE: ("alert-triangle", "problem"),
    EntryKind.RECOVERED: ("player-play", "done"),
    EntryKind.CLOSED: ("circle-check", "done"),
}


def tell(incident: Incident, *, with_orders: bool) -> Story:
    """The story of an incident that was read with its entries; at most four queries."""
    versions = _versions(incident)
    dates: list[Projection] = []
    notices: list[DelayNotice] = []
    if with_orders:
        dates = _dates(incident, versions)
        notices = _notices(incident)
    steps = [_step(entry) for entry in incident.entries.all()]
    steps += [_version_step(version) for version in versions]
    steps += [_notice_step(notice) for notice in notices if notice.decided_at]
    steps.sort(key=lambda step: step.at)
    return Story(steps, versions, dates, notices)


def _step(entry: Any) -> Step:
    kind = EntryKind(entry.kind)
    icon, state = _LOOKS[kind]
    return Step(
        at=entry.at,
        title=str(kind.label),
        icon=icon,
        state=state,
        who=str(entry.by or ""),
        note=_note(kind, entry.facts),
    )


def _note(kind: EntryKind, facts: dict[str, Any]) -> str:
    if kind is EntryKind.RAISED and facts.get("call") in AndonKind.values:
        label = str(AndonKind(facts["call"]).label)
        return f"{label}: {facts['note']}" if facts.get("note") else label
    if kind is EntryKind.ESTIMATED:
        until = parse_datetime(str(facts.get("until", "")))
        return moment(until) if until else ""
    if kind is EntryKind.ESCALATED:
        roles = [role for role in facts.get("roles", []) if role in Role.values]
        return ", ".join(str(Role(role).label) for role in roles)
    return str(facts.get("operation", ""))


def _versions(incident: Incident) -> list[Version]:
    """Of each change of what may be counted on, the first plan that reckoned with it."""
    changes = [
        entry
        for entry in incident.entries.all()
        if entry.kind in (EntryKind.ESTIMATED, EntryKind.RECOVERED)
    ]
    if not changes:
        return []
    runs = aps.versions_since(site_id=incident.site_id, since=changes[0].at)
    found: dict[int, Version] = {}
    for change in changes:
        run = next((run for run in runs if _reckons_with(run, change)), None)
        if run is None or run.version is None or run.published_at is None:
            continue
        if run.version in found:
            continue
        told = run.comparison
        found[run.version] = Version(
            number=run.version,
            published_at=run.published_at,
            seconds=max(0, round((run.published_at - change.at).total_seconds())),
            moved=told.get("moved_operations", 0),
            machine_changes=told.get("machine_changes", 0),
            moves=[_move(move) for move in told.get("moved", [])[:MOST_MOVES]],
        )
    return list(found.values())


def _reckons_with(run: "ScheduleRun", change: "IncidentEntry") -> bool:
    """Asked for after the change; a run that began while it was being written has not seen it."""
    if run.last_incident_entry is not None and run.last_incident_entry < change.pk:
        return False
    return run.requested_at >= change.at


def _move(move: dict[str, Any]) -> dict[str, Any]:
    return {
        **move,
        "from_at": parse_datetime(move["from_starts_at"]),
        "to_at": parse_datetime(move["to_starts_at"]),
    }


def _version_step(version: Version) -> Step:
    moved = ngettext("%(n)s operation moved", "%(n)s operations moved", version.moved)
    return Step(
        at=version.published_at,
        title=_("New plan: version %(version)s") % {"version": version.number},
        icon="timeline-event",
        note=", ".join(
            [
                moved % {"n": version.moved},
                _("%(seconds)s s after the change") % {"seconds": version.seconds},
            ]
        ),
    )


def _dates(incident: Incident, versions: Sequence[Version]) -> list[Projection]:
    """Order lines whose day at the door these plans moved."""
    return list(
        Projection.objects.filter(
            schedule_version__in=[version.number for version in versions],
            line__order__site=incident.site_id,
            old_date__isnull=False,
        )
        .select_related("line__order__customer", "line__item")
        .order_by("schedule_version", "line__order__number", "line__position")
    )


def _notices(incident: Incident) -> list[DelayNotice]:
    return list(
        DelayNotice.objects.filter(incident_number=incident.number)
        .select_related("line__order__customer", "line__item", "decided_by")
        .order_by("created_at", "pk")
    )


def _notice_step(notice: DelayNotice) -> Step:
    assert notice.decided_at  # noqa: S101 - chosen so
    state = NoticeState(notice.state)
    return Step(
        at=notice.decided_at,
        title=_("Notice to %(customer)s: %(state)s")
        % {"customer": notice.line.order.customer.label, "state": state.label},
        icon="mail",
        who=str(notice.decided_by or ""),
        note=f"{notice.line.order.number} / {notice.line.position}",
    )
