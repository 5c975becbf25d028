"""Forms of the master data."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms import BaseFormSet, formset_factory
from django.utils.translation import gettext_lazy as _

from masterdata.enums import LotPolicy, RunBasis
from masterdata.models import Customer, Item, WorkUnit
from masterdata.services.imports import RESOURCES


class _VersionedForm(forms.ModelForm):  # type: ignore[type-arg]
    """Carries the version it was opened with; new records have none."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)


class ItemForm(_VersionedForm):
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
        return data


class CustomerForm(_VersionedForm):
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


class WorkUnitForm(_VersionedForm):
    class Meta:
        model = WorkUnit
        fields = ("code", "name", "name_zh", "work_center", "calendar", "energy_kw", "is_active")


class UploadForm(forms.Form):
    """A file and what is in it."""

    resource = forms.ChoiceField(label=_("What is in the file"))
    file = forms.FileField(label=_("CSV or XLSX file"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        resource = self.fields["resource"]
        if isinstance(resource, forms.ChoiceField):
            resource.choices = [(kind.name, kind.label) for kind in RESOURCES.values()]


class RevisionForm(forms.Form):
    """A revision of a BOM or routing and its days."""

    revision = forms.CharField(label=_("Revision"), max_length=20, initial="A")
    valid_from = forms.DateField(
        label=_("Valid from"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    valid_to = forms.DateField(
        label=_("Valid to, not included"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


class BomLineForm(forms.Form):
    position = forms.IntegerField(label=_("Position"), min_value=1)
    component = forms.CharField(label=_("Component"), max_length=60)
    quantity_per = forms.DecimalField(
        label=_("Quantity per"), max_digits=14, decimal_places=6, min_value=0
    )
    uom = forms.CharField(label=_("Unit"), max_length=10, initial="EA")
    scrap_rate = forms.DecimalField(
        label=_("Scrap rate"), max_digits=5, decimal_places=4, min_value=0, initial=0
    )
    valid_from = forms.DateField(label=_("Valid from"), required=False)
    valid_to = forms.DateField(label=_("Valid to, not included"), required=False)


class OperationForm(forms.Form):
    sequence = forms.IntegerField(label=_("Sequence"), min_value=1)
    name = forms.CharField(label=_("Name"), max_length=200)
    name_zh = forms.CharField(label=_("Chinese name"), max_length=200, required=False)
    work_center = forms.CharField(label=_("Work center"), max_length=40)
    setup_minutes = forms.DecimalField(
        label=_("Setup, minutes"), max_digits=10, decimal_places=3, min_value=0, initial=0
    )
    run_minutes = forms.DecimalField(
        label=_("Run, minutes"), max_digits=12, decimal_places=5, min_value=0
    )
    run_basis = forms.ChoiceField(label=_("Run minutes are"), choices=RunBasis.choices)
    units = forms.CharField(label=_("Only on these work units"), max_length=400, required=False)


BomLineFormSet: type[BaseFormSet[BomLineForm]] = formset_factory(
    BomLineForm, extra=3, can_delete=True, max_num=500, absolute_max=600
)
OperationFormSet: type[BaseFormSet[OperationForm]] = formset_factory(
    OperationForm, extra=2, can_delete=True, max_num=200, absolute_max=250
)
