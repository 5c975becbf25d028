"""python manage.py simulate_machines: the demo's machines speak."""

import random
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from mes.services.machine_simulation import Machines


class Command(BaseCommand):
    help = "Let every machine say what it does, as its operation suggests; a few stop now and then."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seconds", type=float, default=0, help="0: until Ctrl-C")
        parser.add_argument("--every", type=float, default=5.0, help="seconds between messages")
        parser.add_argument("--stops", type=float, default=0.01, help="chance of a stop each time")
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *args: Any, **options: Any) -> None:
        chance = random.Random(options["seed"])  # noqa: S311 - play
        machines = Machines(chance, stops=options["stops"])
        ends = time.monotonic() + options["seconds"] if options["seconds"] else float("inf")
        while True:
            self.stdout.write(f"{machines.speak(now=timezone.now())} events")
            if time.monotonic() + options["every"] > ends:
                return
            time.sleep(options["every"])
