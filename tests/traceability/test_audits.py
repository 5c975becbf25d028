"""Whoever changes the ledger beside the services is found out."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from tests.masterdata.factories import SiteFactory
from tests.traceability.factories import MADE_AT, LotFactory, SerialUnitFactory
from traceability.enums import DocumentKind, EventKind, Verdict
from traceability.models import Document, Kit, Link, Seal
from traceability.services import audits, complaints, genealogy
from traceability.services.genealogy import Built, Fact, Loaded, NewReading
from traceability.services.ledger import Handover

pytestmark = pytest.mark.django_db

TABLES = ("event", "seal", "kit", "link", "linkend", "reading", "custody", "complaint")
COLUMNS = {"event": "at", "kit": "hash", "complaint": "at"}
CHANGED = "not those it wrote"


@pytest.fixture
def life() -> dict[str, int]:
    """A unit made from two lots, measured, and made into another; sealed as at commit."""
    fact = Fact(kind=EventKind.BUILD, at=MADE_AT, site_id=SiteFactory().pk, reference="WO-1")
    inner, outer = SerialUnitFactory.create_batch(2)
    lots = LotFactory.create_batch(2)
    first = genealogy.build(
        fact=fact,
        outputs=[Built(inner.pk)],
        loaded=[Loaded(lot.pk, Decimal("0.5")) for lot in lots],
        readings=[
            NewReading(inner.pk, value=Decimal("2.40"), verdict=Verdict.PASS.value),
        ],
    )
    second = genealogy.build(fact=fact, outputs=[Built(outer.pk, parts=[inner.pk])])
    document = Document.objects.create(kind=DocumentKind.SHIPMENT, number="SH-1", at=MADE_AT)
    third = genealogy.take_apart(fact=fact, unit=outer.pk, parts=[inner.pk])
    genealogy.hand_over(fact=fact, handovers=[Handover(outer.pk, document.pk)])
    complaints.note(
        reference="AS-1", item_id=outer.item_id, thing=outer.pk, symptom="LEAK", at=MADE_AT
    )
    _sql("SET CONSTRAINTS ALL IMMEDIATE")
    assert audits.findings() == []
    return {
        "inner": inner.pk, "outer": outer.pk, "lot": lots[0].pk,
        "first": first, "second": second, "third": third,
    }  # fmt: skip


def _sql(text: str, parameters: list[int] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text, parameters)


def _tampered(text: str, parameters: list[int]) -> list[str]:
    """What the audit says after the owner has gone behind the triggers, which is then undone."""
    with transaction.atomic():
        for table in TABLES:
            _sql(f"ALTER TABLE traceability_{table} DISABLE TRIGGER USER")
        _sql(text, parameters)
        found = audits.findings()
        transaction.set_rollback(True)
    return found


@pytest.mark.usefixtures("life")
@pytest.mark.parametrize("table", TABLES)
def test_no_row_is_changed_or_deleted(table):
    column = COLUMNS.get(table, "event_id")
    for text in (
        f"UPDATE traceability_{table} SET {column} = {column}",
        f"DELETE FROM traceability_{table}",
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            _sql(text)


@pytest.mark.parametrize(
    ("text", "names", "said"),
    [
        ("UPDATE traceability_event SET at = at + '1 day' WHERE id = %s", ["first"], "seal"),
        ("UPDATE traceability_event SET note = 'x' WHERE id = %s", ["second"], "seal"),
        ("UPDATE traceability_seal SET hash = '' WHERE event_id = %s", ["second"], "seal"),
        ("DELETE FROM traceability_seal WHERE event_id = %s", ["third"], "has no seal"),
        ("DELETE FROM traceability_event WHERE id = %s", ["third"], "seal"),
        ("UPDATE traceability_link SET quantity = 2 WHERE child = %s", ["inner"], CHANGED),
        ("DELETE FROM traceability_link WHERE parent = %s", ["inner"], CHANGED),
        ("DELETE FROM traceability_linkend WHERE parent = %s", ["inner"], CHANGED),
        ("UPDATE traceability_reading SET value = 2.5 WHERE subject = %s", ["inner"], CHANGED),
        ("DELETE FROM traceability_custody WHERE thing = %s", ["outer"], CHANGED),
        ("DELETE FROM traceability_lot WHERE id = %s", ["lot"], "which is not there"),
        ("UPDATE traceability_complaint SET thing = 7000000", [], "which is not there"),
        ("DELETE FROM traceability_unitkit WHERE unit_id = %s", ["inner"], "kits of unit"),
        (
            "INSERT INTO traceability_link (child, parent, event_id, quantity, role, certainty) "
            "VALUES (%s, %s, 999999, 1, 1, 1), (%s, %s, 999999, 1, 1, 1)",
            ["outer", "inner", "inner", "outer"],
            "inside itself",
        ),
        (
            "INSERT INTO traceability_link (child, parent, event_id, quantity, role, certainty) "
            "VALUES (%s, %s, 999999, 1, 1, 1)",
            ["outer", "inner"],
            "stand alone",
        ),
    ],
)  # fmt: skip
def test_what_was_tampered_with_shows(life, text, names, said):
    assert any(said in finding for finding in _tampered(text, [life[name] for name in names]))


def test_seals_follow_each_other_by_site():
    fact = Fact(kind=EventKind.PROCESS, at=MADE_AT, site_id=SiteFactory().pk)
    other = Fact(kind=EventKind.PROCESS, at=MADE_AT, site_id=SiteFactory().pk)
    unit = SerialUnitFactory()
    for each in (fact, other, fact):
        genealogy.process(fact=each, readings=[NewReading(unit.pk)])
    _sql("SET CONSTRAINTS ALL IMMEDIATE")
    seals = Seal.objects.order_by("event_id").values_list("site_id", "position")
    assert list(seals) == [(fact.site_id, 1), (other.site_id, 1), (fact.site_id, 2)]
    assert not Link.objects.exists()
    assert not Kit.objects.exists()
