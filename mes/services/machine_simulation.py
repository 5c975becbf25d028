"""Machines that are not there: each says what its operation suggests; a few stop now and then."""

import random
import uuid
from datetime import datetime
from decimal import Decimal

from masterdata import selectors as masterdata
from masterdata.enums import CheckKind
from mes.enums import OperationState
from mes.models import WorkOrderCheck, WorkOrderOperation
from mes.services import breakdowns, machine_events
from mes.services.machine_parsing import Row

SOURCE = "simulator"


class Machines:
    """The machines of the plant; ``stops`` is the chance that a running one fails in a round."""

    def __init__(self, chance: random.Random, *, stops: float = 0.0) -> None:
        self.chance = chance
        self.stops = stops
        # By work unit, for how many rounds it still stands.
        self._down: dict[int, int] = {}

    def fail(self, work_unit_id: int, *, rounds: int) -> None:
        """The machine says that it is down, for so many rounds from now on."""
        self._down[work_unit_id] = rounds

    def speak(self, *, now: datetime) -> int:
        """One round: state and warmth of every machine; return how many events were kept."""
        running = set(
            WorkOrderOperation.objects.filter(
                state__in=[OperationState.SETUP, OperationState.RUNNING]
            ).values_list("work_unit_id", flat=True)
        )
        rows = []
        for unit in masterdata.active_units():
            state = self._state(unit.id, unit.id in running)
            warmth = Decimal(
                str(round(self.chance.gauss(52 if state == "running" else 31, 1.5), 2))
            )
            rows.append(Row(unit.id, uuid.uuid4().hex, "state", now, status=state))
            rows.append(
                Row(
                    unit.id,
                    uuid.uuid4().hex,
                    "parameter",
                    now,
                    name="spindle_celsius",
                    value=warmth,
                )
            )
        rows += self._parameters(now)
        return machine_events.record(source=SOURCE, rows=rows, by=None, now=now).stored

    def _parameters(self, now: datetime) -> list[Row]:
        """What the checks of the operations at work ask machines for, within its limits."""
        asked = WorkOrderCheck.objects.filter(
            operation__state__in=[OperationState.SETUP, OperationState.RUNNING],
            operation__work_unit__isnull=False,
            code__gt="",
        ).exclude(kind=CheckKind.PASS)
        rows = []
        for check in asked.select_related("operation").order_by("pk"):
            limits = [limit for limit in (check.lower, check.upper) if limit is not None]
            low, high = float(min(limits)), float(max(limits))
            middle = float(check.target) if check.target is not None else (low + high) / 2
            value = min(max(self.chance.gauss(middle, (high - low) / 12), low), high)
            unit_id, name = check.operation.work_unit_id or 0, check.code
            said = Decimal(str(round(value, 2)))
            rows.append(Row(unit_id, uuid.uuid4().hex, "parameter", now, name=name, value=said))
        return rows

    def _state(self, unit_id: int, is_running: bool) -> str:
        left = self._down[unit_id] = max(-1, self._down.get(unit_id, 0) - 1)
        if is_running and left < 0 and self.chance.random() < self.stops:
            left = self._down[unit_id] = self.chance.randint(2, 12)
        if left >= 0 or breakdowns.standing(unit_id) is not None:
            return "down"
        return "running" if is_running else "idle"
