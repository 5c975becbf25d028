"""Lines that make no sense are refused with a sentence, and only they."""

from datetime import timedelta
from decimal import Decimal

import pytest

from aps.services import promises
from aps.services.promises import CannotCheck, LineRequest, ReasonKind
from tests.aps.factories import MONDAY, Factory
from tests.masterdata.factories import BomFactory, BomLineFactory, ItemFactory

pytestmark = pytest.mark.django_db

FRIDAY = MONDAY.date() + timedelta(days=4)


def test_a_refused_line_takes_nothing_from_the_others():
    plant = Factory()
    part = plant.part(minutes=60)
    plant.stock("PART", 10)
    refused, answered = plant.check((part, 0, FRIDAY), (part, 10, FRIDAY))
    assert refused.refusal == "The quantity must be greater than zero."
    assert not refused.feasible
    assert answered.reasons[0].kind == ReasonKind.STOCK


@pytest.mark.parametrize("quantity", ["0", "-1", "NaN", "Infinity"])
def test_a_quantity_that_makes_no_sense_is_refused(quantity):
    plant = Factory()
    (answer,) = plant.check((plant.part(), quantity, FRIDAY))
    assert answer.refusal == "The quantity must be greater than zero."


def test_items_that_cannot_be_made_are_refused_with_the_reason():
    plant = Factory()
    bare = plant.make("BARE", steps=0)
    unrouted = plant.make("UNROUTED", {"RAW": 1}, steps=0)
    above = plant.part("ABOVE", components={"BARE": 1})
    answers = plant.check(
        (bare, 1, FRIDAY),
        (unrouted, 1, FRIDAY),
        (above, 1, FRIDAY),
        (ItemFactory.build(pk=0), 1, FRIDAY),
    )
    assert [answer.refusal for answer in answers] == [
        "BARE is made here, but has neither a bill of material nor a routing.",
        "UNROUTED is made here, but has no routing.",
        "BARE is made here, but has neither a bill of material nor a routing.",
        "This item does not exist.",
    ]


def test_an_operation_without_a_work_unit_is_refused():
    plant = Factory()
    part = plant.part()
    plant.units[0].is_active = False
    plant.units[0].save()
    (answer,) = plant.check((part, 1, FRIDAY))
    assert answer.refusal == "No work unit can do operation 10 of PART."


def test_a_cycle_is_refused_and_the_other_lines_are_answered():
    plant = Factory()
    one = plant.part("ONE")
    two = plant.part("TWO", components={"ONE": 1})
    BomLineFactory(bom=BomFactory(item=one), component=two)
    other = plant.part("OTHER")
    broken, answered = plant.check((one, 1, FRIDAY), (other, 1, FRIDAY))
    assert "ONE → TWO → ONE" in broken.refusal
    assert answered.feasible


def test_unknown_sites_and_customers_are_refused():
    plant = Factory()
    line = LineRequest(plant.part().pk, Decimal(1), FRIDAY)
    with pytest.raises(CannotCheck, match="site"):
        promises.check(site_id=0, customer_id=None, lines=[line], now=MONDAY)
    with pytest.raises(CannotCheck, match="customer"):
        promises.check(site_id=plant.site.pk, customer_id=0, lines=[line], now=MONDAY)


def test_work_without_end_is_refused():
    plant = Factory()
    # 14,148 hours of the machine lie before the end of all that is looked at, some of them taken.
    part = plant.part(minutes=60)
    answers = plant.check((part, 100, FRIDAY), (part, 14_100, FRIDAY))
    assert answers[1].refusal == "The work for this line does not end within 6 years."
