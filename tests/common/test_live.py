"""Live updates: told what changed, only who may hear it, with no connection held and an end."""

import json
import threading
import time

import pytest
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from common import events, live, live_channel
from common.enums import Role
from config.subscriptions import LIVE
from mes.events import IncidentChanged

URL = "/events/?topics="


@pytest.fixture
def hub(monkeypatch, settings):
    """A hub of this test's own."""
    settings.LIVE_STREAMS = 8
    hub = live.Hub()
    monkeypatch.setattr(live, "HUB", hub)
    monkeypatch.setattr(live, "LISTEN_SECONDS", 0.2)
    yield hub
    thread = hub._thread
    hub.is_stopping = lambda: True
    for stream in list(hub._streams):
        hub.leave(stream)
    if thread is not None and thread is not threading.current_thread():
        thread.join(10)


class Reader(threading.Thread):
    """Reads a stream in a thread of its own, as the server does."""

    def __init__(self, stream):
        super().__init__(daemon=True)
        self.stream = stream
        self.heard = []
        self.start()

    def run(self):
        for part in self.stream:
            for block in part.decode().split("\n\n"):
                lines = dict(line.partition(": ")[::2] for line in block.splitlines())
                if "event" in lines:
                    self.heard.append((lines["event"], json.loads(lines["data"])))
        self.stream.close()

    def wait_for(self, count):
        deadline = time.monotonic() + 10
        while len(self.heard) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.heard


# The database.


@pytest.mark.django_db(transaction=True)
def test_a_fact_is_heard_after_its_commit_by_those_who_listen_to_its_topic(hub):
    mine, other = Reader(hub.open(["andon:7"])), Reader(hub.open(["andon:8", "plan:7"]))
    assert mine.wait_for(1)[0] == ("hello", {})
    assert other.wait_for(1)[0] == ("hello", {})
    # What was said while nobody listened.
    before = len(mine.wait_for(2))
    with transaction.atomic():
        fact = IncidentChanged(incident_id=1, site_id=7, work_unit_id=2)
        events.publish(fact, by=None, now=timezone.now())
        time.sleep(0.3)
        assert len(mine.heard) == before, "not before the commit"
    kind, data = mine.wait_for(before + 1)[-1]
    assert (kind, data["topic"]) == ("changed", "andon:7")
    assert data["version"] > 0
    assert set(data) == {"topic", "version"}, "nothing of the fact itself"
    assert not any(data.get("topic") == "andon:7" for _kind, data in other.heard)


@pytest.mark.django_db(transaction=True)
def test_a_fact_that_is_rolled_back_is_never_heard(hub):
    reader = Reader(hub.open(["andon:7"]))
    before = len(reader.wait_for(2))
    with transaction.atomic():
        live_channel.announce(["andon:7"], version=1)
        transaction.set_rollback(True)
    live_channel.announce(["andon:7"], version=2)
    assert [data["version"] for _kind, data in reader.wait_for(before + 1)[before:]] == [2]


@pytest.mark.django_db(transaction=True)
def test_the_listener_that_loses_its_connection_comes_back_and_says_look_again(hub):
    reader = Reader(hub.open(["andon:7"]))
    before = len(reader.wait_for(2))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE query LIKE 'LISTEN millstream_live%%' AND datname = current_database()"
            " AND pid <> pg_backend_pid()"
        )
        assert cursor.fetchall()
    assert reader.wait_for(before + 1)[before][0] == "changed"


@pytest.mark.django_db(transaction=True)
def test_many_streams_share_one_connection_and_it_goes_with_the_last(hub):
    readers = [Reader(hub.open(["andon:7"])) for _ in range(4)]
    for reader in readers:
        reader.wait_for(1)

    def listeners():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN millstream_live%%'"
                " AND datname = current_database() AND pid <> pg_backend_pid()"
            )
            return cursor.fetchone()[0]

    assert listeners() == 1
    for reader in readers:
        hub.leave(reader.stream)
    deadline = time.monotonic() + 10
    while listeners() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert listeners() == 0


# The streams.


@pytest.mark.django_db(transaction=True)
def test_streams_end_when_their_process_is_asked_to(hub, monkeypatch):
    monkeypatch.setattr(live, "TICK_SECONDS", 0.05)
    reader = Reader(hub.open(["andon:7"]))
    reader.wait_for(1)
    hub.is_stopping = lambda: True
    reader.join(5)
    assert not reader.is_alive()
    assert hub.count() == 0
    with pytest.raises(live.Full):
        hub.open(["andon:7"])


def test_a_stream_that_was_never_read_gives_its_place_back(hub, settings):
    settings.LIVE_STREAMS = 1
    hub._thread = threading.current_thread()  # Nobody needs to listen.
    stream = hub.open(["andon:7"])
    with pytest.raises(live.Full):
        hub.open(["andon:7"])
    stream.close()
    hub.open(["andon:7"])


# The door.


@pytest.mark.parametrize(
    "topics",
    ["", "floor", "floor:x", "gossip:1", "floor:1;drop", ",".join(f"floor:{n}" for n in range(21))],
)
def test_a_topic_that_does_not_exist_is_400(client_for, topics):
    assert client_for(Role.OPERATOR).get(URL + topics).status_code == 400


def test_nobody_hears_what_they_may_not_see(client_for):
    assert client_for(Role.OPERATOR).get(URL + "floor:1,plan:1").status_code == 403
    assert client_for(Role.CUSTOMER).get(URL + "floor:1").status_code == 403
    assert client_for().get(URL + "floor:1").status_code == 302


def test_beyond_the_cap_the_browser_gives_up_quietly(client_for, settings):
    settings.LIVE_STREAMS = 0
    answer = client_for(Role.OPERATOR).get(URL + "floor:1")
    assert answer.status_code == 204
    assert answer["Retry-After"]


def test_every_live_topic_has_a_right(db):
    kinds = {topic.partition(":")[0] for topics in LIVE.values() for topic in topics}
    assert kinds == set(live.TOPICS)
    for topic in LIVE:
        events.find(topic)


# Asking by itself.


def ask(body, known=""):
    request = RequestFactory().get("/", headers={"X-Live-Known": known} if known else {})
    request.htmx = True
    return live.answer_if_changed(request, HttpResponse(body))


def test_what_the_browser_shows_already_is_204():
    token = '<input type="hidden" name="csrfmiddlewaretoken" value="{}"><b id="ask-{}">{}</b>'
    first = ask(token.format("abc", "0a1b2c3d", "5"))
    version = first["X-Live-Version"]
    assert first.status_code == 200
    same = ask(token.format("xyz", "ffffffff", "5"), known=version)
    assert (same.status_code, same.content, same["X-Live-Version"]) == (204, b"", version)
    other = ask(token.format("abc", "0a1b2c3d", "6"), known=version)
    assert (other.status_code, other["X-Live-Version"] != version) == (200, True)


def test_one_person_does_not_take_all_the_places(hub, settings, client_for, user_for):
    settings.LIVE_STREAMS = 4
    hub._thread = threading.current_thread()  # Nobody needs to listen.
    greedy = user_for(Role.OPERATOR).pk
    mine = [hub.open(["floor:1"], greedy) for _ in range(2)]
    assert client_for(Role.OPERATOR).get(URL + "floor:1").status_code == 204
    assert client_for(Role.MANAGER).get(URL + "floor:1").status_code == 200
    mine[0].close()
    hub.open(["floor:1"], greedy)
