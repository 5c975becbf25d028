"""Who stood at the machine is named to those alone who may see it."""

import pytest
from django.urls import reverse

from mes.services import execution
from tests.factories import UserFactory
from tests.mes.factories import NOW, Plant

pytestmark = pytest.mark.django_db

# What permissions say of crm.view_operator.
SEE_NAMES = {"supervisor", "quality", "manager", "administrator"}


@pytest.fixture
def reported(db):
    """A piece that Zoe reported, at a work order and in the store."""
    plant = Plant()
    plant.make("GEAR", steps=1)
    plant.plan(plant.need("GEAR", 2))
    zoe = UserFactory(username="zoe", first_name="Zoe", last_name="Quill", roles=["operator"])
    operation = plant.orders("GEAR")[0].operations.get()
    execution.start(operation=operation, work_unit_id=plant.units[0].pk, by=zoe, now=NOW)
    execution.report(operation=operation, good=1, scrap=0, by=zoe, now=NOW)
    return zoe, operation.work_order.number


@pytest.mark.parametrize(
    "role", ["sales", "warehouse", "after-sales", "operator", *sorted(SEE_NAMES)]
)
def test_an_operators_name_stands_on_pages_of_who_may_see_it(client_for, reported, role):
    zoe, number = reported
    pages = [reverse("mes:work-order-detail", args=[number])]
    if role != "operator":
        pages.append(reverse("erp:stock-detail", args=["GEAR"]))
    for page in pages:
        shown = client_for(role).get(page).content.decode()
        assert ("Zoe Quill" in shown) is (role in SEE_NAMES), page
        assert (f"Operator No. {zoe.pk}" in shown) is (role not in SEE_NAMES), page


def test_operators_read_their_own_name(client, reported):
    zoe, number = reported
    client.force_login(zoe, backend="django.contrib.auth.backends.ModelBackend")
    assert "Zoe Quill" in client.get(
        reverse("mes:work-order-detail", args=[number])
    ).content.decode().replace("Zoe Quill", "", 1)
