"""Answers already given, so that a repeated request gets the first one again."""

from django.conf import settings
from django.db import models


class IdempotentAnswer(models.Model):
    """Key, effect and stored answer commit together; scoped by user."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    # SHA-256 of method, path and body: another body under the same key is refused with 422.
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    # The answer's JSON as it was sent: jsonb would give its fields back in another order.
    text = models.TextField(null=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "key"], name="%(app_label)s_%(class)s_once_per_key"
            )
        ]

    def __str__(self) -> str:
        return self.key
