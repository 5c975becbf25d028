"""Sales, buying and the store: an order comes, one is rushed, goods come and leave."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from common.enums import Role
from crm import selectors
from crm.demo import story
from crm.demo.day.stage import Stage
from crm.enums import OrderState, RushState
from crm.models import RushRequest, SalesOrder, SalesOrderLine
from crm.services import orders, rush, shipments
from erp import selectors as erp
from erp.services import proposals, purchase_orders, purchasing
from masterdata import selectors as masterdata

# What a day's order may ask for: finished goods and how many.
WANTED = {"FLANGE-DN50": 60, "BRACKET-B1": 120, "COUPLING-C1": 40, "VALVE-DN50": 20, "PUMP-P10": 10}
MOST_ORDERED = 3
SHARE_THAT_COMES = Decimal("0.4")
MOST_SHIPPED = 3


class Office:
    """What happens away from the machines."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.rush: RushRequest | None = None

    def order(self) -> None:
        """A customer orders, sales enters it, the manager approves it."""
        stage, sales = self.stage, self.stage.by(Role.SALES)
        known = sorted({told.customer for told in story.ORDERS})
        customer = masterdata.customer_by_code(stage.chance.choice(known))
        code = stage.chance.choice(sorted(WANTED))
        item = masterdata.item_by_code(code)
        if item is None or customer is None:
            return
        day = stage.now().date() + timedelta(days=stage.chance.randint(20, 40))
        line = orders.NewLine(item_id=item.pk, quantity=Decimal(WANTED[code]), requested_date=day)
        what = f"{customer.name} orders {WANTED[code]} {code} for {day}"
        order = stage.act(
            what,
            orders.create,
            site_id=stage.site_id,
            customer_id=customer.pk,
            customer_reference=f"DAY-{stage.chance.randint(1000, 9999)}",
            lines=[line],
            by=sales,
        )
        if order is None:
            return
        number = order.number
        if stage.act(f"{number} is submitted", orders.submit, order=order, by=sales):
            manager = stage.by(Role.MANAGER)
            stage.act(f"{number} is approved", orders.approve, order=order, by=manager)

    def ask_for_a_rush(self) -> None:
        """Sales asks for the line with the latest estimate a week earlier."""
        line = (
            SalesOrderLine.objects.filter(
                order__state__in=OrderState.open(),
                is_cancelled=False,
                projected_date__isnull=False,
            )
            .exclude(rushes__state__in=RushState.open())
            .select_related("order", "item")
            .order_by("-projected_date", "pk")
            .first()
        )
        if line is None or line.projected_date is None:
            self.stage.refused("A rush", "No open line has an estimated date yet.")
            return
        today = self.stage.now().date()
        day = max(line.projected_date - timedelta(days=7), today + timedelta(days=1))
        self.rush = self.stage.act(
            f"Sales asks to rush {_line(line)} to {day}",
            rush.request,
            line=line,
            wanted_date=day,
            reason="The customer's line stands still without it.",
            by=self.stage.by(Role.SALES),
        )

    def decide_the_rush(self) -> None:
        """Planning approves the plan that was simulated, as soon as there is one."""
        if self.rush is None:
            return
        self.rush = selectors.rushes().get(pk=self.rush.pk)
        if self.rush.state != RushState.PENDING:
            return
        decided = self.stage.act(
            f"Planning approves the rush of {_line(self.rush.line)}",
            rush.approve,
            rush=self.rush,
            by=self.stage.by(Role.PLANNER),
        )
        if decided is not None:
            self.rush = None

    def give_up_the_rush(self) -> None:
        """At the end of the day a rush that nobody could decide is withdrawn."""
        if self.rush is not None:
            self.stage.act(
                f"The rush of {_line(self.rush.line)} is withdrawn",
                rush.cancel,
                rush=self.rush,
                by=self.stage.by(Role.SALES),
            )

    def buy(self) -> None:
        """The buyer orders what has to be ordered first."""
        stage, buyer = self.stage, self.stage.by(Role.PURCHASING)
        found = erp.proposals(site_id=stage.site_id, group="buy")[:MOST_ORDERED]
        ids = [proposal.pk for proposal in found]
        if not ids:
            stage.refused("Buying", "Requirements planning proposes nothing to buy.")
            return
        accepted = stage.act(
            f"Proposals that become purchase orders: {len(ids)}",
            proposals.accept,
            site_id=stage.site_id,
            proposal_ids=ids,
            by=buyer,
        )
        for order in accepted.orders if accepted else ():
            what = f"{order.number} goes to {order.supplier}"
            stage.act(what, purchase_orders.submit, order=order, by=buyer)

    def receive(self) -> None:
        """A lorry brings a part of what is on order; those who waited for it get it."""
        stage = self.stage
        for order in erp.purchase_orders(group="on_order").order_by("pk"):
            line = order.lines.select_related("item", "order__site").order_by("position").first()
            left = line.quantity - line.received - line.rejected if line else Decimal(0)
            if line is None or left <= 0:
                continue
            share = (left * SHARE_THAT_COMES).to_integral_value()
            quantity = min(left, max(Decimal(1), share))
            stage.act(
                f"{order.supplier} delivers {quantity.normalize():f} {line.item.code}",
                purchasing.receive_line,
                line=line,
                quantity=quantity,
                reference=f"DN-{stage.chance.randint(10000, 99999)}",
                by=stage.by(Role.WAREHOUSE),
            )
            return
        stage.refused("Receiving", "Nothing is on order.")

    def ship(self) -> None:
        """Orders of which every line lies ready leave the house."""
        sent = 0
        found = SalesOrder.objects.filter(site=self.stage.site_id, state__in=OrderState.open())
        for order in found.order_by("pk"):
            quantities = _ready(order)
            if quantities and sent < MOST_SHIPPED:
                sent += bool(
                    self.stage.act(
                        f"{order.number} is shipped",
                        shipments.post,
                        order=order,
                        quantities=quantities,
                        carrier="SF Express",
                        tracking_code=f"SF{order.pk:010d}",
                        by=self.stage.by(Role.WAREHOUSE),
                    )
                )
        if not sent:
            self.stage.refused("Shipping", "No order is complete.")


def _ready(order: SalesOrder) -> dict[int, Decimal]:
    """By line what is left to ship, where all of it is reserved; else nothing."""
    lines = [
        line
        for line in order.lines.filter(is_cancelled=False).order_by("pk")
        if line.quantity > line.shipped
    ]
    reserved = erp.reserved_quantities([line.requirement_id or 0 for line in lines])
    left: dict[int, Decimal] = {line.position: line.quantity - line.shipped for line in lines}
    is_whole = all(
        reserved.get(line.requirement_id or 0, Decimal(0)) >= left[line.position] for line in lines
    )
    return left if is_whole else {}


def _line(line: Any) -> str:
    return f"{line.order.number}/{line.position} ({line.item.code})"
