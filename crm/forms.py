"""Order entry: the head, and lines as they are typed."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import BadRequest
from django.forms.utils import ErrorDict
from django.utils.translation import gettext_lazy as _

from common.errors import refusal
from common.forms import OnceForm
from crm import policies
from crm.enums import OrderState, RushState
from crm.forms_site import AtSiteForm
from crm.services.orders import NewLine
from masterdata import selectors as masterdata

MOST_LINES = 500
_COMPACT = {"class": "form-control form-control-sm", "autocomplete": "off"}


def whole_numbers(texts: Iterable[str]) -> list[int]:
    """Those of the texts that are short whole numbers; whatever else a request holds is dropped."""
    return [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 10]


class OrderForm(AtSiteForm, OnceForm):
    """Site, customer and references; the customer is named by code."""

    customer = forms.CharField(
        label=_("Customer"),
        widget=forms.TextInput(
            {"class": "form-control", "autocomplete": "off", "data-lookup": "customer"}
        ),
    )
    customer_reference = forms.CharField(
        label=_("Customer's reference"),
        max_length=80,
        required=False,
        widget=forms.TextInput({"class": "form-control", "autocomplete": "off"}),
    )
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=2000,
        widget=forms.Textarea({"class": "form-control", "rows": 2}),
    )

    def clean_customer(self) -> Any:
        code = self.cleaned_data["customer"].strip()
        customer = masterdata.customer_by_code(code)
        if customer is None or not customer.is_active:
            raise forms.ValidationError(
                _("There is no customer “%(code)s”."), params={"code": code}
            )
        return customer


class LineForm(forms.Form):
    """One line; a row left wholly empty is no line."""

    item = forms.CharField(
        label=_("Item"), widget=forms.TextInput({**_COMPACT, "data-lookup": "item"})
    )
    quantity = forms.DecimalField(
        label=_("Quantity"),
        max_digits=14,
        decimal_places=4,
        widget=forms.TextInput({**_COMPACT, "inputmode": "decimal"}),
    )
    unit_price = forms.DecimalField(
        label=_("Unit price"),
        max_digits=14,
        decimal_places=4,
        min_value=0,
        required=False,
        widget=forms.TextInput({**_COMPACT, "inputmode": "decimal"}),
    )
    requested_date = forms.DateField(
        label=_("Requested"), widget=forms.DateInput({**_COMPACT, "type": "date"}, "%Y-%m-%d")
    )
    rush = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def is_blank(self) -> bool:
        """Whether nothing is typed in the row, or all of it was taken out."""
        names = ("item", "quantity", "unit_price", "requested_date")
        return self.is_bound and not any(
            str(self.data.get(self.add_prefix(name)) or "").strip() for name in names
        )

    def full_clean(self) -> None:
        if self.is_blank():
            self._errors = ErrorDict()
            self.cleaned_data: dict[str, Any] = {}
        else:
            super().full_clean()

    def clean_item(self) -> Any:
        code = self.cleaned_data["item"].strip()
        item = masterdata.item_by_code(code)
        if item is None or not item.is_active:
            raise forms.ValidationError(_("There is no item “%(code)s”."), params={"code": code})
        return item

    def clean_quantity(self) -> Any:
        quantity = self.cleaned_data["quantity"]
        if quantity <= 0:
            raise forms.ValidationError(_("The quantity must be more than zero."))
        return quantity

    def clean_requested_date(self) -> Any:
        day = self.cleaned_data["requested_date"]
        if said := refusal(policies.check_requested_date, day):
            raise forms.ValidationError(said)
        return day

    def new_line(self) -> NewLine:
        """What orders.create takes; call it on a valid, filled row only."""
        data = self.cleaned_data
        return NewLine(
            item_id=data["item"].pk,
            quantity=data["quantity"],
            requested_date=data["requested_date"],
            unit_price=data["unit_price"],
        )


class BaseLineFormSet(forms.BaseFormSet):  # type: ignore[type-arg]
    """Rows that were filled, in order; what was emptied is removed."""

    def initial_form_count(self) -> int:
        """How many rows there were, whatever the request says: those are looked at as they are."""
        return max(super().initial_form_count(), len(self.initial or ()))

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        """Rows offered beyond those there were may stay empty, the first ones too."""
        kwargs: dict[str, Any] = super().get_form_kwargs(index)
        if index is not None and index >= self.initial_form_count():
            kwargs["empty_permitted"] = True
        return kwargs

    def filled(self) -> list[LineForm]:
        return [form for form in self.forms if not form.is_blank()]

    def clean(self) -> None:
        if not any(self.errors) and not self.filled():
            raise forms.ValidationError(_("Add at least one line."))


LineFormSet = forms.formset_factory(
    LineForm,
    formset=BaseLineFormSet,
    extra=0,
    min_num=3,
    max_num=MOST_LINES,
    absolute_max=MOST_LINES,
)


def check_size(data: Mapping[str, Any]) -> None:
    """Raise BadRequest for more rows than a form can have, before any of them is looked at."""
    said = str(data.get("line-TOTAL_FORMS", "0"))
    if said.isascii() and said.isdigit() and (len(said) > 9 or int(said) > MOST_LINES):
        raise BadRequest("Too many lines.")


class ReasonForm(forms.Form):
    """Why something is held, sent back, cancelled or changed."""

    reason = forms.CharField(max_length=300, required=False, strip=True)


class QuantityForm(ReasonForm):
    """Another quantity for a line of an approved order."""

    position = forms.IntegerField(min_value=1)
    quantity = forms.DecimalField(max_digits=14, decimal_places=4, min_value=0)


class ShipForm(OnceForm):
    """Who carries it; the quantities are fields of their own, one for each line."""

    carrier = forms.CharField(max_length=80, required=False)
    tracking_code = forms.CharField(max_length=80, required=False)


class RushForm(OnceForm):
    """The day a line is wanted for, and why."""

    wanted_date = forms.DateField(
        label=_("Wanted on"),
        widget=forms.DateInput({"class": "form-control", "type": "date"}, "%Y-%m-%d"),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        widget=forms.Textarea({"class": "form-control", "rows": 3}),
    )


class RushFilter(forms.Form):
    """The state that rush requests are narrowed to; lives in the URL."""

    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("To decide")), ("all", _("All"))] + list(RushState.choices),
        widget=forms.Select({"class": "form-select"}),
    )


class OrderFilter(forms.Form):
    """What the order list is narrowed to; lives in the URL."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        widget=forms.TextInput(
            {"type": "search", "class": "form-control", "placeholder": _("Number or customer")}
        ),
    )
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("All")), ("late", _("Late")), ("failed", _("Not converted"))]
        + list(OrderState.choices),
        widget=forms.Select({"class": "form-select"}),
    )
