"""What people type about nonconformances: reporting, containing, disposing of the goods."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from common.enums import Role
from common.forms import OnceForm
from common.models import User
from erp import selectors as erp
from masterdata import selectors as masterdata
from mes.enums import DispositionKind, NonconformanceSource, NonconformanceState
from mes.models import Nonconformance, WorkOrder, WorkOrderOperation
from mes.services.containment import Found
from mes.services.dispositions import Part
from traceability import selectors as traceability

# Parts that a decision may have.
PARTS = 5
_CLASSES: dict[type[forms.Widget], str] = {
    forms.Select: "form-select",
    forms.SelectMultiple: "form-select",
    forms.CheckboxInput: "",
}


class Styled(forms.Form):
    """Fields look like the others of the house."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.update(self.more_fields())
        for field in self.fields.values():
            widget = field.widget
            name = _CLASSES.get(type(widget), "form-control")
            if name:
                widget.attrs.setdefault("class", name)
            widget.attrs.setdefault("autocomplete", "off")

    def more_fields(self) -> dict[str, forms.Field]:
        """Fields beside those of the class."""
        return {}


def quantity_field(label: Any, **kwargs: Any) -> forms.DecimalField:
    """A quantity of goods, not below zero."""
    return forms.DecimalField(
        label=label,
        max_digits=14,
        decimal_places=4,
        min_value=0,
        widget=forms.TextInput({"inputmode": "decimal"}),
        **kwargs,
    )


def day_field(label: Any, **kwargs: Any) -> forms.DateField:
    """A day, with the browser's own picker."""
    return forms.DateField(
        label=label, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"), **kwargs
    )


def text_field(label: Any, *, rows: int = 3, most: int = 4000, **kwargs: Any) -> forms.CharField:
    """Some sentences."""
    return forms.CharField(
        label=label, max_length=most, widget=forms.Textarea({"rows": rows}), **kwargs
    )


def people() -> Any:
    """Active accounts of staff."""
    return (
        User.objects.filter(is_active=True)
        .exclude(roles=[])
        .exclude(roles__contains=[Role.CUSTOMER.value])
        .order_by("username")
    )


class PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One of the people who work here."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(queryset=people(), **kwargs)

    def label_from_instance(self, obj: Any) -> str:
        """Full name and login."""
        return f"{obj.get_full_name()} · {obj.username}" if obj.get_full_name() else obj.username


class NonconformanceFilter(forms.Form):
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
        choices=[
            ("all_open", _("All open")),
            ("", _("All")),
            *NonconformanceState.choices,
        ],
        widget=forms.Select({"class": "form-select"}),
    )
    source = forms.ChoiceField(
        label=_("Noticed by"),
        required=False,
        choices=[("", _("All")), *NonconformanceSource.choices],
        widget=forms.Select({"class": "form-select"}),
    )


