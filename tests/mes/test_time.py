"""Time bookings: who is paid for what, once."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mes.models import FloorReason, TimeBooking
from mes.services import execution, people, time
from tests.factories import UserFactory
from tests.mes.factories import NOW, Plant
from tests.shared import shared


@dataclass
class Row:
    operation_id: int
    kind: str
    starts_at: datetime
    ends_at: datetime | None


def at(minute):
    return NOW + timedelta(minutes=minute)


# One person: an operation's bookings follow one another, operations overlap as they like.
@st.composite
def days(draw):
    rows = []
    for operation in range(draw(st.integers(1, 4))):
        edges = sorted(draw(st.lists(st.integers(0, 60), unique=True, max_size=8)))
        for start, end in zip(edges[::2], edges[1::2], strict=False):
            rows.append(Row(operation, draw(st.sampled_from(["setup", "run"])), at(start), at(end)))
        if len(edges) % 2:
            rows.append(Row(operation, "run", at(edges[-1]), None))
    return rows


@given(days(), st.integers(0, 70))
def test_each_minute_of_a_person_is_shared_and_none_is_lost(rows, until):
    """Against brute force: minute by minute, one divided by how many are open."""
    expected, worked = defaultdict(Fraction), 0
    for minute in range(until):
        here = [
            row
            for row in rows
            if row.starts_at <= at(minute) and (row.ends_at is None or row.ends_at > at(minute))
        ]
        worked += bool(here)
        for row in here:
            expected[row.operation_id, row.kind] += Fraction(1, len(here))
    found = time.shared(rows, until=at(until))
    assert {key: value for key, value in found.items() if value} == dict(expected)
    assert sum(found.values()) == worked


@shared()
def plant():
    plant = Plant()
    for code in ("A", "B"):
        plant.make(code)
        plant.plan(plant.need(code, 10))
    return plant


@pytest.fixture
def ada(db):
    return UserFactory(username="ada")


def step(plant, code):
    return plant.orders(code)[0].operations.get()


def start(plant, code, by, minute=0, unit=0, **kwargs):
    return execution.start(
        operation=step(plant, code),
        work_unit_id=plant.units[unit].pk,
        by=by,
        now=at(minute),
        **kwargs,
    )


def rows_of(operation):
    found = TimeBooking.objects.filter(operation=operation).order_by("starts_at", "pk")
    return [
        (
            row.kind,
            row.person.username if row.person else row.work_unit.code,
            int((row.starts_at - NOW).total_seconds() // 60),
            row.ends_at and int((row.ends_at - NOW).total_seconds() // 60),
        )
        for row in found
    ]


def test_what_people_do_opens_and_closes_bookings(plant, ada):
    bob = UserFactory(username="bob")
    unit = plant.units[0].code
    reason = FloorReason.objects.create(kind="pause", code="tea", name="Tea")
    operation = start(plant, "A", ada, in_setup=True)
    people.join(operation=operation, by=bob, now=at(5))
    execution.run(operation=operation, by=ada, now=at(10))
    people.leave(operation=operation, by=bob, now=at(15))
    execution.interrupt(operation=operation, reason_code=reason, by=ada, now=at(20))
    execution.resume(operation=operation, by=bob, now=at(30))
    execution.report(operation=operation, good=Decimal(10), by=bob, now=at(40))
    execution.finish(operation=operation, by=bob, now=at(45))
    assert sorted(rows_of(operation)) == sorted(
        [
            ("setup", "ada", 0, 10),
            ("setup", unit, 0, 10),
            ("setup", "bob", 5, 10),
            ("run", "ada", 10, 20),
            ("run", unit, 10, 20),
            ("run", "bob", 10, 15),
            ("pause", unit, 20, 30),
            ("run", "bob", 30, 45),
            ("run", unit, 30, 45),
        ]
    )
    assert TimeBooking.objects.get(kind="pause").reason == reason
    spent = time.spent([operation.pk], until=at(60))[operation.pk]
    assert spent.labour == {"setup": 15, "run": 30}
    assert (spent.machine_minutes, spent.pause_minutes) == (35, 10)


def test_reporting_during_setup_begins_the_run(plant, ada):
    operation = start(plant, "A", ada, in_setup=True)
    execution.report(operation=operation, good=Decimal(1), by=ada, now=at(3))
    assert ("run", "ada", 3, None) in rows_of(operation)


def test_a_person_at_two_machines_is_paid_once(plant, ada, django_assert_num_queries):
    one = start(plant, "A", ada)
    two = start(plant, "B", ada, minute=10, unit=1)
    with django_assert_num_queries(2):
        spent = time.spent([one.pk, two.pk], until=at(30))
    assert spent[one.pk].labour == {"run": 20}
    assert spent[two.pk].labour == {"run": 10}
    assert (spent[one.pk].machine_minutes, spent[two.pk].machine_minutes) == (30, 20)
    # Asked alone, the other machine still takes its share.
    assert time.spent([one.pk], until=at(30))[one.pk].labour == {"run": 20}
    assert people.go_home(by=ada, now=at(30)) == 2
    assert time.spent([two.pk], until=at(90))[two.pk].labour == {"run": 10}


def test_joining_and_leaving_refuse_with_a_sentence(plant, ada):
    operation = step(plant, "A")
    with pytest.raises(people.CannotJoin, match="is not running"):
        people.join(operation=operation, by=ada, now=NOW)
    start(plant, "A", ada)
    with pytest.raises(people.CannotJoin, match="works on it already"):
        people.join(operation=operation, by=ada, now=NOW)
    people.leave(operation=operation, by=ada, now=NOW)
    with pytest.raises(people.CannotLeave, match="does not work on it"):
        people.leave(operation=operation, by=ada, now=NOW)


def test_a_booking_never_ends_before_it_began(plant, ada):
    """Two acts in the order of the lock whose clocks were read in the other order."""
    operation = start(plant, "A", ada, minute=1)
    execution.interrupt(operation=operation, by=ada, now=at(0))
    assert TimeBooking.objects.get(person=ada).ends_at == at(1)
