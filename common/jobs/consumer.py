"""Celery's consumer, which outlives the loss of its broker also while it holds messages.

Celery puts back and acknowledges over the connection that is gone what that connection delivered.
When its remote-control connection is the first to notice the loss, this ends the whole worker
("Unrecoverable error: 'NoneType' object has no attribute 'hostname'", kombu 5.7). Here neither is
needed: the ledger knows what is undone, and its dispatcher wakes somebody up again.
"""

import logging

from celery.worker import state
from celery.worker.consumer import Consumer as CelerysConsumer

logger = logging.getLogger(__name__)


class Consumer(CelerysConsumer):  # type: ignore[misc]  # Celery carries no types
    """What a worker listens with; the setting ``worker_consumer`` names it."""

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Let go of the lost connection, whatever state it is in, so that a new one is made."""
        for request in tuple(state.requests.values()):
            request.acknowledged = True
        if self.task_consumer is not None:
            self.task_consumer.channel.do_restore = False
        try:
            super().on_connection_error_after_connected(exc)
        except Exception:
            logger.exception("The lost connection to the broker did not close; a new one is made.")
