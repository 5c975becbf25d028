"""Two tablets at once: the last piece is counted once, and one booking is open."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import connection

from mes import policies
from mes.models import OperationReport, TimeBooking, WorkOrderOperation
from mes.services import acts, execution, people, undoing
from tests import parallel
from tests.factories import UserFactory
from tests.masterdata.factories import ToolFactory
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


@pytest.fixture
def one_fixture():
    """Two operations that have begun and stopped, and one fixture that both need."""
    plant = Plant()
    for code in ("GEAR", "HUB"):
        plant.make(code)
        plant.plan(plant.need(code, 10))
    for number, code in enumerate(("GEAR", "HUB")):
        operation = plant.orders(code)[0].operations.get()
        act = {"operation": operation, "by": None, "now": NOW}
        execution.start(**act, work_unit_id=plant.units[number].pk)
        execution.interrupt(**act)
    WorkOrderOperation.objects.update(tool=ToolFactory(site=plant.site))
    return list(WorkOrderOperation.objects.select_related("work_order").order_by("pk"))


def _go_on(operation):
    return execution.resume(operation=operation, by=None, now=NOW)


def test_two_who_reach_for_the_only_fixture_do_not_both_have_it(one_fixture):
    came = parallel.at_once(*[lambda one=one: _go_on(one) for one in one_fixture])
    (refused,) = parallel.errors(came)
    assert isinstance(refused, policies.CannotResume)
    assert "is in use at" in str(refused)


def test_without_the_lock_both_have_it(one_fixture, monkeypatch):
    parallel.take_away_lock(monkeypatch, acts)
    parallel.meet_after(monkeypatch, policies, "check_tool")
    came = parallel.at_once(*[lambda one=one: _go_on(one) for one in one_fixture])
    assert parallel.errors(came) == []
    assert WorkOrderOperation.objects.filter(state="running").count() == 2
