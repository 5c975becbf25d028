"""What is printed on the floor."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import get_language

from common import documents
from common.access import requires
from mes import selectors
from mes.models import WorkOrder
from mes.services import paper


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
