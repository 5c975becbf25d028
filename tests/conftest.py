"""Fixtures that every app's tests share."""

import gc
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db.backends.postgresql.creation import DatabaseCreation
from django.test import Client, override_settings
from django.utils import timezone
from rest_framework.test import APIClient

from common import api_tokens
from common.enums import Role
from common.models import User
from tests import databases, dealing, shared, template
from tests.databases import emptied_quickly
from tests.demo import DemoFactory
from tests.factories import UserFactory
from tools.paths import ROOT

UserFor = Callable[..., User]
ClientFor = Callable[..., Client]
ApiClientFor = Callable[..., APIClient]
# Objects made since the last look; a page makes some thousands that need none.
GARBAGE = (20_000, 20, 20)
TEMPLATE = pytest.StashKey[template.Template]()


def pytest_configure(config: pytest.Config) -> None:
    """Static files are collected once, before processes read them side by side.

    Test databases go with whoever is still connected to them. Where several processes test, they
    copy one that is migrated once.
    """
    config.pluginmanager.register(shared)
    DatabaseCreation._destroy_test_db = databases.drop  # type: ignore[attr-defined]
    given = getattr(config, "workerinput", None)
    if given is not None:
        if "template" in given:
            create = template.copying(
                given["template"], Path(given["template_mark"]), DatabaseCreation.create_test_db
            )
            DatabaseCreation.create_test_db = create  # type: ignore[method-assign]
        return
    # As a process beside the tests, which take the files unhashed.
    outside = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    outside.setdefault("SECRET_KEY", "for-tests-only-" + "0" * 40)
    if getattr(config.option, "tx", None) and not (config.option.reuse_db or _only_lists(config)):
        folder = Path(tempfile.mkdtemp(prefix="millstream-template-"))
        config.stash[TEMPLATE] = template.Template(folder / "mark", outside)
    command = [sys.executable, "-m", "tools.prepare", "static"]
    subprocess.run(command, cwd=ROOT, env=outside, check=True)


def _only_lists(config: pytest.Config) -> bool:
    return bool(config.option.collectonly)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process of the tests what it may copy."""
    if made := node.config.stash.get(TEMPLATE, None):
        node.workerinput |= {"template": made.name, "template_mark": str(made.mark)}


def pytest_unconfigure(config: pytest.Config) -> None:
    """Nothing is left of the template."""
    if made := config.stash.get(TEMPLATE, None):
        made.drop()
        shutil.rmtree(made.mark.parent)


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is loaded by now stays: nobody looks through it for garbage, nor as often as before."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long tests first, in every process: nobody shall wait for one at the end."""
    processes = getattr(config, "workerinput", {}).get("workercount", 1)
    items[:] = dealing.dealt(shared.together(items), processes)


@pytest.fixture(scope="session", autouse=True)
def _emptied_quickly() -> Iterator[None]:
    with emptied_quickly():
        yield


@pytest.fixture(scope="session", autouse=True)
def _static_files_on_demand() -> Iterator[None]:
    """Each test client builds the middleware anew; it must not read all static files for that."""
    with override_settings(WHITENOISE_AUTOREFRESH=True):
        yield


@pytest.fixture(scope="session", autouse=True)
def _cheap_hashes() -> Iterator[None]:
    """Passwords are hashed as always, but without the work that a thief shall have."""
    with pytest.MonkeyPatch.context() as patched:
        for cost in ("time_cost", "parallelism"):
            patched.setattr(Argon2PasswordHasher, cost, 1)
        patched.setattr(Argon2PasswordHasher, "memory_cost", 8)
        yield


@pytest.fixture(scope="session")
def demo_factory(tmp_path_factory: pytest.TempPathFactory) -> DemoFactory:
    """The demo factory for tests that commit; the processes of one run share it."""
    folder = tmp_path_factory.getbasetemp()
    return DemoFactory(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder)


@pytest.fixture
def now() -> datetime:
    """A Monday morning in the plant."""
    return datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


@pytest.fixture
def user_for(db: None) -> UserFor:
    """One user per role, made when first asked for; the username is the role's name."""
    users: dict[Role, User] = {}

    def user_for(role: Role | str) -> User:
        role = Role(role)
        if role not in users:
            users[role] = UserFactory(username=role.value, roles=[role.value])
        return users[role]

    return user_for


@pytest.fixture
def client_for(user_for: UserFor) -> ClientFor:
    """A browser with the role's user logged in; without a role, an anonymous one."""

    def client_for(role: Role | str | None = None) -> Client:
        client = Client()
        if role is not None:
            client.force_login(user_for(role), backend="django.contrib.auth.backends.ModelBackend")
        return client

    return client_for


@pytest.fixture
def api_client_for(user_for: UserFor) -> ApiClientFor:
    """A program with the role's token; without a role, one with none."""

    def api_client_for(role: Role | str | None = None) -> APIClient:
        client = APIClient()
        if role is not None:
            token = api_tokens.create(user=user_for(role), now=timezone.now())
            client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
        return client

    return api_client_for
