"""What people type about the rules of planning and purchasing."""

from typing import Any

from django import forms
from django.core.exceptions import ObjectDoesNotExist
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from erp.models import SupplyRule
from masterdata import selectors as masterdata

_TEXT = {"class": "form-control", "autocomplete": "off"}


class AutoOrderRuleForm(forms.Form):
    """Automatic ordering of an item, from a supplier, or both."""

    item = forms.CharField(
        label=_("Item"),
        max_length=60,
        required=False,
        widget=forms.TextInput({**_TEXT, "data-suggest": reverse_lazy("masterdata:item-search")}),
        help_text=_("Its code; empty: every item of the supplier."),
    )
    supplier = forms.CharField(
        label=_("Supplier"),
        max_length=40,
        required=False,
        widget=forms.TextInput(_TEXT),
        help_text=_("Its code; empty: whoever delivers the item."),
    )
    limit = forms.DecimalField(
        label=_("Order by itself up to this value"),
        max_digits=14,
        decimal_places=4,
        min_value=0,
        widget=forms.TextInput({**_TEXT, "inputmode": "decimal"}),
        help_text=_("Zero: never."),
    )
    reason = forms.CharField(label=_("Reason"), max_length=200, widget=forms.TextInput(_TEXT))

    def clean_item(self) -> int | None:
        """The id of the item; None where none is named."""
        code = self.cleaned_data["item"].strip()
        if not code:
            return None
        item = masterdata.item_by_code(code)
        if item is None:
            raise forms.ValidationError(_("No item has the code %(code)s."), params={"code": code})
        return item.pk

    def clean_supplier(self) -> int | None:
        """The id of the supplier; None where none is named."""
        code = self.cleaned_data["supplier"].strip()
        if not code:
            return None
        try:
            return masterdata.supplier_by_code(code).pk
        except ObjectDoesNotExist:
            raise forms.ValidationError(
                _("There is no supplier %(code)s."), params={"code": code}
            ) from None


class SupplyRuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """The site's rules for planning and purchasing."""

    over_delivery = forms.DecimalField(
        label=_("Over-delivery that is taken, %"), min_value=0, max_value=100, decimal_places=2
    )
    under_delivery = forms.DecimalField(
        label=_("Rest that is not waited for, %"), min_value=0, max_value=99, decimal_places=2
    )
    opened = forms.IntegerField(widget=forms.HiddenInput)

    class Meta:
        model = SupplyRule
        fields = ("plans_itself", "tolerance_days", "approval_limit", "auto_order_limit")
        labels = {
            "plans_itself": _("Plan by itself, after changes and every night"),
            "tolerance_days": _("Days off that are left alone"),
            "approval_limit": _("Orders above this value need another person's approval"),
            "auto_order_limit": _("Order by itself up to this value"),
        }
        help_texts = {
            "tolerance_days": _("No message for what comes a little early or late."),
            "approval_limit": _(
                "Empty: no order does. With a limit, a price of zero, or of less than half of "
                "the known one, always does."
            ),
            "auto_order_limit": _("Zero: nothing is ordered by itself."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            is_tick = isinstance(field.widget, forms.CheckboxInput)
            kind = "form-check-input" if is_tick else "form-control"
            field.widget.attrs.setdefault("class", kind)
        self.initial.setdefault("opened", self.instance.version)
        for name in ("over_delivery", "under_delivery"):
            share = getattr(self.instance, name) * 100
            self.initial.setdefault(name, f"{share.normalize():f}" if share else "0")

    def save(self, commit: bool = True) -> Any:
        """The rule with its shares as shares; the service saves it."""
        for name in ("over_delivery", "under_delivery"):
            setattr(self.instance, name, self.cleaned_data[name] / 100)
        return super().save(commit=commit)
