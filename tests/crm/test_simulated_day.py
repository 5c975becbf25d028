"""A simulated day of the demo factory: everybody does their part, and it can be done again."""

import random
import re
import threading
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from common.enums import Role
from common.jobs import run_due
from common.models import User
from crm.demo.day import floor, playing
from crm.demo.day.stage import Stage
from crm.models import RushRequest, SalesOrder, Shipment
from erp.models import PurchaseReceipt
from mes.enums import OperationState
from mes.models import (
    CheckResult,
    Downtime,
    Incident,
    MachineEvent,
    OperationReport,
    Terminal,
    TimeBooking,
    WorkOrderOperation,
)
from mes.services import execution
from tests.masterdata.factories import SiteFactory
from tests.mes import books

# Committed: plans are made outside of any transaction, as by a worker.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def demo(settings, demo_factory):
    """The demo factory, with plans that need only be plans."""
    settings.SOLVE_SECONDS = 0.03
    demo_factory.load()


def work():
    """As a worker some seconds later would."""
    run_due(now=timezone.now() + timedelta(seconds=30), limit=60)


def play(step=20, **options):
    lines = []
    played = playing.play(say=lines.append, speed=0, step=step, **options)
    return lines, played


@pytest.mark.slow
def test_a_day_moves_everything_and_leaves_nothing_open(demo, monkeypatch):
    # The plan is another one every day: at one piece in twelve a day without scrap happens.
    monkeypatch.setattr(floor, "SCRAP", 0.5)
    orders = SalesOrder.objects.count()
    lines, played = play(seed=5, step=60, work=work)
    said = "\n".join(lines)
    assert played.minutes == playing.DAY_MINUTES
    assert played.acts > 80
    for words in (
        "Oscar Chen signs in",
        "is set up",
        "good",
        "pauses",
        "is finished",
        "delivers",
        "that become purchase orders",
        "is approved",
        "asks to rush",
        "is down; alarm",
        "is on the way",
        "runs again",
        "is shipped",
        "goes home",
    ):
        assert words in said, words
    assert SalesOrder.objects.count() == orders + 2
    assert RushRequest.objects.get().state != "draft"
    assert Shipment.objects.filter(shipped_at__gte=timezone.now() - timedelta(hours=1)).exists()
    assert PurchaseReceipt.objects.exists()
    assert CheckResult.objects.exists() or "Ports" not in said
    assert OperationReport.objects.filter(scrap__gt=0).exists()
    assert MachineEvent.objects.exists()
    # The shift has ended: nobody is at work, nothing runs, no machine stands, no device is left.
    assert not TimeBooking.objects.filter(ends_at=None, person__isnull=False).exists()
    at_work = [OperationState.SETUP, OperationState.RUNNING]
    assert not WorkOrderOperation.objects.filter(state__in=at_work).exists()
    assert not Downtime.objects.filter(ends_at=None).exists()
    assert not Incident.objects.filter(state="open").exists()
    assert not Terminal.objects.filter(is_active=True).exists()
    books.pieces_are_conserved()
    books.costs_agree()
    # Another day on top of it: what rests goes on.
    lines, _played = play(seed=5, minutes=40)
    assert any("goes on" in line for line in lines)


def test_the_same_seed_makes_the_same_day(demo):
    days = []
    for seed in (1, 1, 2):
        with transaction.atomic():
            lines, _played = play(seed=seed, minutes=40)
            # Numbers that were given are gone for good.
            days.append([re.sub(r"SO-\d+", "SO", line) for line in lines])
            transaction.set_rollback(True)
    assert days[0] == days[1] != days[2]


def test_it_stops_when_it_is_told_to(demo):
    stop, lines = threading.Event(), []

    def say(line):
        lines.append(line)
        if " good" in line:
            stop.set()

    played = playing.play(say=say, seed=1, speed=0, step=20, stop=stop, work=lambda: None)
    assert 0 < played.minutes < playing.DAY_MINUTES
    assert lines[-1].endswith("goes home")
    at_work = [OperationState.SETUP, OperationState.RUNNING]
    assert not WorkOrderOperation.objects.filter(state__in=at_work).exists()


def test_a_refusal_is_said_once_with_its_reason(demo):
    lines = []
    stage = Stage(1, {}, random.Random(1), lines.append, timezone.now)
    operation = WorkOrderOperation.objects.filter(state=OperationState.WAITING).first()
    by = User.objects.get(username=Role.OPERATOR.value)
    for _ in range(2):
        assert stage.act("It runs", execution.run, operation=operation, by=by) is None
    (line,) = lines
    assert line.startswith("06:00  It runs: skipped. Operation")
    assert stage.refusals == 2


def test_it_never_plays_in_real_data(db):
    SiteFactory()
    with pytest.raises(CommandError, match="other data than the demo factory"):
        call_command("simulate", "--minutes", "1")
    assert not Terminal.objects.exists()
