"""From a cause to what it touched: a machine and a window, a person, a program, a limit."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from traceability.enums import Verdict
from traceability.selectors.impact import Group, Start, groups_reached, whole


@dataclass(frozen=True, slots=True)
class Cause:
    """What is suspected, in ``[since, until)``; what is None is not asked."""

    since: datetime
    until: datetime
    work_unit_id: int | None = None
    operator_id: int | None = None
    program: str | None = None
    # With it: only what was out of its limits.
    parameter_id: int | None = None


def touched_by(cause: Cause) -> set[int]:
    """Lots and units that went through it.

    Raise ValueError where nothing is asked but a time: that is everything.
    """
    named = {
        "work_unit_id = %s": cause.work_unit_id,
        "operator_id = %s": cause.operator_id,
        "program = %s": cause.program,
        f"verdict = {Verdict.FAIL.value} AND parameter_id = %s": cause.parameter_id,
    }
    asked = {condition: value for condition, value in named.items() if value is not None}
    if not asked:
        raise ValueError("A cause names a machine, a person, a program or a parameter.")
    conditions = " AND ".join(["at >= %s", "at < %s", *asked])
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT subject FROM traceability_reading WHERE {conditions}",  # noqa: S608
            [cause.since, cause.until, *asked.values()],
        )
        return {pk for (pk,) in cursor.fetchall()}


def groups_of_things(things: set[int]) -> list[Group]:
    """Units among these things and made from them, counted by item, state and document."""
    return groups_reached(whole(Start.of(things)))
