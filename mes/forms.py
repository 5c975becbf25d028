"""What operators type."""

from django import forms
from django.utils.translation import gettext_lazy as _

from mes.enums import WorkOrderState


class ReportForm(forms.Form):
    """Good and scrap pieces of one report."""

    good = forms.DecimalField(
        label=_("Good"), max_digits=14, decimal_places=4, min_value=0, required=False
    )
    scrap = forms.DecimalField(
        label=_("Scrap"), max_digits=14, decimal_places=4, min_value=0, required=False
    )
    reason = forms.CharField(label=_("Reason"), max_length=200, required=False)


class WorkOrderFilter(forms.Form):
    """What the work order list is narrowed to; lives in the URL."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        widget=forms.TextInput(
            {"type": "search", "class": "form-control", "placeholder": _("Number or item")}
        ),
    )
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("All")), *WorkOrderState.choices],
        widget=forms.Select({"class": "form-select"}),
    )
