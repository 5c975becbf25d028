"""Forms that stand in the rows of a table: their sets, and how many rows one page takes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BaseFormSet, formset_factory
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from masterdata.enums import CheckFrequency, CheckKind, IssueMethod, RateKind, RunBasis
from masterdata.forms.fields import (
    SEARCH,
    CurrencyField,
    DayField,
    LocalMomentField,
    dress,
    limit_days,
)
from masterdata.models import Calendar, Site
from masterdata.services.routings import MOST_WAIT

# A request has at most DATA_UPLOAD_MAX_NUMBER_FIELDS fields: rows times fields.
MAX_LINES = 105
MAX_OPERATIONS = 75
MAX_CREWS = 100
MAX_CHECKS = 60
MAX_RATES = 150
MAX_EXCEPTIONS = 130


class Row(forms.Form):
    """A row of a table, with the look of the other fields."""

    # The field that the page fills in by itself for a row that is added.
    counter = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)
        limit_days(self)

    def has_changed(self) -> bool:
        """Whether somebody typed: a number that the page gave is no row."""
        return any(name != self.counter for name in self.changed_data)


class Rows(BaseFormSet):  # type: ignore[type-arg]  # generic in the stubs only
    """Rows that are refused before any of them is looked at, where there are too many."""

    def total_form_count(self) -> int:
        """How many rows are built: none where more came than the page takes."""
        return 0 if self.is_bound and self._too_many() else super().total_form_count()

    def initial_form_count(self) -> int:
        """How many of them were there before."""
        return 0 if self.is_bound and self._too_many() else super().initial_form_count()

    def full_clean(self) -> None:
        """Validate; where too many came, that is the only error."""
        if not (self.is_bound and self._too_many()):
            super().full_clean()
            return
        sentence = _("The page takes at most %(most)s rows; import a file of more.")
        self._errors: list[Any] = []
        self._non_form_errors = self.error_class(
            ValidationError(sentence % {"most": self.absolute_max}).messages
        )

    def _too_many(self) -> bool:
        total = self.management_form.cleaned_data.get("TOTAL_FORMS") or 0
        return bool(total > self.absolute_max)

    def kept(self) -> list[dict[str, Any]]:
        """The filled rows that are not ticked for removal."""
        return [
            {name: value for name, value in form.cleaned_data.items() if name != "DELETE"}
            for form in self
            if form.cleaned_data and not form.cleaned_data.get("DELETE")
        ]


class RevisionForm(forms.Form):
    """A revision of a BOM or routing and its days."""

    revision = forms.CharField(label=_("Revision"), max_length=20, initial="A")
    valid_from = DayField(label=_("Valid from"))
    valid_to = DayField(label=_("Valid to, not included"), required=False)
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)


class BomLineForm(Row):
    counter = "position"

    position = forms.IntegerField(label=_("Position"), min_value=1, max_value=999_999)
    component = forms.CharField(
        label=_("Component"),
        max_length=60,
        widget=forms.TextInput(attrs={"data-suggest": SEARCH, "autocomplete": "off"}),
    )
    quantity_per = forms.DecimalField(
        label=_("Quantity per"), max_digits=14, decimal_places=6, min_value=0
    )
    uom = forms.CharField(label=_("Unit"), max_length=10, initial="EA")
    scrap_rate = forms.DecimalField(
        label=_("Scrap rate"), max_digits=5, decimal_places=4, min_value=0, initial=0
    )
    issue_method = forms.ChoiceField(
        label=_("Issued"),
        choices=[("", _("As the item says")), *IssueMethod.choices],
        required=False,
    )
    valid_from = DayField(label=_("Valid from"), required=False)
    valid_to = DayField(label=_("Valid to, not included"), required=False)


class OperationForm(Row):
    counter = "sequence"

    sequence = forms.IntegerField(label=_("Sequence"), min_value=1, max_value=999_999)
    name = forms.CharField(label=_("Name"), max_length=200)
    name_zh = forms.CharField(label=_("Chinese name"), max_length=200, required=False)
    work_center = forms.CharField(
        label=_("Work center"),
        max_length=40,
        widget=forms.TextInput(attrs={"list": "work-centers"}),
    )
    setup_minutes = forms.DecimalField(
        label=_("Setup, minutes"), max_digits=10, decimal_places=3, min_value=0, initial=0
    )
    run_minutes = forms.DecimalField(
        label=_("Run, minutes"), max_digits=12, decimal_places=5, min_value=0
    )
    run_basis = forms.ChoiceField(label=_("Run minutes are"), choices=RunBasis.choices)
    units = forms.CharField(
        label=_("Only on these work units"),
        max_length=400,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": _("Any unit")}),
    )
    setup_family = forms.CharField(
        label=_("Setup family"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": _("Family")}),
    )
    skill = forms.CharField(
        label=_("Skill"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"list": "skills", "placeholder": _("Skill")}),
    )
    people = forms.IntegerField(
        label=_("People"), min_value=1, max_value=999, required=False, initial=1
    )
    tool = forms.CharField(
        label=_("Tool"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"list": "tools", "placeholder": _("Tool")}),
    )
    wait_minutes = forms.IntegerField(
        label=_("Wait after it, minutes"),
        min_value=0,
        max_value=MOST_WAIT,
        required=False,
        widget=forms.NumberInput(attrs={"placeholder": _("No wait")}),
    )
    max_wait_minutes = forms.IntegerField(
        label=_("Longest wait, minutes"),
        min_value=0,
        max_value=MOST_WAIT,
        required=False,
        widget=forms.NumberInput(attrs={"placeholder": _("No limit")}),
    )
    transfer_quantity = forms.DecimalField(
        label=_("Pass on from, pieces"),
        max_digits=14,
        decimal_places=4,
        min_value=0,
        required=False,
        widget=forms.NumberInput(attrs={"placeholder": _("All")}),
    )


class CheckForm(Row):
    counter = "position"

    position = forms.IntegerField(label=_("Position"), min_value=1, max_value=999_999)
    name = forms.CharField(label=_("Name"), max_length=200)
    name_zh = forms.CharField(label=_("Chinese name"), max_length=200, required=False)
    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": _("Code of the machine")}),
    )
    kind = forms.ChoiceField(label=_("Kind"), choices=CheckKind.choices)
    unit = forms.CharField(
        label=_("Unit"),
        max_length=12,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": _("Unit")}),
    )
    lower = forms.DecimalField(
        label=_("Lower limit"), max_digits=14, decimal_places=5, required=False
    )
    target = forms.DecimalField(label=_("Target"), max_digits=14, decimal_places=5, required=False)
    upper = forms.DecimalField(
        label=_("Upper limit"), max_digits=14, decimal_places=5, required=False
    )
    frequency = forms.ChoiceField(label=_("How often"), choices=CheckFrequency.choices)
    every = forms.IntegerField(
        label=_("Every so many pieces"),
        min_value=2,
        max_value=999_999,
        required=False,
        widget=forms.NumberInput(attrs={"placeholder": _("Pieces")}),
    )
    is_required = forms.BooleanField(label=_("Required"), required=False, initial=True)
    reason = forms.CharField(
        label=_("Why"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": _("Why, for who answers it")}),
    )


class RateForm(Row):
    kind = forms.ChoiceField(label=_("Kind"), choices=RateKind.choices)
    amount_per_hour = forms.DecimalField(
        label=_("Amount per hour"), max_digits=12, decimal_places=4, min_value=0
    )
    currency = CurrencyField(label=_("Currency"), initial="USD")
    valid_from = DayField(label=_("Valid from"))


class CrewForm(Row):
    site = forms.ModelChoiceField(label=_("Site"), queryset=Site.objects.order_by("code"))
    calendar = forms.ModelChoiceField(
        label=_("Calendar"), queryset=Calendar.objects.order_by("code")
    )
    people = forms.IntegerField(label=_("People"), min_value=1, max_value=9999)


class ExceptionForm(Row):
    pk = forms.IntegerField(widget=forms.HiddenInput, required=False)
    starts_at = LocalMomentField(label=pgettext_lazy("span", "From"))
    ends_at = LocalMomentField(label=pgettext_lazy("span", "Until"))
    is_working = forms.TypedChoiceField(
        label=_("What"),
        choices=[("", _("Not working")), ("yes", _("Overtime"))],
        coerce=bool,
        required=False,
    )
    reason = forms.CharField(label=_("Reason"), max_length=200, required=False)


def _set(form: type[Row], most: int, extra: int) -> type[Rows]:
    made: Any = formset_factory(
        form, formset=Rows, extra=extra, can_delete=True, max_num=most, absolute_max=most
    )
    return made  # type: ignore[no-any-return]  # the stubs name the form's type, not the base's


BomLineFormSet = _set(BomLineForm, MAX_LINES, 3)
OperationFormSet = _set(OperationForm, MAX_OPERATIONS, 2)
CrewFormSet = _set(CrewForm, MAX_CREWS, 1)
CheckFormSet = _set(CheckForm, MAX_CHECKS, 1)
RateFormSet = _set(RateForm, MAX_RATES, 1)
ExceptionFormSet = _set(ExceptionForm, MAX_EXCEPTIONS, 1)
