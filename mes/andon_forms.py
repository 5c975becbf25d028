"""What is typed or tapped about alarms and machines that stand."""

from datetime import datetime, timedelta

from django import forms
from django.utils.translation import gettext_lazy as _

from mes.enums import AndonKind
from mes.models import DowntimeReason

# How long a stop is expected to last, in minutes; one tap each.
SPANS = (15, 30, 60, 120, 240, 480, 1440)


class CallForm(forms.Form):
    unit = forms.CharField(max_length=40)
    kind = forms.ChoiceField(choices=AndonKind.choices)
    note = forms.CharField(max_length=200, required=False)


class DownForm(forms.Form):
    """Until when: in so many minutes, or a moment in the site's wall time; both may be unknown."""

    minutes = forms.IntegerField(required=False, min_value=1, max_value=90 * 24 * 60)
    until = forms.DateTimeField(required=False)
    reason = forms.CharField(max_length=40, required=False)
    note = forms.CharField(max_length=200, required=False)

    def clean_reason(self) -> DowntimeReason | None:
        code = self.cleaned_data["reason"]
        if not code:
            return None
        found = DowntimeReason.objects.filter(code=code, is_active=True).first()
        if found is None:
            raise forms.ValidationError(_("There is no such reason."))
        return found

    def moment(self, now: datetime) -> datetime | None:
        """The moment that was said, None where nobody knows yet."""
        minutes: int | None = self.cleaned_data["minutes"]
        if minutes:
            return now + timedelta(minutes=minutes)
        until: datetime | None = self.cleaned_data["until"]
        return until
