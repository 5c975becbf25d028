"""Where the things lie whose labels somebody scanned."""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from erp import selectors
from erp.models import StockQuant
from erp.policies import CannotMove
from erp.services.moving import Where
from traceability import selectors as traceability
from traceability.services.identities import check_numbers, some_of

ZERO = Decimal(0)


def packed(data: dict[str, Any], *, site_id: int) -> list[tuple[Where, Decimal]]:
    """Where each of the scanned ``what`` lies and how much of it goes.

    One label may be an item's, a lot's or a unit's; several are serial numbers. Raise CannotMove
    where it is not clear, or does not lie here.
    """
    labels: list[str] = data["what"]
    if len(labels) > 1:
        return _units(labels, site_id)
    found = [row for row in selectors.scanned(text=labels[0], site_id=site_id) if row.item]
    if not found:
        raise CannotMove(_("Nothing here has the number “%(code)s”.") % {"code": labels[0]})
    if len(found) > 1:
        codes = ", ".join(row.item.code for row in found if row.item)
        raise CannotMove(
            _("Several items have this number: %(items)s. Scan the label of the piece.")
            % {"items": codes}
        )
    return [source_of(found[0], data["source"], data["quantity"], site_id)]


def source_of(
    what: selectors.Scanned, place: Any, wanted: Decimal | None, site_id: int
) -> tuple[Where, Decimal]:
    """Where the thing lies and how much of it goes; raise CannotMove where that is not clear."""
    assert what.item is not None  # noqa: S101 - the caller asked for things
    lying = selectors.quants(
        site_id=site_id,
        item_id=what.item.pk,
        lot_id=what.lot.pk if what.lot else None,
        unit_id=what.unit.pk if what.unit else None,
    )
    if place is None:
        places = selectors.places_of(lying)
        if len(places) != 1:
            raise CannotMove(_why_unclear(what, [found.label for found in places]))
        place = places[0]
    there = [row for row in lying if row.bin_id == place.pk]
    whole = sum((row.quantity - row.staged for row in there), ZERO)
    where = Where(
        bin_id=place.pk,
        item_id=what.item.pk,
        lot_id=what.lot.pk if what.lot else None,
        unit_ids=[what.unit.pk] if what.unit else [],
    )
    return where, whole if wanted is None else wanted


def _why_unclear(what: selectors.Scanned, bins: list[str]) -> str:
    """That it lies in several bins here; or in none, and then at which other sites."""
    if bins:
        return _("It lies in %(bins)s: say from where.") % {"bins": ", ".join(bins)}
    anywhere = selectors.quants(
        item_id=what.item.pk if what.item else None,
        lot_id=what.lot.pk if what.lot else None,
        unit_id=what.unit.pk if what.unit else None,
    )
    if sites := ", ".join(selectors.sites_with(anywhere)):
        return _("None of it lies at this site; it lies at %(sites)s.") % {"sites": sites}
    return _("Nothing that may be moved lies there.")


def _units(numbers: list[str], site_id: int) -> list[tuple[Where, Decimal]]:
    """Serial numbers by the bins they lie in; two queries however many."""
    check_numbers(numbers)
    wanted = {traceability.normalised(number): number for number in numbers}
    quants = StockQuant.objects.filter(
        bin__warehouse__site=site_id, unit__number_norm__in=list(wanted)
    )
    places: dict[tuple[int, int], list[int]] = {}
    seen: set[str] = set()
    several: list[str] = []
    rows = quants.order_by("pk").values_list("bin", "item", "unit", "unit__number_norm")
    for bin_id, item_id, unit_id, norm in rows:
        if norm in seen:
            several.append(wanted[norm])
        seen.add(norm)
        places.setdefault((bin_id, item_id), []).append(unit_id)
    missing = [number for norm, number in wanted.items() if norm not in seen]
    if missing:
        raise CannotMove(_("%(numbers)s: not here.") % {"numbers": some_of(missing)})
    if several:
        raise CannotMove(
            _("%(numbers)s: several items have this number. Scan the pieces one by one.")
            % {"numbers": some_of(several)}
        )
    return [
        (Where(bin_id, item_id, unit_ids=units), Decimal(len(units)))
        for (bin_id, item_id), units in places.items()
    ]
