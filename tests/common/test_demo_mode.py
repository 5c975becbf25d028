"""Demo mode does not start over somebody's data."""

import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError
from django.db import OperationalError, connection
from django.utils import timezone

from common import audit, selectors
from common.models import User
from tests.factories import UserFactory
from tests.faults.live import _environment
from tools import prepare


def test_demo_mode_refuses_to_start_over_other_data(db, settings) -> None:
    settings.DEMO_MODE = True
    UserFactory(username="anna")
    with pytest.raises(CommandError, match="holds other data"):
        prepare._load_demo()
    assert [user.username for user in User.objects.all()] == ["anna"]


@pytest.mark.parametrize(
    ("mode", "has_users", "has_mark", "refused"),
    [
        (True, True, False, True),
        (True, True, True, False),
        (True, False, False, False),
        (False, True, False, False),
    ],
)
def test_a_web_process_started_by_hand_asks_the_database(
    db, settings, monkeypatch, mode: bool, has_users: bool, has_mark: bool, refused: bool
) -> None:
    from config import wsgi

    monkeypatch.setattr("config.wsgi.connections.close_all", lambda: None)
    settings.DEMO_MODE = mode
    if has_users:
        user = UserFactory(username="anna")
        if has_mark:
            audit.record(action=selectors.DEMO_MARK, target=user, by=None, now=timezone.now())
    if refused:
        with pytest.raises(ImproperlyConfigured, match="holds other data"):
            wsgi.refuse_demo_over_real_data()
    else:
        wsgi.refuse_demo_over_real_data()


def test_a_database_that_does_not_answer_keeps_no_web_process_from_starting(monkeypatch) -> None:
    from config import wsgi

    def gone() -> bool:
        raise OperationalError("gone")

    monkeypatch.setattr("config.wsgi.connections.close_all", lambda: None)
    monkeypatch.setattr(selectors, "is_demo_over_real_data", gone)
    wsgi.refuse_demo_over_real_data()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("mode", ["1", "0"])
def test_a_real_server_in_demo_mode_does_not_come_up_over_real_data(mode: str) -> None:
    UserFactory(username="anna")
    connection.close()
    done = subprocess.run(
        [sys.executable, "-c", "import config.wsgi"],
        env=_environment("redis://localhost:1/0") | {"DEMO_MODE": mode},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode != 0) == (mode == "1"), done.stderr
    assert ("holds other data" in done.stderr) == (mode == "1")
