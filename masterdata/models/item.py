"""Items and their bills of material."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from common.models import BilingualName
from masterdata.enums import IssueMethod, LotPolicy, Supply, Tracking


class Item(BilingualName):
    """What is made, bought, stocked or sold; one code everywhere."""

    code = models.CharField(_("code"), max_length=60, unique=True)
    supply = models.CharField(_("supply"), max_length=8, choices=Supply)
    uom = models.CharField(_("unit"), max_length=10, default="EA")
    category = models.CharField(_("category"), max_length=80, blank=True)
    is_sold = models.BooleanField(_("sold"), default=False)
    # Days to buy one; for a made item the planning allowance used before it is scheduled.
    lead_time_days = models.PositiveIntegerField(_("lead time, days"), default=0)
    scrap_rate = models.DecimalField(
        _("scrap, share of the started quantity"), max_digits=5, decimal_places=4, default=0
    )
    lot_policy = models.CharField(
        _("lot policy"), max_length=12, choices=LotPolicy, default=LotPolicy.LOT_FOR_LOT
    )
    lot_size = models.DecimalField(
        _("lot size"), max_digits=14, decimal_places=4, null=True, blank=True
    )
    lot_period_days = models.PositiveIntegerField(_("lot period, days"), null=True, blank=True)
    safety_stock = models.DecimalField(
        _("safety stock"), max_digits=14, decimal_places=4, default=0
    )
    tracking = models.CharField(
        _("tracking"), max_length=8, choices=Tracking, default=Tracking.NONE
    )
    # What a receipt of a lot or of serial units has to say.
    supplier_lot_required = models.BooleanField(_("supplier lot required"), default=False)
    expiry_required = models.BooleanField(_("expiry required"), default=False)
    # Of a receipt that names no expiry; null: it keeps.
    shelf_life_days = models.PositiveIntegerField(_("shelf life, days"), null=True, blank=True)
    # From the day it leaves for the customer; null: none is given.
    warranty_months = models.PositiveSmallIntegerField(_("warranty, months"), null=True, blank=True)
    # Booked out although the store does not know it: cheap material that is counted now and then.
    may_be_negative = models.BooleanField(_("stock may be negative"), default=False)
    issue_method = models.CharField(
        _("issue to work orders"),
        max_length=10,
        choices=IssueMethod,
        default=IssueMethod.AT_START,
    )
    energy_kwh_per_unit = models.DecimalField(
        _("energy per unit, kWh"), max_digits=12, decimal_places=4, default=0
    )
    standard_cost = models.DecimalField(
        _("standard cost"), max_digits=14, decimal_places=4, default=0
    )
    list_price = models.DecimalField(_("list price"), max_digits=14, decimal_places=4, default=0)
    is_active = models.BooleanField(_("active"), default=True)
    # Counts edits; a form that was opened with an older one is stale.
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("item")
        constraints = [
            models.CheckConstraint(
                condition=Q(scrap_rate__gte=0, scrap_rate__lt=1),
                name="%(app_label)s_%(class)s_scrap_is_a_share",
            ),
            models.CheckConstraint(
                # SQL lets pass what is unknown: an empty size has to be named.
                condition=~Q(lot_policy=LotPolicy.FIXED)
                | Q(lot_size__isnull=False, lot_size__gt=0),
                name="%(app_label)s_%(class)s_fixed_lot_has_size",
            ),
            models.CheckConstraint(
                condition=~Q(lot_policy=LotPolicy.PERIOD)
                | Q(lot_period_days__isnull=False, lot_period_days__gt=0),
                name="%(app_label)s_%(class)s_period_lot_has_days",
            ),
            models.CheckConstraint(
                condition=Q(may_be_negative=False) | Q(tracking=Tracking.NONE),
                name="%(app_label)s_%(class)s_negative_only_untracked",
            ),
            models.CheckConstraint(
                condition=~Q(tracking=Tracking.NONE)
                | Q(
                    supplier_lot_required=False, expiry_required=False, shelf_life_days__isnull=True
                ),
                name="%(app_label)s_%(class)s_policy_needs_tracking",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Bom(models.Model):
    """A revision of what an item is made of, valid on days [valid_from, valid_to)."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="boms")
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


class BomLine(models.Model):
    """A component; its own days of validity narrow those of its BOM."""

    bom = models.ForeignKey(Bom, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField(_("position"))
    component = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="+")
    quantity_per = models.DecimalField(_("quantity per"), max_digits=14, decimal_places=6)
    uom = models.CharField(_("unit"), max_length=10, default="EA")
    scrap_rate = models.DecimalField(_("scrap"), max_digits=5, decimal_places=4, default=0)
    # Empty: as the component says.
    issue_method = models.CharField(
        _("issue to work orders"), max_length=10, choices=IssueMethod, blank=True
    )
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_to = models.DateField(_("valid to"), null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["bom", "position"], name="%(app_label)s_%(class)s_once_per_position"
            ),
            models.CheckConstraint(
                condition=Q(quantity_per__gt=0),
                name="%(app_label)s_%(class)s_quantity_positive",
            ),
            models.CheckConstraint(
                condition=Q(scrap_rate__gte=0, scrap_rate__lt=1),
                name="%(app_label)s_%(class)s_scrap_is_a_share",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.bom_id} {self.position}"
