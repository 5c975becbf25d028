"""What is suspected: a machine, person, program or parameter in a window of time."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.forms import OnceForm
from crm.services.suspect_goods import Problem
from crm.trace.causes import operator_words
from masterdata import selectors as masterdata
from mes import selectors as mes
from traceability import selectors as ledger

if TYPE_CHECKING:
    from masterdata.models import Item

# Open nonconformances that a form offers.
MOST_PROBLEMS = 20
_ANY = [("", "–")]
_SELECT = {"class": "form-select"}


class CauseForm(forms.Form):
    """One or several of them together, and the window in which they were so."""

    machine = forms.TypedChoiceField(
        label=gettext_lazy("Machine"), coerce=int, empty_value=None, required=False
    )
    program = forms.CharField(
        label=gettext_lazy("Program and version"),
        max_length=60,
        required=False,
        widget=forms.TextInput({"class": "form-control", "autocomplete": "off"}),
    )
    parameter = forms.TypedChoiceField(
        label=gettext_lazy("Parameter out of limits"), coerce=int, empty_value=None, required=False
    )
    operator = forms.TypedChoiceField(
        label=gettext_lazy("Operator"), coerce=int, empty_value=None, required=False
    )
    since = forms.DateTimeField(
        label=gettext_lazy("Window from"),
        widget=forms.DateTimeInput(
            {"class": "form-control", "type": "datetime-local"}, format="%Y-%m-%dT%H:%M"
        ),
    )
    until = forms.DateTimeField(
        label=gettext_lazy("Window until"),
        widget=forms.DateTimeInput(
            {"class": "form-control", "type": "datetime-local"}, format="%Y-%m-%dT%H:%M"
        ),
    )

    def __init__(self, *args: Any, may_see_operators: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        units = masterdata.work_unit_choices()
        people = [row.person for row in mes.floor_people()]
        choices = {
            "machine": [(unit.pk, f"{unit.code} · {unit.label}") for unit in units],
            "parameter": [(row.pk, f"{row.code} · {row.label}") for row in ledger.all_parameters()],
            "operator": [
                (one.pk, operator_words(one.pk, one if may_see_operators else None))
                for one in people
            ],
        }
        for name, rows in choices.items():
            field = self.fields[name]
            field.choices = [*_ANY, *rows]  # type: ignore[attr-defined]
            field.widget.attrs.update(_SELECT)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since >= until:
            self.add_error("until", _("The window ends before it begins."))
        if not any(cleaned.get(name) for name in ("machine", "program", "parameter", "operator")):
            raise forms.ValidationError(_("Name a machine, a program, a parameter or a person."))
        return cleaned

    @property
    def cause(self) -> ledger.Cause:
        """What is suspected; of a valid form."""
        data = self.cleaned_data
        return ledger.Cause(
            since=data["since"],
            until=data["until"],
            work_unit_id=data["machine"],
            operator_id=data["operator"],
            program=data["program"].strip() or None,
            parameter_id=data["parameter"],
        )

    @property
    def query(self) -> dict[str, str]:
        """What was asked, as it stands in the address."""
        names = ("machine", "program", "parameter", "operator", "since", "until")
        return {name: value for name in names if (value := self.data.get(name, ""))}


class ProblemForm(OnceForm):
    """What is wrong with what a suspect reached, or the nonconformance that it belongs to."""

    known_as = forms.ChoiceField(
        label=gettext_lazy("Nonconformance"), required=False, widget=forms.Select(_SELECT)
    )
    item = forms.TypedChoiceField(
        label=gettext_lazy("Item"), coerce=int, widget=forms.Select(_SELECT)
    )
    problem = forms.CharField(
        label=gettext_lazy("What is wrong"),
        max_length=300,
        required=False,
        widget=forms.Textarea({"class": "form-control", "rows": 2}),
    )

    def __init__(self, *args: Any, items: "list[Item]", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["item"].choices = [  # type: ignore[attr-defined]
            (item.pk, f"{item.code} · {item.label}") for item in items
        ]
        rows = mes.still_contained([item.pk for item in items])[:MOST_PROBLEMS]
        self.fields["known_as"].choices = [  # type: ignore[attr-defined]
            ("", _("A new one")),
            *((row.number, f"{row.number} · {row.problem[:60]}") for row in rows),
        ]

    @property
    def said(self) -> Problem:
        """What was said; of a valid form."""
        data = self.cleaned_data
        return Problem(data["item"], data["problem"], data["known_as"])
