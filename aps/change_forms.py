"""Small forms, one for each kind of change that a scenario may hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_stubs_ext import StrPromise

from aps.services.changes.orders import MOST_WEIGHT
from common.templatetags import ui_format
from masterdata import selectors as masterdata
from masterdata.services import limits

_TEXT = {"class": "form-control", "autocomplete": "off"}
_SELECT = {"class": "form-select"}
_MOMENT = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True)
class Offered:
    """What may be chosen: work units, and order lines that wait for work."""

    units: Sequence[tuple[str, str]] = ()
    lines: Sequence[tuple[str, str]] = ()


class ChangeForm(forms.Form):
    """Base: ``as_change`` is what aps.services.changes reads."""

    kind: ClassVar[str]
    label: ClassVar[str | StrPromise]
    note: ClassVar[str | StrPromise] = ""

    def __init__(self, *args: Any, offered: Offered, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, choices in (
            ("work_unit", offered.units),
            ("like", offered.units),
            ("line", offered.lines),
        ):
            field = self.fields.get(name)
            if isinstance(field, forms.ChoiceField):
                field.choices = [("", _("Choose …")), *choices]

    def as_change(self) -> dict[str, Any]:
        """The change of a valid form."""
        return {"kind": self.kind, **self.cleaned_data}


def _moment(label: str | StrPromise) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label,
        input_formats=[_MOMENT, "%Y-%m-%d %H:%M"],
        validators=[_in_range],
        widget=forms.DateTimeInput({**_TEXT, "type": "datetime-local"}, _MOMENT),
    )


def _in_range(moment: datetime) -> None:
    """Raise ValidationError for a moment that calendars do not reach."""
    try:
        limits.check_day(moment.date())
    except ValueError as error:
        raise forms.ValidationError(str(error)) from None


def _choice(label: str | StrPromise, **attrs: str) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, widget=forms.Select({**_SELECT, **attrs}))


class _SpanForm(ChangeForm):
    work_unit = _choice(_("Work unit"))
    starts_at = _moment(pgettext_lazy("span", "From"))
    ends_at = _moment(pgettext_lazy("span", "Until"))
    reason = forms.CharField(
        label=_("Reason"), required=False, max_length=120, widget=forms.TextInput(_TEXT)
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = self.cleaned_data
        start, end = data.get("starts_at"), data.get("ends_at")
        if start and end and end <= start:
            self.add_error("ends_at", _("The end has to be later than the start."))
        return data


class OvertimeForm(_SpanForm):
    kind = "overtime"
    label = _("Overtime on a work unit")
    note = _("It also works in this time, beside its shifts.")


class CloseForm(_SpanForm):
    kind = "close"
    label = _("Work unit closed")
    note = _("It is down, serviced or without people in this time.")


class HoursForm(_SpanForm):
    """A machine closed or open for a while, to be saved and not only tried."""

    kind = "hours"
    label = _("Closed machines and overtime")

    what = forms.ChoiceField(
        label=_("What"),
        choices=[("close", pgettext_lazy("work unit", "Closed")), ("overtime", _("Overtime"))],
        widget=forms.Select(_SELECT),
    )
    field_order = ("work_unit", "what", "starts_at", "ends_at", "reason")

    def as_change(self) -> dict[str, Any]:
        values = {name: value for name, value in self.cleaned_data.items() if name != "what"}
        return {"kind": self.cleaned_data["what"], **values}


class AddUnitForm(ChangeForm):
    kind = "add_unit"
    label = _("One more machine")
    note = _("It can do what the other can, in the same shifts. Such a plan stays a what-if.")

    like = _choice(_("Like work unit"))
    code = forms.CharField(label=_("Called"), max_length=30, widget=forms.TextInput(_TEXT))


class DueForm(ChangeForm):
    kind = "due"
    label = _("Another date for an order line")
    note = _("The date is tried, not promised. Such a plan stays a what-if.")

    line = _choice(_("Order line"), **{"data-select": ""})
    due_at = _moment(_("Ready by"))


class WeightForm(ChangeForm):
    kind = "weight"
    label = _("Another priority for an order line")
    note = _("A late day hurts so many times: 1 is ordinary, 10 a key account.")

    line = _choice(_("Order line"), **{"data-select": ""})
    weight = forms.IntegerField(
        label=pgettext_lazy("of an order line", "Priority"),
        min_value=0,
        max_value=MOST_WEIGHT,
        widget=forms.NumberInput(_TEXT),
    )


class DemandForm(ChangeForm):
    kind = "demand"
    label = _("New demand")
    note = _("What if somebody ordered this? Such a plan stays a what-if.")

    item = forms.CharField(
        label=_("Item"),
        max_length=60,
        widget=forms.TextInput({**_TEXT, "data-select": ""}),
    )
    quantity = forms.DecimalField(
        label=_("Quantity"),
        max_digits=14,
        decimal_places=4,
        widget=forms.TextInput({**_TEXT, "inputmode": "decimal"}),
    )
    requested_date = forms.DateField(
        label=_("Requested"), widget=forms.DateInput({**_TEXT, "type": "date"}, "%Y-%m-%d")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["item"].widget.attrs["data-url"] = f"{reverse('masterdata:item-search')}?q="

    def clean_item(self) -> str:
        code = str(self.cleaned_data["item"]).strip()
        item = masterdata.item_by_code(code)
        if item is None or not item.is_active:
            raise forms.ValidationError(_("There is no item “%(code)s”."), params={"code": code})
        return str(item.code)

    def clean_quantity(self) -> Any:
        quantity = self.cleaned_data["quantity"]
        if quantity <= 0:
            raise forms.ValidationError(_("The quantity must be more than zero."))
        return quantity


FORMS: dict[str, type[ChangeForm]] = {
    form.kind: form
    for form in (OvertimeForm, CloseForm, AddUnitForm, DueForm, WeightForm, DemandForm)
}


def line_label(reference: str, item: str, due_at: Any) -> str:
    """ "SO-100001/10 · FLANGE · 14 Oct"."""
    return f"{reference} · {item} · {ui_format.day(due_at, short=True)}"
