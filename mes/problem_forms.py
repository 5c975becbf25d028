"""What people type into an 8D and its actions."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from masterdata import selectors as masterdata
from masterdata.enums import CheckFrequency, CheckKind
from masterdata.selectors import operations
from masterdata.services.checks import Check
from mes.enums import ActionKind, CauseCategory, Chain, ChangeKind, Metric
from mes.models import EightD, Nonconformance
from mes.quality_forms import PersonField, Styled, day_field, people, text_field
from mes.services.eight_d import Because
from mes.services.improvements import Rating

ASPECTS = {
    "what": pgettext_lazy("is or is not", "What"),
    "where": pgettext_lazy("is or is not", "Where"),
    "when": pgettext_lazy("is or is not", "When"),
    "how_much": pgettext_lazy("is or is not", "How much"),
}
WHYS = 5


class LeaderForm(Styled):
    leader = PersonField(label=_("Leader"))


class TeamForm(LeaderForm):
    members = forms.ModelMultipleChoiceField(
        label=_("Members"),
        queryset=people(),
        widget=forms.SelectMultiple({"data-select": "", "size": 6}),
    )


class EmergencyForm(Styled):
    emergency = text_field(_("What was done at once"), help_text=_("“None needed” says so."))


class ProblemForm(Styled):
    """The problem, and what it is not."""

    statement = text_field(_("The problem"))

    def more_fields(self) -> dict[str, forms.Field]:
        """Two fields an aspect."""
        found: dict[str, forms.Field] = {}
        for aspect, label in ASPECTS.items():
            found[f"{aspect}_is"] = forms.CharField(
                label=_("%(aspect)s: is") % {"aspect": label}, required=False, max_length=300
            )
            found[f"{aspect}_is_not"] = forms.CharField(
                label=_("%(aspect)s: is not") % {"aspect": label}, required=False, max_length=300
            )
        return found

    def values(self) -> dict[str, Any]:
        data = self.cleaned_data
        rows = {
            aspect: {"is": data[f"{aspect}_is"], "is_not": data[f"{aspect}_is_not"]}
            for aspect in ASPECTS
        }
        return {"statement": data["statement"], "is_is_not": rows}


class WhyForm(Styled):
    """One chain: five whys at most, the cause they lead to, and its category."""

    chain = forms.ChoiceField(choices=Chain.choices, widget=forms.HiddenInput)

    def more_fields(self) -> dict[str, forms.Field]:
        """The whys with their evidence, then the cause."""
        found: dict[str, forms.Field] = {}
        for number in range(1, WHYS + 1):
            found[f"because_{number}"] = forms.CharField(
                label=_("Why %(number)s") % {"number": number}, required=number == 1, max_length=300
            )
            found[f"evidence_{number}"] = forms.CharField(
                label=_("Evidence"), required=False, max_length=200
            )
        found["cause"] = forms.CharField(label=_("Cause"), max_length=300)
        found["category"] = forms.ChoiceField(label=_("Category"), choices=CauseCategory.choices)
        if self.data.get("chain", self.initial.get("chain")) == Chain.ESCAPE:
            found["escape_point"] = forms.CharField(
                label=_("Escape point"),
                max_length=200,
                help_text=_("The first step at which it could have been noticed."),
            )
        return found

    def whys(self) -> list[Because]:
        data = self.cleaned_data
        return [
            Because(data[f"because_{number}"], data[f"evidence_{number}"])
            for number in range(1, WHYS + 1)
        ]

    def values(self) -> dict[str, Any]:
        data = self.cleaned_data
        chain = data["chain"]
        values = {f"{chain}_cause": data["cause"], f"{chain}_category": data["category"]}
        return values | ({"escape_point": data["escape_point"]} if chain == Chain.ESCAPE else {})


class PreventionForm(Styled):
    prevention = text_field(_("What else could fail alike, and what was changed there"))


class ClosingForm(Styled):
    closing = text_field(_("What was learned, and thanks"))


class EffectForm(Styled):
    """How the effect is shown."""

    metric = forms.ChoiceField(label=_("Judged by"), choices=Metric.choices)
    fixed_at = forms.DateTimeField(
        label=_("Made with the fix since"),
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    before_days = forms.IntegerField(
        label=_("Compared with so many days before"), min_value=1, max_value=3650
    )
    within_days = forms.IntegerField(
        label=_("Complaints within so many days of the delivery"), min_value=1, max_value=3650
    )
    effect_due_on = day_field(_("Shown by"), required=False)


class CustomerForm(Styled):
    """What customers may read."""

    customer_problem = text_field(_("Problem"))
    customer_containment = text_field(_("Containment"), required=False)
    customer_cause = text_field(_("Cause"), required=False)
    customer_actions = text_field(pgettext_lazy("quality", "Actions"), required=False)


class ActionForm(Styled):
    kind = forms.ChoiceField(
        label=_("Kind"), choices=ActionKind.choices, initial=ActionKind.CORRECTIVE
    )
    title = forms.CharField(label=_("What is to be done"), max_length=200)
    owner = PersonField(label=_("Who"))
    due_on = day_field(_("By when"))
    change = forms.ChoiceField(label=_("It changes"), choices=ChangeKind.choices)


class ResultForm(Styled):
    row = forms.IntegerField(widget=forms.HiddenInput)
    result = forms.CharField(label=_("What was done"), max_length=300)


class PostponeForm(Styled):
    row = forms.IntegerField(widget=forms.HiddenInput)
    due_on = day_field(_("By when"))
    reason = forms.CharField(label=_("Why"), max_length=200)


class _Change(Styled):
    row = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, nonconformance: Nonconformance, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.nonconformance = nonconformance

    def _offer_operations(self, today: Any) -> None:
        rows = operations.operations_on(item_id=self.nonconformance.item_id, on=today)
        self.operations = {row.pk: row for row in rows}
        self.fields["operation"].choices = [  # type: ignore[attr-defined]
            (str(pk), f"{row.sequence} {row.label}") for pk, row in self.operations.items()
        ]

    def step(self) -> Any:
        """The operation that was chosen."""
        return self.operations[int(self.cleaned_data["operation"])]


class CheckForm(_Change):
    """A check at an operation: a new one, or other limits of one that is there."""

    operation = forms.ChoiceField(label=_("Operation"))
    position = forms.TypedChoiceField(label=_("Check"), coerce=int)
    name = forms.CharField(label=_("Name"), max_length=200, required=False)
    name_zh = forms.CharField(label=_("Chinese name"), max_length=200, required=False)
    kind = forms.ChoiceField(label=_("Kind"), choices=CheckKind.choices, initial=CheckKind.MEASURE)
    unit = forms.CharField(label=_("Unit"), max_length=12, required=False)
    lower = forms.DecimalField(
        label=_("Lower limit"), max_digits=14, decimal_places=5, required=False
    )
    target = forms.DecimalField(label=_("Target"), max_digits=14, decimal_places=5, required=False)
    upper = forms.DecimalField(
        label=_("Upper limit"), max_digits=14, decimal_places=5, required=False
    )
    frequency = forms.ChoiceField(label=_("How often"), choices=CheckFrequency.choices)
    every = forms.IntegerField(label=_("Every so many pieces"), min_value=2, required=False)

    def __init__(self, *args: Any, today: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer_operations(today)
        there = {
            check.position: f"{row.sequence} / {check.position} {check.label}"
            for row in self.operations.values()
            for check in row.checks.all()
        }
        self.fields["position"].choices = [  # type: ignore[attr-defined]
            (0, _("A new one")),
            *there.items(),
        ]

    def clean(self) -> dict[str, Any]:
        """A new check needs a name; one that is there keeps its own."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not data.get("position") and not data.get("name", "").strip():
            self.add_error("name", _("A new check needs a name."))
        return data

    def check(self) -> Check:
        data = dict(self.cleaned_data)
        data.pop("row")
        data.pop("operation")
        old = next(
            (row for row in self.step().checks.all() if row.position == data["position"]),
            None,
        )
        if old is not None:
            data["name"] = data["name"].strip() or old.name
            data["name_zh"] = data["name_zh"].strip() or old.name_zh
            data["code"] = old.code
        else:
            data["position"] = 0
        return Check(**data)


