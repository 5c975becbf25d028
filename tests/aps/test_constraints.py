"""Every constraint of the aps tables, violated."""

import pytest
from django.db import IntegrityError, transaction

from aps.enums import RUN_TRANSITIONS, RunKind, RunState
from aps.models import OperationLock, ScheduledOperation, ScheduleRun
from common.enums import Role
from tests.aps.factories import HOUR, MONDAY, Factory

pytestmark = pytest.mark.django_db


def refused(name, create):
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        create()


def run(plant, **kwargs):
    return ScheduleRun.objects.create(site=plant.site, cause="test", requested_at=MONDAY, **kwargs)


def test_one_run_of_a_site_is_published():
    plant = Factory()
    run(plant, state=RunState.PUBLISHED, version=1)
    refused(
        "aps_schedulerun_one_published_per_site",
        lambda: run(plant, state=RunState.PUBLISHED, version=2),
    )


def test_a_version_is_given_once():
    plant = Factory()
    run(plant, version=1)
    refused("aps_schedulerun_once_per_version", lambda: run(plant, version=1))


def test_an_operation_is_scheduled_once_in_a_run_and_ends_after_it_starts():
    plant = Factory()
    plant.order(plant.part(), 1)
    operation = plant.operations().get()
    made = run(plant)

    def row(hours):
        return ScheduledOperation.objects.create(
            run=made, operation=operation, starts_at=MONDAY, ends_at=MONDAY + hours * HOUR
        )

    refused("aps_scheduledoperation_interval_well_formed", lambda: row(-1))
    row(1)
    refused("aps_scheduledoperation_once_per_run", lambda: row(2))


def test_a_planner_has_one_draft(user_for):
    plant, planner = Factory(), user_for(Role.PLANNER)
    run(plant, kind=RunKind.EDIT, requested_by=planner)
    run(plant, kind=RunKind.EDIT, requested_by=planner, state=RunState.REJECTED)
    refused(
        "aps_schedulerun_one_draft_per_planner",
        lambda: run(plant, kind=RunKind.EDIT, requested_by=planner, state=RunState.SOLVED),
    )


def test_an_operation_that_is_kept_out_is_nowhere():
    plant = Factory()
    plant.order(plant.part(), 1)
    refused(
        "aps_operationlock_kept_out_is_nowhere",
        lambda: OperationLock.objects.create(
            operation=plant.operations().get(), work_unit=plant.units[0], locked_at=MONDAY
        ),
    )


def test_every_state_has_its_moves():
    assert set(RUN_TRANSITIONS) == set(RunState)
    assert RUN_TRANSITIONS[RunState.PUBLISHED] == {RunState.SUPERSEDED}
