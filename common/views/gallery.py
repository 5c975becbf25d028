"""Every component in every state on one page, for those who build pages and for the tests."""

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import django_tables2 as tables
from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from common.access import AuthenticatedRequest, requires
from common.tables import DateColumn, QuantityColumn, StatusColumn, Table
from common.templatetags.ui_status import Tone


class SampleForm(forms.Form):
    customer = forms.CharField(label=gettext_lazy("Customer"))
    quantity = forms.IntegerField(
        label=gettext_lazy("Quantity"), help_text=gettext_lazy("Whole pieces."), min_value=1
    )
    priority = forms.ChoiceField(
        label=gettext_lazy("Priority"),
        choices=[("n", gettext_lazy("Normal")), ("r", gettext_lazy("Rush"))],
        widget=forms.RadioSelect,
    )
    partial = forms.BooleanField(label=gettext_lazy("Ship in parts"), required=False)
    note = forms.CharField(label=gettext_lazy("Note"), required=False, widget=forms.Textarea)


class SampleFilter(forms.Form):
    word = forms.CharField(label=gettext_lazy("Order or customer"), required=False)
    state = forms.ChoiceField(
        label=gettext_lazy("Status"),
        required=False,
        choices=[("", gettext_lazy("Any")), ("late", gettext_lazy("Late"))],
    )


class SampleTable(Table):
    caption = gettext_lazy("Orders")
    row_state = "state"

    number = tables.Column(verbose_name=gettext_lazy("Order"))
    quantity = QuantityColumn(verbose_name=gettext_lazy("Quantity"))
    date = DateColumn(verbose_name=gettext_lazy("Projected"), relative=True)
    state = StatusColumn(verbose_name=gettext_lazy("Status"))


@requires("common.use")
@require_safe
def gallery(request: AuthenticatedRequest) -> HttpResponse:
    """Show the components; only where the data is invented or a developer looks."""
    return render(request, "common/gallery.html", _context())


@requires("common.use")
@require_safe
def gallery_portal(request: AuthenticatedRequest) -> HttpResponse:
    """Show the customer's frame with an order under way."""
    return render(request, "common/gallery_portal.html", _context())


def _context() -> dict[str, object]:
    if not (settings.DEMO_MODE or settings.DEBUG):
        raise Http404
    now = timezone.now()
    return {
        "now": now,
        "tones": list(Tone),
        "steps": _steps(),
        "quantity": Decimal("5000.000"),
        "weight": Decimal("2.500"),
        "price": Decimal("1234.5"),
        "late": now - timedelta(days=3),
        "soon": now + timedelta(days=28),
        "rows": _rows(),
        "filter": SimpleNamespace(form=SampleFilter()),
        "form": SampleForm({"customer": "Customer A", "quantity": "0", "priority": "n"}),
        "page": Paginator(range(120), 50).get_page(2),
        "table": SampleTable(_rows(), order_by="date"),
        "empty_table": SampleTable([], empty_text=_("Enter the first order.")),
    }


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
