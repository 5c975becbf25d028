"""Projected dates: what the live schedule says, day at the customer's door, with history."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime

from django.db.models import F

from aps import selectors as aps
from aps.services import causes
from common import bulk
from common.models import User
from crm.enums import ConversionState, MilestoneKind, OrderState, ProjectionCause, PromiseCause
from crm.models import Projection, SalesOrderLine
from crm.services import commitments, delay_notices, milestones, news, rush
from masterdata import selectors as masterdata
from masterdata.services import shipping


def update(*, site_id: int, by: User | None, now: datetime) -> int:
    """Write the projected date of every open line of the site; how many moved.

    The first projection of a line that was offered no date becomes its promise.
    """
    lines = list(
        SalesOrderLine.objects.select_for_update(no_key=True, of=("self",))
        .filter(
            order__site_id=site_id,
            order__state__in=OrderState.open(),
            is_cancelled=False,
            # What has left is the carrier's; its estimate stays what it was.
            shipped__lt=F("quantity"),
            conversion_state=ConversionState.CONVERTED,
            requirement__isnull=False,
        )
        .select_related("order__customer", "order__site", "order__created_by", "item")
        .order_by("pk")
    )
    before = {line.pk: (line.projected_date, line.projected_ready_at) for line in lines}
    _project(site_id, lines, now)
    moved = [line for line in lines if line.projected_date != before[line.pk][0]]
    changed = [
        line for line in lines if (line.projected_date, line.projected_ready_at) != before[line.pk]
    ]
    _write_history(site_id, moved, {pk: old for pk, (old, _at) in before.items()}, now)
    bulk.save(changed, ["projected_date", "projected_ready_at"])
    _first_promises(lines, by, now)
    _scheduled(lines, now)
    news.at_risk([line for line in moved if _turned_late(line, before[line.pk][0])], now=now)
    delay_notices.decide(site_id=site_id, lines=moved, by=by, now=now)
    return len(moved)


def _turned_late(line: SalesOrderLine, old: date | None) -> bool:
    """Whether the estimate is beyond the promise now and was not before."""
    promised = line.promised_date
    return line.is_late and (old is None or promised is None or old <= promised)


def _project(site_id: int, lines: Sequence[SalesOrderLine], now: datetime) -> None:
    """Set the lines' projected moment of readiness and day at the door; nothing is saved."""
    ready = aps.ready_dates(
        requirement_ids=[line.requirement_id for line in lines if line.requirement_id], now=now
    )
    calendar = shipping.ShippingCalendar(masterdata.site(site_id))
    for line in lines:
        fact = ready.get(line.requirement_id or 0)
        line.projected_ready_at = fact.at if fact else None
        line.projected_date = None
        if line.projected_ready_at is not None:
            # One line that nothing can leave for any more must not keep the others' days.
            with suppress(shipping.NoShippingTime):
                line.projected_date = calendar.delivery_date(
                    ready_at=line.projected_ready_at, transit_days=line.order.customer.transit_days
                )


def _write_history(
    site_id: int,
    moved: Sequence[SalesOrderLine],
    before: Mapping[int, date | None],
    now: datetime,
) -> None:
    if not moved:
        return
    run = aps.current_run(site_id)
    cause = ProjectionCause(causes.of_plan(run).value) if run else ProjectionCause.CHANGE
    ids = [line.pk for line in moved]
    fresh = set(ids).difference(
        Projection.objects.filter(line__in=ids).values_list("line_id", flat=True)
    )
    Projection.objects.bulk_create(
        [
            Projection(
                line=line,
                old_date=before[line.pk],
                new_date=line.projected_date,
                cause=ProjectionCause.CONVERSION if line.pk in fresh else cause,
                schedule_version=run.version if run else None,
                at=now,
            )
            for line in moved
        ],
        batch_size=1000,
    )


def _first_promises(lines: Sequence[SalesOrderLine], by: User | None, now: datetime) -> None:
    """What was offered no date is promised its estimate; where a rush is asked for, its day.

    That as soon as the plan keeps it by itself: whatever is decided then, the day is certain.
    """
    waiting = [line for line in lines if line.promised_date is None]
    kept = rush.kept_by_plan([line for line in waiting if line.is_rush_asked])
    days = {
        line: line.projected_date
        for line in waiting
        if line.projected_date is not None and not line.is_rush_asked
    }
    days |= {one.line: one.wanted_date for one in kept}
    commitments.promise(days, cause=PromiseCause.FIRST, by=by, now=now)
    for one in kept:
        rush.note_kept(one, by=by, now=now)


def _scheduled(lines: Sequence[SalesOrderLine], now: datetime) -> None:
    undated = {line.order_id for line in lines if line.projected_date is None}
    milestones.reach(
        order_ids={line.order_id for line in lines} - undated,
        kind=MilestoneKind.SCHEDULED,
        now=now,
    )
