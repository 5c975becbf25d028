"""Send a job's id to Celery after commit. It may fail; the dispatcher sends it again."""

import logging
import os
import threading
import time
from collections.abc import Iterable
from typing import Any

from celery import current_app
from kombu.pools import ProducerPool

logger = logging.getLogger(__name__)

# After a failure nothing is tried for this long, so that a dead broker costs each process one
# short time-out per pause and not one per request.
PAUSE_SECONDS = 3.0
# A request waits for the broker no longer than this, whatever the worker's own settings are.
BROKER_TIMEOUT_SECONDS = 0.15
LONGEST_QUEUE = 500

_lock = threading.Lock()
_paused_until = 0.0
_failures = 0
_pools: dict[int, ProducerPool] = {}


def send(jobs: Iterable[tuple[int, str]]) -> int:
    """Send a wake-up for each (job id, queue); return how many the broker took. Never raises."""
    global _failures, _paused_until
    sent = 0
    wanted = list(jobs)
    if not wanted:
        return 0
    if time.monotonic() < _paused_until:
        _failures += len(wanted)
        return 0
    try:
        with _producers().acquire(block=True, timeout=1) as producer:
            for job_id, queue in wanted:
                _publish(producer, job_id, queue)
                sent += 1
    except Exception as error:  # noqa: BLE001 -- whatever the client raises, the row is the truth
        with _lock:
            _paused_until = time.monotonic() + PAUSE_SECONDS
            _failures += len(wanted) - sent
        logger.warning(
            "The broker did not take %s wake-ups: %r", len(wanted) - sent, error
        )
    return sent


def take_failures() -> int:
    """How many wake-ups this process could not send since the last call."""
    global _failures
    with _lock:
        count, _failures = _failures, 0
    return count


def resume() -> None:
    """Forget an earlier failure, so that the next send tries the broker at once."""
    global _paused_until
    _paused_until = 0.0


def waiting(queue: str) -> int:
    """How many messages the broker holds for ``queue``; raises what the client raises."""
    with _producers().acquire(block=True, timeout=1) as producer:
        producer.connection.ensure_connection(max_retries=1)
        try:
            return int(
                producer.channel.queue_declare(queue, passive=True).message_count
            )
        except producer.connection.channel_errors:
            return 0  # An empty Redis list does not exist.


def _publish(producer: Any, job_id: int, queue: str) -> None:
    from common.jobs.tasks import run_job

    run_job.apply_async(args=[job_id], queue=queue, producer=producer, retry=False)


def _producers() -> ProducerPool:
    # By process: a forked child must not write into its parent's sockets.
    pid = os.getpid()
    with _lock:
        if pid not in _pools:
            options = {
                **current_app.conf.broker_transport_options,
                "socket_timeout": BROKER_TIMEOUT_SECONDS,
                "socket_connect_timeout": BROKER_TIMEOUT_SECONDS,
                "max_retries": 0,
            }
            connection = current_app.connection_for_write()
            connection.transport_options = options
            _pools.clear()
            _pools[pid] = ProducerPool(connection.Pool(limit=4), limit=4)
        return _pools[pid]
