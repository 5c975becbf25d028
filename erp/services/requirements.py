"""Demand: opened, resized and cancelled in bulk. Callers hold the site's supply lock."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from common import bulk, statistics, transitions
from erp import selectors
from erp.enums import REQUIREMENT_TRANSITIONS, RequirementKind, RequirementState
from erp.models import Requirement, Reservation
from erp.policies import CannotChange, check_can_change
from erp.services import reservations

__all__ = [
    "CannotChange",
    "NewRequirement",
    "move_due",
    "open_many",
    "reopen",
    "set_quantities",
    "set_weights",
    "settle",
    "uncovered",
]

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class NewRequirement:
    """A quantity of an item, needed at a site by a moment; ``reference`` says by whom."""

    item_id: int
    site_id: int
    kind: RequirementKind
    quantity: Decimal
    due_at: datetime
    reference: str
    weight: int = 0
    customer_id: int | None = None


def open_many(wanted: Sequence[NewRequirement]) -> list[Requirement]:
    """Open one requirement for each, in order."""
    statistics.analyze_later(Requirement, Reservation, rows=len(wanted))
    return Requirement.objects.bulk_create(
        [
            Requirement(
                item_id=new.item_id,
                site_id=new.site_id,
                kind=new.kind,
                quantity=new.quantity,
                due_at=new.due_at,
                reference=new.reference,
                weight=new.weight,
                customer_id=new.customer_id,
            )
            for new in wanted
        ],
        batch_size=5000,
    )


def set_quantities(quantities: Mapping[int, Decimal]) -> None:
    """Give each requirement (by id) its new quantity; 0 cancels it, all issued fulfils it.

    A smaller one gives back what is reserved beyond it, latest need or not: whose freed stock is
    it then is for the caller to say. Raise CannotChange for less than has left the stock.
    """
    changed = []
    for requirement in _locked(quantities):
        new = quantities[requirement.pk]
        if new == requirement.quantity:
            continue
        check_can_change(requirement, new)
        requirement.quantity = new
        _close_if_done(requirement)
        changed.append(requirement)
    bulk.save(changed, ["quantity", "state"])
    _release_excess(changed)


def reopen(quantities: Mapping[int, Decimal]) -> list[int]:
    """Ask for more again where requirements (by id) were cut; return those that were.

    Only ever more: what asks for as much already stays. Free stock is for the caller to give.
    """
    cut = [row for row in _locked(quantities) if row.quantity < quantities[row.pk]]
    for requirement in cut:
        requirement.quantity = quantities[requirement.pk]
        if requirement.state != RequirementState.OPEN:
            old, new = RequirementState(requirement.state), RequirementState.OPEN
            transitions.check(REQUIREMENT_TRANSITIONS, old=old, new=new)
            requirement.state = new
    bulk.save(cut, ["quantity", "state"])
    return [requirement.pk for requirement in cut]


def move_due(moments: Mapping[int, datetime]) -> None:
    """Change when requirements (by id) are needed."""
    moved = list(_locked(moments))
    for requirement in moved:
        requirement.due_at = moments[requirement.pk]
    bulk.save(moved, ["due_at"])


def set_weights(weights: Mapping[int, int]) -> None:
    """Change how much a late day of requirements (by id) hurts."""
    changed = list(_locked(weights))
    for requirement in changed:
        requirement.weight = weights[requirement.pk]
    bulk.save(changed, ["weight"])


def settle(requirement_ids: Collection[int]) -> None:
    """Their work order closes: whatever still comes back of it is explained when it does."""
    rows = Requirement.objects.filter(pk__in=[row.pk for row in _locked(requirement_ids)])
    rows.update(is_settled=True)


def uncovered(requirement_ids: Collection[int]) -> dict[int, Decimal]:
    """What each requirement still needs beyond what is issued and reserved; pegs not counted."""
    return {
        row.requirement_id: row.quantity - row.issued - row.reserved
        for row in selectors.coverage(requirement_ids)
    }


def note_issued(locked: Collection[Requirement], quantities: Mapping[int, Decimal]) -> None:
    """Count what left the stock for locked requirements (by id); the last piece fulfils one."""
    for requirement in locked:
        requirement.issued += quantities[requirement.pk]
        _close_if_done(requirement)
    bulk.save(locked, ["issued", "state"])


def _locked(ids: Collection[int]) -> list[Requirement]:
    return list(
        Requirement.objects.select_for_update(no_key=True).filter(pk__in=list(ids)).order_by("pk")
    )


def _close_if_done(requirement: Requirement) -> None:
    if requirement.quantity == 0:
        new = RequirementState.CANCELLED
    elif requirement.issued >= requirement.quantity:
        new = RequirementState.FULFILLED
    else:
        return
    transitions.check(REQUIREMENT_TRANSITIONS, old=RequirementState(requirement.state), new=new)
    requirement.state = new


def _release_excess(requirements: Sequence[Requirement]) -> None:
    rows = selectors.coverage([requirement.pk for requirement in requirements])
    reservations.release(
        {
            row.requirement_id: row.issued + row.reserved - row.quantity
            for row in rows
            if row.issued + row.reserved > row.quantity
        }
    )
