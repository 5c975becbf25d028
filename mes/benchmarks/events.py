"""How many machine events a second are taken in, through the API's own view.

``manage.py bench_floor events`` runs it. The rows of a measurement stay: raw events are
append-only, so it belongs into a database that is thrown away.
"""

import time
import uuid
from dataclasses import dataclass

from django.utils import timezone
from rest_framework.test import APIClient

from common.models import User
from masterdata import selectors as masterdata
from mes.services import machine_events

BAR = 500
STATES = ("running", "idle", "setup", "down")


@dataclass(frozen=True)
class Result:
    """Events a second, with the batches' times in milliseconds."""

    events: int
    seconds: float
    slowest_ms: float
    derive_ms: float

    @property
    def per_second(self) -> float:
        return self.events / self.seconds

    def __str__(self) -> str:
        return (
            f"{self.events} events in {self.seconds:.1f} s: {self.per_second:,.0f} events/s "
            f"(bar: {BAR}), slowest batch {self.slowest_ms:.0f} ms, "
            f"states derived in {self.derive_ms:.0f} ms"
        )


def run(*, user: User, seconds: float = 5.0, batch: int = 500) -> Result:
    """Send batches of all kinds for so long, one after another, and derive the states."""
    client = APIClient()
    client.force_authenticate(user)
    units = [unit.code for unit in masterdata.active_units()]
    taken, slowest = 0, 0.0
    # The first request loads the URLs.
    _send(client, units, 1)
    begins = time.perf_counter()
    while time.perf_counter() - begins < seconds:
        sent = time.perf_counter()
        _send(client, units, batch)
        slowest = max(slowest, time.perf_counter() - sent)
        taken += batch
    passed = time.perf_counter() - begins
    derives = time.perf_counter()
    machine_events.derive(now=timezone.now())
    return Result(taken, passed, slowest * 1000, (time.perf_counter() - derives) * 1000)


def _send(client: APIClient, units: list[str], count: int) -> None:
    body = {"source": "bench", "events": _events(units, count)}
    answer = client.post("/api/v1/machine-events/", body, format="json", HTTP_HOST="localhost")
    if answer.status_code != 200:
        raise RuntimeError(answer.content.decode()[:500])


def _events(units: list[str], count: int) -> list[dict[str, object]]:
    now = timezone.now().isoformat()
    mark = uuid.uuid4().hex
    found: list[dict[str, object]] = []
    for number in range(count):
        event: dict[str, object] = {
            "id": f"{mark}-{number}",
            "unit": units[number % len(units)],
            "at": now,
        }
        match number % 3:
            case 0:
                event |= {"kind": "state", "state": STATES[number // 3 % len(STATES)]}
            case 1:
                event |= {"kind": "count", "good": 1, "scrap": 0}
            case _:
                event |= {"kind": "parameter", "name": "spindle_c", "value": 41.5}
        found.append(event)
    return found
