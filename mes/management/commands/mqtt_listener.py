"""python manage.py mqtt_listener: takes what machines say from an MQTT broker."""

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mes.mqtt import Listener


class Command(BaseCommand):
    help = "Listen to machines at an MQTT broker (MQTT_URL) until SIGTERM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", default=settings.MQTT_URL, help="mqtt://user:password@host")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["url"]:
            raise CommandError("Say where the broker is: MQTT_URL=mqtt://user:password@host:1883.")
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        listener = Listener(options["url"])
        listener.run(stop)
        self.stdout.write(f"{listener.kept} events kept, {listener.refused} refused.")
