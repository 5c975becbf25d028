"""Upload, look at the dry run, confirm: the file is kept in between and imported once."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from common.models import User
from masterdata.models import ImportUpload
from masterdata.services import imports

_KEPT = timedelta(days=7)


class CannotConfirm(Refused):
    """The upload was imported already."""


def receive(
    *, resource: str, file_name: str, content: bytes, by: User | None, now: datetime
) -> ImportUpload:
    """Keep a readable file for its dry run; raise CannotRead. Old uploads are forgotten."""
    imports.check(imports.RESOURCES[resource], imports.read(file_name, content))
    ImportUpload.objects.filter(uploaded_at__lt=now - _KEPT).delete()
    return ImportUpload.objects.create(
        resource=resource,
        file_name=file_name[:200],
        content=content,
        uploaded_at=now,
        uploaded_by=by,
    )


def check(*, upload: ImportUpload) -> imports.Plan:
    """What the import would do now."""
    table = imports.read(upload.file_name, bytes(upload.content))
    return imports.check(imports.RESOURCES[upload.resource], table)


def confirm(
    *, upload: ImportUpload, take_good: bool, by: User | None, now: datetime
) -> imports.Plan:
    """Import the file; raise CannotImport where rows are bad, CannotConfirm the second time."""
    with transaction.atomic():
        locked = ImportUpload.objects.select_for_update(no_key=True).get(pk=upload.pk)
        if locked.imported_at is not None:
            raise CannotConfirm(_("This file was imported already."))
        table = imports.read(locked.file_name, bytes(locked.content))
        resource = imports.RESOURCES[locked.resource]
        plan = imports.run(resource, table, take_good=take_good, by=by, now=now)
        outcome = plan.outcome
        locked.outcome = {
            "created": outcome.created,
            "changed": outcome.changed,
            "unchanged": outcome.unchanged,
            "bad": outcome.bad,
        }
        locked.imported_at = now
        # The rows are in the database now; the file itself is no longer needed.
        locked.content = b""
        locked.save(update_fields=["outcome", "imported_at", "content"])
        return plan
