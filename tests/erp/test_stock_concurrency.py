"""Sixteen at once in one store: no lost update, no deadlock; and the same without the lock."""

import contextlib
import random
import threading
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, connections, transaction

from common.errors import Refused
from erp.enums import BinKind, MoveKind
from erp.models import Requirement, StockBalance, StockMove, StockQuant
from erp.services import holds, issuing, lots, moving, reservations, returns, stock, warehouses
from masterdata.enums import Supply, Tracking
from tests.erp.factories import RequirementFactory
from tests.erp.test_lots import books_agree, receive
from tests.masterdata.factories import CustomerFactory, ItemFactory, SiteFactory
from traceability.models import Hold, Lot

pytestmark = pytest.mark.django_db(transaction=True)

CLIENTS = 16
ACTS = 8


def in_parallel(*acts):
    """Run each act in a thread with a connection of its own; return what they raised."""
    barrier, errors = threading.Barrier(len(acts)), []

    def run(act):
        try:
            barrier.wait(timeout=20)
            act()
        except Exception as error:  # noqa: BLE001 - the test looks at them
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return errors


@pytest.fixture
def store(now):
    """Two sites, an item with lots and one without, stock of both and needs for them."""
    sites = [SiteFactory(), SiteFactory()]
    items = [
        ItemFactory(supply=Supply.BUY),
        ItemFactory(supply=Supply.BUY, tracking=Tracking.LOT),
    ]
    for site in sites:
        warehouses.ensure(site.pk)
        for item in items:
            for _ in range(2):
                receive(item, site, 40, now)
            for _ in range(6):
                RequirementFactory(item=item, site=site, quantity=10)
        with transaction.atomic():
            reservations.give_free(site_id=site.pk, item_ids=[item.pk for item in items])
    return sites, items


def _something(chance, sites, items, now):
    """One act of a client who picks at random."""
    item, site = chance.choice(items), chance.choice(sites)
    act = {"by": None, "now": now}
    need = chance.choice(list(Requirement.objects.filter(item=item)))
    lot = chance.choice([*Lot.objects.filter(item=item), None])
    kind = chance.choice(["receive", "stage", "issue", "move", "hold", "release"])
    some = Decimal(chance.randint(1, 5))
    if kind == "receive":
        receive(item, site, some, now)
    elif kind == "stage":
        moving.stage(requirement_id=need.pk, quantity=some, **act)
    elif kind == "issue":
        stock.issue(requirement_id=need.pk, quantity=some, reference="WO", **act)
    elif kind == "move":
        quant = chance.choice(list(StockQuant.objects.filter(item=item)))
        target = warehouses.bin_for(site_id=site.pk, kind=chance.choice(list(BinKind)))
        source = moving.Where(quant.bin_id, item.pk, quant.lot_id)
        moving.move(source=source, to_bin_id=target.pk, quantity=some, **act)
    elif kind == "hold" and lot:
        holds.hold(lot_ids=[lot.pk], reason="crack", **act)
    else:
        held = Hold.objects.filter(released_at=None).values_list("pk", flat=True)
        holds.release(hold_ids=list(held)[:1], reason="tested", **act)


def test_sixteen_clients_lose_nothing_and_never_block_each_other(store, now):
    sites, items = store
    done = []

    def client(number):
        chance = random.Random(number)
        for _ in range(ACTS):
            try:
                _something(chance, sites, items, now)
                done.append(1)
            except (Refused, StockQuant.DoesNotExist):
                pass

    errors = in_parallel(*[lambda number=number: client(number) for number in range(CLIENTS)])
    assert errors == []
    assert len(done) > CLIENTS
    assert books_agree()


def _held_while_more_of_it_arrives_elsewhere(now):
    """Hold a lot of one site while another site is just booking in more of it."""
    here, there = SiteFactory(), SiteFactory()
    item = ItemFactory(supply=Supply.BUY, tracking=Tracking.LOT)
    warehouses.ensure(there.pk)
    receive(item, here, 5, now, lot_number="L-1")
    lot = Lot.objects.get()
    errors = []

    def hold():
        try:
            holds.hold(lot_ids=[lot.pk], reason="crack", by=None, now=now)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            errors.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=hold)
    with transaction.atomic():
        receive(item, there, 7, now, lot_number="L-1")
        thread.start()
        # It waits for this site, or is done without it.
        thread.join(timeout=1)
    thread.join(timeout=60)
    assert errors == []
    return StockQuant.objects.filter(lot=lot, is_held=False).count()


def test_a_hold_catches_what_is_just_arriving_at_another_site(now):
    assert _held_while_more_of_it_arrives_elsewhere(now) == 0
    assert books_agree()


