"""The genealogy as people read it: kits, which nobody has seen, give way to the lots in them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection

from traceability.enums import (
    FIRST_KIT_ID,
    FIRST_UNIT_ID,
    Certainty,
    LinkEndWhy,
    LinkRole,
    NodeKind,
    kind_of,
)
from traceability.selectors.graph import LIVE
from traceability.selectors.lives import Step


@dataclass(frozen=True, slots=True)
class Part:
    """A lot or unit in another one: how much of it, how it came in, whether it is still there."""

    child: int
    parent: int
    event_id: int
    quantity: Decimal
    role: LinkRole
    certainty: Certainty
    ended_by: int | None
    why: LinkEndWhy | None

    @property
    def is_as_built(self) -> bool:
        """Whether it was so when the thing was made."""
        return self.role != LinkRole.INSTALL and self.why != LinkEndWhy.WRONG

    @property
    def holds(self) -> bool:
        """Whether it is so now."""
        return self.ended_by is None

    @property
    def is_exact(self) -> bool:
        return self.certainty == Certainty.EXACT


def parts_of(steps: Sequence[Step]) -> list[Part]:
    """The links with each kit replaced by its lots; the event is the one that used the kit."""
    inside: dict[int, list[Step]] = {}
    for step in steps:
        if kind_of(step.child) == NodeKind.KIT:
            inside.setdefault(step.child, []).append(step)
    found: list[Part] = []
    for step in steps:
        if kind_of(step.child) == NodeKind.KIT:
            continue
        if kind_of(step.parent) == NodeKind.KIT:
            found += [_through(step, line) for line in inside.get(step.parent, ())]
        else:
            found.append(_part(step, step.parent, step.quantity, step.certainty))
    return found


def _through(step: Step, line: Step) -> Part:
    # A kit's quantity is per piece; the link to it says how many pieces.
    quantity = line.quantity * step.quantity
    return _part(step, line.parent, quantity, max(line.certainty, step.certainty))


def _part(step: Step, parent: int, quantity: Decimal, certainty: int) -> Part:
    return Part(
        child=step.child,
        parent=parent,
        event_id=step.event_id,
        quantity=quantity,
        role=step.role,
        certainty=Certainty(certainty),
        ended_by=step.ended_by,
        why=step.why,
    )


_OWN_LIVE = LIVE.replace("link.", "own.")
# What was made from the nodes, over kits: the first ones by id, and how many there are in all.
_USERS = f"""
SELECT asked.node, step.child, step.is_exact, step.event_id
FROM unnest(%s::bigint[]) AS asked (node)
CROSS JOIN LATERAL (
    SELECT child, bool_and(is_exact) AS is_exact, min(event_id) AS event_id FROM (
        (SELECT link.child, link.certainty = 1 AS is_exact, link.event_id
        FROM traceability_link AS link
        WHERE link.parent = asked.node AND NOT (link.child >= {FIRST_KIT_ID}
            AND link.child < {FIRST_UNIT_ID}) AND {LIVE}
        ORDER BY link.child LIMIT %s)
        UNION ALL
        (SELECT link.child, own.certainty = 1, link.event_id FROM traceability_link AS own
        JOIN traceability_link AS link ON link.parent = own.child
        WHERE own.parent = asked.node AND {_OWN_LIVE} AND own.child >= {FIRST_KIT_ID}
            AND own.child < {FIRST_UNIT_ID} AND {LIVE}
        ORDER BY link.child LIMIT %s)
    ) AS either GROUP BY child ORDER BY child LIMIT %s
) AS step
"""  # noqa: S608 - our own text


def users_of(nodes: Collection[int], *, most: int) -> list[tuple[int, int, bool, int]]:
    """What was made from each lot or unit directly: (it, made, is it sure, event); at most so many
    of each."""
    with connection.cursor() as cursor:
        cursor.execute(_USERS, [list(nodes), most, most, most])
        return [
            (node, child, bool(exact), event) for node, child, exact, event in cursor.fetchall()
        ]


def within(pk: int, parts: Iterable[Part], *, levels: int) -> list[Part]:
    """Those of the parts that are at most so many levels over the thing."""
    over: dict[int, list[Part]] = {}
    for part in parts:
        over.setdefault(part.child, []).append(part)
    found: list[Part] = []
    level, seen = [pk], {pk}
    for _level in range(levels):
        here = [part for node in level for part in over.get(node, ())]
        found += here
        level = sorted({part.parent for part in here} - seen)
        seen.update(level)
    return found
