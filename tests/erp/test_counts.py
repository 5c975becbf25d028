"""Counting: what was found becomes the stock, above a limit only with another person's yes."""

from datetime import timedelta
from decimal import Decimal

import pytest

from common.enums import Role
from common.permissions import PERMISSIONS
from erp import policies
from erp.enums import BinKind, MoveKind
from erp.models import CountSession, Reservation, StockBalance, StockMove, StockQuant
from erp.services import counts, moving, reservations, stock, warehouses
from masterdata.enums import Supply, Tracking
from tests.erp.factories import RequirementFactory
from tests.erp.test_lots import books_agree, lying, place, receive
from tests.factories import UserFactory
from tests.masterdata.factories import ItemFactory, SiteFactory
from traceability.models import Lot, SerialUnit

pytestmark = pytest.mark.django_db


@pytest.fixture
def site():
    return SiteFactory()


@pytest.fixture
def bolt(site, now):
    item = ItemFactory(code="BOLT", supply=Supply.BUY, standard_cost=2)
    receive(item, site, 100, now)
    return item


def count(site, now, by, *rows):
    """A session with (item, counted) in the storage bin."""
    session = counts.start(site_id=site.pk, title="", by=by, now=now)
    for item, counted, *more in rows:
        named = more[0] if more else {}
        counts.enter(
            session=session,
            bin_id=place(site).pk,
            item_id=item.pk,
            counted=Decimal(counted),
            by=by,
            now=now,
            **named,
        )
    return session


def test_a_small_variance_is_posted_and_a_big_one_waits_for_another(site, bolt, now, settings):
    settings.COUNT_APPROVAL_LIMIT = Decimal(20)
    counter, other = UserFactory(), UserFactory()
    small = count(site, now, counter, (bolt, 90))
    assert counts.submit(session=small, by=counter, now=now).state == "posted"
    assert StockBalance.objects.get().on_hand == 90
    move = StockMove.objects.get(kind=MoveKind.COUNT)
    assert (move.quantity, move.document) == (-10, small.number)

    big = count(site, now, counter, (bolt, 79))
    assert counts.submit(session=big, by=counter, now=now).state == "submitted"
    assert StockBalance.objects.get().on_hand == 90
    with pytest.raises(counts.CannotCount, match="Somebody who did not count"):
        counts.approve(session=big, by=counter, now=now)
    with pytest.raises(counts.CannotCount, match="start another count"):
        counts.enter(
            session=big, bin_id=1, item_id=bolt.pk, counted=Decimal(1), by=counter, now=now
        )
    counts.send_back(session=big, reason="look behind the rack", by=other, now=now)
    counts.submit(session=big, by=counter, now=now)
    counts.approve(session=big, by=other, now=now)
    assert StockBalance.objects.get().on_hand == 79
    with pytest.raises(counts.CannotCount, match="is over"):
        counts.cancel(session=big, by=other, now=now)
    assert books_agree()


def correct(item, site, counted, by, now):
    stock.correct(
        item_id=item.pk,
        site_id=site.pk,
        counted=Decimal(counted),
        reason="looked",
        by=by,
        now=now,
    )


def test_many_small_counts_are_one_large_one(site, bolt, now, settings):
    settings.COUNT_APPROVAL_LIMIT = Decimal(20)
    counter, mate, boss = UserFactory(), UserFactory(), UserFactory()
    nut = ItemFactory(code="NUT", supply=Supply.BUY, standard_cost=2)
    receive(nut, site, 100, now)

    def handed_in(by, *rows, at=now):
        return counts.submit(session=count(site, at, by, *rows), by=by, now=at)

    assert handed_in(counter, (bolt, 94)).state == "posted"
    # The same item by somebody else, another item by the same person: split all the same.
    waits = handed_in(mate, (bolt, 88))
    assert waits.state == handed_in(counter, (nut, 94)).state == "submitted"
    assert handed_in(mate, (nut, 94)).state == "posted", "another person, another item"
    assert handed_in(counter, (bolt, 94), (nut, 94)).state == "posted", "nothing differs"
    # What a second person looked at is nobody's alone, and the next day begins anew.
    counts.approve(session=waits, by=boss, now=now)
    tomorrow = now + timedelta(days=1)
    assert handed_in(counter, (bolt, 82), at=tomorrow).state == "posted"
    # Corrections are the same limit: after a count by one more, before it by one less.
    with pytest.raises(policies.CannotAdjust, match="more than one person may correct"):
        correct(bolt, site, 77, boss, tomorrow)
    correct(bolt, site, 78, boss, tomorrow)
    assert handed_in(mate, (bolt, 77), at=tomorrow).state == "submitted"
    assert books_agree()


