"""A part that gets something inside while it is built into its host."""

import threading

import pytest
from django.db import connection, connections, transaction

from tests.faults.live import wait_until
from tests.masterdata.factories import SiteFactory
from tests.traceability.factories import MADE_AT, LotFactory, SerialUnitFactory
from traceability import selectors
from traceability.enums import EventKind
from traceability.models import Link
from traceability.policies import CannotLink
from traceability.services import genealogy, ledger
from traceability.services.genealogy import Built, Fact, Loaded

pytestmark = pytest.mark.django_db(transaction=True)


class Line:
    """A lot, a part that is repaired with it by somebody else, and the host it is built into."""

    def __init__(self):
        site = SiteFactory()
        self.fact = Fact(kind=EventKind.BUILD, at=MADE_AT, site_id=site.pk, reference="WO-1")
        self.lot = LotFactory()
        self.inner, self.part, self.host = SerialUnitFactory.create_batch(3)

    def install(self, host, part):
        return genealogy.build(fact=self.fact, outputs=[Built(host.pk, parts=[part.pk])], loaded=[])

    def load(self, unit):
        genealogy.build(fact=self.fact, outputs=[Built(unit.pk)], loaded=[Loaded(self.lot.pk, 1)])

    def reached(self):
        return set(selectors.units_reached(selectors.whole(selectors.Start.of([self.lot.pk]))))


@pytest.fixture
def line(transactional_db):
    return Line()


def waits():
    """Whether somebody waits for a lock of the other one."""
    with connection.cursor() as cursor:
        # Within a transaction the first picture would be kept.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone()[0] > 0


def at_once(first, second, *, is_over=waits):
    """The second one begins before the first one has committed; what it raised."""
    raised = []

    def run():
        try:
            second()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            raised.append(error)
        finally:
            connections.close_all()

    other = threading.Thread(target=run)
    with transaction.atomic():
        first()
        other.start()
        wait_until(lambda: is_over() or not other.is_alive(), seconds=20)
    other.join(timeout=30)
    return raised


@pytest.mark.parametrize("is_installed_first", [True, False])
@pytest.mark.parametrize("is_deep", [True, False])
def test_a_host_misses_nothing_that_its_part_gets_at_the_same_moment(
    line, is_installed_first, is_deep
):
    if is_deep:
        line.install(line.part, line.inner)
    repaired = line.inner if is_deep else line.part
    acts = [lambda: line.install(line.host, line.part), lambda: line.load(repaired)]
    first, second = acts if is_installed_first else reversed(acts)
    assert at_once(first, second) == []
    assert {repaired.pk, line.part.pk, line.host.pk} <= line.reached()


def test_the_control_without_the_lock_the_host_misses_it(line, monkeypatch):
    monkeypatch.setattr(ledger, "_keep_to_ourselves", lambda nodes: None)
    line.install(line.part, line.inner)
    first, second = lambda: line.install(line.host, line.part), lambda: line.load(line.inner)
    assert at_once(first, second) == []
    assert line.host.pk not in line.reached()


def test_two_units_are_not_built_into_each_other_at_the_same_moment(line):
    raised = at_once(
        lambda: line.install(line.host, line.part), lambda: line.install(line.part, line.host)
    )
    assert [type(error) for error in raised] == [CannotLink]
    assert Link.objects.count() == 1
