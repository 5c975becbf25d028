"""The units of a lot once more, by a walk in Python over single links.

It shares nothing with ``impact``: no recursion in the database, no kits derived for units, no
certainty folded on the way. A recall drill compares both.
"""

from collections.abc import Collection

from django.db import connection

from traceability.enums import FIRST_UNIT_ID, Certainty

_CHILDREN = """
SELECT parent, child, event_id, certainty FROM traceability_link WHERE parent = ANY(%s)
"""
_ENDED = "SELECT child, parent, event_id FROM traceability_linkend WHERE parent = ANY(%s)"


def units_by_plain_walk(lots: Collection[int]) -> dict[int, bool]:
    """Every unit with something of the lots in it, and whether that is sure."""
    reached = _walk(lots, sure_only=False)
    sure = _walk(lots, sure_only=True)
    return {pk: pk in sure for pk in reached if pk >= FIRST_UNIT_ID}


def _walk(lots: Collection[int], *, sure_only: bool) -> set[int]:
    seen: set[int] = set(lots)
    level = set(lots)
    while level:
        below: set[int] = set()
        ended = set(_rows(_ENDED, level))
        for parent, child, event, certainty in _rows(_CHILDREN, level):
            if (child, parent, event) in ended:
                continue
            if sure_only and certainty != Certainty.EXACT:
                continue
            below.add(child)
        level = below - seen
        seen |= level
    return seen


def _rows(sql: str, nodes: Collection[int]) -> list[tuple[int, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(nodes)])
        return list(cursor.fetchall())
