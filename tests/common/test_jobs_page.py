"""The administrators' page: who may see it, what it shows, what its buttons do."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from common.enums import JobState, Role
from common.jobs import enqueue, run_due, wakeups
from common.models import AuditEntry, Heartbeat, Job
from tests.conftest import ClientFor, UserFor
from tests.faults import toy_jobs  # noqa: F401 -- registers the jobs

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wakeups, "send", lambda jobs: None)


def a_job(state: JobState = JobState.QUEUED, *, name: str = "toy.write", n: int = 1) -> Job:
    with transaction.atomic():
        job = enqueue(name, key=f"{name}:{n}", now=timezone.now(), n=n)
    assert job is not None
    lease = timezone.now() + timedelta(minutes=1) if state == JobState.RUNNING else None
    Job.objects.filter(pk=job.pk).update(state=state, lease_until=lease, attempt=8)
    job.refresh_from_db()
    return job


def post(client: Any, action: str, *ids: int, **data: str) -> Any:
    return client.post(reverse(f"common:job-{action}", args=ids), data, follow=True)


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMINISTRATOR])
@pytest.mark.parametrize("action", ["replay", "cancel"])
def test_only_the_administrator_may_act_and_nothing_changes_for_others(
    client_for: ClientFor, role: Role, action: str
) -> None:
    job = a_job(JobState.DEAD)
    client = client_for(role)
    assert client.get(reverse("common:job-list")).status_code in {302, 403, 404}
    assert client.post(reverse(f"common:job-{action}", args=[job.pk])).status_code in {
        302,
        403,
        404,
    }
    assert client.post(reverse("common:job-replay-dead")).status_code in {302, 403, 404}
    job.refresh_from_db()
    assert job.state == JobState.DEAD
    assert not AuditEntry.objects.exists()


def test_the_list_shows_depth_age_and_the_silent_dispatcher(client_for: ClientFor) -> None:
    waiting = a_job()
    Job.objects.filter(pk=waiting.pk).update(run_at=timezone.now() - timedelta(seconds=125))
    a_job(JobState.DEAD, n=2)
    response = client_for(Role.ADMINISTRATOR).get(reverse("common:job-list"))
    assert response.status_code == 200
    depth = response.context["depth"]
    assert (depth.counts[JobState.QUEUED], depth.counts[JobState.DEAD]) == (1, 1)
    assert 124 < depth.oldest_due.total_seconds() < 150
    assert depth.dispatcher_silent
    assert "run_dispatcher" in response.content.decode()
    Heartbeat.objects.create(name="dispatcher", at=timezone.now(), failures=3)
    depth = client_for(Role.ADMINISTRATOR).get(reverse("common:job-list")).context["depth"]
    assert (depth.dispatcher_silent, depth.failures) == (False, 3)


def test_the_list_is_filtered_by_state_and_name(client_for: ClientFor) -> None:
    a_job(JobState.DEAD, n=1)
    other = a_job(JobState.DEAD, name="toy.write_and_fail", n=2)
    a_job(n=3)
    query = {"state": "dead", "name": "toy.write_and_fail"}
    page = client_for(Role.ADMINISTRATOR).get(reverse("common:job-list"), query).context["page"]
    assert [job.pk for job in page] == [other.pk]


def test_the_list_costs_the_same_number_of_queries_however_long_it_is(
    client_for: ClientFor, django_assert_max_num_queries: Any
) -> None:
    client = client_for(Role.ADMINISTRATOR)
    for n in range(30):
        a_job(n=n)
    with django_assert_max_num_queries(12):
        client.get(reverse("common:job-list"))


def test_the_page_of_a_job_shows_arguments_attempts_and_errors(client_for: ClientFor) -> None:
    with transaction.atomic():
        job = enqueue("toy.write_and_fail", key="broken", now=timezone.now(), n=4711)
    assert job is not None
    run_due()
    response = client_for(Role.ADMINISTRATOR).get(reverse("common:job-detail", args=[job.pk]))
    text = response.content.decode()
    assert "4711" in text
    assert "The toy is broken." in text
    assert "Failed" in text


def test_a_dead_job_is_replayed_once_audited_and_gets_new_attempts(
    client_for: ClientFor, user_for: UserFor
) -> None:
    job = a_job(JobState.DEAD)
    client = client_for(Role.ADMINISTRATOR)
    post(client, "replay", job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt, job.max_attempts) == (JobState.QUEUED, 8, 16)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target_id) == ("common.job.replay", job.pk)
    assert entry.actor == user_for(Role.ADMINISTRATOR)
    response = post(client, "replay", job.pk)
    assert "Only a dead job" in response.content.decode()
    assert AuditEntry.objects.count() == 1
    assert run_due() == 1
    job.refresh_from_db()
    assert job.state == JobState.DONE


def test_all_dead_jobs_of_one_name_are_replayed(client_for: ClientFor) -> None:
    mine = [a_job(JobState.DEAD, n=n) for n in range(3)]
    other = a_job(JobState.DEAD, name="toy.write_and_fail", n=9)
    post(client_for(Role.ADMINISTRATOR), "replay-dead", name="toy.write")
    states = dict(Job.objects.values_list("pk", "state"))
    assert {states[job.pk] for job in mine} == {JobState.QUEUED}
    assert states[other.pk] == JobState.DEAD
    assert AuditEntry.objects.filter(action="common.job.replay").count() == 3


def test_a_waiting_job_is_cancelled_with_a_reason_and_never_runs(client_for: ClientFor) -> None:
    job = a_job()
    post(client_for(Role.ADMINISTRATOR), "cancel", job.pk, reason="Asked for by mistake")
    job.refresh_from_db()
    assert job.state == JobState.CANCELLED
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.reason) == ("common.job.cancel", "Asked for by mistake")
    assert entry.changes == {"state": ["queued", "cancelled"]}
    assert run_due() == 0


@pytest.mark.parametrize("state", [JobState.RUNNING, JobState.DONE, JobState.CANCELLED])
def test_what_runs_or_is_over_is_not_cancelled(client_for: ClientFor, state: JobState) -> None:
    job = a_job(state)
    post(client_for(Role.ADMINISTRATOR), "cancel", job.pk)
    job.refresh_from_db()
    assert job.state == state
    assert not AuditEntry.objects.exists()
