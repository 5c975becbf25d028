"""What the tables of the ledger refuse by themselves, whoever writes."""

import pytest
from django.db import IntegrityError, transaction

from tests.masterdata.factories import ItemFactory, SiteFactory
from tests.traceability.factories import MADE_AT
from traceability.enums import FIRST_KIT_ID, FIRST_UNIT_ID, DocumentKind, EventKind
from traceability.models import Complaint, Custody, Document, Event, Kit, Link, LinkEnd, Seal

pytestmark = pytest.mark.django_db

KIT, UNIT = FIRST_KIT_ID, FIRST_UNIT_ID
HASH = b"0" * 32


def link(child: int, parent: int, **more) -> Link:
    given = {"event_id": 1, "quantity": 1, "role": 1, "certainty": 1, **more}
    return Link.objects.create(child=child, parent=parent, **given)


def event(**more) -> Event:
    given = {"kind": EventKind.BUILD, "at": MADE_AT, "site": SiteFactory(), "digest": HASH, **more}
    return Event.objects.create(**given)


def end() -> LinkEnd:
    return LinkEnd.objects.create(child=2, parent=1, event_id=1, ended_by=2, why=1)


def seal(pk: int) -> Seal:
    return Seal.objects.create(event_id=pk, site_id=1, position=1, hash=HASH)


def kit(**more) -> Kit:
    return Kit.objects.create(hash=HASH, made_at=MADE_AT, **more)


def document() -> Document:
    return Document.objects.create(kind=DocumentKind.RECEIPT, number="GR-1", at=MADE_AT)


VIOLATIONS = {
    "traceability_event_correction_names_what": lambda: event(kind=EventKind.CORRECTION),
    "traceability_seal_one_after_the_other": lambda: [seal(pk) for pk in (1, 2)],
    "traceability_kit_once": lambda: [
        Kit.objects.create(hash=HASH, made_at=MADE_AT) for _ in range(2)
    ],
    "traceability_kit_id_tells_the_kind": lambda: Kit.objects.create(
        id=7, hash=HASH, made_at=MADE_AT
    ),
    "traceability_link_not_to_itself": lambda: link(3, 3),
    "traceability_link_takes_something": lambda: link(2, 1, quantity=0),
    "traceability_link_units_take_kits_and_units": lambda: link(UNIT, 1),
    "traceability_link_kits_take_lots": lambda: link(KIT, KIT + 1),
    "traceability_linkend_once": lambda: [end() for _ in range(2)],
    "traceability_document_once": lambda: (document(), document()),
    "traceability_complaint_names_its_ticket": lambda: Complaint.objects.create(
        item=ItemFactory(), reference="", at=MADE_AT
    ),
    "traceability_custody_hands_over_something": lambda: Custody.objects.create(
        thing=1, document=document(), event_id=1, quantity=0
    ),
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_each_constraint_holds(name):
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        VIOLATIONS[name]()


def test_doubt_about_a_unit_is_said_in_its_kit():
    """A unit takes kits and units for sure."""
    link(UNIT, KIT)
    link(KIT, 1, certainty=2)
    with pytest.raises(IntegrityError, match="units_take_kits_and_units"), transaction.atomic():
        link(UNIT, KIT + 1, certainty=2)
