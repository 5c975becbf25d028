"""What one currency is worth in another, from which day on."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class ExchangeRate(models.Model):
    """One ``source`` is ``rate`` ``target`` from a day on, until a newer rate begins."""

    source = models.CharField(_("from currency"), max_length=3)
    target = models.CharField(_("to currency"), max_length=3)
    rate = models.DecimalField(_("rate"), max_digits=18, decimal_places=8)
    valid_from = models.DateField(_("valid from"))
    # Counts edits; a form that was opened with an older one is stale.
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("exchange rate")
        constraints = [
            models.UniqueConstraint(
                fields=["source", "target", "valid_from"],
                name="%(app_label)s_%(class)s_once_per_day",
            ),
            models.CheckConstraint(
                condition=Q(rate__gt=0), name="%(app_label)s_%(class)s_rate_positive"
            ),
            models.CheckConstraint(
                condition=~Q(source=F("target")), name="%(app_label)s_%(class)s_two_currencies"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.target} {self.valid_from}"

    @property
    def code(self) -> str:
        """What people call it."""
        return f"{self.source} → {self.target}"
