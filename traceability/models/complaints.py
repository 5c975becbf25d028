"""What customers said of what we made."""

from django.db import models
from django.db.models import Q


class Complaint(models.Model):
    """A ticket says that something is wrong with a lot or a unit; append-only.

    Who learns more of a ticket notes it again: of each reference the last row counts. Without a
    ``thing`` it is a complaint about the item, and nothing yet about a known lot or unit; without a
    ``symptom`` it turned out to be none.
    """

    reference = models.CharField(max_length=60)
    item = models.ForeignKey("masterdata.Item", on_delete=models.PROTECT, related_name="+")
    # Of the ledger: a lot or a serial unit.
    thing = models.BigIntegerField(null=True)
    symptom = models.CharField(max_length=40, blank=True)
    # When the customer complained.
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(reference=""), name="%(app_label)s_%(class)s_names_its_ticket"
            )
        ]
        indexes = [
            models.Index(fields=["reference", "-id"], name="complaint_of_reference"),
            models.Index(fields=["item", "at"], name="complaint_of_item"),
            models.Index(
                fields=["thing"], condition=Q(thing__isnull=False), name="complaint_of_thing"
            ),
        ]

    def __str__(self) -> str:
        return self.reference
