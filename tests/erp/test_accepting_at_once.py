"""Two people accept the same proposals at once, and the same without the lock of the rows."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from common.transitions import IllegalTransition
from erp.models import MrpRun, Proposal, PurchaseOrder, Supply
from erp.services import proposals
from masterdata.enums import Supply as ItemSupply
from tests.masterdata.factories import ItemFactory, SiteFactory, SupplierFactory
from tests.mes.test_supply_concurrency import in_parallel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def waiting():
    """Three proposals to buy from one supplier."""
    site, now = SiteFactory(), timezone.now()
    run = MrpRun.objects.create(site=site, requested_at=now)
    supplier, item = SupplierFactory(), ItemFactory(supply=ItemSupply.BUY)
    for number in range(3):
        Proposal.objects.create(
            run=run,
            site=site,
            item=item,
            action="buy",
            system_quantity=Decimal(5),
            system_due_date=now.date() + timedelta(days=number),
            system_release_date=now.date(),
            system_supplier=supplier,
            currency="USD",
        )
    return site


def accept(site):
    ids = list(Proposal.objects.values_list("pk", flat=True))
    return proposals.accept(site_id=site.pk, proposal_ids=ids, by=None, now=timezone.now())


def test_they_make_one_order(waiting):
    errors = in_parallel(*[lambda: accept(waiting) for _ in range(4)])
    assert errors == []
    assert PurchaseOrder.objects.get().lines.count() == 3
    assert Supply.objects.count() == 3


def test_without_the_locks_they_would_order_twice(waiting, monkeypatch):
    """The control: what the test above would see if nobody waited for anybody."""
    seen = list(Proposal.objects.select_related("item").order_by("pk"))
    monkeypatch.setattr(proposals, "lock", lambda *_args: None)
    monkeypatch.setattr(proposals, "_locked", lambda _ids: [_copy(row) for row in seen])
    errors = in_parallel(*[lambda: accept(waiting) for _ in range(2)])
    assert not [error for error in errors if isinstance(error, IllegalTransition)]
    assert PurchaseOrder.objects.count() == 2


def _copy(row):
    return Proposal(
        **{field.attname: getattr(row, field.attname) for field in Proposal._meta.concrete_fields}
    )
