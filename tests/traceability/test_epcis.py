"""EPCIS: what is told of a life is read back as the same life; what is no life is refused."""

import copy
import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings

from common.models import AuditEntry
from tests.masterdata.factories import ItemFactory, SiteFactory, ToolFactory, WorkUnitFactory
from tests.traceability.factories import MADE_AT, LotFactory, SerialUnitFactory
from tests.traceability.test_genealogy import Factory, loaded, steps
from traceability import selectors
from traceability.enums import EventKind, NodeKind, Verdict, kind_of
from traceability.models import Event, Lot, Parameter, Reading, SerialUnit
from traceability.services import audits, epcis, genealogy
from traceability.services.genealogy import Built, Fact, NewReading, Station

pytestmark = pytest.mark.django_db


@pytest.fixture
def fact() -> Fact:
    return Fact(kind=EventKind.BUILD, at=MADE_AT, site_id=SiteFactory().pk, reference="WO-1")


def events_of(*things):
    return epcis.document(things, now=timezone.now())["epcisBody"]["eventList"]


def forget():
    """Empty the ledger as its owner can; lots and units stay registered."""
    SerialUnit.objects.update(host=None, document=None)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute("""
            TRUNCATE traceability_link, traceability_linkend, traceability_unitkit,
                traceability_reading, traceability_kit, traceability_seal
        """)


def things_above(node):
    return {pk for pk in selectors.above([node]) if kind_of(pk) != NodeKind.KIT}


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=steps)
def test_a_life_that_is_told_is_read_back_as_it_was(fact, steps):
    with transaction.atomic():
        factory = Factory(fact)
        for what, picks, doubt in steps:
            factory.play(what, picks, doubt)
        nodes = [*factory.lots, *factory.units]
        were = {node: things_above(node) for node in nodes}
        sure = {lot: selectors.units_of_lots([lot]) for lot in factory.lots}
        told = json.loads(json.dumps(epcis.document(nodes, now=timezone.now())))
        forget()
        epcis.read(told, site_id=fact.site_id, by=None)
        assert {node: things_above(node) for node in nodes} == were
        # Confirmed and possible as well.
        assert {lot: selectors.units_of_lots([lot]) for lot in factory.lots} == sure
        again = epcis.read(told, site_id=fact.site_id, by=None)
        assert again.written == 0
        assert audits.circles() == audits.nodes() == audits.kits() == []
        transaction.set_rollback(True)


def test_a_unit_is_told_with_lots_parts_and_what_was_measured(fact):
    lot, part, unit = LotFactory(number="RM-1"), SerialUnitFactory(), SerialUnitFactory()
    torque = Parameter.objects.create(code="TORQUE", name="Torque", unit="N·m")
    readings = [
        NewReading(
            unit.pk,
            parameter_id=torque.pk,
            value="2.4",
            lower="2.2",
            upper="2.6",
            verdict=Verdict.PASS.value,
        )
    ]
    built = Built(unit.pk, parts=[part.pk])
    genealogy.build(fact=fact, outputs=[built], loaded=loaded(lot, quantity=3), readings=readings)
    made, put_in, measured = events_of(unit.pk)
    name = f"urn:millstream:unit:{unit.item.code}:{unit.number}"
    assert made["type"] == "TransformationEvent"
    assert made["outputEPCList"] == [name]
    assert made["inputQuantityList"] == [
        {"epcClass": f"urn:millstream:lot:{lot.item.code}:RM-1", "quantity": 3.0}
    ]
    assert (put_in["action"], put_in["parentID"]) == ("ADD", name)
    [report] = measured["sensorElementList"][0]["sensorReport"]
    assert (report["type"], report["value"], report["millstream:verdict"]) == (
        "millstream:TORQUE",
        2.4,
        "pass",
    )
    # The same each time: who reads them twice knows them again.
    assert [one["eventID"] for one in events_of(unit.pk)] == [
        one["eventID"] for one in (made, put_in, measured)
    ]


def test_what_was_wrong_is_declared_an_error_with_what_put_it_right(fact):
    wrong, right, unit = LotFactory(), LotFactory(), SerialUnitFactory()
    first = genealogy.build(fact=fact, outputs=[Built(unit.pk)], loaded=loaded(wrong))
    other = SerialUnitFactory()
    genealogy.build(fact=fact, outputs=[Built(other.pk)], loaded=loaded(right))
    [(_child, kit, _event)] = selectors.links_above(other.pk)
    genealogy.correct(
        fact=Fact(EventKind.CORRECTION, MADE_AT, fact.site_id, corrects_id=first),
        wrong=[genealogy.ledger.OldLink(*key) for key in selectors.links_above(unit.pk)],
        right=[genealogy.ledger.NewLink(unit.pk, kit, Decimal(1))],
    )
    captured, corrected = events_of(unit.pk)
    assert captured["errorDeclaration"]["correctiveEventIDs"] == [corrected["eventID"]]
    assert "errorDeclaration" not in corrected


