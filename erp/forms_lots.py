"""What is said when a lot is split or lots are put together."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.forms import OnceForm
from erp.models import StockQuant
from erp.policies import plain
from traceability.selectors import LONGEST_CODE

_TEXT = {"class": "form-control", "autocomplete": "off", "autocapitalize": "characters"}


class RelabelForm(OnceForm):
    """A new number for goods that stay where they lie."""

    number = forms.CharField(
        label=_("Number of the new lot"),
        max_length=LONGEST_CODE,
        required=False,
        widget=forms.TextInput(_TEXT),
        help_text=_("Empty: the next number is given."),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=60,
        required=False,
        widget=forms.TextInput({"class": "form-control"}),
    )


class SplitForm(RelabelForm):
    """So much of what lies in a bin."""

    bin = forms.TypedChoiceField(
        label=_("Bin"), coerce=int, widget=forms.Select({"class": "form-select"})
    )
    quantity = forms.DecimalField(
        label=_("Quantity that is split off"),
        max_digits=14,
        decimal_places=4,
        widget=forms.TextInput({"class": "form-control", "inputmode": "decimal"}),
    )
    field_order = ("bin", "quantity", "number", "reason")

    def __init__(self, *args: Any, places: Sequence[StockQuant], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["bin"]
        field.choices = [(row.bin_id, f"{row.bin.label}: {_lies(row)}") for row in places]


class MergeForm(RelabelForm):
    """The others that lie in the same bin."""

    others = forms.TypedMultipleChoiceField(
        label=_("Lots to put together with it"),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least two lots to put together.")},
    )
    field_order = ("others", "number", "reason")

    def __init__(self, *args: Any, others: Sequence[StockQuant], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["others"]
        field.choices = [(row.lot_id, f"{row.lot}: {_lies(row)}") for row in others]


def _lies(row: StockQuant) -> str:
    return f"{plain(row.quantity)} {row.item.uom}"
