"""The customer's pages: plain HTML that needs no script."""

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from common.access import AuthenticatedRequest, requires
from portal import selectors

PAGE_SIZE = 50


def _customer_id(request: AuthenticatedRequest) -> int:
    try:
        return selectors.customer_id_of(request.user)
    except selectors.NoCustomer as error:
        raise Http404 from error


@requires("portal.view")
@require_safe
def order_list(request: AuthenticatedRequest) -> HttpResponse:
    """My orders, each with its headline."""
    found = selectors.orders(customer_id=_customer_id(request))
    pages: Paginator[selectors.Order] = Paginator(found, PAGE_SIZE)  # type: ignore[arg-type]
    page = pages.get_page(request.GET.get("page"))
    context = {
        "page": page,
        "orders": page.object_list,
        # News are on the first page only.
        "notices": selectors.news(customer_id=_customer_id(request)) if page.number == 1 else [],
    }
    return render(request, "portal/order_list.html", context)


@requires("portal.view")
@require_safe
def notice_list(request: AuthenticatedRequest) -> HttpResponse:
    """What I was told of other delivery days, newest first."""
    found = selectors.notices(customer_id=_customer_id(request))
    pages: Paginator[selectors.Notice] = Paginator(found, PAGE_SIZE)  # type: ignore[arg-type]
    page = pages.get_page(request.GET.get("page"))
    return render(request, "portal/notice_list.html", {"page": page, "notices": page.object_list})


@requires("portal.view")
@require_safe
def order_detail(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Where one of my orders is; another customer's is a 404."""
    found = selectors.order(customer_id=_customer_id(request), number=number)
    if found is None:
        raise Http404
    return render(request, "portal/order_detail.html", {"order": found})
