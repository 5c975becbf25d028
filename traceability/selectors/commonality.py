"""What failed units share that good ones do not: ranked by lift, with the counts behind it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import connection

from traceability.enums import FIRST_KIT_ID, Verdict

# How many good units of the same time the failed ones are compared with.
NEIGHBOURS = 1000

# Lots behind the kits of each unit, and where, by whom and how the unit was processed.
_FEATURES = f"""
WITH RECURSIVE asked (id) AS (SELECT unnest(%s::bigint[])),
inside AS MATERIALIZED (
    SELECT asked.id AS unit_id, own.kit_id FROM asked CROSS JOIN LATERAL (
        SELECT kit_id FROM traceability_unitkit WHERE unit_id = asked.id OFFSET 0) AS own
),
kits AS MATERIALIZED (SELECT DISTINCT kit_id FROM inside),
walk (kit_id, id) AS (
    SELECT kit_id, kit_id FROM kits
    UNION
    SELECT walk.kit_id, step.parent FROM walk CROSS JOIN LATERAL (
        SELECT parent FROM traceability_link WHERE child = walk.id OFFSET 0) AS step
)
SELECT 'lot', walk.id::text, count(DISTINCT inside.unit_id)
FROM walk JOIN inside USING (kit_id) WHERE walk.id < {FIRST_KIT_ID} GROUP BY walk.id
UNION ALL
SELECT feature.kind, feature.value, count(DISTINCT asked.id)
FROM asked CROSS JOIN LATERAL (
    SELECT work_unit_id, operator_id, tool_id, program, parameter_id, verdict
    FROM traceability_reading WHERE subject = asked.id OFFSET 0) AS reading
CROSS JOIN LATERAL (VALUES
    ('work_unit', reading.work_unit_id::text), ('operator', reading.operator_id::text),
    ('tool', reading.tool_id::text), ('program', nullif(reading.program, '')),
    ('out_of_limits', CASE WHEN reading.verdict = %s THEN reading.parameter_id::text END)
) AS feature (kind, value)
WHERE feature.value IS NOT NULL GROUP BY 1, 2
"""  # noqa: S608 - our own text
_NEIGHBOURS = """
SELECT near.id FROM (
    (SELECT id FROM traceability_serialunit
        WHERE id < %s AND item_id = %s ORDER BY id DESC LIMIT %s)
    UNION ALL
    (SELECT id FROM traceability_serialunit
        WHERE id > %s AND item_id = %s ORDER BY id LIMIT %s)
) AS near WHERE near.id <> ALL(%s)
"""


@dataclass(frozen=True, slots=True)
class Shared:
    """A lot, machine, person, tool, program or parameter out of limits, and who had it."""

    kind: str
    value: str
    failed: int
    good: int
    # How much more often failed units have it than good ones; 1: just as often.
    lift: float


def shared_by(failed: Collection[int], good: Collection[int]) -> list[Shared]:
    """What the failed units have in common, the most telling first.

    The lift compares shares of both groups, each with one added so that nought divides nothing.
    """
    of_failed, of_good = _features(failed), _features(good)
    rows = [
        Shared(
            kind,
            value,
            count,
            of_good.get((kind, value), 0),
            _lift(count, len(failed), of_good.get((kind, value), 0), len(good)),
        )
        for (kind, value), count in of_failed.items()
    ]
    return sorted(rows, key=lambda row: (-row.lift * row.failed, -row.failed, row.kind, row.value))


def _lift(failed: int, all_failed: int, good: int, all_good: int) -> float:
    return ((failed + 1) / (all_failed + 2)) / ((good + 1) / (all_good + 2))


def neighbours(failed: Sequence[int], *, item_id: int, most: int = NEIGHBOURS) -> list[int]:
    """Units of the item that were numbered around the failed ones, not among them."""
    if not failed:
        return []
    side = max(1, most // (2 * len(failed)))
    with connection.cursor() as cursor:
        found: set[int] = set()
        for pk in failed:
            cursor.execute(_NEIGHBOURS, [pk, item_id, side, pk, item_id, side, list(failed)])
            found |= {near for (near,) in cursor.fetchall()}
    return sorted(found)


def _features(units: Collection[int]) -> dict[tuple[str, str], int]:
    with connection.cursor() as cursor:
        cursor.execute(_FEATURES, [list(units), Verdict.FAIL.value])
        return {(kind, value): count for kind, value, count in cursor.fetchall()}
