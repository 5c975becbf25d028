"""What is looked at or measured at an operation before it may be finished."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from common.models import BilingualName
from masterdata.enums import CheckFrequency, CheckKind
from masterdata.models.routing import RoutingOperation


class OperationCheck(BilingualName):
    """One characteristic: seen (pass or fail), measured, or a parameter of the process."""

    operation = models.ForeignKey(RoutingOperation, on_delete=models.CASCADE, related_name="checks")
    position = models.PositiveIntegerField(_("position"))
    # What machines call it when they send its value.
    code = models.CharField(_("code"), max_length=40, blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=CheckKind, default=CheckKind.PASS)
    unit = models.CharField(_("unit"), max_length=12, blank=True)
    lower = models.DecimalField(_("lower limit"), max_digits=14, decimal_places=5, null=True)
    target = models.DecimalField(_("target"), max_digits=14, decimal_places=5, null=True)
    upper = models.DecimalField(_("upper limit"), max_digits=14, decimal_places=5, null=True)
    is_required = models.BooleanField(_("required"), default=True)
    frequency = models.CharField(
        _("how often"), max_length=10, choices=CheckFrequency, default=CheckFrequency.PER_ORDER
    )
    # Pieces, of EVERY_N.
    every = models.PositiveIntegerField(_("every so many pieces"), null=True)
    # Why it is asked, for who stands at the machine: the complaint that it came of.
    reason = models.CharField(_("why"), max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="pass", lower__isnull=True, target__isnull=True)
                & Q(upper__isnull=True)
                | ~Q(kind="pass") & (Q(lower__isnull=False) | Q(upper__isnull=False)),
                name="%(app_label)s_%(class)s_limits_fit_the_kind",
            ),
            models.CheckConstraint(
                condition=Q(lower__isnull=True) | Q(upper__isnull=True) | Q(lower__lte=F("upper")),
                name="%(app_label)s_%(class)s_limits_in_order",
            ),
            models.CheckConstraint(
                condition=Q(frequency="every_n", every__isnull=False, every__gte=2)
                | ~Q(frequency="every_n") & Q(every__isnull=True),
                name="%(app_label)s_%(class)s_every_fits_the_frequency",
            ),
            models.UniqueConstraint(
                fields=["operation", "position"],
                name="%(app_label)s_%(class)s_once_per_position",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operation_id} {self.position}"
