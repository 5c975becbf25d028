"""Type-ahead for fields that name an item or customer."""

from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from common.access import AuthenticatedRequest, requires
from masterdata import selectors

LIMIT = 20


@requires("masterdata.view")
@require_safe
def item_search(request: AuthenticatedRequest) -> HttpResponse:
    """``?q=`` → the best matches as ``[{"value", "text"}]``; ``bought=1``: of what is bought."""
    bought_only = request.GET.get("bought") == "1"
    found = selectors.search_items(request.GET.get("q", ""), LIMIT, bought_only=bought_only)
    rows = [{"value": item.code, "text": f"{item.code} · {item.label}"} for item in found]
    return JsonResponse(rows, safe=False)


@requires("masterdata.view")
@require_safe
def customer_search(request: AuthenticatedRequest) -> HttpResponse:
    """``?q=`` → the best matches as ``[{"value", "text"}]``."""
    found = selectors.search_customers(request.GET.get("q", ""), LIMIT)
    rows = [{"value": row.code, "text": f"{row.code} · {row.label}"} for row in found]
    return JsonResponse(rows, safe=False)


@requires("masterdata.view")
@require_safe
def supplier_search(request: AuthenticatedRequest) -> HttpResponse:
    """``?q=`` → the best matches as ``[{"value", "text"}]``."""
    found = selectors.search_suppliers(request.GET.get("q", ""), LIMIT)
    rows = [{"value": row.code, "text": f"{row.code} · {row.label}"} for row in found]
    return JsonResponse(rows, safe=False)
