"""Two tablets at once: the last piece is counted once, and one booking is open."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import connection

from mes.models import OperationReport, TimeBooking
from mes.services import execution, people, undoing
from tests.factories import UserFactory
from tests.mes.factories import NOW, Plant

pytestmark = pytest.mark.django_db(transaction=True)


def together(*acts):
    """Run the acts at the same moment, each with a connection of its own; what each came to."""
    start = Barrier(len(acts))

    def run(act):
        try:
            start.wait(timeout=10)
            return act()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


@pytest.fixture
def running():
    plant = Plant()
    plant.make("GEAR")
    plant.plan(plant.need("GEAR", 10))
    ada = UserFactory(username="ada", roles=["operator"])
    operation = execution.start(
        operation=plant.orders("GEAR")[0].operations.get(),
        work_unit_id=plant.units[0].pk,
        by=ada,
        now=NOW,
    )
    execution.report(operation=operation, good=Decimal(9), by=ada, now=NOW)
    return operation


def test_two_tablets_report_the_last_piece_at_once(running):
    def report():
        return execution.report(operation=running, good=Decimal(1), by=None, now=NOW)

    results = together(report, report)
    refused = [r for r in results if isinstance(r, execution.CannotReport)]
    assert len(refused) == 1, results
    assert "1 more are too many" in str(refused[0])
    running.refresh_from_db()
    assert running.good == 10
    assert sum(row.good for row in OperationReport.objects.all()) == 10


def test_joining_twice_and_taking_back_twice_at_once_counts_once(running):
    bob = UserFactory(username="bob", roles=["supervisor"])
    report = OperationReport.objects.get()

    def join():
        return people.join(operation=running, by=bob, now=NOW)

    def undo():
        return undoing.undo(report=report, by=bob, now=NOW)

    results = together(join, join, undo, undo)
    assert sum(isinstance(r, people.CannotJoin) for r in results) == 1, results
    assert sum(isinstance(r, undoing.CannotUndo) for r in results) == 1, results
    assert TimeBooking.objects.filter(person=bob, ends_at=None).count() == 1
    running.refresh_from_db()
    assert running.good == 0
