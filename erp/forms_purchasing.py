"""What people type about purchase orders and proposals."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from erp.models import PurchaseOrder, PurchaseOrderLine

_DAY = {"type": "date", "class": "form-control"}
_NUMBER = {"class": "form-control", "inputmode": "decimal", "autocomplete": "off"}


def quantity_field(**kwargs: Any) -> forms.DecimalField:
    """A quantity above zero, or zero where ``min_value`` says so."""
    kwargs.setdefault("min_value", 0)
    return forms.DecimalField(
        max_digits=14, decimal_places=4, widget=forms.TextInput(_NUMBER), **kwargs
    )


class PromiseForm(forms.Form):
    """What the supplier promises: a quantity and a day per open line."""

    supplier_reference = forms.CharField(
        label=_("Supplier's number"),
        max_length=60,
        required=False,
        widget=forms.TextInput({"class": "form-control", "autocomplete": "off"}),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, order: PurchaseOrder, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {}).update(
            supplier_reference=order.supplier_reference, version=order.version
        )
        super().__init__(*args, **kwargs)
        self.lines = [line for line in order.lines.all() if line.open_quantity > 0]
        for line in self.lines:
            self.fields[f"quantity_{line.pk}"] = quantity_field(
                label=_("Quantity"), initial=f"{line.quantity.normalize():f}"
            )
            self.fields[f"due_{line.pk}"] = forms.DateField(
                label=_("Comes on"),
                initial=line.due_date,
                widget=forms.DateInput(_DAY, format="%Y-%m-%d"),
            )

    def rows(self) -> list[tuple[PurchaseOrderLine, forms.BoundField, forms.BoundField]]:
        """Each open line with its two fields."""
        return [(line, self[f"quantity_{line.pk}"], self[f"due_{line.pk}"]) for line in self.lines]


class LineForm(forms.Form):
    """A line of a draft."""

    quantity = quantity_field(label=_("Quantity"))
    due_date = forms.DateField(label=_("Comes on"), widget=forms.DateInput(_DAY, format="%Y-%m-%d"))
    unit_price = forms.DecimalField(
        label=_("Price"),
        max_digits=14,
        decimal_places=4,
        min_value=0,
        required=False,
        widget=forms.TextInput(_NUMBER),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


class OverrideForm(forms.Form):
    """A person's figures beside the system's; empty: the system's stand."""

    quantity = quantity_field(label=_("Quantity"), required=False)
    due_date = forms.DateField(
        label=_("Needed on"),
        required=False,
        widget=forms.DateInput(_DAY, format="%Y-%m-%d"),
    )
    supplier = forms.ChoiceField(
        label=_("Supplier"), required=False, widget=forms.Select({"class": "form-select"})
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        required=False,
        widget=forms.TextInput({"class": "form-control", "autocomplete": "off"}),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, suppliers: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["supplier"].choices = [("", "—"), *suppliers]  # type: ignore[attr-defined]
