"""What one box finds: lots and units by their number, the supplier's, or a document's."""

from collections.abc import Collection

from django.db.models import Q, QuerySet

from common import bulk
from traceability.enums import FIRST_UNIT_ID
from traceability.models import Custody, Document, Lot, SerialUnit
from traceability.models.identities import compared
from traceability.selectors.identities import normalised

# So many of a kind are looked at; the page says that there may be more.
MOST = 50
_NEAR = 8
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Of what is typed, so many characters are varied one by one.
_VARIED = 24

Thing = Lot | SerialUnit


def things(ids: Collection[int]) -> dict[int, Thing]:
    """Lots and units by id, with items and suppliers; two queries."""
    lots = Lot.objects.select_related("item", "supplier")
    units = SerialUnit.objects.select_related("item", "supplier", "document__customer", "host")
    return {
        **lots.in_bulk([pk for pk in ids if pk < FIRST_UNIT_ID]),
        **units.in_bulk([pk for pk in ids if pk >= FIRST_UNIT_ID]),
    }


def thing(pk: int) -> Thing | None:
    """A lot or unit by id."""
    return things([pk]).get(pk)


def things_named(numbers: Collection[str]) -> list[Thing]:
    """Units, then lots, that carry one of the numbers, however it is typed."""
    wanted = {normalised(number) for number in numbers} - {""}
    units = _units().filter(number_norm__in=wanted).order_by("pk")
    lots = _lots().filter(number_norm__in=wanted).order_by("pk")
    return [*units[:MOST], *lots[:MOST]]


def units_numbered(norms: Collection[str]) -> list[SerialUnit]:
    """Units whose normalised number is one of these; one query."""
    return list(_units().filter(number_norm__in=list(norms)).order_by("pk"))


def things_of_supplier_lots(numbers: Collection[str]) -> list[Thing]:
    """Lots, then units, that the supplier delivered under one of these lot numbers."""
    wanted = {normalised(number) for number in numbers} - {""}
    column = compared("supplier_lot")
    lots = _lots().exclude(supplier_lot="").annotate(norm=column).filter(norm__in=wanted)
    units = _units().exclude(supplier_lot="").annotate(norm=column).filter(norm__in=wanted)
    return [*lots.order_by("pk")[:MOST], *units.order_by("pk")[:MOST]]


def things_of_document(number: str) -> list[Thing]:
    """What came or went by a document of that number, or for an order of that number."""
    papers = Document.objects.filter(Q(number=number) | Q(order_number=number))
    rows = Custody.objects.filter(document__in=papers).order_by("thing")
    ids = rows.values_list("thing", flat=True).distinct()[: 2 * MOST]
    found = things(list(ids))
    return [found[pk] for pk in sorted(found, reverse=True)]


def near(number: str) -> list[Thing]:
    """Numbers that differ from it in one place, then those beside it in order; a few."""
    norm = normalised(number)
    if not norm:
        return []
    found: list[Thing] = []
    for rows in (_units(), _lots()):
        varied = rows.filter(number_norm__in=_one_off(norm)).order_by("pk")
        found += list(varied[:_NEAR])
    if len(found) < _NEAR:
        found += _beside(norm)
    unique = {row.pk: row for row in found}
    return list(unique.values())[:_NEAR]


def _beside(norm: str) -> list[Thing]:
    """The next numbers up and down that begin alike, read from the index."""
    start = norm[: max(3, len(norm) - 2)]
    found: list[Thing] = []
    for rows in (_units(), _lots()):
        found += rows.filter(number_norm__gte=norm).order_by("number_norm")[:4]
        found += rows.filter(number_norm__lt=norm).order_by("-number_norm")[:4]
    return [row for row in found if row.number_norm.startswith(start)]


def _one_off(norm: str) -> set[str]:
    """One character wrong, missing, too much, or two of them swapped."""
    found: set[str] = set()
    places = range(min(len(norm), _VARIED))
    for at in places:
        before, here, after = norm[:at], norm[at], norm[at + 1 :]
        found.add(before + after)
        found.update(before + letter + after for letter in _LETTERS)
        found.update(before + letter + here + after for letter in _LETTERS)
        if after:
            found.add(before + after[0] + here + after[1:])
    found.update(norm + letter for letter in _LETTERS)
    return found - {norm, ""}


def numbers(units: Collection[int]) -> dict[int, str]:
    """The serial number of each unit, by id; one query."""
    return dict(SerialUnit.objects.filter(bulk.among("pk", units)).values_list("pk", "number"))


def _lots() -> QuerySet[Lot]:
    return Lot.objects.select_related("item", "supplier")


def _units() -> QuerySet[SerialUnit]:
    return SerialUnit.objects.select_related("item", "supplier", "document__customer")
