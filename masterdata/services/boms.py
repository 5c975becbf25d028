"""Bills of material: what may be saved, and saving one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from common import audit
from common.errors import Refused
from common.models import User
from masterdata.models import Bom, BomLine, Item
from masterdata.services import graph, planning, validity


class BomCycle(Refused):
    """An item would contain itself; the sentence names the chain A → B → A."""


class OverlappingBoms(Refused):
    """Two revisions of an item would be valid on the same day."""


class OverlappingLines(Refused):
    """A BOM would hold the same component twice on the same day."""


class EndsBeforeStart(Refused):
    """The validity ends on or before the day it begins."""


class UnknownItem(Refused):
    """No item has that code."""


class InvalidQuantity(Refused):
    """A component's quantity or scrap is out of range, or its position is taken."""


@dataclass(frozen=True, slots=True)
class Line:
    """A component as typed or sent."""

    position: int
    component: str  # an item's code
    quantity_per: Decimal
    uom: str = "EA"
    scrap_rate: Decimal = Decimal(0)
    # Empty: as the component says.
    issue_method: str = ""
    valid_from: date | None = None
    valid_to: date | None = None


def save(
    *,
    item: Item,
    revision: str,
    valid_from: date,
    valid_to: date | None,
    lines: Sequence[Line],
    by: User | None,
    now: datetime,
    opened: int | None = None,
) -> Bom:
    """Write a revision with exactly these lines; raise what is wrong with it.

    ``opened`` is the version that a form was opened with, 0 for a new revision; where the
    revision has another one, StaleWrite is raised. None writes whatever is there.
    """
    with transaction.atomic():
        Item.objects.select_for_update(no_key=True).get(pk=item.pk)
        components = items_by_code(line.component for line in lines)
        check_span((valid_from, valid_to))
        check_lines(lines)
        others = Bom.objects.filter(item=item).exclude(revision=revision)
        check_no_overlap(item, revision, (valid_from, valid_to), others)
        check_acyclic(
            item=item, component_ids={c.pk for c in components.values()}, revision=revision
        )
        validity.check_opened(Bom.objects.filter(item=item, revision=revision), opened)
        bom, _created = Bom.objects.update_or_create(
            item=item,
            revision=revision,
            defaults={
                "valid_from": valid_from,
                "valid_to": valid_to,
                "version": F("version") + 1,
            },
            create_defaults={"valid_from": valid_from, "valid_to": valid_to},
        )
        before = _described(bom.lines.select_related("component"))
        bom.lines.all().delete()
        written = BomLine.objects.bulk_create(_line(bom, li, components) for li in lines)
        changes = audit.difference({"lines": before}, {"lines": _described(written)})
        audit.record(action="masterdata.bom.save", target=bom, by=by, now=now, changes=changes)
        planning.changed(by=by, now=now)
        return bom


def items_by_code(codes: Iterable[str]) -> dict[str, Item]:
    """The items of these codes. Raises UnknownItem naming those that do not exist."""
    wanted = set(codes)
    found = {item.code: item for item in Item.objects.filter(code__in=wanted)}
    if missing := sorted(wanted - found.keys()):
        raise UnknownItem(_("No item has the code %(codes)s.") % {"codes": ", ".join(missing[:10])})
    return found


def check_span(span: tuple[date | None, date | None]) -> None:
    """Raise EndsBeforeStart unless the span holds a day."""
    if span[0] and span[1] and span[1] <= span[0]:
        raise EndsBeforeStart(
            _("The validity ends on %(end)s, not after its first day %(start)s.")
            % {"end": span[1], "start": span[0]}
        )


def check_lines(lines: Sequence[Line]) -> None:
    """Raise what is wrong with the lines among themselves."""
    seen: set[int] = set()
    spans: dict[str, list[tuple[validity.Span, int]]] = {}
    for line in lines:
        check_span((line.valid_from, line.valid_to))
        if line.position in seen:
            raise InvalidQuantity(
                _("Position %(position)s is there twice.") % {"position": line.position}
            )
        seen.add(line.position)
        if line.quantity_per <= 0 or not 0 <= line.scrap_rate < 1:
            raise InvalidQuantity(
                _(
                    "Position %(position)s: the quantity must be above 0 and scrap a share"
                    " from 0 to below 1."
                )
                % {"position": line.position}
            )
        span = (line.valid_from, line.valid_to)
        spans.setdefault(line.component, []).append((span, line.position))
    for component, used in spans.items():
        if clash := validity.first_overlap(used):
            raise OverlappingLines(overlapping_lines(component, *clash))


def overlapping_lines(component: str, one: int, other: int) -> str:
    return _(
        "%(component)s is in positions %(one)s and %(other)s at the same time; add them up or"
        " end one before the other begins."
    ) % {"component": component, "one": one, "other": other}


def check_no_overlap(
    item: Item, revision: str, span: tuple[date, date | None], others: Iterable[Bom]
) -> None:
    """Raise OverlappingBoms where another revision is valid on a day of the span."""
    for other in others:
        if validity.overlaps(span, (other.valid_from, other.valid_to)):
            raise OverlappingBoms(overlapping_boms(item.code, revision, other.revision))


def overlapping_boms(code: str, one: str, other: str) -> str:
    return _(
        "BOM revisions %(one)s and %(other)s of %(item)s are valid at the same time; end one"
        " before the other begins."
    ) % {"item": code, "one": one, "other": other}


def check_acyclic(*, item: Item, component_ids: Iterable[int], revision: str | None = None) -> None:
    """Raise BomCycle where a component contains the item, on whatever day.

    ``revision`` is the one being replaced: its present lines do not count.
    """
    edges = all_edges(without=BomLine.objects.filter(bom__item=item, bom__revision=revision))
    for component in sorted(component_ids):
        if way := graph.chain(edges, component, item.pk):
            raise BomCycle(cycle_sentence([item.pk, *way]))


def all_edges(*, without: Iterable[BomLine] = ()) -> dict[int, set[int]]:
    """Item to its components over all revisions and days."""
    skipped = [line.pk for line in without]
    edges: dict[int, set[int]] = {}
    rows = BomLine.objects.exclude(pk__in=skipped) if skipped else BomLine.objects.all()
    for parent, component in rows.values_list("bom__item_id", "component_id"):
        edges.setdefault(parent, set()).add(component)
    return edges


def cycle_sentence(way: Sequence[int]) -> str:
    """The chain in codes: A → B → A."""
    codes = dict(Item.objects.filter(pk__in=way).values_list("pk", "code"))
    return _("An item cannot contain itself: %(chain)s.") % {
        "chain": " → ".join(codes[pk] for pk in way)
    }


def _line(bom: Bom, line: Line, components: dict[str, Item]) -> BomLine:
    return BomLine(
        bom=bom,
        position=line.position,
        component=components[line.component],
        quantity_per=line.quantity_per,
        uom=line.uom,
        scrap_rate=line.scrap_rate,
        issue_method=line.issue_method,
        valid_from=line.valid_from,
        valid_to=line.valid_to,
    )


def _described(lines: Iterable[BomLine]) -> list[str]:
    return [
        f"{line.position} {line.component.code} × {line.quantity_per.normalize():f}"
        for line in sorted(lines, key=lambda line: line.position)
    ]
