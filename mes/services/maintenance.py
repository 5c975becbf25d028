"""Maintenance orders: a machine is kept free, parts and time are booked, it runs again.

The span closes the machine by a row of its calendar, so the schedule plans around it; what ends
sooner or later than planned moves that row. Parts are requirements of the store like those of a
work order: planning and purchasing see them, and issuing puts them on the cost ledger.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from common import audit, events, notifications, numbers, transitions
from common.concurrency import Lock, lock
from common.models import User
from erp import selectors as erp
from erp.enums import RequirementKind, RequirementState
from erp.services import costing, requirements, reservations, stock
from masterdata import selectors as masterdata
from masterdata.enums import RateKind
from mes import maintenance_policies as policies
from mes.enums import MAINTENANCE_TRANSITIONS, ActionState, MaintenanceKind, MaintenanceState
from mes.events import MaintenanceNeedsChanged
from mes.maintenance_policies import CannotMaintain
from mes.models import MaintenanceOrder, MaintenancePart, MaintenanceTime, QualityAction
from mes.policies import plain
from mes.services import quality_actions
from mes.services.maintenance_spans import close_machine, locked, open_machine

__all__ = [
    "CannotMaintain",
    "NewOrder",
    "NewPart",
    "add_part",
    "assign",
    "book_time",
    "cancel",
    "complete",
    "create",
    "issue_part",
    "move",
    "start",
]


@dataclass(frozen=True, slots=True)
class NewPart:
    """So many of an item, in its unit of measure."""

    item_id: int
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class NewOrder:
    """What is to be done at which machine, from when until when, by whom and with what."""

    work_unit_id: int
    kind: MaintenanceKind
    title: str
    starts_at: datetime
    ends_at: datetime
    task: str = ""
    owner: User | None = None
    parts: Sequence[NewPart] = ()


def create(
    *, new: NewOrder, by: User | None, now: datetime, action: QualityAction | None = None
) -> MaintenanceOrder:
    """Order the work and close the machine for it; raise CannotMaintain, or why it cannot close."""
    policies.check_can_order(new.title, new.starts_at, new.ends_at, now)
    with transaction.atomic():
        unit = masterdata.work_unit(new.work_unit_id)
        lock(Lock.SUPPLY, unit.work_center.site_id)
        order = MaintenanceOrder.objects.create(
            number=numbers.take("MT", now=now),
            work_unit=unit,
            kind=new.kind,
            title=new.title.strip()[:200],
            task=new.task.strip()[:4000],
            starts_at=new.starts_at,
            ends_at=new.ends_at,
            action=action,
            created_at=now,
            created_by=by,
        )
        close_machine(order, by, now)
        for part in new.parts:
            _need(order, part, by, now)
        audit.record(
            action="mes.maintenance.create", target=order, by=by, now=now, reason=order.title
        )
        if new.owner is not None:
            _assign(order, new.owner, by, now)
    return order


def assign(
    *, order: MaintenanceOrder, owner: User, by: User | None, now: datetime
) -> MaintenanceOrder:
    """Give it to somebody, who is told; raise CannotMaintain."""
    with transaction.atomic():
        held = locked(order)
        policies.check_can_assign(held, owner)
        _assign(held, owner, by, now)
    return held


def move(
    *,
    order: MaintenanceOrder,
    starts_at: datetime,
    ends_at: datetime,
    by: User | None,
    now: datetime,
) -> MaintenanceOrder:
    """Plan it at another time, or let it take longer; raise CannotMaintain."""
    with transaction.atomic():
        held = locked(order)
        policies.check_is_open(held)
        if held.state == MaintenanceState.IN_PROGRESS:
            starts_at = held.starts_at
        policies.check_span(starts_at, ends_at, now)
        changes = audit.difference(
            {"starts_at": held.starts_at, "ends_at": held.ends_at},
            {"starts_at": starts_at, "ends_at": ends_at},
        )
        open_machine(held, by, now)
        held.starts_at, held.ends_at = starts_at, ends_at
        held.save(update_fields=["starts_at", "ends_at"])
        close_machine(held, by, now)
        if waiting := _waiting_parts(held):
            requirements.move_due(dict.fromkeys(waiting, starts_at))
            _needs_changed(held, by, now)
        audit.record(action="mes.maintenance.move", target=held, by=by, now=now, changes=changes)
    return held


def add_part(
    *, order: MaintenanceOrder, part: NewPart, by: User | None, now: datetime
) -> MaintenancePart:
    """Ask the store for a part; raise CannotMaintain."""
    with transaction.atomic():
        held = locked(order)
        policies.check_is_open(held)
        made = _need(held, part, by, now)
        audit.record(
            action="mes.maintenance.add_part",
            target=held,
            by=by,
            now=now,
            reason=_what(made, part.quantity),
        )
    return made


def start(*, order: MaintenanceOrder, by: User, now: datetime) -> MaintenanceOrder:
    """Begin it: its span begins now and is as long as it was planned to be.

    Who begins what nobody was given has it from now on. Raise CannotMaintain.
    """
    with transaction.atomic():
        held = locked(order)
        policies.check_can_start(held)
        open_machine(held, by, now)
        held.starts_at, held.ends_at = now, now + (held.ends_at - held.starts_at)
        close_machine(held, by, now)
        if held.state == MaintenanceState.OPEN:
            held.owner = by
            _move(held, MaintenanceState.ASSIGNED)
        _move(held, MaintenanceState.IN_PROGRESS)
        held.started_at = now
        held.save()
        audit.record(action="mes.maintenance.start", target=held, by=by, now=now)
    return held


def issue_part(
    *, part: MaintenancePart, quantity: Decimal, by: User | None, now: datetime
) -> MaintenancePart:
    """Take it out of the store, what expires first; raise CannotMaintain or the store's refusal."""
    with transaction.atomic():
        held = locked(part.order)
        policies.check_can_work(held)
        policies.check_part(quantity)
        [cover] = erp.coverage([part.requirement_id])
        if cover.reserved < quantity:
            # What came since it was asked for.
            reservations.reserve({part.requirement_id: quantity - cover.reserved})
        stock.issue(
            requirement_id=part.requirement_id,
            quantity=quantity,
            reference=held.number,
            by=by,
            now=now,
        )
        part.refresh_from_db()
        audit.record(
            action="mes.maintenance.issue_part",
            target=held,
            by=by,
            now=now,
            reason=_what(part, quantity),
        )
    return part


