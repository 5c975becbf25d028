"""How many reports a second the floor may send, each with all that it books.

``manage.py bench_floor reports`` runs it on a copy of the demo factory that is thrown away. A
report of a good piece at the last operation goes through the API and books the piece into stock,
its components out of it (four lines, backflushed), the cost ledger, what it is pegged to, the trail
and the jobs that follow; a whole operation books time of its person and its machine as well.
"""

import itertools
import multiprocessing
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from multiprocessing.synchronize import Barrier
from typing import Any

from django.apps import apps
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django.utils import timezone
from rest_framework.test import APIClient

from common.models import User
from erp.enums import MoveKind, RequirementKind
from erp.services import requirements, stock
from masterdata import selectors as masterdata
from masterdata.enums import IssueMethod
from mes import selectors
from mes.enums import OperationState, WorkOrderState
from mes.models import WorkOrder, WorkOrderOperation
from mes.services import execution, supply, work_orders

ITEM = "ARM-A1"
# Beside what its BOM names already, per piece.
ALSO = {"SCREW-M6": 4, "NUT-M10": 4, "SEAL-35": 1}
PIECES = 500
CLIENTS = 4
# Of each component, so that no machine is so fast that its plant runs out of it.
PLENTY = Decimal(100_000)


@dataclass(frozen=True)
class Result:
    """Requests of ``clients`` at once, with their times."""

    requests: int
    seconds: float
    times: tuple[float, ...]

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    @property
    def p95_ms(self) -> float:
        ordered = sorted(self.times)
        return ordered[int(0.95 * (len(ordered) - 1))] * 1000


def reports(*, user: User, seconds: float = 10.0, clients: int = 1) -> Result:
    """Report piece by piece for so long, each client at a machine of its own."""
    plant = _Plant(user)
    running = [plant.at_the_last_operation(PIECES) for _ in range(clients)]
    return _measure(
        [_endlessly(_url(operation, "report"), {"good": 1}, PIECES - 1) for operation in running],
        user,
        seconds,
    )


def operations(*, user: User, seconds: float = 10.0, orders: int = 40) -> Result:
    """Set up, run, report, pause, resume, report and finish one operation after another."""
    plant = _Plant(user)
    made = [plant.order(Decimal(2)) for _ in range(orders)]
    steps = itertools.chain.from_iterable(plant.whole_way(order) for order in made)
    return _measure([steps], user, seconds)


Step = tuple[str, dict[str, Any]]


def _endlessly(url: str, body: dict[str, Any], times: int) -> Iterable[Step]:
    return itertools.repeat((url, body), times)


def _measure(scripts: list[Iterable[Step]], user: User, seconds: float) -> Result:
    """Let a client play each script at the same time; none begins a request after ``seconds``.

    Each client is a process, as the web server's are: threads would wait for each other's Python.
    """
    apart = multiprocessing.get_context("fork")
    start, answers = apart.Barrier(len(scripts) + 1), apart.SimpleQueue()

    def play(script: Iterable[Step]) -> None:
        _forget_connections()
        try:
            answers.put(_times(script, user, seconds, start))
        except Exception as error:  # noqa: BLE001 - told below, in the measuring process
            answers.put(repr(error))
        finally:
            _disconnect()

    # A process must not inherit a connection, or a pool of them, that another one goes on using.
    _disconnect()
    clients = [apart.Process(target=play, args=(script,), daemon=True) for script in scripts]
    for client in clients:
        client.start()
    start.wait()
    begins = time.perf_counter()
    told = [answers.get() for _client in clients]
    took = time.perf_counter() - begins
    for client in clients:
        client.join()
    if errors := [answer for answer in told if isinstance(answer, str)]:
        raise RuntimeError(errors[0])
    times = tuple(itertools.chain.from_iterable(told))
    return Result(len(times), took, times)


def _disconnect() -> None:
    connections.close_all()
    for wrapper in connections.all():
        if isinstance(wrapper, DatabaseWrapper):
            wrapper.close_pool()


def _forget_connections() -> None:
    """Leave an inherited connection to the process that opened it: two would mix up its answers.

    Django keeps a thread's connections apart while an event loop runs in it, and in a new process
    none runs: there may be open ones that the measuring process did not see.
    """
    for wrapper in connections.all(initialized_only=True):
        wrapper.connection = None


def _times(script: Iterable[Step], user: User, seconds: float, start: Barrier) -> list[float]:
    """Play the script and return how long each of its requests took."""
    times: list[float] = []
    client = APIClient()
    client.force_authenticate(user)
    start.wait()
    ends = time.perf_counter() + seconds
    for url, body in script:
        begun = time.perf_counter()
        if begun >= ends:
            break
        _post(client, url, body)
        times.append(time.perf_counter() - begun)
    return times


