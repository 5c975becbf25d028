"""Test objects of the store; each sets required fields only."""

from datetime import UTC, datetime
from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from erp import models
from erp.enums import BinKind, PurchaseOrderState, RequirementKind
from erp.services import supplies, warehouses
from masterdata.enums import Supply
from tests.masterdata.factories import ItemFactory, SiteFactory, SupplierFactory

ON_STOCK_AT = datetime(2026, 11, 1, tzinfo=UTC)
DUE = datetime(2026, 12, 18, 16, 0, tzinfo=UTC)


class StockBalanceFactory(DjangoModelFactory):
    class Meta:
        model = models.StockBalance

    item = factory.SubFactory(ItemFactory, supply=Supply.BUY)
    site = factory.SubFactory(SiteFactory)


def _storage():
    return warehouses.bin_for(site_id=SiteFactory().pk, kind=BinKind.STORAGE)


class StockQuantFactory(DjangoModelFactory):
    class Meta:
        model = models.StockQuant

    bin = factory.LazyFunction(_storage)
    item = factory.SubFactory(ItemFactory, supply=Supply.BUY)
    since = ON_STOCK_AT


class RequirementFactory(DjangoModelFactory):
    class Meta:
        model = models.Requirement

    item = factory.SubFactory(ItemFactory, supply=Supply.BUY)
    site = factory.SubFactory(SiteFactory)
    kind = RequirementKind.SALES
    quantity = Decimal(10)
    due_at = DUE
    weight = 1
    reference = factory.Sequence(lambda n: f"SO-{n}/10")


class PurchaseOrderFactory(DjangoModelFactory):
    class Meta:
        model = models.PurchaseOrder

    number = factory.Sequence(lambda n: f"PO-{n}")
    supplier = factory.SubFactory(SupplierFactory)
    site = factory.SubFactory(SiteFactory)
    state = PurchaseOrderState.SENT
    ordered_at = datetime(2026, 11, 1, tzinfo=UTC)


class PurchaseOrderLineFactory(DjangoModelFactory):
    class Meta:
        model = models.PurchaseOrderLine
        skip_postgeneration_save = True

    order = factory.SubFactory(PurchaseOrderFactory)
    position = factory.Sequence(lambda n: (n + 1) * 10)
    item = factory.SubFactory(ItemFactory, supply=Supply.BUY)
    quantity = Decimal(10)
    due_date = DUE.date()

    @factory.post_generation
    def is_coming(self, create, extracted, **kwargs):
        supplies.note_purchases([self.order_id])


def put_on_stock(item, site, quantity):
    """So much of the item lies free in the store, without a lot and without a move."""
    storage = warehouses.bin_for(site_id=site.pk, kind=BinKind.STORAGE)
    quant, _created = models.StockQuant.objects.get_or_create(
        bin=storage, item=item, lot=None, unit=None, defaults={"quantity": 0, "since": ON_STOCK_AT}
    )
    quant.quantity += Decimal(quantity)
    quant.save()
    balance, _created = models.StockBalance.objects.get_or_create(item=item, site=site)
    balance.on_hand += Decimal(quantity)
    balance.save()
    return balance
