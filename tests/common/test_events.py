"""Facts and the jobs they ask for."""

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest
from django.utils.module_loading import autodiscover_modules

from common import events
from common.events import DomainEvent, Reaction, publish
from common.jobs import NotInTransaction, registry, run_due, wakeups
from common.models import Event, Job, User
from config import subscriptions
from tests.faults.toy_jobs import effects

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class ToyBroken(DomainEvent):
    topic: ClassVar[str] = "toy.broken"
    n: int
    revision: int = 1


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wakeups, "send", lambda jobs: None)


def react(monkeypatch: pytest.MonkeyPatch, *reactions: Reaction) -> None:
    monkeypatch.setitem(subscriptions.SUBSCRIPTIONS, ToyBroken.topic, list(reactions))


@pytest.mark.django_db(transaction=True)
def test_publish_refuses_outside_a_transaction() -> None:
    with pytest.raises(NotInTransaction):
        publish(ToyBroken(n=1), by=None, now=NOW)
    assert not Event.objects.exists()


@pytest.mark.django_db
def test_a_fact_is_written_with_one_job_per_reaction(monkeypatch: pytest.MonkeyPatch) -> None:
    react(
        monkeypatch,
        Reaction("toy.write", key="mend:{n}:{revision}", arguments=("n",), group_key="toy:{n}"),
        Reaction("toy.write_and_fail", key="tell:{event_id}", arguments=("n",)),
    )
    by = User.objects.create(username="sales")
    publish(ToyBroken(n=7), by=by, now=NOW)
    event = Event.objects.get()
    assert (event.topic, event.payload) == ("toy.broken", {"n": 7, "revision": 1})
    assert (event.actor, event.at) == (by, NOW)
    first, second = Job.objects.order_by("pk")
    assert (first.key, first.group_key, first.arguments) == ("mend:7:1", "toy:7", {"n": 7})
    assert first.actor == by
    assert second.key == f"tell:{event.pk}"
    run_due(now=NOW)
    assert effects() == [7]


@pytest.mark.django_db
def test_the_same_fact_twice_asks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    react(monkeypatch, Reaction("toy.write", key="mend:{n}", arguments=("n",)))
    publish(ToyBroken(n=7), by=None, now=NOW)
    publish(ToyBroken(n=7), by=None, now=NOW)
    assert (Event.objects.count(), Job.objects.count()) == (2, 1)


@pytest.mark.django_db
@pytest.mark.parametrize("delay", [2.5, lambda: 2.5])
def test_a_debounced_reaction_waits_and_many_facts_become_one_job(
    monkeypatch: pytest.MonkeyPatch, delay: float
) -> None:
    reaction = Reaction(
        "toy.write", key="plan", arguments=("n",), group_key="plan", coalesce=True,
        delay_seconds=delay,
    )  # fmt: skip
    react(monkeypatch, reaction)
    for second in range(3):
        publish(ToyBroken(n=7), by=None, now=NOW + timedelta(seconds=second))
    assert Job.objects.get().run_at == NOW + timedelta(seconds=2.5)


@pytest.mark.django_db
def test_a_fact_that_nobody_reacts_to_is_still_kept() -> None:
    publish(ToyBroken(n=7), by=None, now=NOW)
    assert Event.objects.count() == 1
    assert not Job.objects.exists()


@pytest.mark.django_db
def test_a_fact_carries_ids_and_no_objects() -> None:
    @dataclass(frozen=True)
    class ToyCarried(DomainEvent):
        topic: ClassVar[str] = "toy.carried"
        user: User

    with pytest.raises(TypeError, match="ToyCarried.user"):
        publish(ToyCarried(user=User()), by=None, now=NOW)


def test_a_topic_is_stated_and_belongs_to_one_event() -> None:
    with pytest.raises(TypeError, match="needs a topic"):
        type("ToyUnnamed", (DomainEvent,), {})
    with pytest.raises(TypeError, match="same topic"):
        type("ToyOther", (DomainEvent,), {"topic": ToyBroken.topic})


def unsound(topic: str, reaction: Reaction) -> list[str]:
    """What is wrong with a line of the table of subscriptions."""
    try:
        event = events.find(topic)
        spec = registry.find(reaction.job)
    except (KeyError, registry.UnknownJob) as missing:
        return [f"{topic} -> {reaction.job}: {missing}"]
    fields = {field.name for field in dataclasses.fields(event)}  # type: ignore[arg-type]
    found = []
    if unknown := reaction.fields() - fields:
        found.append(f"{topic} -> {reaction.job}: the event has no {sorted(unknown)}")
    if set(reaction.arguments) != spec.parameters:
        found.append(f"{topic} -> {reaction.job}: the job takes {sorted(spec.parameters)}")
    return found


def test_every_subscription_names_an_event_a_job_and_its_arguments() -> None:
    autodiscover_modules("events")
    found = [
        problem
        for topic, reactions in subscriptions.SUBSCRIPTIONS.items()
        for reaction in reactions
        for problem in unsound(topic, reaction)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("topic", "reaction"),
    [
        ("toy.unknown", Reaction("toy.write", key="a", arguments=("n",))),
        ("toy.broken", Reaction("toy.unknown", key="a", arguments=("n",))),
        ("toy.broken", Reaction("toy.write", key="a:{order_id}", arguments=("n",))),
        ("toy.broken", Reaction("toy.write", key="a", arguments=())),
    ],
)
def test_an_unsound_subscription_is_found(topic: str, reaction: Reaction) -> None:
    """The control."""
    assert unsound(topic, reaction)
