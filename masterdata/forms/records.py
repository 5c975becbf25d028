"""Forms of one record."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from common.errors import refusal
from masterdata import policies
from masterdata.enums import LotPolicy
from masterdata.forms.fields import (
    CleanCode,
    CurrencyField,
    DayField,
    ItemCodeField,
    ZoneField,
    limit_days,
)
from masterdata.models import (
    Customer,
    Item,
    Site,
    Skill,
    Supplier,
    SupplierPrice,
    Tool,
    WorkCenter,
    WorkUnit,
)


class VersionedForm(CleanCode, forms.ModelForm):  # type: ignore[type-arg]  # django-stubs: generic only there
    """Carries the version it was opened with; new records have none."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        limit_days(self)
        for field in self.fields.values():
            if isinstance(field, forms.ModelChoiceField):
                # As Django documents it for a field of a model form.
                setattr(field, "label_from_instance", _code_and_name)  # noqa: B010
        if self.instance.pk:
            self.initial["version"] = self.instance.version

    def refuse(self, name: str, reason: str) -> None:
        """Show the field as it is, with the reason why it cannot be changed."""
        if reason:
            self.fields[name].disabled = True
            self.fields[name].help_text = reason


class ItemForm(VersionedForm):
    class Meta:
        model = Item
        fields = (
            "code",
            "name",
            "name_zh",
            "supply",
            "uom",
            "category",
            "is_sold",
            "lead_time_days",
            "scrap_rate",
            "lot_policy",
            "lot_size",
            "lot_period_days",
            "safety_stock",
            "tracking",
            "supplier_lot_required",
            "expiry_required",
            "shelf_life_days",
            "warranty_months",
            "may_be_negative",
            "issue_method",
            "energy_kwh_per_unit",
            "standard_cost",
            "list_price",
            "is_active",
        )

    def clean(self) -> dict[str, Any]:
        """Say at the field what the database would refuse."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("lot_policy") == LotPolicy.FIXED and not data.get("lot_size"):
            self.add_error("lot_size", _("A fixed lot needs its size."))
        if data.get("lot_policy") == LotPolicy.PERIOD and not data.get("lot_period_days"):
            self.add_error("lot_period_days", _("Lots by period need the days of a period."))
        rate = data.get("scrap_rate")
        if rate is not None and not 0 <= rate < 1:
            self.add_error("scrap_rate", _("Scrap is a share below 1; write 0.05 for 5 percent."))
        for name, reason in policies.tracking_faults(data):
            self.add_error(name, reason)
        return data


class CustomerForm(VersionedForm):
    currency = CurrencyField(label=_("Currency"), initial="USD")

    class Meta:
        model = Customer
        fields = (
            "code",
            "name",
            "name_zh",
            "language",
            "currency",
            "weight",
            "transit_days",
            "email",
            "is_active",
        )


class SiteForm(VersionedForm):
    energy_price = forms.DecimalField(
        label=_("Energy, price per kWh"),
        max_digits=10,
        decimal_places=4,
        min_value=0,
        required=False,
    )
    time_zone = ZoneField(label=_("Time zone"), initial="UTC")
    currency = CurrencyField(label=_("Currency"), initial="USD")

    class Meta:
        model = Site
        fields = (
            "code",
            "name",
            "name_zh",
            "time_zone",
            "calendar",
            "shipping_calendar",
            "currency",
            "energy_price",
            "street",
            "town",
            "country",
        )
        labels = {
            "calendar": _("Calendar"),
            "shipping_calendar": _("Shipping calendar"),
            "street": _("Street and number"),
            "town": _("Postcode and town"),
            "country": _("Country"),
        }
        help_texts = {
            "calendar": _("When the site works; work centers name their own."),
            "shipping_calendar": _("On its days goods leave for the customers."),
            "street": _("Our documents show the address: where suppliers deliver, and who writes."),
        }

    def clean_energy_price(self) -> Decimal:
        """Nothing typed is a price of nothing."""
        return self.cleaned_data["energy_price"] or Decimal(0)


class WorkCenterForm(VersionedForm):
    class Meta:
        model = WorkCenter
        fields = ("code", "name", "name_zh", "site", "calendar")
        labels = {"site": _("Site"), "calendar": _("Calendar")}
        help_texts = {"calendar": _("For its work units that name none of their own.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.refuse("site", refusal(policies.check_can_move_center, self.instance))


class WorkUnitForm(VersionedForm):
    class Meta:
        model = WorkUnit
        fields = ("code", "name", "name_zh", "work_center", "calendar", "energy_kw", "is_active")
        labels = {"work_center": _("Work center"), "calendar": _("Calendar")}
        help_texts = {
            "calendar": _("Empty: the calendar of the work center."),
            "is_active": _("Nothing is planned on a unit that is not active."),
        }


class SkillForm(VersionedForm):
    class Meta:
        model = Skill
        fields = ("code", "name", "name_zh")


class ToolForm(VersionedForm):
    class Meta:
        model = Tool
        fields = ("code", "name", "name_zh", "site", "quantity", "is_active")
        labels = {"site": _("Site")}
        help_texts = {
            "quantity": _("So many operations can hold one at the same time."),
            "is_active": _("What needs a tool that is not active is not planned."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["quantity"].widget.attrs["min"] = 1

    def clean_quantity(self) -> int:
        """Say at the field what the database would refuse."""
        quantity: int = self.cleaned_data["quantity"]
        if quantity < 1:
            raise forms.ValidationError(
                _("There has to be at least one; a tool that is gone is not active.")
            )
        return quantity


class SupplierForm(VersionedForm):
    language = forms.ChoiceField(
        label=_("Language of our documents"), choices=settings.LANGUAGES, required=False
    )

    class Meta:
        model = Supplier
        fields = ("code", "name", "name_zh", "language", "email", "address", "is_active")
        widgets = {"address": forms.Textarea({"rows": 3})}

    def clean_language(self) -> str:
        """English where nothing is chosen."""
        chosen: str = self.cleaned_data["language"]
        return chosen or self.instance.language

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and self.instance.is_active:
            check = policies.check_can_deactivate_supplier
            self.refuse("is_active", refusal(check, self.instance, timezone.localdate()))


class PriceForm(VersionedForm):
    """A price of a supplier; give it an instance that knows its supplier."""

    item = ItemCodeField(label=_("Item"))
    currency = CurrencyField(label=_("Currency"), initial="USD")
    valid_from = DayField(label=_("Valid from"))

    class Meta:
        model = SupplierPrice
        fields = (
            "item",
            "price",
            "currency",
            "valid_from",
            "lead_time_days",
            "min_order_quantity",
            "max_order_quantity",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("price", "min_order_quantity", "max_order_quantity"):
            self.fields[name].widget.attrs["min"] = 0
        if self.instance.pk:
            self.initial["item"] = self.instance.item.code

    def clean(self) -> dict[str, Any]:
        """Say at the field what the database would refuse."""
        data: dict[str, Any] = super().clean() or {}
        for name in ("price", "min_order_quantity", "max_order_quantity"):
            if (data.get(name) or 0) < 0:
                self.add_error(name, _("The value is below 0."))
        most, least = data.get("max_order_quantity"), data.get("min_order_quantity")
        if most is not None and least is not None and most < least:
            self.add_error("max_order_quantity", _("The maximum order is below the minimum order."))
        if self._is_taken(data.get("item"), data.get("valid_from")):
            self.add_error("valid_from", _("The item has a price from this day on already."))
        return data

    def _is_taken(self, item: Item | None, day: date | None) -> bool:
        if item is None or day is None:
            return False
        same = SupplierPrice.objects.filter(
            supplier_id=self.instance.supplier_id, item=item, valid_from=day
        )
        return same.exclude(pk=self.instance.pk).exists()


def _code_and_name(record: Any) -> str:
    return f"{record.code} · {record.label}"
