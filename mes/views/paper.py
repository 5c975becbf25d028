"""What is printed on the floor."""

from urllib.parse import quote, urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from common import documents
from common.access import AuthenticatedRequest, requires
from common.permissions import allowed
from common.templatetags.ui import url_if_exists
from erp import selectors as erp
from mes import selectors
from mes.models import WorkOrder
from mes.services import paper
from traceability import selectors as traceability


def _order(number: str) -> WorkOrder:
    try:
        return selectors.work_order_detail(number)
    except WorkOrder.DoesNotExist as error:
        raise Http404 from error


@requires("mes.view_work_order")
def traveller(request: HttpRequest, number: str) -> HttpResponse:
    """The sheet that goes with the pieces, in the reader's language."""
    order = _order(number)
    made = paper.traveller(order=order, language=get_language() or "en", now=timezone.now())
    return documents.answer(name=f"{order.number}.pdf", content=made)


@requires("mes.view_work_order")
def label(request: HttpRequest, number: str) -> HttpResponse:
    """One label for the box of a work order."""
    order = _order(number)
    made = paper.labels([paper.work_order_label(order)], language=get_language() or "en")
    return documents.answer(name=f"{order.number}-label.pdf", content=made)


# Application identifiers of GS1: what a label's address says the number is.
LOT, SERIAL = 10, 21
# What a label opens for whom: the right, the page, its field; the first that one may see.
OPENED = (
    ("crm.view_trace", "crm:trace", "q"),
    ("erp.view_stock", "erp:stock-find", "q"),
    ("portal.view", "portal:ticket-create", "serial"),
)
# As many as a roll holds; more are printed in parts.
MOST_LABELS = 200


@requires("mes.view_work_order")
def identity_labels(request: HttpRequest) -> HttpResponse:
    """Labels of lots and serial units, by ``?lot=`` and ``?unit=``, each as often as needed.

    ``?received=`` names a purchase or work order: all that came in under it. What is more than a
    roll holds is offered roll by roll; ``?part=2`` is the second.
    """
    lot_ids, unit_ids = _ids(request, "lot"), _ids(request, "unit")
    if received := request.GET.get("received", "")[:60]:
        lot_ids, unit_ids = erp.came_in(received)
    part = max(1, *_ids(request, "part"), 1) - 1
    wanted = [*(("lot", pk) for pk in lot_ids), *(("unit", pk) for pk in unit_ids)]
    if received and len(wanted) > MOST_LABELS and "part" not in request.GET:
        return _rolls(request, received, len(wanted))
    chosen = wanted[part * MOST_LABELS : (part + 1) * MOST_LABELS]
    lots = traceability.lots([pk for kind, pk in chosen if kind == "lot"])
    units = traceability.units([pk for kind, pk in chosen if kind == "unit"])
    rows = [
        *(paper.lot_label(lot, _opening(request, LOT, lot.number)) for lot in lots.values()),
        *(
            paper.unit_label(unit, _opening(request, SERIAL, unit.number))
            for unit in units.values()
        ),
    ]
    if not rows:
        raise Http404
    made = paper.labels(rows, language=get_language() or "en")
    return documents.answer(name="labels.pdf", content=made)


def _opening(request: HttpRequest, identifier: int, number: str) -> str:
    """The address in a label's code; in its path the number is told as in a GS1 Digital Link."""
    start = reverse("mes:label-open", args=[identifier, "-"]).removesuffix("-")
    return request.build_absolute_uri(start + quote(number, safe=""))


@requires("common.use_account")
@require_safe
def label_open(request: AuthenticatedRequest, identifier: int, number: str) -> HttpResponse:
    """What somebody's camera opens: the trace, the store's page, or for a customer a complaint."""
    if identifier not in (LOT, SERIAL):
        raise Http404
    for right, page, field in OPENED:
        url = url_if_exists(page)
        if url and allowed(request.user, right):
            return HttpResponseRedirect(f"{url}?{urlencode({field: number})}")
    raise Http404


def _rolls(request: HttpRequest, received: str, count: int) -> HttpResponse:
    """The rolls that the labels of a document make, each with its button."""
    rolls = [
        (number, first, min(first + MOST_LABELS - 1, count))
        for number, first in enumerate(range(1, count + 1, MOST_LABELS), start=1)
    ]
    context = {"received": received, "count": count, "rolls": rolls, "most": MOST_LABELS}
    return render(request, "mes/paper/rolls.html", context)


def _ids(request: HttpRequest, name: str) -> list[int]:
    values = request.GET.getlist(name)[:MOST_LABELS]
    return [int(value) for value in values if value.isdecimal() and len(value) < 18]