def test_nothing_leaves_quarantine_by_a_count_without_quality(site, bolt, now, user_for):
    keeper, boss, quality = user_for("warehouse"), user_for("manager"), user_for("quality")
    motor = ItemFactory(code="M", supply=Supply.BUY, tracking=Tracking.SERIAL, standard_cost=1)
    cell = place(site, BinKind.QUARANTINE)
    receive(motor, site, 1, now, serials=["M-1"], bin_id=cell.pk)
    receive(bolt, site, 5, now, bin_id=cell.pk)
    act = {"by": keeper, "now": now}
    unit = {"unit_id": SerialUnit.objects.get().pk}
    # Found on the shelf, or fewer in the cell: small enough to be posted at once, but for this.
    found = count(site, now, keeper, (motor, 1, unit))
    fewer = counts.start(site_id=site.pk, title="", **act)
    where = {"bin_id": cell.pk, "item_id": bolt.pk}
    counts.enter(session=fewer, **where, counted=Decimal(4), **act)
    for session in (found, fewer):
        assert counts.submit(session=session, **act).state == "submitted"
        with pytest.raises(counts.CannotCount, match="leaves quarantine .*quality has to approve"):
            counts.approve(session=session, by=boss, now=now)
        assert StockBalance.objects.get(item=motor).held == (session == found)
        counts.approve(session=session, by=quality, now=now)
    assert StockBalance.objects.get(item=motor).held == 0
    assert StockBalance.objects.get(item=bolt).held == 4
    # More in the cell is nobody's loss.
    more = counts.start(site_id=site.pk, title="", **act)
    counts.enter(session=more, **where, counted=Decimal(5), **act)
    assert counts.submit(session=more, **act).state == "posted"
    assert books_agree()


def test_whose_yes_is_an_independent_one():
    approving = PERMISSIONS["erp.approve_count"]
    assert approving == {Role.WAREHOUSE, Role.MANAGER, Role.QUALITY, Role.ADMINISTRATOR}
    books = ("erp.count_stock", "erp.adjust_stock", "erp.receive_stock", "erp.move_stock")
    for role in (Role.MANAGER, Role.QUALITY):
        assert not [right for right in books if role in PERMISSIONS[right]]
    # Quarantine is quality's: it brings goods there and, alone, out of it.
    assert PERMISSIONS["erp.relocate_stock"] == {
        *(Role.WAREHOUSE, Role.QUALITY, Role.ADMINISTRATOR),
    }
    assert PERMISSIONS["erp.release_hold"] == {Role.QUALITY, Role.ADMINISTRATOR}


def test_whoever_counted_does_not_approve_whatever_their_roles(site, bolt, now, settings, user_for):
    settings.COUNT_APPROVAL_LIMIT = Decimal(20)
    chief, helper = user_for("administrator"), user_for("warehouse")
    # The helper counts, the chief hands it in: both had their hands in it.
    session = count(site, now, helper, (bolt, 50))
    counts.submit(session=session, by=chief, now=now)
    for hand in (helper, chief):
        with pytest.raises(counts.CannotCount, match="Somebody who did not count"):
            counts.approve(session=session, by=hand, now=now)
    counts.approve(session=session, by=user_for("quality"), now=now)
    assert StockBalance.objects.get().on_hand == 50


def test_what_has_no_cost_always_waits(site, now):
    odd = ItemFactory(code="ODD", supply=Supply.BUY, standard_cost=0)
    receive(odd, site, 5, now)
    session = count(site, now, None, (odd, 4))
    assert counts.submit(session=session, by=None, now=now).state == "submitted"
    with pytest.raises(counts.CannotCount, match="at least one place"):
        counts.submit(session=count(site, now, None), by=None, now=now)


def test_what_moves_after_counting_is_no_variance(site, bolt, now, settings):
    session = count(site, now, None, (bolt, 98))
    receive(bolt, site, 50, now)
    counts.submit(session=session, by=None, now=now)
    assert StockBalance.objects.get().on_hand == 148

    again = count(site, now, None, (bolt, 0))
    source = moving.Where(place(site).pk, bolt.pk)
    target = place(site, BinKind.SHIPPING).pk
    moving.move(source=source, to_bin_id=target, quantity=Decimal(60), by=None, now=now)
    with pytest.raises(counts.CannotCount, match="moved after it was counted"):
        counts.submit(session=again, by=None, now=now)
    assert CountSession.objects.get(pk=again.pk).state == "open"


