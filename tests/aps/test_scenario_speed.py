"""How long a planner and sales wait, with a thousand open operations."""

from datetime import timedelta

import pytest

from aps.enums import RunKind, RunState
from aps.services import edits, previews
from erp.models import Requirement
from tests.aps.factories import MONDAY
from tests.aps.test_speed import big_plant, cpu_seconds
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


def test_with_1000_operations_an_edit_or_preview_takes_a_second_or_two_and_a_rush_ten(settings):
    settings.SOLVE_SECONDS = 20
    plant, _products = big_plant(165)
    assert plant.operations().count() > 950
    settings.SOLVE_SECONDS = 1
    plant.replan()
    by = UserFactory(username="p", roles=["planner"])
    operation = plant.operations()[50]
    change = {
        "kind": "move",
        "operation": operation.pk,
        "work_unit": operation.planned_work_unit.code,
        "starts_at": (MONDAY + timedelta(days=3, hours=1)).isoformat(),
    }
    took, _edited = cpu_seconds(
        lambda: edits.apply(site_id=plant.site.pk, change=change, by=by, now=MONDAY)
    )
    assert took < 2
    # From the start of the last operation that the plan has there: it has to move.
    last = plant.operations().filter(planned_work_unit=operation.planned_work_unit)
    starts_at = last.latest("planned_starts_at").planned_starts_at
    closed = {
        "kind": "close",
        "work_unit": change["work_unit"],
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(days=1)).isoformat(),
    }
    took, found = cpu_seconds(
        lambda: previews.preview(site_id=plant.site.pk, changes=[closed], now=MONDAY)
    )
    assert found.comparison["moved_operations"]
    assert took < 2
    need = Requirement.objects.filter(kind="sales").order_by("-due_at").first()
    Requirement.objects.filter(pk=need.pk).update(reference="SO-RUSH/10")
    settings.SOLVE_SECONDS = 20
    took, run = cpu_seconds(
        lambda: plant.scenario(
            {
                "kind": "due",
                "line": "SO-RUSH/10",
                "due_at": (MONDAY + timedelta(days=2)).isoformat(),
            },
            {"kind": "weight", "line": "SO-RUSH/10", "weight": 100},
            kind=RunKind.RUSH,
        )
    )
    assert run.state == RunState.SOLVED, run.error
    assert "kept" in run.comparison["rush"]
    assert took < 10
