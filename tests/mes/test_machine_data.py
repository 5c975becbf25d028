"""Machine data: taken in once, kept as it came, made into states without flickers."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import ProgrammingError
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.enums import Role
from common.jobs import run_due
from common.models import Job, Notification
from mes.benchmarks import events as bench
from mes.enums import AndonKind, AndonState, IncidentState, MachineStatus
from mes.machine_states import Span, derive
from mes.models import AndonCall, Downtime, MachineBacklog, MachineEvent, MachineState
from mes.services import breakdowns, machine_events, machine_parsing
from tests.masterdata.factories import WorkUnitFactory

START = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
URL = "/api/v1/machine-events/"


def at(seconds: float) -> datetime:
    return START + seconds * SECOND


# The pure part.


def spans(*points, until=1000, debounce=30):
    found = derive(
        [(at(s), status) for s, status in points], debounce=debounce * SECOND, until=at(until)
    )
    return [
        (
            span.status,
            (span.starts_at - START).total_seconds(),
            (span.ends_at - START).total_seconds() if span.ends_at else None,
        )
        for span in found.spans
    ]


def test_states_follow_each_other_and_the_last_is_open():
    assert spans((0, "running"), (100, "idle"), (200, "running")) == [
        ("running", 0, 100),
        ("idle", 100, 200),
        ("running", 200, None),
    ]


def test_a_flicker_is_what_was_before():
    assert spans((0, "running"), (100, "down"), (110, "running"), (300, "idle")) == [
        ("running", 0, 300),
        ("idle", 300, None),
    ]
    assert spans((0, "down"), (10, "running")) == [("running", 10, None)]


def test_a_young_state_does_not_count_before_it_has_lasted():
    found = derive([(at(0), "running"), (at(100), "down")], debounce=30 * SECOND, until=at(120))
    assert found.spans == (Span("running", at(0), None),)
    assert found.look_again_at == at(130)
    again = derive([(at(0), "running"), (at(100), "down")], debounce=30 * SECOND, until=at(130))
    assert again.spans[-1] == Span("down", at(100), None)
    assert again.look_again_at is None


def test_the_order_in_which_they_come_does_not_count_and_repeats_are_nothing():
    assert spans((200, "idle"), (0, "running"), (100, "running")) == [
        ("running", 0, 200),
        ("idle", 200, None),
    ]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.integers(0, 900), st.sampled_from(["running", "idle", "down"])), max_size=12
    ),
    st.integers(0, 60),
)
def test_spans_are_in_order_touch_and_last_long_enough(points, debounce):
    found = spans(*points, debounce=debounce)
    for (status, _start, end), (following, start, _end) in zip(found, found[1:], strict=False):
        assert end == start
        assert status != following
    assert all(end is not None and end - start >= debounce for _, start, end in found[:-1])
    assert all(end is None for *_, end in found[-1:])


# In and kept.


@pytest.fixture
def unit(db):
    return WorkUnitFactory(code="MILL-1")


def event(number, **fields):
    common = {"id": f"e{number}", "unit": "MILL-1", "at": timezone.now().isoformat()}
    return {**common, "kind": "state", "state": "running", **fields}


def send(client, *events, source="plc-7"):
    body = json.dumps({"source": source, "events": list(events)})
    return client.post(URL, body, content_type="application/json")


def test_all_kinds_are_kept_as_they_came_and_a_repeat_counts_once(unit, api_client_for):
    client = api_client_for(Role.OPERATOR)
    batch = [
        event(1),
        {**event(2), "kind": "count", "good": 5, "scrap": 1.5} | {},
        {**event(3), "kind": "parameter", "name": "spindle_c", "value": -41.123456},
    ]
    for row in batch[1:]:
        row.pop("state")
    assert send(client, *batch).json() == {"stored": 3, "duplicates": 0}
    assert send(client, *batch, event(4)).json() == {"stored": 1, "duplicates": 3}
    assert send(client, event(1), source="other").json() == {"stored": 1, "duplicates": 0}
    state, count, parameter = MachineEvent.objects.filter(source="plc-7").order_by("event_id")[:3]
    assert (state.kind, state.status, state.work_unit) == ("state", "running", unit)
    assert (count.good, count.scrap) == (5, Decimal("1.5"))
    assert (parameter.name, parameter.value) == ("spindle_c", Decimal("-41.123456"))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"unit": "NOWHERE"}, "no work unit NOWHERE"),
        ({"unit": None}, "no work unit"),
        ({"unit": {"a": 1}}, "no work unit"),
        ({"state": "exploded"}, "“state” is one of"),
        ({"state": ["down"]}, "“state” is one of"),
        ({"kind": "gossip"}, "“kind” is"),
        ({"kind": ["state"]}, "“kind” is"),
        ({"id": ""}, "“id” is"),
        ({"id": "x" * 81}, "“id” is"),
        ({"id": "a\x00b"}, "“id” is"),
        ({"id": "\ud800"}, "“id” is"),
        ({"id": 7}, "“id” is"),
        ({"at": "yesterday"}, "“at” is"),
        ({"at": "2026-11-23T07:00:00"}, "with its zone"),
        ({"at": "2026-13-45T99:00:00Z"}, "“at” is"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "“at” is"),
        ({"at": "9999-12-31T23:59:59-14:00"}, "“at” is"),
        ({"at": 1e308}, "“at” is"),
        ({"colour": "red"}, "no such field: colour"),
        ({"kind": "count", "good": -1}, "no such field: state"),
        ({"kind": "count", "state": None, "good": 1}, "no such field: state"),
    ],
)
def test_a_wrong_row_is_named_and_the_batch_may_be_sent_again(unit, api_client_for, wrong, words):
    client = api_client_for(Role.OPERATOR)
    answer = send(client, event(1), {**event(2), **wrong}, event(3))
    assert answer.status_code == 400
    assert set(answer.json()["events"]) == {"1"}
    assert words in answer.json()["events"]["1"][0]
    assert not MachineEvent.objects.exists()
    assert send(client, event(1), event(3)).json()["stored"] == 2


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "count", "good": -1},
        {"kind": "count", "good": True},
        {"kind": "count", "good": "5"},
        {"kind": "count", "good": 10**400},
        {"kind": "parameter", "name": "t", "value": None},
        {"kind": "parameter", "name": "", "value": 1},
        {"kind": "parameter", "name": "t", "value": 1e300},
    ],
)
def test_numbers_that_are_none_are_refused(unit, fields):
    row = {"id": "1", "unit": "MILL-1", "at": timezone.now().isoformat(), **fields}
    with pytest.raises(machine_parsing.Invalid):
        machine_parsing.parse([row], units={"MILL-1": unit.pk}, now=timezone.now())


@pytest.mark.parametrize(
    "body",
    [
        {"source": "x", "events": []},
        {"source": "x", "events": {"0": {}}},
        {"source": "x", "events": "abc"},
        {"source": "", "events": [{}]},
        {"events": [{}]},
        {"source": "x", "events": [None] * 1001},
        {"source": "x", "events": [[]]},
        {"source": "x", "events": [{}], "extra": 1},
        [],
    ],
)
def test_what_is_no_batch_is_400(unit, api_client_for, body):
    assert api_client_for(Role.OPERATOR).post(URL, body, format="json").status_code == 400


def test_only_who_may_sends_machine_data(unit, api_client_for):
    assert send(api_client_for(Role.SALES), event(1)).status_code == 403
    assert send(api_client_for(), event(1)).status_code == 401


def test_raw_events_are_never_changed(unit, api_client_for):
    send(api_client_for(Role.OPERATOR), event(1))
    for statement in ("DELETE FROM mes_machineevent", "UPDATE mes_machineevent SET good = 1"):
        with (
            pytest.raises(ProgrammingError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


def test_taking_a_batch_in_is_a_constant_number_of_queries(unit, django_assert_num_queries):
    def rows(count, mark):
        return [
            machine_parsing.Row(unit.pk, f"{mark}-{n}", "state", at(n), status="running")
            for n in range(count)
        ]

    machine_events.record(source="a", rows=rows(1, "first"), by=None, now=START)
    for count in (2, 1000):
        # Savepoint twice, insert, backlog, the waiting job joined.
        with django_assert_num_queries(5):
            machine_events.record(source="a", rows=rows(count, count), by=None, now=START)


def test_the_measurement_measures(unit, user_for):
    result = bench.run(user=user_for(Role.OPERATOR), seconds=0.01, batch=100)
    assert result.events + 1 == MachineEvent.objects.count() > 100
    assert "events/s" in str(result)


# States, and what they set off.


def say(unit, seconds, status, number=[0]):  # noqa: B006 - a counter
    number[0] += 1
    row = machine_parsing.Row(unit.pk, str(number[0]), "state", at(seconds), status=status)
    machine_events.record(source="plc", rows=[row], by=None, now=at(seconds))


def pass_time(seconds):
    Job.objects.exclude(name__startswith="mes.derive").delete()
    run_due(now=at(seconds))


def states(unit):
    rows = MachineState.objects.filter(work_unit=unit).order_by("starts_at")
    return [(row.status, (row.starts_at - START).total_seconds()) for row in rows]


def test_a_machine_that_is_down_for_longer_than_a_flicker_calls(unit, user_for):
    user_for(Role.SUPERVISOR)
    say(unit, 0, "running")
    pass_time(40)
    assert states(unit) == [("running", 0)]
    say(unit, 100, "down")
    pass_time(110)
    assert not AndonCall.objects.exists()
    pass_time(131)
    assert states(unit) == [("running", 0), ("down", 100)]
    call = AndonCall.objects.get()
    assert (call.kind, call.is_from_machine, call.raised_by) == (
        AndonKind.MACHINE_DOWN,
        True,
        None,
    )
    assert Notification.objects.filter(kind="mes.andon_machine_down").count() == 1
    assert not Downtime.objects.exists(), "a person confirms"
    assert not MachineBacklog.objects.exists()


def test_a_flicker_calls_nobody(unit):
    say(unit, 0, "running")
    pass_time(40)
    say(unit, 100, "down")
    say(unit, 120, "running")
    pass_time(500)
    assert not AndonCall.objects.exists()
    assert states(unit) == [("running", 0)]


def test_a_lost_connection_is_unknown_and_no_alarm(unit):
    say(unit, 0, "running")
    say(unit, 100, "unknown")
    pass_time(500)
    assert states(unit)[-1] == (MachineStatus.UNKNOWN, 100)
    assert not AndonCall.objects.exists()


def test_a_call_that_nobody_took_ends_when_the_machine_runs_again(unit):
    say(unit, 0, "down")
    pass_time(40)
    say(unit, 100, "running")
    pass_time(140)
    call = AndonCall.objects.select_related("incident").get()
    assert (call.state, call.incident.state) == (AndonState.RESOLVED, IncidentState.CLOSED)


def test_a_confirmed_breakdown_is_ended_by_people(unit, user_for):
    user_for(Role.SUPERVISOR)
    say(unit, 0, "down")
    pass_time(40)
    breakdowns.report(work_unit_id=unit.pk, estimated_ends_at=None, by=None, now=at(50))
    say(unit, 100, "running")
    pass_time(140)
    assert AndonCall.objects.get().state == AndonState.RAISED
    assert Notification.objects.filter(kind="mes.machine_runs").count() == 1


def test_a_late_message_changes_the_past_and_sets_off_nothing(unit):
    say(unit, 0, "running")
    say(unit, 300, "idle")
    pass_time(400)
    row = machine_parsing.Row(unit.pk, "late", "state", at(100), status="down")
    machine_events.record(source="plc", rows=[row], by=None, now=at(410))
    pass_time(420)
    assert states(unit) == [("running", 0), ("down", 100), ("idle", 300)]
    assert not AndonCall.objects.exists()


def test_states_derived_piece_by_piece_are_those_derived_at_once(unit):
    said = [
        (0, "running"),
        (50, "down"),
        (60, "running"),
        (200, "idle"),
        (210, "down"),
        (400, "off"),
    ]
    for seconds, status in said:
        say(unit, seconds, status)
        pass_time(seconds + 2)
    pass_time(1000)
    piecewise = states(unit)
    MachineBacklog.objects.create(work_unit=unit, since=at(0))
    machine_events.derive_unit(work_unit_id=unit.pk, now=at(1000))
    assert states(unit) == piecewise == [("running", 0), ("down", 210), ("off", 400)]


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("mes_machineevent_says_something", {"kind": "state"}),
        ("mes_machineevent_says_something", {"kind": "count"}),
        ("mes_machineevent_says_something", {"kind": "count", "good": 1, "scrap": -1}),
        ("mes_machineevent_says_something", {"kind": "parameter", "name": "x"}),
        ("mes_machineevent_says_something", {"kind": "program"}),
    ],
)
def test_an_event_says_something(unit, name, row):
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        MachineEvent.objects.create(
            work_unit=unit, source="a", event_id="1", at=START, received_at=START, **row
        )
