"""Jobs that are over and answers already given are thrown away after a while, and no others."""

from datetime import timedelta

import pytest
from django.utils import timezone

from common import cleaning
from common.enums import AttemptOutcome, JobState
from common.jobs import dispatcher, run_due
from common.models import IdempotentAnswer, Job, JobAttempt
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def job(key: str, state: str = JobState.DONE, days: float = 31, **fields) -> Job:
    now = timezone.now()
    ended = now - timedelta(days=days)
    over = state in {JobState.DONE, JobState.CANCELLED}
    made = Job.objects.create(
        name="toy",
        key=key,
        state=state,
        run_at=now + timedelta(days=1) if state == JobState.QUEUED else ended,
        created_at=ended,
        done_at=ended if over else None,
        lease_until=now + timedelta(hours=1) if state == JobState.RUNNING else None,
        **fields,
    )
    JobAttempt.objects.create(job=made, attempt=1, started_at=ended, outcome=AttemptOutcome.DONE)
    return made


def keys() -> set[str]:
    return set(Job.objects.exclude(name=dispatcher.CLEAN_UP).values_list("key", flat=True))


def clean() -> None:
    assert dispatcher.ask_for_cleaning(now=timezone.now())
    run_due()


def test_what_is_over_for_long_goes_with_its_attempts_and_the_rest_stays() -> None:
    gone = job("done")
    job("cancelled", JobState.CANCELLED)
    job("merged", merged_into=gone)
    stays = {"young", "dead", "queued", "running"}
    job("young", days=29)
    for state in (JobState.DEAD, JobState.QUEUED, JobState.RUNNING):
        job(state, state)
    clean()
    assert keys() == stays
    assert (
        set(
            JobAttempt.objects.exclude(job__name=dispatcher.CLEAN_UP).values_list(
                "job__key", flat=True
            )
        )
        == stays
    )


def test_how_long_is_a_setting(settings) -> None:
    settings.KEEP_JOBS_DAYS = 3
    job("old", days=4)
    job("young", days=2)
    clean()
    assert keys() == {"young"}


def test_much_goes_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning, "PART", 3)
    for number in range(8):
        job(str(number))
    clean()
    assert keys() == set()
    assert Job.objects.filter(name=dispatcher.CLEAN_UP, state=JobState.DONE).count() == 3


def test_a_merged_job_that_is_kept_survives_the_one_it_was_merged_into() -> None:
    old = job("old")
    job("young", days=1, merged_into=old)
    clean()
    assert keys() == {"young"}
    assert Job.objects.get(key="young").merged_into is None


def test_it_is_asked_for_once_an_hour_whoever_asks() -> None:
    now = timezone.now().replace(minute=5)
    assert dispatcher.ask_for_cleaning(now=now)
    assert not dispatcher.ask_for_cleaning(now=now + timedelta(minutes=50))
    assert dispatcher.ask_for_cleaning(now=now + timedelta(hours=1))


def test_answers_of_repeated_requests_go_after_a_week() -> None:
    user, now = UserFactory(), timezone.now()
    for key, days in (("old", 8), ("young", 6)):
        IdempotentAnswer.objects.create(
            user=user, key=key, fingerprint="x", created_at=now - timedelta(days=days)
        )
    clean()
    assert list(IdempotentAnswer.objects.values_list("key", flat=True)) == ["young"]
