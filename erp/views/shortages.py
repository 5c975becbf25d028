"""What is missing, by the date it hurts and whom it hurts."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from common.access import requires
from common.permissions import allowed
from erp import selectors
from erp.views.place import site_id as chosen_site

PAGE_SIZE = 50


@requires("erp.view_stock")
@require_safe
def shortage_list(request: HttpRequest) -> HttpResponse:
    """Needs of bought items that stock does not cover; ``show=all``: late or not."""
    site_id = chosen_site()
    found = selectors.shortages(site_id=site_id, now=timezone.now()) if site_id is not None else []
    late = [row for row in found if row.is_late]
    text = request.GET.get("q", "").strip().casefold()
    shown = found if request.GET.get("show") == "all" else late
    if text:
        shown = [
            row
            for row in shown
            if any(
                text in word.casefold() for word in (row.item_code, row.item_name, row.reference)
            )
        ]
    context = {
        "page": Paginator(shown, PAGE_SIZE).get_page(request.GET.get("page")),
        "late_count": len(late),
        "all_count": len(found),
        "items": len({row.item_id for row in late}),
        "show": request.GET.get("show", ""),
        "q": request.GET.get("q", ""),
        "chinese": (get_language() or "").startswith("zh"),
        "can_receive": allowed(request.user, "erp.receive_stock"),
        "kinds": dict(selectors.MaterialKind.choices),
    }
    template = "erp/shortage_list.html" + ("#rows" if request.htmx else "")  # type: ignore[attr-defined]
    return render(request, template, context)
