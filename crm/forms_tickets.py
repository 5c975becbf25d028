"""Forms of tickets, returns and reports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from common.forms import FilesField, OnceForm
from crm import selectors_tickets as selectors
from crm.enums import (
    ReportTier,
    RmaDisposition,
    RmaFinding,
    TicketPriority,
    TicketState,
    WarrantyDecision,
)
from crm.forms_site import AtSiteForm
from crm.models import TicketMacro, TicketSymptom
from crm.services.ticket_inbox import LARGEST_MAIL
from crm.services.ticket_photos import PHOTO_TYPES
from masterdata import selectors as masterdata

if TYPE_CHECKING:
    from masterdata.models import Customer

_CONTROL = {"class": "form-control", "autocomplete": "off"}
_SELECT = {"class": "form-select"}
LONGEST_BODY = 20_000


class _Symptom(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return str(obj.label)


class CustomerInput(forms.TextInput):
    """A customer's code, found by typing; the page holds the one that is chosen, not thousands."""

    def build_attrs(
        self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        attrs = super().build_attrs(base_attrs, extra_attrs)
        return {**attrs, "data-select": True, "data-url": f"{reverse('crm:ticket-customers')}?q="}

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        if value:
            found = masterdata.customer_by_code(str(value))
            chosen = [customer_option(found)] if found else [{"value": value, "text": value}]
            attrs = {**(attrs or {}), "data-chosen": json.dumps(chosen, ensure_ascii=False)}
        return super().get_context(name, value, attrs)


def customer_option(customer: Customer) -> dict[str, str]:
    """What ``select.js`` shows of a customer, and the code that a form sends."""
    return {"value": customer.code, "text": f"{customer.code} {customer.label}"}


class _Choices(forms.Form):
    """What a ticket is about; customer and item by their codes."""

    customer = forms.CharField(
        label=_("Customer"), max_length=40, required=False, widget=CustomerInput(_CONTROL)
    )
    serial = forms.CharField(
        label=_("Serial number"),
        max_length=200,
        required=False,
        widget=forms.TextInput({**_CONTROL, "class": "form-control code", "spellcheck": "false"}),
    )
    # Chosen among several products of the number.
    thing = forms.IntegerField(min_value=1, required=False, widget=forms.HiddenInput)
    item = forms.CharField(
        label=_("Item"),
        max_length=60,
        required=False,
        help_text=_("Where the serial number is not known."),
        widget=forms.TextInput(_CONTROL),
    )
    symptom = _Symptom(
        label=_("Symptom"),
        queryset=TicketSymptom.objects.none(),
        required=False,
        empty_label=_("Not known yet"),
        widget=forms.Select(_SELECT),
    )
    priority = forms.ChoiceField(
        label=_("Priority"),
        choices=TicketPriority.choices,
        initial=TicketPriority.NORMAL,
        widget=forms.Select(_SELECT),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        symptom = self.fields["symptom"]
        if isinstance(symptom, forms.ModelChoiceField):
            symptom.queryset = selectors.symptoms()

    def clean_customer(self) -> Any:
        code = self.cleaned_data["customer"].strip()
        customer = masterdata.customer_by_code(code)
        if code and customer is None:
            raise forms.ValidationError(
                _("There is no customer “%(code)s”."), params={"code": code}
            )
        return customer

    def clean_item(self) -> Any:
        code = self.cleaned_data["item"].strip()
        item = masterdata.item_by_code(code)
        if code and item is None:
            raise forms.ValidationError(_("There is no item “%(code)s”."), params={"code": code})
        return item


class TicketForm(AtSiteForm, _Choices, OnceForm):
    """A complaint as an agent notes it."""

    contact_name = forms.CharField(
        label=_("Contact"), max_length=120, required=False, widget=forms.TextInput(_CONTROL)
    )
    contact_email = forms.EmailField(
        label=_("E-mail"), required=False, widget=forms.EmailInput(_CONTROL)
    )
    title = forms.CharField(label=_("Subject"), max_length=200, widget=forms.TextInput(_CONTROL))
    body = forms.CharField(
        label=_("What the customer says"),
        max_length=LONGEST_BODY,
        widget=forms.Textarea({"class": "form-control", "rows": 5}),
    )
    photos = FilesField(label=_("Photos"), accept=PHOTO_TYPES)
    field_order = [
        "serial", "customer", "title", "body", "symptom", "priority", "contact_name",
        "contact_email", "item", "at_site", "photos",
    ]  # fmt: skip


class DescribeForm(_Choices):
    """What the ticket is about, as it is known by now."""

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)


class MessageForm(OnceForm):
    """What is written to the customer, or among us."""

    body = forms.CharField(label=_("Text"), max_length=LONGEST_BODY)
    is_answer = forms.BooleanField(label=_("This answers the complaint"), required=False)
    waits = forms.BooleanField(label=_("Then wait for the customer"), required=False)
    photos = FilesField(label=_("Photos"), accept=PHOTO_TYPES)


class MailForm(forms.Form):
    """A mail as a file, as mail programs save it."""

    mail = forms.FileField(label=_("Mail (.eml)"))

    def clean_mail(self) -> UploadedFile[Any]:
        file: UploadedFile[Any] = self.cleaned_data["mail"]
        if (file.size or 0) > LARGEST_MAIL:
            raise forms.ValidationError(_("The mail is too large."))
        return file


class WarrantyForm(forms.Form):
    decision = forms.ChoiceField(
        label=_("Decision"),
        choices=[row for row in WarrantyDecision.choices if row[0] != "undecided"],
        widget=forms.Select(_SELECT),
    )
    reason = forms.CharField(max_length=300, required=False)


class EvaluationForm(forms.Form):
    finding = forms.ChoiceField(
        label=_("Finding"), choices=RmaFinding.choices, widget=forms.Select(_SELECT)
    )
    disposition = forms.ChoiceField(
        label=_("The customer gets"), choices=RmaDisposition.choices, widget=forms.Select(_SELECT)
    )
    note = forms.CharField(max_length=500, required=False)


class ReportForm(OnceForm):
    """The report as it is to be sent."""

    tier = forms.ChoiceField(
        label=_("What it tells"),
        choices=ReportTier.choices,
        required=False,
        widget=forms.Select(_SELECT),
    )
    text = forms.CharField(max_length=LONGEST_BODY, required=False)


class TicketFilter(forms.Form):
    """What the list is narrowed to; lives in the URL."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        widget=forms.TextInput(
            {
                "type": "search",
                "class": "form-control",
                "placeholder": _("Number, serial number, customer"),
            }
        ),
    )
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[
            ("", _("To do")),
            ("mine", _("Mine")),
            ("overdue", _("Overdue")),
            ("all", _("All")),
            *TicketState.choices,
        ],
        widget=forms.Select(_SELECT),
    )


class SymptomForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = TicketSymptom
        fields = ("code", "name", "name_zh", "is_active")


class MacroForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = TicketMacro
        fields = ("code", "name", "name_zh", "text", "text_zh", "is_active")
        widgets = {
            "text": forms.Textarea({"rows": 4}),
            "text_zh": forms.Textarea({"rows": 4}),
        }
