"""What a customer writes."""

from django import forms
from django.utils.translation import gettext_lazy as _

from common.forms import FilesField, OnceForm
from crm.services.ticket_photos import PHOTO_TYPES

LONGEST_BODY = 20_000
_CONTROL = {"class": "form-control"}


class ComplaintForm(OnceForm):
    """A complaint about one of the customer's products."""

    serial = forms.CharField(
        label=_("Serial number"),
        max_length=200,
        help_text=_("It is on the label of the product."),
        widget=forms.TextInput({**_CONTROL, "autocomplete": "off", "spellcheck": "false"}),
    )
    title = forms.CharField(
        label=_("What is wrong?"), max_length=200, widget=forms.TextInput(_CONTROL)
    )
    body = forms.CharField(
        label=_("Tell us more"),
        max_length=LONGEST_BODY,
        widget=forms.Textarea({**_CONTROL, "rows": 6}),
    )
    photos = FilesField(label=_("Photos"), accept=PHOTO_TYPES)


class AnswerForm(OnceForm):
    """The customer goes on with a ticket."""

    body = forms.CharField(
        label=_("Your message"),
        max_length=LONGEST_BODY,
        widget=forms.Textarea({**_CONTROL, "rows": 4}),
    )
    photos = FilesField(label=_("Photos"), accept=PHOTO_TYPES)
