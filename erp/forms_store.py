"""What people scan or type in the store: things, places and quantities."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.forms import OnceForm
from erp import selectors
from erp.enums import BinKind
from erp.selectors import Scanned
from masterdata import selectors as masterdata
from traceability.selectors import LONGEST_CODE

_TEXT = {"class": "form-control", "autocomplete": "off", "autocapitalize": "characters"}


def _text(**attrs: str) -> forms.TextInput:
    return forms.TextInput({**_TEXT, **attrs})


def _number() -> forms.TextInput:
    return forms.TextInput({"class": "form-control", "inputmode": "decimal"})


class StoreForm(OnceForm):
    """A form that knows at which site its codes are read."""

    def __init__(self, *args: Any, site_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.site_id = site_id

    def place_of(self, name: str) -> Any:
        """The bin that a code names: "A-01", or "MAIN/A-01" where two have it."""
        text = self.cleaned_data[name].strip()
        if not text:
            return None
        found = selectors.bins_named(text, site_id=self.site_id)
        if not found:
            raise forms.ValidationError(_("There is no bin “%(code)s”."), params={"code": text})
        if len(found) > 1:
            raise forms.ValidationError(
                _("Several bins have this code: %(bins)s."),
                params={"bins": ", ".join(place.label for place in found)},
            )
        return found[0]

    def thing_of(self, name: str) -> Scanned:
        """What a scanned number names: a serial unit, a lot, or an item."""
        text = self.cleaned_data[name].strip()
        found = [row for row in selectors.scanned(text=text, site_id=self.site_id) if row.item]
        if not found:
            raise forms.ValidationError(
                _("Nothing here has the number “%(code)s”."), params={"code": text}
            )
        if len(found) > 1:
            raise forms.ValidationError(
                _("Several items have this number: %(items)s. Scan the label of the piece."),
                params={"items": ", ".join(row.item.code for row in found if row.item)},
            )
        return found[0]


class ReceiveForm(StoreForm):
    """Goods that came in, with what the item's policy asks for."""

    item = forms.CharField(
        label=_("Item"),
        max_length=60,
        widget=_text(list="receive-items", autofocus="autofocus"),
        help_text=_("Code of the item; scan it or type it."),
    )
    quantity = forms.DecimalField(
        label=_("Quantity"), max_digits=14, decimal_places=4, widget=_number()
    )
    reference = forms.CharField(
        label=_("Reference"),
        max_length=60,
        widget=_text(),
        help_text=_("Delivery note or purchase order."),
    )
    lot = forms.CharField(
        label=_("Lot number"),
        max_length=LONGEST_CODE,
        required=False,
        widget=_text(),
        help_text=_("Empty: the next number is given."),
    )
    supplier = forms.CharField(
        label=_("Supplier"), max_length=60, required=False, widget=_text(list="suppliers")
    )
    supplier_lot = forms.CharField(
        label=_("Supplier's lot"), max_length=LONGEST_CODE, required=False, widget=_text()
    )
    expires_on = forms.DateField(
        label=_("Expires on"),
        required=False,
        widget=forms.DateInput({"type": "date", "class": "form-control"}, format="%Y-%m-%d"),
    )
    serials = forms.CharField(
        label=_("Serial numbers"),
        required=False,
        max_length=800_000,
        widget=forms.Textarea({"class": "form-control", "rows": 3, "autocomplete": "off"}),
        help_text=_("One a line. Empty: the next numbers are given."),
    )
    bin = forms.CharField(
        label=_("Bin"),
        max_length=90,
        required=False,
        widget=_text(list="bins"),
        help_text=_("Where it is put away. Empty: the storage of the site."),
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

    def clean_supplier(self) -> Any:
        code = self.cleaned_data["supplier"].strip()
        if not code:
            return None
        found = masterdata.supplier_ids().get(code)
        if found is None:
            raise forms.ValidationError(
                _("There is no supplier “%(code)s”."), params={"code": code}
            )
        return found

    def clean_serials(self) -> list[str]:
        lines = self.cleaned_data["serials"].replace(",", "\n").splitlines()
        return [line.strip() for line in lines if line.strip()]

    def clean_expires_on(self) -> date | None:
        day: date | None = self.cleaned_data["expires_on"]
        if day is not None and not 2000 <= day.year <= 2200:
            raise forms.ValidationError(_("Check the year."))
        return day

    def clean_bin(self) -> Any:
        return self.place_of("bin")


class MoveForm(StoreForm):
    """Something goes from one bin to another."""

    what = forms.CharField(
        label=_("Lot, serial number or item"),
        max_length=LONGEST_CODE,
        widget=_text(autofocus="autofocus"),
        help_text=_("Scan the label."),
    )
    source = forms.CharField(
        label=_("From bin"),
        max_length=90,
        required=False,
        widget=_text(list="bins"),
        help_text=_("Not needed where it lies in one place only."),
    )
    quantity = forms.DecimalField(
        label=_("Quantity"),
        max_digits=14,
        decimal_places=4,
        required=False,
        widget=_number(),
        help_text=_("Empty: all of it."),
    )
    target = forms.CharField(label=_("To bin"), max_length=90, widget=_text(list="bins"))
    reason = forms.CharField(label=_("Reason"), max_length=60, required=False, widget=_text())

    def clean_what(self) -> Any:
        return self.thing_of("what")

    def clean_source(self) -> Any:
        return self.place_of("source")

    def clean_target(self) -> Any:
        return self.place_of("target")

    def clean_quantity(self) -> Any:
        quantity = self.cleaned_data["quantity"]
        if quantity is not None and quantity <= 0:
            raise forms.ValidationError(_("Enter a quantity above zero."))
        return quantity


class StageForm(StoreForm):
    """A line of a pick list is made ready."""

    quantity = forms.DecimalField(
        label=_("Quantity"), max_digits=14, decimal_places=4, widget=_number()
    )
    scan = forms.CharField(
        label=_("Lot or serial number"), max_length=LONGEST_CODE, required=False, widget=_text()
    )

    def clean_scan(self) -> Any:
        return self.thing_of("scan") if self.cleaned_data["scan"].strip() else None


class CountForm(StoreForm):
    """What lies in a bin."""

    bin = forms.CharField(
        label=_("Bin"), max_length=90, widget=_text(list="bins", autofocus="autofocus")
    )
    what = forms.CharField(
        label=_("Lot, serial number or item"),
        max_length=LONGEST_CODE,
        widget=_text(),
        help_text=_("Scan the label."),
    )
    counted = forms.DecimalField(
        label=_("Counted"), max_digits=14, decimal_places=4, min_value=0, widget=_number()
    )

    def clean_bin(self) -> Any:
        return self.place_of("bin")

    def clean_what(self) -> Any:
        return self.thing_of("what")


class CountStartForm(OnceForm):
    """What a count is about."""

    title = forms.CharField(
        label=_("What is counted"), max_length=80, required=False, widget=_text()
    )


class BinForm(OnceForm):
    """A bin of a warehouse."""

    code = forms.CharField(label=_("Code"), max_length=40, widget=_text())
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=BinKind.choices,
        widget=forms.Select({"class": "form-select"}),
    )


class WarehouseForm(OnceForm):
    """A warehouse of the site."""

    code = forms.CharField(label=_("Code"), max_length=40, widget=_text())
    name = forms.CharField(label=_("Name"), max_length=200, widget=_text())
    name_zh = forms.CharField(
        label=_("Chinese name"), max_length=200, required=False, widget=_text()
    )


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = forms.CharField(max_length=200, required=False)
