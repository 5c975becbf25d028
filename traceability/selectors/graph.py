"""Walks over the genealogy: up to what a thing was made from, down to what was made from it.

Every step and every look-up after it is lateral with OFFSET 0: joined plainly, the planner guesses
hundreds of thousands of nodes and reads whole tables. UNION on the bare id removes doubles and
stops at circles at once (shared measurements: docs/traceability.md).
"""

from collections.abc import Collection, Iterable
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef

from traceability.enums import FIRST_KIT_ID, FIRST_UNIT_ID
from traceability.models import Link, LinkEnd

# What holds: links that nothing ended.
LIVE = """NOT EXISTS (SELECT FROM traceability_linkend AS gone
    WHERE gone.child = link.child AND gone.parent = link.parent
    AND gone.event_id = link.event_id)"""

ABOVE = f"""
WITH RECURSIVE walk (id) AS (
    SELECT unnest(%s::bigint[])
    UNION
    SELECT step.parent FROM walk CROSS JOIN LATERAL (
        SELECT link.parent FROM traceability_link AS link
        WHERE link.child = walk.id AND {LIVE} OFFSET 0) AS step
) SELECT id FROM walk
"""  # noqa: S608 - our own text
BELOW = f"""
WITH RECURSIVE walk (id) AS (
    SELECT unnest(%s::bigint[])
    UNION
    SELECT step.child FROM walk CROSS JOIN LATERAL (
        SELECT link.child FROM traceability_link AS link
        WHERE link.parent = walk.id AND {LIVE} OFFSET 0) AS step
) SELECT id FROM walk
"""  # noqa: S608 - our own text


def above(nodes: Iterable[int]) -> set[int]:
    """The nodes and everything they were made from, all levels."""
    return _ids(ABOVE, [list(nodes)])


def below(nodes: Iterable[int]) -> set[int]:
    """The nodes and everything made from them, all levels, by plain links.

    For a lot of thousands of units ``impact`` is the fast way; the audit compares both.
    """
    return _ids(BELOW, [list(nodes)])


def with_children(nodes: Collection[int]) -> set[int]:
    """Those of the nodes from which something was made."""
    return _ids(
        """
        SELECT node FROM unnest(%s::bigint[]) AS node CROSS JOIN LATERAL (
            SELECT FROM traceability_link WHERE parent = node LIMIT 1) AS there
        """,
        [list(nodes)],
    )


def is_inside(node: str) -> Exists:
    """For a filter: whether the node that a field names is inside something now."""
    ended = LinkEnd.objects.filter(
        child=OuterRef("child"), parent=OuterRef("parent"), event_id=OuterRef("event_id")
    )
    return Exists(Link.objects.filter(~Exists(ended), parent=OuterRef(node)))


def kits_of(units: Collection[int]) -> set[int]:
    """Every kit inside the units, those of their sub-units too."""
    return _ids(
        """
        SELECT DISTINCT inside.kit_id FROM unnest(%s::bigint[]) AS unit CROSS JOIN LATERAL (
            SELECT kit_id FROM traceability_unitkit WHERE unit_id = unit OFFSET 0) AS inside
        """,
        [list(units)],
    )


def inside_themselves(nodes: Collection[int]) -> list[int]:
    """Those of the nodes that are found again among what they were made from."""
    found = []
    for node in sorted(nodes):
        parents = _ids(
            f"SELECT parent FROM traceability_link AS link WHERE child = %s AND {LIVE}",  # noqa: S608
            [node],
        )
        if node in above(parents):
            found.append(node)
    return found


def hosts_of(units: Iterable[int]) -> list[set[int]]:
    """The units, then the units that contain them, then those that contain these, outward."""
    levels: list[set[int]] = []
    seen: set[int] = set()
    level = set(units)
    while level - seen:
        level -= seen
        levels.append(level)
        seen |= level
        level = _ids(
            f"""
            SELECT step.child FROM unnest(%s::bigint[]) AS part CROSS JOIN LATERAL (
                SELECT link.child FROM traceability_link AS link
                WHERE link.parent = part AND link.child >= {FIRST_UNIT_ID} AND {LIVE} OFFSET 0
            ) AS step
            """,  # noqa: S608 - our own text
            [list(level)],
        )
    return levels


def known(nodes: Collection[int]) -> set[int]:
    """Those of the nodes that are there."""
    return _ids(
        """
        SELECT id FROM traceability_lot WHERE id = ANY(%s)
        UNION ALL SELECT id FROM traceability_kit WHERE id = ANY(%s)
        UNION ALL SELECT id FROM traceability_serialunit WHERE id = ANY(%s)
        """,
        [
            [node for node in nodes if node < FIRST_KIT_ID],
            [node for node in nodes if FIRST_KIT_ID <= node < FIRST_UNIT_ID],
            [node for node in nodes if node >= FIRST_UNIT_ID],
        ],
    )


def live_links(keys: Collection[tuple[int, int, int]]) -> set[tuple[int, int, int]]:
    """Those of the links, by (child, parent, event), that are there and have not ended."""
    if not keys:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT link.child, link.parent, link.event_id
            FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS asked (child, parent, event_id)
            JOIN traceability_link AS link USING (child, parent, event_id) WHERE {LIVE}
            """,  # noqa: S608 - our own text
            [list(column) for column in zip(*keys, strict=True)],
        )
        return {(child, parent, event) for child, parent, event in cursor.fetchall()}


def links_of_event(event_id: int, children: Collection[int]) -> list[tuple[int, int, int]]:
    """The links, by key, by which an event made the children and that still hold."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT link.child, link.parent, link.event_id
            FROM unnest(%s::bigint[]) AS node CROSS JOIN LATERAL (
                SELECT * FROM traceability_link AS link
                WHERE link.child = node AND link.event_id = %s AND {LIVE} OFFSET 0) AS link
            """,  # noqa: S608 - our own text
            [list(children), event_id],
        )
        return [(row[0], row[1], row[2]) for row in cursor.fetchall()]


def links_above(child: int) -> list[tuple[int, int, int]]:
    """The links, by key, by which a node holds its parts now."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT child, parent, event_id FROM traceability_link AS link "  # noqa: S608
            f"WHERE link.child = %s AND {LIVE}",
            [child],
        )
        return [(row[0], row[1], row[2]) for row in cursor.fetchall()]


def _ids(sql: str, parameters: list[Any]) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return {pk for (pk,) in cursor.fetchall()}
