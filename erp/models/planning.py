"""Requirements planning: its runs, what they propose, and the site's rules for supply."""

from datetime import date
from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from erp.enums import MrpCause, MrpRunState, ProposalAction, ProposalState, SupplyKind
from erp.models.demand import Requirement
from erp.models.quantities import QUANTITY, Places

PRICE: Places = {"max_digits": 14, "decimal_places": 4}
SHARE: Places = {"max_digits": 5, "decimal_places": 4}


class SupplyRule(models.Model):
    """A site's rules: when planning speaks up, who approves, how deliveries may differ."""

    site = models.OneToOneField("masterdata.Site", on_delete=models.CASCADE, related_name="+")
    # Receipts that are off by so many days are left alone.
    tolerance_days = models.PositiveIntegerField(default=2)
    # Purchase orders above this value are approved by another person; null: none are.
    approval_limit = models.DecimalField(**PRICE, null=True, blank=True)
    # Proposals to buy, due for ordering, up to this value become orders by themselves; 0: none.
    auto_order_limit = models.DecimalField(**PRICE, default=0)
    # Plan by itself after changes and nightly; else only when somebody asks for it.
    plans_itself = models.BooleanField(default=True)
    # Shares of the ordered quantity that may come too many, or stay out.
    over_delivery = models.DecimalField(**SHARE, default=0)
    under_delivery = models.DecimalField(**SHARE, default=0)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    over_delivery__gte=0,
                    over_delivery__lte=1,
                    under_delivery__gte=0,
                    under_delivery__lt=1,
                ),
                name="%(app_label)s_%(class)s_shares_well_formed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.site_id}"


class AutoOrderRule(models.Model):
    """Automatic ordering of an item, from a supplier, or of an item from a supplier.

    The narrowest one that fits counts, before the site's own limit: both, the item, the supplier.
    """

    site = models.ForeignKey("masterdata.Site", on_delete=models.CASCADE, related_name="+")
    item = models.ForeignKey(
        "masterdata.Item", null=True, on_delete=models.CASCADE, related_name="+"
    )
    supplier = models.ForeignKey(
        "masterdata.Supplier", null=True, on_delete=models.CASCADE, related_name="+"
    )
    # A proposal up to this value, in the site's currency, becomes an order by itself; 0: none.
    limit = models.DecimalField(**PRICE)
    reason = models.CharField(max_length=200)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site", "item", "supplier"],
                nulls_distinct=False,
                name="%(app_label)s_%(class)s_once",
            ),
            models.CheckConstraint(
                condition=Q(item__isnull=False) | Q(supplier__isnull=False),
                name="%(app_label)s_%(class)s_names_something",
            ),
            models.CheckConstraint(
                condition=Q(limit__gte=0), name="%(app_label)s_%(class)s_limit_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_id} {self.supplier_id} {self.limit}"


class MrpRun(models.Model):
    """One planning of a site's requirements."""

    site = models.ForeignKey("masterdata.Site", on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=MrpRunState, default=MrpRunState.QUEUED)
    cause = models.CharField(max_length=8, choices=MrpCause, default=MrpCause.PERSON)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    requested_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # Items planned so far, and all of them.
    done_items = models.PositiveIntegerField(default=0)
    all_items = models.PositiveIntegerField(default=0)
    # Proposals by action.
    counts = models.JSONField(default=dict)
    # Currencies of suppliers' prices for which there was no exchange rate.
    missing_rates = models.JSONField(default=list)
    # Why it could not be done, for people.
    error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site"],
                condition=Q(state=MrpRunState.QUEUED),
                name="%(app_label)s_%(class)s_one_waiting_per_site",
            ),
        ]
        indexes = [models.Index(fields=["site", "-id"], name="mrprun_newest")]

    def __str__(self) -> str:
        return f"{self.pk}"


