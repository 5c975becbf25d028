"""Months of readings are made ahead, and the nightly audit tells whom it concerns."""

from datetime import UTC, datetime, timedelta

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


def month_in(count: int) -> datetime:
    """The beginning of the month that comes so many months after this one."""
    months = datetime.now(UTC).month - 1 + count
    return datetime(datetime.now(UTC).year + months // 12, months % 12 + 1, 1, tzinfo=UTC)


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
    # The database makes none that are further off than a year, and those of this quarter may be
    # there: a test of the whole chain has its upkeep done.
    first, *others = (month_in(7 + n) for n in range(4))
    now = first + timedelta(days=14)
    assert read_at(now) == "traceability_reading_other"
    # The first has begun without its own.
    assert upkeep.make_months(now=now) == [month.date() for month in others]
    assert upkeep.make_months(now=now) == []
    assert read_at(now) == "traceability_reading_other"
    assert read_at(others[0] - timedelta(minutes=1)) == "traceability_reading_other"
    table = f"traceability_reading_{others[0]:%Y_%m}"
    assert read_at(others[0]) == table
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"DELETE FROM {table}")


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
