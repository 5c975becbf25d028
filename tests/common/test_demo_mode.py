"""Demo mode does not start over somebody's data."""

import pytest
from django.core.management import CommandError

from common.models import User
from tests.factories import UserFactory
from tools import prepare


def test_demo_mode_refuses_to_start_over_other_data(db, settings) -> None:
    settings.DEMO_MODE = True
    UserFactory(username="anna")
    with pytest.raises(CommandError, match="holds other data"):
        prepare._load_demo()
    assert [user.username for user in User.objects.all()] == ["anna"]
