"""Test objects with numbers of their own; each sets required fields only."""

from datetime import UTC, datetime

import factory
from factory.django import DjangoModelFactory

from masterdata.enums import Supply, Tracking
from tests.masterdata.factories import ItemFactory
from traceability import models

MADE_AT = datetime(2026, 11, 1, tzinfo=UTC)


class LotFactory(DjangoModelFactory):
    class Meta:
        model = models.Lot

    item = factory.SubFactory(ItemFactory, supply=Supply.BUY, tracking=Tracking.LOT)
    number = factory.Sequence(lambda n: f"L-{n}")
    made_at = MADE_AT


class SerialUnitFactory(DjangoModelFactory):
    class Meta:
        model = models.SerialUnit

    item = factory.SubFactory(ItemFactory, supply=Supply.BUY, tracking=Tracking.SERIAL)
    number = factory.Sequence(lambda n: f"S-{n}")
    made_at = MADE_AT
