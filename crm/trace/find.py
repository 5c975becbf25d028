"""What the one box finds: a thing, several to choose from, or what is called almost so."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from crm.trace.links import url_of
from erp import selectors as erp
from traceability import selectors as ledger
from traceability.selectors import complaints

if TYPE_CHECKING:
    from traceability.models import Lot, SerialUnit

    Thing = Lot | SerialUnit

MOST = 50


@dataclass(frozen=True, slots=True)
class Hit:
    """A lot or unit, and by what it was found."""

    thing: "Thing"
    why: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a text names; ``near`` only where it names nothing."""

    hits: tuple[Hit, ...] = ()
    near: "tuple[Thing, ...]" = ()
    # There are more than are shown.
    is_cut: bool = False
    # The document that the text names, where it has a page.
    document: str = ""
    document_url: str = ""


def find(text: str) -> Found:
    """Look a typed, pasted or scanned text up: numbers first, then suppliers' lots, documents."""
    opened = ledger.thing_in(text)
    if opened is not None and (thing := ledger.thing(opened)):
        return Found(hits=(Hit(thing, _("number")),))
    numbers = ledger.numbers_in(text)
    if not numbers:
        return Found()
    found: dict[int, Hit] = {}
    for hit in _hits(numbers):
        found.setdefault(hit.thing.pk, hit)
    hits = list(found.values())
    document = numbers[-1].upper()
    url = url_of(document)
    near = () if hits or url else tuple(ledger.near(numbers[0]))
    return Found(
        hits=tuple(hits[:MOST]),
        near=near,
        is_cut=len(hits) > MOST,
        document=document if url else "",
        document_url=url,
    )


def _hits(numbers: list[str]) -> Iterator[Hit]:
    """The more telling ones first; a code that names a serial number and a lot names the serial."""
    for number in numbers:
        found = ledger.things_named([number])
        yield from (Hit(thing, _("number")) for thing in found)
        if found:
            return
    for thing in ledger.things_of_supplier_lots(numbers):
        yield Hit(thing, _("lot of the supplier"))
    text = numbers[-1].upper()
    for thing in ledger.things_of_document(text):
        yield Hit(thing, _("document or order"))
    lots, units = erp.came_in(text) if text[:3] in ("WO-", "PO-") else ([], [])
    for thing in ledger.things([*units[:MOST], *lots[:MOST]]).values():
        yield Hit(thing, _("document or order"))
    told = complaints.standing().filter(reference=text, thing__isnull=False)
    ids = [pk for pk in told.values_list("thing", flat=True) if pk is not None]
    for thing in ledger.things(ids).values():
        yield Hit(thing, _("ticket"))
