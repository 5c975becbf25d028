"""What operators type."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.idempotency import MAX_KEY_LENGTH
from masterdata import selectors as masterdata
from mes.enums import WorkOrderState
from mes.models import FloorReason, Terminal


class ReportForm(forms.Form):
    """Good and scrap pieces of one report."""

    good = forms.DecimalField(
        label=_("Good"), max_digits=14, decimal_places=4, min_value=0, required=False
    )
    scrap = forms.DecimalField(
        label=_("Scrap"), max_digits=14, decimal_places=4, min_value=0, required=False
    )
    reason = forms.CharField(label=_("Reason"), max_length=200, required=False)
    idempotency_key = forms.CharField(
        max_length=MAX_KEY_LENGTH, required=False, widget=forms.HiddenInput
    )


class MeasuredField(forms.DecimalField):
    """A measured value as people type it: a point or a comma, a minus of any kind."""

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = value.strip().replace(",", ".").replace("\N{MINUS SIGN}", "-")
        return super().to_python(value)


class CheckForm(forms.Form):
    """The answer to one check: a value, or passed or failed; ``again`` measures a fault anew."""

    position = forms.IntegerField(min_value=1)
    value = MeasuredField(max_digits=14, decimal_places=5, required=False)
    passed = forms.ChoiceField(choices=[("1", _("Pass")), ("0", _("Fail"))], required=False)
    again = forms.BooleanField(required=False)
    idempotency_key = forms.CharField(max_length=MAX_KEY_LENGTH, required=False)


class WorkOrderFilter(forms.Form):
    """What the work order list is narrowed to; lives in the URL."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        widget=forms.TextInput(
            {"type": "search", "class": "form-control", "placeholder": _("Number or item")}
        ),
    )
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("All")), *WorkOrderState.choices],
        widget=forms.Select({"class": "form-select"}),
    )


class TerminalForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A device that becomes a terminal."""

    class Meta:
        model = Terminal
        fields = ("name", "site", "work_unit")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs["class"] = "form-control"
        for name in ("site", "work_unit"):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - as declared above
            field.widget.attrs["class"] = "form-select"
            field.queryset = field.queryset.order_by("code")  # type: ignore[union-attr]
        if not self.initial.get("site") and masterdata.site_ids():
            self.initial["site"] = masterdata.default_site()


class BadgeForm(forms.Form):
    """What a person signs in with; an empty badge or PIN stays as it is."""

    number = forms.CharField(
        label=_("Number"),
        max_length=12,
        widget=forms.TextInput({"class": "form-control", "inputmode": "numeric"}),
    )
    code = forms.CharField(
        label=_("Badge"),
        max_length=200,
        required=False,
        help_text=_("Put the cursor here and scan it."),
        widget=forms.TextInput({"class": "form-control", "autocomplete": "off"}),
    )
    pin = forms.CharField(
        label=_("PIN"),
        max_length=8,
        required=False,
        help_text=_("4 to 8 digits."),
        widget=forms.PasswordInput(
            {"class": "form-control", "inputmode": "numeric", "autocomplete": "new-password"}
        ),
    )
    is_active = forms.BooleanField(
        label=_("May sign in"),
        required=False,
        initial=True,
        widget=forms.CheckboxInput({"class": "form-check-input"}),
    )


class ReasonForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A tile on the terminal."""

    class Meta:
        model = FloorReason
        fields = ("kind", "code", "name", "name_zh", "position", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            look = {"kind": "form-select", "is_active": "form-check-input"}
            field.widget.attrs["class"] = look.get(name, "form-control")
