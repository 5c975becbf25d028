"""What a report on a product's history says: read from the ledger, cut to what a tier may see.

Never in it, whatever the tier: other customers, costs and prices, names of our people, and what
they sign in with. An operator is the number that the trace page shows too. The content is plain
JSON, so that it can be kept, hashed and printed again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils import translation
from django.utils.translation import gettext as _

from crm import selectors_products as products
from crm.enums import ReportTier
from crm.models import Ticket
from crm.selectors_products import Product
from masterdata import selectors as masterdata
from traceability import selectors as ledger
from traceability.enums import Certainty, LinkEndWhy, LinkRole, NodeKind, Verdict, kind_of

if TYPE_CHECKING:
    from traceability.models import Lot, SerialUnit

# Fields that not every tier sees; what is not named here is in all.
TIERS: Mapping[str, Mapping[str, ReportTier]] = {
    "parts": {
        "number": ReportTier.STANDARD,
        "certainty": ReportTier.STANDARD,
        "supplier": ReportTier.EXTENDED,
        "supplier_lot": ReportTier.EXTENDED,
    },
    "readings": {
        "value": ReportTier.STANDARD,
        "lower": ReportTier.STANDARD,
        "upper": ReportTier.STANDARD,
        "machine": ReportTier.STANDARD,
        "operator": ReportTier.STANDARD,
        "program": ReportTier.EXTENDED,
    },
}
# More rows than anybody reads, and twice as many take longer to print than a customer waits on the
# telephone; the report says how many there are.
MOST_ROWS = 250


@dataclass(frozen=True, slots=True)
class Head:
    """What a report is called, when it is made and for whom."""

    number: str
    issued_at: datetime
    language: str
    tier: ReportTier


def content(*, ticket: Ticket, product: Product, head: Head) -> dict[str, Any]:
    """The report's content in its language; ``ticket.customer`` is set."""
    with translation.override(head.language):
        # Read anew, in this language: of a lot that several got, this customer's deliveries alone.
        product = products.product(product.thing, told_to=ticket.customer_id) or product
        steps = ledger.steps_over(product.thing)
        inside = {step.parent for step in steps if step.why != LinkEndWhy.WRONG}
        units = ledger.units([pk for pk in inside if kind_of(pk) == NodeKind.UNIT])
        lots = ledger.lots([pk for pk in inside if kind_of(pk) == NodeKind.LOT])
        readings = _readings(
            {product.thing, *units}, {product.thing: product.number, **_named(units)}
        )
        parts = _parts(product.thing, steps, {**units, **lots})
        return {
            "number": head.number,
            "issued_at": head.issued_at.isoformat(),
            "tier": head.tier.value,
            "ticket": {
                "number": ticket.number,
                "title": ticket.title,
                "opened_at": ticket.opened_at.isoformat(),
            },
            "customer": _customer(ticket),
            "product": _product(product),
            "counts": {"parts": len(parts), "readings": len(readings), **_verdicts(readings)},
            "parts": _cut("parts", parts[:MOST_ROWS], head.tier),
            "readings": _cut("readings", readings[:MOST_ROWS], head.tier),
        }


def _cut(section: str, rows: Iterable[dict[str, Any]], tier: ReportTier) -> list[dict[str, Any]]:
    hidden = {name for name, least in TIERS[section].items() if not tier.reaches(least)}
    return [{name: value for name, value in row.items() if name not in hidden} for row in rows]


def _customer(ticket: Ticket) -> dict[str, str]:
    customer = ticket.customer
    assert customer is not None  # noqa: S101 - policies saw to it
    return {"code": customer.code, "name": customer.label}


def _product(found: Product) -> dict[str, Any]:
    return {
        "item": found.item_code,
        "name": found.item_label,
        "number": found.number,
        "made_at": found.made_at.isoformat(),
        "order": found.order,
        "shipment": found.shipment,
        "shipped_at": found.shipped_at.isoformat() if found.shipped_at else "",
        "warranty_until": found.warranty_until.isoformat() if found.warranty_until else "",
    }


def _named(rows: Mapping[int, "SerialUnit"]) -> dict[int, str]:
    return {pk: row.number for pk, row in rows.items()}


def _parts(
    thing: int, steps: Iterable[ledger.Step], rows: Mapping[int, "Lot | SerialUnit"]
) -> list[dict[str, Any]]:
    """Each lot and unit inside, once, nearest first; what was taken out says so."""
    above: dict[int, list[ledger.Step]] = {}
    for step in steps:
        if step.why != LinkEndWhy.WRONG:
            above.setdefault(step.child, []).append(step)
    found: dict[int, dict[str, Any]] = {}
    level, depth = [(thing, Certainty.EXACT, False)], 0
    seen = {thing}
    while level:
        depth += 1
        following = []
        for child, sure, gone in level:
            for step in above.get(child, ()):
                is_gone = gone or not step.holds
                certainty = max(sure, step.certainty)
                if step.parent in rows and step.parent not in found:
                    found[step.parent] = _part(
                        rows[step.parent], depth, certainty, is_gone, step.role
                    )
                if step.parent not in seen:
                    seen.add(step.parent)
                    following.append((step.parent, Certainty(certainty), is_gone))
        level = following
    return list(found.values())


def _part(
    row: "Lot | SerialUnit", depth: int, certainty: int, is_gone: bool, role: LinkRole
) -> dict[str, Any]:
    return {
        "level": depth,
        "item": row.item.code,
        "name": row.item.label,
        "kind": kind_of(row.pk).value,
        "number": row.number,
        "certainty": "exact" if certainty == Certainty.EXACT else "one_of",
        "supplier": row.supplier.label if row.supplier else "",
        "supplier_lot": row.supplier_lot,
        "is_removed": is_gone,
        "is_replacement": role == LinkRole.INSTALL,
    }


def _readings(things: set[int], numbers: Mapping[int, str]) -> list[dict[str, Any]]:
    rows = list(ledger.readings_of(things))
    parameters = ledger.parameters({row.parameter_id for row in rows if row.parameter_id})
    machines = masterdata.work_units_by_id({row.work_unit_id for row in rows if row.work_unit_id})
    said = []
    for row in rows:
        parameter = parameters.get(row.parameter_id or 0)
        machine = machines.get(row.work_unit_id or 0)
        said.append(
            {
                "at": row.at.isoformat(),
                "subject": numbers.get(row.subject, ""),
                "operation": row.operation,
                "parameter": parameter.label if parameter else "",
                "unit": parameter.unit if parameter else "",
                "value": _plain(row.value),
                "lower": _plain(row.lower),
                "upper": _plain(row.upper),
                "verdict": Verdict(row.verdict).name.lower(),
                "machine": machine.code if machine else "",
                "operator": _operator(row.operator_id),
                "program": row.program,
            }
        )
    return said


def _operator(person_id: int | None) -> str:
    """By number, never by name; not the badge's, which with its PIN opens the terminals."""
    return "" if person_id is None else _("No. %(number)s") % {"number": person_id}


def _plain(value: Decimal | None) -> str:
    return "" if value is None else f"{value.normalize():f}"


def _verdicts(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    said = [row["verdict"] for row in rows]
    return {"passed": said.count("pass"), "failed": said.count("fail")}
