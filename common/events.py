"""Facts that apps publish; config/subscriptions.py says which jobs they ask for."""

import dataclasses
import string
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db import connection

from common import live_channel
from common.jobs import NotInTransaction, Request, enqueue_many
from common.models import Event, User

_EVENTS: dict[str, type["DomainEvent"]] = {}


class DomainEvent:
    """A fact in the past tense. Subclasses are frozen dataclasses of ids and set ``topic``::

    @dataclass(frozen=True)
    class WorkOrderReleased(DomainEvent):
        topic: ClassVar[str] = "mes.work_order.released"
        work_order_id: int
    """

    topic: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        topic = cls.__dict__.get("topic")
        if not topic:
            raise TypeError(f"{cls.__name__} needs a topic such as 'mes.work_order.released'.")
        other = _EVENTS.get(topic)
        if other is not None and other.__qualname__ != cls.__qualname__:
            raise TypeError(f"{cls.__name__} and {other.__name__} have the same topic {topic!r}.")
        _EVENTS[topic] = cls


@dataclass(frozen=True)
class Reaction:
    """One job that a fact asks for."""

    # The name of a registered job.
    job: str
    # The job's business identity, a format string over the event's fields and {event_id}:
    # "convert:{order_id}:{revision}".
    key: str
    # Which of the event's fields become the job's arguments.
    arguments: tuple[str, ...] = ()
    # A format string; jobs of one group run in order of creation, one at a time.
    group_key: str = ""
    # Equal waiting jobs (job and group_key) are one.
    coalesce: bool = False
    # Debounce: how long after the first such fact the job is due.
    delay_seconds: Callable[[], float] | float = 0

    def fields(self) -> frozenset[str]:
        """The event's fields that this reaction reads."""
        formats = (self.key, self.group_key)
        named = {name for text in formats for _, name, _, _ in string.Formatter().parse(text)}
        return frozenset({name for name in named if name} | set(self.arguments)) - {"event_id"}

    def delay(self) -> timedelta:
        """How long the job waits after the fact."""
        seconds = self.delay_seconds() if callable(self.delay_seconds) else self.delay_seconds
        return timedelta(seconds=seconds)


def find(topic: str) -> type[DomainEvent]:
    """The event class of a topic; raise KeyError."""
    return _EVENTS[topic]


def publish(event: DomainEvent, *, by: User | None, now: datetime) -> None:
    """Write the fact and a job for each reaction to it, in the transaction that made it true.

    Raise NotInTransaction outside ``atomic()``.
    """
    from config.subscriptions import LIVE, SUBSCRIPTIONS

    if not connection.in_atomic_block:
        raise NotInTransaction("A fact is published in the transaction that makes it true.")
    payload = _payload(event)
    row = Event.objects.create(topic=event.topic, payload=payload, actor=by, at=now)
    if event.topic in LIVE:
        topics = [name.format(**payload) for name in LIVE[event.topic]]
        live_channel.announce(topics, version=int(now.timestamp() * 1_000_000))
    requests = [
        _request(reaction, {**payload, "event_id": str(row.pk)}, now)
        for reaction in SUBSCRIPTIONS.get(event.topic, [])
    ]
    if requests:
        enqueue_many(requests, now=now, by=by)


def _request(reaction: Reaction, fields: dict[str, Any], now: datetime) -> Request:
    delay = reaction.delay()
    return Request(
        name=reaction.job,
        key=reaction.key.format(**fields),
        arguments={name: fields[name] for name in reaction.arguments},
        group_key=reaction.group_key.format(**fields),
        coalesce=reaction.coalesce,
        run_at=now + delay if delay else None,
    )


def _payload(event: DomainEvent) -> dict[str, Any]:
    if not dataclasses.is_dataclass(event):
        raise TypeError(f"{type(event).__name__} must be a frozen dataclass.")
    payload = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
    for name, value in payload.items():
        # Ids only: a reader of the fact looks up the present state and is never out of date.
        if not isinstance(value, int | str | None):
            kind = type(value).__name__
            raise TypeError(f"{type(event).__name__}.{name} must be an id or a word, not {kind}.")
    return payload
