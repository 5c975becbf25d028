"""Many rows by one statement."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from common import bulk, statistics
from erp.enums import RequirementState
from erp.models import Requirement, StockBalance
from tests.erp.factories import RequirementFactory, StockBalanceFactory

pytestmark = pytest.mark.django_db

LATER = datetime(2027, 1, 4, 8, 0, tzinfo=UTC)


def test_fields_of_every_kind_are_written_by_one_statement() -> None:
    rows = RequirementFactory.create_batch(3)
    other = RequirementFactory()
    for number, row in enumerate(rows):
        row.quantity = Decimal(number) + Decimal("0.25")
        row.state = RequirementState.FULFILLED
        row.due_at = LATER
        row.item = other.item
        row.reference = "not written"
    with CaptureQueriesContext(connection) as queries:
        assert bulk.save(rows, ["quantity", "state", "due_at", "item"]) == 3
    assert len(queries) == 1
    for number, row in enumerate(rows):
        row.refresh_from_db()
        assert row.quantity == Decimal(number) + Decimal("0.25")
        assert (row.state, row.due_at, row.item_id) == ("fulfilled", LATER, other.item_id)
        assert row.reference != "not written"
    other.refresh_from_db()
    assert other.state == RequirementState.OPEN


def test_nothing_to_write_asks_nothing() -> None:
    with CaptureQueriesContext(connection) as queries:
        assert bulk.save([], ["quantity"]) == 0
    assert not queries.captured_queries


def test_constraints_judge_the_rows() -> None:
    balance = StockBalanceFactory(on_hand=5)
    with (
        pytest.raises(IntegrityError, match="erp_stockbalance_reserved_within_on_hand"),
        transaction.atomic(),
    ):
        bulk.write(StockBalance, ["reserved"], [(balance.pk, 6)])


def test_what_is_too_long_is_refused_and_not_cut() -> None:
    requirement = RequirementFactory()
    with pytest.raises(DataError), transaction.atomic():
        bulk.write(Requirement, ["state"], [(requirement.pk, "x" * 200)])


def test_nulls_are_written() -> None:
    from tests.mes.factories import WorkOrderOperationFactory

    operation = WorkOrderOperationFactory(planned_starts_at=LATER, planned_ends_at=LATER)
    operation.planned_starts_at = operation.planned_ends_at = None
    bulk.save([operation], ["planned_starts_at", "planned_ends_at"])
    operation.refresh_from_db()
    assert operation.planned_ends_at is None


def test_the_planner_learns_of_new_rows() -> None:
    RequirementFactory.create_batch(50)
    statistics.analyze(Requirement, StockBalance)
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'erp_requirement'")
        assert cursor.fetchone()[0] >= 50


def test_rows_are_found_by_ids_that_are_one_parameter() -> None:
    rows = RequirementFactory.create_batch(3)
    asked = [rows[2].pk, rows[0].pk, 0]
    with CaptureQueriesContext(connection) as queries:
        found = Requirement.objects.filter(bulk.among("pk", asked)).order_by("pk")
        assert list(found) == [rows[0], rows[2]]
        of_item = Requirement.objects.filter(bulk.among("item", [rows[1].item_id]))
        assert list(of_item.select_related("item")) == [rows[1]]
        assert not Requirement.objects.filter(bulk.among("pk", [])).exists()
    assert queries[0]["sql"].count("ANY(") == 1
    changed = Requirement.objects.filter(bulk.among("pk", asked)).update(reference="seen")
    assert changed == 2


def test_who_may_not_analyze_goes_on(as_application: None) -> None:
    statistics.analyze(Requirement)
    assert Requirement.objects.count() == 0


def test_only_many_rows_are_worth_a_look(django_capture_on_commit_callbacks) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        statistics.analyze_later(Requirement, rows=statistics.MANY_ROWS - 1)
        assert callbacks == []
        statistics.analyze_later(Requirement, rows=statistics.MANY_ROWS)
    assert len(callbacks) == 1
