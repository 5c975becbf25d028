"""What the schedule and the capacity are narrowed to; lives in the URL."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from aps.enums import RunKind, RunState
from aps.models import ScheduleRun


class BoardFilter(forms.Form):
    """Work center, order and lateness, for the board and its list alike."""

    q = forms.CharField(
        label=_("Order"),
        required=False,
        max_length=60,
        widget=forms.TextInput(
            {"type": "search", "class": "form-control", "placeholder": _("Order or item")}
        ),
    )
    center = forms.ChoiceField(
        label=_("Work center"),
        required=False,
        widget=forms.Select({"class": "form-select"}),
    )
    late = forms.BooleanField(
        label=_("Late only"),
        required=False,
        widget=forms.CheckboxInput({"class": "form-check-input"}),
    )

    def __init__(self, *args: Any, centers: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["center"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = [("", _("All work centers")), *centers]


class CapacityFilter(forms.Form):
    """First week, number of weeks, work center and customer."""

    WEEKS = tuple((str(n), str(n)) for n in (4, 6, 8, 13, 26))

    weeks = forms.ChoiceField(
        label=_("Weeks"), choices=WEEKS, widget=forms.Select({"class": "form-select"})
    )
    center = forms.ChoiceField(
        label=_("Work center"), required=False, widget=forms.Select({"class": "form-select"})
    )
    customer = forms.ChoiceField(
        label=_("Customer"), required=False, widget=forms.Select({"class": "form-select"})
    )
    detail = forms.ChoiceField(
        label=_("Rows"),
        required=False,
        choices=[
            ("", _("Work centers, largest customers")),
            ("all", _("Work centers and all customers")),
            ("center", _("Work centers")),
        ],
        widget=forms.Select({"class": "form-select"}),
    )

    def __init__(
        self,
        *args: Any,
        centers: Sequence[str],
        customers: Sequence[tuple[str, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["from"] = forms.DateField(
            label=_("From the week of"),
            widget=forms.DateInput({"type": "date", "class": "form-control"}),
        )
        self._offer("center", [("", _("All work centers")), *((code, code) for code in centers)])
        self._offer("customer", [("", _("All customers")), *customers])
        self.order_fields(["from", "weeks", "center", "customer", "detail"])

    def _offer(self, name: str, choices: Sequence[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = list(choices)


class ScenarioFilter(forms.Form):
    """Kind and state, for the list of scenarios."""

    KINDS = tuple((kind.value, kind.label) for kind in RunKind if kind != RunKind.LIVE)

    kind = forms.ChoiceField(
        label=_("Kind"),
        required=False,
        choices=[("", _("All")), *KINDS],
        widget=forms.Select({"class": "form-select"}),
    )
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("All")), *RunState.choices],
        widget=forms.Select({"class": "form-select"}),
    )

    def narrowed(self, runs: QuerySet[ScheduleRun]) -> QuerySet[ScheduleRun]:
        """The runs asked for; what is not a choice narrows nothing."""
        self.is_valid()
        asked = {name: value for name, value in self.cleaned_data.items() if value}
        return runs.filter(**asked)


class CopyForm(forms.Form):
    """What the copy of a scenario is called."""

    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        widget=forms.TextInput({"class": "form-control", "autocomplete": "off"}),
    )


class NameForm(CopyForm):
    """What a new scenario is called."""
