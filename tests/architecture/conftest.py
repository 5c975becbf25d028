"""Who asks in the walks over all URLs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.test import Client

from common.enums import Role
from common.models import User
from tests.factories import UserFactory

SECOND_CUSTOMER = "customer-b"


@dataclass(frozen=True)
class Principal:
    """Somebody who asks, or nobody; the session is one of theirs, begun before."""

    user: User | None
    session: str | None

    def client(self, *, raise_request_exception: bool = True) -> Client:
        """A browser as it is after the login; what one test does to it no other sees."""
        client = Client(raise_request_exception=raise_request_exception)
        if self.session:
            client.cookies[settings.SESSION_COOKIE_NAME] = self.session
        return client


@pytest.fixture(scope="module")
def principals(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, Principal]]:
    """One per role, the anonymous one, and a customer of another company.

    They are made once; what a test changes about them is undone after it.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        people = {name: _principal(name) for name in [*Role.values, SECOND_CUSTOMER]}
        with django_db_blocker.block():
            yield {"anonymous": Principal(None, None), **people}
        transaction.set_rollback(True)


def _principal(name: str) -> Principal:
    role = Role.CUSTOMER if name == SECOND_CUSTOMER else Role(name)
    user = UserFactory(username=name, roles=[role])
    if role == Role.CUSTOMER:
        customer = apps.get_model("masterdata.Customer")
        company = customer.objects.create(code=name.upper(), name=name)
        apps.get_model("masterdata.CustomerUser").objects.create(user=user, customer=company)
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return Principal(user, client.cookies[settings.SESSION_COOKIE_NAME].value)
