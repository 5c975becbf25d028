"""Every component in every state on one page, for those who build pages and for the tests."""

from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from common.access import AuthenticatedRequest, requires
from common.templatetags.ui_status import Tone


@requires("common.use")
@require_safe
def gallery(request: AuthenticatedRequest) -> HttpResponse:
    """Show the components; only where the data is invented or a developer looks."""
    if not (settings.DEMO_MODE or settings.DEBUG):
        raise Http404
    now = timezone.now()
    context = {
        "now": now,
        "tones": list(Tone),
        "steps": _steps(),
        "quantity": Decimal("5000.000"),
        "weight": Decimal("2.500"),
        "price": Decimal("1234.5"),
        "late": now - timedelta(days=3),
        "soon": now + timedelta(days=28),
        "rows": _rows(),
    }
    return render(request, "common/gallery.html", context)


def _steps() -> list[dict[str, str]]:
    return [
        {"label": _("Draft"), "state": "done"},
        {"label": _("Approved"), "state": "done", "note": "08:12"},
        {"label": _("In production"), "state": "current", "note": "62 %"},
        {"label": _("Ready to ship"), "state": "upcoming"},
        {"label": _("Delivered"), "state": "upcoming"},
    ]


def _rows() -> list[dict[str, object]]:
    today = timezone.localdate()
    rows = [
        ("SO-2041", "Nordwerk Antriebe", 5000, 28, "in_production"),
        ("SO-2040", "Hafen Pumpen", 240, 6, "at_risk"),
        ("SO-2037", "Customer A", 1200, -3, "late"),
        ("SO-2035", "Qingdao Valve", 60, 12, "on_hold"),
        ("SO-2031", "Customer B", 18, -9, "delivered"),
    ]
    return [
        {
            "number": number,
            "customer": customer,
            "quantity": Decimal(quantity),
            "date": today + timedelta(days=days),
            "state": state,
        }
        for number, customer, quantity, days, state in rows
    ]
