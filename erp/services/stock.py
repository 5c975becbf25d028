"""Goods come in and go out; each change of a balance leaves a move."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import F

from common import audit, bulk, events
from common.concurrency import Lock, lock
from common.models import User
from erp import policies, selectors
from erp.enums import MoveKind
from erp.events import StockReceived
from erp.models import Requirement, Reservation, StockBalance, StockMove
from erp.policies import CannotAdjust, CannotIssue, CannotReceive
from erp.services import requirements, reservations

__all__ = [
    "CannotAdjust",
    "CannotIssue",
    "CannotReceive",
    "Opening",
    "adjust",
    "issue",
    "issue_many",
    "receive",
    "set_opening",
]

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Opening:
    """How much of an item lies there when the system starts."""

    item_id: int
    quantity: Decimal


def receive(
    *,
    item_id: int,
    site_id: int,
    quantity: Decimal,
    kind: MoveKind,
    reference: str,
    by: User | None,
    now: datetime,
) -> StockMove:
    """Book goods in and give what is free of a bought item to those who wait, first due first.

    Raise CannotReceive for a quantity of zero or below.
    """
    with transaction.atomic():
        lock(Lock.SUPPLY, site_id)
        policies.check_can_receive(quantity, kind)
        balance = _locked_balance(item_id, site_id)
        move = _move(balance, quantity, kind, reference, by, now)
        reservations.give_free(site_id=site_id, item_ids=[item_id])
        audit.record(action="erp.stock.receive", target=move, by=by, now=now, reason=reference)
        events.publish(StockReceived(item_id=item_id, site_id=site_id), by=by, now=now)
    return move


def set_opening(
    rows: Sequence[Opening],
    *,
    site_id: int,
    by: User | None,
    now: datetime,
    reference: str = "opening",
) -> int:
    """Bring the on-hand quantity of each item to the given one; return how many changed.

    Repeating it changes nothing. Raise CannotAdjust where less would be left than is reserved.
    """
    wanted: dict[int, Decimal] = {}
    for row in rows:
        wanted[row.item_id] = wanted.get(row.item_id, ZERO) + row.quantity
    with transaction.atomic():
        lock(Lock.SUPPLY, site_id)
        moves = _opening_moves(wanted, site_id, reference, by, now)
        StockMove.objects.bulk_create(moves, batch_size=5000)
        reservations.give_free(site_id=site_id, item_ids=[move.item_id for move in moves])
        for move in moves[:1]:
            # One fact for the site: its readers look at the site, not at the item.
            events.publish(StockReceived(item_id=move.item_id, site_id=site_id), by=by, now=now)
        audit.record_many(
            action="erp.stock.set_opening", targets=moves, by=by, now=now, reason=reference
        )
    return len(moves)


def adjust(
    *,
    item_id: int,
    site_id: int,
    quantity: Decimal,
    reason: str,
    by: User | None,
    now: datetime,
) -> StockMove:
    """Correct the count by a signed quantity. Raise CannotAdjust: no reason, or it is reserved."""
    with transaction.atomic():
        lock(Lock.SUPPLY, site_id)
        balance = _locked_balance(item_id, site_id)
        policies.check_can_adjust(balance, quantity, reason)
        move = _move(balance, quantity, MoveKind.ADJUSTMENT, reason[:60], by, now)
        reservations.give_free(site_id=site_id, item_ids=[item_id])
        audit.record(action="erp.stock.adjust", target=move, by=by, now=now, reason=reason)
        events.publish(StockReceived(item_id=item_id, site_id=site_id), by=by, now=now)
    return move


def issue(
    *,
    requirement_id: int,
    quantity: Decimal,
    reference: str,
    by: User | None,
    now: datetime,
    kind: MoveKind = MoveKind.ISSUE,
) -> None:
    """Take reserved stock out for its requirement; raise CannotIssue with the reason."""
    issue_many(
        quantities={requirement_id: quantity}, reference=reference, by=by, now=now, kind=kind
    )


def issue_many(
    *,
    quantities: Mapping[int, Decimal],
    reference: str,
    by: User | None,
    now: datetime,
    kind: MoveKind = MoveKind.ISSUE,
) -> None:
    """Take reserved stock out for several requirements (by id): all, or none and CannotIssue."""
    with transaction.atomic():
        for site_id in selectors.sites_of(quantities):
            lock(Lock.SUPPLY, site_id)
        found = list(
            Requirement.objects.select_for_update(no_key=True, of=("self",))
            .filter(pk__in=list(quantities))
            .select_related("item")
            .order_by("pk")
        )
        held = {
            r.requirement_id: r
            for r in Reservation.objects.select_for_update(no_key=True)
            .filter(requirement__in=found)
            .order_by("pk")
        }
        for requirement in found:
            quantity = quantities[requirement.pk]
            reservation = held.get(requirement.pk)
            reserved = reservation.quantity if reservation else ZERO
            policies.check_can_issue(requirement, quantity, reserved)
            assert reservation is not None  # noqa: S101 - the policy saw to it
            _consume(reservation, quantity)
            requirements.note_issued(requirement, quantity)
        _book_out(found, quantities, kind, reference, by, now)


def _consume(reservation: Reservation, quantity: Decimal) -> None:
    if reservation.quantity == quantity:
        reservation.delete()
    else:
        reservation.quantity -= quantity
        reservation.save(update_fields=["quantity"])


def _book_out(
    found: Sequence[Requirement],
    quantities: Mapping[int, Decimal],
    kind: MoveKind,
    reference: str,
    by: User | None,
    now: datetime,
) -> None:
    for requirement in sorted(found, key=lambda r: (r.site_id, r.item_id)):
        quantity = quantities[requirement.pk]
        StockBalance.objects.filter(
            item_id=requirement.item_id, site_id=requirement.site_id
        ).update(on_hand=F("on_hand") - quantity, reserved=F("reserved") - quantity)
    StockMove.objects.bulk_create(
        [
            StockMove(
                item_id=requirement.item_id,
                site_id=requirement.site_id,
                kind=kind,
                quantity=-quantities[requirement.pk],
                reference=reference,
                at=now,
                by=by,
            )
            for requirement in found
        ]
    )


def _locked_balance(item_id: int, site_id: int) -> StockBalance:
    StockBalance.objects.get_or_create(item_id=item_id, site_id=site_id)
    return (
        StockBalance.objects.select_for_update(no_key=True, of=("self",))
        .select_related("item")
        .get(item_id=item_id, site_id=site_id)
    )


def _move(
    balance: StockBalance,
    quantity: Decimal,
    kind: MoveKind,
    reference: str,
    by: User | None,
    now: datetime,
) -> StockMove:
    StockBalance.objects.filter(pk=balance.pk).update(on_hand=F("on_hand") + quantity)
    return StockMove.objects.create(
        item_id=balance.item_id,
        site_id=balance.site_id,
        kind=kind,
        quantity=quantity,
        reference=reference,
        at=now,
        by=by,
    )


def _opening_moves(
    wanted: Mapping[int, Decimal], site_id: int, reference: str, by: User | None, now: datetime
) -> list[StockMove]:
    StockBalance.objects.bulk_create(
        [StockBalance(item_id=item_id, site_id=site_id) for item_id in sorted(wanted)],
        ignore_conflicts=True,
        batch_size=5000,
    )
    changed = []
    moves = []
    for balance in (
        StockBalance.objects.select_for_update(no_key=True, of=("self",))
        .filter(item__in=list(wanted), site_id=site_id)
        .select_related("item")
        .order_by("pk")
    ):
        difference = wanted[balance.item_id] - balance.on_hand
        if not difference:
            continue
        policies.check_can_adjust(balance, difference, reference)
        balance.on_hand += difference
        changed.append(balance)
        moves.append(
            StockMove(
                item_id=balance.item_id,
                site_id=site_id,
                kind=MoveKind.OPENING,
                quantity=difference,
                reference=reference,
                at=now,
                by=by,
            )
        )
    bulk.save(changed, ["on_hand"])
    return moves
