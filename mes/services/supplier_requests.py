"""Corrective action asked of a supplier: a document with a number, and a day to answer by."""

from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.urls import reverse

from common import audit, documents, notifications, numbers, transitions
from common.enums import Role
from common.models import User
from erp import selectors as erp
from mes import problem_policies as policies
from mes.enums import SUPPLIER_REQUEST_TRANSITIONS, SupplierRequestState
from mes.models import QualityAction, SupplierRequest
from mes.problem_policies import CannotAct
from mes.services import quality_actions

if TYPE_CHECKING:
    from masterdata.models import Supplier

__all__ = ["CannotAct", "accept", "answer", "ask", "document", "file_name", "locked"]


def ask(
    *,
    action: QualityAction,
    supplier: "Supplier",
    text: str,
    answer_due_on: date,
    by: User,
    now: datetime,
) -> SupplierRequest:
    """Ask a supplier for the cause and for what will be changed; raise CannotAct.

    Purchasing is told: it sends the document.
    """
    with transaction.atomic():
        held = quality_actions.locked(action)
        policies.check_can_change(held)
        row = held.nonconformance
        today = erp.today(site_id=row.site_id, now=now)
        policies.check_can_plan(row, text, answer_due_on, today)
        made = SupplierRequest.objects.create(
            number=numbers.take("SC", now=now),
            nonconformance=row,
            action=held,
            supplier=supplier,
            text=text.strip(),
            answer_due_on=answer_due_on,
            sent_at=now,
            sent_by=by,
        )
        quality_actions.note_change(held, f"{made.number} {supplier.code}")
        audit.record(
            action="mes.supplier_request.send", target=row, by=by, now=now, reason=held.changed
        )
        notifications.notify(
            kind="mes.supplier_asked",
            parameters={"number": made.number, "supplier": supplier.code},
            roles=[Role.PURCHASING],
            url=reverse("mes:nonconformance", kwargs={"number": row.number}),
            now=now,
        )
    return made


def answer(*, request: SupplierRequest, text: str, by: User, now: datetime) -> SupplierRequest:
    """What the supplier answered; raise CannotAct without words or once it was answered."""
    with transaction.atomic():
        held = locked(request)
        policies.check_can_answer(held, text)
        _move(held, SupplierRequestState.ANSWERED)
        held.answer, held.answered_at = text.strip(), now
        held.save()
        audit.record(
            action="mes.supplier_request.answer",
            target=held.nonconformance,
            by=by,
            now=now,
            reason=held.number,
        )
    return held


def accept(
    *, request: SupplierRequest, is_enough: bool, by: User, now: datetime
) -> SupplierRequest:
    """The answer does, or the supplier is asked once more; raise CannotAct before there is one."""
    with transaction.atomic():
        held = locked(request)
        policies.check_can_accept(held)
        _move(held, SupplierRequestState.ACCEPTED if is_enough else SupplierRequestState.SENT)
        if not is_enough:
            held.revision += 1
        held.save()
        audit.record(
            action="mes.supplier_request.accept" if is_enough else "mes.supplier_request.ask_again",
            target=held.nonconformance,
            by=by,
            now=now,
            reason=held.number,
        )
    return held


def document(request: SupplierRequest, *, language: str) -> bytes:
    """The request as a PDF; raise documents.CannotPrint where the server cannot make PDFs."""
    found = request.nonconformance
    things = found.things.filter(lot__supplier=request.supplier).select_related("lot__item")
    lots = [thing.lot for thing in things.order_by("pk")]
    context = {"request_": request, "found": found, "lots": lots}
    return documents.pdf(
        template="mes/paper/supplier_request.html", context=context, language=language
    )


def file_name(request: SupplierRequest) -> str:
    """What the document is called as a file; from the second revision on with its number."""
    number = request.number
    return f"{number}.pdf" if request.revision == 1 else f"{number}-{request.revision}.pdf"


def locked(request: SupplierRequest) -> SupplierRequest:
    """The row, held until the end of the transaction."""
    return (
        SupplierRequest.objects.select_for_update(no_key=True, of=("self",))
        .select_related("nonconformance__item", "supplier")
        .get(pk=request.pk)
    )


def _move(request: SupplierRequest, new: SupplierRequestState) -> None:
    old = SupplierRequestState(request.state)
    transitions.check(SUPPLIER_REQUEST_TRANSITIONS, old=old, new=new)
    request.state = new
