"""Order lines that another plan makes ready at another moment, in days at the customers' doors."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import TypedDict

from aps.selectors.readiness import Ready, WaitingLines
from aps.services.doors import Doors
from erp.selectors import Coverage
from masterdata.services.calendars import Rules


class OrderMove(TypedDict):
    """An order line that is ready at another moment; None: no date.

    ``_day``: at the customer's door, as the order's page shows it; the moments are those of
    readiness at our dock.
    """

    line: str
    requirement: int
    due_at: str
    due_day: str | None
    before: str | None
    before_day: str | None
    after: str | None
    after_day: str | None
    # Later (more than 0) or earlier; None where one of them has no date.
    minutes: int | None
    # The same in days at the door.
    days: int | None
    # It was in time and is not any more; it was late and is in time.
    breaks: bool
    heals: bool


def order_moves(
    lines: WaitingLines,
    old: Mapping[int, Ready],
    new: Mapping[int, Ready],
    tolerance: int,
    *,
    site_id: int,
    instead: Mapping[int, Rules] | None = None,
) -> list[OrderMove]:
    """Lines whose moment, or day at the door, moves; the most delayed first.

    A constant number of queries, none where nothing moves. ``instead``: as for ``Doors``, after.
    """
    moved = [
        row
        for row in lines.rows
        if instead or _moves(row, old[row.requirement_id].at, new[row.requirement_id].at, tolerance)
    ]
    if not moved:
        return []
    ids = [row.requirement_id for row in moved]
    before = Doors(site_id=site_id, requirement_ids=ids)
    after = Doors(site_id=site_id, requirement_ids=ids, instead=instead) if instead else before
    found = [
        one
        for row in moved
        if (one := _move(row, old, new, (before, after)))["days"]
        or _moves(row, old[row.requirement_id].at, new[row.requirement_id].at, tolerance)
    ]
    return sorted(found, key=_delay, reverse=True)


def _moves(row: Coverage, before: datetime | None, after: datetime | None, tolerance: int) -> bool:
    if before is None or after is None:
        return before is not after
    minutes = _minutes(before, after)
    return abs(minutes) > tolerance or (before > row.due_at) != (after > row.due_at)


def _minutes(before: datetime, after: datetime) -> int:
    return int((after - before).total_seconds() // 60)


def _move(
    row: Coverage,
    old: Mapping[int, Ready],
    new: Mapping[int, Ready],
    doors: tuple[Doors, Doors],
) -> OrderMove:
    pk = row.requirement_id
    before, after = old[pk].at, new[pk].at
    due_day, before_day = doors[0].day(pk, row.due_at), doors[0].day(pk, before)
    after_day = doors[1].day(pk, after)
    was_late = before is None or before > row.due_at
    # Where shipping days are tried, what is ready in time may still arrive late.
    is_late = after is None or after > row.due_at or _is_after(after_day, due_day)
    return OrderMove(
        line=row.reference,
        requirement=pk,
        due_at=row.due_at.isoformat(),
        due_day=_iso(due_day),
        before=_iso(before),
        before_day=_iso(before_day),
        after=_iso(after),
        after_day=_iso(after_day),
        minutes=_minutes(before, after) if before and after else None,
        days=(after_day - before_day).days if before_day and after_day else None,
        breaks=is_late and not was_late,
        heals=was_late and not is_late,
    )


def _is_after(one: date | None, other: date | None) -> bool:
    return one is not None and other is not None and one > other


def _iso(value: date | datetime | None) -> str | None:
    return value.isoformat() if value is not None else None


def _delay(order: OrderMove) -> tuple[bool, int, int]:
    return order["after"] is None, order["minutes"] or 0, order["days"] or 0
