"""Machines that speak MQTT: one connection, messages gathered into batches, acknowledged once kept.

Topics ``millstream/<site>/<unit>/state|count|parameter``, bodies JSON::

    {"id": "4711", "at": "2026-11-22T10:00:00Z", "state": "running"}
    {"id": "4712", "at": "…", "good": 5, "scrap": 0}
    {"id": "4713", "at": "…", "name": "spindle_c", "value": 41.5}

Without ``at`` our clock counts, and without ``id`` a repeat cannot be told from a second message.
What was said while nobody listened waits at the broker, in the session that is kept for us.
A last will says ``{"state": "unknown"}``: a connection that is gone is no machine that is down.
"""

import hashlib
import json
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from queue import Empty, Full, Queue
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections
from django.utils import timezone
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from common.models import Heartbeat
from masterdata import selectors as masterdata
from mes.enums import MachineEventKind
from mes.services import machine_events, machine_parsing

logger = logging.getLogger(__name__)

TOPICS = "millstream/+/+/+"
KINDS = frozenset(MachineEventKind.values)
KEEPALIVE_SECONDS = 60
MOST_IN_BATCH = 500
BATCH_SECONDS = 0.3
LONGEST_BODY = 10_000
# So many messages wait in memory; then nothing is read any more, and the broker has to wait.
MOST_WAITING = 5_000
# So often a reader that waits for room looks whether it is to end.
LOOK_SECONDS = 0.5
# Units that are new in the master data are known after so long.
UNITS_SECONDS = 30.0
RETRY_SECONDS = 2.0
# Who watches us reads when we last had both the broker and the database.
BEAT = "machines"
BEAT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it came; ``mid`` and ``qos`` are what it is acknowledged by."""

    topic: str
    body: bytes
    mid: int
    qos: int
    # By our clock; tried again later it is still the same message.
    at: datetime = field(default_factory=timezone.now)


class Unreadable(Exception):
    """The message says nothing that could be kept."""


class Listener:
    """Takes messages from a broker until it is stopped; outlives the loss of either side."""

    def __init__(self, url: str, *, client_id: str = "") -> None:
        self.parts = urlsplit(url)
        # A session that is kept: what comes while nobody listens waits at the broker.
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id or settings.MQTT_CLIENT_ID,
            clean_session=False,
            manual_ack=True,
        )
        if self.parts.username:
            self.client.username_pw_set(
                unquote(self.parts.username), unquote(self.parts.password or "")
            )
        if self.parts.scheme == "mqtts":
            self.client.tls_set()
        self.client.on_connect = self._subscribe
        self.client.on_message = self._queue
        self.client.reconnect_delay_set(1, 30)
        self.waiting: Queue[Message] = Queue(MOST_WAITING)
        self._stopping = threading.Event()
        self.kept = 0
        self.refused = 0
        self._units: dict[tuple[str, str], int] = {}
        self._units_at = 0.0
        self._beat_at = -BEAT_SECONDS

    def run(self, stop: threading.Event) -> None:
        """Listen until ``stop`` is set."""
        host, port = self.parts.hostname or "localhost", self.parts.port or 1883
        self.client.connect_async(host, port, keepalive=KEEPALIVE_SECONDS)
        self.client.loop_start()
        try:
            while not stop.is_set():
                self._beat()
                batch = self._batch()
                while batch and not self._keep(batch):
                    # Nothing is acknowledged, so nothing is lost.
                    if stop.wait(RETRY_SECONDS):
                        return
        finally:
            self._stopping.set()
            self.client.disconnect()
            self.client.loop_stop()

    def _beat(self) -> None:
        if time.monotonic() - self._beat_at < BEAT_SECONDS or not self.client.is_connected():
            return
        try:
            Heartbeat.objects.update_or_create(name=BEAT, defaults={"at": timezone.now()})
        except (DatabaseError, InterfaceError) as error:
            logger.warning("The database did not answer: %s", error)
        finally:
            connections.close_all()
        self._beat_at = time.monotonic()

    def _subscribe(self, client: Any, *_args: Any) -> None:
        client.subscribe(TOPICS, qos=1)
        logger.info("Listening to machines.")

    def _queue(self, _client: Any, _data: Any, message: Any) -> None:
        """Called by the thread that reads: while it waits for room, nothing more is read.

        A broker that loses patience with us keeps what was not acknowledged, and says it again.
        """
        try:
            topic = message.topic
        except UnicodeDecodeError:
            # What is raised here ends the thread that reads, and the broker would say it again.
            logger.warning("Refused a topic that is no text.")
            self.refused += 1
            self.client.ack(message.mid, message.qos)
            return
        found = Message(topic, message.payload, message.mid, message.qos)
        while not self._stopping.is_set():
            try:
                self.waiting.put(found, timeout=LOOK_SECONDS)
            except Full:
                continue
            return

    def _batch(self) -> list[Message]:
        """What comes within a moment, not more than may be kept at once."""
        found: list[Message] = []
        ends = time.monotonic() + BATCH_SECONDS
        while len(found) < MOST_IN_BATCH and (left := ends - time.monotonic()) > 0:
            try:
                found.append(self.waiting.get(timeout=left))
            except Empty:
                break
        return found

    def _keep(self, batch: Sequence[Message]) -> bool:
        """Store the batch and acknowledge it; whether the database was there."""
        now = timezone.now()
        by_source: dict[str, list[machine_parsing.Row]] = {}
        refused = 0
        try:
            units = self._known_units()
            for message in batch:
                try:
                    source, row = read(message.topic, message.body, units=units, now=message.at)
                except Unreadable as error:
                    refused += 1
                    logger.warning("Refused from %s: %s", message.topic[:100], error)
                else:
                    by_source.setdefault(source, []).append(row)
            for source, rows in by_source.items():
                machine_events.record(source=source, rows=rows, by=None, now=now)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("The database did not answer, trying again: %s", error)
            return False
        finally:
            connections.close_all()
        self.kept += len(batch) - refused
        self.refused += refused
        for message in batch:
            self.client.ack(message.mid, message.qos)
        return True

    def _known_units(self) -> dict[tuple[str, str], int]:
        if time.monotonic() - self._units_at > UNITS_SECONDS or not self._units:
            self._units = masterdata.units_by_site()
            self._units_at = time.monotonic()
        return self._units


def read(
    topic: str, body: bytes, *, units: dict[tuple[str, str], int], now: datetime
) -> tuple[str, machine_parsing.Row]:
    """Source and row of a message; raise Unreadable."""
    words = topic.split("/")
    if len(words) != 4 or words[0] != "millstream" or words[3] not in KINDS:
        raise Unreadable("not a topic of ours")
    _root, site, unit, kind = words
    if (site, unit) not in units:
        raise Unreadable("no such work unit")
    if len(body) > LONGEST_BODY:
        raise Unreadable("too long")
    try:
        event = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {error}") from None
    if not isinstance(event, dict):
        raise Unreadable("not an object")
    event = {**event, "unit": unit, "kind": kind}
    event.setdefault("at", now.isoformat())
    if "id" not in event:
        event["id"] = hashlib.sha256(body + ascii(event["at"]).encode()).hexdigest()[:40]
    try:
        [row] = machine_parsing.parse([event], units={unit: units[site, unit]}, now=now)
    except machine_parsing.Invalid as invalid:
        raise Unreadable(invalid.errors[0]) from None
    return f"mqtt/{site}/{unit}"[:80], row
