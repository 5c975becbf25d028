"""What people type or scan about goods that go to another site."""

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.forms import OnceForm
from erp import selectors
from erp.forms_store import StoreForm
from erp.selectors import Content

_TEXT = {"class": "form-control", "autocomplete": "off"}
# Ten thousand numbers of sixty characters, and their line ends.
LONGEST = 620_000


def numbers_field(**kwargs: Any) -> forms.CharField:
    """Serial numbers, one a line: scanned one after the other, or pasted."""
    return forms.CharField(
        label=kwargs.pop("label", _("Serial numbers")),
        required=kwargs.pop("required", False),
        max_length=LONGEST,
        widget=forms.Textarea(
            {**_TEXT, "rows": 4, "spellcheck": "false", "autocapitalize": "characters"}
        ),
        **kwargs,
    )


def numbers_of(text: str) -> list[str]:
    """The numbers in a text, by line or comma, as they were typed."""
    return [line.strip() for line in text.replace(",", "\n").splitlines() if line.strip()]


class TransferForm(OnceForm):
    """A consignment to another site."""

    from_site = forms.ChoiceField(
        label=_("From site"), widget=forms.Select({"class": "form-select"})
    )
    to_site = forms.ChoiceField(label=_("To site"), widget=forms.Select({"class": "form-select"}))
    arrives_on = forms.DateField(
        label=_("Arrives on"),
        widget=forms.DateInput({"type": "date", "class": "form-control"}, format="%Y-%m-%d"),
        help_text=_("From the end of this day on, planning counts on it at the other site."),
    )
    note = forms.CharField(
        label=_("Note"),
        max_length=60,
        required=False,
        widget=forms.TextInput(_TEXT),
        help_text=_("Consignment note, lorry."),
    )

    def __init__(self, *args: Any, sites: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("from_site", "to_site"):
            self.fields[name].choices = sites  # type: ignore[attr-defined]

    def clean_arrives_on(self) -> date:
        day: date = self.cleaned_data["arrives_on"]
        if not 2000 <= day.year <= 2200:
            raise forms.ValidationError(_("Check the year."))
        return day


class PackForm(StoreForm):
    """Something is put into the consignment: an item, a lot, or serial numbers."""

    what = numbers_field(
        label=_("Item, lot or serial numbers"),
        required=True,
        help_text=_("Scan the label; of serial numbers as many as you like, one a line."),
    )
    source = forms.CharField(
        label=_("From bin"),
        max_length=90,
        required=False,
        widget=forms.TextInput({**_TEXT, "list": "bins"}),
        help_text=_("Not needed where it lies in one place only."),
    )
    quantity = forms.DecimalField(
        label=_("Quantity"),
        max_digits=14,
        decimal_places=4,
        required=False,
        widget=forms.TextInput({**_TEXT, "inputmode": "decimal"}),
        help_text=_("Empty: all of it."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["what"].widget.attrs["autofocus"] = "autofocus"

    def clean_what(self) -> list[str]:
        found = numbers_of(self.cleaned_data["what"])
        if not found:
            raise forms.ValidationError(_("Scan or type what goes."))
        return found

    def clean_source(self) -> Any:
        return self.place_of("source")

    def clean_quantity(self) -> Decimal | None:
        quantity: Decimal | None = self.cleaned_data["quantity"]
        if quantity is not None and quantity <= 0:
            raise forms.ValidationError(_("Enter a quantity above zero."))
        return quantity


class ArrivalForm(StoreForm):
    """What of a consignment arrived: a quantity per item and lot, and serial numbers."""

    bin = forms.CharField(
        label=_("Bin"),
        max_length=90,
        required=False,
        widget=forms.TextInput({**_TEXT, "list": "bins"}),
        help_text=_("Where it is put away. Empty: the storage of the site."),
    )

    def __init__(self, *args: Any, contents: list[Content], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.contents = [row for row in contents if row.left > 0]
        for row in self.contents:
            if row.has_serials:
                self.fields.setdefault(
                    "serials",
                    numbers_field(
                        label=_("Serial numbers that arrived"),
                        help_text=_("Scan or paste them, one a line."),
                    ),
                )
                continue
            self.fields[f"line_{row.line_id}"] = forms.DecimalField(
                label=_("Arrived"),
                max_digits=14,
                decimal_places=4,
                min_value=0,
                required=False,
                initial=row.left_text,
                widget=forms.TextInput({**_TEXT, "inputmode": "decimal"}),
            )

    def clean_bin(self) -> Any:
        return self.place_of("bin")

    def clean_serials(self) -> list[str]:
        return numbers_of(self.cleaned_data["serials"])

    def rows(self) -> list[tuple[Content, forms.BoundField | None]]:
        """Each item and lot that is under way, with its field; units have one for all."""
        return [
            (row, None if row.has_serials else self[f"line_{row.line_id}"]) for row in self.contents
        ]

    def quantities(self) -> dict[int, Decimal]:
        """What arrived of what has no serial numbers, by line id."""
        return {
            row.line_id: quantity
            for row in self.contents
            if not row.has_serials
            and (quantity := self.cleaned_data.get(f"line_{row.line_id}")) is not None
            and quantity > 0
        }


def site_choices() -> list[tuple[str, str]]:
    """The sites as a form offers them."""
    return [(str(site.pk), f"{site.code} · {site.label}") for site in selectors.all_sites()]
