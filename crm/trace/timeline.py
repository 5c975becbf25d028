"""What happened to a thing, in the order of time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from crm.trace.life import Life
from crm.trace.links import url_of
from traceability.enums import EventKind, LinkEndWhy, LinkRole, Verdict

if TYPE_CHECKING:
    from traceability.models import Complaint, Event, Hold

MOST = 100
_ICONS = {
    EventKind.RECEIPT: "package-import",
    EventKind.BUILD: "hammer",
    EventKind.PROCESS: "settings",
    EventKind.SPLIT: "arrows-split-2",
    EventKind.MERGE: "arrows-join",
    EventKind.REWORK: "refresh",
    EventKind.DISASSEMBLY: "unlink",
    EventKind.REPLACEMENT: "replace",
    EventKind.SHIPMENT: "truck",
    EventKind.RETURN: "arrow-back-up",
    EventKind.SCRAP: "trash",
    EventKind.CORRECTION: "pencil",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact of a life."""

    at: datetime
    title: str
    icon: str = ""
    state: str = "done"
    note: str = ""
    # A number, and where it leads for who may go there.
    reference: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    entries: list[Entry]
    left_out: int


def timeline(
    life: Life, *, holds: Iterable["Hold"], complaints: Iterable["Complaint"], now: datetime
) -> Timeline:
    """Everything that happened to the thing by now, the first first."""
    entries = [
        *_events(life),
        *_custodies(life),
        *_holds(holds),
        *(
            Entry(row.at, _("Complaint"), "message-report", "problem", row.symptom, row.reference)
            for row in complaints
        ),
    ]
    entries = sorted((e for e in entries if e.at <= now), key=lambda e: e.at)
    shown = entries[-MOST:]
    with_urls = [replace(entry, url=url_of(entry.reference)) for entry in shown]
    return Timeline(with_urls, len(entries) - len(shown))


def _events(life: Life) -> Iterator[Entry]:
    pk = life.thing.pk
    made = {part.event_id: part for part in life.parts if part.child == pk}
    measured: dict[int, list[int]] = {}
    for reading in life.readings:
        if reading.subject == pk:
            measured.setdefault(reading.event_id, []).append(reading.verdict)
    for event_id in sorted({*made, *measured}):
        event = life.events.get(event_id)
        if event is None:
            continue
        verdicts = measured.get(event_id, [])
        state = "problem" if Verdict.FAIL in verdicts else "done"
        part = made.get(event_id)
        title = _title(event)
        if part is not None and part.role == LinkRole.INSTALL:
            title = _("%(part)s put in") % {"part": life.things[part.parent].number}
        yield _entry(event, title, state)
    for part in life.parts:
        ended = life.events.get(part.ended_by or 0)
        if part.child == pk and ended is not None:
            words = (
                _("%(part)s taken out")
                if part.why == LinkEndWhy.REMOVED
                else _("%(part)s was never in it")
            )
            yield _entry(ended, words % {"part": life.things[part.parent].number})
    yield from _hosts(life)


def _hosts(life: Life) -> Iterator[Entry]:
    for step in life.hosts:
        host = life.things.get(step.child)
        event, ended = life.events.get(step.event_id), life.events.get(step.ended_by or 0)
        if host is None:
            continue
        if event is not None:
            yield _entry(event, _("Built into %(host)s") % {"host": host.number})
        if ended is not None:
            yield _entry(ended, _("Taken out of %(host)s") % {"host": host.number})


def _title(event: "Event") -> str:
    kind = EventKind(event.kind)
    if event.operation is not None:
        return _("%(what)s, operation %(operation)s") % {
            "what": kind.label,
            "operation": event.operation,
        }
    return str(kind.label)


def _entry(event: "Event", title: str, state: str = "done") -> Entry:
    place = [event.work_unit.code if event.work_unit else "", event.program, event.note]
    return Entry(
        at=event.at,
        title=title,
        icon=_ICONS.get(EventKind(event.kind), "point"),
        state=state,
        note=" · ".join(text for text in place if text),
        reference=event.reference,
    )


def _custodies(life: Life) -> Iterator[Entry]:
    """How it changed hands; what the same event made or measured is told already."""
    told = {part.event_id for part in life.parts if part.child == life.thing.pk}
    told |= {row.event_id for row in life.readings if row.subject == life.thing.pk}
    for row in life.own_custodies:
        event, paper = life.events.get(row.event_id), row.document
        if event is None or row.event_id in told:
            continue
        partner = paper.customer or paper.supplier
        entry = _entry(event, str(EventKind(event.kind).label))
        note = [paper.number, partner.label if partner else "", paper.certificate, event.note]
        yield replace(
            entry,
            note=" · ".join(text for text in note if text),
            reference=paper.order_number or event.reference,
        )


def _holds(holds: Iterable["Hold"]) -> Iterator[Entry]:
    for hold in holds:
        yield Entry(hold.placed_at, _("Put on hold"), "lock", "problem", hold.reason)
        if hold.released_at:
            yield Entry(
                hold.released_at, _("Hold lifted"), "lock-open", "done", hold.release_reason
            )
