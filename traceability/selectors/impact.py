"""What a cause reached: units and lots, counted by where they are and who holds them."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection

from traceability.enums import FIRST_KIT_ID, FIRST_UNIT_ID, Certainty, IdentityState
from traceability.selectors.graph import LIVE

# Lots and kits only, with whether every step to them is sure; then one jump from kits to units.
# Units that are suspected themselves reach those that contain them, by plain links.
_WALK = f"""
WITH RECURSIVE walk (id, is_sure) AS (
    SELECT * FROM unnest(%s::bigint[], %s::boolean[])
    UNION
    SELECT step.child, walk.is_sure AND step.certainty = {Certainty.EXACT.value}
    FROM walk CROSS JOIN LATERAL (
        SELECT link.child, link.certainty FROM traceability_link AS link
        WHERE link.parent = walk.id AND link.child < {FIRST_UNIT_ID} AND {LIVE} OFFSET 0) AS step
)
"""  # noqa: S608 - our own text
_REACHED = f"""{_WALK}, host (id) AS (
    SELECT unnest(%s::bigint[])
    UNION
    SELECT step.child FROM host CROSS JOIN LATERAL (
        SELECT link.child FROM traceability_link AS link
        WHERE link.parent = host.id AND link.child >= {FIRST_UNIT_ID} AND {LIVE} OFFSET 0) AS step
), kit AS MATERIALIZED (
    SELECT id, bool_or(is_sure) AS is_sure FROM walk WHERE id >= {FIRST_KIT_ID} GROUP BY id
), reached AS MATERIALIZED (
    SELECT unit_id, bool_or(is_sure) AS is_sure FROM (
        SELECT inside.unit_id, kit.is_sure
        FROM kit CROSS JOIN LATERAL (
            SELECT unit_id FROM traceability_unitkit WHERE kit_id = kit.id OFFSET 0) AS inside
        UNION ALL
        SELECT id, true FROM host
    ) AS either GROUP BY unit_id
)
"""  # noqa: S608 - our own text
_UNITS = f"{_REACHED} SELECT unit_id, is_sure FROM reached"  # noqa: S608 - our own text
_LOTS = f"""{_WALK}
SELECT id, bool_or(is_sure) FROM walk WHERE id < {FIRST_KIT_ID} GROUP BY id
"""  # noqa: S608 - our own text
# The rows of thousands of units by one array: the index is read once from end to end, where a join
# would descend it for each (600,000 pages for 150,000 units instead of 6,000).
_FOUND = """
SELECT {columns}, true AS is_sure FROM traceability_serialunit
WHERE id = ANY (ARRAY (SELECT unit_id FROM reached WHERE is_sure)) {filter}
UNION ALL
SELECT {columns}, false FROM traceability_serialunit
WHERE id = ANY (ARRAY (SELECT unit_id FROM reached WHERE NOT is_sure)) {filter}
"""
_SUMMARY = f"""{_REACHED}
SELECT item_id, state, document_id, is_sure, count(*)
FROM ({_FOUND.format(columns="item_id, state, document_id", filter="")}) AS unit
GROUP BY 1, 2, 3, 4
"""  # noqa: S608 - our own text
_COLUMNS = "id, number, item_id, state, document_id, host_id, made_at"
# Numbered by id, as they were registered; the surely concerned first.
_ROWS = f"""{_REACHED}
{_FOUND.format(columns=_COLUMNS, filter="AND state = ANY (%s)")}
ORDER BY is_sure DESC, id LIMIT %s OFFSET %s
"""  # noqa: S608 - our own text
# Lots in which units were built: rare, and found by an index of their own.
_ANY_UNITS_IN_LOTS = f"""
SELECT EXISTS (SELECT FROM traceability_link
    WHERE child < {FIRST_KIT_ID} AND parent >= {FIRST_UNIT_ID})