def test_a_hold_that_locks_only_where_the_lot_was_seen_misses_it(now, monkeypatch):
    """The control: the sites are read, then locked."""

    def those_seen():
        lots = StockQuant.objects.filter(lot__isnull=False)
        for site_id in lots.values_list("bin__warehouse__site", flat=True):
            holds.lock(holds.Lock.SUPPLY, site_id)

    monkeypatch.setattr(holds, "_lock_sites", those_seen)
    assert _held_while_more_of_it_arrives_elsewhere(now) == 1


@pytest.fixture
def last_two_lots(now):
    """Two needs of six, and two lots of six: each gets one."""
    site = SiteFactory()
    item = ItemFactory(supply=Supply.BUY, tracking=Tracking.LOT)
    for _ in range(2):
        receive(item, site, 6, now)
    needs = [RequirementFactory(item=item, site=site, quantity=6) for _ in range(2)]
    with transaction.atomic():
        reservations.reserve({need.pk: Decimal(6) for need in needs})
    return needs


def _issue(need, now):
    stock.issue(requirement_id=need.pk, quantity=Decimal(6), reference="WO", by=None, now=now)


def test_two_issues_at_once_take_two_lots(last_two_lots, now):
    errors = in_parallel(*[lambda need=need: _issue(need, now) for need in last_two_lots])
    assert errors == []
    assert StockMove.objects.filter(kind=MoveKind.ISSUE).count() == 2
    assert StockBalance.objects.get().on_hand == 0
    assert books_agree()


def _both_choose_before_one_books(monkeypatch):
    """Without the lock, both read the store before either writes."""
    meet, lying = threading.Barrier(2), issuing._lying

    def slow(*arguments):
        found = lying(*arguments)
        meet.wait(timeout=20)
        return found

    monkeypatch.setattr(issuing, "lock", lambda which, key: None)
    monkeypatch.setattr(issuing, "_lying", slow)


def test_without_the_lock_both_take_the_same_lot_and_the_database_stops_one(
    last_two_lots, now, monkeypatch
):
    """The control of the lock."""
    _both_choose_before_one_books(monkeypatch)
    errors = in_parallel(*[lambda need=need: _issue(need, now) for need in last_two_lots])
    assert [type(error) for error in errors] == [IntegrityError]
    assert "erp_stockquant_not_negative" in str(errors[0])


def test_without_lock_and_constraint_a_lot_is_taken_twice(last_two_lots, now, monkeypatch):
    """The control of the constraint."""
    _both_choose_before_one_books(monkeypatch)
    rule = next(
        rule for rule in StockQuant._meta.constraints if rule.name.endswith("_not_negative")
    )
    with connection.schema_editor() as editor:
        editor.remove_constraint(StockQuant, rule)
    try:
        errors = in_parallel(*[lambda need=need: _issue(need, now) for need in last_two_lots])
        assert errors == []
        assert StockQuant.objects.filter(quantity=-6).count() == 1
    finally:
        StockQuant.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(StockQuant, rule)


@pytest.fixture
def issued(now):
    """Five of a lot were issued to a work order; all of them may come back, once."""
    site = SiteFactory()
    item = ItemFactory(supply=Supply.BUY, tracking=Tracking.LOT)
    receive(item, site, 5, now, lot_number="L-1")
    need = RequirementFactory(item=item, site=site, quantity=5, kind="component", reference="WO")
    with transaction.atomic():
        reservations.reserve({need.pk: Decimal(5)})
    act = {"requirement_id": need.pk, "quantity": Decimal(5), "reference": "WO", "by": None}
    stock.issue(**act, now=now)
    return {**act, "lot_id": Lot.objects.get().pk, "now": now}


def _both_look_before_one_books(monkeypatch, module, name):
    """Both have checked before either books; who waits for a lock is not waited for."""
    meet, check = threading.Barrier(2), getattr(module, name)

    def slow(*arguments, **more):
        found = check(*arguments, **more)
        with contextlib.suppress(threading.BrokenBarrierError):
            meet.wait(timeout=1)
        return found

    monkeypatch.setattr(module, name, slow)


def test_what_was_issued_comes_back_once(issued, monkeypatch):
    _both_look_before_one_books(monkeypatch, returns.rules, "check_can_return")
    errors = in_parallel(*[lambda: returns.from_work_order(**issued)] * 2)
    assert [type(error) for error in errors] == [returns.CannotReturn]
    assert StockBalance.objects.get().on_hand == 5
    assert books_agree()


