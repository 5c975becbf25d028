"""What sales does with an order; a refusal says a sentence and changes nothing."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from common import audit
from common.models import Event, Job
from crm import policies
from crm.enums import ORDER_TRANSITIONS, ConversionState, MilestoneKind, OrderState
from crm.models import SalesOrder
from crm.services import orders, shipments
from erp.enums import MoveKind
from erp.models import Requirement, Reservation
from erp.services import stock
from mes.enums import WorkOrderState
from tests.crm.factories import FRIDAY, Shop, counts
from tests.mes import invariants

D = Decimal


def refused(error: type[Exception], act: Callable[[], object]) -> str:
    """The sentence of a refusal that left every table as it was."""
    before = counts()
    with pytest.raises(error) as caught, transaction.atomic():
        act()
    assert counts() == before
    return str(caught.value)


def bring(order: SalesOrder, state: OrderState) -> SalesOrder:
    SalesOrder.objects.filter(pk=order.pk).update(state=state)
    order.refresh_from_db()
    return order


def milestones_of(order: SalesOrder) -> list[str]:
    return list(order.milestones.order_by("pk").values_list("kind", flat=True))


# -- create and edit --------------------------------------------------------------------------


def test_create_makes_a_draft_with_positions_list_prices_and_the_customers_currency(
    shop: Shop,
) -> None:
    shop.customer.currency = "EUR"
    shop.customer.save()
    shop.items["PART"].list_price = D("12.5")
    shop.items["PART"].save()
    order = shop.enter(("PART", 10), ("PART", "3"), customer_reference="PO-1", note="soon")
    assert order.state == OrderState.DRAFT
    assert order.currency == "EUR"
    assert [
        (li.position, li.quantity, li.unit_price) for li in order.lines.order_by("position")
    ] == [
        (10, 10, D("12.5")),
        (20, 3, D("12.5")),
    ]
    assert audit.history(order).get().action == "crm.order.create"
    # A draft asks nothing of anybody.
    assert not Event.objects.exists()
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("quantity", "price", "sentence"),
    [
        ("0", None, "Line 1: the quantity must be more than zero."),
        ("-1", None, "Line 1: the quantity must be more than zero."),
        ("1", D(-1), "Line 1: the price cannot be negative."),
        ("2.5", None, "Line 10 is counted in EA; 2.5 is not a whole number."),
    ],
)
def test_create_refuses_a_line_that_is_not_right(
    shop: Shop, quantity: str, price: Decimal | None, sentence: str
) -> None:
    said = refused(policies.CannotEdit, lambda: shop.enter(("PART", quantity), price=price))
    assert said == sentence


def test_create_refuses_an_inactive_item(shop: Shop) -> None:
    shop.items["PART"].is_active = False
    shop.items["PART"].save()
    said = refused(policies.CannotEdit, shop.enter)
    assert said == "Line 1: this item cannot be ordered."


def test_what_is_measured_may_be_ordered_in_parts(shop: Shop) -> None:
    shop.buy("OIL", uom="L")
    order = shop.enter(("OIL", "2.5"))
    assert order.lines.get().quantity == D("2.5")


def new_line(shop: Shop, quantity: int = 7) -> orders.NewLine:
    return orders.NewLine(shop.items["PART"].pk, D(quantity), FRIDAY, D(3))


def test_edit_replaces_lines_and_head_and_the_audit_tells_old_and_new(shop: Shop) -> None:
    order = shop.enter(customer_reference="old")
    orders.replace_lines(
        order=order,
        lines=[new_line(shop)],
        version=1,
        customer_reference="new",
        note="gently",
        by=shop.sales,
        now=shop.now,
    )
    order = shop.fresh(order)
    assert (order.customer_reference, order.note, order.version) == ("new", "gently", 2)
    assert order.lines.get().quantity == 7
    changes = audit.history(order).get(action="crm.order.edit").changes
    assert changes["customer_reference"] == ["old", "new"]
    assert changes["lines"] == [["PART × 10 @ 0, 2026-11-27"], ["PART × 7 @ 3, 2026-11-27"]]


def test_edit_refuses_a_version_that_somebody_has_overtaken(shop: Shop) -> None:
    order = shop.enter()

    def edit() -> object:
        return orders.replace_lines(
            order=order, lines=[new_line(shop)], version=1, by=shop.sales, now=shop.now
        )

    edit()
    said = refused(policies.CannotEdit, edit)
    assert said == (
        f"Somebody has changed order {order.number} meanwhile; reload it and look again."
    )


@pytest.mark.parametrize("state", [s for s in OrderState if s != OrderState.DRAFT])
def test_edit_refuses_all_but_drafts(shop: Shop, state: OrderState) -> None:
    order = bring(shop.enter(), state)
    said = refused(
        policies.CannotEdit,
        lambda: orders.replace_lines(
            order=order, lines=[new_line(shop)], version=1, by=shop.sales, now=shop.now
        ),
    )
    assert said == f"Order {order.number} is {state.label}; only a draft can be edited."
    assert order.lines.get().quantity == 10


# -- submit -----------------------------------------------------------------------------------


def test_submit_offers_the_requested_day_where_it_can_be_kept(shop: Shop) -> None:
    order = shop.submitted()
    assert order.state == OrderState.SUBMITTED
    assert order.submitted_at == shop.now
    line = shop.line(order)
    assert line.offered_date == FRIDAY
    assert line.promised_date is None, "nothing is promised before the approval"
    assert milestones_of(order) == ["submitted"]
    assert Event.objects.get().topic == "crm.order.submitted"


def test_submit_offers_the_earliest_day_where_the_requested_one_cannot_be_kept(shop: Shop) -> None:
    # 40 hours of work from Monday 08:00 on, 9 hours a day.
    order = shop.submitted(("PART", 40 * 60), wanted=date(2026, 11, 24))
    line = shop.line(order)
    assert line.offered_date == FRIDAY
    assert line.requested_date == date(2026, 11, 24), "the customer's wish stays what it was"
    assert not line.is_rush_asked


def test_submit_with_a_rush_keeps_the_day_without_offering_it(shop: Shop) -> None:
    order = shop.submitted(("PART", 40 * 60), wanted=date(2026, 11, 24), rush=[10])
    line = shop.line(order)
    assert line.is_rush_asked
    assert line.offered_date is None


def test_a_rush_for_a_day_that_can_be_kept_is_no_rush(shop: Shop) -> None:
    line = shop.line(shop.submitted(rush=[10]))
    assert not line.is_rush_asked
    assert line.offered_date == FRIDAY


@pytest.mark.parametrize("state", [s for s in OrderState if s != OrderState.DRAFT])
def test_submit_refuses_all_but_drafts(shop: Shop, state: OrderState) -> None:
    order = bring(shop.enter(), state)
    said = refused(
        policies.CannotSubmit, lambda: orders.submit(order=order, by=shop.sales, now=shop.now)
    )
    assert said == f"Order {order.number} is {state.label}; only a draft can be submitted."


def test_submit_refuses_an_order_without_lines(shop: Shop) -> None:
    order = shop.enter()
    order.lines.all().delete()
    said = refused(
        policies.CannotSubmit, lambda: orders.submit(order=order, by=shop.sales, now=shop.now)
    )
    assert said == f"Order {order.number} has no lines; add what the customer wants."


# -- approve and reject -----------------------------------------------------------------------


def test_approve_promises_the_offered_day_and_asks_for_the_conversion(shop: Shop) -> None:
    order = shop.approved()
    assert (order.state, order.approved_at, order.approved_by) == (
        OrderState.APPROVED,
        shop.now,
        shop.sales,
    )
    line = shop.line(order)
    assert line.promised_date == FRIDAY
    assert line.conversion_state == ConversionState.WAITING
    revision = line.promises.get()
    assert (revision.old_date, revision.new_date, revision.cause, revision.by) == (
        None,
        FRIDAY,
        "first",
        shop.sales,
    )
    assert milestones_of(order) == ["submitted", "approved"]
    job = Job.objects.get()
    assert (job.name, job.arguments) == ("crm.convert_waiting", {"site_id": shop.site.pk})


def test_approve_promises_nothing_for_a_rush(shop: Shop) -> None:
    order = shop.approved(("PART", 40 * 60), wanted=date(2026, 11, 24), rush=[10])
    line = shop.line(order)
    assert line.promised_date is None
    assert not line.promises.exists()


@pytest.mark.parametrize("state", [s for s in OrderState if s != OrderState.SUBMITTED])
def test_approve_refuses_all_but_submitted_orders(shop: Shop, state: OrderState) -> None:
    order = bring(shop.submitted(), state)
    said = refused(
        policies.CannotApprove, lambda: orders.approve(order=order, by=shop.sales, now=shop.now)
    )
    assert said == (
        f"Order {order.number} is {state.label}; only a submitted order can be approved."
    )
    assert shop.line(order).promised_date is None


def test_approve_refuses_a_customer_who_is_not_active(shop: Shop) -> None:
    order = shop.submitted()
    shop.customer.is_active = False
    shop.customer.save()
    said = refused(
        policies.CannotApprove, lambda: orders.approve(order=order, by=shop.sales, now=shop.now)
    )
    assert said == "Customer Acme Corp is not active; activate the customer first."


def test_reject_sends_back_to_draft_with_the_reason_and_a_new_submit_goes_on(shop: Shop) -> None:
    order = shop.submitted()
    orders.reject(order=order, reason="Price is wrong", by=shop.sales, now=shop.now)
    order = shop.fresh(order)
    assert (order.state, order.state_reason) == (OrderState.DRAFT, "Price is wrong")
    assert audit.history(order).first().reason == "Price is wrong"
    orders.submit(order=order, by=shop.sales, now=shop.now + timedelta(hours=1))
    order = orders.approve(order=order, by=shop.sales, now=shop.now)
    assert order.state_reason == ""
    # The first time a step was reached stands.
    assert order.milestones.get(kind=MilestoneKind.SUBMITTED).at == shop.now


@pytest.mark.parametrize("state", [s for s in OrderState if s != OrderState.SUBMITTED])
def test_reject_refuses_all_but_submitted_orders(shop: Shop, state: OrderState) -> None:
    order = bring(shop.submitted(), state)
    said = refused(
        policies.CannotReject,
        lambda: orders.reject(order=order, reason="No", by=shop.sales, now=shop.now),
    )
    assert said == (
        f"Order {order.number} is {state.label}; only a submitted order can be sent back."
    )


# -- reasons ----------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["", "   "])
@pytest.mark.parametrize(
    ("act", "error", "sentence"),
    [
        (orders.reject, policies.CannotReject, "Say why the order is sent back."),
        (orders.hold, policies.CannotHold, "Say why the order is put on hold."),
        (orders.cancel, policies.CannotCancel, "Say why the order is cancelled."),
    ],
)
def test_an_act_that_needs_a_reason_refuses_to_do_without(
    shop: Shop, reason: str, act: Callable[..., object], error: type[Exception], sentence: str
) -> None:
    order = shop.submitted()
    said = refused(error, lambda: act(order=order, reason=reason, by=shop.sales, now=shop.now))
    assert said == sentence
    assert shop.fresh(order).state == OrderState.SUBMITTED


# -- hold and resume --------------------------------------------------------------------------


def hold(shop: Shop, order: SalesOrder) -> SalesOrder:
    return orders.hold(order=order, reason="Drawing", by=shop.sales, now=shop.now)


def test_hold_stops_the_work_orders_and_resume_lets_them_go_on(shop: Shop) -> None:
    order = shop.converted()
    order = hold(shop, order)
    assert (order.state, order.held_from) == (OrderState.ON_HOLD, OrderState.APPROVED)
    assert [wo.state for wo in shop.work(order)] == [WorkOrderState.ON_HOLD]
    order = orders.resume(order=order, by=shop.sales, now=shop.now)
    assert (order.state, order.held_from, order.state_reason) == (OrderState.APPROVED, "", "")
    assert [wo.state for wo in shop.work(order)] == [WorkOrderState.RELEASED]


def test_an_order_held_before_its_conversion_is_converted_after_the_hold(shop: Shop) -> None:
    order = hold(shop, shop.approved())
    shop.run_jobs()
    assert shop.line(order).conversion_state == ConversionState.WAITING
    orders.resume(order=order, by=shop.sales, now=shop.now)
    shop.run_jobs()
    assert shop.line(order).conversion_state == ConversionState.CONVERTED
    assert len(shop.work(order)) == 1


def test_what_came_in_during_a_hold_counts_after_it(shop: Shop) -> None:
    shop.buy("BOUGHT")
    order = hold(shop, shop.converted(("BOUGHT", 5)))
    stock.receive(
        item_id=shop.items["BOUGHT"].pk,
        site_id=shop.site.pk,
        quantity=D(5),
        kind=MoveKind.RECEIPT,
        reference="PO-1",
        by=None,
        now=shop.now,
    )
    shop.run_jobs()
    assert shop.fresh(order).state == OrderState.ON_HOLD
    orders.resume(order=order, by=shop.sales, now=shop.now)
    shop.run_jobs()
    assert shop.fresh(order).state == OrderState.READY_TO_SHIP


def test_a_held_order_can_be_cancelled_and_its_held_work_goes(shop: Shop) -> None:
    order = hold(shop, shop.converted())
    undone = orders.cancel(order=order, reason="No", by=shop.sales, now=shop.now)
    assert len(undone.undone) == 1
    assert not [wo for wo in shop.orders("PART") if wo.state != WorkOrderState.CANCELLED]
    invariants.check()


@pytest.mark.parametrize(
    "state", [s for s in OrderState if OrderState.ON_HOLD not in ORDER_TRANSITIONS[s]]
)
def test_hold_refuses_where_there_is_nothing_to_stop(shop: Shop, state: OrderState) -> None:
    order = bring(shop.submitted(), state)
    said = refused(policies.CannotHold, lambda: hold(shop, order))
    assert said == f"Order {order.number} is {state.label} and cannot be put on hold."


@pytest.mark.parametrize("state", [s for s in OrderState if s != OrderState.ON_HOLD])
def test_resume_refuses_an_order_that_is_not_on_hold(shop: Shop, state: OrderState) -> None:
    order = bring(shop.submitted(), state)
    said = refused(
        policies.CannotResume, lambda: orders.resume(order=order, by=shop.sales, now=shop.now)
    )
    assert said == f"Order {order.number} is not on hold."


# -- cancel -----------------------------------------------------------------------------------


def test_cancel_undoes_what_has_not_started_and_lists_what_has(shop: Shop) -> None:
    shop.assembly("TOP", {"PART": 1})
    order = shop.converted(("TOP", 10))
    shop.produce(order, operations=1)
    part, top = (shop.orders(code)[0].number for code in ("PART", "TOP"))
    undone = orders.cancel(order=order, reason="Stopped", by=shop.sales, now=shop.now)
    assert (undone.undone, undone.remaining) == ((top,), (part,))
    order = shop.fresh(order)
    assert (order.state, order.state_reason) == (OrderState.CANCELLED, "Stopped")
    assert audit.history(order).first().changes == {"started": [None, [part]]}
    invariants.check()


def test_cancel_gives_stock_back_to_others_and_they_become_ready(shop: Shop) -> None:
    shop.buy("BOUGHT")
    shop.stock("BOUGHT", 5)
    first, second = shop.converted(("BOUGHT", 5)), shop.converted(("BOUGHT", 5))
    assert first.state == OrderState.READY_TO_SHIP
    assert second.state == OrderState.APPROVED
    orders.cancel(order=first, reason="Stopped", by=shop.sales, now=shop.now)
    shop.run_jobs()
    assert Reservation.objects.get().requirement == shop.line(second).requirement
    assert shop.fresh(second).state == OrderState.READY_TO_SHIP


@pytest.mark.parametrize(
    "state", [s for s in OrderState if OrderState.CANCELLED not in ORDER_TRANSITIONS[s]]
)
def test_cancel_refuses_what_has_left_or_is_over(shop: Shop, state: OrderState) -> None:
    order = bring(shop.submitted(), state)
    said = refused(
        policies.CannotCancel,
        lambda: orders.cancel(order=order, reason="No", by=shop.sales, now=shop.now),
    )
    assert said == f"Order {order.number} is {state.label} and cannot be cancelled any more."


def test_cancel_refuses_an_order_on_hold_of_which_part_has_left(shop: Shop) -> None:
    shop.stock("PART", 10)
    order = shop.converted()
    shop.ship(order, {10: 4})
    order = hold(shop, shop.fresh(order))
    said = refused(
        policies.CannotCancel,
        lambda: orders.cancel(order=order, reason="No", by=shop.sales, now=shop.now),
    )
    assert said == (
        f"Part of order {order.number} has been shipped; reduce the open lines instead."
    )


# -- change of quantity -----------------------------------------------------------------------


def change(shop: Shop, order: SalesOrder, quantity: int | str, position: int = 10) -> object:
    return orders.change_quantity(
        line=shop.line(order, position),
        quantity=D(quantity),
        reason="Customer called",
        by=shop.sales,
        now=shop.now,
    )


def test_less_makes_the_work_order_smaller_at_once(shop: Shop) -> None:
    order = shop.converted()
    change(shop, order, 4)
    line = shop.line(order)
    assert (line.quantity, line.revision, line.conversion_state) == (4, 2, "converted")
    assert [wo.quantity for wo in shop.work(order)] == [4]
    assert line.requirement.quantity == 4
    entry = audit.history(order).get(action="crm.order.change_quantity")
    assert (entry.reason, entry.changes) == ("Customer called", {"line 10": ["10.0000", "4"]})
    invariants.check()


def test_more_is_converted_once_for_the_difference(shop: Shop) -> None:
    order = shop.converted()
    change(shop, order, 25)
    assert shop.line(order).conversion_state == ConversionState.WAITING
    assert shop.convert().lines == 1
    assert shop.convert().lines == 0
    line = shop.line(order)
    assert line.requirement.quantity == 25
    assert sum(wo.quantity for wo in shop.work(order)) == 25
    assert list(line.conversions.order_by("revision").values_list("revision", flat=True)) == [1, 2]
    invariants.check()


def test_more_and_then_less_before_the_conversion_came_is_what_was_said_last(shop: Shop) -> None:
    order = shop.converted()
    change(shop, order, 25)
    change(shop, order, 15)
    shop.convert()
    assert sum(wo.quantity for wo in shop.work(order)) == 15
    change(shop, order, 30)
    change(shop, order, 6)
    shop.convert()
    assert sum(wo.quantity for wo in shop.work(order)) == 6
    assert shop.line(order).requirement.quantity == 6
    assert shop.line(order).conversion_state == ConversionState.CONVERTED
    invariants.check()


def test_zero_cancels_the_line_and_leaves_the_others(shop: Shop) -> None:
    order = shop.converted(("PART", 10), ("PART", 5))
    change(shop, order, 0)
    line = shop.line(order)
    assert line.is_cancelled
    assert sum(wo.quantity for wo in shop.orders("PART")) == 5
    assert not shop.line(order, 20).is_cancelled
    invariants.check()


def test_zero_of_the_only_line_is_refused_cancel_the_order_instead(shop: Shop) -> None:
    order = shop.converted()
    said = refused(policies.CannotChange, lambda: change(shop, order, 0))
    assert said == f"Line 10 is the only one; cancel order {order.number} instead."


def test_a_reduction_to_what_is_ready_makes_the_order_ready(shop: Shop) -> None:
    shop.stock("PART", 4)
    order = shop.converted()
    assert order.state == OrderState.APPROVED
    change(shop, order, 4)
    assert shop.fresh(order).state == OrderState.READY_TO_SHIP


def test_a_reduction_to_what_has_left_closes_the_order(shop: Shop) -> None:
    shop.stock("PART", 4)
    order = shop.converted()
    shipment = shop.ship(order, {10: 4})
    change(shop, order, 4)
    assert shop.fresh(order).state == OrderState.SHIPPED
    assert "shipped" in milestones_of(order)
    shipments.deliver(shipment=shipment, by=shop.sales, now=shop.now)
    assert shop.fresh(order).state == OrderState.DELIVERED


def test_a_reduction_to_what_has_been_delivered_ends_the_order(shop: Shop) -> None:
    shop.stock("PART", 4)
    order = shop.converted()
    shipments.deliver(shipment=shop.ship(order, {10: 4}), by=shop.sales, now=shop.now)
    assert shop.fresh(order).state == OrderState.PARTLY_SHIPPED
    change(shop, order, 4)
    assert shop.fresh(order).state == OrderState.DELIVERED
    assert milestones_of(order)[-2:] == ["shipped", "delivered"]


@pytest.mark.parametrize(
    ("quantity", "sentence"),
    [
        ("10", "The new quantity must differ and be at least the 0 shipped."),
        ("-1", "The new quantity must differ and be at least the 0 shipped."),
        ("4.5", "Line 10 is counted in EA; 4.5 is not a whole number."),
    ],
)
def test_change_refuses_a_quantity_that_makes_no_sense(
    shop: Shop, quantity: str, sentence: str
) -> None:
    order = shop.converted()
    assert refused(policies.CannotChange, lambda: change(shop, order, quantity)) == sentence
    assert shop.line(order).quantity == 10
    assert Requirement.objects.get().quantity == 10


def test_change_refuses_less_than_has_been_shipped(shop: Shop) -> None:
    shop.stock("PART", 4)
    order = shop.converted()
    shop.ship(order, {10: 4})
    said = refused(policies.CannotChange, lambda: change(shop, order, 3))
    assert said == "The new quantity must differ and be at least the 4 shipped."


def test_change_refuses_a_cancelled_line(shop: Shop) -> None:
    order = shop.converted(("PART", 10), ("PART", 5))
    change(shop, order, 0)
    assert refused(policies.CannotChange, lambda: change(shop, order, 3)) == "Line 10 is cancelled."


@pytest.mark.parametrize("state", [s for s in OrderState if s not in OrderState.open()])
def test_change_refuses_an_order_that_is_not_open(shop: Shop, state: OrderState) -> None:
    order = bring(shop.submitted(), state)
    said = refused(policies.CannotChange, lambda: change(shop, order, 3))
    assert said == f"Order {order.number} is {state.label}; its quantities cannot be changed."
