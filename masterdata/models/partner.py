"""Customers with their portal users, suppliers with their prices."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common.models import BilingualName


class Customer(BilingualName):
    """Who buys. ``weight`` says how much a late day hurts: 1 ordinary, 10 key account."""

    code = models.CharField(_("code"), max_length=40, unique=True)
    language = models.CharField(_("language"), max_length=10, default="en")
    currency = models.CharField(_("currency"), max_length=3, default="USD")
    weight = models.PositiveIntegerField(_("weight"), default=1)
    # Calendar days from our dock to theirs.
    transit_days = models.PositiveIntegerField(_("transit, days"), default=0)
    email = models.EmailField(_("e-mail"), blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    # Counts edits; a form that was opened with an older one is stale.
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("customer")
        constraints = [
            models.CheckConstraint(
                condition=Q(weight__gte=1), name="%(app_label)s_%(class)s_weight_positive"
            )
        ]

    def __str__(self) -> str:
        return self.code


class CustomerUser(models.Model):
    """The customer that a portal user belongs to."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="users")

    def __str__(self) -> str:
        return f"{self.user_id} {self.customer_id}"


class Supplier(BilingualName):
    """Who delivers."""

    code = models.CharField(_("code"), max_length=40, unique=True)
    # Of our documents to them.
    language = models.CharField(_("language"), max_length=10, default="en")
    address = models.TextField(_("address"), blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    # Counts edits; a form that was opened with an older one is stale.
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("supplier")

    def __str__(self) -> str:
        return self.code


class SupplierPrice(models.Model):
    """What an item costs at a supplier from a day on, and how long it takes."""

    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="prices")
    item = models.ForeignKey("masterdata.Item", on_delete=models.CASCADE, related_name="+")
    price = models.DecimalField(_("price"), max_digits=14, decimal_places=4)
    currency = models.CharField(_("currency"), max_length=3, default="USD")
    lead_time_days = models.PositiveIntegerField(_("lead time, days"), default=0)
    min_order_quantity = models.DecimalField(
        _("minimum order"), max_digits=14, decimal_places=4, default=0
    )
    max_order_quantity = models.DecimalField(
        _("maximum order"), max_digits=14, decimal_places=4, null=True, blank=True
    )
    valid_from = models.DateField(_("valid from"))
    # Counts edits; a form that was opened with an older one is stale.
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("supplier price")
        constraints = [
            models.UniqueConstraint(
                fields=["supplier", "item", "valid_from"],
                name="%(app_label)s_%(class)s_once_per_day",
            ),
            models.CheckConstraint(
                condition=Q(price__gte=0), name="%(app_label)s_%(class)s_price_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.supplier_id} {self.item_id}"
