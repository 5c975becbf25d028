"""Containment: where suspect goods are, so many found, cleared, shipped or missing; all of them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from common import audit, transitions
from common.models import User
from mes import nonconformance_policies as policies
from mes.enums import CONTAINMENT_TRANSITIONS, ContainmentState, NonconformanceState
from mes.models import ContainmentCount, Nonconformance
from mes.nonconformance_policies import CannotContain
from mes.services import nonconformances

__all__ = ["CannotContain", "Found", "count", "count_again", "suspect", "verify"]

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of the suspect goods at a place."""

    found: Decimal = ZERO
    cleared: Decimal = ZERO
    shipped: Decimal = ZERO
    missing: Decimal = ZERO


def suspect(
    *, nonconformance: Nonconformance, place: str, quantity: Decimal, by: User, now: datetime
) -> ContainmentCount:
    """So many suspect goods may be at a place; raise CannotContain."""
    with transaction.atomic():
        row = nonconformances.locked(nonconformance)
        policies.check_can_suspect(row, place, quantity)
        made = ContainmentCount.objects.create(
            nonconformance=row, place=place.strip()[:120], suspect=quantity
        )
        audit.record(
            action="mes.containment.suspect",
            target=row,
            by=by,
            now=now,
            reason=made.place,
            changes={"suspect": [None, str(quantity)]},
        )
    return made


def count(*, row: ContainmentCount, found: Found, by: User, now: datetime) -> ContainmentCount:
    """Note what was found at a place, whether or not it adds up yet; raise CannotContain."""
    with transaction.atomic():
        held = _locked(row)
        amounts = (found.found, found.cleared, found.shipped, found.missing)
        policies.check_can_count(held, amounts)
        held.found, held.cleared, held.shipped, held.missing = amounts
        held.counted_at, held.counted_by = now, by
        held.save()
        audit.record(
            action="mes.containment.count",
            target=held.nonconformance,
            by=by,
            now=now,
            reason=held.place,
            changes=_sums(held),
        )
    return held


def verify(*, row: ContainmentCount, by: User, now: datetime) -> ContainmentCount:
    """Another person says that it adds up; raise CannotContain where it does not.

    With the last one the nonconformance is contained.
    """
    with transaction.atomic():
        held = _locked(row)
        policies.check_can_verify(held, by)
        held.verified_at, held.verified_by = now, by
        _move(held, ContainmentState.VERIFIED)
        held.save()
        audit.record(
            action="mes.containment.verify",
            target=held.nonconformance,
            by=by,
            now=now,
            reason=held.place,
            changes=_sums(held),
        )
        rows = held.nonconformance.containment.all()
        is_open = any(other.state == ContainmentState.IN_PLACE for other in rows)
        if not is_open and held.nonconformance.state == NonconformanceState.OPEN:
            nonconformances.advance(held.nonconformance, NonconformanceState.CONTAINED)
    return held


def count_again(*, row: ContainmentCount, by: User, now: datetime) -> ContainmentCount:
    """More turned up, or it was wrong: the place is open again. Raise CannotContain once lifted."""
    with transaction.atomic():
        held = _locked(row)
        policies.check_can_count_again(held)
        _move(held, ContainmentState.IN_PLACE)
        held.verified_at = held.verified_by = None
        held.save()
        audit.record(
            action="mes.containment.reopen",
            target=held.nonconformance,
            by=by,
            now=now,
            reason=held.place,
            changes=_sums(held),
        )
    return held


def _locked(row: ContainmentCount) -> ContainmentCount:
    nonconformance = nonconformances.locked(Nonconformance(pk=row.nonconformance_id))
    policies.check_is_open(nonconformance, CannotContain)
    held = ContainmentCount.objects.select_for_update(no_key=True).get(pk=row.pk)
    held.nonconformance = nonconformance
    return held


def _move(row: ContainmentCount, new: ContainmentState) -> None:
    transitions.check(CONTAINMENT_TRANSITIONS, old=ContainmentState(row.state), new=new)
    row.state = new


def _sums(row: ContainmentCount) -> audit.Changes:
    return {"accounted for": [str(row.suspect), str(policies.counted(row))]}