"""  # noqa: S608 - our own text
_UNITS_IN_LOTS = f"""
SELECT step.child, asked.id FROM unnest(%s::bigint[]) AS asked (id) CROSS JOIN LATERAL (
    SELECT link.child FROM traceability_link AS link
    WHERE link.parent = asked.id AND link.child < {FIRST_KIT_ID} AND {LIVE} OFFSET 0) AS step
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


@dataclass(frozen=True, slots=True)
class ReachedUnit:
    """A unit that a cause reached, as it stands now."""

    pk: int
    number: str
    item_id: int
    state: IdentityState
    document_id: int | None
    host_id: int | None
    made_at: datetime
    is_confirmed: bool


@dataclass(frozen=True, slots=True)
class Start:
    """Where an impact begins: suspected lots, each with whether it is surely bad, and units."""

    lots: Mapping[int, bool] = field(default_factory=dict)
    units: frozenset[int] = frozenset()

    @classmethod
    def of(cls, things: Iterable[int]) -> "Start":
        """From ids of lots and units; kits are no suspects."""
        ids = set(things)
        return cls(
            lots={pk: True for pk in ids if pk < FIRST_KIT_ID},
            units=frozenset(pk for pk in ids if pk >= FIRST_UNIT_ID),
        )

    @property
    def parameters(self) -> list[list[int] | list[bool]]:
        return [list(self.lots), list(self.lots.values()), list(self.units)]


def whole(start: Start) -> Start:
    """The start, and the lots in which units were built that it reaches; ask the others with it.

    Kits reach units, and units other units, at once; a lot that units went into begins anew.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ANY_UNITS_IN_LOTS)
        (is_any,) = cursor.fetchone() or (False,)
        while is_any:
            reached = units_reached(start)
            cursor.execute(_UNITS_IN_LOTS, [list(reached)])
            lots = dict(start.lots)
            for lot, unit in cursor.fetchall():
                lots[lot] = lots.get(lot, False) or reached[unit]
            is_any = lots != start.lots
            start = Start(lots, start.units)
    return start


def units_reached(start: Start) -> dict[int, bool]:
    """Every unit that the cause reached, at any depth, and whether that is sure."""
    with connection.cursor() as cursor:
        cursor.execute(_UNITS, start.parameters)
        return dict(cursor.fetchall())


def lots_reached(start: Start) -> dict[int, bool]:
    """Every lot that the cause reached, the suspected ones included, and whether that is sure."""
    with connection.cursor() as cursor:
        cursor.execute(_LOTS, start.parameters[:2])
        return dict(cursor.fetchall())


def groups_reached(start: Start) -> list[Group]:
    """The units counted by item, state, document and certainty; none is counted twice."""
    with connection.cursor() as cursor:
        cursor.execute(_SUMMARY, start.parameters)
        return as_groups(cursor.fetchall())


def rows_reached(
    start: Start, *, states: Collection[IdentityState], limit: int | None = None, offset: int = 0
) -> Iterator[ReachedUnit]:
    """The units in these states one by one, those that are surely concerned first."""
    with connection.cursor() as cursor:
        wanted = [state.value for state in states]
        cursor.execute(_ROWS, [*start.parameters, wanted, wanted, limit, offset])
        rows = cursor.fetchall()
    for pk, number, item, state, *rest in rows:
        yield ReachedUnit(pk, number, item, IdentityState(state), *rest)


def units_of_lots(lots: Iterable[int]) -> dict[int, bool]:
    """Every unit with something of the lots in it, at any depth, and whether that is sure."""
    return units_reached(whole(Start.of(lots)))


def groups_of_lots(lots: Iterable[int]) -> list[Group]:
    """The same, counted by item, state, document and certainty; no unit is counted twice."""
    return groups_reached(whole(Start.of(lots)))


def as_groups(rows: Iterable[tuple[int, str, int | None, bool, int]]) -> list[Group]:
    """Rows of (item, state, document, is it sure, how many)."""
    return [
        Group(item, IdentityState(state), document, is_sure, count)
        for item, state, document, is_sure, count in rows
    ]
