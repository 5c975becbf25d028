"""Machines that speak MQTT, through a real broker; hostile messages are refused, none is lost."""

import asyncio
import json
import socket
import threading
import time
from datetime import UTC, datetime

import pytest
from amqtt.broker import Broker
from django.db import DatabaseError
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from common.models import Heartbeat
from mes import mqtt
from mes.models import MachineEvent
from mes.mqtt import Listener, Unreadable, read
from mes.services import machine_events
from tests.faults.live import wait_until
from tests.masterdata.factories import SiteFactory, WorkCenterFactory, WorkUnitFactory

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
UNITS = {("DETROIT", "MILL-1"): 7}
TOPIC = "millstream/DETROIT/MILL-1/state"


# One message.


def test_a_message_is_its_topic_and_its_body():
    source, row = read(
        "millstream/DETROIT/MILL-1/count",
        b'{"id": "9", "at": "2026-11-23T06:59:00Z", "good": 3}',
        units=UNITS,
        now=NOW,
    )
    assert source == "mqtt/DETROIT/MILL-1"
    assert (row.unit_id, row.event_id, row.kind, row.good, row.scrap) == (7, "9", "count", 3, 0)
    assert row.at.minute == 59


def test_a_last_will_knows_no_moment_and_is_unknown_not_down():
    _source, row = read(TOPIC, b'{"state": "unknown"}', units=UNITS, now=NOW)
    assert (row.status, row.at) == ("unknown", NOW)
    assert row.event_id


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        (TOPIC, b""),
        (TOPIC, b"\xff\xfe"),
        (TOPIC, b"[]"),
        (TOPIC, b"null"),
        (TOPIC, b'{"state": "on fire"}'),
        (TOPIC, b'{"state": "down", "unit": "OTHER", "extra": 1}'),
        (TOPIC, b'{"state": "down", "at": 5}'),
        (TOPIC, b'{"state": "down", "at": "1999-01-01T00:00:00Z"}'),
        (TOPIC, b'{"state": "down", "id": ""}'),
        # Half a character, as JSON can write it.
        (TOPIC, b'{"state": "down", "at": "\\ud800"}'),
        (TOPIC, b"[" * 9_000),
        (TOPIC, b'{"state": "' + b"x" * 20_000 + b'"}'),
        ("millstream/DETROIT/MILL-1/parameter", b'{"name": "t", "value": NaN}'),
        ("millstream/ELSEWHERE/MILL-1/state", b'{"state": "down"}'),
        ("millstream/DETROIT/MILL-9/state", b'{"state": "down"}'),
        ("millstream/DETROIT/MILL-1/gossip", b'{"state": "down"}'),
        ("other/DETROIT/MILL-1/state", b'{"state": "down"}'),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(topic, body):
    with pytest.raises(Unreadable):
        read(topic, body, units=UNITS, now=NOW)


# A batch.


@pytest.fixture
def offline(monkeypatch):
    """A listener without a broker, and the units that it knows."""
    listener = Listener("mqtt://nowhere")
    monkeypatch.setattr(listener, "_known_units", lambda: UNITS)
    monkeypatch.setattr(listener.client, "ack", lambda *_: None)
    monkeypatch.setattr(mqtt, "connections", type("Kept", (), {"close_all": lambda: None}))
    return listener


def test_messages_without_an_id_count_each_once_however_often_they_are_tried(offline, monkeypatch):
    kept, down = [], [DatabaseError("away")]

    def record(*, rows, **_rest):
        kept.extend(row.event_id for row in rows)
        if down:
            raise down.pop()

    monkeypatch.setattr(machine_events, "record", record)
    for _piece in range(2):
        sent = paho.MQTTMessage(topic=b"millstream/DETROIT/MILL-1/count")
        sent.payload = b'{"good": 1}'
        offline._queue(None, None, sent)
    batch = offline._batch()
    assert not offline._keep(batch)
    first, kept[:] = list(kept), []
    assert offline._keep(batch)
    assert kept == first
    assert len(set(kept)) == 2


def test_a_topic_that_is_no_text_does_not_end_the_thread_that_reads(offline, monkeypatch):
    said = []
    monkeypatch.setattr(offline.client, "ack", lambda *mid: said.append(mid))
    sent = paho.MQTTMessage(mid=7, topic=b"millstream/\xff/MILL-1/state")
    sent.payload, sent.qos = b'{"state": "down"}', 1
    # As the library calls it: what its callback raises ends its thread.
    offline.client._handle_on_message(sent)
    assert said == [(7, 1)]
    assert (offline.refused, offline.waiting.empty()) == (1, True)


# Through a broker.


