"""The dispatcher process of the job ledger."""

import signal
import threading
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand

from common.jobs import dispatcher


class Command(BaseCommand):
    """Dispatch until SIGTERM or SIGINT; several may run at once."""

    help = "Wake workers for due jobs and take back the jobs of workers that vanished."

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()

        def on_signal(number: int, frame: FrameType | None) -> None:
            stop.set()

        signal.signal(signal.SIGTERM, on_signal)
        signal.signal(signal.SIGINT, on_signal)
        self.stdout.write("Dispatching.")
        self.stdout.flush()
        dispatcher.run(stop)
        self.stdout.write("Dispatcher stopped.")
