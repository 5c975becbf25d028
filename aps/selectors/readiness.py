"""When each order line will be complete, by the live schedule, and which ones are late."""

import enum
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from aps.enums import RunState
from aps.models import ScheduledOperation, ScheduleRun
from erp import selectors as erp
from erp.selectors import Coverage, MaterialDate, MaterialKind
from mes import selectors as mes
from mes.enums import WorkOrderState
from mes.selectors import OpenShare, Transit


class ReadyCause(enum.StrEnum):
    """What the moment of readiness depends on."""

    DONE = "done"  # it has left the stock
    STOCK = "stock"
    SCHEDULE = "schedule"
    PURCHASE = "purchase"
    TRANSFER = "transfer"  # it comes from another site
    UNPLANNED = "unplanned"  # a work order has no time in the live schedule
    ON_HOLD = "on_hold"
    UNCOVERED = "uncovered"  # nobody makes or buys the rest


@dataclass(frozen=True, slots=True)
class Ready:
    """When a requirement is complete; ``at`` is None while nobody can know.

    ``detail`` names the work order, purchase order or transfer that decides, ``origin`` the site
    that a transfer comes from.
    """

    at: datetime | None
    cause: ReadyCause
    detail: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class LateLine:
    """An order line that the live schedule finishes after its due moment, or not at all."""

    requirement_id: int
    # "SO-100001/10"
    reference: str
    item_id: int
    quantity: Decimal
    weight: int
    due_at: datetime
    ready: Ready

    @property
    def late_minutes(self) -> int | None:
        """Clock minutes late; None while nobody can know."""
        if self.ready.at is None:
            return None
        return int((self.ready.at - self.due_at).total_seconds() // 60)


def ready_dates(*, requirement_ids: Iterable[int], now: datetime) -> dict[int, Ready]:
    """When each requirement will be fully available, by id; eight queries for any number of ids.

    Unknown ids are left out.
    """
    rows = erp.coverage(list(requirement_ids))
    return _ready(rows, now)


def late_orders(*, site_id: int, now: datetime) -> list[LateLine]:
    """Order lines that wait for work, or for what another site sent, and will be late.

    The worst first, before them those without a date.
    """
    coming = mes.transit(site_id=site_id, now=now)
    sent = erp.order_lines(coming.shares) if coming.shares else {}
    pegged = mes.waiting_lines(site_id=site_id)
    rows = [row for row in erp.coverage(sorted({*pegged, *sent})) if waits(row)]
    ready = _ready(rows, now, {site_id: coming})
    late = [
        LateLine(
            requirement_id=row.requirement_id,
            reference=row.reference,
            item_id=row.item_id,
            quantity=row.quantity,
            weight=row.weight,
            due_at=row.due_at,
            ready=ready[row.requirement_id],
        )
        for row in rows
        if is_late(ready[row.requirement_id].at, row.due_at)
    ]
    return sorted(late, key=_urgency, reverse=True)


def _urgency(line: LateLine) -> tuple[bool, int]:
    minutes = line.late_minutes
    return minutes is None, (minutes or 0) * max(1, line.weight)


def is_late(at: datetime | None, due_at: datetime) -> bool:
    """Whether what ends then comes after its due moment; None, nobody can know, is late as well.

    The one place that says so, for order lines and for the bars of the board.
    """
    return at is None or at > due_at


def waits(row: Coverage) -> bool:
    """Whether something is still to be made or bought for the requirement."""
    return row.is_open and row.missing > 0


@dataclass(frozen=True)
class WaitingLines:
    """Order lines and what they wait for, so that several plans can be asked when they are ready.

    ``under`` takes the end of each work order and how many of its operations a plan holds.
    """

    rows: Collection[Coverage]
    shares: Mapping[int, list[OpenShare]]
    purchases: Mapping[int, MaterialDate]
    now: datetime

    @property
    def work_order_ids(self) -> set[int]:
        """The work orders that the lines wait for at first hand."""
        return {share.work_order_id for found in self.shares.values() for share in found}

    def under(self, ends: Mapping[int, tuple[datetime, int]]) -> dict[int, Ready]:
        """When each line is ready, by requirement id; no query."""
        return {
            row.requirement_id: _one(
                row,
                self.shares.get(row.requirement_id, []),
                ends,
                self.purchases.get(row.requirement_id),
                self.now,
            )
            for row in self.rows
        }


def waiting_lines(*, site_id: int, now: datetime) -> WaitingLines:
    """The site's order lines that wait for work; a constant number of queries."""
    rows = erp.coverage(mes.waiting_lines(site_id=site_id))
    return _waiting([row for row in rows if waits(row)], now)


def _waiting(
    rows: Collection[Coverage], now: datetime, coming: Mapping[int, Transit] | None = None
) -> WaitingLines:
    """``coming``: what comes from other sites, by site id, where that is known already."""
    purchases: dict[int, MaterialDate] = {}
    for site_id in sorted({row.site_id for row in rows}):
        known = (coming or {}).get(site_id)
        purchases |= mes.material_dates(site_id=site_id, now=now, coming=known)
    return WaitingLines(rows, mes.open_shares([r.requirement_id for r in rows]), purchases, now)


def _ready(
    rows: Collection[Coverage], now: datetime, coming: Mapping[int, Transit] | None = None
) -> dict[int, Ready]:
    lines = _waiting([row for row in rows if waits(row)], now, coming)
    done = {row.requirement_id: _settled(row, now) for row in rows}
    return done | lines.under(_ends(lines.work_order_ids))


def _settled(row: Coverage, now: datetime) -> Ready:
    cause = ReadyCause.STOCK if row.is_open else ReadyCause.DONE
    return Ready(now, cause)


def _one(
    row: Coverage,
    shares: list[OpenShare],
    ends: Mapping[int, tuple[datetime, int]],
    purchase: MaterialDate | None,
    now: datetime,
) -> Ready:
    """The last of what it waits for; no date as soon as one part has none."""
    latest = Ready(now, ReadyCause.STOCK)
    left = row.missing
    for share in shares:
        left -= share.left
        end, planned = ends.get(share.work_order_id, (now, 0))
        if share.state == WorkOrderState.ON_HOLD:
            return Ready(None, ReadyCause.ON_HOLD, share.number)
        if planned < share.open_operations:
            return Ready(None, ReadyCause.UNPLANNED, share.number)
        if latest.at is None or end > latest.at:
            latest = Ready(end, ReadyCause.SCHEDULE, share.number)
    if left <= 0:
        return latest
    if purchase is None:
        return Ready(None, ReadyCause.UNCOVERED)
    if purchase.at is not None and (latest.at is None or purchase.at > latest.at):
        in_transit = purchase.kind == MaterialKind.IN_TRANSIT
        cause = ReadyCause.TRANSFER if in_transit else ReadyCause.PURCHASE
        return Ready(purchase.at, cause, purchase.reference, purchase.origin)
    return latest


def _ends(work_order_ids: set[int]) -> dict[int, tuple[datetime, int]]:
    """The live schedule's last end and number of open operations, by work order; three queries."""
    owner = mes.open_operations_of(work_order_ids)
    live = list(ScheduleRun.objects.filter(state=RunState.PUBLISHED).values_list("pk", flat=True))
    rows = ScheduledOperation.objects.filter(run__in=live, operation__in=list(owner))
    found: dict[int, tuple[datetime, int]] = {}
    for operation, ends_at in rows.values_list("operation_id", "ends_at"):
        last, count = found.get(owner[operation], (ends_at, 0))
        found[owner[operation]] = max(last, ends_at), count + 1
    return found
