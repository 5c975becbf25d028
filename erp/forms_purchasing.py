"""What people type about purchase orders and proposals."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from erp.models import PurchaseOrder, PurchaseOrderLine, SupplyRule

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
        fields = ("tolerance_days", "approval_limit", "auto_order_limit")
        labels = {
            "tolerance_days": _("Days off that are left alone"),
            "approval_limit": _("Orders above this value need another person's approval"),
            "auto_order_limit": _("Order by itself up to this value"),
        }
        help_texts = {
            "tolerance_days": _("No message for what comes a little early or late."),
            "approval_limit": _("Empty: no order does."),
            "auto_order_limit": _("Zero: nothing is ordered by itself."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.setdefault("class", "form-control")
        self.initial.setdefault("opened", self.instance.version)
        for name in ("over_delivery", "under_delivery"):
            share = getattr(self.instance, name) * 100
            self.initial.setdefault(name, f"{share.normalize():f}" if share else "0")

    def save(self, commit: bool = True) -> Any:
        """The rule with its shares as shares; the service saves it."""
        for name in ("over_delivery", "under_delivery"):
            setattr(self.instance, name, self.cleaned_data[name] / 100)
        return super().save(commit=commit)
