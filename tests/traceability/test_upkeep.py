"""Months of readings are made ahead, and the nightly audit tells whom it concerns."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

from common.models import Notification
from tests.factories import UserFactory
from tests.masterdata.factories import SiteFactory
from tests.traceability.factories import LotFactory
from traceability.enums import EventKind
from traceability.services import audits, genealogy, upkeep
from traceability.services.genealogy import Fact, NewReading

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 1, 15, tzinfo=UTC)


def read_at(moment):
    fact = Fact(kind=EventKind.PROCESS, at=moment, site_id=SiteFactory().pk)
    lot = LotFactory()
    genealogy.process(fact=fact, readings=[NewReading(lot.pk)])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tableoid::regclass::text FROM traceability_reading WHERE subject = %s", [lot.pk]
        )
        return cursor.fetchone()[0]


def test_readings_lie_in_their_month_once_it_is_made(settings):
    assert read_at(NOW) == "traceability_reading_other"
    made = upkeep.make_months(now=NOW)
    # January has begun without its own.
    assert made == [date(2027, 2, 1), date(2027, 3, 1), date(2027, 4, 1)]
    assert upkeep.make_months(now=NOW) == []
    assert read_at(NOW) == "traceability_reading_other"
    assert read_at(datetime(2027, 1, 31, 23, 59, tzinfo=UTC)) == "traceability_reading_other"
    assert read_at(datetime(2027, 2, 1, tzinfo=UTC)) == "traceability_reading_2027_02"
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM traceability_reading_2027_02")


def test_no_defect_makes_tables_without_end():
    with connection.cursor() as cursor:
        cursor.execute("SELECT traceability_make_month('2099-01-01')")
        assert cursor.fetchone() == (False,)


def test_the_audit_of_the_night_tells_what_it_found(settings, monkeypatch):
    SiteFactory(time_zone="Asia/Shanghai")
    ada = UserFactory(roles=["administrator"])
    UserFactory(roles=["operator"])
    night = NOW.replace(hour=(settings.MRP_NIGHTLY_HOUR - 8) % 24, minute=7)
    monkeypatch.setattr(audits, "findings", lambda: ["Event 7 has no seal.", "Another."])
    assert upkeep.audit_by_night(now=night + timedelta(hours=1)) == []
    assert not Notification.objects.exists()
    assert len(upkeep.audit_by_night(now=night)) == 2
    told = Notification.objects.get()
    assert (told.user, told.parameters) == (ada, {"count": 2, "first": "Event 7 has no seal."})