def book_time(
    *, order: MaintenanceOrder, person: User, minutes: int, by: User | None, now: datetime
) -> MaintenanceTime:
    """Book time at the labour rate of the machine's work center; raise CannotMaintain."""
    with transaction.atomic():
        held = locked(order)
        policies.check_can_work(held)
        policies.check_minutes(minutes)
        booked = MaintenanceTime.objects.create(
            order=held,
            person=person,
            minutes=minutes,
            amount=_labour(held, minutes, now),
            at=now,
            by=by,
        )
        audit.record(
            action="mes.maintenance.book_time",
            target=held,
            by=by,
            now=now,
            reason=f"{minutes} min",
        )
    return booked


def complete(*, order: MaintenanceOrder, result: str, by: User, now: datetime) -> MaintenanceOrder:
    """It is done: the machine runs again, parts that were not used are given back.

    Raise CannotMaintain before it was begun, or without what was done.
    """
    with transaction.atomic():
        held = locked(order)
        policies.check_can_complete(held, result)
        _move(held, MaintenanceState.COMPLETED)
        # What still comes back is not needed again.
        requirements.settle(list(held.parts.values_list("requirement_id", flat=True)))
        held.completed_at, held.result = now, result.strip()[:500]
        _let_go(held, by, now)
        audit.record(
            action="mes.maintenance.complete", target=held, by=by, now=now, reason=held.result
        )
    return held


