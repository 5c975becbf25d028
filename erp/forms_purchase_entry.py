"""What a buyer types into a purchase order of their own."""

from typing import Any

from django import forms
from django.forms import BaseFormSet, formset_factory
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from common.errors import refusal
from common.forms import OnceForm
from erp import policies_purchase_entry as policies
from erp.forms_purchasing import quantity_field
from erp.services.purchase_entry import CannotEnter, Entered, Fault
from masterdata import selectors as masterdata

_TEXT = {"class": "form-control", "autocomplete": "off"}
_NUMBER = {**_TEXT, "inputmode": "decimal"}
_BOUGHT = reverse_lazy("masterdata:item-search", query={"bought": 1})
SPARE_ROWS = 5


class EntryForm(OnceForm):
    """Of whom, and to which site."""

    supplier = forms.CharField(
        label=_("Supplier"),
        max_length=40,
        widget=forms.TextInput(
            {**_TEXT, "data-suggest": reverse_lazy("masterdata:supplier-search")}
        ),
        help_text=_("Its code; type a part of its name to find it."),
    )
    to_site = forms.ChoiceField(label=_("To"), widget=forms.Select({"class": "form-select"}))

    def __init__(self, *args: Any, sites: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to_site"].choices = sites  # type: ignore[attr-defined]
        if len(sites) == 1:
            self.fields["to_site"].widget = forms.HiddenInput()

    def clean_supplier(self) -> Any:
        """The supplier itself, who must be one that orders are given to."""
        code = self.cleaned_data["supplier"].strip()
        found = masterdata.supplier_as_typed(code)
        if found is None:
            raise forms.ValidationError(
                _("No supplier has the code %(code)s."), params={"code": code}
            )
        reason = refusal(policies.check_can_buy_from, found)
        if reason:
            raise forms.ValidationError(reason)
        return found


class EntryLineForm(forms.Form):
    """A line; the price is there for who may see cost."""

    item = forms.CharField(
        label=_("Item"), max_length=60, widget=forms.TextInput({**_TEXT, "data-suggest": _BOUGHT})
    )
    quantity = quantity_field(label=_("Quantity"))
    due_date = forms.DateField(
        label=_("Comes on"),
        required=False,
        widget=forms.DateInput({"type": "date", "class": "form-control"}, format="%Y-%m-%d"),
    )
    unit_price = forms.DecimalField(
        label=_("Price"),
        max_digits=14,
        decimal_places=4,
        min_value=0,
        required=False,
        widget=forms.TextInput(_NUMBER),
    )

    def __init__(self, *args: Any, sees_cost: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not sees_cost:
            del self.fields["unit_price"]

    def blame(self, fault: Fault) -> None:
        """Say beside the field what is wrong; beside the item where there is no such field."""
        self.add_error(fault.field if fault.field in self.fields else "item", fault.sentence)


class AddLineForm(EntryLineForm):
    """One more line of a draft, opened as it was in that version."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def clean_item(self) -> Any:
        """The item itself; whether it can be bought the service says."""
        code = self.cleaned_data["item"].strip()
        found = masterdata.item_by_code(code)
        if found is None:
            raise forms.ValidationError(_("No item has the code %(code)s."), params={"code": code})
        return found


class EntryLines(BaseFormSet):  # type: ignore[type-arg]  # no type at run time
    """The rows; empty ones count as not there."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("error_messages", {"too_many_forms": policies.too_many_lines()})
        super().__init__(*args, **kwargs)

    def written(self) -> list[EntryLineForm]:
        """Rows with something in them that are not to be removed."""
        return [
            row
            for row in self.forms
            if row.has_changed() and not self._should_delete_form(row)  # type: ignore[attr-defined]
        ]

    def clean(self) -> None:
        """Find the items, all at once, and say of each row what cannot be bought."""
        rows = self.written()
        if not rows:
            raise forms.ValidationError(_("Order at least one item."))
        found = masterdata.items_by_codes(row.cleaned_data.get("item", "") for row in rows)
        for row in rows:
            data = row.cleaned_data
            code = data.pop("item", "").strip()
            if not code:
                continue
            item = found.get(code.lower())
            if item is None:
                row.add_error("item", _("No item has the code %(code)s.") % {"code": code})
                continue
            data["item"] = item
            if reason := refusal(policies.check_can_buy, item):
                row.add_error("item", reason)
            if "quantity" in data and (
                reason := refusal(policies.check_quantity, item, data["quantity"])
            ):
                row.add_error("quantity", reason)

    def blame(self, refused: CannotEnter) -> None:
        """Say beside the fields what the service found wrong with ``entered``."""
        rows = self.written()
        for fault in refused.faults:
            rows[fault.number].blame(fault)

    def entered(self) -> list[Entered]:
        """What is to be ordered; of valid rows only."""
        return [
            Entered(
                item_id=row.cleaned_data["item"].pk,
                quantity=row.cleaned_data["quantity"],
                due_date=row.cleaned_data["due_date"],
                unit_price=row.cleaned_data.get("unit_price"),
            )
            for row in self.written()
        ]


EntryLineSet: Any = formset_factory(
    EntryLineForm,
    formset=EntryLines,
    extra=SPARE_ROWS,
    can_delete=True,
    max_num=policies.MOST_LINES,
    absolute_max=policies.MOST_LINES,
)
