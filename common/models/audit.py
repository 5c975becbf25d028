"""Who changed what, when and why; the database refuses to change these rows."""

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from common import audit_words


class AuditEntry(models.Model):
    """One change of business data. Labels and ids are copies, so history survives deletion.

    A trigger (migration 0002) refuses UPDATE and DELETE.
    """

    at = models.DateTimeField(db_index=True)
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
    def what(self) -> str:
        """The action as people say it, in the reader's language."""
        return audit_words.said(self.action)
