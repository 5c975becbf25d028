"""Complaints of customers: the ticket, what was said, what they have in common."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from common.models import BilingualName
from crm.enums import (
    MessageKind,
    TicketChannel,
    TicketPriority,
    TicketState,
    TraitKind,
    WarrantyDecision,
)

LARGEST_PHOTO = 8_000_000


class TicketSymptom(BilingualName):
    """What customers see of a fault; the master list."""

    code = models.CharField(_("code"), max_length=40, unique=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code


class TicketMacro(BilingualName):
    """A text that is written often, in both languages."""

    code = models.CharField(_("code"), max_length=40, unique=True)
    text = models.TextField(_("text"))
    text_zh = models.TextField(_("Chinese text"), blank=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code


class TicketTarget(models.Model):
    """How soon tickets of a priority are answered, in minutes of the site's business hours."""

    priority = models.CharField(max_length=10, choices=TicketPriority, unique=True)
    # Until the customer hears from a person, and until the complaint is answered.
    response_minutes = models.PositiveIntegerField(_("first response, minutes"))
    answer_minutes = models.PositiveIntegerField(_("answer, minutes"))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(response_minutes__gt=0, answer_minutes__gte=F("response_minutes")),
                name="%(app_label)s_%(class)s_answer_after_response",
            )
        ]

    def __str__(self) -> str:
        return self.priority


class Ticket(models.Model):
    """What a customer complains of, about one product where its number is known."""

    number = models.CharField(max_length=20, unique=True)
    site = models.ForeignKey("masterdata.Site", on_delete=models.PROTECT, related_name="+")
    # Null: a mail from somebody we do not know.
    customer = models.ForeignKey(
        "masterdata.Customer", null=True, on_delete=models.PROTECT, related_name="+"
    )
    contact_name = models.CharField(_("contact"), max_length=120, blank=True)
    contact_email = models.EmailField(_("contact's e-mail"), blank=True)
    title = models.CharField(_("subject"), max_length=200)
    channel = models.CharField(max_length=10, choices=TicketChannel, default=TicketChannel.AGENT)
    priority = models.CharField(
        max_length=10, choices=TicketPriority, default=TicketPriority.NORMAL
    )
    state = models.CharField(max_length=10, choices=TicketState, default=TicketState.OPEN)
    symptom = models.ForeignKey(
        TicketSymptom, null=True, on_delete=models.PROTECT, related_name="+"
    )
    item = models.ForeignKey(
        "masterdata.Item", null=True, on_delete=models.PROTECT, related_name="+"
    )
    # As it was typed, and which lot or unit of the genealogy that is.
    serial = models.CharField(_("serial number"), max_length=60, blank=True)
    thing = models.BigIntegerField(null=True)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    # The stopwatch: the first word of a person, and the answer.
    first_response_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    response_due_at = models.DateTimeField(null=True)
    answer_due_at = models.DateTimeField(null=True)
    # Business minutes in which its clock stood, and since when it stands now.
    paused_minutes = models.PositiveIntegerField(default=0)
    stopped_at = models.DateTimeField(null=True)
    # When people were told that it is overdue.
    reminded_at = models.DateTimeField(null=True)
    warranty = models.CharField(
        max_length=12, choices=WarrantyDecision, default=WarrantyDecision.UNDECIDED
    )
    warranty_reason = models.CharField(max_length=300, blank=True)
    warranty_decided_at = models.DateTimeField(null=True)
    # Counts edits; a form that was opened with an older one is stale.
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open", stopped_at__isnull=True)
                | (~Q(state="open") & Q(stopped_at__isnull=False)),
                name="%(app_label)s_%(class)s_clock_stands_while_not_open",
            ),
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False)
                | (~Q(state="closed") & Q(closed_at__isnull=True)),
                name="%(app_label)s_%(class)s_closed_has_its_moment",
            ),
            models.CheckConstraint(
                condition=Q(thing__isnull=True) | Q(item__isnull=False),
                name="%(app_label)s_%(class)s_thing_has_an_item",
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True)
                | Q(answered_at__gte=F("opened_at"), first_response_at__isnull=False),
                name="%(app_label)s_%(class)s_answer_is_a_response",
            ),
            models.CheckConstraint(
                condition=Q(warranty="undecided", warranty_decided_at__isnull=True)
                | (~Q(warranty="undecided") & Q(warranty_decided_at__isnull=False)),
                name="%(app_label)s_%(class)s_warranty_has_its_moment",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "-opened_at"], name="ticket_by_state"),
            models.Index(fields=["customer", "-opened_at"], name="ticket_by_customer"),
            models.Index(fields=["item", "-opened_at"], name="ticket_by_item"),
            models.Index(fields=["-opened_at"], name="ticket_by_time"),
            models.Index(
                fields=["thing"], condition=Q(thing__isnull=False), name="ticket_by_thing"
            ),
        ]

    def __str__(self) -> str:
        return self.number


