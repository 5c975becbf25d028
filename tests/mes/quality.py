"""A plant with something wrong: a held lot in the store, an item that is made, people by role."""

from datetime import timedelta
from decimal import Decimal

from erp.enums import MoveKind
from erp.selectors import balances
from erp.services import stock
from masterdata.enums import Tracking
from mes.enums import (
    ActionKind,
    Chain,
    ChangeKind,
    Discipline,
    NonconformanceSource,
)
from mes.services import containment, eight_d, nonconformances, quality_actions
from mes.services.containment import Found
from mes.services.eight_d import Because
from mes.services.quality_actions import Plan
from tests.factories import UserFactory
from tests.mes.factories import NOW, Plant
from traceability import selectors as traceability


class Quality:
    """Ten pieces of a lot of castings lie in the store; who found them, and who looks again."""

    def __init__(self, quantity=10, tracking=Tracking.LOT) -> None:
        self.plant = Plant()
        self.site = self.plant.site
        self.item = self.plant.buy("CASTING", tracking=tracking)
        self.anna = UserFactory(username="anna", roles=["quality"])
        self.ben = UserFactory(username="ben", roles=["quality"])
        self.serials = [f"C-{n}" for n in range(quantity)] if tracking == Tracking.SERIAL else []
        stock.receive(
            item_id=self.item.pk,
            site_id=self.site.pk,
            quantity=Decimal(quantity),
            kind=MoveKind.RECEIPT,
            reference="PO-1",
            lot_number="HEAT-7" if tracking == Tracking.LOT else "",
            serials=self.serials,
            by=None,
            now=NOW,
        )
        self.lot = traceability.lot_of(item_id=self.item.pk, number="HEAT-7")
        units = traceability.units_of(item_id=self.item.pk, numbers=self.serials)
        self.units = sorted(unit.pk for unit in units.values())

    def report(self, quantity=10, **more):
        things = [self.lot.pk] if self.lot else self.units
        given = {
            "source": NonconformanceSource.INCOMING,
            "reference": "PO-1",
            "item_id": self.item.pk,
            "site_id": self.site.pk,
            "problem": "Pores in the casting",
            "quantity": Decimal(quantity),
            "things": things,
            "by": self.anna,
            "now": NOW,
            **more,
        }
        return nonconformances.open_from(**given)

    def contain(self, found, suspect=10, counts=None):
        row = containment.suspect(
            nonconformance=found,
            place="Store",
            quantity=Decimal(suspect),
            by=self.anna,
            now=NOW,
        )
        counts = counts or Found(found=Decimal(suspect))
        row = containment.count(row=row, found=counts, by=self.anna, now=NOW)
        containment.verify(row=row, by=self.ben, now=NOW)
        found.refresh_from_db()
        return row

    def on_hand(self, item=None):
        row = balances(site_id=self.site.pk).filter(item=item or self.item).first()
        return (row.on_hand, row.held) if row else (Decimal(0), Decimal(0))

    def analysed(self, found, at=NOW):
        """An 8D whose steps are done as far as D4."""
        made = eight_d.begin(nonconformance=found, leader=self.anna, by=self.anna, now=at)
        who = {"by": self.anna, "now": at}
        eight_d.set_team(eight_d=made, leader=self.anna, members=[self.ben], **who)
        texts = {"emergency": "Stopped the line", "escape_point": "Incoming inspection"}
        texts |= {"statement": "Pores", "is_is_not": {"what": {"is": "Pores", "is_not": "Cracks"}}}
        eight_d.write(eight_d=made, values=texts, **who)
        for chain in Chain:
            eight_d.explain(eight_d=made, chain=chain, whys=[Because("Gas in the melt")], **who)
            values = {f"{chain.value}_cause": "Wet mould", f"{chain.value}_category": "method"}
            eight_d.write(eight_d=made, values=values, **who)
        for step in list(Discipline)[:5]:
            eight_d.complete(eight_d=made, discipline=step, **who)
        return made

    def plan(self, found, kind=ActionKind.CORRECTIVE, change=ChangeKind.NOTHING, at=NOW):
        new = Plan(
            kind, f"Dry the moulds {kind}", self.anna, (at + timedelta(days=5)).date(), change
        )
        return quality_actions.plan(nonconformance=found, new=new, by=self.ben, now=at)

    def carry_out(self, action, at=NOW):
        done = quality_actions.finish(action=action, result="Dried", by=self.anna, now=at)
        return quality_actions.verify(action=done, has_helped=True, reason="", by=self.ben, now=at)
