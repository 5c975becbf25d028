"""Each named constraint of alarms, downtime and machine states is violated once."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from mes.enums import AndonKind, AndonState, MachineStatus
from mes.models import (
    AndonCall,
    AndonRule,
    Downtime,
    DowntimeReason,
    Incident,
    MachineEvent,
    MachineState,
)
from tests.masterdata.factories import WorkUnitFactory
from tests.mes.factories import NOW

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def refused(name, act):
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        act()


@pytest.fixture
def unit(db):
    return WorkUnitFactory()


@pytest.fixture
def incident(unit):
    return Incident.objects.create(
        number="INC-1",
        site=unit.work_center.site,
        work_unit=unit,
        kind=AndonKind.HELP,
        opened_at=NOW,
    )


def test_an_incident_closes_after_it_opened(incident):
    incident.closed_at = NOW - HOUR
    refused("mes_incident_closes_after_opening", incident.save)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("mes_andoncall_one_open_per_unit_and_kind", {}),
        (
            "mes_andoncall_answered_after_raised",
            {"kind": AndonKind.QUALITY, "acknowledged_at": NOW - HOUR},
        ),
        (
            "mes_andoncall_resolved_has_its_moment",
            {"kind": AndonKind.QUALITY, "state": AndonState.RESOLVED},
        ),
        (
            "mes_andoncall_resolved_has_its_moment",
            {"kind": AndonKind.QUALITY, "resolved_at": NOW},
        ),
    ],
)
def test_a_call_is_well_formed(incident, name, fields):
    def call(**more):
        return AndonCall.objects.create(
            **{
                "incident": incident,
                "work_unit": incident.work_unit,
                "kind": AndonKind.HELP,
                "raised_at": NOW,
                **more,
            }
        )

    call()
    refused(name, lambda: call(**fields))


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("mes_downtime_one_open_per_unit", {}),
        ("mes_downtime_interval_well_formed", {"ends_at": NOW - HOUR}),
        ("mes_downtime_estimate_after_start", {"ends_at": NOW, "estimated_ends_at": NOW}),
    ],
)
def test_a_downtime_is_well_formed(incident, name, fields):
    def downtime(**more):
        return Downtime.objects.create(
            incident=incident, work_unit=incident.work_unit, starts_at=NOW, **more
        )

    downtime()
    refused(name, lambda: downtime(**fields))


def test_a_rule_and_a_reason_are_well_formed(db):
    AndonRule.objects.create(kind=AndonKind.HELP, roles=["manager"])
    refused(
        "mes_andonrule_once_per_moment",
        lambda: AndonRule.objects.create(kind=AndonKind.HELP, roles=["quality"]),
    )
    reason = DowntimeReason.objects.create(code="X", name="X")
    reason.parent = reason
    refused("mes_downtimereason_not_its_own_parent", reason.save)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("mes_machinestate_one_open_per_unit", {}),
        ("mes_machinestate_interval_well_formed", {"ends_at": NOW}),
    ],
)
def test_a_machine_state_is_well_formed(unit, name, fields):
    def state(**more):
        return MachineState.objects.create(
            work_unit=unit, status=MachineStatus.IDLE, starts_at=NOW, **more
        )

    state()
    refused(name, lambda: state(**fields))


def test_an_event_of_a_source_is_kept_once(unit):
    def event():
        return MachineEvent.objects.create(
            work_unit=unit,
            source="plc",
            event_id="1",
            kind="state",
            status="idle",
            at=NOW,
            received_at=NOW,
        )

    event()
    refused("mes_machineevent_once_per_source", event)
