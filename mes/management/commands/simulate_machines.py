"""python manage.py simulate_machines: the demo's machines speak."""

import random
import time
import uuid
from argparse import ArgumentParser
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from masterdata import selectors as masterdata
from mes.enums import OperationState
from mes.models import WorkOrderOperation
from mes.services import breakdowns, machine_events
from mes.services.machine_parsing import Row


class Command(BaseCommand):
    help = "Let every machine say what it does, as its operation suggests; a few stop now and then."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seconds", type=float, default=0, help="0: until Ctrl-C")
        parser.add_argument("--every", type=float, default=5.0, help="seconds between messages")
        parser.add_argument("--stops", type=float, default=0.01, help="chance of a stop each time")
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *args: Any, **options: Any) -> None:
        chance = random.Random(options["seed"])  # noqa: S311 - play
        ends = time.monotonic() + options["seconds"] if options["seconds"] else float("inf")
        down: dict[int, int] = {}
        while True:
            kept = self._round(chance, down, options["stops"])
            self.stdout.write(f"{kept} events")
            if time.monotonic() + options["every"] > ends:
                return
            time.sleep(options["every"])

    def _round(self, chance: random.Random, down: dict[int, int], stops: float) -> int:
        running = set(
            WorkOrderOperation.objects.filter(
                state__in=[OperationState.SETUP, OperationState.RUNNING]
            ).values_list("work_unit_id", flat=True)
        )
        now = timezone.now()
        rows = []
        for unit in masterdata.active_units():
            down[unit.id] = down.get(unit.id, 0) - 1
            if unit.id in running and down[unit.id] < 0 and chance.random() < stops:
                down[unit.id] = chance.randint(2, 12)
            stands = down[unit.id] >= 0 or breakdowns.standing(unit.id) is not None
            state = "down" if stands else "running" if unit.id in running else "idle"
            rows.append(Row(unit.id, uuid.uuid4().hex, "state", now, status=state))
            rows.append(self._warmth(chance, unit.id, now, state))
        return machine_events.record(source="simulator", rows=rows, by=None, now=now).stored

    def _warmth(self, chance: random.Random, unit_id: int, now: Any, state: str) -> Row:
        celsius = Decimal(str(round(chance.gauss(52 if state == "running" else 31, 1.5), 2)))
        return Row(
            unit_id, uuid.uuid4().hex, "parameter", now, name="spindle_celsius", value=celsius
        )
