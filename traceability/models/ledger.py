"""The genealogy ledger: what went into what, how it was made, where it went.

Lots, kits and serial units are nodes of one graph; ``traceability.enums.kind_of`` tells the kind
from the id. Links, readings and custodies name nodes by bare ids: the services check them when
they write, and the nightly audit checks them again (docs/traceability.md).
"""

from typing import TypedDict

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from common.models import BilingualName
from traceability.enums import (
    FIRST_KIT_ID,
    FIRST_UNIT_ID,
    Certainty,
    DocumentKind,
    EventKind,
    LinkEndWhy,
    LinkRole,
    Verdict,
)


class _Places(TypedDict):
    max_digits: int
    decimal_places: int


QUANTITY: _Places = {"max_digits": 18, "decimal_places": 6}


class Event(models.Model):
    """A fact of the ledger, written in the transaction that made it true; append-only.

    ``digest`` is the SHA-256 over all rows that the event wrote (``services.digests``); when the
    transaction commits, the database chains it to the site's events before it (``Seal``).
    """

    kind = models.CharField(max_length=12, choices=EventKind)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+"
    )
    site = models.ForeignKey("masterdata.Site", on_delete=models.PROTECT, related_name="+")
    # What it belongs to: "WO-100001", "PO-100004", "SH-100012", a ticket.
    reference = models.CharField(max_length=60, blank=True)
    # Of the work order's routing.
    operation = models.PositiveIntegerField(null=True)
    work_unit = models.ForeignKey(
        "masterdata.WorkUnit", null=True, on_delete=models.PROTECT, related_name="+"
    )
    tool = models.ForeignKey(
        "masterdata.Tool", null=True, on_delete=models.PROTECT, related_name="+"
    )
    # Of the machine, with its version.
    program = models.CharField(max_length=60, blank=True)
    # The event that this one puts right.
    corrects = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=200, blank=True)
    digest = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind="correction") | Q(corrects__isnull=False),
                name="%(app_label)s_%(class)s_correction_names_what",
            )
        ]
        indexes = [
            models.Index(
                fields=["reference"], condition=~Q(reference=""), name="traceevent_reference"
            ),
            models.Index(
                fields=["corrects"], condition=Q(corrects__isnull=False), name="traceevent_corrects"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.kind}"


class Seal(models.Model):
    """The chain over a site's events: each hash covers the one before it and the event's row.

    Written by the database at commit; nobody else writes it. Append-only.
    """

    event_id = models.BigIntegerField(primary_key=True)
    site_id = models.BigIntegerField()
    position = models.BigIntegerField()
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site_id", "position"], name="%(app_label)s_%(class)s_one_after_the_other"
            )
        ]

    def __str__(self) -> str:
        return f"{self.site_id}/{self.position}"


