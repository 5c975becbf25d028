"""A file between its dry run and its import."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from masterdata.enums import UploadStage


class ImportUpload(models.Model):
    """What somebody uploaded: checked on upload, imported when confirmed, once.

    The file lies in the database, where web and workers both reach it, until it is imported.
    """

    resource = models.CharField(max_length=40)
    file_name = models.CharField(max_length=200)
    content = models.BinaryField()
    # SHA-256 of the content: the same file sent twice is one upload while it is open.
    digest = models.CharField(max_length=64, blank=True)
    uploaded_at = models.DateTimeField()
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    # The sentences of the report are written in it, by whichever process.
    language = models.CharField(max_length=10, default="en")
    # Checked and imported by the job ledger, not inside the request.
    is_long = models.BooleanField(default=False)
    checked_at = models.DateTimeField(null=True)
    # When somebody said to import it, and whether despite bad rows.
    taken_at = models.DateTimeField(null=True)
    take_good = models.BooleanField(default=False)
    imported_at = models.DateTimeField(null=True)
    # Rows created, changed, left as they were and refused: of the dry run, then of the import.
    outcome = models.JSONField(default=dict)
    # {"bad": [[file, line, column, reason], …], "bad_count": n, "changes": [[row, […]], …]}
    report = models.JSONField(default=dict)
    # {"phase": …, "rows": n} of a long job.
    progress = models.JSONField(default=dict)
    # Why the file as a whole is of no use.
    error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["uploaded_by", "resource", "digest"],
                condition=Q(imported_at__isnull=True, error="") & ~Q(digest=""),
                name="%(app_label)s_%(class)s_once_while_open",
            ),
            models.CheckConstraint(
                condition=Q(imported_at__isnull=True) | Q(content=b""),
                name="%(app_label)s_%(class)s_file_goes_when_done",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def stage(self) -> UploadStage:
        """How far it is, told by what was written down."""
        if self.imported_at:
            return UploadStage.IMPORTED
        if self.error:
            return UploadStage.UNREADABLE
        if self.taken_at:
            return UploadStage.IMPORTING
        return UploadStage.CHECKED if self.checked_at else UploadStage.CHECKING

    @property
    def job_key(self) -> str:
        """The ledger's key of the work that is going on."""
        if self.taken_at:
            return f"import-upload:{self.pk}:{self.taken_at.isoformat()}"
        return f"check-upload:{self.pk}"
