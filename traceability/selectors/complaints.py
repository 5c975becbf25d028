"""How often customers complain of what was made in a time: counted alike for old and new."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from traceability.enums import DocumentKind
from traceability.models import Complaint

# Whoever was delivered, when first; who complained of it within the same time as of all others.
_RATE = f"""
WITH made AS MATERIALIZED (
    SELECT id FROM traceability_serialunit
    WHERE item_id = ANY(%(items)s) AND made_at >= %(since)s AND made_at < %(until)s
    UNION ALL
    SELECT id FROM traceability_lot
    WHERE item_id = ANY(%(items)s) AND made_at >= %(since)s AND made_at < %(until)s
), delivered AS MATERIALIZED (
    SELECT made.id, first.at, first.at + make_interval(secs => %(within)s) <= %(now)s AS is_watched
    FROM made CROSS JOIN LATERAL (
        SELECT document.at FROM traceability_custody AS custody
        JOIN traceability_document AS document ON document.id = custody.document_id
        WHERE custody.thing = made.id AND document.kind = '{DocumentKind.SHIPMENT.value}'
        ORDER BY custody.id LIMIT 1) AS first
), complained AS MATERIALIZED (
    SELECT said.thing, said.at FROM traceability_complaint AS said
    WHERE said.thing IS NOT NULL AND said.symptom <> ''
        AND (cardinality(%(symptoms)s::text[]) = 0 OR said.symptom = ANY(%(symptoms)s))
        AND NOT EXISTS (SELECT FROM traceability_complaint AS later
            WHERE later.reference = said.reference AND later.id > said.id)
)
SELECT (SELECT count(*) FROM made), count(*), count(*) FILTER (WHERE is_watched),
    count(*) FILTER (WHERE is_watched AND EXISTS (
        SELECT FROM complained WHERE complained.thing = delivered.id
            AND complained.at < delivered.at + make_interval(secs => %(within)s)))
FROM delivered
"""  # noqa: S608 - our own text


@dataclass(frozen=True, slots=True)
class Rate:
    """Lots and units made in a window, and how many of them customers complained about.

    Only what has been with a customer for long enough is ``watched``: what lies in the store, or
    left yesterday, says nothing of its faults.
    """

    made: int
    delivered: int
    watched: int
    complained: int

    @property
    def share(self) -> float | None:
        """Complained about, of those watched; None where none was."""
        return self.complained / self.watched if self.watched else None


def rate(
    *,
    item_ids: Collection[int],
    since: datetime,
    until: datetime,
    within: timedelta,
    now: datetime,
    symptoms: Collection[str] = (),
) -> Rate:
    """Of the items' lots and units made in ``[since, until)``: who was complained about.

    A complaint counts that came within so long after the first delivery, with one of the symptoms
    (any, if none is named); so the old, which had more time to fail, compare with the new.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _RATE,
            {
                "items": list(item_ids),
                "since": since,
                "until": until,
                "within": within.total_seconds(),
                "now": now,
                "symptoms": list(symptoms),
            },
        )
        made, delivered, watched, complained = cursor.fetchone() or (0, 0, 0, 0)
    return Rate(made, delivered, watched, complained)


def standing() -> QuerySet[Complaint]:
    """What tickets say by now: of each reference its last row, where that is a complaint."""
    later = Complaint.objects.filter(reference=OuterRef("reference"), pk__gt=OuterRef("pk"))
    return Complaint.objects.filter(~Exists(later)).exclude(symptom="")


def of_things(things: Collection[int]) -> QuerySet[Complaint]:
    """What was complained about these lots and units, the newest first."""
    return standing().filter(thing__in=list(things)).order_by("-at", "-pk")
