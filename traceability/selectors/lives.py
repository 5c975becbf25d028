"""The life of one thing: what it was made from, as built and as it is, and what it went through."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from traceability.enums import Certainty, LinkEndWhy, LinkRole
from traceability.models import Custody, Document, Event, Parameter, Reading

# Ended links too: what was taken out belongs to the life.
_OVER = """
WITH RECURSIVE walk (id) AS (
    SELECT %s::bigint
    UNION
    SELECT step.parent FROM walk CROSS JOIN LATERAL (
        SELECT parent FROM traceability_link WHERE child = walk.id OFFSET 0) AS step
)
SELECT link.child, link.parent, link.event_id, link.quantity, link.role, link.certainty,
    gone.ended_by, gone.why
FROM walk CROSS JOIN LATERAL (
    SELECT * FROM traceability_link WHERE child = walk.id OFFSET 0) AS link
LEFT JOIN LATERAL (
    SELECT ended_by, why FROM traceability_linkend AS gone
    WHERE gone.child = link.child AND gone.parent = link.parent
        AND gone.event_id = link.event_id OFFSET 0) AS gone ON true
"""


@dataclass(frozen=True, slots=True)
class Step:
    """A link as the ledger has it, and how it ended, if it did."""

    child: int
    parent: int
    event_id: int
    quantity: Decimal
    role: LinkRole
    certainty: Certainty
    ended_by: int | None = None
    why: LinkEndWhy | None = None

    @property
    def is_as_built(self) -> bool:
        """Whether it was so when the thing was made: not put in later, not a mistake."""
        return self.role != LinkRole.INSTALL and self.why != LinkEndWhy.WRONG

    @property
    def holds(self) -> bool:
        """Whether it is so now."""
        return self.ended_by is None


def steps_over(node: int) -> list[Step]:
    """Every link over the node, all levels, those that ended too; one query."""
    with connection.cursor() as cursor:
        cursor.execute(_OVER, [node])
        return [
            Step(
                child,
                parent,
                event,
                quantity,
                LinkRole(role),
                Certainty(certainty),
                ended_by,
                None if why is None else LinkEndWhy(why),
            )
            for child, parent, event, quantity, role, certainty, ended_by, why in cursor.fetchall()
        ]


def reached(node: int, steps: Iterable[Step]) -> set[int]:
    """What the node is made from by these steps only, itself not included."""
    parents: dict[int, list[int]] = {}
    for step in steps:
        parents.setdefault(step.child, []).append(step.parent)
    found: set[int] = set()
    open_ = [node]
    while open_:
        for parent in parents.get(open_.pop(), ()):
            if parent not in found:
                found.add(parent)
                open_.append(parent)
    return found


def readings_of(
    things: Collection[int], *, since: datetime | None = None, until: datetime | None = None
) -> QuerySet[Reading]:
    """What lots and units went through, in time; bounds let the database skip other months."""
    rows = Reading.objects.filter(subject__in=list(things))
    if since is not None:
        rows = rows.filter(at__gte=since)
    if until is not None:
        rows = rows.filter(at__lt=until)
    return rows.order_by("at", "id")


def custodies_of(things: Collection[int]) -> QuerySet[Custody]:
    """By which documents lots and units changed hands, the first one first."""
    return (
        Custody.objects.filter(thing__in=list(things))
        .select_related("document__customer", "document__supplier")
        .order_by("id")
    )


def last_custody_event(things: Collection[int], *, document_id: int) -> int | None:
    """The last event by which one of the things changed hands by the document."""
    rows = Custody.objects.filter(thing__in=list(things), document=document_id)
    return rows.order_by("-event_id").values_list("event_id", flat=True).first()


def standing_events(reference: str, *, operation: int, at: datetime) -> list[Event]:
    """What was told of an operation at that very moment and was not put right since, in order."""
    put_right = Event.objects.filter(corrects=OuterRef("pk"))
    rows = Event.objects.filter(~Exists(put_right), reference=reference, operation=operation, at=at)
    return list(rows.order_by("pk"))


def events(ids: Iterable[int]) -> dict[int, Event]:
    """Events by id, with machine, tool and person."""
    return Event.objects.select_related("work_unit", "tool", "by", "site").in_bulk(list(ids))


def documents(ids: Iterable[int]) -> dict[int, Document]:
    """Papers by id, with the customer or supplier that they name."""
    return Document.objects.select_related("customer", "supplier").in_bulk(list(ids))


def parameters(ids: Iterable[int]) -> dict[int, Parameter]:
    """What was measured, by id."""
    return Parameter.objects.in_bulk(list(ids))
