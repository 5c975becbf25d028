"""Reserved stock leaves for its requirement: issued to a work order, or shipped."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from common import bulk
from common.concurrency import Lock, lock
from common.models import User
from erp import policies, selectors
from erp.enums import BinKind, MoveKind, RequirementState
from erp.models import Requirement, Reservation, StockQuant
from erp.policies import CannotIssue
from erp.selectors import Take
from erp.services import booking, requirements, reservations, stagings, warehouses
from erp.services.booking import Entry, Why
from erp.services.genealogy import Paper
from masterdata.enums import Tracking
from traceability.enums import IdentityState

__all__ = ["CannotIssue", "backflush", "issue", "issue_many"]

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class _Named:
    """The lot, units or bin that somebody scanned; empty: the system chooses."""

    lot_id: int | None = None
    unit_ids: Collection[int] = ()
    bin_id: int | None = None

    def __bool__(self) -> bool:
        return bool(self.lot_id or self.unit_ids or self.bin_id)


def issue(
    *,
    requirement_id: int,
    quantity: Decimal,
    reference: str,
    by: User | None,
    now: datetime,
    kind: MoveKind = MoveKind.ISSUE,
    lot_id: int | None = None,
    unit_ids: Collection[int] = (),
    bin_id: int | None = None,
    order_line: str = "",
    paper: Paper | None = None,
) -> None:
    """Take reserved stock out for its requirement; raise CannotIssue with the reason.

    ``lot_id``, ``unit_ids`` or ``bin_id`` name what was scanned, and nothing else is taken: a lot
    of another item, on hold, expired, or with too little left is refused. Without them what is
    staged for the requirement goes first, then what expires first. ``paper`` is what the
    genealogy says of the shipment.
    """
    named = _Named(lot_id, tuple(unit_ids), bin_id)
    why = Why(kind, reference, by, now, order_line=order_line, paper=paper)
    _issue({requirement_id: quantity}, named, why)


def issue_many(
    *,
    quantities: Mapping[int, Decimal],
    reference: str,
    by: User | None,
    now: datetime,
    kind: MoveKind = MoveKind.ISSUE,
    order_line: str = "",
) -> None:
    """Take reserved stock out for several requirements (by id): all, or none and CannotIssue.

    What it cost goes on the work order that is the reference; ``order_line`` says whom that is for.
    """
    _issue(quantities, _Named(), Why(kind, reference, by, now, order_line=order_line))


def backflush(
    *,
    quantities: Mapping[int, Decimal],
    site_id: int,
    reference: str,
    by: User | None,
    now: datetime,
    order_line: str = "",
) -> None:
    """Book out what good pieces used up, at most what each requirement (by id) still needs.

    All of the site. Raise CannotIssue where it is not there, unless the item's stock may be
    negative.
    """
    why = Why(MoveKind.BACKFLUSH, reference, by, now, order_line=order_line)
    _issue(quantities, _Named(), why, site_id=site_id, at_most=True)


def _issue(
    quantities: Mapping[int, Decimal],
    named: _Named,
    why: Why,
    *,
    site_id: int | None = None,
    at_most: bool = False,
) -> None:
    """``site_id`` is where all of it is, known to the caller; ``at_most``: no more than is needed
    still."""
    if not quantities:
        return
    with transaction.atomic():
        for place in selectors.sites_of(quantities) if site_id is None else (site_id,):
            lock(Lock.SUPPLY, place)
        found = list(
            Requirement.objects.select_for_update(no_key=True, of=("self",))
            .filter(pk__in=list(quantities))
            .select_related("item")
            .order_by("pk")
        )
        if site_id is not None and any(need.site_id != site_id for need in found):
            raise ValueError("Its store was not locked.")
        if at_most:
            quantities = _still_needed(found, quantities)
            found = [requirement for requirement in found if requirement.pk in quantities]
            if not found:
                return
        held = {
            r.requirement_id: r
            for r in Reservation.objects.select_for_update(no_key=True)
            .filter(requirement__in=found)
            .order_by("pk")
        }
        for requirement in found:
            reservation = held.get(requirement.pk)
            reserved = reservation.quantity if reservation else ZERO
            policies.check_can_issue(requirement, quantities[requirement.pk], reserved)
        takes = _chosen(found, quantities, named, why.now)
        consumed = _consume(found, quantities, held)
        stagings.use([take for taken in takes.values() for take in taken])
        _book_out(found, quantities, takes, consumed, why)


def _still_needed(
    found: Sequence[Requirement], quantities: Mapping[int, Decimal]
) -> dict[int, Decimal]:
    """Of each open requirement what it still needs, at most what is wanted."""
    wanted = {
        requirement.pk: min(quantities[requirement.pk], requirement.quantity - requirement.issued)
        for requirement in found
        if requirement.state == RequirementState.OPEN
    }
    return {pk: quantity for pk, quantity in wanted.items() if quantity > 0}


def _chosen(
    found: Sequence[Requirement],
    quantities: Mapping[int, Decimal],
    named: _Named,
    now: datetime,
) -> dict[int, list[Take]]:
    """What to take for each requirement: what is staged for it, then what expires first."""
    ready: dict[int, list[Take]] = {}
    for staging in selectors.stagings([requirement.pk for requirement in found]):
        ready.setdefault(staging.requirement_id, []).append(
            Take(staging.quant, staging.quantity, staging)
        )
    promised: dict[int, Decimal] = {}
    days = {
        site: selectors.today(site_id=site, now=now)
        for site in sorted({requirement.site_id for requirement in found})
    }
    lying = {} if named else _lying(found, days)
    chosen: dict[int, list[Take]] = {}
    for requirement in sorted(found, key=lambda r: (r.site_id, r.item_id, r.due_at, r.pk)):
        site = requirement.site_id
        on = days[site]
        policies.check_named(requirement, named.lot_id, named.unit_ids, on)
        takes, left = _from_staged(
            ready.get(requirement.pk, []), quantities[requirement.pk], named, on
        )
        there = lying.get((site, requirement.item_id))
        if there is not None:
            takes += selectors.allot(there, left, promised)
        else:
            takes += selectors.choose(
                site_id=site,
                item_id=requirement.item_id,
                tracking=requirement.item.tracking,
                quantity=left,
                on=on,
                lot_id=named.lot_id,
                unit_ids=named.unit_ids,
                bin_id=named.bin_id,
                taken=promised,
            )
        missing = quantities[requirement.pk] - sum((take.quantity for take in takes), ZERO)
        policies.check_enough_usable(requirement, missing, is_named=bool(named))
        chosen[requirement.pk] = takes
    return chosen


def _lying(
    found: Sequence[Requirement], days: Mapping[int, date]
) -> dict[tuple[int, int], list[StockQuant]]:
    """What may be taken, by site and item; a query a site, however many items.

    Without serial units: a store may hold tens of thousands of one item.
    """
    lying: dict[tuple[int, int], list[StockQuant]] = {
        (requirement.site_id, requirement.item_id): []
        for requirement in found
        if requirement.item.tracking != Tracking.SERIAL
    }
    for site, on in days.items():
        items = {item for place, item in lying if place == site}
        if items:
            for quant in selectors.usable_of(site_id=site, item_ids=items, on=on):
                lying[site, quant.item_id].append(quant)
    return lying


def _from_staged(
    ready: Sequence[Take], quantity: Decimal, named: _Named, on: date
) -> tuple[list[Take], Decimal]:
    """What of the staged takes serves, and what is left to be found elsewhere."""
    takes = []
    for take in ready:
        quant = take.quant
        fits = (
            (named.lot_id is None or quant.lot_id == named.lot_id)
            and (not named.unit_ids or quant.unit_id in named.unit_ids)
            and (named.bin_id is None or quant.bin_id == named.bin_id)
            and not policies.is_expired(quant.lot or quant.unit, on)
        )
        share = min(quantity, take.quantity)
        if fits and share > 0:
            takes.append(Take(quant, share, take.staging))
            quantity -= share
    return takes, quantity


def _consume(
    found: Sequence[Requirement],
    quantities: Mapping[int, Decimal],
    held: Mapping[int, Reservation],
) -> dict[int, Decimal]:
    """Lower the reservations; return what of each requirement's quantity was reserved."""
    consumed = {}
    gone: list[int] = []
    smaller: list[Reservation] = []
    for requirement in found:
        quantity = quantities[requirement.pk]
        reservation = held.get(requirement.pk)
        consumed[requirement.pk] = min(quantity, reservation.quantity) if reservation else ZERO
        if reservation and reservation.quantity <= quantity:
            gone.append(reservation.pk)
        elif reservation:
            reservation.quantity -= quantity
            smaller.append(reservation)
    if gone:
        Reservation.objects.filter(pk__in=gone).delete()
    bulk.save(smaller, ["quantity"])
    requirements.note_issued(found, quantities)
    return consumed


