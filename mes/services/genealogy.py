"""What the floor tells the genealogy ledger, in the transaction of the report or the answer.

Only of items that are kept by lots or serial numbers; pieces get their number when they come out
of the last operation, and what they went through is told then (docs/traceability.md). What goes
to a work order and what comes into the store is told by ``erp.services.genealogy``.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from common.models import User
from erp import selectors as erp
from masterdata.enums import IssueMethod, Tracking
from mes.models import (
    CheckResult,
    OperationReport,
    WorkOrder,
    WorkOrderMaterial,
    WorkOrderOperation,
)
from mes.services import loaded, passed, programs
from traceability import selectors as traceability
from traceability.enums import EventKind
from traceability.services import genealogy
from traceability.services.genealogy import Built, Fact, Loaded, NewReading, OldLink

if TYPE_CHECKING:
    from erp.models import StockMove

__all__ = ["note_answer", "note_loss", "note_output", "note_taken_back"]

ZERO = Decimal(0)


def note_output(
    operation: WorkOrderOperation, report: OperationReport, move: "StockMove", *, by: User | None
) -> None:
    """The good pieces of a report are made: from what, where, by whom, and what was measured.

    ``move`` is the first by which they came into the store. A constant number of statements, which
    read what these pieces had to do with: an order of many reports costs each the same.
    """
    order = operation.work_order
    if order.item.tracking == Tracking.NONE:
        return
    outputs = erp.output_of(move)
    lots, parts = _made_from(operation, report, move)
    genealogy.build(
        fact=_fact(EventKind.BUILD, operation, report.at, by),
        outputs=[
            Built(thing, quantity, inside)
            for (thing, quantity), inside in zip(outputs, parts, strict=True)
        ],
        loaded=lots,
        readings=_readings(order, report, [thing for thing, _quantity in outputs]),
    )


def _made_from(
    operation: WorkOrderOperation, report: OperationReport, move: "StockMove"
) -> tuple[list[Loaded], list[list[int]]]:
    """What each piece of the report took of which lots, and the units inside each output."""
    order = operation.work_order
    needs = _needs(order)
    used = erp.used_by(
        reference=order.number,
        site_id=order.site_id,
        backflushed=[need.item_id for need in needs if need.is_backflushed],
        since=move.pk,
    )
    run = loaded.Run(
        good=report.good,
        before=order.good + order.scrapped - report.good - report.scrap,
        scrapped_before=order.scrapped - report.scrap,
        is_lot=order.item.tracking == Tracking.LOT,
        output_move_id=move.pk,
        history=_history(operation, needs, used),
    )
    return loaded.lots(needs, used, run), loaded.units(needs, used, run)


def _history(
    last: WorkOrderOperation, needs: Sequence[loaded.Need], used: Sequence[erp.Used]
) -> list[tuple[datetime, Decimal]]:
    """When pieces were through, as far as it tells which of several lots was used up by then."""
    issued = {need.item_id for need in needs if not need.is_backflushed}
    rows = [row for row in used if row.lot_id and row.item_id in issued]
    if len({row.lot_id for row in rows}) < 2:
        return []
    return passed.through(last, before=max(row.at for row in rows))


def _readings(order: WorkOrder, report: OperationReport, things: list[int]) -> list[NewReading]:
    first = int(order.good - report.good)
    pieces = passed.Pieces(
        things=things,
        first=first,
        count=math.ceil(order.good) - first,
        is_lot=order.item.tracking == Tracking.LOT,
    )
    places = passed.stations(order)
    found = passed.operations(pieces, places, passed.reports(order, pieces))
    if not (pieces.is_lot and first):
        # A lot has the earlier answers since its first report.
        found += passed.measured(pieces, places, passed.answers(order, pieces))
    return programs.named(found)


def note_loss(operation: WorkOrderOperation, report: OperationReport, *, by: User | None) -> None:
    """Pieces were scrapped or set aside for rework before they had a number."""
    if operation.work_order.item.tracking == Tracking.NONE:
        return
    for kind, pieces in (
        (EventKind.SCRAP, report.scrap),
        (EventKind.REWORK, report.rework),
    ):
        if pieces > 0:
            reason = report.reason or (report.reason_code.label if report.reason_code else "")
            genealogy.tell(
                fact=_fact(kind, operation, report.at, by, f"{pieces.normalize():f} {reason}")
            )


def note_answer(operation: WorkOrderOperation, result: CheckResult, *, by: User | None) -> None:
    """A check was answered after pieces that the answer stands for had come out."""
    order = operation.work_order
    if order.item.tracking == Tracking.NONE or order.good <= 0:
        return
    pieces = passed.Pieces(
        things=erp.made_by(reference=order.number, item_id=order.item_id, site_id=order.site_id),
        first=0,
        count=math.ceil(order.good),
        is_lot=order.item.tracking == Tracking.LOT,
    )
    readings = programs.named(passed.answered(pieces, passed.stations(order), result))
    if readings:
        fact = _fact(EventKind.PROCESS, operation, result.at, by)
        genealogy.process(fact=fact, readings=readings)


def note_taken_back(
    operation: WorkOrderOperation, report: OperationReport, *, by: User | None, now: datetime
) -> None:
    """A report was a mistake: what it told is wrong, and says so from now on."""
    order = operation.work_order
    if order.item.tracking == Tracking.NONE:
        return
    told = {
        event.kind: event
        for event in traceability.standing_events(
            order.number, operation=operation.sequence, at=report.at
        )
    }
    things: list[int] = []
    if EventKind.BUILD in told:
        made = erp.output_at(
            reference=order.number, item_id=order.item_id, site_id=order.site_id, at=report.at
        )
        things = [thing for thing, _quantity in made]
    for kind, pieces in (
        (EventKind.BUILD, report.good),
        (EventKind.SCRAP, report.scrap),
        (EventKind.REWORK, report.rework),
    ):
        if pieces > 0 and kind in told:
            wrong = traceability.links_of_event(told[kind].pk, things)
            fact = _fact(EventKind.CORRECTION, operation, now, by)
            genealogy.correct(
                fact=replace(fact, corrects_id=told[kind].pk),
                wrong=[OldLink(*key) for key in wrong],
            )


def _fact(
    kind: EventKind,
    operation: WorkOrderOperation,
    at: datetime,
    by: User | None,
    note: str = "",
) -> Fact:
    return Fact(
        kind=kind,
        at=at,
        site_id=operation.work_order.site_id,
        by_id=by.pk if by else None,
        reference=operation.work_order.number,
        operation=operation.sequence,
        work_unit_id=operation.work_unit_id,
        tool_id=operation.tool_id,
        note=note.strip(),
    )


def _needs(order: WorkOrder) -> list[loaded.Need]:
    """What a piece takes, by item; of an item on several lines the sum."""
    lines: dict[int, tuple[Decimal, bool]] = {}
    rows = WorkOrderMaterial.objects.filter(work_order=order).order_by("position")
    for item_id, per_piece, method in rows.values_list("item_id", "quantity_per", "issue_method"):
        known, is_backflushed = lines.get(item_id, (ZERO, method == IssueMethod.BACKFLUSH))
        lines[item_id] = (known + per_piece, is_backflushed)
    return [loaded.Need(item_id, *line) for item_id, line in lines.items()]
