"""Long files: checked and imported by the job ledger, once, on a page that can be left."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from common.enums import JobState, Role
from common.jobs import claims, run_due, wakeups
from common.models import AuditEntry, Job
from masterdata.enums import UploadStage
from masterdata.models import ImportUpload, Item
from masterdata.services import imports, uploads
from masterdata.services.imports import xlsx

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 8, 8, tzinfo=UTC)
HEAD = "code,name,supply\n"
GOOD = HEAD + "".join(f"L-{n},Long {n},make\n" for n in range(10))


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    """Four rows are long enough, and no broker is needed."""
    monkeypatch.setattr(uploads, "SMALL_ROWS", 4)
    monkeypatch.setattr(wakeups, "send", lambda jobs: None)


def _send(client, text=GOOD, resource="items"):
    file = io.BytesIO(text if isinstance(text, bytes) else text.encode())
    file.name = "long.csv"
    return client.post(reverse("masterdata:import-start"), {"resource": resource, "file": file})


def _receive(text=GOOD, by=None):
    return uploads.receive(
        resource="items", file_name="long.csv", content=text.encode(), by=by, now=NOW
    )


def _fresh():
    return ImportUpload.objects.get()


def test_a_short_file_is_checked_at_once_and_asks_for_no_job():
    upload = _receive(HEAD + "A,A,make\n")
    assert upload.stage == UploadStage.CHECKED
    assert not Job.objects.exists()


def test_a_long_file_is_checked_and_imported_outside_the_request(client_for):
    client = client_for(Role.ADMINISTRATOR)
    url = _send(client)["Location"]
    page = client.get(url)
    assert page.context["stage"] == UploadStage.CHECKING
    assert "every 1s" in page.content.decode()
    assert "address finds it again" in page.content.decode()
    run_due()
    page = client.get(url)
    assert page.context["outcome"] == {"created": 10, "changed": 0, "unchanged": 0, "bad": 0}
    assert "every 1s" not in page.content.decode()
    assert not Item.objects.exists()
    client.post(url)
    assert client.get(url).context["stage"] == UploadStage.IMPORTING
    assert not Item.objects.exists()
    run_due()
    assert client.get(url).context["stage"] == UploadStage.IMPORTED
    assert Item.objects.count() == 10
    assert bytes(_fresh().content) == b""
    assert AuditEntry.objects.filter(actor_label="administrator").count() == 10


def test_a_fragment_of_the_page_holds_the_progress_only(client_for):
    client = client_for(Role.ADMINISTRATOR)
    url = _send(client)["Location"]
    ImportUpload.objects.update(progress={"phase": "reading", "rows": 5000})
    text = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in text
    assert "Reading the file" in text
    assert "5,000" in text


def test_the_work_is_found_again_from_the_first_page(client_for):
    client = client_for(Role.ADMINISTRATOR)
    url = _send(client)["Location"]
    assert url in client.get(reverse("masterdata:import-start")).content.decode()


def test_bad_rows_of_a_long_file_are_listed_and_taken_only_on_request(client_for):
    client = client_for(Role.ADMINISTRATOR)
    url = _send(client, GOOD + "BAD,Bad,stolen\n")["Location"]
    run_due()
    assert _fresh().report["bad"] == [["long.csv", 12, "supply", "“stolen” is none of make, buy."]]
    assert "“stolen” is none of make, buy." in client.get(url).content.decode()
    client.post(url)
    run_due()
    assert not Item.objects.exists()
    client.post(url, {"take_good": "yes"})
    run_due()
    assert Item.objects.count() == 10
    # The page of the outcome still says what was left out.
    assert "stolen" in client.get(url).content.decode()


def test_a_repeated_upload_is_the_same_upload(client_for):
    client = client_for(Role.ADMINISTRATOR)
    assert _send(client)["Location"] == _send(client)["Location"]
    assert Job.objects.count() == 1


def test_a_repeated_confirmation_imports_once(client_for):
    client = client_for(Role.ADMINISTRATOR)
    url = _send(client)["Location"]
    run_due()
    for _press in range(3):
        client.post(url)
    assert Job.objects.filter(name=uploads.IMPORT_JOB).count() == 1
    run_due()
    client.post(url)
    run_due()
    assert Job.objects.filter(name=uploads.IMPORT_JOB).count() == 1
    assert Item.objects.count() == AuditEntry.objects.count() == 10


def test_the_job_asked_for_twice_imports_once(user_for):
    by = user_for(Role.ADMINISTRATOR)
    upload = _receive(by=by)
    run_due()
    uploads.confirm(upload=_fresh(), take_good=False, by=by, now=NOW)
    run_due()
    Job.objects.filter(name=uploads.IMPORT_JOB).update(state=JobState.QUEUED)
    run_due()
    assert upload.pk == _fresh().pk
    assert AuditEntry.objects.count() == 10


def test_a_worker_that_lost_its_claim_writes_nothing(user_for, monkeypatch):
    by = user_for(Role.ADMINISTRATOR)
    _receive(by=by)
    run_due()
    uploads.confirm(upload=_fresh(), take_good=False, by=by, now=NOW)
    job = Job.objects.get(name=uploads.IMPORT_JOB)
    taken = claims.claim(job.pk, worker="slow", now=NOW + timedelta(seconds=1))
    Job.objects.filter(pk=job.pk).update(attempt=2)
    with pytest.raises(claims.LostClaim):
        uploads.import_long(upload_id=_fresh().pk, by=by, now=NOW, claim=taken[1])
    assert not Item.objects.exists()
    assert _fresh().stage == UploadStage.IMPORTING


def test_what_became_bad_since_the_dry_run_is_told_and_can_be_taken(user_for, monkeypatch):
    by = user_for(Role.ADMINISTRATOR)
    _receive(by=by)
    run_due()
    uploads.confirm(upload=_fresh(), take_good=False, by=by, now=NOW)
    # The row was fine when it was checked.
    upload = _fresh()
    upload.content = GOOD.replace("L-3,Long 3,make", "L-3,Long 3,lost").encode()
    upload.save()
    run_due()
    upload = _fresh()
    assert (upload.stage, upload.outcome["bad"]) == (UploadStage.CHECKED, 1)
    assert "nothing was imported" in upload.report["refused"]
    assert not Item.objects.exists()
    uploads.confirm(upload=upload, take_good=True, by=by, now=NOW + timedelta(minutes=1))
    run_due()
    assert Item.objects.count() == 9


def test_a_long_file_that_cannot_be_read_to_its_end_says_so_and_is_not_kept(client_for):
    client = client_for(Role.ADMINISTRATOR)
    url = _send(client, GOOD + 'X,"open,make\n')["Location"]
    run_due()
    page = client.get(url)
    assert page.context["stage"] == UploadStage.UNREADABLE
    assert "no proper CSV from line 12" in page.content.decode()
    assert bytes(_fresh().content) == b""
    with pytest.raises(uploads.CannotConfirm):
        uploads.confirm(upload=_fresh(), take_good=True, by=None, now=NOW)


def test_the_columns_of_a_long_file_are_checked_at_once(client_for):
    answer = _send(client_for(Role.ADMINISTRATOR), "code,name\n" + "A,B\n" * 10)
    assert answer.status_code == 422
    assert not ImportUpload.objects.exists()


def test_a_large_workbook_is_not_even_opened_inside_the_request(monkeypatch):
    monkeypatch.setattr(uploads, "SMALL_UNPACKED", 10)
    monkeypatch.setattr(xlsx, "lines", lambda *args: pytest.fail("opened"))
    content = imports.export_xlsx(imports.RESOURCES["items"])
    upload = uploads.receive(
        resource="items", file_name="i.xlsx", content=content, by=None, now=NOW
    )
    assert upload.stage == UploadStage.CHECKING


def test_work_that_was_given_up_is_told_and_points_to_the_jobs(client_for):
    client = client_for(Role.ADMINISTRATOR)
    url = _send(client)["Location"]
    Job.objects.update(state=JobState.DEAD)
    text = client.get(url).content.decode()
    assert reverse("common:job-list") in text
    assert "every 1s" not in text


def test_a_file_that_nobody_wants_is_discarded(client_for):
    client = client_for(Role.ADMINISTRATOR)
    url = _send(client)["Location"]
    assert client.post(url, {"act": "discard"}).status_code == 302
    assert not ImportUpload.objects.exists()
    # The job that was asked for finds nothing to do.
    run_due()
    assert Job.objects.get().state == JobState.DONE


def test_what_is_being_imported_is_not_discarded(client_for):
    client = client_for(Role.ADMINISTRATOR)
    url = _send(client)["Location"]
    run_due()
    client.post(url)
    client.post(url, {"act": "discard"})
    assert ImportUpload.objects.exists()


def test_files_left_behind_are_forgotten_after_a_week():
    _receive(HEAD + "A,A,make\n")
    uploads.receive(
        resource="items",
        file_name="b.csv",
        content=(HEAD + "B,B,make\n").encode(),
        by=None,
        now=NOW + timedelta(days=8),
    )
    assert _fresh().file_name == "b.csv"


def test_the_report_is_in_the_language_of_who_sent_the_file(client_for, user_for):
    user = user_for(Role.ADMINISTRATOR)
    user.language = "zh-hans"
    user.save()
    _send(client_for(Role.ADMINISTRATOR), GOOD + "BAD,Bad,stolen\n")
    run_due()
    [[_file, _line, _column, reason]] = _fresh().report["bad"]
    assert "none of" not in reason


def test_the_pages_of_a_long_file_take_few_queries(client_for, django_assert_max_num_queries):
    client = client_for(Role.ADMINISTRATOR)
    url = _send(client)["Location"]
    client.get(url)
    with django_assert_max_num_queries(8):
        client.get(url)
