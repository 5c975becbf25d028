"""Writing into the genealogy ledger: one event with its rows, in the caller's transaction.

What is refused is refused before a row is written: nodes that are not there, a thing inside
itself, a unit that is inside another one already.
"""

import graphlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import connection, transaction

from traceability import policies, selectors
from traceability.enums import (
    FIRST_UNIT_ID,
    Certainty,
    EventKind,
    LinkEndWhy,
    LinkRole,
    Verdict,
)
from traceability.models import Event
from traceability.services import copied, derived, digests

# The columns of what is copied, in the order of NewLink, _process_row and Handover.
_LINK = ("event_id", "child", "parent", "quantity", "role", "certainty")
_READING = (
    "event_id", "subject", "at", "operation", "work_unit_id", "operator_id", "tool_id", "program",
    "parameter_id", "value", "lower", "upper", "verdict",
)  # fmt: skip
_CUSTODY = ("event_id", "thing", "document_id", "quantity")


@dataclass(frozen=True, slots=True)
class Fact:
    """What happened, when, where and by whom; ids of other rooms' rows."""

    kind: EventKind
    at: datetime
    site_id: int
    by_id: int | None = None
    reference: str = ""
    operation: int | None = None
    work_unit_id: int | None = None
    tool_id: int | None = None
    program: str = ""
    corrects_id: int | None = None
    note: str = ""


class NewLink(NamedTuple):
    """The child takes so much of the parent, in the parent's unit of measure."""

    child: int
    parent: int
    quantity: Decimal
    role: int = LinkRole.CONSUME.value
    certainty: int = Certainty.EXACT.value


class OldLink(NamedTuple):
    """A link by its key."""

    child: int
    parent: int
    event_id: int


class Station(NamedTuple):
    """Where a reading was taken, where that is not where the fact happened."""

    operation: int | None = None
    work_unit_id: int | None = None
    tool_id: int | None = None
    program: str = ""


class NewReading(NamedTuple):
    """What a lot or unit went through; without a parameter, that it passed the operation."""

    subject: int
    operator_id: int | None = None
    parameter_id: int | None = None
    value: Decimal | None = None
    lower: Decimal | None = None
    upper: Decimal | None = None
    verdict: int = Verdict.NONE.value
    at: datetime | None = None
    # None: the fact's.
    station: Station | None = None


class Handover(NamedTuple):
    """So much of a lot, or a unit, changes hands by the document."""

    thing: int
    document_id: int
    quantity: Decimal = Decimal(1)


@dataclass(slots=True)
class Rows:
    """What an event writes."""

    links: Sequence[NewLink] = ()
    ends: Sequence[OldLink] = ()
    ends_why: LinkEndWhy = LinkEndWhy.REMOVED
    readings: Sequence[NewReading] = ()
    handovers: Sequence[Handover] = ()


def write(fact: Fact, rows: Rows) -> int:
    """Write the event with its rows; return its id.

    Raise CannotLink where a node is unknown, would be inside itself or is inside another already,
    or where a link that ends is not there or has ended.
    """
    with transaction.atomic():
        return put(fact, rows)


def put(fact: Fact, rows: Rows) -> int:
    """The same inside a block of the caller's, which undoes all of it where this raises."""
    policies.check_known(_nodes(rows))
    _check_order(rows.links)
    _keep_to_ourselves({*(row.child for row in rows.links), *(row.child for row in rows.ends)})
    process = [_process_row(fact, reading) for reading in rows.readings]
    event_id = _event(fact, digests.digest(_lines(rows, process)))
    _end(event_id, rows)
    if rows.links:
        _link(event_id, rows.links)
    _read(event_id, process)
    _hand_over(event_id, rows.handovers)
    return event_id


def _nodes(rows: Rows) -> set[int]:
    return {
        *(link.child for link in rows.links),
        *(link.parent for link in rows.links),
        *(reading.subject for reading in rows.readings),
        *(handover.thing for handover in rows.handovers),
    }


def _keep_to_ourselves(nodes: Collection[int]) -> None:
    """Lock those of the nodes that are units, and what hosts them, outward.

    What goes into a unit goes into its hosts: whoever puts it into a host at this moment (and with
    that locks it) has to be seen, or the host would miss what the part gets.
    """
    level, mine = {node for node in nodes if node >= FIRST_UNIT_ID}, set[int]()
    while level:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT host_id FROM traceability_serialunit WHERE id = ANY(%s)"
                " ORDER BY id FOR NO KEY UPDATE",
                [list(level)],
            )
            hosts = {host for (host,) in cursor.fetchall() if host is not None}
        mine |= level
        level = hosts - mine


