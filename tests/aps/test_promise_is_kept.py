"""What is promised on an empty plant can really be made: converted, solved and ready in time."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aps import selectors
from aps.enums import RunState
from masterdata.enums import LotPolicy
from masterdata.services.shipping import ShippingCalendar
from tests.aps.factories import MONDAY, Factory

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@dataclass(frozen=True)
class Wish:
    """A line: which item, how many pieces, on which day from Monday on."""

    item: int
    quantity: int
    day: int


wishes = st.lists(
    st.builds(Wish, st.integers(0, 1), st.integers(1, 40), st.integers(0, 9)),
    min_size=1,
    max_size=3,
)


@given(
    wishes=wishes,
    minutes=st.tuples(*[st.integers(1, 40)] * 3),
    units=st.integers(1, 2),
    stock=st.integers(0, 30),
    lead_days=st.integers(0, 3),
    lot=st.sampled_from([None, 5, 12]),
)
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_feasible_promise_is_kept(settings, wishes, minutes, units, stock, lead_days, lot):
    settings.SOLVE_SECONDS = 0.5
    with transaction.atomic():
        _promise_and_make(wishes, minutes, units, stock, lead_days, lot)
        transaction.set_rollback(True)


def _promise_and_make(wishes, minutes, units, stock, lead_days, lot):
    plant = Factory(units=units)
    policy = {"lot_policy": LotPolicy.FIXED, "lot_size": Decimal(lot)} if lot else {}
    plant.buy("RAW", lead_time_days=lead_days)
    plant.part("CHILD", minutes=minutes[0], components={"RAW": 2}, **policy)
    items = [
        plant.part("TOP", minutes=minutes[1], components={"CHILD": 1}),
        plant.part("SIMPLE", minutes=minutes[2]),
    ]
    plant.stock("CHILD", stock)
    today = MONDAY.date()
    lines = [(items[w.item], w.quantity, today + timedelta(days=w.day)) for w in wishes]
    answers = plant.check(*lines)
    calendar = ShippingCalendar(plant.site)
    kept = [(line, answer) for line, answer in zip(lines, answers, strict=True) if answer.feasible]
    if len(kept) < len(lines):
        return  # the others would have to wait for what could not be promised
    needs = [
        plant.need(item.code, quantity, due_at=calendar.latest_ready_at(day=day, transit_days=0))
        for (item, quantity, day), _answer in kept
    ]
    assert not plant.plan(*needs, now=MONDAY).failures
    run = plant.replan()
    assert run.state == RunState.PUBLISHED, run.error
    ready = selectors.ready_dates(requirement_ids=[need.pk for need in needs], now=MONDAY)
    for need in needs:
        assert ready[need.pk].at is not None
        assert ready[need.pk].at <= need.due_at
