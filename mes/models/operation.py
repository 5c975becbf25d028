"""Operations of work orders: the frozen routing, the plan, and what happened."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from common.models import BilingualName
from masterdata.enums import RunBasis
from mes.enums import OperationState
from mes.models.work_order import QUANTITY, WorkOrder


class WorkOrderOperation(BilingualName):
    """One step of a work order. Planned fields are written by aps when it publishes."""

    work_order = models.ForeignKey(WorkOrder, on_delete=models.CASCADE, related_name="operations")
    sequence = models.PositiveIntegerField()
    work_center = models.ForeignKey(
        "masterdata.WorkCenter", on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(max_length=12, choices=OperationState, default=OperationState.WAITING)
    setup_minutes = models.DecimalField(max_digits=10, decimal_places=3, default=0)
    run_minutes = models.DecimalField(max_digits=12, decimal_places=5, default=0)
    run_basis = models.CharField(max_length=10, choices=RunBasis, default=RunBasis.PER_PIECE)
    setup_family = models.CharField(max_length=40, blank=True)
    skill = models.ForeignKey(
        "masterdata.Skill", null=True, on_delete=models.PROTECT, related_name="+"
    )
    people = models.IntegerField(default=1)
    tool = models.ForeignKey(
        "masterdata.Tool", null=True, on_delete=models.PROTECT, related_name="+"
    )
    is_interruptible = models.BooleanField(default=True)
    subcontractor = models.ForeignKey(
        "masterdata.Supplier", null=True, on_delete=models.PROTECT, related_name="+"
    )
    subcontract_days = models.PositiveIntegerField(default=0)
    # Before the next operation: clock minutes, at least and (if set) at most.
    wait_minutes = models.PositiveIntegerField(default=0)
    max_wait_minutes = models.PositiveIntegerField(null=True)
    # The next one may begin when so many good pieces are reported; none: when this one is done.
    transfer_quantity = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    good = models.DecimalField(**QUANTITY, default=0)
    scrap = models.DecimalField(**QUANTITY, default=0)
    # Pieces that came out neither good nor lost: set aside here until they are reworked.
    rework = models.DecimalField(**QUANTITY, default=0)
    planned_work_unit = models.ForeignKey(
        "masterdata.WorkUnit", null=True, on_delete=models.PROTECT, related_name="+"
    )
    planned_starts_at = models.DateTimeField(null=True)
    planned_ends_at = models.DateTimeField(null=True)
    work_unit = models.ForeignKey(
        "masterdata.WorkUnit", null=True, on_delete=models.PROTECT, related_name="+"
    )
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["work_order", "sequence"],
                name="%(app_label)s_%(class)s_once_per_sequence",
            ),
            models.CheckConstraint(
                condition=Q(setup_minutes__gte=0, run_minutes__gte=0, good__gte=0, scrap__gte=0),
                name="%(app_label)s_%(class)s_numbers_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(rework__gte=0), name="%(app_label)s_%(class)s_rework_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(people__gte=1), name="%(app_label)s_%(class)s_needs_somebody"
            ),
            models.CheckConstraint(
                condition=Q(max_wait_minutes__isnull=True)
                | Q(max_wait_minutes__gte=F("wait_minutes")),
                name="%(app_label)s_%(class)s_waits_in_order",
            ),
            models.CheckConstraint(
                condition=Q(transfer_quantity__isnull=True)
                | Q(transfer_quantity__gt=0, max_wait_minutes__isnull=True),
                name="%(app_label)s_%(class)s_transfers_something",
            ),
            models.CheckConstraint(
                condition=Q(planned_ends_at__isnull=True)
                | Q(planned_ends_at__gte=F("planned_starts_at")),
                name="%(app_label)s_%(class)s_plan_well_formed",
            ),
            # One operation runs on a work unit at a time.
            models.UniqueConstraint(
                fields=["work_unit"],
                condition=Q(state__in=["setup", "running"]),
                name="%(app_label)s_%(class)s_one_running_per_unit",
            ),
        ]
        indexes = [
            models.Index(
                fields=["planned_work_unit", "planned_starts_at"],
                condition=Q(state__in=["waiting", "ready", "setup", "running", "interrupted"]),
                name="operation_dispatch",
            )
        ]

    def __str__(self) -> str:
        return f"{self.work_order_id}/{self.sequence}"


class OperationUnit(models.Model):
    """A frozen alternative: a work unit that may do the operation, with its times.

    None for an operation means: any active unit of the work center, at the operation's times.
    """

    operation = models.ForeignKey(
        WorkOrderOperation, on_delete=models.CASCADE, related_name="units"
    )
    work_unit = models.ForeignKey("masterdata.WorkUnit", on_delete=models.PROTECT, related_name="+")
    setup_minutes = models.DecimalField(max_digits=10, decimal_places=3)
    run_minutes = models.DecimalField(max_digits=12, decimal_places=5)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["operation", "work_unit"], name="%(app_label)s_%(class)s_once_per_unit"
            )
        ]

    def __str__(self) -> str:
        return f"{self.operation_id} {self.work_unit_id}"


class OperationReport(models.Model):
    """Pieces reported at an operation; append-only (a trigger refuses to change or delete one).

    ``rework`` above zero sets pieces aside; below zero, as many of them became good or scrap.
    A row with ``reverses`` takes back the row that it names, figure by figure.
    """

    operation = models.ForeignKey(
        WorkOrderOperation, on_delete=models.PROTECT, related_name="reports"
    )
    good = models.DecimalField(**QUANTITY, default=0)
    scrap = models.DecimalField(**QUANTITY, default=0)
    rework = models.DecimalField(**QUANTITY, default=0)
    reason = models.CharField(max_length=200, blank=True)
    reason_code = models.ForeignKey(
        "mes.FloorReason", null=True, on_delete=models.PROTECT, related_name="+"
    )
    # Of pieces that come back from rework: the report that had set them aside.
    reworks = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    reverses = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="reversed_by"
    )
    # What its scrap took: output nobody could count on any more, and by requirement what was
    # planned anew for it. Taking the report back gives both back.
    output_lost = models.DecimalField(**QUANTITY, default=0)
    replanned = models.JSONField(default=dict)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(reverses__isnull=False, good__lte=0, scrap__lte=0)
                | Q(good__gte=0, scrap__gte=0, rework__gte=0)
                & (Q(good__gt=0) | Q(scrap__gt=0) | Q(rework__gt=0))
                | Q(good__gte=0, scrap__gte=0, rework__lt=0, rework=-F("good") - F("scrap")),
                name="%(app_label)s_%(class)s_reports_something",
            )
        ]

    def __str__(self) -> str:
        return f"{self.operation_id}: {self.good} + {self.scrap}"
