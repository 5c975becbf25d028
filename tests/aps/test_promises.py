"""The promise check against small factories that one can count by hand."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from aps.enums import PromiseStatus
from aps.services.promises import AlternativeKind, CannotCheck, ReasonKind
from tests.aps.factories import DAY, HOUR, MONDAY, Factory

pytestmark = pytest.mark.django_db

TODAY = MONDAY.date()
FRIDAY = TODAY + timedelta(days=4)


def test_an_empty_plant_begins_at_once():
    plant = Factory()
    part = plant.part(minutes=60)
    (answer,) = plant.check((part, 8, FRIDAY))
    assert answer.status == PromiseStatus.FEASIBLE
    assert answer.feasible
    assert answer.ready_at == MONDAY + 8 * HOUR
    assert answer.earliest_date == TODAY
    # Latest readiness is Friday 16:59, and eight hours before it 08:59.
    assert answer.latest_start == MONDAY + 4 * DAY + timedelta(minutes=59)
