"""Nonconformances: reported from a ticket, an inspection or the floor, and closed when verified."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.urls import reverse

from common import audit, notifications, numbers, transitions
from common.enums import Level, Role
from common.models import User
from erp import selectors as erp
from erp.services import holds
from mes import nonconformance_policies as policies
from mes.enums import (
    CONTAINMENT_TRANSITIONS,
    NONCONFORMANCE_TRANSITIONS,
    ContainmentState,
    NonconformanceSource,
    NonconformanceState,
)
from mes.models import ConcernedThing, Nonconformance
from mes.nonconformance_policies import CannotCloseNonconformance, CannotReport
from traceability import selectors as traceability
from traceability.enums import FIRST_UNIT_ID, IdentityState

__all__ = [
    "CannotCloseNonconformance",
    "CannotReport",
    "add_goods",
    "add_things",
    "advance",
    "close",
    "finish",
    "lift_containment",
    "link",
    "locked",
    "open_from",
    "release_holds",
]


def open_from(
    *,
    source: NonconformanceSource,
    reference: str,
    item_id: int,
    site_id: int,
    problem: str,
    quantity: Decimal = Decimal(0),
    things: Collection[int] = (),
    work_order_ids: Collection[int] = (),
    symptom: str = "",
    is_held: bool = True,
    by: User | None,
    now: datetime,
) -> Nonconformance:
    """Report a nonconformance about lots and units (``things``, by their ids in the ledger).

    ``quantity`` is what of it is in our hands and has to be decided on. What is still here is kept
    from everybody (``is_held``). One that is open under the same reference and item gets what is
    new and is returned. Raise CannotReport.
    """
    policies.check_can_report(problem, quantity)
    with transaction.atomic():
        found = _open_one(reference, item_id)
        if found is not None:
            add_things(found, things, work_order_ids, is_held=is_held, by=by, now=now)
            return found
        made = Nonconformance.objects.create(
            number=numbers.take("NC", now=now),
            site_id=site_id,
            item_id=item_id,
            source=source,
            references=[reference.strip()[:60]] if reference.strip() else [],
            problem=problem.strip()[:300],
            symptom=symptom.strip()[:40],
            quantity=quantity,
            opened_at=now,
            opened_by=by,
        )
        add_things(made, things, work_order_ids, is_held=is_held, by=by, now=now)
        audit.record(
            action="mes.nonconformance.open", target=made, by=by, now=now, reason=made.problem
        )
        _tell(made, now)
    return made


def _tell(made: Nonconformance, now: datetime) -> None:
    notifications.notify(
        kind="mes.nonconformance_opened",
        parameters={"number": made.number, "problem": made.problem},
        roles=[Role.QUALITY],
        level=Level.WARNING,
        url=reverse("mes:nonconformance", kwargs={"number": made.number}),
        now=now,
    )


def link(*, nonconformance: Nonconformance, reference: str, by: User | None, now: datetime) -> None:
    """Another ticket or document tells of the same; naming it twice changes nothing."""
    with transaction.atomic():
        row = locked(nonconformance)
        name = reference.strip()[:60]
        if not name or name in row.references:
            return
        row.references = [*row.references, name]
        row.save(update_fields=["references"])
        audit.record(action="mes.nonconformance.link", target=row, by=by, now=now, reason=reference)


def add_things(
    nonconformance: Nonconformance,
    things: Collection[int],
    work_order_ids: Collection[int] = (),
    *,
    is_held: bool,
    by: User | None,
    now: datetime,
) -> int:
    """Lots, units and work orders that it is about too; return how many are new.

    Raise CannotReport once it is closed: nobody would let go of what it holds.
    """
    with transaction.atomic():
        row = locked(nonconformance)
        policies.check_is_open(row, CannotReport)
        known = set(row.things.values_list("lot_id", flat=True)) | set(
            row.things.values_list("unit_id", flat=True)
        )
        new = sorted({pk for pk in things if pk not in known})
        lots = traceability.lots([pk for pk in new if pk < FIRST_UNIT_ID])
        units = traceability.units([pk for pk in new if pk >= FIRST_UNIT_ID])
        holds_by_thing = _hold(row, lots, units, by, now) if is_held else {}
        orders = set(work_order_ids) - set(row.things.values_list("work_order_id", flat=True))
        made = ConcernedThing.objects.bulk_create(
            [
                *(_thing(row, holds_by_thing, lot_id=pk) for pk in lots),
                *(_thing(row, holds_by_thing, unit_id=pk) for pk in units),
                *(_thing(row, {}, work_order_id=pk) for pk in sorted(orders)),
            ],
            batch_size=2000,
        )
    return len(made)


def add_goods(
    *, nonconformance: Nonconformance, things: Collection[int], by: User | None, now: datetime
) -> int:
    """Lots and units that turned out to be suspect too; return how many are new.

    They are held, and what of them lies in the store of its site, and is of its item, has to be
    decided on as well. Naming them twice changes nothing. Raise CannotReport once the containment
    is lifted.
    """
    with transaction.atomic():
        row = locked(nonconformance)
        policies.check_can_add_goods(row)
        known = set(row.things.values_list("lot_id", flat=True)) | set(
            row.things.values_list("unit_id", flat=True)
        )
        more = _lying(row, set(things) - known)
        new = add_things(row, things, is_held=True, by=by, now=now)
        if not new:
            return 0
        changes = audit.difference(
            {"quantity": str(row.quantity)}, {"quantity": str(row.quantity + more)}
        )
        row.quantity += more
        row.save(update_fields=["quantity"])
        audit.record(
            action="mes.nonconformance.add_goods",
            target=row,
            by=by,
            now=now,
            changes=changes | {"things": [0, new]},
        )
    return new


def _lying(row: Nonconformance, things: Collection[int]) -> Decimal:
    """How much of these lots and units of its item lies at its site."""
    found = erp.quants(site_id=row.site_id, item_id=row.item_id)
    lots = [pk for pk in things if pk < FIRST_UNIT_ID]
    units = [pk for pk in things if pk >= FIRST_UNIT_ID]
    mine = found.filter(lot__in=lots) | found.filter(unit__in=units)
    return sum(mine.values_list("quantity", flat=True), Decimal(0))


def close(*, nonconformance: Nonconformance, by: User, now: datetime) -> Nonconformance:
    """Another person saw that all is done; raise CannotCloseNonconformance with what is missing.

    Its containment is lifted.
    """
    with transaction.atomic():
        row = locked(nonconformance)
        policies.check_can_close(row, by)
        lift_containment(row, by=by, now=now)
        if row.state == NonconformanceState.CONTAINED:
            advance(row, NonconformanceState.ACTION)
        if row.state == NonconformanceState.ACTION:
            advance(row, NonconformanceState.VERIFICATION)
        finish(row, by=by, now=now)
    return row


def finish(row: Nonconformance, *, by: User, now: datetime) -> None:
    """Close it, in the caller's transaction; what has to be done before is checked there."""
    row.closed_at, row.closed_by = now, by
    _move(row, NonconformanceState.CLOSED)
    row.save(update_fields=["state", "closed_at", "closed_by"])
    audit.record(action="mes.nonconformance.close", target=row, by=by, now=now)


