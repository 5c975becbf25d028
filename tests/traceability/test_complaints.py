"""What customers say of what we made, and how often."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.masterdata.factories import CustomerFactory, ItemFactory, SiteFactory
from tests.traceability.factories import MADE_AT, LotFactory, SerialUnitFactory
from traceability.enums import DocumentKind, EventKind
from traceability.models import Complaint, Document
from traceability.selectors import complaints as selectors
from traceability.services import complaints, genealogy
from traceability.services.genealogy import Fact
from traceability.services.ledger import Handover

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
WITHIN = 30 * DAY
NOW = MADE_AT + 100 * DAY


class Delivered:
    """Six units of an item, a day apart; all but the last were shipped on the tenth day."""

    def __init__(self) -> None:
        self.item = ItemFactory()
        self.units = [
            SerialUnitFactory(item=self.item, made_at=MADE_AT + day * DAY) for day in range(6)
        ]
        self.ship(self.units[:5], at=MADE_AT + 10 * DAY)

    def ship(self, units, *, at) -> None:
        document = Document.objects.create(
            kind=DocumentKind.SHIPMENT,
            number=f"SH-{Document.objects.count()}",
            customer=CustomerFactory(),
            at=at,
        )
        genealogy.hand_over(
            fact=Fact(kind=EventKind.SHIPMENT, at=at, site_id=SiteFactory().pk),
            handovers=[Handover(unit.pk, document.pk) for unit in units],
        )

    def note(self, unit, reference="AS-1", symptom="LEAK", after=20 * DAY, **more) -> Complaint:
        given = {
            "reference": reference,
            "item_id": self.item.pk,
            "thing": unit and unit.pk,
            "symptom": symptom,
            "at": MADE_AT + after,
            **more,
        }
        return complaints.note(**given)

    def rate(self, first=0, last=10, now=NOW, symptoms=()) -> tuple[int, int, int, int]:
        found = selectors.rate(
            item_ids=[self.item.pk],
            since=MADE_AT + first * DAY,
            until=MADE_AT + last * DAY,
            within=WITHIN,
            now=now,
            symptoms=symptoms,
        )
        return found.made, found.delivered, found.watched, found.complained


@pytest.fixture
def delivered() -> Delivered:
    return Delivered()


def test_a_rate_counts_units_that_customers_had_for_long_enough(delivered):
    first, second, third, _fourth, fifth, kept = delivered.units
    delivered.note(first)
    # Of one unit twice, of another too late, of one that never left, of one outside the window.
    delivered.note(first, "AS-2")
    delivered.note(second, "AS-3", after=41 * DAY)
    delivered.note(kept, "AS-4")
    delivered.note(fifth, "AS-5", symptom="NOISE")
    assert delivered.rate() == (6, 5, 5, 2)
    assert delivered.rate(last=4) == (4, 4, 4, 1)
    assert delivered.rate(symptoms=["NOISE"]) == (6, 5, 5, 1)
    assert delivered.rate(now=MADE_AT + 39 * DAY) == (6, 5, 0, 0)
    delivered.ship([third, kept], at=NOW - DAY)
    assert delivered.rate() == (6, 6, 5, 2)  # The third was out before; the last just left.
    share = selectors.Rate(6, 5, 4, 1).share
    assert (share, selectors.Rate(6, 5, 0, 0).share) == (0.25, None)


def test_the_last_word_on_a_ticket_counts(delivered):
    wrong, right = delivered.units[:2]
    noted = delivered.note(None)
    assert delivered.rate() == (6, 5, 5, 0)
    assert delivered.note(None) == noted
    delivered.note(wrong)
    delivered.note(right)
    assert delivered.rate(last=1)[3] == 0
    assert [said.thing for said in selectors.of_things([wrong.pk, right.pk])] == [right.pk]
    delivered.note(right, symptom="  ")
    assert delivered.rate() == (6, 5, 5, 0)
    assert not selectors.standing().exists()
    assert Complaint.objects.count() == 4


def test_lots_are_counted_as_units_are(delivered):
    lot = LotFactory(item=delivered.item, made_at=MADE_AT)
    delivered.ship([lot], at=MADE_AT + DAY)
    delivered.note(lot, after=2 * DAY)
    assert delivered.rate() == (7, 6, 6, 1)


def test_a_complaint_about_what_is_not_there_is_refused(delivered):
    with pytest.raises(complaints.CannotLink, match="knows no"):
        delivered.note(None, thing=987_654)


def test_a_rate_costs_one_query(delivered, django_assert_num_queries):
    with django_assert_num_queries(1):
        delivered.rate()
