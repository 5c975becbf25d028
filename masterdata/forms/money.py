"""The form of an exchange rate."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from masterdata.forms.fields import CurrencyField, DayField
from masterdata.forms.records import VersionedForm
from masterdata.models import ExchangeRate


class ExchangeRateForm(VersionedForm):
    """What one currency is worth in another from a day on."""

    source = CurrencyField(
        label=_("From currency"), help_text=_("The foreign currency, such as EUR.")
    )
    rate = forms.DecimalField(
        label=_("Exchange rate"),
        max_digits=18,
        decimal_places=8,
        min_value=0,
        help_text=_("What one of the foreign currency is worth in the other."),
    )
    target = CurrencyField(label=_("To currency"), help_text=_("The site's currency."))
    valid_from = DayField(label=_("Valid from"))

    class Meta:
        model = ExchangeRate
        fields = ("source", "rate", "target", "valid_from")

    def clean(self) -> dict[str, Any]:
        """Say at the field what the database would refuse."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("rate") is not None and data["rate"] <= 0:
            self.add_error("rate", _("The rate must be above 0."))
        if data.get("source") and data.get("source") == data.get("target"):
            self.add_error("target", _("An exchange rate is between two different currencies."))
        named = {name: data.get(name) for name in ("source", "target", "valid_from")}
        same = ExchangeRate.objects.filter(**named).exclude(pk=self.instance.pk)
        if all(named.values()) and same.exists():
            self.add_error("valid_from", _("There is a rate from this day on already."))
        return data
