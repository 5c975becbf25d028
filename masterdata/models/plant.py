"""Site, work centers, work units and what their hours cost (ISA-95 names)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common.models import BilingualName
from masterdata.enums import RateKind


class Site(BilingualName):
    """A plant. Shipping leaves on the days of its shipping calendar."""

    code = models.CharField(_("code"), max_length=40, unique=True)
    time_zone = models.CharField(_("time zone"), max_length=40, default="UTC")
    calendar = models.ForeignKey("masterdata.Calendar", on_delete=models.PROTECT, related_name="+")
    shipping_calendar = models.ForeignKey(
        "masterdata.Calendar", on_delete=models.PROTECT, related_name="+"
    )
    currency = models.CharField(_("currency"), max_length=3, default="USD")
    energy_price = models.DecimalField(
        _("energy, price per kWh"), max_digits=10, decimal_places=4, default=0
    )
    # What our documents show of where it is.
    street = models.CharField(_("street and number"), max_length=120, blank=True)
    town = models.CharField(_("postcode and town"), max_length=120, blank=True)
    country = models.CharField(_("country"), max_length=60, blank=True)
    # Counts edits; a form that was opened with an older one is stale.
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("site")
        constraints = [
            models.CheckConstraint(
                condition=Q(energy_price__gte=0),
                name="%(app_label)s_%(class)s_energy_price_not_negative",
            )
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def address_lines(self) -> list[str]:
        """As on an envelope, below the name; nothing where nobody entered it."""
        return [line for line in (self.street, self.town, self.country) if line]


class WorkCenter(BilingualName):
    """A group of like work units; routings name it."""

    code = models.CharField(_("code"), max_length=40, unique=True)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    calendar = models.ForeignKey("masterdata.Calendar", on_delete=models.PROTECT, related_name="+")
    # Counts edits, those of rates and changeovers too; a form opened with an older one is stale.
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("work center")

    def __str__(self) -> str:
        return self.code


class WorkUnit(BilingualName):
    """A machine or station: one operation at a time, in its calendar."""

    code = models.CharField(_("code"), max_length=40, unique=True)
    work_center = models.ForeignKey(WorkCenter, on_delete=models.PROTECT, related_name="units")
    # Null: the work center's calendar.
    calendar = models.ForeignKey(
        "masterdata.Calendar", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    energy_kw = models.DecimalField(_("energy, kW"), max_digits=10, decimal_places=3, default=0)
    is_active = models.BooleanField(_("active"), default=True)
    # Counts edits; a form that was opened with an older one is stale.
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("work unit")
        constraints = [
            models.CheckConstraint(
                condition=Q(energy_kw__gte=0), name="%(app_label)s_%(class)s_energy_not_negative"
            )
        ]

    def __str__(self) -> str:
        return self.code


class CostRate(models.Model):
    """Money per hour of a work center from a day on."""

    work_center = models.ForeignKey(WorkCenter, on_delete=models.CASCADE, related_name="rates")
    kind = models.CharField(_("kind"), max_length=10, choices=RateKind)
    amount_per_hour = models.DecimalField(_("amount per hour"), max_digits=12, decimal_places=4)
    currency = models.CharField(_("currency"), max_length=3, default="USD")
    valid_from = models.DateField(_("valid from"))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["work_center", "kind", "valid_from"],
                name="%(app_label)s_%(class)s_once_per_day",
            ),
            models.CheckConstraint(
                condition=Q(amount_per_hour__gte=0),
                name="%(app_label)s_%(class)s_amount_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.work_center_id} {self.kind}"


class Changeover(models.Model):
    """Minutes on the clock that a unit of the center takes between two setup families.

    An empty family stands for any other one; the most exact row counts
    (``masterdata.selectors.Changeovers`` says which that is).
    """

    work_center = models.ForeignKey(
        WorkCenter, on_delete=models.CASCADE, related_name="changeovers"
    )
    from_family = models.CharField(_("from family"), max_length=40, blank=True)
    to_family = models.CharField(_("to family"), max_length=40, blank=True)
    minutes = models.IntegerField(_("minutes"))

    class Meta:
        verbose_name = _("changeover")
        constraints = [
            models.UniqueConstraint(
                fields=["work_center", "from_family", "to_family"],
                name="%(app_label)s_%(class)s_once_per_pair",
            ),
            models.CheckConstraint(
                condition=Q(minutes__gte=0), name="%(app_label)s_%(class)s_minutes_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.work_center_id} {self.from_family or '*'} → {self.to_family or '*'}"
