"""Requests for corrective action: the document for the supplier, and the answer."""

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_POST, require_safe

from common import documents
from common.access import AuthenticatedRequest, requires
from common.errors import told
from mes import selectors
from mes.models import SupplierRequest
from mes.problem_forms import AnswerForm
from mes.services import supplier_mail, supplier_requests


@requires("mes.view_quality")
@require_safe
def document(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """The request as a PDF, in the reader's language."""
    row = _found(number)
    with told(request):
        made = supplier_requests.document(row, language=get_language() or "en")
        return documents.answer(name=supplier_requests.file_name(row), content=made)
    return redirect("mes:nonconformance", number=row.nonconformance.number)


@requires("mes.answer_supplier_request")
@require_POST
def mail(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Send it to the supplier; a second press says when it was sent."""
    row = _found(number)
    with told(request):
        supplier_mail.send(request=row, by=request.user, now=timezone.now())
    return _back(row)


@requires("mes.answer_supplier_request")
@require_POST
def answer(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Note what the supplier answered."""
    row, form = _found(number), AnswerForm(request.POST)
    text = form.cleaned_data["text"] if form.is_valid() else ""
    with told(request):
        supplier_requests.answer(request=row, text=text, by=request.user, now=timezone.now())
    return _back(row)


@requires("mes.answer_supplier_request")
@require_POST
def accept(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """The answer does, or the supplier is asked again."""
    row = _found(number)
    is_enough = request.POST.get("action") == "accept"
    with told(request):
        supplier_requests.accept(
            request=row, is_enough=is_enough, by=request.user, now=timezone.now()
        )
    return _back(row)


def _found(number: str) -> SupplierRequest:
    row = selectors.supplier_request(number)
    if row is None:
        raise Http404
    return row


def _back(row: SupplierRequest) -> HttpResponse:
    number = row.nonconformance.number
    return HttpResponseRedirect(reverse("mes:nonconformance", kwargs={"number": number}))