def _book_out(
    found: Sequence[Requirement],
    quantities: Mapping[int, Decimal],
    takes: Mapping[int, list[Take]],
    consumed: Mapping[int, Decimal],
    why: Why,
) -> None:
    entries: list[Entry] = []
    reserved: dict[booking.Balance, Decimal] = {}
    leaving: dict[booking.Balance, Decimal] = {}
    beyond: set[booking.Balance] = set()
    for requirement in found:
        balance = (requirement.item_id, requirement.site_id)
        mine = takes[requirement.pk]
        for take in mine:
            quant = take.quant
            entries.append(
                Entry(quant.bin_id, quant.item_id, -take.quantity, quant.lot_id, quant.unit_id)
            )
        quantity = quantities[requirement.pk]
        missing = quantity - sum((take.quantity for take in mine), ZERO)
        if missing > 0:
            # The item's stock may be negative: the policy saw to it.
            floor = warehouses.bin_for(site_id=requirement.site_id, kind=BinKind.STORAGE)
            entries.append(Entry(floor.pk, requirement.item_id, -missing))
        reserved[balance] = reserved.get(balance, ZERO) - consumed[requirement.pk]
        leaving[balance] = leaving.get(balance, ZERO) + quantity
        if quantity > consumed[requirement.pk]:
            beyond.add(balance)
    for item_id, site_id in sorted(beyond):
        reservations.give_way(item_id=item_id, site_id=site_id, leaving=leaving[item_id, site_id])
    shipped = why.kind == MoveKind.SHIPMENT
    leaves_as = IdentityState.SHIPPED if shipped else IdentityState.CONSUMED
    booking.book(
        entries,
        why=dataclasses.replace(why, leaves_as=leaves_as),
        reserved=reserved,
    )
