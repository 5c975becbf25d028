"""The process that makes the ledger's promise good: nothing that is due stays asleep.

Each round takes back what was lost, sends (again) the wake-ups of what is due, and writes a
heartbeat. Several may run: SKIP LOCKED gives each row to one of them.
"""

import logging
import threading
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError, connections, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from common.enums import JobState
from common.jobs import claims, ledger, overview, registry, wakeups
from common.jobs.registry import QUEUES
from common.models import Heartbeat, Job

logger = logging.getLogger(__name__)

NAME = "dispatcher"
CLEAN_UP = "common.clean_up"
POLL_SECONDS = 1.0
# While there is more to send than the queues may hold, rounds follow each other this fast.
BUSY_SECONDS = 0.2
# A wake-up that has led nowhere after this long is sent again.
RESEND_SECONDS = 5.0
# The broker never holds many more wake-ups of a queue than this: what waits there is not lost,
# and sending it again would only make the queue longer.
LONGEST_QUEUE = 300


def run(stop: threading.Event) -> None:
    """Dispatch until ``stop`` is set; outlives the loss of PostgreSQL and of the broker."""
    hourly = _Hourly()
    while not stop.is_set():
        pause = POLL_SECONDS
        try:
            sent = run_round(now=timezone.now())
            hourly.look(now=timezone.now())
            pause = BUSY_SECONDS if sent else _until_next_due(now=timezone.now())
        except (DatabaseError, InterfaceError) as error:
            logger.warning("The database did not answer, trying again: %s", error)
        finally:
            connections.close_all()
        stop.wait(pause)


def ask_for_cleaning(*, now: datetime) -> bool:
    """Ask for the clean-up of this hour (``common.cleaning``); whether nobody has before."""
    with transaction.atomic():
        key = f"clean-up:{now:%Y-%m-%dT%H}"
        return ledger.enqueue(CLEAN_UP, key=key, group_key=CLEAN_UP, now=now, part=0) is not None


def ask_for_hourly(*, now: datetime) -> int:
    """Ask for this hour's jobs of those that are registered so; how many nobody has before."""
    with transaction.atomic():
        asked = [
            ledger.enqueue(name, key=f"{name}:{now:%Y-%m-%dT%H}", group_key=name, now=now)
            for name in registry.hourly()
        ]
    return sum(job is not None for job in asked)


class _Hourly:
    """What a dispatcher does beside its rounds: ask for what is hourly, look for deaf workers."""

    def __init__(self) -> None:
        self._hour: datetime | None = None
        self._looked_at: datetime | None = None

    def look(self, *, now: datetime) -> None:
        hour = now.replace(minute=0, second=0, microsecond=0)
        if hour != self._hour:
            ask_for_cleaning(now=now)
            ask_for_hourly(now=now)
            self._hour = hour
        if self._looked_at is None or now - self._looked_at > overview.DEAF_AFTER:
            self._looked_at = now
            for queue in overview.deaf_queues(at=now):
                logger.error("No worker takes jobs of the queue %s though some are due.", queue)


def run_round(*, now: datetime) -> int:
    """Do one round and return how many wake-ups were sent."""
    claims.take_back_lost(now=now)
    sent = 0
    for queue in QUEUES:
        if _asleep(queue, now).exists():
            sent += wakeups.send_now([(pk, queue) for pk in _take(queue, now, _room(queue))])
    _beat(now, any_sent=sent > 0)
    return sent


def _room(queue: str) -> int:
    """How many wake-ups may be sent to the queue; none while the broker does not answer."""
    waiting = wakeups.waiting(queue)
    return 0 if waiting is None else max(LONGEST_QUEUE - waiting, 0)


def _asleep(queue: str, now: datetime) -> "QuerySet[Job]":
    """Jobs whose turn has come and that nobody was told of lately."""
    due = Job.objects.filter(state=JobState.QUEUED, queue=queue, run_at__lte=now)
    return claims.whose_turn_it_is(due).filter(
        Q(woken_at__isnull=True)
        | Q(woken_at__lt=F("run_at"))
        | Q(woken_at__lt=now - timedelta(seconds=RESEND_SECONDS))
    )


def _take(queue: str, now: datetime, limit: int) -> list[int]:
    """Mark up to ``limit`` sleeping jobs as woken and return their ids.

    Marked before the wake-up is sent: dying in between delays it by one resend and no more.
    """
    if limit == 0:
        return []
    with transaction.atomic():
        due = _asleep(queue, now).select_for_update(no_key=True, skip_locked=True)
        ids = list(due.order_by("run_at", "pk").values_list("pk", flat=True)[:limit])
        Job.objects.filter(pk__in=ids).update(woken_at=now)
    return ids


def _beat(now: datetime, *, any_sent: bool) -> None:
    """Write the heartbeat, with the wake-ups lost since the broker last took one."""
    failures = wakeups.take_failures()
    made = {"at": now, "failures": failures}
    changed = {"at": now} if not (failures or any_sent) else dict(made)
    if failures and not any_sent:
        changed["failures"] = F("failures") + failures  # type: ignore[assignment]
    Heartbeat.objects.update_or_create(name=NAME, defaults=changed, create_defaults=made)


def _until_next_due(*, now: datetime) -> float:
    """Seconds to sleep: one poll, or less if a job becomes due before that."""
    waiting = Job.objects.filter(state=JobState.QUEUED, run_at__gt=now)
    run_at = waiting.order_by("run_at").values_list("run_at", flat=True).first()
    if run_at is None:
        return POLL_SECONDS
    return min(max((run_at - now).total_seconds(), 0.02), POLL_SECONDS)
