"""A worker that lives and does not listen is noticed; one that is busy is not called deaf."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from common.enums import JobState, Role
from common.jobs import dispatcher, overview
from common.models import Heartbeat, Job, JobAttempt
from common.views import health

pytestmark = pytest.mark.django_db
LONG = timedelta(seconds=90)


def waiting(queue: str = "default", ago: timedelta = LONG, key: str = "lies") -> Job:
    at = timezone.now() - ago
    return Job.objects.create(
        name="toy", key=key, queue=queue, run_at=at, woken_at=at, created_at=at
    )


def deaf() -> list[str]:
    return overview.deaf_queues(at=timezone.now())


def test_jobs_behind_one_that_is_tried_again_later_make_nobody_deaf() -> None:
    failed = waiting(ago=timedelta(minutes=-4), key="failed")
    behind = waiting(key="behind")
    Job.objects.update(group_key="order:1")
    assert deaf() == []
    # The controls: once the first is due as well, or in no group, the second lies there.
    Job.objects.filter(pk=behind.pk).update(group_key="order:2")
    assert deaf() == ["default"]
    Job.objects.filter(pk=behind.pk).update(group_key="order:1")
    Job.objects.filter(pk=failed.pk).update(run_at=timezone.now() - LONG)
    assert deaf() == ["default"]


def test_one_long_job_that_ended_just_now_has_kept_the_next_waiting() -> None:
    waiting()
    done = waiting(key="done", ago=timedelta(hours=1))
    begun(done, timedelta(minutes=30))
    Job.objects.filter(pk=done.pk).update(state=JobState.DONE)
    assert deaf() == ["default"]
    JobAttempt.objects.update(ended_at=timezone.now())
    assert deaf() == []


def begun(job: Job, ago: timedelta) -> None:
    JobAttempt.objects.create(job=job, attempt=1, started_at=timezone.now() - ago)


def test_a_queue_nobody_takes_from_is_deaf_and_only_that_one() -> None:
    waiting("default")
    waiting("solver", ago=timedelta(seconds=5), key="young")
    assert deaf() == ["default"]


def test_what_waits_for_its_time_makes_nobody_deaf() -> None:
    waiting(ago=timedelta(hours=-1))
    assert deaf() == []


def test_workers_that_are_busy_are_not_deaf() -> None:
    job = waiting()
    other = waiting(key="runs", ago=timedelta(hours=1))
    begun(other, timedelta(minutes=30))
    # The control: what ran long ago proves nothing.
    assert deaf() == ["default"]
    Job.objects.filter(pk=other.pk).update(
        state=JobState.RUNNING, lease_until=timezone.now() + timedelta(hours=1)
    )
    assert deaf() == []
    Job.objects.filter(pk=other.pk).update(state=JobState.DONE, lease_until=None)
    begun(job, timedelta(seconds=10))
    assert deaf() == []


def beat(failures: int = 0, ago: timedelta = timedelta(0)) -> None:
    Heartbeat.objects.update_or_create(
        name="dispatcher", defaults={"at": timezone.now() - ago, "failures": failures}
    )


def test_the_page_names_the_queue_unless_somebody_else_is_the_cause(client_for) -> None:
    client: Client = client_for(Role.ADMINISTRATOR)
    waiting("solver")
    beat()
    said = "Jobs of these queues are due and nobody begins them: solver."
    assert said in client.get("/jobs/").content.decode()
    for cause in ({"failures": 3}, {"ago": timedelta(hours=1)}):
        beat(**cause)
        assert said not in client.get("/jobs/").content.decode()


def test_the_health_page_is_degraded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_redis", lambda: True)
    beat()
    assert Client().get("/readyz").json()["checks"]["workers"] == "ok"
    waiting()
    answer = Client().get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["checks"]["workers"] == "failed"


def test_the_dispatcher_logs_it_once_a_while(caplog: pytest.LogCaptureFixture) -> None:
    waiting("solver")
    hourly = dispatcher._Hourly()
    now = timezone.now()
    for seconds in (0, 5, 30):
        hourly.look(now=now + timedelta(seconds=seconds))
    told = [r for r in caplog.records if "No worker takes jobs of the queue solver" in r.message]
    assert len(told) == 1
    hourly.look(now=now + timedelta(seconds=90))
    told = [r for r in caplog.records if "No worker takes jobs of the queue solver" in r.message]
    assert len(told) == 2
