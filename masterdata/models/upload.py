"""A file between its dry run and its import."""

from django.conf import settings
from django.db import models


class ImportUpload(models.Model):
    """What somebody uploaded: checked on upload, imported when confirmed, once."""

    resource = models.CharField(max_length=40)
    file_name = models.CharField(max_length=200)
    content = models.BinaryField()
    uploaded_at = models.DateTimeField()
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    imported_at = models.DateTimeField(null=True)
    # Rows created, changed, left as they were and refused, once it is imported.
    outcome = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.file_name
