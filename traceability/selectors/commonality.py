"""What failed units share that good ones do not: ranked by lift, with the counts behind it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import connection

from traceability.enums import FIRST_KIT_ID, Verdict

# How many good units of the same time the failed ones are compared with.
NEIGHBOURS = 1000

# What of a reading may be shared, and how it is written; null: nothing.
_PROCESS = {
    "work_unit": "work_unit_id",
    "operator": "operator_id",
    "tool": "tool_id",
    "program": "nullif(program, '')",
    "out_of_limits": f"CASE WHEN verdict = {Verdict.FAIL.value} THEN parameter_id END",
}


def _feature(kind: str, value: str) -> str:
    """How many units have each value: pairs first, which is quicker than count(DISTINCT)."""
    return f"""
        SELECT '{kind}', value::text, count(*) FROM (
            SELECT DISTINCT subject, {value} AS value FROM reading) AS pair
        WHERE value IS NOT NULL GROUP BY value"""  # noqa: S608 - our own text


# Lots behind the kits of each unit, and where, by whom and how the unit was processed. Units and
# readings by one array: neighbours lie side by side in the index, which is read along, not
# descended for each of them in each month.
_FEATURES = f"""
WITH RECURSIVE inside AS MATERIALIZED (
    SELECT unit_id, kit_id FROM traceability_unitkit WHERE unit_id = ANY (%(units)s)
),
kits AS MATERIALIZED (SELECT DISTINCT kit_id FROM inside),
walk (kit_id, id) AS (
    SELECT kit_id, kit_id FROM kits
    UNION
    SELECT walk.kit_id, step.parent FROM walk CROSS JOIN LATERAL (
        SELECT parent FROM traceability_link WHERE child = walk.id OFFSET 0) AS step
),
reading AS MATERIALIZED (
    SELECT subject, work_unit_id, operator_id, tool_id, program, parameter_id, verdict
    FROM traceability_reading WHERE subject = ANY (%(units)s)
)
SELECT 'lot', walk.id::text, count(DISTINCT inside.unit_id)
FROM walk JOIN inside USING (kit_id) WHERE walk.id < {FIRST_KIT_ID} GROUP BY walk.id
UNION ALL
{" UNION ALL ".join(_feature(kind, value) for kind, value in _PROCESS.items())}
"""  # noqa: S608 - our own text
_NEIGHBOURS = """
SELECT DISTINCT near.id FROM unnest(%(failed)s::bigint[]) AS failed (id) CROSS JOIN LATERAL (
    (SELECT id FROM traceability_serialunit
        WHERE id < failed.id AND item_id = %(item)s ORDER BY id DESC LIMIT %(side)s)
    UNION ALL
    (SELECT id FROM traceability_serialunit
        WHERE id > failed.id AND item_id = %(item)s ORDER BY id LIMIT %(side)s)
) AS near WHERE near.id <> ALL (%(failed)s) ORDER BY 1
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
    values: dict[str, int | list[int]] = {
        "failed": list(failed),
        "item": item_id,
        "side": max(1, most // (2 * len(failed))),
    }
    with connection.cursor() as cursor:
        cursor.execute(_NEIGHBOURS, values)
        return [near for (near,) in cursor.fetchall()]


def _features(units: Collection[int]) -> dict[tuple[str, str], int]:
    with connection.cursor() as cursor:
        cursor.execute(_FEATURES, {"units": list(units)})
        return {(kind, value): count for kind, value, count in cursor.fetchall()}
