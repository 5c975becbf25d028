"""What is printed on the floor: travellers and labels, with codes that the terminal reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from common import documents
from common.templatetags import ui_format
from masterdata.enums import RunBasis
from mes.models import WorkOrder, WorkOrderOperation
from mes.services import scans

if TYPE_CHECKING:
    from traceability.models import Lot, SerialUnit


@dataclass(frozen=True, slots=True)
class Label:
    """One label: what it is for, and the QR code as an image's address."""

    kind: str
    number: str
    item: str
    name: str
    code: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Step:
    operation: WorkOrderOperation
    run_minutes: Decimal
    code: str


def traveller(*, order: WorkOrder, language: str, now: datetime) -> bytes:
    """The sheet that goes with the pieces, as a PDF.

    ``order`` is read by ``selectors.work_order_detail``. Raise documents.CannotPrint where the
    server cannot make PDFs.
    """
    rows = [
        _Step(
            operation=step,
            run_minutes=step.run_minutes
            * (order.quantity if step.run_basis == RunBasis.PER_PIECE else 1),
            code=documents.qr(scans.operation_code(order.number, step.sequence)),
        )
        for step in order.operations.all()
    ]
    context = {
        "order": order,
        "rows": rows,
        "now": now,
        "code": documents.qr(scans.work_order_code(order.number)),
    }
    return documents.pdf(template="mes/paper/traveller.html", context=context, language=language)


def work_order_label(order: WorkOrder) -> Label:
    """For the box or pallet of a work order, in the active language."""
    uom = order.item.uom
    return Label(
        kind=_("Work order"),
        number=order.number,
        item=order.item.code,
        name=order.item.label,
        code=documents.qr(scans.work_order_code(order.number)),
        lines=(
            ui_format.quantity(order.quantity, uom),
            f"{_('Needed by')} {ui_format.moment(order.due_at)}",
        ),
    )


def lot_label(lot: "Lot", url: str) -> Label:
    """For what lies together as one lot, in the active language; the code leads to the ``url``."""
    # Its last day first: what is too long for a label is cut off at the end.
    lines = []
    if lot.expires_on:
        lines.append(f"{_('Use by')} {ui_format.day(lot.expires_on)}")
    if lot.supplier_lot:
        lines.append(f"{_('Supplier lot')} {lot.supplier_lot}")
    return _identity(_("Lot"), lot, url, lines)


def unit_label(unit: "SerialUnit", url: str) -> Label:
    """For one piece with a serial number, in the active language; the code leads to the ``url``."""
    return _identity(_("Serial number"), unit, url, [])


def _identity(kind: str, thing: "Lot | SerialUnit", url: str, lines: list[str]) -> Label:
    return Label(
        kind=kind,
        number=thing.number,
        item=thing.item.code,
        name=thing.item.label,
        code=documents.qr(url),
        lines=tuple(lines),
    )


def labels(rows: Sequence[Label], *, language: str) -> bytes:
    """One label of 100 × 50 mm per page, as a PDF; raise documents.CannotPrint."""
    return documents.pdf(
        template="mes/paper/labels.html", context={"labels": rows}, language=language
    )
