"""The benchmark of reports books what it says that it measures."""

import asyncio

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from common.enums import Role
from common.models import User
from erp.enums import CostKind, MoveKind
from erp.models import CostEntry, StockMove
from mes.benchmarks import reports, sign_in
from mes.enums import BookingKind
from mes.models import OperationReport, TimeBooking
from tests.mes import books

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


# One more of these is more of everybody's time at the last operation; see docs/floor.md.
MOST_STATEMENTS = 100


def statements_of_a_report(user, operation):
    client = APIClient()
    client.force_authenticate(user)
    with CaptureQueriesContext(connection) as seen:
        reports._post(client, reports._url(operation, "report"), {"good": 1})
    # Jobs and their savepoints come and go with what waits already.
    return len([row for row in seen if "common_job" not in row["sql"]])


@pytest.fixture
def loop_in_the_background(monkeypatch):
    """A loop that runs in this thread, as a browser's does for all tests after the first of one."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    before, loop = asyncio._get_running_loop(), asyncio.new_event_loop()
    connection.ensure_connection()
    asyncio._set_running_loop(loop)
    yield
    connections.close_all()
    asyncio._set_running_loop(before)
    loop.close()


def test_clients_open_connections_of_their_own(demo_factory, loop_in_the_background):
    demo_factory.load()
    user = User.objects.get(username=Role.OPERATOR.value)
    found = reports.reports(user=user, seconds=0.2, clients=2)
    assert OperationReport.objects.filter(good=1).count() >= found.requests >= 2


def test_reports_book_stock_material_and_cost_and_operations_time(demo_factory):
    demo_factory.load()
    user = User.objects.get(username=Role.OPERATOR.value)
    operation = reports._Plant(user).at_the_last_operation(20)
    # The first one makes the lot, its document and its kit.
    statements_of_a_report(user, operation)
    counted = {statements_of_a_report(user, operation) for _ in range(3)}
    assert len(counted) == 1
    assert max(counted) <= MOST_STATEMENTS
    used = StockMove.objects.filter(kind=MoveKind.BACKFLUSH, reference=operation.work_order.number)
    assert used.count() == 16

    begun = timezone.now()
    found = reports.reports(user=user, seconds=0.5, clients=2)
    assert found.requests >= 2
    assert found.per_second > 0
    assert found.p95_ms > 0
    moves = StockMove.objects.filter(at__gte=begun)
    made = moves.filter(kind=MoveKind.PRODUCTION, item__code=reports.ITEM)
    assert made.count() == found.requests
    used = moves.filter(kind=MoveKind.BACKFLUSH)
    codes = set(used.values_list("item__code", flat=True))
    assert codes == {"PLATE-10", *reports.ALSO}
    output = CostEntry.objects.filter(kind=CostKind.OUTPUT, at__gte=begun)
    assert output.count() == found.requests
    assert OperationReport.objects.filter(at__gte=begun, good=1).count() == found.requests

    ways = reports.operations(user=user, seconds=20, orders=1)
    # Three operations of seven acts each.
    assert ways.requests == 21
    booked = TimeBooking.objects.filter(starts_at__gte=begun).values_list("kind", flat=True)
    assert {BookingKind.SETUP, BookingKind.RUN, BookingKind.PAUSE} <= set(booked)

    for way in sign_in.run(user=user, times=2):
        assert way.p95_ms > 0
    books.pieces_are_conserved()
    books.costs_agree()