class Proposal(models.Model):
    """What planning proposes, and apart from it what a person made of it.

    A run replaces proposals that nobody touched. One with an override stays, and its system
    fields say what planning thinks now; ``system_quantity`` 0: nothing is needed any more.
    """

    OVERRIDES: ClassVar = ("override_quantity", "override_due_date", "override_supplier")

    run = models.ForeignKey(MrpRun, on_delete=models.PROTECT, related_name="+")
    site = models.ForeignKey("masterdata.Site", on_delete=models.CASCADE, related_name="+")
    item = models.ForeignKey("masterdata.Item", on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=10, choices=ProposalAction)
    state = models.CharField(max_length=10, choices=ProposalState, default=ProposalState.OPEN)
    system_quantity = models.DecimalField(**QUANTITY)
    system_due_date = models.DateField()
    # The day on which it has to be ordered or begun.
    system_release_date = models.DateField()
    system_supplier = models.ForeignKey(
        "masterdata.Supplier", null=True, on_delete=models.PROTECT, related_name="+"
    )
    override_quantity = models.DecimalField(**QUANTITY, null=True)
    override_due_date = models.DateField(null=True)
    override_supplier = models.ForeignKey(
        "masterdata.Supplier", null=True, on_delete=models.PROTECT, related_name="+"
    )
    override_reason = models.CharField(max_length=200, blank=True)
    overridden_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    # Price of a piece at the supplier; of messages the value is not known.
    price = models.DecimalField(**PRICE, default=0)
    currency = models.CharField(max_length=3, blank=True)
    # What a message is about: what comes, from where, how much and when as things stand.
    supply_kind = models.CharField(max_length=16, choices=SupplyKind, blank=True)
    supply_source_id = models.BigIntegerField(null=True)
    present_quantity = models.DecimalField(**QUANTITY, null=True)
    present_due_date = models.DateField(null=True)
    # Of a message: the order it is about. Once done: the order that came of it.
    reference = models.CharField(max_length=60, blank=True)
    # Who waits, of several the first; null: safety stock.
    requirement = models.ForeignKey(
        Requirement, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    # Why it could not be carried out, for people.
    refusal = models.CharField(max_length=300, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    # By which rule it was ordered, where nobody decided.
    decided_rule = models.CharField(max_length=300, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(system_quantity__gte=0)
                & (Q(override_quantity__isnull=True) | Q(override_quantity__gte=0)),
                name="%(app_label)s_%(class)s_quantities_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(action__in=["make", "buy"]) | Q(supply_source_id__isnull=False),
                name="%(app_label)s_%(class)s_message_names_supply",
            ),
        ]
        indexes = [
            models.Index(
                fields=["site", "action", "system_release_date"],
                condition=Q(state=ProposalState.OPEN),
                name="proposal_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.item_id}"

    @property
    def quantity(self) -> Decimal:
        """A person's quantity, else the system's."""
        if self.override_quantity is not None:
            return self.override_quantity
        return self.system_quantity

    @property
    def due_date(self) -> date:
        """A person's day, else the system's."""
        return self.override_due_date or self.system_due_date

    @property
    def release_date(self) -> date:
        """When it has to be ordered or begun to be there on the due day."""
        return self.due_date - (self.system_due_date - self.system_release_date)

    @property
    def supplier_id_chosen(self) -> int | None:
        """A person's supplier, else the system's."""
        return self.override_supplier_id or self.system_supplier_id

    @property
    def is_overridden(self) -> bool:
        return any(
            value is not None
            for value in (self.override_quantity, self.override_due_date, self.override_supplier_id)
        )


class ProposalPeg(models.Model):
    """For whom a proposed order is: a requirement, a proposed order above, or (neither) safety."""

    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="pegs")
    requirement = models.ForeignKey(
        Requirement, null=True, on_delete=models.CASCADE, related_name="+"
    )
    parent = models.ForeignKey(
        Proposal, null=True, on_delete=models.CASCADE, related_name="component_pegs"
    )
    quantity = models.DecimalField(**QUANTITY)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="%(app_label)s_%(class)s_quantity_positive"
            ),
            models.CheckConstraint(
                condition=Q(requirement__isnull=True) | Q(parent__isnull=True),
                name="%(app_label)s_%(class)s_names_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.proposal_id}: {self.quantity}"
