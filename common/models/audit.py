"""Who changed what, when and why; the database refuses to change these rows."""

from datetime import timedelta

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Now

from common import audit_words

# What was written so much later than it is said to have happened was told late.
LATE = timedelta(minutes=2)


class AuditEntry(models.Model):
    """One change of business data. Labels and ids are copies, so history survives deletion.

    A trigger (migration 0002) refuses UPDATE and DELETE.
    """

    # When it happened, as a device that was without network says; and when it was written, by the
    # database's clock, whatever anybody says. Null of rows from before this was kept.
    at = models.DateTimeField(db_index=True)
    received_at = models.DateTimeField(null=True, editable=False, db_default=Now())
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+"
    )
    actor_label = models.CharField(max_length=150)
    # "crm.order.approve": the business action's name.
    action = models.CharField(max_length=80)
    target_type = models.CharField(max_length=60)
    target_id = models.BigIntegerField()
    target_label = models.CharField(max_length=200)
    reason = models.TextField(blank=True)
    # {"field": [old, new]}
    changes = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        indexes = [models.Index(fields=["target_type", "target_id", "at"], name="audit_target")]

    def __str__(self) -> str:
        return f"{self.action} {self.target_label}"

    @property
    def was_told_late(self) -> bool:
        """Whether it was written well after it is said to have happened."""
        return self.received_at is not None and self.received_at - self.at > LATE

    @property
    def what(self) -> str:
        """The action as people say it, in the reader's language."""
        return audit_words.said(self.action)
