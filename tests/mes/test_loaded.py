"""Which lots a piece may have, and when that is sure; worked out by hand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from erp.selectors import Used
from mes.services import loaded
from mes.services.loaded import Need, Run
from traceability.enums import Certainty

BAR, SCREW, MOTOR = 1, 2, 3
A, B, C = 101, 102, 103
START = datetime(2026, 11, 23, 7, tzinfo=UTC)
SURE, MAYBE = Certainty.EXACT, Certainty.ONE_OF


def at(minutes):
    return START + timedelta(minutes=minutes)


def went(lot, quantity, minutes=0, *, item=BAR, move=None, unit=None):
    return Used(
        move_id=minutes if move is None else move,
        item_id=item,
        quantity=Decimal(quantity),
        at=at(minutes),
        is_backflush=False,
        lot_id=lot,
        unit_id=unit,
    )


def run(good=1, before=0, *, scrapped=0, is_lot=False, history=(), move=1000):
    told = [(at(minutes), Decimal(pieces)) for minutes, pieces in history]
    return Run(Decimal(good), Decimal(before), Decimal(scrapped), is_lot, move, told)


def shares(needs, used, this):
    return {(row.lot_id, row.certainty): row.quantity for row in loaded.lots(needs, used, this)}


BARS = [Need(BAR, Decimal("0.5"))]


def test_a_lot_that_is_alone_is_in_every_piece():
    assert shares(BARS, [went(A, 10)], run(good=4)) == {(A, SURE): Decimal("0.5")}
    assert shares(BARS, [went(A, 10)], run(good=1, before=19)) == {(A, SURE): Decimal("0.5")}


def test_of_two_lots_that_came_together_each_piece_may_have_either():
    used = [went(A, 5), went(B, 5)]
    either = {(A, MAYBE): Decimal("0.5"), (B, MAYBE): Decimal("0.5")}
    assert shares(BARS, used, run(good=4)) == either
    # Were the first used up first? Nobody looked: a recall must not miss the last pieces.
    assert shares(BARS, used, run(good=4, before=16)) == either


def test_a_lot_that_was_used_up_before_the_next_one_came_is_not_in_what_follows():
    used = [went(A, 5), went(B, 5, minutes=30)]
    done = [(20, 10)]
    assert shares(BARS, used, run(before=10, history=done)) == {(B, SURE): Decimal("0.5")}
    # One piece less was through: half a metre of the first lay there still.
    assert shares(BARS, used, run(before=10, history=[(20, 9), (40, 1)])) == {
        (A, MAYBE): Decimal("0.5"),
        (B, MAYBE): Decimal("0.5"),
    }


def test_the_doubt_of_one_changeover_ends_with_the_next_clean_one():
    used = [went(A, 5), went(B, 5, minutes=30), went(C, 5, minutes=90)]
    through = [(20, 9), (60, 11)]
    assert shares(BARS, used, run(before=20, history=through)) == {(C, SURE): Decimal("0.5")}


def test_what_came_back_was_in_no_piece():
    used = [went(A, 5), went(B, 5, minutes=1), went(A, -5, minutes=2)]
    assert shares(BARS, used, run(good=3)) == {(B, SURE): Decimal("0.5")}


def test_one_piece_that_took_both_has_both():
    whole = [Need(BAR, Decimal(5))]
    assert shares(whole, [went(A, 3), went(B, 2)], run(good=1)) == {
        (A, SURE): Decimal(3),
        (B, SURE): Decimal(2),
    }


def test_a_lot_has_surely_in_it_what_the_others_cannot_make_up_for():
    used = [went(A, 4), went(B, 1)]
    # Nine pieces took 4.5: more than B alone has, and no more than A and a bit of B.
    assert shares(BARS, used, run(good=8, is_lot=True)) == {
        (A, SURE): Decimal("0.4"),
        (B, MAYBE): Decimal("0.5"),
    }
    assert shares(BARS, used, run(good=1, before=8, is_lot=True)) == {
        (A, SURE): Decimal("0.4"),
        (B, SURE): Decimal("0.1"),
    }


def test_what_is_booked_out_with_the_pieces_is_theirs():
    needs = [Need(SCREW, Decimal(4), is_backflushed=True)]
    used = [
        went(A, 40, 1, item=SCREW, move=10),
        went(A, 20, 2, item=SCREW, move=1001),
        went(B, 20, 2, item=SCREW, move=1002),
    ]
    assert shares(needs, used[:2], run(good=5, before=10)) == {(A, SURE): Decimal(4)}
    assert shares(needs, used, run(good=10, before=10)) == {
        (A, MAYBE): Decimal(4),
        (B, MAYBE): Decimal(4),
    }


@pytest.mark.parametrize(
    ("this", "inside"),
    [
        (run(good=2), [[1, 2], [3, 4]]),
        # The scrapped piece before had two of them.
        (run(good=2, before=1, scrapped=1), [[3, 4], [5, 6]]),
        (run(good=3, is_lot=True), [[1, 2, 3, 4, 5, 6]]),
        # Fewer were scanned than belong in: the last piece goes short, not the first.
        (run(good=4), [[1, 2], [3, 4], [5, 6], []]),
    ],
)
def test_units_go_into_the_pieces_in_the_order_of_scanning(this, inside):
    used = [went(None, 1, minutes, item=MOTOR, unit=minutes) for minutes in range(1, 7)]
    assert loaded.units([Need(MOTOR, Decimal(2))], used, this) == inside
