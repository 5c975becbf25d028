"""How much of a lot, or of a unit, came and went, by the kind of event and document."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection

from traceability.enums import DocumentKind, EventKind, direction

_SUMS = """
SELECT handed.thing, event.kind, document.kind, sum(handed.quantity)
FROM unnest(%s::bigint[]) AS asked (thing)
JOIN traceability_custody AS handed ON handed.thing = asked.thing
JOIN traceability_event AS event ON event.id = handed.event_id
JOIN traceability_document AS document ON document.id = handed.document_id
GROUP BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class Handed:
    """The sum of what events of one kind handed over by documents of one kind."""

    event: EventKind
    document: DocumentKind
    quantity: Decimal

    @property
    def into_store(self) -> Decimal:
        """What it adds to what lies in our stores; below zero: what it takes."""
        return direction(self.event, self.document) * self.quantity


def handed_over(things: Collection[int]) -> dict[int, list[Handed]]:
    """By lot or unit: what was handed over, summed; one query."""
    found: dict[int, list[Handed]] = {thing: [] for thing in things}
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, [list(found)])
        for thing, event, document, quantity in cursor.fetchall():
            found[thing].append(Handed(EventKind(event), DocumentKind(document), quantity))
    return found
