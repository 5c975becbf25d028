"""Which program a machine ran: what it named last by then."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from traceability.services.genealogy import NewReading

_RAN = """
SELECT asked.unit, asked.at, ran.name
FROM unnest(%s::bigint[], %s::timestamptz[]) AS asked (unit, at)
CROSS JOIN LATERAL (
    SELECT name FROM mes_machineevent
    WHERE work_unit_id = asked.unit AND kind = 'program' AND at <= asked.at
    ORDER BY at DESC, id DESC LIMIT 1) AS ran
"""


def named(readings: Sequence[NewReading]) -> list[NewReading]:
    """The readings with the program that their machine ran at their moment; one query.

    Without one where the machine tells none, or a reading has no place or moment of its own.
    """
    asked = sorted({place for reading in readings if (place := _place(reading))})
    ran: dict[tuple[int, datetime] | None, str] = {}
    if asked:
        with connection.cursor() as cursor:
            cursor.execute(_RAN, [[unit for unit, _at in asked], [at for _unit, at in asked]])
            ran = {(unit, at): name for unit, at, name in cursor.fetchall()}
    return [_with(reading, ran.get(_place(reading), "")) for reading in readings]


def _place(reading: NewReading) -> tuple[int, datetime] | None:
    station = reading.station
    if station is None or station.work_unit_id is None or reading.at is None:
        return None
    return station.work_unit_id, reading.at


def _with(reading: NewReading, program: str) -> NewReading:
    if not program or reading.station is None:
        return reading
    return reading._replace(station=reading.station._replace(program=program))
