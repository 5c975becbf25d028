"""People for tests; each app's own factories are in tests/<app>/factories.py."""

import factory

from common.models import User


class UserFactory(factory.django.DjangoModelFactory):
    """A user without roles and without a usable password; tests log in by force."""

    class Meta:
        model = User

    username = factory.Sequence(lambda number: f"user-{number}")
    password = "!"