def _check_order(links: Sequence[NewLink]) -> None:
    """Raise CannotLink where the new links by themselves close a circle."""
    children = {link.child for link in links}
    inner = [link for link in links if link.parent in children]
    if inner:
        graph: dict[int, set[int]] = {}
        for link in inner:
            graph.setdefault(link.child, set()).add(link.parent)
        try:
            graphlib.TopologicalSorter(graph).prepare()
        except graphlib.CycleError as error:
            raise policies.inside_itself(error.args[1]) from error


def _event(fact: Fact, digest: bytes) -> int:
    return Event.objects.create(
        kind=fact.kind,
        at=fact.at,
        by_id=fact.by_id,
        site_id=fact.site_id,
        reference=fact.reference[:60],
        operation=fact.operation,
        work_unit_id=fact.work_unit_id,
        tool_id=fact.tool_id,
        program=fact.program[:60],
        corrects_id=fact.corrects_id,
        note=fact.note[:200],
        digest=digest,
    ).pk


def _lines(rows: Rows, process: Sequence[tuple[object, ...]]) -> list[str]:
    return [
        *(digests.link_line(*link) for link in rows.links),
        *(digests.end_line(*link, rows.ends_why) for link in rows.ends),
        *(digests.reading_line(row) for row in process),
        *(digests.handover_line(*handover) for handover in rows.handovers),
    ]


def _process_row(fact: Fact, reading: NewReading) -> tuple[object, ...]:
    station = reading.station
    if station is None:
        station = Station(fact.operation, fact.work_unit_id, fact.tool_id, fact.program)
    return (
        reading.subject,
        reading.at or fact.at,
        station.operation,
        station.work_unit_id,
        reading.operator_id,
        station.tool_id,
        station.program[:60],
        reading.parameter_id,
        reading.value,
        reading.lower,
        reading.upper,
        reading.verdict,
    )


def _link(event_id: int, links: Sequence[NewLink]) -> None:
    # Who has no child yet cannot be inside what it is made from.
    older = selectors.with_children({link.child for link in links})
    copied.put("traceability_link", _LINK, ((event_id, *link) for link in links))
    if circles := selectors.inside_themselves(older):
        raise policies.inside_itself(circles)
    if hosted := policies.hosts(links):
        _host(hosted)
    derived.add_kits(
        [(link.child, link.parent) for link in links if link.child >= FIRST_UNIT_ID],
        inside=older | {link.parent for link in links},
    )


def _host(hosted: dict[int, int]) -> None:
    """Put each unit into its host; raise CannotLink for one that is inside another already."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE traceability_serialunit AS unit SET host_id = new.host
            FROM unnest(%s::bigint[], %s::bigint[]) AS new (part, host)
            WHERE unit.id = new.part AND unit.host_id IS NULL
            RETURNING unit.id
            """,
            [list(hosted), list(hosted.values())],
        )
        placed = {pk for (pk,) in cursor.fetchall()}
    if left := sorted(set(hosted) - placed):
        raise policies.hosted_already(left)


def _end(event_id: int, rows: Rows) -> None:
    if not rows.ends:
        return
    policies.check_ends(rows.ends)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO traceability_linkend (child, parent, event_id, ended_by, why)
            SELECT old.child, old.parent, old.event_id, %s, %s
            FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS old (child, parent, event_id)
            """,
            [event_id, rows.ends_why, *(list(column) for column in zip(*rows.ends, strict=True))],
        )
        cursor.execute(
            """
            UPDATE traceability_serialunit AS unit SET host_id = NULL
            FROM unnest(%s::bigint[], %s::bigint[]) AS old (host, part)
            WHERE unit.id = old.part AND unit.host_id = old.host
            """,
            [[end.child for end in rows.ends], [end.parent for end in rows.ends]],
        )
    derived.rebuild_kits({end.child for end in rows.ends if end.child >= FIRST_UNIT_ID})


def _read(event_id: int, process: Sequence[tuple[object, ...]]) -> None:
    if not process:
        return
    copied.put("traceability_reading", _READING, ((event_id, *row) for row in process))


def _hand_over(event_id: int, handovers: Sequence[Handover]) -> None:
    if not handovers:
        return
    copied.put("traceability_custody", _CUSTODY, ((event_id, *row) for row in handovers))
    units = [row for row in handovers if row.thing >= FIRST_UNIT_ID]
    if not units:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE traceability_serialunit AS unit SET document_id = new.document_id
            FROM unnest(%s::bigint[], %s::bigint[]) AS new (id, document_id)
            WHERE unit.id = new.id
            """,
            [[row.thing for row in units], [row.document_id for row in units]],
        )
