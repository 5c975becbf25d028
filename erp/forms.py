"""What people type about stock."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.forms import OnceForm
from masterdata import selectors as masterdata


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


class ReceiveForm(OnceForm):
    """Goods that came in."""

    item = forms.CharField(
        label=_("Item"),
        max_length=60,
        widget=forms.TextInput(
            {"class": "form-control", "autocomplete": "off", "list": "receive-items"}
        ),
        help_text=_("Code of the item; scan it or type it."),
    )
    quantity = forms.DecimalField(
        label=_("Quantity"),
        max_digits=14,
        decimal_places=4,
        widget=forms.TextInput({"class": "form-control", "inputmode": "decimal"}),
    )
    reference = forms.CharField(
        label=_("Reference"),
        max_length=60,
        widget=forms.TextInput({"class": "form-control", "autocomplete": "off"}),
        help_text=_("Delivery note or purchase order."),
    )

    def clean_item(self) -> Any:
        code = self.cleaned_data["item"].strip()
        item = masterdata.item_by_code(code)
        if item is None or not item.is_active:
            raise forms.ValidationError(_("There is no item “%(code)s”."), params={"code": code})
        return item

    def clean_quantity(self) -> Any:
        quantity = self.cleaned_data["quantity"]
        if quantity <= 0:
            raise forms.ValidationError(_("Enter a quantity above zero."))
        return quantity


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
