"""What a cause reached: the units of a lot, counted by where they are and who holds them."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from traceability.enums import FIRST_KIT_ID, FIRST_UNIT_ID, Certainty, IdentityState
from traceability.selectors.graph import LIVE

# Lots and kits only, with whether every step to them is sure; then one jump from kits to units.
_REACHED = f"""
WITH RECURSIVE walk (id, is_sure) AS (
    SELECT unnest(%s::bigint[]), true
    UNION
    SELECT step.child, walk.is_sure AND step.certainty = {Certainty.EXACT.value}
    FROM walk CROSS JOIN LATERAL (
        SELECT link.child, link.certainty FROM traceability_link AS link
        WHERE link.parent = walk.id AND link.child < {FIRST_UNIT_ID} AND {LIVE} OFFSET 0) AS step
), kit AS MATERIALIZED (
    SELECT id, bool_or(is_sure) AS is_sure FROM walk WHERE id >= {FIRST_KIT_ID} GROUP BY id
), reached AS MATERIALIZED (
    SELECT inside.unit_id, bool_or(kit.is_sure) AS is_sure
    FROM kit CROSS JOIN LATERAL (
        SELECT unit_id FROM traceability_unitkit WHERE kit_id = kit.id OFFSET 0) AS inside
    GROUP BY inside.unit_id
)
"""  # noqa: S608 - our own text
_UNITS = f"{_REACHED} SELECT unit_id, is_sure FROM reached"  # noqa: S608 - our own text
_SUMMARY = f"""{_REACHED}
SELECT unit.item_id, unit.state, unit.document_id, reached.is_sure, count(*)
FROM reached CROSS JOIN LATERAL (
    SELECT item_id, state, document_id FROM traceability_serialunit
    WHERE id = reached.unit_id OFFSET 0) AS unit
GROUP BY 1, 2, 3, 4
"""  # noqa: S608 - our own text


@dataclass(frozen=True, slots=True)
class Group:
    """So many units of an item in one state, last moved by one document."""

    item_id: int
    state: IdentityState
    document_id: int | None
    # Every step from the cause to them is exact; else it may be them.
    is_confirmed: bool
    units: int


def units_of_lots(lots: Iterable[int]) -> dict[int, bool]:
    """Every unit with something of the lots in it, at any depth, and whether that is sure."""
    with connection.cursor() as cursor:
        cursor.execute(_UNITS, [list(lots)])
        return dict(cursor.fetchall())


def groups_of_lots(lots: Iterable[int]) -> list[Group]:
    """The same, counted by item, state, document and certainty; no unit is counted twice."""
    with connection.cursor() as cursor:
        cursor.execute(_SUMMARY, [list(lots)])
        return as_groups(cursor.fetchall())


def as_groups(rows: Iterable[tuple[int, str, int | None, bool, int]]) -> list[Group]:
    """Rows of (item, state, document, is it sure, how many)."""
    return [
        Group(item, IdentityState(state), document, is_sure, count)
        for item, state, document, is_sure, count in rows
    ]
