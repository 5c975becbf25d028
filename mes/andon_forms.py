"""What is typed or tapped about alarms and machines that stand."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.enums import Role
from mes.enums import AndonKind
from mes.models import DowntimeReason
from mes.services.andon_rules import LONGEST, MOST_STEPS, Step

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


STAFF = [(role.value, role.label) for role in Role if role is not Role.CUSTOMER]


class StepForm(forms.Form):
    """Who is told, and after how many minutes without an answer; both empty: no such step."""

    after = forms.IntegerField(
        label=_("Minutes without an answer"),
        required=False,
        min_value=1,
        max_value=int(LONGEST.total_seconds() // 60),
        widget=forms.NumberInput({"class": "form-control", "inputmode": "numeric"}),
    )
    roles = forms.MultipleChoiceField(
        label=_("Who is told"),
        choices=STAFF,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("after") and not data.get("roles"):
            self.add_error("roles", _("Each step tells somebody of the staff."))
        if not self.is_first and data.get("roles") and "after" in data and not data["after"]:
            self.add_error("after", _("After how many minutes?"))
        return data

    @property
    def is_first(self) -> bool:
        return self.prefix == "step-0"

    @property
    def step(self) -> Step | None:
        """What was filled in, None where nothing was."""
        roles = tuple(role for role in Role if role.value in self.cleaned_data["roles"])
        after = timedelta(minutes=self.cleaned_data.get("after") or 0)
        return Step(after, roles) if roles else None


class StepForms:
    """As many step forms as there may be steps; the first is told at once."""

    def __init__(self, data: Any, steps: tuple[Step, ...]) -> None:
        self.forms = []
        for place in range(MOST_STEPS):
            step = steps[place] if place < len(steps) else None
            initial = {
                "after": int(step.after.total_seconds() // 60) if step and step.after else None,
                "roles": [role.value for role in step.roles] if step else [],
            }
            self.forms.append(StepForm(data, prefix=f"step-{place}", initial=initial))
        del self.forms[0].fields["after"]

    def __iter__(self) -> Iterator[StepForm]:
        return iter(self.forms)

    def is_valid(self) -> bool:
        return all(form.is_valid() for form in self.forms)

    @property
    def steps(self) -> list[Step]:
        return [form.step for form in self.forms if form.step is not None]


class DowntimeReasonForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A reason in the tree, and what customers may read of it."""

    class Meta:
        model = DowntimeReason
        fields = (
            "parent",
            "code",
            "name",
            "name_zh",
            "loss",
            "customer_text",
            "customer_text_zh",
            "is_active",
        )
        labels = {
            "parent": _("Below"),
            "code": _("Code"),
            "loss": _("Kind of stop"),
            "customer_text": _("What customers read"),
            "customer_text_zh": _("What customers read, in Chinese"),
            "is_active": _("In use"),
        }
        help_texts = {
            "loss": _("A planned stop lowers no availability."),
            "customer_text": _(
                "A sentence for delay notices, without machines and names. Empty: that of the"
                " reason above."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        parents = DowntimeReason.objects.filter(parent=None).exclude(pk=self.instance.pk)
        self.fields["parent"].queryset = parents.order_by("pk")  # type: ignore[attr-defined]
        self.fields["parent"].empty_label = _("the upper level")  # type: ignore[attr-defined]
        self.fields["parent"].label_from_instance = lambda row: row.label  # type: ignore[attr-defined]
        self.fields["code"].disabled = self.instance.pk is not None
        looks = {"parent": "form-select", "loss": "form-select", "is_active": "form-check-input"}
        for name, field in self.fields.items():
            field.widget.attrs["class"] = looks.get(name, "form-control")

    def clean_code(self) -> str:
        """Codes are written in capitals, as the first tree has them."""
        return str(self.cleaned_data["code"]).strip().upper()
