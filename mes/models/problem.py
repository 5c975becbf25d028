"""Why it happened and what is done about it: the 8D, its actions, their effect, the FMEA."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from mes.enums import (
    ActionKind,
    ActionState,
    CauseCategory,
    Chain,
    ChangeKind,
    Discipline,
    Effect,
    Metric,
    SupplierRequestState,
)
from mes.models.nonconformance import Nonconformance

if TYPE_CHECKING:
    from common.models import User


class EightD(models.Model):
    """The eight disciplines of one nonconformance."""

    nonconformance = models.OneToOneField(
        Nonconformance, on_delete=models.CASCADE, related_name="eight_d"
    )
    leader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    emergency = models.TextField(blank=True)
    statement = models.TextField(blank=True)
    # {"what": {"is": …, "is_not": …}, "where": …, "when": …, "how_much": …}
    is_is_not = models.JSONField(default=dict)
    occurrence_cause = models.CharField(max_length=300, blank=True)
    occurrence_category = models.CharField(max_length=12, choices=CauseCategory, blank=True)
    escape_cause = models.CharField(max_length=300, blank=True)
    escape_category = models.CharField(max_length=12, choices=CauseCategory, blank=True)
    # The first step at which it could have been noticed.
    escape_point = models.CharField(max_length=200, blank=True)
    # What else could fail alike, and what was changed there.
    prevention = models.TextField(blank=True)
    closing = models.TextField(blank=True)
    # How the effect is shown: by what, made since when, over how long.
    metric = models.CharField(max_length=12, choices=Metric, default=Metric.COMPLAINTS)
    fixed_at = models.DateTimeField(null=True)
    before_days = models.PositiveIntegerField(default=180)
    # A complaint counts that comes within so long of the delivery.
    within_days = models.PositiveIntegerField(default=30)
    effect_due_on = models.DateField(null=True)
    # What the customer may read of it, and since when.
    customer_problem = models.TextField(blank=True)
    customer_containment = models.TextField(blank=True)
    customer_cause = models.TextField(blank=True)
    customer_actions = models.TextField(blank=True)
    shared_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(before_days__gte=1, within_days__gte=1),
                name="%(app_label)s_%(class)s_looks_at_some_time",
            )
        ]

    def __str__(self) -> str:
        return f"8D {self.nonconformance_id}"

    @property
    def members(self) -> list["User"]:
        """Who works on it beside its leader."""
        return [row.user for row in self.team.all()]


class TeamMember(models.Model):
    """Somebody who works on an 8D."""

    eight_d = models.ForeignKey(EightD, on_delete=models.CASCADE, related_name="team")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["eight_d", "user"], name="%(app_label)s_%(class)s_once")
        ]

    def __str__(self) -> str:
        return f"{self.eight_d_id}: {self.user_id}"


class Step(models.Model):
    """One discipline: by when, and who said that it is done."""

    eight_d = models.ForeignKey(EightD, on_delete=models.CASCADE, related_name="steps")
    discipline = models.PositiveSmallIntegerField(choices=Discipline)
    due_on = models.DateField()
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    reminded_on = models.DateField(null=True)

    class Meta:
        ordering = ("discipline",)
        constraints = [
            models.UniqueConstraint(
                fields=["eight_d", "discipline"], name="%(app_label)s_%(class)s_once"
            )
        ]

    def __str__(self) -> str:
        return f"D{self.discipline}"


class Why(models.Model):
    """A link of one of the two chains: because of this, as that shows."""

    eight_d = models.ForeignKey(EightD, on_delete=models.CASCADE, related_name="whys")
    chain = models.CharField(max_length=10, choices=Chain)
    position = models.PositiveSmallIntegerField()
    because = models.CharField(max_length=300)
    # What shows it: a lot, a machine, a reading, a photo's name.
    evidence = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("chain", "position")
        constraints = [
            models.UniqueConstraint(
                fields=["eight_d", "chain", "position"], name="%(app_label)s_%(class)s_once"
            ),
            models.CheckConstraint(
                condition=Q(position__gte=1, position__lte=5),
                name="%(app_label)s_%(class)s_five_at_most",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.chain} {self.position}"


class QualityAction(models.Model):
    """Who does what by when, and whether another person saw that it helped."""

    nonconformance = models.ForeignKey(
        Nonconformance, on_delete=models.CASCADE, related_name="actions"
    )
    kind = models.CharField(max_length=10, choices=ActionKind)
    title = models.CharField(max_length=200)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    due_on = models.DateField()
    change = models.CharField(max_length=12, choices=ChangeKind, default=ChangeKind.NOTHING)
    # What was changed: "FLANGE-DN50 A / 20: Torque", "SC-100001".
    changed = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=10, choices=ActionState, default=ActionState.PLANNED)
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    verified_at = models.DateTimeField(null=True)
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    result = models.CharField(max_length=300, blank=True)
    reminded_on = models.DateField(null=True)

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.CheckConstraint(
                condition=Q(state="planned") | Q(done_at__isnull=False, done_by__isnull=False),
                name="%(app_label)s_%(class)s_done_has_its_moment",
            ),
            models.CheckConstraint(
                condition=Q(verified_by__isnull=True) | ~Q(verified_by=F("done_by")),
                name="%(app_label)s_%(class)s_verified_by_another",
            ),
        ]
        indexes = [
            models.Index(fields=["due_on"], condition=Q(state="planned"), name="qualityaction_due")
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_over(self) -> bool:
        """Whether another person has seen that it is done."""
        return self.state == ActionState.VERIFIED


class EffectResult(models.Model):
    """What the figures said when somebody looked: so many of so many, before and after."""

    eight_d = models.ForeignKey(EightD, on_delete=models.CASCADE, related_name="results")
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    metric = models.CharField(max_length=12, choices=Metric)
    before_total = models.PositiveIntegerField()
    before_bad = models.PositiveIntegerField()
    after_total = models.PositiveIntegerField()
    after_bad = models.PositiveIntegerField()
    effect = models.CharField(max_length=8, choices=Effect)

    class Meta:
        ordering = ("-pk",)
        constraints = [
            models.CheckConstraint(
                condition=Q(before_bad__lte=F("before_total"), after_bad__lte=F("after_total")),
                name="%(app_label)s_%(class)s_bad_are_of_all",
            )
        ]

    def __str__(self) -> str:
        return f"{self.after_bad}/{self.after_total}"


class SupplierRequest(models.Model):
    """A supplier is asked for the cause and for corrective action, with a day to answer by."""

    number = models.CharField(max_length=20, unique=True)
    nonconformance = models.ForeignKey(
        Nonconformance, on_delete=models.PROTECT, related_name="supplier_requests"
    )
    action = models.OneToOneField(
        QualityAction, null=True, on_delete=models.SET_NULL, related_name="supplier_request"
    )
    supplier = models.ForeignKey("masterdata.Supplier", on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    answer_due_on = models.DateField()
    state = models.CharField(
        max_length=10, choices=SupplierRequestState, default=SupplierRequestState.SENT
    )
    sent_at = models.DateTimeField()
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    answer = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True)
    reminded_on = models.DateField(null=True)
    # Counts how often it was asked: one more each time an answer was not enough.
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.CheckConstraint(
                condition=Q(state="sent") | ~Q(answer="") & Q(answered_at__isnull=False),
                name="%(app_label)s_%(class)s_answered_says_what",
            )
        ]

    def __str__(self) -> str:
        return self.number


class SupplierRequestMail(models.Model):
    """One revision of a request on its way to the supplier; of each there is one."""

    request = models.ForeignKey(SupplierRequest, on_delete=models.CASCADE, related_name="mails")
    revision = models.PositiveIntegerField()
    # As it was when somebody sent it.
    to = models.EmailField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    # How often somebody pressed: more than once only after it failed.
    asked = models.PositiveIntegerField(default=1)
    mailed_at = models.DateTimeField(null=True)
    # Why the last attempt failed; empty once the mail server took it.
    error = models.TextField(blank=True)

    class Meta:
        ordering = ("revision",)
        constraints = [
            models.UniqueConstraint(
                fields=["request", "revision"], name="%(app_label)s_%(class)s_once_per_revision"
            )
        ]

    def __str__(self) -> str:
        return f"{self.request_id}/{self.revision}"


class FmeaRow(models.Model):
    """How a step may fail, and how bad, how often and how hidden that is (AIAG & VDA, 1 to 10)."""

    item = models.ForeignKey("masterdata.Item", on_delete=models.PROTECT, related_name="+")
    # Of the routing; none: of the design or of all of it.
    operation = models.PositiveIntegerField(null=True)
    failure_mode = models.CharField(max_length=200)
    effect = models.CharField(max_length=200, blank=True)
    cause = models.CharField(max_length=300, blank=True)
    control = models.CharField(max_length=200, blank=True)
    symptom = models.CharField(max_length=40, blank=True)
    severity = models.PositiveSmallIntegerField()
    occurrence = models.PositiveSmallIntegerField()
    detection = models.PositiveSmallIntegerField()
    # What the occurrence was reckoned from: "3 of 1,200 in 180 days".
    occurrence_bad = models.PositiveIntegerField(null=True)
    occurrence_total = models.PositiveIntegerField(null=True)
    # And the detection: so many customers found, so many we did.
    found_outside = models.PositiveIntegerField(null=True)
    found_inside = models.PositiveIntegerField(null=True)
    updated_at = models.DateTimeField()
    nonconformance = models.ForeignKey(
        Nonconformance, null=True, on_delete=models.SET_NULL, related_name="fmea_rows"
    )

    class Meta:
        ordering = ("item__code", "operation", "pk")
        constraints = [
            models.CheckConstraint(
                condition=Q(severity__gte=1, severity__lte=10, occurrence__gte=1)
                & Q(occurrence__lte=10, detection__gte=1, detection__lte=10),
                name="%(app_label)s_%(class)s_ratings_from_1_to_10",
            )
        ]

    def __str__(self) -> str:
        return self.failure_mode

    @property
    def risk(self) -> int:
        """Severity × occurrence × detection."""
        return self.severity * self.occurrence * self.detection
