"""The form of a calendar: what it is called, and a line per weekday."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from common.errors import Refused
from masterdata.forms.fields import ZoneField
from masterdata.forms.records import VersionedForm
from masterdata.models import Calendar, Shift
from masterdata.services import weeks

DAYS = range(7)


class DayShiftsField(forms.CharField):
    """The shifts of a weekday, typed like ``06:00–14:00, 14:00–22:00``; empty is a free day."""

    def __init__(self, weekday: int) -> None:
        hint = {"placeholder": _("free"), "autocomplete": "off", "spellcheck": "false"}
        super().__init__(
            label=WEEKDAYS[weekday],
            required=False,
            max_length=200,
            widget=forms.TextInput(attrs={**hint, "class": "form-control"}),
        )
        self.weekday = weekday

    def clean(self, value: Any) -> list[Shift]:
        """The unsaved shifts; raises ValidationError with what cannot be read."""
        try:
            return weeks.parse_day(self.weekday, super().clean(value))
        except Refused as refusal:
            raise ValidationError(str(refusal)) from None


class CalendarForm(VersionedForm):
    time_zone = ZoneField(label=_("Time zone"), initial="UTC")

    class Meta:
        model = Calendar
        fields = ("code", "name", "name_zh", "time_zone")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        by_day: dict[int, list[Shift]] = {}
        if self.instance.pk:
            for shift in self.instance.shifts.all():
                by_day.setdefault(shift.weekday, []).append(shift)
        for day in DAYS:
            self.fields[f"day_{day}"] = DayShiftsField(day)
            self.initial[f"day_{day}"] = weeks.day_text(by_day.get(day, []))

    @property
    def day_fields(self) -> list[forms.BoundField]:
        """The seven lines, Monday first."""
        return [self[f"day_{day}"] for day in DAYS]

    @property
    def head_fields(self) -> list[forms.BoundField]:
        """What the calendar is called and its zone."""
        return [self[name] for name in self.Meta.fields]

    def shifts(self) -> list[Shift]:
        """The shifts of the lines that could be read, after ``is_valid``."""
        return [shift for day in DAYS for shift in self.cleaned_data.get(f"day_{day}") or []]

    def values(self) -> dict[str, Any]:
        """The calendar's own fields."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}
