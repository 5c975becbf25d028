"""EPCIS over HTTP: who may, what is told, what is refused and where."""

import pytest

from tests.masterdata.factories import ItemFactory, SiteFactory
from tests.traceability.factories import MADE_AT, LotFactory, SerialUnitFactory
from traceability.enums import EventKind
from traceability.services import genealogy
from traceability.services.genealogy import Built, Fact, Loaded

pytestmark = pytest.mark.django_db

URL = "/api/v1/trace/epcis/"


@pytest.fixture
def unit():
    lot, made = LotFactory(), SerialUnitFactory(number="SN 77-1")
    fact = Fact(EventKind.BUILD, MADE_AT, SiteFactory().pk)
    genealogy.build(fact=fact, outputs=[Built(made.pk)], loaded=[Loaded(lot.pk, genealogy.ONE)])
    return made


def test_a_number_tells_the_life_of_what_carries_it(unit, api_client_for):
    answer = api_client_for("after-sales").get(URL, {"number": "sn77 1"})
    [event] = answer.json()["epcisBody"]["eventList"]
    assert event["type"] == "TransformationEvent"
    assert len(event["inputQuantityList"]) == 1


@pytest.mark.parametrize("number", ["", "SN 77-2", "\x00"])
def test_a_number_that_nothing_carries_is_not_found(unit, api_client_for, number):
    assert api_client_for("quality").get(URL, {"number": number}).status_code == 404


def test_what_is_told_may_be_sent_to_another_and_is_known_the_second_time(unit, api_client_for):
    ItemFactory(code="PUMP")
    document = {
        "epcisBody": {
            "eventList": [
                {
                    "type": "TransformationEvent",
                    "eventID": "urn:uuid:1",
                    "eventTime": "2026-10-01T08:00:00Z",
                    "inputQuantityList": [{"epcClass": "urn:millstream:lot:PUMP:1", "quantity": 2}],
                    "outputEPCList": ["urn:millstream:unit:PUMP:2"],
                }
            ]
        }
    }
    client = api_client_for("purchasing")
    for done in ({"written": 1, "known": 0}, {"written": 0, "known": 1}):
        answer = client.post(URL, document, format="json")
        assert answer.json() == done | {"passed_over": 0}
    # Whoever sends does not read for that.
    assert client.get(URL, {"number": "2"}).status_code == 403


def test_a_document_that_cannot_be_read_is_refused_with_the_place(unit, api_client_for):
    client = api_client_for("quality")
    document = {"epcisBody": {"eventList": [{"eventID": "urn:uuid:1"}]}}
    answer = client.post(URL, document, format="json")
    assert answer.status_code == 400
    assert answer.json() == {
        "epcisBody.eventList[0].eventTime": ["Event 1: “eventTime” is missing."]
    }
    for body in ("[", "7", '"x"', "[" * 100_000, '{"epcisBody":' * 5_000, '{"epcisBody": NaN}'):
        answer = client.post(URL, body, content_type="application/json")
        assert answer.status_code == 400, body[:30]
        assert answer.json(), body[:30]
    huge = '{"epcisBody": {"eventList": [], "x": "' + "x" * 3_000_000 + '"}}'
    assert client.post(URL, huge, content_type="application/json").status_code == 413
    # Half a character, which is no text anywhere.
    half = '{"epcisBody": {"eventList": [{"eventID": "\\ud800", "type": "x"}]}}'
    assert client.post(URL, half, content_type="application/json").status_code == 400
