"""Alerts: what complaints share and others of the item do not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from common import jobs
from common.models import Notification
from crm import selectors_tickets as selectors
from crm.enums import TraitKind
from crm.models import TicketCluster, TicketSymptom
from crm.policies_tickets import CannotSettle
from crm.services import ticket_clusters
from tests.crm.complaints import NOW, AfterSales
from tests.shared import shared
from tests.traceability.factories import SerialUnitFactory

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@shared()
def house() -> AfterSales:
    return AfterSales()


def found(house, now=NOW) -> set[tuple[str, int]]:
    ticket_clusters.look(item_id=house.pump.pk, now=now)
    return set(TicketCluster.objects.filter(settled_at=None).values_list("kind", "ref"))


def other_symptom(n: int) -> int:
    return TicketSymptom.objects.create(code=f"S{n}", name=f"S{n}").pk


def test_three_complaints_that_share_a_lot_are_an_alert_that_is_told_once(house, user_for):
    quality = user_for("quality")
    for n, serial in enumerate(("P-100", "P-200", "P-300")):
        assert found(house) == set()
        house.ticket(serial, symptom_id=other_symptom(n))
    for n in range(40):
        # Others of the item, of another lot, of which nobody complains.
        unit = SerialUnitFactory(item=house.pump, number=f"OK-{n}")
        house._make(unit, house.good, house.machines[1])
    jobs.run_due(include_waiting=True)
    assert found(house) == {("lot", house.bad.pk), ("work_unit", house.machines[0].pk)}
    assert Notification.objects.filter(user=quality, kind="crm.ticket_cluster").count() == 2
    house.ticket("P-400", symptom_id=other_symptom(9))
    assert len(found(house)) == 2
    assert Notification.objects.filter(user=quality, kind="crm.ticket_cluster").count() == 2
    lot = TicketCluster.objects.get(kind=TraitKind.LOT)
    assert lot.tickets == 4
    assert selectors.alerts([lot])[0].shared.endswith("BAD")
    assert selectors.in_cluster(lot).count() == 4


def test_a_lot_that_is_in_every_unit_of_the_item_tells_nothing(house):
    for n in range(40):
        unit = SerialUnitFactory(item=house.pump, number=f"OK-{n}")
        house._make(unit, house.bad, house.machines[0])
    for n, serial in enumerate(("P-100", "P-200", "P-300")):
        house.ticket(serial, symptom_id=other_symptom(n))
    assert found(house) == set()


def test_a_symptom_alone_is_an_alert_and_old_complaints_are_none(house):
    for days in (200, 1, 0):
        house.ticket("", now=NOW - days * DAY)
    assert TicketCluster.objects.count() == 0
    for serial in ("P-100", "P-500", "P-600"):
        house.ticket(serial)
    assert ("symptom", house.loose.pk) in found(house)


def test_a_look_under_way_does_not_undo_what_somebody_settles(house, user_for, monkeypatch):
    for _n in range(3):
        house.ticket("P-100")
    assert ("symptom", house.loose.pk) in found(house)
    alert = TicketCluster.objects.get(kind=TraitKind.SYMPTOM)
    shared_traits = ticket_clusters._shared

    def meanwhile(item_id, now):
        seen = shared_traits(item_id, now)
        ticket_clusters.settle(cluster=alert, reason="Done.", by=user_for("quality"), now=NOW)
        return seen

    monkeypatch.setattr(ticket_clusters, "_shared", meanwhile)
    assert ("symptom", house.loose.pk) not in found(house)
    alert.refresh_from_db()
    assert (alert.settled_at, alert.settled_reason) == (NOW, "Done.")


def test_a_settled_alert_is_raised_again_by_later_complaints_only(house):
    for _n in range(3):
        house.ticket("P-100")
    assert ("symptom", house.loose.pk) in found(house)
    for cluster in TicketCluster.objects.all():
        with pytest.raises(CannotSettle, match="what was done"):
            ticket_clusters.settle(cluster=cluster, reason=" ", by=house.agent, now=NOW)
        ticket_clusters.settle(cluster=cluster, reason="lot held", by=house.agent, now=NOW)
    with pytest.raises(CannotSettle, match="already"):
        ticket_clusters.settle(cluster=cluster, reason="again", by=house.agent, now=NOW)
    assert found(house, NOW + DAY) == set()
    for _n in range(3):
        house.ticket("P-200", now=NOW + DAY)
    assert ("symptom", house.loose.pk) in found(house, NOW + DAY)
