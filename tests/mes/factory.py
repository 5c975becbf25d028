"""A small factory with every kind of material, prices and people, for tests of chance."""

from datetime import date
from decimal import Decimal

from erp.enums import MoveKind
from erp.services import stock, warehouses
from masterdata.enums import IssueMethod, RateKind, Tracking
from masterdata.models import CostRate
from tests.factories import UserFactory
from tests.masterdata.factories import SiteFactory, WorkUnitFactory
from tests.mes.factories import Plant

RATES = ((RateKind.MACHINE, 60), (RateKind.LABOUR, 30), (RateKind.OVERHEAD, 12))
PRICES = {"PLATE": "2.5", "GLUE": "0.37", "MOTOR": "41.13", "SCREW": "0.03"}


class Factory(Plant):
    """TABLE of a TOP, two GLUE (a lot, backflushed), a MOTOR (a unit, scanned) and three SCREW
    (backflushed, may be negative); a TOP of a PLATE, issued at the start. Two operations each.
    """

    def __init__(self, units=2, people=2):
        super().__init__()
        self.site.energy_price = Decimal("0.2")
        self.site.save()
        self.other_site = SiteFactory()
        for site in (self.site, self.other_site):
            warehouses.ensure(site.pk)
        for kind, amount in RATES:
            CostRate.objects.create(
                work_center=self.center,
                kind=kind,
                amount_per_hour=amount,
                currency=self.site.currency,
                valid_from=date(2020, 1, 1),
            )
        self.units += [WorkUnitFactory(work_center=self.center) for _ in range(units - 2)]
        for unit in self.units:
            unit.energy_kw = 6
            unit.save()
        self.people = [
            UserFactory(username=f"person-{number}", roles=["supervisor"])
            for number in range(people)
        ]
        self._items()

    def _items(self):
        backflush = {"issue_method": IssueMethod.BACKFLUSH}
        self.buy("PLATE", standard_cost=PRICES["PLATE"])
        self.buy("GLUE", standard_cost=PRICES["GLUE"], tracking=Tracking.LOT, **backflush)
        self.buy(
            "MOTOR",
            standard_cost=PRICES["MOTOR"],
            tracking=Tracking.SERIAL,
            issue_method=IssueMethod.SCAN,
        )
        self.buy("SCREW", standard_cost=PRICES["SCREW"], may_be_negative=True, **backflush)
        self.make("TOP", {"PLATE": 1}, steps=1, standard_cost="6")
        self.make(
            "TABLE",
            {"TOP": 1, "GLUE": 2, "MOTOR": 1, "SCREW": 3},
            steps=2,
            standard_cost="60",
            tracking=Tracking.LOT,
        )

    def receive(self, code, quantity, *, now, price=None, lot="", site=None):
        """A delivery into the store."""
        stock.receive(
            item_id=self.items[code].pk,
            site_id=(site or self.site).pk,
            quantity=Decimal(quantity),
            kind=MoveKind.RECEIPT,
            reference="DN",
            price=Decimal(price) if price else None,
            lot_number=lot,
            by=None,
            now=now,
        )
