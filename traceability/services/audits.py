"""Whether the ledger is still what was written: chain, digests, nodes, circles, derived kits.

The nightly job runs all of it; each finding is a sentence for the administrators.
"""

import heapq
import itertools
import operator
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from traceability.enums import FIRST_UNIT_ID
from traceability.services import digests

_CHUNK = 10_000


def findings() -> list[str]:
    """What is wrong with the ledger, a sentence each; empty when nothing is.

    A full pass over the tables: nightly, and in every recall drill.
    """
    checks: list[Callable[[], list[str]]] = [chain, fingerprints, nodes, circles, kits]
    with transaction.atomic():
        return list(itertools.chain.from_iterable(check() for check in checks))


def chain() -> list[str]:
    """Events that were changed, taken away or slipped in: their seals no longer fit."""
    broken = _rows("""
        SELECT seal.event_id FROM (
            SELECT event_id, site_id, position, hash,
                lag(hash, 1, ''::bytea) OVER per_site AS previous,
                lag(position, 1, 0::bigint) OVER per_site AS place
            FROM traceability_seal WINDOW per_site AS (PARTITION BY site_id ORDER BY position)
        ) AS seal LEFT JOIN traceability_event AS event ON event.id = seal.event_id
        WHERE event.id IS NULL OR seal.position <> seal.place + 1
            OR seal.hash <> traceability_event_hash(seal.previous, event)
        ORDER BY seal.event_id
    """)
    unsealed = _rows("""
        SELECT id FROM traceability_event AS event WHERE NOT EXISTS (
            SELECT FROM traceability_seal WHERE event_id = event.id) ORDER BY id
    """)
    return [
        *(_("Event %(id)s does not fit its seal.") % {"id": pk} for (pk,) in broken),
        *(_("Event %(id)s has no seal.") % {"id": pk} for (pk,) in unsealed),
    ]


def fingerprints() -> list[str]:
    """Events whose rows are not those that were written."""
    written = {
        pk: digests.digest(line for _event, line in rows)
        for pk, rows in itertools.groupby(_lines(), key=operator.itemgetter(0))
    }
    told = []
    empty = digests.digest([])
    for pk, digest in _stream("SELECT id, digest FROM traceability_event ORDER BY id"):
        if written.pop(pk, empty) != bytes(digest):
            told.append(_("The rows of event %(id)s are not those it wrote.") % {"id": pk})
    told += [_("The rows of event %(id)s stand alone.") % {"id": pk} for pk in sorted(written)]
    return told


def nodes() -> list[str]:
    """Links, readings, handovers and complaints of things that are not there."""
    missing = _rows("""
        WITH named (id) AS (
            SELECT child FROM traceability_link UNION SELECT parent FROM traceability_link
            UNION SELECT subject FROM traceability_reading
            UNION SELECT thing FROM traceability_custody
            UNION SELECT thing FROM traceability_complaint WHERE thing IS NOT NULL)
        SELECT named.id FROM named
        LEFT JOIN traceability_lot AS lot ON lot.id = named.id
        LEFT JOIN traceability_kit AS kit ON kit.id = named.id
        LEFT JOIN traceability_serialunit AS unit ON unit.id = named.id
        WHERE lot.id IS NULL AND kit.id IS NULL AND unit.id IS NULL ORDER BY 1
    """)
    return [_("The ledger speaks of %(id)s, which is not there.") % {"id": pk} for (pk,) in missing]


def circles() -> list[str]:
    """Things inside themselves: what is left when those without parents are taken away again
    and again."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_LINKS)
        gone = 1
        while gone:
            cursor.execute("""
                DELETE FROM open_link WHERE NOT EXISTS (
                    SELECT FROM open_link AS up WHERE up.child = open_link.parent)
            """)
            gone = cursor.rowcount
        cursor.execute("SELECT DISTINCT child FROM open_link ORDER BY 1")
        found = cursor.fetchall()
        cursor.execute("DROP TABLE open_link")
    return [_("%(id)s is inside itself, or made from what is.") % {"id": pk} for (pk,) in found]


# Only what can be part of a circle: who is a child and a parent.
_OPEN_LINKS = """
CREATE TEMPORARY TABLE open_link AS
SELECT child, parent FROM traceability_link AS link
WHERE EXISTS (SELECT FROM traceability_link AS up WHERE up.child = link.parent)
    AND EXISTS (SELECT FROM traceability_link AS down WHERE down.parent = link.child)
    AND NOT EXISTS (SELECT FROM traceability_linkend AS gone
        WHERE gone.child = link.child AND gone.parent = link.parent
        AND gone.event_id = link.event_id);
CREATE INDEX ON open_link (child);
ANALYZE open_link;
"""


def kits() -> list[str]:
    """Units whose derived kits are not those that the links say."""
    wrong = _rows(f"""
        WITH RECURSIVE live AS MATERIALIZED (
            SELECT child, parent FROM traceability_link AS link
            WHERE child >= {FIRST_UNIT_ID} AND NOT EXISTS (
                SELECT FROM traceability_linkend AS gone WHERE gone.child = link.child
                AND gone.parent = link.parent AND gone.event_id = link.event_id)
        ), inside (unit_id, node) AS (
            SELECT child, parent FROM live
            UNION
            SELECT inside.unit_id, live.parent FROM inside JOIN live ON live.child = inside.node
            WHERE inside.node >= {FIRST_UNIT_ID}
        ), said AS (SELECT unit_id, node AS kit_id FROM inside WHERE node < {FIRST_UNIT_ID})
        SELECT DISTINCT coalesce(said.unit_id, kept.unit_id)
        FROM said FULL JOIN traceability_unitkit AS kept USING (unit_id, kit_id)
        WHERE said.unit_id IS NULL OR kept.unit_id IS NULL ORDER BY 1
    """)  # noqa: S608 - our own text
    return [
        _("The kits of unit %(id)s are not those of its links.") % {"id": pk} for (pk,) in wrong
    ]


def _lines() -> Iterator[tuple[int, str]]:
    """Each row of the ledger as its digest line, ordered by event."""
    return heapq.merge(*(_told(sql, line) for sql, line in _ROWS), key=operator.itemgetter(0))


def _told(sql: str, line: Callable[[tuple[Any, ...]], str]) -> Iterator[tuple[int, str]]:
    for event_id, *row in _stream(f"{sql} ORDER BY 1"):
        yield event_id, line(tuple(row))


_ROWS: list[tuple[str, Callable[[tuple[Any, ...]], str]]] = [
    (
        "SELECT event_id, child, parent, quantity, role, certainty FROM traceability_link",
        lambda row: digests.link_line(*row),
    ),
    (
        "SELECT ended_by AS event_id, child, parent, event_id AS link, why "
        "FROM traceability_linkend",
        lambda row: digests.end_line(*row),
    ),
    (
        "SELECT event_id, subject, at, operation, work_unit_id, operator_id, tool_id, program, "
        "parameter_id, value, lower, upper, verdict FROM traceability_reading",
        digests.reading_line,
    ),
    (
        "SELECT event_id, thing, document_id, quantity FROM traceability_custody",
        lambda row: digests.handover_line(*row),
    ),
]


def _stream(sql: str) -> Iterator[tuple[Any, ...]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql)
        while rows := cursor.fetchmany(_CHUNK):
            yield from rows


def _rows(sql: str) -> list[tuple[int, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        found: list[tuple[int, ...]] = cursor.fetchall()
        return found