class InstructionForm(_Change):
    """Words for who works there: read and confirmed once per work order."""

    operation = forms.ChoiceField(label=_("Operation"))
    text = forms.CharField(label=_("Instruction"), max_length=200)
    text_zh = forms.CharField(label=_("Instruction in Chinese"), max_length=200, required=False)

    def __init__(self, *args: Any, today: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer_operations(today)


class SupplierForm(_Change):
    supplier = forms.ChoiceField(label=_("Supplier"))
    text = text_field(_("What is asked"))
    answer_due_on = day_field(_("Answer by"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        codes = sorted(masterdata.supplier_ids())
        self.fields["supplier"].choices = [  # type: ignore[attr-defined]
            (code, code) for code in codes
        ]


class MaintenanceForm(_Change):
    """When a machine stands for its maintenance, in the site's wall time."""

    unit = forms.ChoiceField(label=_("Work unit"))
    starts_at = forms.DateTimeField(
        label=_("Start"), widget=forms.DateTimeInput({"type": "datetime-local"})
    )
    ends_at = forms.DateTimeField(
        label=_("End"), widget=forms.DateTimeInput({"type": "datetime-local"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        units = masterdata.active_units(site_id=self.nonconformance.site_id)
        self.fields["unit"].choices = [  # type: ignore[attr-defined]
            (str(unit.id), unit.code) for unit in units
        ]


class FmeaForm(_Change):
    failure_mode = forms.CharField(label=_("How it fails"), max_length=200)
    effect = forms.CharField(label=_("Effect"), max_length=200, required=False)
    cause = forms.CharField(label=_("Cause"), max_length=300, required=False)
    control = forms.CharField(label=_("Control"), max_length=200, required=False)
    operation = forms.IntegerField(label=_("Operation"), min_value=1, required=False)
    severity = forms.IntegerField(label=_("Severity"), min_value=1, max_value=10)
    occurrence = forms.IntegerField(label=_("Occurrence"), min_value=1, max_value=10)
    detection = forms.IntegerField(label=_("Detection"), min_value=1, max_value=10)

    def rating(self) -> Rating:
        data = dict(self.cleaned_data)
        data.pop("row")
        return Rating(**data)


class AnswerForm(Styled):
    text = text_field(_("What the supplier answered"))


def initial_of(eight_d: EightD) -> dict[str, dict[str, Any]]:
    """What each form of the 8D begins with."""
    problem = {"statement": eight_d.statement}
    for aspect, row in eight_d.is_is_not.items():
        problem |= {f"{aspect}_is": row.get("is", ""), f"{aspect}_is_not": row.get("is_not", "")}
    found: dict[str, dict[str, Any]] = {
        "team": {"leader": eight_d.leader_id, "members": [m.pk for m in eight_d.members]},
        "problem": problem,
        "effect": {
            "metric": eight_d.metric,
            "fixed_at": eight_d.fixed_at,
            "before_days": eight_d.before_days,
            "within_days": eight_d.within_days,
            "effect_due_on": eight_d.effect_due_on,
        },
    }
    for name, fields in (
        ("emergency", ("emergency",)),
        ("prevention", ("prevention",)),
        ("closing", ("closing",)),
        (
            "customer",
            ("customer_problem", "customer_containment", "customer_cause", "customer_actions"),
        ),
    ):
        found[name] = {field: getattr(eight_d, field) for field in fields}
    for chain in Chain:
        row = {
            "chain": chain.value,
            "cause": getattr(eight_d, f"{chain.value}_cause"),
            "category": getattr(eight_d, f"{chain.value}_category"),
            "escape_point": eight_d.escape_point,
        }
        for why in eight_d.whys.all():
            if why.chain == chain:
                row |= {
                    f"because_{why.position}": why.because,
                    f"evidence_{why.position}": why.evidence,
                }
        found[f"why_{chain.value}"] = row
    return found