class Kit(models.Model):
    """A set of lots loaded at one station, shared by all that is made from it.

    ``hash`` is the SHA-256 of its sorted lines: the same set is one kit, however often it is used.
    """

    id = models.BigAutoField(primary_key=True)
    hash = models.BinaryField(max_length=32)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["hash"], name="%(app_label)s_%(class)s_once"),
            models.CheckConstraint(
                condition=Q(id__gte=FIRST_KIT_ID, id__lt=FIRST_UNIT_ID),
                name="%(app_label)s_%(class)s_id_tells_the_kind",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class Link(models.Model):
    """The child was made from, or contains, the parent. Append-only.

    ``quantity`` is what one child took of the parent, in the parent's unit: of a lot as child,
    what the whole event took.
    """

    pk = models.CompositePrimaryKey("child", "parent", "event_id")
    child = models.BigIntegerField()
    parent = models.BigIntegerField()
    event_id = models.BigIntegerField()
    quantity = models.DecimalField(**QUANTITY)
    role = models.PositiveSmallIntegerField(choices=LinkRole)
    certainty = models.PositiveSmallIntegerField(choices=Certainty, default=Certainty.EXACT)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(child=F("parent")), name="%(app_label)s_%(class)s_not_to_itself"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="%(app_label)s_%(class)s_takes_something"
            ),
            # Lots reach units only through a kit, where the doubt is said once.
            models.CheckConstraint(
                condition=Q(child__lt=FIRST_UNIT_ID)
                | Q(parent__gte=FIRST_KIT_ID, certainty=Certainty.EXACT.value),
                name="%(app_label)s_%(class)s_units_take_kits_and_units",
            ),
            models.CheckConstraint(
                condition=Q(child__lt=FIRST_KIT_ID)
                | Q(child__gte=FIRST_UNIT_ID)
                | Q(parent__lt=FIRST_KIT_ID),
                name="%(app_label)s_%(class)s_kits_take_lots",
            ),
        ]
        indexes = [
            models.Index(fields=["parent", "child"], name="link_downward"),
            # Rare, and asked for with every impact.
            models.Index(
                fields=["child", "parent"],
                condition=Q(child__lt=FIRST_KIT_ID, parent__gte=FIRST_UNIT_ID),
                name="link_units_in_lots",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.child} < {self.parent}"


class LinkEnd(models.Model):
    """A link that holds no more: the part was taken out, or never was in. Append-only."""

    child = models.BigIntegerField()
    parent = models.BigIntegerField()
    # The event of the link, and the one that ended it.
    event_id = models.BigIntegerField()
    ended_by = models.BigIntegerField()
    why = models.PositiveSmallIntegerField(choices=LinkEndWhy)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["child", "parent", "event_id"], name="%(app_label)s_%(class)s_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.child} x {self.parent}"


class UnitKit(models.Model):
    """Derived: every kit inside a unit, those of its sub-units too; the audit rebuilds it."""

    pk = models.CompositePrimaryKey("kit_id", "unit_id")
    kit_id = models.BigIntegerField()
    unit_id = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["unit_id", "kit_id"], name="unitkit_of_unit")]

    def __str__(self) -> str:
        return f"{self.kit_id} in {self.unit_id}"


class Parameter(BilingualName):
    """What is measured: torque, temperature; one row per code."""

    code = models.CharField(max_length=60, unique=True)
    unit = models.CharField(max_length=12, blank=True)

    def __str__(self) -> str:
        return self.code


class Reading(models.Model):
    """What was done to a lot or unit at a station, and what was measured. Append-only.

    Without a parameter: that it passed the operation. Partitioned by ``at``; the default
    partition holds what no month was made for (docs/traceability.md).
    """

    pk = models.CompositePrimaryKey("id", "at")
    id = models.BigIntegerField()
    at = models.DateTimeField()
    subject = models.BigIntegerField()
    event_id = models.BigIntegerField()
    operation = models.PositiveIntegerField(null=True)
    work_unit_id = models.BigIntegerField(null=True)
    operator_id = models.BigIntegerField(null=True)
    tool_id = models.BigIntegerField(null=True)
    program = models.CharField(max_length=60, blank=True)
    parameter_id = models.BigIntegerField(null=True)
    value = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    lower = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    upper = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    verdict = models.PositiveSmallIntegerField(choices=Verdict, default=Verdict.NONE)

    def __str__(self) -> str:
        return f"{self.subject} {self.at}"


class Document(models.Model):
    """The paper by which goods came or went, with the partner it names."""

    kind = models.CharField(max_length=12, choices=DocumentKind)
    number = models.CharField(max_length=60)
    customer = models.ForeignKey(
        "masterdata.Customer", null=True, on_delete=models.PROTECT, related_name="+"
    )
    supplier = models.ForeignKey(
        "masterdata.Supplier", null=True, on_delete=models.PROTECT, related_name="+"
    )
    # The order it fulfils: ours, or the customer's.
    order_number = models.CharField(max_length=60, blank=True)
    certificate = models.CharField(max_length=120, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "number", "order_number"], name="%(app_label)s_%(class)s_once"
            )
        ]
        indexes = [models.Index(fields=["order_number"], name="document_order_number")]

    def __str__(self) -> str:
        return self.number


class Custody(models.Model):
    """A lot or unit changed hands by a document. Append-only; the last one says who has it."""

    thing = models.BigIntegerField()
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="custodies")
    event_id = models.BigIntegerField()
    quantity = models.DecimalField(**QUANTITY)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="%(app_label)s_%(class)s_hands_over_something"
            )
        ]
        indexes = [models.Index(fields=["thing", "id"], name="custody_of_thing")]

    def __str__(self) -> str:
        return f"{self.thing} by {self.document_id}"
