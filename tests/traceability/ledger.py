"""Whether the genealogy ledger and the stock books say the same."""

from decimal import Decimal

from erp.models import StockQuant
from traceability import selectors
from traceability.models import Custody
from traceability.services import audits

ZERO = Decimal(0)


def agrees_with_stock():
    """What was brought less what was taken is what lies there, of each lot and unit."""
    lies: dict[int, Decimal] = {}
    for lot, unit, quantity in StockQuant.objects.values_list("lot", "unit", "quantity"):
        if thing := lot or unit:
            lies[thing] = lies.get(thing, ZERO) + quantity
    things = {*lies, *Custody.objects.values_list("thing", flat=True)}
    handed = selectors.handed_over(things)
    told = {thing: sum((row.into_store for row in handed[thing]), ZERO) for thing in things}
    assert told == {thing: lies.get(thing, ZERO) for thing in things}
    return True


def is_sound():
    """What the nightly audit would find, but for the chain: that is written at commit."""
    for check in (audits.fingerprints, audits.nodes, audits.circles, audits.kits):
        assert check() == [], check.__name__