class TicketMessage(models.Model):
    """Something that was said, to the customer, by them, or among us."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="messages")
    kind = models.CharField(max_length=6, choices=MessageKind)
    body = models.TextField()
    at = models.DateTimeField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    # Of who has no account: a mail's sender.
    author_name = models.CharField(max_length=150, blank=True)
    # It answers the complaint: here the stopwatch stops.
    is_answer = models.BooleanField(default=False)
    report = models.ForeignKey(
        "crm.TraceReport", null=True, on_delete=models.PROTECT, related_name="+"
    )
    # A mail's own id: what comes twice is one message.
    message_id = models.CharField(max_length=250, blank=True)
    # Where it is mailed to, and when the mail server took it.
    mail_to = models.CharField(max_length=500, blank=True)
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["message_id"],
                condition=~Q(message_id=""),
                name="%(app_label)s_%(class)s_arrives_once",
            ),
            models.CheckConstraint(
                condition=~Q(kind="note") | Q(mail_to="", is_answer=False, report__isnull=True),
                name="%(app_label)s_%(class)s_notes_stay_here",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.at:%Y-%m-%d %H:%M}"


class TicketMailAttempt(models.Model):
    """One attempt to mail a message; written whether it went well or not."""

    message = models.ForeignKey(TicketMessage, on_delete=models.CASCADE, related_name="attempts")
    at = models.DateTimeField()
    # Empty where the mail server took it.
    error = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.message_id} {self.at:%Y-%m-%d %H:%M}"


class TicketPhoto(models.Model):
    """A picture that came with a message; lies where web and workers both reach it."""

    message = models.ForeignKey(TicketMessage, on_delete=models.CASCADE, related_name="photos")
    name = models.CharField(max_length=120)
    # By its first bytes, not by what the sender called it.
    content_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    content = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["message", "digest"], name="%(app_label)s_%(class)s_once_per_message"
            ),
            models.CheckConstraint(
                condition=Q(size__gt=0, size__lte=LARGEST_PHOTO),
                name="%(app_label)s_%(class)s_has_a_size",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TicketTrait(models.Model):
    """Derived: a lot inside the ticket's product, or a machine that made it."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="traits")
    kind = models.CharField(max_length=10, choices=TraitKind)
    # Id of the lot, machine or symptom.
    ref = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["ticket", "kind", "ref"], name="%(app_label)s_%(class)s_once"
            )
        ]
        indexes = [models.Index(fields=["kind", "ref"], name="ticket_trait_shared")]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.kind} {self.ref}"


class TicketCluster(models.Model):
    """Several tickets about one item share a lot, a machine or a symptom."""

    item = models.ForeignKey("masterdata.Item", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=TraitKind)
    ref = models.BigIntegerField()
    tickets = models.PositiveIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    found_at = models.DateTimeField()
    # Somebody took care of it, and says how.
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    settled_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "kind", "ref"],
                condition=Q(settled_at__isnull=True),
                name="%(app_label)s_%(class)s_one_open",
            ),
            models.CheckConstraint(
                condition=Q(settled_at__isnull=True) | ~Q(settled_reason=""),
                name="%(app_label)s_%(class)s_settled_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_id} {self.kind} {self.ref}"


class TicketEvidence(models.Model):
    """A containment list as it was at a moment. Append-only."""

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="evidence")
    # What the list starts from: a lot or a unit of the genealogy.
    thing = models.BigIntegerField()
    title = models.CharField(max_length=200)
    units = models.PositiveIntegerField()
    snapshot = models.JSONField()
    # SHA-256 over the snapshot in its canonical form.
    digest = models.CharField(max_length=64)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+"
    )

    def __str__(self) -> str:
        return self.title
