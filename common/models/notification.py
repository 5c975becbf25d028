"""What a user should know, shown in the bell."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from common.enums import Level


class Notification(models.Model):
    """A message to one user, kept as kind and parameters so that it reads in the user's language.

    The sentences are in ``common.notifications.MESSAGES``.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=60)
    parameters = models.JSONField(default=dict)
    level = models.CharField(max_length=10, choices=Level, default=Level.INFO)
    url = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["user", "-created_at"],
                condition=Q(read_at__isnull=True),
                name="notification_unread",
            )
        ]

    def __str__(self) -> str:
        return self.kind