@pytest.fixture
def sent(fact):
    """A supplier's document: a unit of ours to buy, made from a lot nobody here knows yet."""
    item, steel = ItemFactory(code="PUMP"), ItemFactory(code="4006381333931")
    return {
        "type": "EPCISDocument",
        "epcisBody": {
            "eventList": [
                {
                    "type": "TransformationEvent",
                    "eventID": "urn:uuid:1",
                    "eventTime": "2026-10-01T08:00:00Z",
                    "inputQuantityList": [
                        {"epcClass": f"https://id.gs1.org/01/{steel.code}/10/S-9", "quantity": 2}
                    ],
                    "outputEPCList": [f"urn:millstream:unit:{item.code}:P%2F1"],
                }
            ]
        },
    }


def test_a_suppliers_genealogy_becomes_part_of_ours(fact, sent):
    done = epcis.read(sent, site_id=fact.site_id, by=None)
    assert (done.written, done.known) == (1, 0)
    unit, lot = SerialUnit.objects.get(number="P/1"), Lot.objects.get(number="S-9")
    assert things_above(unit.pk) == {unit.pk, lot.pk}
    assert epcis.read(sent, site_id=fact.site_id, by=None).known == 1


def _with(sent, **fields):
    told = copy.deepcopy(sent)
    told["epcisBody"]["eventList"][0] |= fields
    return told


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"outputEPCList": ["urn:millstream:unit:NOSUCH:1"]}, "Event 1: There is no item NOSUCH."),
        ({"outputEPCList": ["urn:epc:id:sgtin:1.2.3"]}, "names no lot or unit"),
        ({"outputEPCList": []}, "Nothing comes out of it."),
        ({"outputEPCList": 7}, "“outputEPCList” is no list."),
        ({"eventTime": "yesterday"}, "is no time with its zone"),
        ({"eventTime": "2026-10-01T08:00:00"}, "is no time with its zone"),
        ({"eventID": ""}, "“eventID” is missing."),
        ({"inputQuantityList": [{"epcClass": "urn:millstream:lot:PUMP:1"}]}, "“quantity” is miss"),
        (
            {"inputQuantityList": [{"epcClass": "urn:millstream:lot:PUMP:1", "quantity": -1}]},
            "A quantity is above zero.",
        ),
        (
            {"inputQuantityList": [{"epcClass": "urn:millstream:lot:PUMP:1", "quantity": "NaN"}]},
            "is no number",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place_and_nothing_stays(fact, sent, fields, why):
    told = _with(sent, **fields)
    told["epcisBody"]["eventList"].append(sent["epcisBody"]["eventList"][0] | {"eventID": "urn:2"})
    told["epcisBody"]["eventList"].reverse()
    with pytest.raises(epcis.CannotRead, match=why.replace("Event 1", "Event 2")):
        epcis.read(told, site_id=fact.site_id, by=None)
    assert not Event.objects.exists()
    assert not SerialUnit.objects.exists()


def _deep(levels):
    found = "x"
    for _ in range(levels):
        found = [found]
    return found


_REPORT = {"type": "X", "value": 1}
_MEASURED = {
    "type": "ObjectEvent",
    "epcList": ["urn:millstream:unit:PUMP:1"],
    "sensorElementList": [{"sensorReport": [_REPORT]}],
}


def _reported(**report):
    return {**_MEASURED, "sensorElementList": [{"sensorReport": [{**_REPORT, **report}]}]}


# What is sent instead, the field that is named, and a part of the sentence.
HOSTILE = [
    ({"type": None}, "type", "is missing"),
    ({"type": ["ObjectEvent"]}, "type", "is no text"),
    ({"eventTime": 7}, "eventTime", "is no text"),
    ({"eventTime": "2026-13-45T99:00:00Z"}, "eventTime", "is no time"),
    # PostgreSQL stores it, and nobody can read it again.
    ({"eventTime": "9999-12-31T23:59:59-12:00"}, "eventTime", "is not in the past"),
    ({"eventTime": "0001-01-01T00:00:00+12:00"}, "eventTime", "is not in the past"),
    ({"outputEPCList": {"a": 1}}, "outputEPCList", "is no list"),
    ({"outputEPCList": [{"a": 1}]}, "outputEPCList", "is no list of names"),
    ({"outputEPCList": [_deep(600)]}, "outputEPCList", "is no list of names"),
    ({"outputEPCList": "x" * 5000}, "outputEPCList", "is no text"),
    ({"outputEPCList": ["urn:millstream:unit:PUMP:\x00"]}, "outputEPCList", "is no list of names"),
    ({"outputEPCList": ["urn:millstream:unit:PUMP:%00"]}, "outputEPCList", "is no number"),
    ({"outputEPCList": ["urn:millstream:unit:PUMP:" + "9" * 61]}, "outputEPCList", "60 char"),
    ({"outputEPCList": [f"urn:millstream:unit:PUMP:{n}" for n in ("1", "-1")]}, "", "twice"),
    ({"inputQuantityList": ["x"]}, "inputQuantityList", "is no list of objects"),
    ({"inputQuantityList": {"epcClass": 1}}, "inputQuantityList", "is no list"),
    ({"inputQuantityList": [{}]}, "inputQuantityList[0].epcClass", "is missing"),
    (
        {"inputQuantityList": [{"epcClass": "urn:millstream:lot:PUMP:1", "quantity": "1e999999"}]},
        "inputQuantityList[0].quantity",
        "is no number",
    ),
    (
        {"inputQuantityList": [{"epcClass": "urn:millstream:lot:PUMP:1", "quantity": True}]},
        "inputQuantityList[0].quantity",
        "is no number",
    ),
    ({"readPoint": []}, "readPoint", "is no object"),
    ({"millstream:program": 7}, "millstream:program", "is no text"),
    ({"millstream:operation": -1}, "millstream:operation", "is no number"),
    ({"millstream:operation": 2**40}, "millstream:operation", "is no number"),
    ({"type": "AssociationEvent"}, "parentID", "is missing"),
    ({"type": "AssociationEvent", "parentID": 7}, "parentID", "is no text"),
    (
        # What is inside itself.
        {
            "type": "AssociationEvent",
            "parentID": "urn:millstream:unit:PUMP:1",
            "childEPCs": ["urn:millstream:unit:PUMP:1"],
        },
        "",
        "",
    ),
    (_reported(value={"a": 1}), "sensorElementList[0].sensorReport[0].value", "is no number"),
    (_reported(value="9" * 5000), "sensorElementList[0].sensorReport[0].value", "is no number"),
    (_reported(type=""), "sensorElementList[0].sensorReport[0].type", "what was measured"),
    (
        _reported(**{"millstream:verdict": "GREAT"}),
        "sensorElementList[0].sensorReport[0].millstream:verdict",
        "is no verdict",
    ),
    ({**_MEASURED, "sensorElementList": [7]}, "sensorElementList", "is no list of objects"),
]


def test_hostile_events_are_refused_with_the_field_and_leave_nothing(fact, sent):
    for fields, field, why in HOSTILE:
        with pytest.raises(epcis.CannotRead) as caught:
            epcis.read(_with(sent, **fields), site_id=fact.site_id, by=None)
        where = f"epcisBody.eventList[0].{field}".rstrip(".")
        assert caught.value.field.startswith(where), (fields, caught.value.field)
        assert why in str(caught.value), (fields, str(caught.value))
    assert not Event.objects.exists()
    assert not SerialUnit.objects.exists()
    assert not Parameter.objects.exists()


def test_what_was_passed_and_measured_comes_back_with_its_station(fact):
    """Machine, tool, operation and program are those of the reading, not of its event."""
    unit, lot = SerialUnitFactory(), LotFactory()
    torque = Parameter.objects.create(code="TORQUE", name="Torque")
    machine, other, tool = WorkUnitFactory(), WorkUnitFactory(), ToolFactory()
    station = Station(operation=10, work_unit_id=machine.pk, tool_id=tool.pk, program="CUT-4")
    genealogy.process(
        fact=replace(fact, operation=20, work_unit_id=other.pk, program="TIGHTEN-7"),
        readings=[
            NewReading(unit.pk, at=MADE_AT - timedelta(days=1), station=station),
            NewReading(unit.pk, parameter_id=torque.pk, value=Decimal("2.4"), lower=Decimal(2)),
            # Here nothing is known of a program, whatever the event says.
            NewReading(unit.pk, parameter_id=torque.pk, value=Decimal("2.5"), station=Station(20)),
            NewReading(lot.pk, verdict=Verdict.NONE.value),
        ],
    )

    def book():
        fields = ("subject", "at", "operation", "work_unit_id", "tool_id", "program", "value")
        more = ("parameter_id", "lower", "upper", "verdict")
        return sorted(Reading.objects.values_list(*fields, *more), key=str)

    were = book()
    assert {row[5] for row in were} == {"CUT-4", "TIGHTEN-7", ""}
    told = json.loads(json.dumps(epcis.document([unit.pk, lot.pk], now=timezone.now())))
    forget()
    epcis.read(told, site_id=fact.site_id, by=None)
    assert book() == were


@pytest.mark.parametrize("document", [None, [], {}, {"epcisBody": {"eventList": "x"}}, "{}"])
def test_what_is_no_document_is_refused(fact, document):
    with pytest.raises(epcis.CannotRead, match="no EPCIS document"):
        epcis.read(document, site_id=fact.site_id, by=None)


def test_what_is_read_is_told_in_the_audit_trail_once(fact):
    events = [{"type": "ObjectEvent", "eventID": "urn:uuid:1", "eventTime": "2026-01-05T08:00:00Z"}]
    item = ItemFactory(code="SHAFT")
    name = f"urn:millstream:lot:{item.code}:L-1"
    report = {"type": "DIAMETER", "value": 1}
    events[0] |= {
        "quantityList": [{"epcClass": name, "quantity": 1}],
        "sensorElementList": [{"sensorReport": [report]}],
    }
    for written in (1, 0):
        done = epcis.read({"epcisBody": {"eventList": events}}, site_id=fact.site_id, by=None)
        assert done.written == written
    [entry] = AuditEntry.objects.filter(action="traceability.epcis.read")
    assert entry.changes == {"events": [None, 1]}
