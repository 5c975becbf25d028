"""What an order costs and earns, line by line."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from common import access
from common.access import AuthenticatedRequest, requires
from crm import selectors, selectors_costs
from crm.models import SalesOrder


@requires("erp.view_cost")
@require_safe
def order_costs(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Planned, spent, in progress and expected cost of each line, and its margin.

    The order's page shows the table of it; who may see costs but no orders is refused.
    """
    access.check(request.user, "crm.view_order")
    order = selectors.order(get_object_or_404(SalesOrder, number=number).number)
    context = {"order": order, "cost": selectors_costs.order_cost(order, at=timezone.now())}
    return render(request, _template(request), context)


def _template(request: HttpRequest) -> str:
    is_panel = request.htmx  # type: ignore[attr-defined]
    return "crm/order_costs.html" + ("#table" if is_panel else "")
