"""The permission table and the roles of a user."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction

from common import permissions
from common.enums import Role
from common.permissions import PERMISSIONS
from tests.factories import UserFactory

ACCOUNT_CODES = {"common.use_account", "common.view_schema"}


def test_every_code_names_its_app_and_a_verb() -> None:
    apps = {"common", "masterdata", "traceability", "erp", "mes", "aps", "crm", "quoting", "portal"}
    assert [code for code in PERMISSIONS if code.split(".")[0] not in apps] == []
    assert [code for code in PERMISSIONS if code != code.lower() or code.count(".") != 1] == []


def test_customers_hold_only_the_portal_and_their_account() -> None:
    held = {code for code, roles in PERMISSIONS.items() if Role.CUSTOMER in roles}
    portal = {code for code in PERMISSIONS if code.startswith("portal.")}
    assert held == portal | ACCOUNT_CODES


def test_staff_do_not_hold_the_portal() -> None:
    portal = [roles for code, roles in PERMISSIONS.items() if code.startswith("portal.")]
    assert portal
    assert all(roles == {Role.CUSTOMER} for roles in portal)


def test_administrators_hold_everything_else() -> None:
    missing = {
        code
        for code, roles in PERMISSIONS.items()
        if Role.ADMINISTRATOR not in roles and not code.startswith("portal.")
    }
    assert missing == set()


def test_a_code_that_is_not_in_the_table_raises(user_for) -> None:
    with pytest.raises(KeyError):
        permissions.allowed(user_for(Role.ADMINISTRATOR), "crm.aprove_order")


def test_any_one_of_several_roles_is_enough(db) -> None:
    user = UserFactory(roles=[Role.OPERATOR, Role.PLANNER])
    assert permissions.allowed(user, "aps.plan")
    assert not permissions.allowed(user, "crm.approve_order")


def test_nobody_else_is_allowed_anything(db) -> None:
    gone = UserFactory(roles=[Role.ADMINISTRATOR], is_active=False)
    for user in (None, AnonymousUser(), gone, UserFactory(roles=[])):
        assert not any(permissions.allowed(user, code) for code in PERMISSIONS)


def test_the_database_refuses_an_unknown_role(db) -> None:
    with pytest.raises(IntegrityError, match="common_user_known_roles"), transaction.atomic():
        UserFactory(roles=["emperor"])


@pytest.mark.parametrize("other", [role for role in Role if role != Role.CUSTOMER])
def test_the_database_refuses_a_customer_with_another_role(db, other: Role) -> None:
    with (
        pytest.raises(IntegrityError, match="common_user_customer_holds_no_other_role"),
        transaction.atomic(),
    ):
        UserFactory(roles=[Role.CUSTOMER, other])
