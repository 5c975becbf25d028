"""Upload, look at the dry run, confirm: the file is kept in between and imported once.

A file of more than SMALL_ROWS rows is checked and imported by the job ledger, the others inside
the request; the upload row holds the report either way.
"""

import hashlib
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from common import statistics
from common.enums import JobState
from common.errors import Refused
from common.jobs import Claim, enqueue
from common.models import Job, User
from masterdata.enums import UploadStage
from masterdata.models import ImportUpload
from masterdata.services import imports
from masterdata.services.imports import parsing, reading, xlsx

SMALL_ROWS = 5_000
# A larger workbook is not opened inside a request, however few its rows are.
SMALL_UNPACKED = 8_000_000
# Faults and changes that the report holds; it states the number of all.
KEPT_FAULTS = 10_000
SHOWN_CHANGES = 50
# A file that nobody confirmed, and the report of one that was imported.
_KEPT = timedelta(days=7)
CHECK_JOB = "masterdata.check_upload"
IMPORT_JOB = "masterdata.import_upload"


class CannotConfirm(Refused):
    """The upload was imported already, is being worked on, or cannot be read."""


def receive(
    *, resource: str, file_name: str, content: bytes, by: User | None, now: datetime
) -> ImportUpload:
    """Keep a readable file and its dry run, or ask for that; raise CannotRead.

    The same file sent again is the same upload while that is open. Old uploads are forgotten.
    """
    table = _peek(file_name, content)
    if table is not None:
        parsing.check_columns(imports.RESOURCES[resource], table)
    is_long = table is None or table.is_cut
    with transaction.atomic():
        ImportUpload.objects.filter(uploaded_at__lt=now - _KEPT).delete()
        upload, created = ImportUpload.objects.get_or_create(
            resource=resource,
            digest=hashlib.sha256(content).hexdigest(),
            uploaded_by=by,
            imported_at=None,
            error="",
            defaults={
                "file_name": file_name[:200],
                "content": content,
                "uploaded_at": now,
                "language": get_language() or "en",
                "is_long": is_long,
            },
        )
        if is_long:
            if created:
                _ask(CHECK_JOB, upload, by, now)
        elif table is not None and upload.stage in (UploadStage.CHECKING, UploadStage.CHECKED):
            _report(upload, imports.check(imports.RESOURCES[resource], table), now)
    return upload


def confirm(
    *, upload: ImportUpload, take_good: bool, by: User | None, now: datetime
) -> imports.Plan | None:
    """Import the file and return what was done; None where the ledger will do it.

    Raises CannotImport where rows are bad, CannotConfirm the second time.
    """
    with transaction.atomic():
        locked = _locked(upload.pk)
        _check_can_confirm(locked)
        locked.take_good = take_good
        if locked.is_long:
            if locked.outcome.get("bad") and not take_good:
                raise CannotConfirm(_("Rows are bad; say that you take the good ones."))
            locked.taken_at = now
            locked.progress = {}
            locked.save(update_fields=["take_good", "taken_at", "progress"])
            _ask(IMPORT_JOB, locked, by, now)
            return None
        table = imports.read(locked.file_name, bytes(locked.content))
        resource = imports.RESOURCES[locked.resource]
        plan = imports.run(resource, table, take_good=take_good, by=by, now=now)
        _finish(locked, plan, now)
        return plan


def discard(*, upload: ImportUpload) -> None:
    """Forget a file that nobody wants; raise CannotConfirm once somebody said to import it."""
    with transaction.atomic():
        locked = _locked(upload.pk)
        if locked.taken_at or locked.imported_at:
            raise CannotConfirm(_("This file is being imported, or was."))
        locked.delete()


def check_long(*, upload_id: int, now: datetime, claim: Claim) -> None:
    """The dry run of a long file, as a job. Does nothing for an upload that is gone or done."""
    upload = ImportUpload.objects.filter(pk=upload_id).first()
    if upload is None or upload.stage != UploadStage.CHECKING:
        return
    with override(upload.language):
        try:
            table = _read(upload, claim)
            _say(upload, "checking", len(table.rows))
            plan = imports.check(imports.RESOURCES[upload.resource], table)
        except imports.CannotRead as refusal:
            with claim.finish(now=now):
                _give_up(upload.pk, str(refusal))
            return
        with claim.finish(now=now):
            found = ImportUpload.objects.filter(pk=upload_id).first()
            if found is not None:
                _report(found, plan, now)


