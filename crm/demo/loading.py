"""Load the demo factory into an empty database."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from django.conf import settings
from django.db import transaction

from common import audit, jobs, selectors
from common.errors import Refused
from common.models import User
from crm.demo import complaints, depot, history, maintenance, people, quality, story
from erp.services import stock
from masterdata import selectors as masterdata
from masterdata.services import imports
from mes.services import reasons

DATA = Path(__file__).parent / "data"
MARK = selectors.DEMO_MARK
# What lies in stock when the story begins; everything bought and not named here is plentiful.
STOCK = {"MOTOR-075": 6, "SCREW-M6": 60_000, "FORGING-DN100": 40, "BAR-60": 900}
PLENTY = 12_000


class CannotLoad(Refused):
    """The database holds something else than the demo factory."""


def is_demo() -> bool:
    """Whether this database holds the demo factory."""
    return selectors.holds_demo()


def is_empty() -> bool:
    """Whether nothing has been entered yet."""
    return not masterdata.has_sites() and not User.objects.exists()


def load(*, now: datetime) -> None:
    """Everything, as of ``now``; raise CannotLoad where the database is in use.

    Work that the story asks for is done before this returns: the schedule is published.
    """
    if is_demo():
        return
    if not is_empty():
        raise CannotLoad(
            "This database holds other data than the demo factory. Use an empty database, "
            "or start with DEMO_MODE=0."
        )
    with transaction.atomic():
        tables(now=now)
        reasons.seed()
        users = people.create()
        people.give_badges(users, now=now)
        site = masterdata.default_site()
        audit.record(action=MARK, target=site, by=None, now=now)
        history.tell(users=users, site_id=site.pk, now=now)
        stock.set_opening(_opening(), site_id=site.pk, by=None, now=now - timedelta(days=60))
        story.tell(users=users, site_id=site.pk, now=now)
        depot.supply(users=users, now=now)
        complaints.tell(users=users, now=now)
        quality.tell(users=users, site_id=site.pk, now=now)
        maintenance.tell(users=users, now=now)
    with _no_mail():
        jobs.run_due(include_waiting=True)


@contextmanager
def _no_mail() -> Iterator[None]:
    """The mails of the story were sent long ago: nobody gets one today, and no console is full."""
    backend = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    try:
        yield
    finally:
        settings.EMAIL_BACKEND = backend


def tables(*, now: datetime) -> None:
    """The master data, through the import that users have."""
    for name, resource in imports.RESOURCES.items():
        path = DATA / f"{name}.csv"
        if path.exists():
            table = imports.read(path.name, path.read_bytes())
            imports.run(resource, table, take_good=False, by=None, now=now)


def _opening() -> list[stock.Opening]:
    bought = [item for item in masterdata.items() if item.supply == "buy"]
    rows = [(item.pk, Decimal(STOCK.get(item.code, PLENTY))) for item in bought]
    made = {item.code: item.pk for item in masterdata.items() if item.supply == "make"}
    rows += [(made[code], Decimal(quantity)) for code, quantity in story.FINISHED_STOCK.items()]
    return [stock.Opening(item_id=pk, quantity=quantity) for pk, quantity in rows if quantity]
