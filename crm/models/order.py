"""Sales orders and their lines, with the three dates that are never mixed."""

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.enums import ConversionState, OrderState

QUANTITY: dict[str, Any] = {"max_digits": 14, "decimal_places": 4}


class SalesOrder(models.Model):
    """What a customer orders of a site."""

    number = models.CharField(_("number"), max_length=20, unique=True)
    customer = models.ForeignKey("masterdata.Customer", on_delete=models.PROTECT, related_name="+")
    site = models.ForeignKey("masterdata.Site", on_delete=models.PROTECT, related_name="+")
    customer_reference = models.CharField(_("customer's reference"), max_length=80, blank=True)
    state = models.CharField(
        _("state"), max_length=16, choices=OrderState, default=OrderState.DRAFT
    )
    # The state that a hold came from and goes back to.
    held_from = models.CharField(max_length=16, blank=True)
    # Why it is held, was sent back or cancelled; the newest reason.
    state_reason = models.CharField(max_length=300, blank=True)
    currency = models.CharField(_("currency"), max_length=3, default="USD")
    note = models.TextField(_("note"), blank=True)
    # Counts edits; a form that was opened with an older one is stale.
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    approved_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        indexes = [
            models.Index(fields=["state", "-created_at"], name="order_by_state"),
            models.Index(fields=["customer", "-created_at"], name="order_by_customer"),
        ]

    def __str__(self) -> str:
        return self.number


class SalesOrderLine(models.Model):
    """An item, a quantity and three dates, all days at the customer's door.

    requested: the customer's wish. promised: our commitment, versioned in PromiseRevision.
    projected: recomputed from the live schedule, with history in Projection.
    """

    order = models.ForeignKey(SalesOrder, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    item = models.ForeignKey("masterdata.Item", on_delete=models.PROTECT, related_name="+")
    quantity = models.DecimalField(_("quantity"), **QUANTITY)
    shipped = models.DecimalField(_("shipped"), **QUANTITY, default=0)
    unit_price = models.DecimalField(_("unit price"), max_digits=14, decimal_places=4)
    requested_date = models.DateField(_("requested"))
    # What the promise check offered and sales accepted; it becomes the promise on approval.
    offered_date = models.DateField(_("offered"), null=True, blank=True)
    # Sales keeps the customer's date though it does not fit and asks planning to make room.
    is_rush_asked = models.BooleanField(default=False)
    promised_date = models.DateField(_("promised"), null=True, blank=True)
    projected_date = models.DateField(_("projected"), null=True, blank=True)
    # When the last piece is ready to leave the site, by the live schedule.
    projected_ready_at = models.DateTimeField(null=True)
    is_cancelled = models.BooleanField(default=False)
    # Counts changes of quantity or item after approval; conversion is once per revision.
    revision = models.PositiveIntegerField(default=1)
    conversion_state = models.CharField(
        max_length=10, choices=ConversionState, default=ConversionState.NONE
    )
    conversion_error = models.TextField(blank=True)
    requirement = models.OneToOneField(
        "erp.Requirement", null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order", "position"], name="%(app_label)s_%(class)s_once_per_position"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="%(app_label)s_%(class)s_quantity_positive"
            ),
            models.CheckConstraint(
                condition=Q(shipped__gte=0, shipped__lte=F("quantity")),
                name="%(app_label)s_%(class)s_shipped_within_quantity",
            ),
            models.CheckConstraint(
                condition=Q(unit_price__gte=0),
                name="%(app_label)s_%(class)s_price_not_negative",
            ),
        ]
        indexes = [
            models.Index(
                fields=["order"],
                condition=Q(conversion_state__in=["waiting", "failed"]),
                name="line_to_convert",
            )
        ]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.position}"

    @property
    def is_late(self) -> bool:
        """Whether it is projected after its promise; ``selectors.orders`` asks the same in SQL."""
        promised, projected = self.promised_date, self.projected_date
        return bool(promised and projected and projected > promised and not self.is_cancelled)


class BulkApproval(models.Model):
    """Many orders approved with one click, worked off by a job; its page shows how far."""

    order_ids = ArrayField(models.BigIntegerField())
    # How many of them have been looked at.
    handled = models.PositiveIntegerField(default=0)
    # {"SO-100001": "why it was not approved"}
    refused = models.JSONField(default=dict)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{len(self.order_ids)} orders"


class Conversion(models.Model):
    """Proof that a revision of a line was converted; there is never a second."""

    line = models.ForeignKey(SalesOrderLine, on_delete=models.CASCADE, related_name="conversions")
    revision = models.PositiveIntegerField()
    converted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["line", "revision"], name="%(app_label)s_%(class)s_once_per_revision"
            )
        ]

    def __str__(self) -> str:
        return f"{self.line_id} r{self.revision}"
