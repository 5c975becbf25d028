"""State and steps of an order, read off from the work and the stock behind it."""

from crm import selectors
from crm.enums import OrderState
from crm.models import SalesOrder
from crm.services import progress
from tests.crm.factories import Shop


def steps(order: SalesOrder) -> dict[str, str]:
    found = selectors.order(order.number)
    return {step.kind.value: step.state for step in selectors.steps(found)}


def kinds(order: SalesOrder) -> set[str]:
    return set(order.milestones.values_list("kind", flat=True))


def test_work_on_a_child_brings_the_order_into_production(shop: Shop) -> None:
    shop.assembly("TOP", {"PART": 1})
    order = shop.converted(("TOP", 10))
    shop.produce(order, operations=1)
    part = shop.orders("PART")[0]
    progress.note_work_order(work_order_id=part.pk, now=shop.now)
    assert shop.fresh(order).state == OrderState.IN_PRODUCTION
    assert "started" in kinds(order)
    assert "finished" not in kinds(order)


def test_an_order_is_ready_when_the_last_line_is(shop: Shop) -> None:
    shop.items["OTHER"] = shop.part("OTHER")
    shop.stock("OTHER", 5)
    order = shop.converted(("PART", 10), ("OTHER", 5))
    assert order.state == OrderState.APPROVED
    order = shop.produce(order)
    assert order.state == OrderState.READY_TO_SHIP
    assert {"started", "finished"} <= kinds(order)


def test_work_of_others_does_not_move_an_order(shop: Shop) -> None:
    mine, other = shop.converted(), shop.converted()
    shop.produce(other)
    assert shop.refresh(mine).state == OrderState.APPROVED
    assert "started" not in kinds(mine)


def test_the_jobs_bring_state_and_steps_along(shop: Shop) -> None:
    order = shop.approved()
    shop.run_jobs()
    shop.produce(order)
    SalesOrder.objects.filter(pk=order.pk).update(state=OrderState.APPROVED)
    shop.run_jobs()
    assert shop.fresh(order).state == OrderState.READY_TO_SHIP


def test_more_than_was_ready_takes_the_order_back_into_production(shop: Shop) -> None:
    from decimal import Decimal

    from crm.services import orders

    order = shop.produce(shop.converted())
    assert order.state == OrderState.READY_TO_SHIP
    orders.change_quantity(
        line=shop.line(order), quantity=Decimal(15), reason="", by=shop.sales, now=shop.now
    )
    assert shop.fresh(order).state == OrderState.IN_PRODUCTION
    assert "finished" not in kinds(order)
    assert steps(order)["finished"] == "current"
    shop.convert()
    assert "finished" not in kinds(order)
    assert shop.produce(shop.fresh(order)).state == OrderState.READY_TO_SHIP
    assert "finished" in kinds(order)


def test_the_way_of_an_order_that_is_made(shop: Shop) -> None:
    order = shop.submitted()
    assert list(steps(order).items())[:3] == [
        ("submitted", "done"),
        ("approved", "current"),
        ("work_orders_created", "upcoming"),
    ]


def test_the_way_of_an_order_served_from_stock_leaves_out_what_never_happened(
    shop: Shop,
) -> None:
    shop.stock("PART", 10)
    order = shop.converted()
    assert steps(order) == {
        "submitted": "done",
        "approved": "done",
        "work_orders_created": "done",
        "finished": "done",
        "shipped": "current",
        "delivered": "upcoming",
    }


def test_a_draft_and_a_cancelled_order_go_nowhere(shop: Shop) -> None:
    order = shop.submitted()
    for state in (OrderState.DRAFT, OrderState.CANCELLED):
        SalesOrder.objects.filter(pk=order.pk).update(state=state)
        assert "current" not in steps(order).values()
