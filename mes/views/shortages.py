"""What is missing, by the date it hurts, and the orders and customers that it hurts."""

from dataclasses import dataclass

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from common.access import requires
from common.permissions import allowed
from common.place import place_of
from erp import selectors as erp
from masterdata import selectors as masterdata
from mes import selectors
from mes.selectors import Hurt

PAGE_SIZE = 50
# Requirements that a question may name: those of one page.
MOST_ASKED = 200


@dataclass(frozen=True, slots=True)
class Row:
    """A shortage and whom it hurts."""

    short: erp.Shortage
    hurt: Hurt

    def holds(self, text: str, *, sees_customer: bool) -> bool:
        """Whether the item, who needs it, an order or a customer is called like this."""
        words = [self.short.item_code, self.short.item_name, self.short.reference]
        words += [line.reference for line in self.hurt.lines]
        if sees_customer:
            words += [line.customer for line in self.hurt.lines]
        return any(text in word.casefold() for word in words)


@requires("erp.view_stock")
@require_safe
def shortage_list(request: HttpRequest) -> HttpResponse:
    """Needs of bought items that stock does not cover; ``show=all``: late or not."""
    place = place_of(request, masterdata.sites())
    site = place.site
    found = erp.shortages(site_id=site.pk, now=timezone.now()) if site else []
    late = [row for row in found if row.is_late]
    text = request.GET.get("q", "").strip().casefold()
    sees_customer = allowed(request.user, "crm.view_order")
    shown = found if request.GET.get("show") == "all" else late
    if text:
        whole = [row for row in _rows(shown) if row.holds(text, sees_customer=sees_customer)]
        shown = [row.short for row in whole]
    page = Paginator(shown, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "place": place,
        "site_code": site.code if site else "",
        # Only who is shown is asked for.
        "rows": _rows(list(page.object_list)),
        "late_count": len(late),
        "all_count": len(found),
        "show": request.GET.get("show", ""),
        "q": request.GET.get("q", ""),
        "chinese": (get_language() or "").startswith("zh"),
        "can_receive": allowed(request.user, "erp.receive_stock"),
        "sees_orders": sees_customer,
        "sees_purchases": allowed(request.user, "erp.view_purchasing"),
    }
    template = "mes/shortage_list.html" + ("#rows" if request.htmx else "")  # type: ignore[attr-defined]
    return render(request, template, context)


@requires("crm.view_order")
@require_safe
def served(request: HttpRequest) -> HttpResponse:
    """A panel for other pages: the order lines that requirements (``r``) serve in the end."""
    asked = [int(pk) for pk in request.GET.getlist("r") if pk.isascii() and pk.isdigit()]
    asked = [pk for pk in asked if pk < 2**63][:MOST_ASKED]
    hurts = selectors.order_lines_above(asked)
    lines = {line.requirement_id: line for hurt in hurts.values() for line in hurt.lines}
    ordered = sorted(lines.values(), key=lambda line: (line.due_at, line.reference))
    return render(request, "mes/_served.html", {"lines": ordered})


def _rows(found: list[erp.Shortage]) -> list[Row]:
    hurts = selectors.order_lines_above([row.requirement_id for row in found])
    return [Row(row, hurts[row.requirement_id]) for row in found]
