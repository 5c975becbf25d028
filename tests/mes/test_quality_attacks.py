"""The gates of nonconformances and 8Ds, tried out of order, by the wrong person, and again."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from masterdata.enums import Tracking
from mes.enums import (
    ActionKind,
    Chain,
    Discipline,
    DispositionKind,
    DispositionState,
    Effect,
    Metric,
    NonconformanceState,
)
from mes.models import Concession, Disposition, EightD, Nonconformance
from mes.services import containment, dispositions, effects, eight_d, nonconformances
from mes.services.containment import Found
from mes.services.dispositions import Part
from tests.mes.factories import NOW
from tests.mes.quality import Quality
from tests.mes.test_eight_d import built, complete
from tests.mes.test_quality_pages import Page
from tests.shared import shared
from traceability import selectors as traceability

pytestmark = pytest.mark.django_db

K, D = DispositionKind, Discipline
DAY = timedelta(days=1)


@shared()
def quality() -> Quality:
    return Quality()


def carried_out(quality: Quality) -> tuple[Nonconformance, EightD]:
    """An 8D that has passed D6: the goods scrapped, the action verified, made anew for 60 days."""
    found = quality.report(symptom="LEAK")
    quality.contain(found)
    made = quality.analysed(found)
    action = quality.plan(found)
    complete(made, D.D5, quality.anna)
    who: Any = {"by": quality.anna, "now": NOW}
    part = Part(K.SCRAP, Decimal(10), lot_id=quality.lot.pk)
    [scrap] = dispositions.decide(nonconformance=found, parts=[part], **who)
    dispositions.execute(disposition=scrap, result="", **who)
    quality.carry_out(action)
    eight_d.write(eight_d=made, values={"fixed_at": NOW - 60 * DAY}, **who)
    complete(made, D.D6, quality.anna)
    found.refresh_from_db()
    return found, made


def shown(quality: Quality, found: Nonconformance, made: EightD) -> None:
    """As far as D7, with an effect that the figures show; D8 is next."""
    texts = {"prevention": "The same moulds elsewhere", "closing": "Thanks to all"}
    eight_d.write(eight_d=made, values=texts, by=quality.anna, now=NOW)
    quality.carry_out(quality.plan(found, ActionKind.PREVENTIVE))
    complete(made, D.D7, quality.anna)
    built(quality, 40, 8, days_ago=100)
    built(quality, 48, 0, days_ago=45)
    assert effects.look(eight_d=made, by=quality.anna, now=NOW).effect == Effect.SHOWN


def test_d6_is_gone_through_again_after_it_was_opened_again(quality):
    found, made = carried_out(quality)
    eight_d.reopen(eight_d=made, discipline=D.D6, by=quality.anna, now=NOW)
    found.refresh_from_db()
    assert found.state == NonconformanceState.UNDER_ANALYSIS
    # More of it turned up: D6 waits for it as the first time.
    row = containment.suspect(
        nonconformance=found, place="Line 2", quantity=Decimal(0), by=quality.anna, now=NOW
    )
    with pytest.raises(eight_d.CannotComplete, match="containment count is open: Line 2"):
        complete(made, D.D6, quality.anna)
    row = containment.count(row=row, found=Found(), by=quality.anna, now=NOW)
    containment.verify(row=row, by=quality.ben, now=NOW)
    complete(made, D.D6, quality.anna)
    found.refresh_from_db()
    assert found.state == NonconformanceState.VERIFICATION
    assert {row.state for row in found.containment.all()} == {"lifted"}


def test_no_count_is_opened_behind_the_gate_that_waits_for_it(quality):
    found, _made = carried_out(quality)
    with pytest.raises(containment.CannotContain, match="is lifted: report a new one"):
        containment.suspect(
            nonconformance=found, place="Line 2", quantity=Decimal(1), by=quality.anna, now=NOW
        )


@pytest.mark.parametrize(
    ("taken_away", "sentence"),
    [
        ({"emergency": ""}, "D0.*what was done at once"),
        ({"statement": " "}, "D2.*not stated"),
        ({"is_is_not": {}}, "D2.*what it is not"),
        ({"occurrence_cause": ""}, "D4.*Why it happened"),
        ({"escape_point": ""}, "D4.*escape point"),
        ({"prevention": ""}, "D7.*fail alike"),
    ],
)
def test_what_a_done_step_stands_on_cannot_be_taken_away_before_closing(
    quality, taken_away, sentence
):
    found, made = carried_out(quality)
    shown(quality, found, made)
    eight_d.write(eight_d=made, values=taken_away, by=quality.anna, now=NOW)
    with pytest.raises(eight_d.CannotComplete, match=sentence):
        complete(made, D.D8, quality.ben)


def test_whys_team_and_counts_that_are_taken_away_are_missed_too(quality):
    found, made = carried_out(quality)
    shown(quality, found, made)
    who = {"by": quality.anna, "now": NOW}
    eight_d.explain(eight_d=made, chain=Chain.ESCAPE, whys=[], **who)
    eight_d.set_team(eight_d=made, leader=quality.anna, members=[], **who)
    eight_d.write(eight_d=made, values={"fixed_at": None}, **who)
    with pytest.raises(
        eight_d.CannotComplete, match="D1.*no member.*D4.*Why nobody noticed.*D6.*since when"
    ):
        complete(made, D.D8, quality.ben)


def test_an_effect_that_other_figures_show_does_not_close_it(quality):
    """By the figures of the day it is closed, as it is set by then; not by the best ever seen."""
    found, made = carried_out(quality)
    shown(quality, found, made)
    write = {"eight_d": made, "by": quality.anna, "now": NOW}
    for values in ({"metric": Metric.CHECK_FAULTS}, {"fixed_at": NOW - 30 * DAY}):
        before = {name: getattr(EightD.objects.get(pk=made.pk), name) for name in values}
        eight_d.write(values=values, **write)
        with pytest.raises(eight_d.CannotComplete, match="no longer show the effect"):
            complete(made, D.D8, quality.ben)
        eight_d.write(values=before, **write)
    # Complaints that came since count as well.
    built(quality, 20, 9, days_ago=40)
    with pytest.raises(eight_d.CannotComplete, match="no longer show the effect"):
        complete(made, D.D8, quality.ben)
    found.refresh_from_db()
    assert found.state == NonconformanceState.VERIFICATION
    assert made.results.count() == 1


def test_a_unit_is_in_one_part_of_a_disposition_alone():
    quality = Quality(quantity=4, tracking=Tracking.SERIAL)
    found = quality.report(quantity=4)
    quality.contain(found, suspect=4)
    who = {"by": quality.anna, "now": NOW}

    def decide(*parts):
        named = [Part(kind, Decimal(len(units)), unit_ids=units) for kind, units in parts]
        return dispositions.decide(nonconformance=found, parts=named, **who)

    first, last = quality.units[:2], quality.units[2:]
    with pytest.raises(dispositions.CannotDispose, match="C-0.*in two parts"):
        decide((K.SCRAP, first), (K.REWORK, first))
    scrap, _rework = decide((K.SCRAP, first), (K.REWORK, last))
    dispositions.execute(disposition=scrap, result="", **who)
    # What is done is not decided on once more in the place of what is left.
    with pytest.raises(dispositions.CannotDispose, match="C-0.*in two parts"):
        decide((K.REWORK, first))
    decide((K.REWORK, last))
    assert sum(row.quantity for row in found.dispositions.all()) == 4


def test_steps_decisions_and_leave_are_refused_by_the_page_out_of_turn(quality, client_for):
    """By URL: the wrong step, the wrong person, another nonconformance's rows."""
    me, other = client_for("quality"), client_for("manager")
    found = quality.report()
    page, second = Page(me, found.number), Page(other, found.number)

    def told(answer, client) -> str:
        assert answer.status_code == 302
        return " ".join(str(one) for one in client.get(answer.url).context["messages"])

    parts = {"kind_0": "use_as_is", "quantity_0": "10", "what_0": "HEAT-7"}
    assert "Contain the goods first" in told(page.post("dispose", **parts), me)
    quality.contain(found)
    assert "The parts sum to 9" in told(page.post("dispose", **{**parts, "quantity_0": "9"}), me)
    page.done("dispose", **parts)
    use = Disposition.objects.get()
    assert "needs a concession" in told(page.post("execute", row=use.pk), me)
    # No concession is asked for yet: there is none to decide on.
    decide = {"view": "concession-decide", "row": use.pk, "action": "approve"}
    assert second.post("", **decide).status_code == 404
    page.done("concede", row=use.pk, reason="Inside only")
    assert "Another person than who asked" in told(page.post("", **decide), me)
    floor = Page(client_for("supervisor"), found.number)
    assert floor.post("", **decide).status_code == 403
    assert "needs a concession" in told(page.post("execute", row=use.pk), me)
    # Rows of another one are not there.
    twin = quality.report(reference="PO-9", things=[])
    assert Page(me, twin.number).post("execute", row=use.pk, result="x").status_code == 404
    assert Page(other, twin.number).post("", **decide).status_code == 404
    second.done("", **decide)
    page.done("execute", row=use.pk)
    assert "done already" in told(page.post("execute", row=use.pk), me)
    page.done("begin", leader=found.opened_by_id)
    for step, sentence in (("6", "D5 is not done"), ("4", "D1 is not done"), ("7", "D6 is not")):
        assert sentence in told(page.post("complete", action=step), me)
    assert page.post("complete", action="8").status_code == 404
    assert page.post("complete", action="9").status_code == 404
    late = second.post("close-8d", view="nonconformance-verify")
    assert "D7 is not done" in told(late, other)
    # Nor does the short way lead around the 8D.
    short = second.post("close", view="nonconformance-verify")
    assert "closed with the last step of its 8D" in told(short, other)
    found.refresh_from_db()
    assert found.state != NonconformanceState.CLOSED


