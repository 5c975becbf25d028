"""What people type about stock."""

from django import forms
from django.utils.translation import gettext_lazy as _

from common.forms import OnceForm


class StockFilter(forms.Form):
    """What the stock list is narrowed to; lives in the URL."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=60,
        widget=forms.TextInput(
            {"type": "search", "class": "form-control", "placeholder": _("Item code or name")}
        ),
    )


class AdjustForm(OnceForm):
    """A correction of the count: what was counted, and why it differs."""

    counted = forms.DecimalField(
        label=_("Counted"),
        max_digits=14,
        decimal_places=4,
        min_value=0,
        widget=forms.TextInput({"class": "form-control", "inputmode": "decimal"}),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=60,
        widget=forms.TextInput({"class": "form-control", "autocomplete": "off"}),
    )
