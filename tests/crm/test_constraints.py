"""Every named rule of the database, violated once."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from crm.models import (
    Containment,
    Conversion,
    DelayNotice,
    DrillResult,
    Milestone,
    RecallDrill,
    RushRequest,
    SalesOrder,
    SalesOrderLine,
    Shipment,
    ShipmentLine,
)
from tests.crm.factories import FRIDAY, Shop
from tests.crm.test_ticket_constraints import VIOLATIONS as AFTER_SALES
from tests.traceability.factories import LotFactory


def another_line(line: SalesOrderLine, **changed: object) -> SalesOrderLine:
    values = {
        "order": line.order,
        "position": 99,
        "item": line.item,
        "quantity": Decimal(1),
        "unit_price": Decimal(1),
        "requested_date": FRIDAY,
    }
    return SalesOrderLine.objects.create(**values | changed)


def another_shipment(line: SalesOrderLine, *quantities: int) -> None:
    shipment = Shipment.objects.create(number="SH-9", order=line.order, shipped_at=timezone.now())
    for quantity in quantities:
        ShipmentLine.objects.create(shipment=shipment, line=line, quantity=quantity)


def another_rush(line: SalesOrderLine) -> None:
    for number in ("R-1", "R-2"):
        RushRequest.objects.create(
            number=number, line=line, wanted_date=FRIDAY, requested_at=timezone.now(), weight=1
        )


def twice(model: type[models.Model], **values: object) -> None:
    for _ in range(2):
        model._default_manager.create(**values)


def another_notice(line: SalesOrderLine, **changed: object) -> DelayNotice:
    values = {
        "line": line,
        "old_date": FRIDAY,
        "new_date": FRIDAY + timedelta(days=3),
        "promised_date": FRIDAY,
        "created_at": timezone.now(),
    }
    return DelayNotice.objects.create(**values | changed)


VIOLATIONS: dict[str, Callable[[SalesOrderLine], object]] = {
    "crm_salesorderline_once_per_position": lambda line: another_line(line, position=10),
    "crm_salesorderline_quantity_positive": lambda line: another_line(line, quantity=0),
    "crm_salesorderline_shipped_within_quantity": lambda line: another_line(line, shipped=2),
    "crm_salesorderline_price_not_negative": lambda line: another_line(line, unit_price=-1),
    "crm_containment_release_has_a_reason": lambda line: Containment.objects.create(
        title="Lot",
        cause={},
        reason="cracks",
        counts={},
        hold_ids=[],
        placed_at=timezone.now(),
        released_at=timezone.now(),
    ),
    "crm_drillresult_is_signed": lambda line: DrillResult.objects.create(
        drill=RecallDrill.objects.create(lot=LotFactory(), started_at=timezone.now()),
        listed_at=timezone.now(),
        computed_ms=1,
        lists={},
    ),
    "crm_conversion_once_per_revision": lambda line: twice(
        Conversion, line=line, revision=1, converted_at=timezone.now()
    ),
    "crm_delaynotice_one_draft_per_line": lambda line: [another_notice(line) for _ in range(2)],
    "crm_delaynotice_day_moves": lambda line: another_notice(line, new_date=FRIDAY),
    "crm_delaynotice_decided_has_its_moment": lambda line: another_notice(line, state="sent"),
    "crm_milestone_once_per_kind": lambda line: twice(
        Milestone, order=line.order, kind="approved", at=timezone.now()
    ),
    "crm_rushrequest_one_open_per_line": another_rush,
    "crm_shipmentline_once_per_line": lambda line: another_shipment(line, 1, 1),
    "crm_shipmentline_quantity_positive": lambda line: another_shipment(line, 0),
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_the_database_refuses(shop: Shop, name: str) -> None:
    line = shop.line(shop.enter())
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        VIOLATIONS[name](line)


def test_the_database_refuses_less_than_nothing_shipped(shop: Shop) -> None:
    line = shop.line(shop.enter())
    with pytest.raises(IntegrityError, match="shipped_within_quantity"), transaction.atomic():
        another_line(line, shipped=-1)


def test_a_line_belongs_to_one_requirement_alone(shop: Shop) -> None:
    order = shop.converted()
    requirement = shop.line(order).requirement
    with pytest.raises(IntegrityError, match="requirement_id"), transaction.atomic():
        another_line(shop.line(order), requirement=requirement)


def test_every_constraint_of_orders_has_its_violation_here() -> None:
    from django.apps import apps

    named = {
        constraint.name % {"app_label": "crm", "class": model._meta.model_name}
        for model in apps.get_app_config("crm").get_models()
        for constraint in model._meta.constraints
    }
    assert named == set(VIOLATIONS) | set(AFTER_SALES)
    assert SalesOrder._meta.get_field("number").unique
