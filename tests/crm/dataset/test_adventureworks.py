"""The real folder, once."""

from datetime import UTC, datetime

import pytest

from crm.enums import OrderState
from crm.models import SalesOrder, SalesOrderLine
from crm.services.dataset.folder import import_folder
from crm.services.dataset.options import Options
from masterdata.models import BomLine, Item, WorkUnit
from tests.masterdata.dataset_folder import adventureworks

pytestmark = [pytest.mark.django_db, pytest.mark.dataset, pytest.mark.slow]
NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)


def test_the_whole_folder_comes_in_and_a_second_time_changes_nothing():
    folder = adventureworks()
    first = import_folder(folder, options=Options(), by=None, now=NOW)
    assert first.is_written
    assert first.bad == []
    assert first.took.total_seconds() < 60
    assert Item.objects.count() == 504
    assert BomLine.objects.count() == 2576
    assert SalesOrder.objects.filter(state=OrderState.SUBMITTED).count() == 449
    assert SalesOrderLine.objects.count() == 6835
    assert WorkUnit.objects.values("work_center").distinct().count() == 7
    second = import_folder(folder, options=Options(), by=None, now=NOW)
    assert (second.created, second.changed, second.bad) == (0, 0, [])