def cancel(*, order: MaintenanceOrder, reason: str, by: User, now: datetime) -> MaintenanceOrder:
    """Call it off: the machine is planned again, and the action behind it is to be made anew.

    Raise CannotMaintain once it was begun, or without a reason.
    """
    with transaction.atomic():
        held = locked(order)
        policies.check_can_cancel(held, reason)
        _move(held, MaintenanceState.CANCELLED)
        _let_go(held, by, now)
        if held.action is not None and held.action.state == ActionState.PLANNED:
            quality_actions.note_change(held.action, "")
            audit.record(
                action="mes.quality_action.change",
                target=held.action.nonconformance,
                by=by,
                now=now,
                reason=f"{held.action.title}: {held.number} – {MaintenanceState.CANCELLED}",
            )
        audit.record(
            action="mes.maintenance.cancel",
            target=held,
            by=by,
            now=now,
            reason=reason.strip()[:200],
        )
    return held


def _assign(order: MaintenanceOrder, owner: User, by: User | None, now: datetime) -> None:
    _move(order, MaintenanceState.ASSIGNED)
    order.owner = owner
    order.save()
    audit.record(action="mes.maintenance.assign", target=order, by=by, now=now)
    if by is None or owner.pk != by.pk:
        notifications.notify(
            kind="mes.maintenance_given",
            parameters={"number": order.number, "unit": order.work_unit.code},
            users=[owner],
            url=reverse("mes:maintenance", kwargs={"number": order.number}),
            now=now,
        )


def _need(
    order: MaintenanceOrder, part: NewPart, by: User | None, now: datetime
) -> MaintenancePart:
    """A requirement for the part, and whatever of it is free now; its site is locked."""
    policies.check_part(part.quantity)
    item = masterdata.items_by_id([part.item_id]).get(part.item_id)
    if item is None:
        raise CannotMaintain(_("There is no such item."))
    new = requirements.NewRequirement(
        item_id=item.pk,
        site_id=order.site_id,
        kind=RequirementKind.COMPONENT,
        quantity=part.quantity,
        due_at=order.starts_at,
        reference=order.number,
    )
    [need] = requirements.open_many([new])
    free = erp.free_stock(site_id=order.site_id, item_ids=[item.pk])[item.pk]
    reservations.reserve({need.pk: min(free, part.quantity)})
    _needs_changed(order, by, now)
    return MaintenancePart.objects.create(order=order, requirement=need)


def _needs_changed(order: MaintenanceOrder, by: User | None, now: datetime) -> None:
    """Requirements are planned anew for what its parts need now."""
    events.publish(MaintenanceNeedsChanged(site_id=order.site_id), by=by, now=now)


def _waiting_parts(order: MaintenanceOrder) -> list[int]:
    rows = order.parts.filter(requirement__state=RequirementState.OPEN)
    return list(rows.values_list("requirement_id", flat=True))


def _let_go(order: MaintenanceOrder, by: User | None, now: datetime) -> None:
    """Nothing more is needed of the store, and the machine is free."""
    waiting = order.parts.filter(requirement__state=RequirementState.OPEN)
    rows = list(
        waiting.values_list("requirement_id", "requirement__issued", "requirement__item_id")
    )
    requirements.set_quantities({pk: issued for pk, issued, _item in rows})
    if rows:
        _needs_changed(order, by, now)
    reservations.give_free(site_id=order.site_id, item_ids={item for _pk, _issued, item in rows})
    open_machine(order, by, now)
    order.save()


def _labour(order: MaintenanceOrder, minutes: int, now: datetime) -> Decimal:
    unit = order.work_unit
    site = unit.work_center.site
    rates = masterdata.hourly_rates(
        [unit.work_center_id], on=erp.today(site_id=site.pk, now=now), currency=site.currency
    )
    rate = rates.get((unit.work_center_id, RateKind.LABOUR), Decimal(0))
    return costing.hourly(Decimal(minutes), rate)


def _move(order: MaintenanceOrder, new: MaintenanceState) -> None:
    transitions.check(MAINTENANCE_TRANSITIONS, old=MaintenanceState(order.state), new=new)
    order.state = new


def _what(part: MaintenancePart, quantity: Decimal) -> str:
    return f"{part.requirement.item.code} × {plain(quantity)}"