def import_long(*, upload_id: int, by: User | None, now: datetime, claim: Claim) -> None:
    """Import a long file that somebody confirmed, as a job, in one transaction or not at all."""
    upload = ImportUpload.objects.filter(pk=upload_id).first()
    if upload is None or upload.stage != UploadStage.IMPORTING:
        return
    resource = imports.RESOURCES[upload.resource]
    with override(upload.language):
        try:
            table = _read(upload, claim)
            # Before the transaction: nothing is locked while cells become values.
            prepared = imports.prepare(resource, table)
        except imports.CannotRead as refusal:
            with claim.finish(now=now):
                _give_up(upload.pk, str(refusal))
            return
        _say(upload, "writing", len(table.rows))
        with claim.finish(now=now):
            locked = _locked(upload_id)
            try:
                plan = imports.run(
                    resource, table, take_good=locked.take_good, by=by, now=now, prepared=prepared
                )
            except imports.CannotImport as refusal:
                # Something changed since the dry run: somebody has to look again.
                locked.taken_at = None
                locked.report = _listed(refusal.bad, []) | {"refused": str(refusal)}
                locked.outcome = {**locked.outcome, "bad": len({b.line for b in refusal.bad})}
                locked.save(update_fields=["taken_at", "report", "outcome"])
            else:
                _finish(locked, plan, now)
                statistics.analyze_later(resource.model, rows=len(table.rows))


def recent(by: User) -> QuerySet[ImportUpload]:
    """Somebody's uploads of the last days, newest first, without the files and their reports."""
    return ImportUpload.objects.filter(uploaded_by=by).defer("content", "report").order_by("-pk")


def has_died(upload: ImportUpload) -> bool:
    """Whether the work on it was given up after all its attempts."""
    if upload.stage not in (UploadStage.CHECKING, UploadStage.IMPORTING):
        return False
    dead = [JobState.DEAD, JobState.CANCELLED]
    return Job.objects.filter(key=upload.job_key, state__in=dead).exists()


def _ask(job: str, upload: ImportUpload, by: User | None, now: datetime) -> None:
    """One long file after another: two at once would take the memory and the rows of both."""
    enqueue(
        job, key=upload.job_key, group_key="masterdata.uploads", now=now, by=by, upload_id=upload.pk
    )


def _peek(file_name: str, content: bytes) -> imports.Table | None:
    """The first rows; None where even that is too much for a request."""
    excel = reading.is_excel(content) and len(content) <= reading.MAX_BYTES
    if excel and xlsx.unpacked_bytes(file_name, content) > SMALL_UNPACKED:
        return None
    return imports.read(file_name, content, most=SMALL_ROWS)


def _read(upload: ImportUpload, claim: Claim) -> imports.Table:
    def tick(rows: int) -> None:
        if rows % 5000 == 0:
            claim.extend()
            _say(upload, "reading", rows)

    _say(upload, "reading", 0)
    table = imports.read(upload.file_name, bytes(upload.content), tick=tick)
    claim.extend()
    return table


def _say(upload: ImportUpload, phase: str, rows: int) -> None:
    """Let the page know how far it is; in a statement of its own, outside the work."""
    progress = {"phase": phase, "rows": rows}
    ImportUpload.objects.filter(pk=upload.pk).update(progress=progress)


def _locked(pk: int) -> ImportUpload:
    return ImportUpload.objects.select_for_update(no_key=True).get(pk=pk)


def _check_can_confirm(upload: ImportUpload) -> None:
    match upload.stage:
        case UploadStage.IMPORTED:
            raise CannotConfirm(_("This file was imported already."))
        case UploadStage.IMPORTING:
            raise CannotConfirm(_("This file is being imported already."))
        case UploadStage.UNREADABLE:
            raise CannotConfirm(upload.error)
        case UploadStage.CHECKING:
            raise CannotConfirm(_("This file is still being checked."))


def _report(upload: ImportUpload, plan: imports.Plan, now: datetime) -> None:
    """Keep the dry run."""
    upload.outcome = _numbers(plan)
    upload.report = _listed(plan.bad, plan.changed)
    upload.checked_at = now
    upload.save(update_fields=["outcome", "report", "checked_at"])


def _finish(upload: ImportUpload, plan: imports.Plan, now: datetime) -> None:
    """Keep what was done; the rows are in the database now, the file is no longer needed."""
    upload.outcome = _numbers(plan)
    upload.report = _listed(plan.bad, [])
    upload.imported_at = now
    upload.content = b""
    upload.save(update_fields=["outcome", "report", "imported_at", "content", "take_good"])


def _give_up(pk: int, sentence: str) -> None:
    ImportUpload.objects.filter(pk=pk).update(error=sentence, content=b"")


def _numbers(plan: imports.Plan) -> dict[str, int]:
    outcome = plan.outcome
    return {
        "created": outcome.created,
        "changed": outcome.changed,
        "unchanged": outcome.unchanged,
        "bad": outcome.bad,
    }


def _listed(bad: list[imports.BadRow], changes: list[imports.Change]) -> dict[str, object]:
    return {
        "bad": [[row.file, row.line, row.column, row.reason] for row in bad[:KEPT_FAULTS]],
        "bad_count": len(bad),
        "changes": [
            [
                str(change.target),
                [[name, *map(_plain, pair)] for name, pair in change.fields.items()],
            ]
            for change in changes[:SHOWN_CHANGES]
        ],
    }


def _plain(value: object) -> str | None:
    return None if value is None else str(value)
