"""What tests share is made once, and each finds it as it was made: in whatever order they run."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from django.utils import timezone

from common.models import User
from tests.aps.factories import MONDAY
from tests.factories import UserFactory
from tests.shared import shared, shared_by, together

pytestmark = pytest.mark.django_db
made: list[str] = []


@shared(at=MONDAY, SOLVE_SECONDS=0.07)
def ada() -> User:
    """Somebody, and how often she was made."""
    made.append(f"{timezone.now():%H:%M} {django_settings.SOLVE_SECONDS}")
    # A commit that must be outermost is as good here as in a test.
    with transaction.atomic(durable=True):
        return UserFactory(username="ada", first_name="Ada", roles=["sales"])


@shared()
def bob() -> User:
    """Somebody that others share."""
    return UserFactory(username="bob")


@pytest.mark.parametrize("time", range(3))
def test_each_finds_it_unchanged_and_may_change_it(ada: User, user_for: Any, time: int) -> None:
    assert ada.first_name == User.objects.get().first_name == "Ada"
    ada.first_name = f"Changed {time}"
    ada.save()
    user_for("planner")
    assert User.objects.count() == 2


@pytest.mark.parametrize("time", range(3))
def test_it_is_made_once_at_its_moment_and_with_its_settings(ada: User, time: int) -> None:
    assert made[-1] == "08:00 0.07"
    assert timezone.now() != MONDAY
    # The settings hold for who shares it.
    assert django_settings.SOLVE_SECONDS == 0.07
    assert ada.roles == ["sales"]


def test_even_what_is_deleted_is_there_again(ada: User) -> None:
    ada.delete()
    assert not User.objects.exists()


@pytest.mark.parametrize("time", range(2))
def test_who_shares_something_else_does_not_see_it(bob: User, time: int) -> None:
    assert list(User.objects.all()) == [bob]
    assert bob.first_name != "Bobby"
    bob.first_name = "Bobby"
    bob.save()


@pytest.mark.parametrize("time", range(2))
def test_who_shares_nothing_sees_nothing_of_it(time: int) -> None:
    assert not User.objects.exists()
    assert django_settings.SOLVE_SECONDS != 0.07
    UserFactory()


def test_it_is_not_made_again_for_the_next_test(
    ada: User, request: pytest.FixtureRequest, django_db_blocker: Any
) -> None:
    kept = shared_by(request.node)
    assert kept
    count = len(made)
    kept.open(django_db_blocker)
    assert len(made) == count
    assert kept.copied() == ada
    assert kept.copied() is not ada


def test_tests_that_share_come_together_and_files_stay_where_they_are() -> None:
    one, two = SimpleNamespace(shared=object()), SimpleNamespace(shared=object())

    def item(file: str, name: int, kept: Any) -> Any:
        known = {"made": [SimpleNamespace(func=kept)]} if kept else {}
        return SimpleNamespace(
            path=file, name=name, _fixtureinfo=SimpleNamespace(name2fixturedefs=known)
        )

    items = [
        *(item("a", n, kept) for n, kept in enumerate((None, one, two, one, None))),
        *(item("b", n, one) for n in range(2)),
        *(item("a", n, None) for n in range(5, 7)),
    ]
    found = [(each.path, each.name) for each in together(items)]
    assert found == [
        *(("a", n) for n in (0, 4, 1, 3, 2)),
        *(("b", n) for n in range(2)),
        *(("a", n) for n in (5, 6)),
    ]