class ReportForm(Styled, OnceForm):
    """A nonconformance as it is noticed on the floor, at an inspection or at the gate."""

    source = forms.ChoiceField(label=_("Noticed by"), choices=NonconformanceSource.choices)
    site = forms.ChoiceField(label=_("Site"))
    item = forms.CharField(label=_("Item"), max_length=60)
    problem = text_field(_("What is wrong"), most=300, rows=2)
    quantity = quantity_field(
        _("Quantity in our hands"),
        required=False,
        help_text=_("To be decided on. Empty: none of it is here any more."),
    )
    things = text_field(
        _("Lots and serial numbers"),
        most=60_000,
        required=False,
        help_text=_("One a line. What of them is still here is put on hold."),
    )
    work_order = forms.CharField(label=_("Work order"), max_length=20, required=False)
    reference = forms.CharField(
        label=pgettext_lazy("document", "From"),
        max_length=60,
        required=False,
        help_text=_("Ticket, purchase order."),
    )
    symptom = forms.CharField(label=_("Symptom code"), max_length=40, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sites = [(str(site.pk), f"{site.code} · {site.label}") for site in erp.all_sites()]
        self.fields["site"].choices = sites  # type: ignore[attr-defined]

    def clean_item(self) -> Any:
        return item_of(self.cleaned_data["item"])

    def clean_quantity(self) -> Decimal:
        return self.cleaned_data["quantity"] or Decimal(0)

    def clean_work_order(self) -> int | None:
        number = self.cleaned_data["work_order"].strip()
        if not number:
            return None
        found = WorkOrder.objects.filter(number__iexact=number).first()
        if found is None:
            raise forms.ValidationError(_("There is no such work order."))
        return found.pk

    def clean(self) -> dict[str, Any]:
        """Lots and units by what was typed, of the item."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        item = data.get("item")
        if item is not None:
            try:
                data["things"] = things_of(item.pk, data.get("things", ""))
            except forms.ValidationError as error:
                self.add_error("things", error)
        return data


def item_of(code: str) -> Any:
    """The item of a code; raise ValidationError."""
    found = masterdata.item_by_code(code.strip())
    if found is None:
        raise forms.ValidationError(_("There is no such item."))
    return found


def things_of(item_id: int, text: str) -> list[int]:
    """Ids of an item's lots and units by their numbers; raise ValidationError for unknown ones."""
    numbers = [typed.strip() for typed in text.replace(",", "\n").splitlines() if typed.strip()]
    known = traceability.things_numbered(item_id=item_id, numbers=numbers)
    found = {number: known.get(traceability.normalised(number)) for number in numbers}
    unknown = [number for number, thing in found.items() if thing is None]
    if unknown:
        raise forms.ValidationError(
            _("Unknown: %(numbers)s.") % {"numbers": ", ".join(unknown[:5])}
        )
    return [thing for thing in found.values() if thing is not None]


class PlaceForm(Styled):
    place = forms.CharField(
        label=pgettext_lazy("goods", "Where"),
        max_length=120,
        help_text=_("Store, line, a customer's plant."),
    )
    quantity = quantity_field(pgettext_lazy("quantity", "Suspect"))


class CountForm(Styled):
    """What is known of suspect goods at a place; together they are the suspect quantity."""

    row = forms.IntegerField(widget=forms.HiddenInput)
    found = quantity_field(_("Found and segregated"))
    cleared = quantity_field(_("Looked at and good"))
    shipped = quantity_field(_("With customers"))
    missing = quantity_field(_("Not to be found"))

    def counts(self) -> Found:
        data = self.cleaned_data
        return Found(data["found"], data["cleared"], data["shipped"], data["missing"])


class RowForm(forms.Form):
    """Names a row, and may say why."""

    row = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(max_length=300, required=False)


class PartsForm(Styled):
    """The goods, in parts that sum."""

    def __init__(self, *args: Any, nonconformance: Nonconformance, **kwargs: Any) -> None:
        self.nonconformance = nonconformance
        super().__init__(*args, **kwargs)

    def more_fields(self) -> dict[str, forms.Field]:
        """The fields of each part."""
        return {
            name: field for number in range(PARTS) for name, field in _part_fields(number).items()
        }

    def rows(self) -> Iterator[dict[str, forms.BoundField]]:
        """The fields of each part."""
        for number in range(PARTS):
            yield {name: self[f"{name}_{number}"] for name in _PART}

    def clean(self) -> dict[str, Any]:
        """The parts that say something; raise ValidationError field by field."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        parts = []
        for number in range(PARTS):
            if not data.get(f"kind_{number}") or not data.get(f"quantity_{number}"):
                continue
            try:
                parts.append(self._part(number, data))
            except forms.ValidationError as error:
                self.add_error(f"what_{number}", error)
        data["parts"] = parts
        return data

    def _part(self, number: int, data: dict[str, Any]) -> Part:
        kind = DispositionKind(data[f"kind_{number}"])
        what = data.get(f"what_{number}", "").strip()
        operation, regraded_to, lot, units = None, None, None, []
        if kind == DispositionKind.REGRADE:
            regraded_to = item_of(data.get(f"to_{number}", "")).pk
        if "/" in what:
            operation = _operation_of(what)
        elif what:
            found = self.nonconformance
            about = found.things.filter(lot__number_norm=traceability.normalised(what)).first()
            ids = [about.lot_id] if about and about.lot_id else things_of(found.item_id, what)
            named_units = traceability.units(ids)
            units = [pk for pk in ids if pk in named_units]
            lot = next((pk for pk in ids if pk not in named_units), None)
        return Part(
            kind=kind,
            quantity=data[f"quantity_{number}"],
            reason=data.get(f"reason_{number}", ""),
            lot_id=lot,
            unit_ids=units,
            operation=operation,
            regraded_to_id=regraded_to,
        )


_PART = ("kind", "quantity", "what", "to", "reason")


def _part_fields(number: int) -> dict[str, forms.Field]:
    return {
        f"kind_{number}": forms.ChoiceField(
            label=_("Disposition"), required=False, choices=[("", "–"), *DispositionKind.choices]
        ),
        f"quantity_{number}": quantity_field(_("Quantity"), required=False),
        f"what_{number}": forms.CharField(
            label=_("Lot, serial numbers or WO/operation"), required=False, max_length=6000
        ),
        f"to_{number}": forms.CharField(label=_("Regraded to item"), required=False, max_length=60),
        f"reason_{number}": forms.CharField(label=_("Reason"), required=False, max_length=200),
    }


def _operation_of(text: str) -> WorkOrderOperation:
    """ "WO-100001/20" as an operation; raise ValidationError."""
    number, _slash, sequence = text.partition("/")
    found = WorkOrderOperation.objects.filter(
        work_order__number__iexact=number.strip(),
        sequence=int(sequence) if sequence.strip().isdecimal() else 0,
    ).first()
    if found is None:
        raise forms.ValidationError(_("There is no such operation."))
    return found


class ExecuteForm(Styled):
    row = forms.IntegerField(widget=forms.HiddenInput)
    result = forms.CharField(
        label=_("Result"),
        max_length=200,
        required=False,
        help_text=_("Of rework and repair: who looked at the pieces again, and what came of it."),
    )


class ConcessionForm(Styled):
    row = forms.IntegerField(widget=forms.HiddenInput)
    reason = text_field(_("Why it may be used"), most=300)
    valid_until = day_field(_("Valid until"), required=False)

    def day(self) -> date | None:
        found: date | None = self.cleaned_data["valid_until"]
        return found


class LinkForm(Styled):
    reference = forms.CharField(label=_("Ticket or document"), max_length=60)
