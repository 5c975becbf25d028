"""What the ledger needs besides its facts: months of readings, and a nightly look at all of it."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from common.enums import Level, Role
from common.notifications import notify
from masterdata import selectors as masterdata
from traceability.services import audits

# The next one and two more: a month may not begin without its own.
MONTHS_AHEAD = 3


def make_months(*, now: datetime) -> list[date]:
    """Make the partitions of the readings of the months to come; return those that were new.

    A month of which readings are in the default partition already has to stay there.
    """
    made = []
    day = now.date().replace(day=1)
    with connection.cursor() as cursor:
        for _month in range(MONTHS_AHEAD + 1):
            cursor.execute("SELECT traceability_make_month(%s)", [day])
            if cursor.fetchone() == (True,):
                made.append(day)
            day = (day + timedelta(days=31)).replace(day=1)
    return made


def audit_by_night(*, now: datetime) -> list[str]:
    """In the night's hour of the first site: look through the ledger, tell the administrators.

    Return what was found; at another hour nothing is looked at.
    """
    zones = masterdata.time_zones()
    if not zones:
        return []
    here = now.astimezone(ZoneInfo(zones[min(zones)]))
    if here.hour != settings.MRP_NIGHTLY_HOUR:
        return []
    found = audits.findings()
    if found:
        notify(
            kind="traceability.audit_found",
            parameters={"count": len(found), "first": found[0]},
            roles=[Role.ADMINISTRATOR, Role.QUALITY],
            level=Level.DANGER,
            now=now,
        )
    return found
