"""Which kits are inside a unit, its sub-units' included: derived from links, kept beside them.

With it the impact of a lot walks lots and kits only, and jumps from kits to units once.
"""

from collections.abc import Collection, Sequence
from typing import Any

from django.db import connection

from traceability import selectors
from traceability.enums import FIRST_KIT_ID, FIRST_UNIT_ID
from traceability.selectors.graph import LIVE

# What a part has inside, its host has inside.
_ADD = """
INSERT INTO traceability_unitkit (unit_id, kit_id)
SELECT new.unit, new.kit FROM unnest(%s::bigint[], %s::bigint[]) AS new (unit, kit)
UNION
SELECT new.host, inside.kit_id FROM unnest(%s::bigint[], %s::bigint[]) AS new (host, part)
CROSS JOIN LATERAL (
    SELECT kit_id FROM traceability_unitkit WHERE unit_id = new.part OFFSET 0) AS inside
ON CONFLICT DO NOTHING RETURNING unit_id
"""
_HOSTS = f"""
SELECT step.child, part FROM unnest(%s::bigint[]) AS part CROSS JOIN LATERAL (
    SELECT link.child FROM traceability_link AS link
    WHERE link.parent = part AND link.child >= {FIRST_UNIT_ID} AND {LIVE} OFFSET 0) AS step
"""  # noqa: S608 - our own text


def add_kits(pairs: Sequence[tuple[int, int]], *, inside: Collection[int]) -> None:
    """Follow new links of units, (child, parent) each; whoever hosts the children follows too.

    Of the children only those of ``inside`` may be in another unit: what was made just now is not.
    """
    kits = [pair for pair in pairs if pair[1] < FIRST_UNIT_ID]
    parts = [pair for pair in pairs if pair[1] >= FIRST_UNIT_ID]
    grown = _add(kits=kits, parts=parts).intersection(inside)
    while grown:
        grown = _add(parts=_pairs(_HOSTS, [list(grown)]))


def rebuild_kits(units: Collection[int]) -> None:
    """Build the kits of these units, and of all that contain them, anew from the links.

    A few statements per level of units inside units, however many there are.
    """
    stale = sorted(set().union(*selectors.hosts_of(units)))
    if not stale:
        return
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM traceability_unitkit WHERE unit_id = ANY(%s)", [stale])
    steps = _pairs(_PARENTS, [stale])
    _add(kits=[step for step in steps if FIRST_KIT_ID <= step[1] < FIRST_UNIT_ID])
    hosted = [step for step in steps if step[1] >= FIRST_UNIT_ID]
    while _add(parts=hosted):
        pass


_PARENTS = f"""
SELECT part, step.parent FROM unnest(%s::bigint[]) AS part CROSS JOIN LATERAL (
    SELECT link.parent FROM traceability_link AS link
    WHERE link.child = part AND {LIVE} OFFSET 0) AS step
"""  # noqa: S608 - our own text


def _pairs(sql: str, parameters: list[Any]) -> list[tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [(first, second) for first, second in cursor.fetchall()]


def _add(
    *, kits: Sequence[tuple[int, int]] = (), parts: Sequence[tuple[int, int]] = ()
) -> set[int]:
    """Units get kits, and what their parts have inside; those that got something new."""
    if not kits and not parts:
        return set()
    columns = [[pair[place] for pair in pairs] for pairs in (kits, parts) for place in (0, 1)]
    with connection.cursor() as cursor:
        cursor.execute(_ADD, columns)
        return {pk for (pk,) in cursor.fetchall()}