def test_without_the_lock_it_comes_back_twice(issued, monkeypatch):
    """The control: the lock of the site and that of the row."""
    monkeypatch.setattr(returns, "lock", lambda which, key: None)
    monkeypatch.setattr(
        returns.Requirement.objects, "select_for_update", lambda **how: Requirement.objects.all()
    )
    _both_look_before_one_books(monkeypatch, returns.rules, "check_can_return")
    assert in_parallel(*[lambda: returns.from_work_order(**issued)] * 2) == []
    assert StockBalance.objects.get().on_hand == 10


@pytest.fixture
def sold(now):
    """Four of a lot are with a customer, who may send them to either of two sites."""
    here, there = SiteFactory(), SiteFactory()
    item = ItemFactory(supply=Supply.BUY, tracking=Tracking.LOT)
    receive(item, here, 4, now, lot_number="L-1")
    need = RequirementFactory(item=item, site=here, quantity=4)
    with transaction.atomic():
        reservations.reserve({need.pk: Decimal(4)})
    stock.issue(
        requirement_id=need.pk,
        quantity=Decimal(4),
        kind=MoveKind.SHIPMENT,
        reference="SH-1",
        by=None,
        now=now,
    )
    back = {
        "item_id": item.pk,
        "lot_id": Lot.objects.get().pk,
        "quantity": Decimal(4),
        "reference": "RMA-1",
        "customer_id": CustomerFactory().pk,
        "by": None,
        "now": now,
    }
    return [
        lambda site=site: returns.from_customer(site_id=site.pk, **back) for site in (here, there)
    ]


def test_what_a_customer_has_comes_back_once_to_whichever_site(sold, monkeypatch):
    _both_look_before_one_books(monkeypatch, returns, "check_came_from_customer")
    errors = in_parallel(*sold)
    assert [type(error) for error in errors] == [returns.CannotReturn]
    assert sum(row.quantity for row in StockQuant.objects.all()) == 4
    assert books_agree()


def test_without_the_locks_more_comes_back_than_was_shipped(sold, monkeypatch):
    """The control: each site has its own supply lock, so the lot is what both wait for."""
    monkeypatch.setattr(returns.identities, "lock_lot", lambda pk: None)
    _both_look_before_one_books(monkeypatch, returns, "check_came_from_customer")
    assert in_parallel(*sold) == []
    assert sum(row.quantity for row in StockQuant.objects.all()) == 8


@pytest.fixture
def ten(now):
    """Ten of a lot in a store."""
    site, item = SiteFactory(), ItemFactory(supply=Supply.BUY, tracking=Tracking.LOT)
    receive(item, site, 10, now, lot_number="L-1")
    quant = StockQuant.objects.get()
    act = {"lot_id": quant.lot_id, "bin_id": quant.bin_id, "by": None, "now": now}
    return lambda: lots.split(quantity=Decimal(6), **act)


def test_of_two_who_split_a_lot_at_once_the_second_one_finds_too_little(ten, monkeypatch):
    _both_look_before_one_books(monkeypatch, lots.rules, "check_can_split")
    errors = in_parallel(ten, ten)
    assert [str(error)[:9] for error in errors] == ["Only 4 of"]
    assert books_agree()


def test_without_lock_and_row_lock_the_database_stops_the_second_one(ten, monkeypatch):
    """The control."""
    monkeypatch.setattr(lots, "lock", lambda which, key: None)
    monkeypatch.setattr(
        lots.StockQuant.objects, "select_for_update", lambda **how: StockQuant.objects.all()
    )
    _both_look_before_one_books(monkeypatch, lots.rules, "check_can_split")
    errors = in_parallel(ten, ten)
    assert [type(error) for error in errors] == [IntegrityError]


@pytest.fixture
def five(now):
    site, item = SiteFactory(), ItemFactory(supply=Supply.BUY)
    receive(item, site, 5, now)
    return {"item_id": item.pk, "site_id": site.pk, "reason": "counted", "by": None, "now": now}


def test_two_who_type_the_same_count_correct_it_once(five):
    errors = in_parallel(*[lambda: stock.correct(counted=Decimal(10), **five)] * 2)
    assert [str(error) for error in errors] == ["Enter a quantity other than zero."]
    assert StockBalance.objects.get().on_hand == 10


def test_a_difference_that_was_taken_before_the_lock_is_corrected_twice(five):
    """The control: both look, then both correct by what they saw."""
    meet = threading.Barrier(2)

    def correct():
        difference = Decimal(10) - StockBalance.objects.get().on_hand
        meet.wait(timeout=20)
        stock.adjust(quantity=difference, **five)

    assert in_parallel(correct, correct) == []
    assert StockBalance.objects.get().on_hand == 15
