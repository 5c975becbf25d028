"""How an item is made: operations on work centers."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from common.models import BilingualName
from masterdata.enums import RunBasis


class Routing(models.Model):
    """A revision of the way an item is made, valid on days [valid_from, valid_to)."""

    item = models.ForeignKey("masterdata.Item", on_delete=models.CASCADE, related_name="routings")
    revision = models.CharField(_("revision"), max_length=20, default="A")
    valid_from = models.DateField(_("valid from"))
    valid_to = models.DateField(_("valid to"), null=True, blank=True)
    # Counts edits; a form that was opened with an older one is stale.
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "revision"], name="%(app_label)s_%(class)s_once_per_revision"
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")),
                name="%(app_label)s_%(class)s_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_id} {self.revision}"


class RoutingOperation(BilingualName):
    """One step. Its eligible work units are its alternatives, else all units of its center.

    A subcontracted step names a supplier and calendar days instead of minutes.
    """

    routing = models.ForeignKey(Routing, on_delete=models.CASCADE, related_name="operations")
    sequence = models.PositiveIntegerField(_("sequence"))
    work_center = models.ForeignKey(
        "masterdata.WorkCenter", on_delete=models.PROTECT, related_name="+"
    )
    setup_minutes = models.DecimalField(
        _("setup, minutes"), max_digits=10, decimal_places=3, default=0
    )
    run_minutes = models.DecimalField(_("run, minutes"), max_digits=12, decimal_places=5, default=0)
    run_basis = models.CharField(
        _("run minutes are"), max_length=10, choices=RunBasis, default=RunBasis.PER_PIECE
    )
    setup_family = models.CharField(_("setup family"), max_length=40, blank=True)
    # Its people and its tool are there from its start to its end.
    skill = models.ForeignKey(
        "masterdata.Skill", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    people = models.IntegerField(_("people"), default=1)
    tool = models.ForeignKey(
        "masterdata.Tool", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    is_interruptible = models.BooleanField(_("may pause over breaks"), default=True)
    subcontractor = models.ForeignKey(
        "masterdata.Supplier", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    subcontract_days = models.PositiveIntegerField(_("subcontract, days"), default=0)
    # Before the next operation: clock minutes, nights too. No longest wait: it may wait for ever.
    wait_minutes = models.PositiveIntegerField(_("wait, minutes"), default=0)
    max_wait_minutes = models.PositiveIntegerField(_("longest wait, minutes"), null=True)
    # The next operation may begin when so many good pieces have passed; none: when all have.
    transfer_quantity = models.DecimalField(
        _("transfer quantity"), max_digits=14, decimal_places=4, null=True
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["routing", "sequence"], name="%(app_label)s_%(class)s_once_per_sequence"
            ),
            models.CheckConstraint(
                condition=Q(setup_minutes__gte=0, run_minutes__gte=0),
                name="%(app_label)s_%(class)s_minutes_not_negative",
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
        ]

    def __str__(self) -> str:
        return f"{self.routing_id} {self.sequence}"


class OperationAlternative(models.Model):
    """A work unit that can do the operation, with its own times where they differ."""

    operation = models.ForeignKey(
        RoutingOperation, on_delete=models.CASCADE, related_name="alternatives"
    )
    work_unit = models.ForeignKey("masterdata.WorkUnit", on_delete=models.PROTECT, related_name="+")
    # Null: the operation's own minutes.
    setup_minutes = models.DecimalField(max_digits=10, decimal_places=3, null=True, blank=True)
    run_minutes = models.DecimalField(max_digits=12, decimal_places=5, null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["operation", "work_unit"], name="%(app_label)s_%(class)s_once_per_unit"
            )
        ]

    def __str__(self) -> str:
        return f"{self.operation_id} {self.work_unit_id}"