def test_what_is_gone_is_gone_whoever_counted_on_it(site, bolt, now):
    need = RequirementFactory(item=bolt, site=site, quantity=30)
    late = RequirementFactory(
        item=bolt, site=site, quantity=70, due_at=need.due_at + timedelta(days=1)
    )
    reservations.reserve({need.pk: Decimal(30), late.pk: Decimal(70)})
    moving.stage(requirement_id=need.pk, quantity=Decimal(30), by=None, now=now)
    session = count(site, now, None)
    staging = warehouses.bin_for(site_id=site.pk, kind=BinKind.STAGING)
    assert counts.rest_is_gone(session=session, bin_id=staging.pk, by=None, now=now) == 1
    counts.submit(session=session, by=None, now=now)
    kept = dict(Reservation.objects.values_list("requirement", "quantity"))
    assert kept == {need.pk: 30, late.pk: 40}
    assert lying() == [("storage", "", 70)]
    assert books_agree()


def test_lots_and_units_are_counted_by_their_numbers(site, now):
    steel = ItemFactory(code="BAR", supply=Supply.BUY, tracking=Tracking.LOT, standard_cost=1)
    motor = ItemFactory(code="M", supply=Supply.BUY, tracking=Tracking.SERIAL, standard_cost=1)
    receive(steel, site, 5, now, lot_number="A")
    receive(steel, site, 5, now, lot_number="B")
    shelf = place(site, BinKind.RECEIVING)
    receive(motor, site, 2, now, serials=["M-1", "M-2"], bin_id=shelf.pk)
    lot = Lot.objects.get(number="B")
    first, second = SerialUnit.objects.order_by("number")
    session = count(
        site, now, None, (steel, 4, {"lot_id": lot.pk}), (motor, 1, {"unit_id": first.pk})
    )
    gone = {"bin_id": shelf.pk, "item_id": motor.pk, "unit_id": second.pk}
    counts.enter(session=session, **gone, counted=Decimal(0), by=None, now=now)
    with pytest.raises(counts.CannotCount, match="one piece, or none"):
        counts.enter(session=session, **gone, counted=Decimal(2), by=None, now=now)
    with pytest.raises(counts.CannotCount, match="another item"):
        counts.enter(
            session=session,
            **gone | {"item_id": steel.pk},
            counted=Decimal(1),
            by=None,
            now=now,
        )
    counts.submit(session=session, by=None, now=now)
    # M-1 was booked on the receiving shelf and was found in the store.
    assert StockQuant.objects.get(unit=first).bin == place(site)
    second.refresh_from_db()
    assert second.state == "scrapped"
    assert StockQuant.objects.get(lot=lot).quantity == 4
    assert books_agree()


def test_a_count_of_another_sites_bin_is_refused(site, bolt, now):
    session = counts.start(site_id=SiteFactory().pk, title="", by=None, now=now)
    with pytest.raises(counts.CannotCount, match="another site's"):
        counts.enter(
            session=session,
            bin_id=place(site).pk,
            item_id=bolt.pk,
            counted=Decimal(1),
            by=None,
            now=now,
        )
    counts.cancel(session=session, by=None, now=now)


@pytest.mark.parametrize(
    ("tracking", "sentence"),
    [(Tracking.LOT, "scan the lot"), (Tracking.SERIAL, "scan each piece")],
)
def test_nothing_of_a_tracked_item_is_found_without_its_number(site, now, tracking, sentence):
    item = ItemFactory(code="PART", supply=Supply.BUY, standard_cost=1)
    receive(item, site, 5, now)
    # It is kept by numbers from now on; the old ones have none.
    item.tracking = tracking
    item.save()
    with pytest.raises(counts.CannotCount, match=sentence):
        count(site, now, None, (item, 6))
    session = count(site, now, None, (item, 3))
    assert counts.submit(session=session, by=None, now=now).state == "posted"
    assert StockBalance.objects.get().on_hand == 3


def test_a_bin_of_many_pieces_is_counted_empty_in_a_few_statements(
    site, now, django_assert_max_num_queries
):
    motor = ItemFactory(code="MOTOR", supply=Supply.BUY, tracking=Tracking.SERIAL, standard_cost=0)
    receive(motor, site, 60, now)
    seen = SerialUnit.objects.order_by("pk").first()
    session = count(site, now, UserFactory(), (motor, 1, {"unit_id": seen.pk}))
    act = {"session": session, "by": None, "now": now}
    with django_assert_max_num_queries(10):
        assert counts.rest_is_gone(**act, bin_id=place(site).pk) == 59
    counts.submit(**act)
    with django_assert_max_num_queries(50):
        counts.approve(**act)
    assert StockBalance.objects.get().on_hand == 1
    assert StockQuant.objects.get().unit == seen
    assert books_agree()
