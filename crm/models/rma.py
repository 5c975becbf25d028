"""Goods that a customer sends back."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from crm.enums import RmaDisposition, RmaFinding, RmaState
from crm.models.ticket import Ticket

_OVER = ["evaluated", "in_repair", "closed"]


class Rma(models.Model):
    """An authorised return of the ticket's product, and what became of it."""

    number = models.CharField(max_length=20, unique=True)
    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="rmas")
    # The unit of the genealogy that comes back.
    thing = models.BigIntegerField()
    state = models.CharField(max_length=12, choices=RmaState, default=RmaState.REQUESTED)
    reason = models.CharField(max_length=300)
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    received_at = models.DateTimeField(null=True)
    finding = models.CharField(max_length=12, choices=RmaFinding, blank=True)
    finding_note = models.CharField(max_length=500, blank=True)
    disposition = models.CharField(max_length=10, choices=RmaDisposition, blank=True)
    # The order to repair it: what is to be done, and what was.
    repair_number = models.CharField(max_length=20, blank=True)
    repair_task = models.CharField(max_length=500, blank=True)
    repair_note = models.CharField(max_length=500, blank=True)
    # The unit that the customer gets instead.
    replacement = models.BigIntegerField(null=True)
    # Why it was cancelled, or how it was settled.
    closing_note = models.CharField(max_length=300, blank=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["thing"],
                condition=Q(state__in=[state.value for state in RmaState.open()]),
                name="%(app_label)s_%(class)s_one_open_per_unit",
            ),
            models.UniqueConstraint(
                fields=["repair_number"],
                condition=~Q(repair_number=""),
                name="%(app_label)s_%(class)s_repair_number_once",
            ),
            models.CheckConstraint(
                condition=(Q(state__in=_OVER) & ~Q(disposition="") & ~Q(finding=""))
                | (~Q(state__in=_OVER) & Q(disposition="", finding="")),
                name="%(app_label)s_%(class)s_evaluated_says_what",
            ),
            models.CheckConstraint(
                condition=~Q(state="in_repair") | (Q(disposition="repair") & ~Q(repair_number="")),
                name="%(app_label)s_%(class)s_repair_has_an_order",
            ),
            models.CheckConstraint(
                condition=Q(replacement__isnull=True) | Q(disposition="replace"),
                name="%(app_label)s_%(class)s_replacement_replaces",
            ),
        ]
        indexes = [models.Index(fields=["state", "-requested_at"], name="rma_by_state")]

    def __str__(self) -> str:
        return self.number