class LiveBroker:
    """An MQTT broker in a thread of this process."""

    def __init__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        # By name: it keeps no session of somebody without one.
        self.url = f"mqtt://millstream:secret@127.0.0.1:{self.port}"
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self._wait(self._start())

    async def _start(self):
        self.broker = Broker(
            {
                "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{self.port}"}},
                "plugins": {
                    "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": False}
                },
            },
            loop=self.loop,
        )
        await self.broker.start()

    def stop(self):
        self._wait(self.broker.shutdown())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    def _wait(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(20)


@pytest.fixture
def broker():
    broker = LiveBroker()
    yield broker
    broker.stop()


@pytest.fixture
def machine(broker):
    """A machine's own connection."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="mill-1")
    client.username_pw_set("mill-1", "secret")
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    yield client
    client.disconnect()
    client.loop_stop()


@pytest.fixture
def listening(broker):
    """``listening()`` runs a listener in a thread until the test ends."""
    running = []

    def start():
        stop, listener = threading.Event(), Listener(broker.url, client_id="listener-of-tests")
        thread = threading.Thread(target=listener.run, args=[stop], daemon=True)
        thread.start()
        wait_until(listener.client.is_connected, 20)
        time.sleep(0.3)  # ... and has subscribed.

        def end():
            stop.set()
            thread.join(20)

        running.append(end)
        listener.end = end
        return listener

    yield start
    for end in running:
        end()


def say(machine, kind, **body):
    topic = f"millstream/DETROIT/MILL-1/{kind}"
    machine.publish(topic, json.dumps(body), qos=1).wait_for_publish(20)


def kept():
    return list(MachineEvent.objects.order_by("event_id").values_list("event_id", flat=True))


@pytest.mark.django_db(transaction=True)
def test_what_a_machine_says_is_kept_once_and_what_is_hostile_stops_nothing(
    machine, listening, mill, monkeypatch
):
    listener = listening()
    say(machine, "state", id="1", state="running")
    say(machine, "count", id="2", good=5)
    machine.publish("millstream/DETROIT/MILL-1/state", b"\xff{", qos=1)
    say(machine, "parameter", id="3", name="spindle_c", value=41.5)
    say(machine, "state", id="1", state="running")
    wait_until(lambda: listener.kept + listener.refused == 5, 30)
    assert kept() == ["1", "2", "3"]
    assert listener.refused == 1

    # The database is away for a moment: the message waits for it.
    record, failures = machine_events.record, []

    def failing(**facts):
        if len(failures) < 2:
            failures.append(facts)
            raise DatabaseError("gone")
        return record(**facts)

    monkeypatch.setattr(machine_events, "record", failing)
    monkeypatch.setattr(mqtt, "RETRY_SECONDS", 0.05)
    say(machine, "state", id="4", state="idle")
    wait_until(lambda: "4" in kept(), 30)
    assert len(failures) == 2


@pytest.fixture
def mill(transactional_db):
    center = WorkCenterFactory(site=SiteFactory(code="DETROIT"))
    return WorkUnitFactory(code="MILL-1", work_center=center)


@pytest.mark.django_db(transaction=True)
def test_what_was_said_while_nobody_listened_arrives_afterwards_and_counts_once(
    machine, listening, mill, monkeypatch
):
    first = listening()
    say(machine, "count", id="before", good=1)
    wait_until(lambda: kept() == ["before"], 30)
    # It dies after the commit and before the broker has heard of it.
    monkeypatch.setattr(first.client, "ack", lambda *_: None)
    say(machine, "count", id="in doubt", good=1)
    wait_until(lambda: "in doubt" in kept(), 30)
    first.end()

    # The machine has had no answer either, and says it again.
    say(machine, "count", id="in doubt", good=1)
    for number in range(20):
        say(machine, "count", id=f"meanwhile {number:02}", good=1)
    expected = ["before", "in doubt", *(f"meanwhile {number:02}" for number in range(20))]
    assert kept() == ["before", "in doubt"]
    listening()
    wait_until(lambda: len(kept()) == len(expected), 30)
    say(machine, "count", id="now", good=1)
    wait_until(lambda: "now" in kept(), 30)
    assert kept() == sorted([*expected, "now"])


@pytest.mark.django_db(transaction=True)
def test_a_slow_database_makes_the_broker_wait_and_no_memory_grow(
    machine, listening, mill, monkeypatch
):
    monkeypatch.setattr(mqtt, "MOST_WAITING", 5)
    monkeypatch.setattr(mqtt, "MOST_IN_BATCH", 5)
    monkeypatch.setattr(mqtt, "RETRY_SECONDS", 0.05)
    record, is_slow, most = machine_events.record, threading.Event(), []
    is_slow.set()

    def slowly(**facts):
        most.append(listener.waiting.qsize())
        if is_slow.is_set():
            raise DatabaseError("busy")
        return record(**facts)

    monkeypatch.setattr(machine_events, "record", slowly)
    listener = listening()
    topic = TOPIC.replace("state", "count")
    sent = [machine.publish(topic, json.dumps({"id": f"{n:03}", "good": 1}), 1) for n in range(60)]
    wait_until(lambda: most and listener.waiting.full(), 30)
    is_slow.clear()
    wait_until(lambda: len(kept()) == len(sent), 60)
    assert max(most) <= 5
    assert kept() == [f"{n:03}" for n in range(60)]


@pytest.mark.django_db(transaction=True)
def test_the_listener_says_that_it_lives(machine, listening, mill):
    listening()
    wait_until(lambda: Heartbeat.objects.filter(name=mqtt.BEAT).exists(), 20)
