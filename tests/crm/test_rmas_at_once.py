"""Two sites ask for one unit back at once, and the same where the database lets both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.urls import reverse

from crm.models import Rma, Ticket
from crm.services import rmas
from crm.services.rmas import CannotReturn
from tests import parallel
from tests.crm.complaints import NOW, AfterSales
from tests.masterdata.factories import SiteFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def two(monkeypatch) -> list[Ticket]:
    """Tickets about one pump at two sites, both past the look for a return that is under way."""
    house = AfterSales()
    first, second = house.ticket(), house.ticket()
    second.site = SiteFactory(code="NORTH", calendar=house.site.calendar)
    second.save()
    parallel.meet_before(monkeypatch, rmas, "_open")
    return [first, second]


def ask(ticket):
    return rmas.request(ticket=ticket, reason="loose", by=ticket.opened_by, now=NOW)


def test_one_unit_is_in_one_open_return_whatever_the_site(two, client):
    came = parallel.at_once(*[lambda one=one: ask(one) for one in two])
    [refused] = parallel.errors(came)
    assert isinstance(refused, CannotReturn), refused
    assert str(refused) == "A return of P-100 is under way already."
    rma = Rma.objects.get()
    # The page of the other site says so as well.
    [late] = [one for one in two if one.pk != rma.ticket_id]
    client.force_login(late.opened_by, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.post(
        reverse("crm:rma-request", args=[late.number]), {"reason": "loose"}, follow=True
    )
    assert "A return of P-100 is under way already." in answer.content.decode()


@contextmanager
def without_the_constraint() -> Iterator[None]:
    [rule] = [one for one in Rma._meta.constraints if one.name == rmas._ONE_OPEN]
    with connection.schema_editor() as editor:
        editor.remove_constraint(Rma, rule)
    try:
        yield
    finally:
        Rma.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(Rma, rule)


def test_without_the_constraint_both_sites_would_wait_for_it(two):
    with without_the_constraint():
        came = parallel.at_once(*[lambda one=one: ask(one) for one in two])
        assert parallel.errors(came) == []
        assert Rma.objects.filter(thing=two[0].thing).count() == 2