def _post(client: APIClient, url: str, body: dict[str, Any]) -> None:
    key = uuid.uuid4().hex
    answer = client.post(url, body, format="json", HTTP_HOST="localhost", HTTP_IDEMPOTENCY_KEY=key)
    if answer.status_code != 200:
        raise RuntimeError(f"{url}: {answer.content.decode()[:500]}")


def _url(operation: WorkOrderOperation, verb: str) -> str:
    number = operation.work_order.number
    return f"/api/v1/work-orders/{number}/operations/{operation.sequence}/{verb}/"


class _Plant:
    """Work orders of the demo factory, with machines that are free for them."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.now = timezone.now()
        self.site_id = masterdata.default_site().pk
        item = masterdata.item_by_code(ITEM)
        assert item is not None  # noqa: S101 - the demo's own item
        self.item_id = item.pk
        self.codes = {unit.id: unit.code for unit in masterdata.active_units()}
        self._fill_the_store(_backflushed(self.item_id))
        self._free_the_machines()

    def order(self, quantity: Decimal) -> WorkOrder:
        """A work order of its own, that takes no more demand."""
        (need,) = requirements.open_many(
            [
                requirements.NewRequirement(
                    item_id=self.item_id,
                    site_id=self.site_id,
                    kind=RequirementKind.SALES,
                    quantity=quantity,
                    due_at=self.now + timedelta(days=30),
                    reference=f"bench/{uuid.uuid4().hex[:8]}",
                )
            ]
        )
        plan = supply.plan(
            site_id=self.site_id,
            demands=[supply.Demand(need.pk, quantity)],
            by=self.user,
            now=self.now,
        )
        order = WorkOrder.objects.get(pk__in=plan.work_order_ids, item=self.item_id)
        if order.state == WorkOrderState.PLANNED:
            work_orders.release(order=order, by=self.user, now=self.now)
        return order

    def at_the_last_operation(self, pieces: int) -> WorkOrderOperation:
        """Everything but the last operation done, and that one running."""
        order = self.order(Decimal(pieces))
        *before, last = order.operations.order_by("sequence")
        for operation in before:
            self._start(operation)
            execution.report(
                operation=operation, good=Decimal(pieces), by=self.user, now=self._moment()
            )
            execution.finish(operation=operation, by=self.user, now=self._moment())
        self._start(last)
        return last

    def whole_way(self, order: WorkOrder) -> Iterator[Step]:
        """The requests that make two pieces, operation by operation."""
        for operation in order.operations.select_related("work_order").order_by("sequence"):
            unit = self.codes[selectors.free_unit(operation) or 0]
            yield _url(operation, "start"), {"work_unit": unit, "setup": True}
            yield _url(operation, "run"), {}
            yield _url(operation, "report"), {"good": 1}
            yield _url(operation, "interrupt"), {"reason": "bench"}
            yield _url(operation, "resume"), {}
            yield _url(operation, "report"), {"good": 1}
            yield _url(operation, "finish"), {}

    def _start(self, operation: WorkOrderOperation) -> None:
        execution.start(
            operation=operation,
            work_unit_id=selectors.free_unit(operation),
            by=self.user,
            now=self._moment(),
        )

    def _moment(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def _fill_the_store(self, component_ids: Iterable[int]) -> None:
        for component_id in component_ids:
            stock.receive(
                item_id=component_id,
                site_id=self.site_id,
                quantity=PLENTY,
                kind=MoveKind.OPENING,
                reference="bench",
                by=self.user,
                now=self._moment(),
            )

    def _free_the_machines(self) -> None:
        at_work = [OperationState.SETUP, OperationState.RUNNING]
        for operation in WorkOrderOperation.objects.filter(state__in=at_work):
            execution.interrupt(operation=operation, reason="bench", by=None, now=self._moment())


def _backflushed(item_id: int) -> list[int]:
    """The item's BOM gets the other components, all of them booked out with good pieces.

    Return the ids of its components.
    """
    lines = apps.get_model("masterdata.BomLine").objects
    bom = apps.get_model("masterdata.Bom").objects.get(item=item_id)
    for number, (code, quantity) in enumerate(ALSO.items(), start=1):
        component = masterdata.item_by_code(code)
        assert component is not None  # noqa: S101 - the demo's own item
        lines.get_or_create(
            bom=bom,
            position=900 + number,
            defaults={"component": component, "quantity_per": quantity},
        )
    mine = lines.filter(bom=bom)
    mine.update(issue_method=IssueMethod.BACKFLUSH)
    return sorted(set(mine.values_list("component_id", flat=True)))
