"""Fields that several forms of this room share."""

from __future__ import annotations

import zoneinfo
from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from masterdata.models import Item
from masterdata.services import limits

# Answers the items whose code or name holds what is typed.
SEARCH = reverse_lazy("masterdata:item-search")


class DayField(forms.DateField):
    """A day between 1900 and 2999, with the browser's own picker."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
        super().__init__(**kwargs)

    def clean(self, value: Any) -> date | None:
        """The day; raises ValidationError."""
        day: date | None = super().clean(value)
        return day and _in_range(day)


class LocalMomentField(forms.CharField):
    """A moment on the clock of whatever it belongs to: a naive datetime."""

    def __init__(self, **kwargs: Any) -> None:
        picker = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(widget=picker, **kwargs)

    def clean(self, value: Any) -> datetime | None:
        """The moment to the minute; raises ValidationError."""
        text = super().clean(value)
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ValidationError(_("Write a moment like 2026-12-24 06:00.")) from None
        _in_range(moment.date())
        return moment.replace(tzinfo=None, second=0, microsecond=0)


class CleanCode:
    """For forms with a code: a new one can stand in an address and on a label."""

    def clean_code(self) -> str:
        """The code; one that was there before stays as it is."""
        form: Any = self
        code: str = form.cleaned_data["code"]
        if "code" in form.changed_data:
            try:
                limits.check_code(code)
            except ValueError as error:
                raise forms.ValidationError(str(error)) from None
        return code


class ItemCodeField(forms.CharField):
    """An item by its code, found while typing; clean gives the item."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=60, **kwargs)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """The address that the browser asks while somebody types."""
        return {**super().widget_attrs(widget), "data-suggest": SEARCH, "autocomplete": "off"}

    def clean(self, value: Any) -> Any:
        """The item; raises ValidationError for a code that nobody has."""
        code = super().clean(value)
        if not code:
            return None
        item = Item.objects.filter(code=code).first()
        if item is None:
            raise ValidationError(_("No item has the code %(code)s."), params={"code": code})
        return item


class ZoneField(forms.ChoiceField):
    """A time zone of the world, searchable."""

    def __init__(self, **kwargs: Any) -> None:
        # The search box takes the label; what it stands on keeps a name of its own.
        name = {"aria-label": _("Time zone")}
        widget = forms.Select(attrs={"data-select": True, "class": "form-select", **name})
        super().__init__(choices=_zones, widget=widget, **kwargs)


class CurrencyField(forms.CharField):
    """Three capital letters."""

    def __init__(self, **kwargs: Any) -> None:
        sentence = _("A currency has three capital letters, such as USD.")
        super().__init__(
            max_length=3, validators=[RegexValidator(r"\A[A-Z]{3}\Z", sentence)], **kwargs
        )

    def to_python(self, value: Any) -> str:
        """Small letters are meant as capital ones."""
        return (super().to_python(value) or "").upper()


def limit_days(form: forms.BaseForm) -> None:
    """Give every field of days the limit that arithmetic with dates can bear."""
    for name, field in form.fields.items():
        if name.endswith("_days"):
            field.validators.append(MaxValueValidator(limits.MAX_DAYS))
            field.widget.attrs["max"] = limits.MAX_DAYS


def dress(form: forms.BaseForm) -> None:
    """Give the inputs of a table's row the look of the others."""
    for field in form.fields.values():
        if isinstance(field.widget, forms.Select):
            field.widget.attrs.setdefault("class", "form-select")
        elif not isinstance(field.widget, forms.CheckboxInput | forms.HiddenInput):
            field.widget.attrs.setdefault("class", "form-control")


def _in_range(day: date) -> date:
    try:
        limits.check_day(day)
    except ValueError as error:
        raise ValidationError(str(error)) from None
    return day


def _zones() -> list[tuple[str, str]]:
    names = sorted(zoneinfo.available_timezones() - {"localtime", "Factory"})
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names if name != "UTC")]
