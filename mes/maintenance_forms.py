"""What people type about maintenance orders."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.forms import OnceForm
from masterdata import selectors as masterdata
from mes.enums import MaintenanceKind, MaintenanceState
from mes.maintenance_policies import MOST_MINUTES
from mes.quality_forms import PersonField, Styled, item_of, quantity_field, text_field


def work_units() -> list[tuple[str, str]]:
    """The machines that work, for a choice."""
    return [(str(unit.id), f"{unit.code} · {unit.label}") for unit in masterdata.active_units()]


def moment_field(label: Any) -> forms.DateTimeField:
    """A moment in the site's wall time, with the browser's own picker."""
    widget = forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(label=label, widget=widget)


class MaintenanceFilter(forms.Form):
    """Narrows the list."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=60,
        widget=forms.TextInput({"type": "search", "class": "form-control"}),
    )
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("all_open", _("All open")), ("", _("All")), *MaintenanceState.choices],
        widget=forms.Select({"class": "form-select"}),
    )


class OrderForm(Styled, OnceForm):
    """Maintenance as somebody orders it."""

    unit = forms.ChoiceField(label=_("Work unit"), choices=work_units)
    kind = forms.ChoiceField(
        label=_("Kind"), choices=MaintenanceKind.choices, initial=MaintenanceKind.PREVENTIVE
    )
    title = forms.CharField(label=_("What is to be done"), max_length=200)
    task = text_field(_("In detail"), required=False)
    starts_at = moment_field(_("Start"))
    ends_at = moment_field(_("End"))
    owner = PersonField(label=_("Who"), required=False)


class SpanForm(Styled):
    starts_at = moment_field(_("Start"))
    ends_at = moment_field(_("End"))


class OwnerForm(Styled):
    owner = PersonField(label=_("Who"))


class PartForm(Styled, OnceForm):
    item = forms.CharField(label=_("Item"), max_length=60)
    quantity = quantity_field(_("Quantity"))

    def clean_item(self) -> Any:
        return item_of(self.cleaned_data["item"])


class IssueForm(Styled, OnceForm):
    row = forms.IntegerField(widget=forms.HiddenInput)
    quantity = quantity_field(_("Quantity"))


class TimeForm(Styled, OnceForm):
    person = PersonField(label=_("Who"))
    minutes = forms.IntegerField(label=_("Minutes"), min_value=1, max_value=MOST_MINUTES)


class DoneForm(Styled):
    result = text_field(_("What was done"), most=500)


class WhyForm(Styled):
    reason = text_field(_("Why"), most=200, rows=2)