def advance(row: Nonconformance, new: NonconformanceState) -> None:
    """Bring it to a state, in the caller's transaction; what is there stays."""
    if row.state != new:
        _move(row, new)
        row.save(update_fields=["state"])


def lift_containment(row: Nonconformance, *, by: User, now: datetime) -> None:
    """Let go of all places, and of what is still on hold; every count is verified by then.

    A place that was let go before a step was opened again stays so.
    """
    held = row.containment.exclude(state=ContainmentState.LIFTED)
    for place in held.select_for_update(no_key=True).order_by("pk"):
        old = ContainmentState(place.state)
        transitions.check(CONTAINMENT_TRANSITIONS, old=old, new=ContainmentState.LIFTED)
        place.state = ContainmentState.LIFTED
        place.save(update_fields=["state"])
    release_holds(row, by=by, now=now)
    audit.record(action="mes.containment.lift", target=row, by=by, now=now)


def release_holds(
    row: Nonconformance,
    *,
    by: User | None,
    now: datetime,
    lot_ids: Collection[int] | None = None,
    unit_ids: Collection[int] | None = None,
) -> None:
    """Lift the holds that it laid on these lots and units; None for both: all that are left."""
    mine = row.things.filter(hold__isnull=False, hold__released_at__isnull=True)
    if lot_ids is not None or unit_ids is not None:
        mine = mine.filter(lot__in=list(lot_ids or ())) | mine.filter(unit__in=list(unit_ids or ()))
    ids = sorted({pk for pk in mine.values_list("hold_id", flat=True) if pk is not None})
    if ids:
        holds.release(hold_ids=ids, reason=row.number, by=by, now=now)


def locked(nonconformance: Nonconformance) -> Nonconformance:
    """The row as it is now, held until the transaction ends."""
    return (
        Nonconformance.objects.select_for_update(no_key=True, of=("self",))
        .select_related("item")
        .get(pk=nonconformance.pk)
    )


def _open_one(reference: str, item_id: int) -> Nonconformance | None:
    """The open one of that reference, locked: one that is being closed now is closed then."""
    if not reference.strip():
        return None
    rows = Nonconformance.objects.filter(
        references__contains=[reference.strip()[:60]], item=item_id
    ).exclude(state=NonconformanceState.CLOSED)
    return rows.select_for_update(no_key=True, of=("self",)).order_by("pk").first()


def _hold(
    row: Nonconformance,
    lots: Collection[int],
    units: Collection[int],
    by: User | None,
    now: datetime,
) -> dict[int, int]:
    """Hold what is still here; the hold by the id of lot or unit."""
    gone = set(IdentityState.gone())
    here_lots = [pk for pk, lot in traceability.lots(lots).items() if lot.state not in gone]
    here_units = [pk for pk, unit in traceability.units(units).items() if unit.state not in gone]
    if not here_lots and not here_units:
        return {}
    reason = f"{row.number}: {row.problem}"[:200]
    placed = holds.hold(lot_ids=here_lots, unit_ids=here_units, reason=reason, by=by, now=now)
    return {hold.lot_id or hold.unit_id or 0: hold.pk for hold in traceability.holds(placed)}


def _thing(
    row: Nonconformance,
    holds_by_thing: dict[int, int],
    *,
    lot_id: int | None = None,
    unit_id: int | None = None,
    work_order_id: int | None = None,
) -> ConcernedThing:
    return ConcernedThing(
        nonconformance=row,
        lot_id=lot_id,
        unit_id=unit_id,
        work_order_id=work_order_id,
        hold_id=holds_by_thing.get(lot_id or unit_id or 0),
    )


def _move(row: Nonconformance, new: NonconformanceState) -> None:
    old = NonconformanceState(row.state)
    transitions.check(NONCONFORMANCE_TRANSITIONS, old=old, new=new)
    row.state = new
