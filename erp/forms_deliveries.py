"""What people type or scan where goods of a purchase order come or go back."""

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from erp import selectors
from erp.forms_purchasing import quantity_field
from erp.forms_store import StoreForm
from erp.forms_transfers import numbers_field, numbers_of
from erp.models import PurchaseOrderLine
from masterdata.enums import Tracking
from traceability.selectors import LONGEST_CODE

_TEXT = {"class": "form-control", "autocomplete": "off"}


class _LineForm(StoreForm):
    """A form about one line of a purchase order: asks for what the item's policy wants."""

    def __init__(self, *args: Any, line: PurchaseOrderLine, **kwargs: Any) -> None:
        super().__init__(*args, site_id=line.order.site_id, **kwargs)
        self.line = line

    @property
    def by_lots(self) -> bool:
        return bool(self.line.item.tracking == Tracking.LOT)

    @property
    def by_serials(self) -> bool:
        return bool(self.line.item.tracking == Tracking.SERIAL)

    def clean_bin(self) -> Any:
        return self.place_of("bin")

    def clean_serials(self) -> list[str]:
        return numbers_of(self.cleaned_data["serials"])

    def _check_count(self, data: dict[str, Any]) -> None:
        """As many serial numbers as pieces; without a quantity it is their number."""
        serials = data.get("serials")
        if not serials or "quantity" in self.errors:
            return
        if data.get("quantity") is None:
            data["quantity"] = Decimal(len(serials))
        elif data["quantity"] != len(serials):
            self.add_error(
                "serials",
                _now("%(count)s serial numbers are given for %(quantity)s pieces.")
                % {"count": len(serials), "quantity": f"{data['quantity'].normalize():f}"},
            )


class ReceiveLineForm(_LineForm):
    """What came of a line, with lot, expiry and serial numbers as the item's policy asks."""

    quantity = quantity_field(label=_("Good"), required=False)
    rejected = quantity_field(label=_("Refused at the dock"), required=False)
    reference = forms.CharField(
        label=_("Delivery note"), max_length=60, required=False, widget=forms.TextInput(_TEXT)
    )
    bin = forms.CharField(
        label=_("Bin"),
        max_length=90,
        required=False,
        widget=forms.TextInput({**_TEXT, "list": "bins"}),
        help_text=_("Where it is put away. Empty: the storage of the site."),
    )
    lot_number = forms.CharField(
        label=_("Lot number"),
        max_length=LONGEST_CODE,
        required=False,
        widget=forms.TextInput(_TEXT),
        help_text=_("Empty: the next number is given."),
    )
    serials = numbers_field(
        help_text=_("Scan or paste them, one a line. Empty: the next numbers are given.")
    )
    supplier_lot = forms.CharField(
        label=_("Supplier's lot"),
        max_length=LONGEST_CODE,
        required=False,
        widget=forms.TextInput(_TEXT),
    )
    expires_on = forms.DateField(
        label=_("Expires on"),
        required=False,
        widget=forms.DateInput({"type": "date", "class": "form-control"}, format="%Y-%m-%d"),
    )
    certificate = forms.CharField(
        label=_("Material certificate"),
        max_length=60,
        required=False,
        widget=forms.TextInput(_TEXT),
        help_text=_("Its kind and number, as 3.1 Z-4711."),
    )

    LABELS = ("lot_number", "serials", "supplier_lot", "expires_on", "certificate")

    def __init__(self, *args: Any, line: PurchaseOrderLine, **kwargs: Any) -> None:
        super().__init__(*args, line=line, **kwargs)
        item = line.item
        if not self.by_lots:
            del self.fields["lot_number"]
        if not self.by_serials:
            del self.fields["serials"]
        if item.tracking == Tracking.NONE:
            for name in ("supplier_lot", "expires_on", "certificate"):
                del self.fields[name]
            return
        # Required of what is good; what is refused carries no label of ours.
        self.asked = {
            "supplier_lot": item.supplier_lot_required,
            "expires_on": item.expiry_required,
        }
        for name, is_asked in self.asked.items():
            self.fields[name].required = is_asked
        if item.shelf_life_days is not None and not item.expiry_required:
            self.fields["expires_on"].help_text = _("Empty: it keeps %(days)s days from today.") % {
                "days": item.shelf_life_days
            }

    def full_clean(self) -> None:
        """What was refused is not asked for lot and expiry."""
        if self.is_bound and not str(self.data.get("quantity", "")).strip():
            is_good = str(self.data.get("serials", "")).strip() != ""
            for name in () if is_good else ("supplier_lot", "expires_on"):
                if name in self.fields:
                    self.fields[name].required = False
        super().full_clean()

    def clean_expires_on(self) -> date | None:
        day: date | None = self.cleaned_data["expires_on"]
        if day is not None and not 2000 <= day.year <= 2200:
            raise forms.ValidationError(_("Check the year."))
        return day

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        self._check_count(data)
        return data


class BringBackForm(StoreForm):
    """What comes back from a work order: so much of a lot, or serial numbers."""

    quantity = quantity_field(label=_("Quantity"), required=False)
    serials = numbers_field()
    lot = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    bin = forms.CharField(
        label=_("Bin"),
        max_length=90,
        required=False,
        widget=forms.TextInput({**_TEXT, "list": "bins"}),
    )
    still_needed = forms.BooleanField(label=_("The work order needs another one"), required=False)

    def clean_bin(self) -> Any:
        return self.place_of("bin")

    def clean_serials(self) -> list[str]:
        return numbers_of(self.cleaned_data["serials"])


class ReturnLineForm(_LineForm):
    """What goes back to the supplier: of tracked goods the lot or the serial numbers."""

    quantity = quantity_field(label=_("Quantity"), required=False)
    lot = forms.ChoiceField(label=_("Lot"), widget=forms.Select({"class": "form-select"}))
    serials = numbers_field(help_text=_("Scan or paste them, one a line."))
    bin = forms.CharField(
        label=_("From bin"),
        max_length=90,
        required=False,
        widget=forms.TextInput({**_TEXT, "list": "bins"}),
        help_text=_("Empty: out of quarantine first."),
    )
    reason = forms.CharField(label=_("Reason"), max_length=60, widget=forms.TextInput(_TEXT))
    replace = forms.BooleanField(
        label=_("The supplier sends new ones"),
        required=False,
        widget=forms.CheckboxInput({"class": "form-check-input"}),
    )

    def __init__(self, *args: Any, line: PurchaseOrderLine, **kwargs: Any) -> None:
        super().__init__(*args, line=line, **kwargs)
        if self.by_lots:
            self.fields["lot"].choices = selectors.lots_to_return(line)  # type: ignore[attr-defined]
        else:
            del self.fields["lot"]
        if self.by_serials:
            self.fields["serials"].required = True
        else:
            del self.fields["serials"]
            self.fields["quantity"].required = True

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        self._check_count(data)
        return data
