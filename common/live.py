"""Live updates: a page is told *that* something changed, and fetches the piece again by itself.

A fact that concerns a live topic (``config.subscriptions.LIVE``) is announced by ``pg_notify`` in
its own transaction, so it is heard when it is true. One thread per web process listens, with one
connection, for all streams of the process; a stream holds none. docs/adr/0006-live-updates.md.
"""

import hashlib
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse
from psycopg import Connection
from psycopg import Error as PostgresError

from common import permissions
from common.alone import connect_alone
from common.live_channel import CHANNEL
from common.models import User

logger = logging.getLogger(__name__)

# The kinds of topics, "floor:1" is that of a site, and who may hear of them.
TOPICS: dict[str, str] = {
    "floor": "mes.view_dispatch",
    "andon": "mes.view_andon",
    "plan": "aps.view_schedule",
    "supply": "erp.view_planning",
}
MOST_TOPICS = 20
# A stream ends after so long and the browser opens another one: rights are asked again, and
# processes that have just started get their share.
LIFE_SECONDS = 300.0
PING_SECONDS = 15.0
# How soon a stream notices that its process ends.
TICK_SECONDS = 1.0
START_SECONDS = 5.0
LISTEN_SECONDS = 5.0
LONGEST_PAUSE = 15.0

_TOPIC = re.compile(r"[a-z]{1,20}:[0-9]{1,18}")
# What differs between two renderings of the same: the masked token, forms' keys, random ids.
_NOISE = re.compile(
    rb'name="(?:csrfmiddlewaretoken|idempotency_key)" value="[^"]*"|\b[a-z]+-[0-9a-f]{8}\b'
)
KNOWN_HEADER = "X-Live-Known"
VERSION_HEADER = "X-Live-Version"


class Full(Exception):
    """This process holds as many streams as it may, or as many of this person."""


class UnknownTopic(Exception):
    """There is no such topic."""


def topics_of(text: str) -> list[str]:
    """The topics of a request, comma-separated; raise UnknownTopic."""
    found = sorted({word.strip() for word in text.split(",") if word.strip()})
    if not 0 < len(found) <= MOST_TOPICS:
        raise UnknownTopic(text[:100])
    for topic in found:
        if not _TOPIC.fullmatch(topic) or topic.partition(":")[0] not in TOPICS:
            raise UnknownTopic(topic[:100])
    return found


def may_hear(user: User, topics: Iterable[str]) -> bool:
    """Whether the user holds the right of each topic."""
    kinds = {topic.partition(":")[0] for topic in topics}
    return all(permissions.allowed(user, TOPICS[kind]) for kind in kinds)


def answer_if_changed(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """A rendered fragment, or 204 where the browser shows exactly this already."""
    if not getattr(request, "htmx", False) or response.status_code != 200:
        return response
    digest = hashlib.sha256(_NOISE.sub(b"", response.content)).hexdigest()[:32]
    if request.headers.get(KNOWN_HEADER) == digest:
        response = HttpResponse(status=204)
    response.headers[VERSION_HEADER] = digest
    return response


class Stream:
    """What one browser waits for; an iterator of server-sent events that must be closed."""

    def __init__(self, hub: "Hub", topics: Iterable[str], owner: int | None = None) -> None:
        self.topics = frozenset(topics)
        self.owner = owner
        self._hub = hub
        self._pending: dict[str, int] = {}
        self._wake = threading.Condition()
        self._lines = self._events()

    def put(self, topic: str, version: int) -> None:
        """Wake the stream; "*" stands for all its topics."""
        with self._wake:
            for name in self.topics if topic == "*" else self.topics & {topic}:
                self._pending[name] = version
            self._wake.notify()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._lines)

    def close(self) -> None:
        """Give the place back; the server calls it when the browser is gone."""
        self._hub.leave(self)

    def _events(self) -> Iterator[bytes]:
        _let_go_of_the_database()
        if not self._hub.wait_until_listening(START_SECONDS):
            return
        # Whoever connects looks again: what changed before is not told twice.
        yield b"retry: 5000\nevent: hello\ndata: {}\n\n"
        ends = time.monotonic() + LIFE_SECONDS
        spoken = time.monotonic()
        while time.monotonic() < ends and not self._hub.is_stopping():
            found = self._take()
            if found:
                for topic, version in sorted(found.items()):
                    data = json.dumps({"topic": topic, "version": version})
                    yield f"event: changed\ndata: {data}\n\n".encode()
                spoken = time.monotonic()
            elif time.monotonic() - spoken >= PING_SECONDS:
                yield b": \n\n"
                spoken = time.monotonic()

    def _take(self) -> dict[str, int]:
        with self._wake:
            if not self._pending:
                self._wake.wait(TICK_SECONDS)
            found, self._pending = self._pending, {}
        return found


class Hub:
    """The streams of one process, and the thread that listens for them while there are any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._streams: set[Stream] = set()
        self._thread: threading.Thread | None = None
        self._listening = threading.Event()
        self.is_stopping: Callable[[], bool] = lambda: False

    def open(self, topics: Iterable[str], owner: int | None = None) -> Stream:
        """A stream of these topics; raise Full. One person gets at most half of the places."""
        with self._lock:
            if len(self._streams) >= settings.LIVE_STREAMS or self.is_stopping():
                raise Full
            mine = sum(stream.owner == owner for stream in self._streams)
            if owner is not None and mine >= max(1, settings.LIVE_STREAMS // 2):
                raise Full
            stream = Stream(self, topics, owner)
            self._streams.add(stream)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="live", daemon=True)
                self._thread.start()
        return stream

    def leave(self, stream: Stream) -> None:
        """Forget the stream."""
        with self._lock:
            self._streams.discard(stream)

    def count(self) -> int:
        """How many streams are open."""
        with self._lock:
            return len(self._streams)

    def wait_until_listening(self, seconds: float) -> bool:
        """Whether news is heard, within so many seconds."""
        return self._listening.wait(seconds)

    def publish(self, topic: str, version: int) -> None:
        """Wake the streams of the topic."""
        with self._lock:
            streams = list(self._streams)
        for stream in streams:
            stream.put(topic, version)

    def _run(self) -> None:
        pause = 1.0
        while not self._is_over():
            try:
                with _listening_connection() as listener:
                    self._listening.set()
                    # What was said while nobody listened.
                    self.publish("*", 0)
                    pause = 1.0
                    while not self._is_over():
                        for notice in listener.notifies(timeout=LISTEN_SECONDS, stop_after=50):
                            self._hear(notice.payload)
            except (PostgresError, DatabaseError, InterfaceError, OSError) as error:
                self._listening.clear()
                logger.warning("Live updates lost the database, trying again: %s", error)
                time.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    def _is_over(self) -> bool:
        """Whether nobody listens any more; then the thread ends and its connection with it."""
        with self._lock:
            if self._streams:
                return False
            self._thread = None
            self._listening.clear()
            return True

    def _hear(self, payload: str) -> None:
        topic, _space, version = payload.partition(" ")
        if version.isdigit():
            self.publish(topic, int(version))


HUB = Hub()


def stop_when(is_stopping: Callable[[], bool]) -> None:
    """Let the streams of this process end soon after that has become true."""
    HUB.is_stopping = is_stopping


def _listening_connection() -> "Connection[Any]":
    listener = connect_alone()
    listener.execute(f"LISTEN {CHANNEL}")
    return listener


def _let_go_of_the_database() -> None:
    """What the request has read its user with goes back: a stream lasts for minutes."""
    if not connection.in_atomic_block:
        connection.close()
