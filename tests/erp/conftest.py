"""What several stories about goods with a number begin with."""

import pytest

from masterdata.enums import Supply, Tracking
from masterdata.models import Item, Site
from tests.masterdata.factories import ItemFactory, SiteFactory


@pytest.fixture
def site(db: None) -> Site:
    return SiteFactory()


@pytest.fixture
def steel(db: None) -> Item:
    return ItemFactory(code="BAR", supply=Supply.BUY, tracking=Tracking.LOT)
