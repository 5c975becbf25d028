"""Work orders, what they are for (pegs) and what they need (frozen BOM)."""

from typing import TypedDict

from django.db import models
from django.db.models import F, Q

from masterdata.enums import IssueMethod
from mes.enums import WorkOrderState


class Places(TypedDict):
    max_digits: int
    decimal_places: int


QUANTITY: Places = {"max_digits": 14, "decimal_places": 4}


class WorkOrder(models.Model):
    """An order to make a quantity of one item, with BOM and routing frozen in as copies."""

    number = models.CharField(max_length=20, unique=True)
    item = models.ForeignKey("masterdata.Item", on_delete=models.PROTECT, related_name="+")
    site = models.ForeignKey("masterdata.Site", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, choices=WorkOrderState, default=WorkOrderState.PLANNED)
    # To be started; ``good`` counts what came out of the last operation, ``scrapped`` what was
    # lost at any of them.
    quantity = models.DecimalField(**QUANTITY)
    # Good pieces to count on: the quantity less the scrap allowance of the day it was planned,
    # less what was scrapped beyond it. Its pegs never promise more.
    output = models.DecimalField(**QUANTITY)
    good = models.DecimalField(**QUANTITY, default=0)
    scrapped = models.DecimalField(**QUANTITY, default=0)
    due_at = models.DateTimeField()
    # Higher goes first in dispatch lists.
    priority = models.PositiveIntegerField(default=0)
    # Start day of the demand period that this order gathers; null unless the lot policy says so.
    period_date = models.DateField(null=True)
    # What a hold took it from; of a completed one: it was on hold then.
    held_from = models.CharField(max_length=12, blank=True)
    bom_revision = models.CharField(max_length=20, blank=True)
    routing_revision = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    # Its costs are explained; nothing more is booked on it.
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gt=0, good__gte=0, scrapped__gte=0),
                name="%(app_label)s_%(class)s_quantities_well_formed",
            ),
            models.CheckConstraint(
                condition=Q(good__lte=F("quantity") - F("scrapped")),
                name="%(app_label)s_%(class)s_quantities_conserved",
            ),
            models.CheckConstraint(
                condition=Q(output__gte=0, output__lte=F("quantity")),
                name="%(app_label)s_%(class)s_output_within_quantity",
            ),
        ]
        indexes = [
            models.Index(
                fields=["site", "item", "due_at"],
                condition=Q(state__in=["planned", "released", "in_progress", "on_hold"]),
                name="workorder_open",
            )
        ]

    def __str__(self) -> str:
        return self.number


class WorkOrderPeg(models.Model):
    """The share of a work order's output that serves a requirement."""

    work_order = models.ForeignKey(WorkOrder, on_delete=models.CASCADE, related_name="pegs")
    requirement = models.ForeignKey("erp.Requirement", on_delete=models.CASCADE, related_name="+")
    quantity = models.DecimalField(**QUANTITY)
    # Already handed over to the requirement as reserved stock.
    delivered = models.DecimalField(**QUANTITY, default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["work_order", "requirement"],
                name="%(app_label)s_%(class)s_once_per_requirement",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, delivered__gte=0, delivered__lte=F("quantity")),
                name="%(app_label)s_%(class)s_quantities_well_formed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.work_order_id} → {self.requirement_id}"


class WorkOrderMaterial(models.Model):
    """A line of the frozen BOM; its requirement in erp says how much and by when."""

    work_order = models.ForeignKey(WorkOrder, on_delete=models.CASCADE, related_name="materials")
    position = models.PositiveIntegerField()
    item = models.ForeignKey("masterdata.Item", on_delete=models.PROTECT, related_name="+")
    quantity_per = models.DecimalField(max_digits=14, decimal_places=6)
    scrap_rate = models.DecimalField(max_digits=5, decimal_places=4, default=0)
    requirement = models.OneToOneField(
        "erp.Requirement", on_delete=models.PROTECT, related_name="+"
    )
    issue_method = models.CharField(
        max_length=10, choices=IssueMethod, default=IssueMethod.AT_START
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["work_order", "position"],
                name="%(app_label)s_%(class)s_once_per_position",
            ),
            models.CheckConstraint(
                condition=Q(quantity_per__gt=0),
                name="%(app_label)s_%(class)s_quantity_positive",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.work_order_id}/{self.position}"
