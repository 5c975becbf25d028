"""The same document of somebody else sent twice at the same moment."""

import contextlib
import threading

import pytest
from django.db import connections

from tests.masterdata.factories import ItemFactory, SiteFactory
from tests.traceability.factories import LotFactory
from traceability.models import Event, Reading
from traceability.services import epcis
from traceability.services.epcis import reading

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def both(monkeypatch):
    """What two came to who sent it at once; each had looked before the other wrote, if it can."""
    lot = LotFactory(item=ItemFactory(code="SHAFT"), number="L-1")
    site_id, meet, at = SiteFactory().pk, threading.Barrier(2), reading._One._at
    measured = {
        "type": "ObjectEvent",
        "eventID": "urn:uuid:1",
        "eventTime": "2026-01-05T08:00:00Z",
        "quantityList": [{"epcClass": f"urn:millstream:lot:SHAFT:{lot.number}", "quantity": 1}],
        "sensorElementList": [{"sensorReport": [{"type": "DIAMETER", "value": 1}]}],
    }
    document = {"epcisBody": {"eventList": [measured]}}

    def slow(told):
        with contextlib.suppress(threading.BrokenBarrierError):
            meet.wait(timeout=1)
        return at(told)

    monkeypatch.setattr(reading._One, "_at", slow)

    def send(results):
        try:
            done = epcis.read(document, site_id=site_id, by=None)
            results.append((done.written, done.known))
        except Exception as error:  # noqa: BLE001 - the test looks at it
            results.append(error)
        finally:
            connections.close_all()

    def act():
        results = []
        threads = [threading.Thread(target=send, args=[results]) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        return results

    return act


def test_a_document_that_is_sent_twice_at_once_is_written_once(both):
    assert sorted(both()) == [(0, 1), (1, 0)]
    assert (Event.objects.count(), Reading.objects.count()) == (1, 1)


def test_without_the_lock_it_is_written_twice(both, monkeypatch):
    """The control."""
    monkeypatch.setattr(reading, "lock", lambda which, key: None)
    assert both() == [(1, 0), (1, 0)]
    assert (Event.objects.count(), Reading.objects.count()) == (2, 2)
