"""Send a job's id to Celery after commit. It may fail; the dispatcher sends it again.

A request hands its wake-ups to a thread and goes on: with a broker that is down, or worse, that
accepts connections and is silent, the client library waits for several time-outs in a row.
"""

import atexit
import logging
import os
import threading
import time
from collections.abc import Iterable, Sequence
from queue import SimpleQueue
from typing import Any

from celery import current_app
from kombu import pools

logger = logging.getLogger(__name__)

WakeUp = tuple[int, str]  # the job's id and its queue

# After a failure nothing is tried for this long: wake-ups are then dropped, not piled up.
PAUSE_SECONDS = 3.0
BROKER_TIMEOUT_SECONDS = 1.0
# How long a process that ends waits for its last wake-ups to leave.
LAST_SECONDS = 1.0


class _Sender:
    """The thread, connections and counts of one process."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.lock = threading.Lock()
        self.outbox: SimpleQueue[list[WakeUp]] = SimpleQueue()
        self.unsent = 0
        self.thread: threading.Thread | None = None
        self.producers: Any = None
        # Not the other lock: loading the broker's client takes long, and post() must not wait.
        self.connecting = threading.Lock()
        self.paused_until = 0.0
        self.failures = 0

    def post(self, wanted: list[WakeUp]) -> None:
        with self.lock:
            self.unsent += 1
            if self.thread is None:
                self.thread = threading.Thread(target=self._work, name="wakeups", daemon=True)
                self.thread.start()
        self.outbox.put(wanted)

    def send(self, wanted: Sequence[WakeUp]) -> int:
        if not wanted or self.paused():
            self.failures += len(wanted)
            return 0
        sent = 0
        try:
            with self._producer_pool().acquire(block=True, timeout=1) as producer:
                for job_id, queue in wanted:
                    publish(producer, job_id, queue)
                    sent += 1
        except Exception as error:  # whatever it is, the row is the truth
            self.note_failure(len(wanted) - sent, error)
        return sent

    def waiting(self, queue: str) -> int | None:
        if self.paused():
            return None
        try:
            with self._producer_pool().acquire(block=True, timeout=1) as producer:
                try:
                    return int(producer.channel.queue_declare(queue, passive=True).message_count)
                except producer.connection.channel_errors:
                    return 0  # An empty Redis list does not exist.
        except Exception as error:  # as in send()
            self.note_failure(1, error)
            return None

    def paused(self) -> bool:
        return time.monotonic() < self.paused_until

    def note_failure(self, count: int, error: Exception) -> None:
        with self.lock:
            self.paused_until = time.monotonic() + PAUSE_SECONDS
            self.failures += count
        logger.warning("The broker did not take %s wake-ups: %r", count, error)

    def _work(self) -> None:
        while True:
            wanted = self.outbox.get()
            self.send(wanted)
            with self.lock:
                self.unsent -= 1

    def _producer_pool(self) -> Any:
        with self.connecting:
            if self.producers is None:
                connection = connect()
                connection.transport_options = {
                    **current_app.conf.broker_transport_options,
                    "socket_timeout": BROKER_TIMEOUT_SECONDS,
                    "socket_connect_timeout": BROKER_TIMEOUT_SECONDS,
                    "max_retries": 0,
                }
                # Celery and kombu carry no types.
                make_pool: Any = pools.ProducerPool
                self.producers = make_pool(connection.Pool(limit=4), limit=4)
            return self.producers


_sender = _Sender()


def send(jobs: Iterable[WakeUp]) -> None:
    """Let a thread send a wake-up for each (job id, queue). Costs no time and never raises."""
    wanted = list(jobs)
    if wanted:
        _sender.post(wanted)


def send_now(jobs: Iterable[WakeUp]) -> int:
    """Send in this thread and return how many wake-ups the broker took. Never raises."""
    return _sender.send(list(jobs))


def waiting(queue: str) -> int | None:
    """How many messages the broker holds for ``queue``; None if it does not answer."""
    return _sender.waiting(queue)


def take_failures() -> int:
    """How many wake-ups this process could not send since the last call."""
    with _sender.lock:
        count, _sender.failures = _sender.failures, 0
    return count


def flush(seconds: float = LAST_SECONDS) -> bool:
    """Wait until every wake-up handed over was tried; return False after ``seconds``."""
    deadline = time.monotonic() + seconds
    while _sender.unsent and time.monotonic() < deadline:
        time.sleep(0.005)
    return not _sender.unsent


def reset() -> None:
    """Begin anew, without thread, connections, pause and counts: a forked child's own sender."""
    _sender.reset()


def connect() -> Any:
    """A connection to Celery's broker, not yet opened."""
    return current_app.connection_for_write()


def publish(producer: Any, job_id: int, queue: str) -> None:
    """Send one wake-up."""
    from common.jobs.tasks import run_job

    run_job.apply_async(args=[job_id], queue=queue, producer=producer, retry=False)


# A child must neither write into its parent's sockets nor wait for its parent's thread.
os.register_at_fork(after_in_child=reset)
atexit.register(flush)
