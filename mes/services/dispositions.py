"""What becomes of nonconforming goods: decided in parts that sum, done by store and floor."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from common import audit, transitions
from common.models import User
from erp import selectors as erp
from mes import nonconformance_policies as policies
from mes.enums import (
    CONCESSION_TRANSITIONS,
    DISPOSITION_TRANSITIONS,
    ConcessionState,
    DispositionKind,
    DispositionState,
    NonconformanceState,
)
from mes.models import Concession, Disposition, Nonconformance, WorkOrderOperation
from mes.nonconformance_policies import CannotConcede, CannotDispose
from mes.services import disposing, nonconformances

__all__ = [
    "CannotConcede",
    "CannotDispose",
    "Part",
    "concede",
    "decide",
    "decide_concession",
    "execute",
]


@dataclass(frozen=True, slots=True)
class Part:
    """So much of the goods: of a lot, of these units, or in process at an operation."""

    kind: DispositionKind
    quantity: Decimal
    reason: str = ""
    lot_id: int | None = None
    unit_ids: Sequence[int] = ()
    operation: WorkOrderOperation | None = None
    regraded_to_id: int | None = None


def decide(
    *, nonconformance: Nonconformance, parts: Sequence[Part], by: User, now: datetime
) -> list[Disposition]:
    """Decide on the goods, all parts at once; what was decided and not done yet is replaced.

    Raise CannotDispose unless they sum, with what is done, to the quantity.
    """
    with transaction.atomic():
        row = nonconformances.locked(nonconformance)
        done = list(row.dispositions.filter(state=DispositionState.EXECUTED))
        executed = sum((one.quantity for one in done), Decimal(0))
        policies.check_can_decide(row, parts, executed)
        policies.check_units_once(parts, [pk for one in done for pk in one.unit_ids])
        for part in parts:
            policies.check_part(row, part)
        row.dispositions.filter(state=DispositionState.DECIDED).delete()
        made = [_write(row, part, by, now) for part in parts]
        if row.state == NonconformanceState.CONTAINED and not hasattr(row, "eight_d"):
            nonconformances.advance(row, NonconformanceState.ACTION)
        told = [f"{part.kind.label} {part.quantity}" for part in parts]
        audit.record(
            action="mes.disposition.decide",
            target=row,
            by=by,
            now=now,
            changes={"dispositions": [None, told]},
        )
    return made


def _write(row: Nonconformance, part: Part, by: User, now: datetime) -> Disposition:
    return Disposition.objects.create(
        nonconformance=row,
        kind=part.kind,
        quantity=part.quantity,
        lot_id=part.lot_id,
        unit_ids=list(part.unit_ids),
        operation=part.operation,
        regraded_to_id=part.regraded_to_id,
        reason=part.reason.strip()[:200],
        decided_at=now,
        decided_by=by,
    )


def concede(
    *,
    disposition: Disposition,
    valid_until: date | None,
    reason: str,
    by: User,
    now: datetime,
) -> Concession:
    """Ask for leave to use just this part, until a day if one is named; raise CannotConcede.

    One that was rejected is asked for again.
    """
    with transaction.atomic():
        held = _locked(disposition)
        today = erp.today(site_id=held.nonconformance.site_id, now=now)
        policies.check_can_concede(held, valid_until, today, reason)
        made, _is_new = Concession.objects.update_or_create(
            disposition=held,
            defaults={
                "quantity": held.quantity,
                "valid_until": valid_until,
                "reason": reason.strip()[:300],
                "state": ConcessionState.REQUESTED,
                "requested_at": now,
                "requested_by": by,
                "decided_at": None,
                "decided_by": None,
                "decision_reason": "",
            },
        )
        audit.record(
            action="mes.concession.request",
            target=held.nonconformance,
            by=by,
            now=now,
            reason=reason,
        )
    return made


def decide_concession(
    *, concession: Concession, is_approved: bool, reason: str, by: User, now: datetime
) -> Concession:
    """Another person allows it or does not; raise CannotConcede."""
    with transaction.atomic():
        held = _locked(concession.disposition)
        row = (
            Concession.objects.select_for_update(no_key=True, of=("self",))
            .select_related("disposition")
            .get(pk=concession.pk)
        )
        policies.check_can_decide_concession(row, by)
        new = ConcessionState.APPROVED if is_approved else ConcessionState.REJECTED
        transitions.check(CONCESSION_TRANSITIONS, old=ConcessionState(row.state), new=new)
        row.state, row.decided_at, row.decided_by = new, now, by
        row.decision_reason = reason.strip()[:200]
        row.save()
        audit.record(
            action="mes.concession.approve" if is_approved else "mes.concession.reject",
            target=held.nonconformance,
            by=by,
            now=now,
            reason=reason,
        )
    return row


def execute(*, disposition: Disposition, result: str, by: User, now: datetime) -> Disposition:
    """Do what was decided: book it out, send it back, let it go; raise CannotDispose.

    The store and the floor may refuse with sentences of their own.
    """
    with transaction.atomic():
        held = _locked(disposition)
        row = held.nonconformance
        today = erp.today(site_id=row.site_id, now=now)
        policies.check_can_execute(held, result, today)
        disposing.carry_out(held, by=by, now=now)
        transitions.check(
            DISPOSITION_TRANSITIONS,
            old=DispositionState(held.state),
            new=DispositionState.EXECUTED,
        )
        held.state = DispositionState.EXECUTED
        held.executed_at, held.executed_by = now, by
        held.result = result.strip()[:200]
        held.save()
        disposing.let_go(held, by=by, now=now)
        audit.record(
            action="mes.disposition.execute",
            target=row,
            by=by,
            now=now,
            reason=held.result,
            changes={DispositionKind(held.kind).value: [None, str(held.quantity)]},
        )
    return held


def _locked(disposition: Disposition) -> Disposition:
    """The part as it is now; raise CannotDispose where another tab has decided anew meanwhile."""
    row = nonconformances.locked(Nonconformance(pk=disposition.nonconformance_id))
    policies.check_is_open(row, CannotDispose)
    held = (
        Disposition.objects.select_for_update(no_key=True, of=("self",))
        .select_related("lot", "operation__work_order", "regraded_to")
        .filter(pk=disposition.pk)
        .first()
    )
    if held is None:
        raise CannotDispose(_("Somebody decided anew meanwhile: look at the parts once more."))
    held.nonconformance = row
    return held