def test_over_http_nothing_of_it_is_decided(quality, api_client_for):
    """The API reports and reads; whatever else is sent to it changes nothing."""
    found = quality.report()
    api = api_client_for("quality")
    url = f"/api/v1/nonconformances/{found.number}/"
    for act in (api.put, api.patch, api.delete, api.post):
        assert act(url, {"state": "closed"}, format="json").status_code == 405
    body = {"item": "CASTING", "problem": "Pores", "quantity": "10", "state": "closed"}
    assert api.post("/api/v1/nonconformances/", body, format="json").status_code == 400
    found.refresh_from_db()
    assert (found.state, Nonconformance.objects.count()) == (NonconformanceState.OPEN, 1)


def test_a_concession_is_of_the_decision_that_it_was_given_for(quality):
    found = quality.report()
    quality.contain(found)
    who = {"by": quality.anna, "now": NOW}

    def decide(*parts):
        named = [Part(kind, Decimal(n), lot_id=quality.lot.pk) for kind, n in parts]
        return dispositions.decide(nonconformance=found, parts=named, **who)

    [few, _rest] = decide((K.USE_AS_IS, 2), (K.SCRAP, 8))
    leave = dispositions.concede(disposition=few, valid_until=None, reason="Inside only", **who)
    dispositions.decide_concession(
        concession=leave, is_approved=True, reason="", by=quality.ben, now=NOW
    )
    # Leave for two pieces is none for ten.
    [many] = decide((K.USE_AS_IS, 10))
    assert not Concession.objects.exists()
    with pytest.raises(dispositions.CannotDispose, match="needs a concession"):
        dispositions.execute(disposition=many, result="", **who)
    assert many.state == DispositionState.DECIDED
    assert traceability.open_holds().exists()
    with pytest.raises(nonconformances.CannotCloseNonconformance, match="not carried out"):
        nonconformances.close(nonconformance=found, by=quality.ben, now=NOW)
