"""The changeover times of a work center as a table: from a family down, to a family across."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from masterdata.selectors import Changeovers
from masterdata.selectors.changeovers import ANY
from masterdata.services import limits

# A request has at most a thousand fields: (families + 1)² cells and the families themselves.
MAX_FAMILIES = 28
FAMILY_LENGTH = 40


@dataclass(frozen=True)
class Line:
    """A row of the table: the family before, and a field for each family after."""

    label: str
    cells: tuple[forms.BoundField, ...]


class MatrixForm(forms.Form):
    """A field per pair of families; empty where the pair has no time of its own.

    The first family is any other one. The families are those given, as the page shows them, and
    ``new_family`` where somebody typed one.
    """

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    new_family = forms.CharField(
        label=gettext_lazy("New family"), max_length=FAMILY_LENGTH, required=False
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        families: Sequence[str],
        minutes: Mapping[tuple[str, str], int],
        version: int,
    ) -> None:
        super().__init__(data, initial={"version": version})
        self.families = list(families)
        self.fields["new_family"].widget.attrs |= {"class": "form-control", "autocomplete": "off"}
        rules = Changeovers(minutes)
        for row, before in enumerate(self._all):
            for column, after in enumerate(self._all):
                name = f"m_{row}_{column}"
                self.fields[name] = _cell(before, after, rules)
                self.initial[name] = minutes.get((before, after))

    @property
    def is_too_long(self) -> bool:
        """Whether there are more families than a page can send."""
        return len(self.families) > MAX_FAMILIES

    @property
    def labels(self) -> list[str]:
        """The heads of the columns."""
        return [_name(family) for family in self._all]

    @property
    def lines(self) -> list[Line]:
        """The rows of the table."""
        size = range(len(self._all))
        return [
            Line(_name(before), tuple(self[f"m_{row}_{column}"] for column in size))
            for row, before in enumerate(self._all)
        ]

    def minutes(self) -> dict[tuple[str, str], int]:
        """The filled cells, after ``is_valid``."""
        return {
            (before, after): value
            for row, before in enumerate(self._all)
            for column, after in enumerate(self._all)
            if (value := self.cleaned_data.get(f"m_{row}_{column}")) is not None
        }

    @property
    def _all(self) -> list[str]:
        return [ANY, *self.families]


def posted_families(names: Iterable[str]) -> list[str]:
    """The families that a page sent, each once; what is no family is left out."""
    cleaned = (name.strip() for name in names)
    known = dict.fromkeys(name for name in cleaned if name and "\x00" not in name)
    return [name for name in known if len(name) <= FAMILY_LENGTH]


def _cell(before: str, after: str, rules: Changeovers) -> forms.IntegerField:
    pair = {"before": _name(before), "after": _name(after)}
    others = {rule: value for rule, value in rules.rules.items() if rule != (before, after)}
    # What counts as long as nothing is typed.
    meant = Changeovers(others).minutes(before, after) if before and after else ""
    return forms.IntegerField(
        label=_("From %(before)s to %(after)s") % pair,
        min_value=0,
        max_value=limits.MAX_CHANGEOVER,
        required=False,
        widget=forms.NumberInput(
            attrs={
                "class": "form-control",
                "placeholder": meant,
                "aria-label": _("From %(before)s to %(after)s, minutes") % pair,
            }
        ),
    )


def _name(family: str) -> str:
    return family or _("any other")
