"""After-sales traces a number, sees whom a suspect reached, holds it, and practises a recall."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from common.enums import Role
from crm.models import Containment, DrillResult, RecallDrill
from mes.models import Nonconformance
from tests.shared import shared
from tests.traceability.factories import LotFactory, SerialUnitFactory
from tests.traceability.test_lives import Life
from traceability.enums import EventKind, IdentityState
from traceability.models import Hold, SerialUnit
from traceability.services import complaints, genealogy
from traceability.services.genealogy import Built, Loaded
from traceability.services.ledger import NewReading

pytestmark = pytest.mark.django_db

READERS = (Role.AFTER_SALES, Role.QUALITY, Role.MANAGER)


@shared()
def life() -> Life:
    return Life()


def page(client, name, *args, **query):
    return client.get(reverse(name, args=args), query)


def trace(client, text):
    return page(client, "crm:trace", q=text)


# The one box.


def test_one_hit_opens_at_once_however_it_is_typed(life, client_for) -> None:
    client = client_for(Role.AFTER_SALES)
    pump = life.pumps[0]
    SerialUnit.objects.filter(pk=pump.pk).update(number="SN-12 3456")
    address = reverse("crm:trace-thing", args=[pump.pk])
    for text in ("sn123456", "(01)09506000134352(21)SN123456", f"http://x.example{address}"):
        assert trace(client, text).headers["Location"] == address, text


def test_several_hits_are_a_short_list_with_what_they_are(life, client_for) -> None:
    lot, unit = LotFactory(number="A-100"), SerialUnitFactory(number="a100")
    answer = trace(client_for(Role.QUALITY), "A100")
    assert [hit.thing for hit in answer.context["found"].hits] == [unit, lot]
    body = answer.content.decode()
    assert lot.item.code in body
    assert unit.item.code in body


def test_no_hit_shows_what_is_written_almost_so_or_says_what_to_do(life, client_for) -> None:
    client = client_for(Role.AFTER_SALES)
    unit = SerialUnitFactory(number="123456")
    answer = trace(client, "123465")
    assert answer.context["found"].near == (unit,)
    assert "These are written almost so" in answer.content.decode()
    assert "Nothing is called so" in trace(client, "<b>?QQ-9</b>").content.decode()
    assert "Which number?" in trace(client, "").content.decode()


def test_orders_suppliers_lots_and_tickets_lead_to_their_things(life, client_for) -> None:
    client = client_for(Role.MANAGER)
    document = life.documents[1]
    document.order_number = "SO-100077"
    document.save()
    found = trace(client, "so-100077").context["found"]
    assert [hit.thing for hit in found.hits] == [life.pumps[1]]
    assert found.document_url == reverse("crm:order-detail", args=["SO-100077"])
    lot = LotFactory(supplier_lot="C45/77")
    assert trace(client, "c45-77").headers["Location"] == reverse("crm:trace-thing", args=[lot.pk])
    complaints.note(
        reference="AS-2026-0512",
        item_id=life.pumps[0].item_id,
        thing=life.pumps[0].pk,
        symptom="LEAK",
        at=timezone.now(),
    )
    answer = trace(client, "AS-2026-0512")
    page_of_it = reverse("crm:trace-thing", args=[life.pumps[0].pk])
    # Opened at once, or listed beside the ticket's own page.
    assert page_of_it in (answer.headers.get("Location") or answer.content.decode())


# The trace page.


def test_the_page_tells_the_life_of_a_unit(life, client_for) -> None:
    pump = life.pumps[1]
    complaints.note(
        reference="AS-7", item_id=pump.item_id, thing=pump.pk, symptom="LEAK", at=timezone.now()
    )
    answer = page(client_for(Role.QUALITY), "crm:trace-thing", pump.pk)
    body = answer.content.decode()
    for told in (
        pump.number,
        life.motors[1].number,
        life.shafts[0].number,
        life.steel.number,
        life.documents[1].customer.label,
        "SH-1",
        "2.9",
        "2.2 – 2.6",
        "out of limits",
        life.machine.code,
        "TIGHTEN-6",
        # The complaint leads to its ticket.
        '<strong><a href="/tickets/AS-7/">AS-7</a></strong> LEAK',
        str(life.person),
    ):
        assert told in body, told
    # An order of another system has no page here.
    for number, leads in (("B-3007", False), ("SO-100077", True)):
        life.documents[1].order_number = number
        life.documents[1].save()
        told = page(client_for(Role.QUALITY), "crm:trace-thing", pump.pk).content.decode()
        assert number in told
        assert (f'href="/orders/{number}/"' in told) is leads
    assert [line.level for line in answer.context["chain"].lines] == [1, 1, 2]
    drawn = json.loads(body.split('id="trace-graph-data"')[1].split(">", 1)[1].split("</script")[0])
    assert drawn["root"] == str(pump.pk)
    assert len(drawn["nodes"]) == 4
    assert "kit" not in {node["kind"] for node in drawn["nodes"]}


def test_operators_are_numbers_to_who_may_not_see_names(life, client_for) -> None:
    life.person.first_name, life.person.last_name = "Olga", "Turner"
    life.person.save()
    for role, sees in ((Role.AFTER_SALES, False), (Role.QUALITY, True), (Role.MANAGER, True)):
        body = page(client_for(role), "crm:trace-thing", life.pumps[0].pk).content.decode()
        assert ("Olga Turner" in body) is sees, role
        assert (f"No. {life.person.pk}" in body) is not sees, role
        form = page(client_for(role), "crm:impact-cause").content.decode()
        assert "Olga Turner" not in form or sees, role


def test_as_built_and_as_it_is_are_told_apart(life, client_for) -> None:
    pump, old, new = life.pumps[0], life.motors[0], SerialUnitFactory(number="NEW-MOTOR")
    genealogy.replace_part(
        fact=life.fact(EventKind.REPLACEMENT, reference="AS-1"),
        unit=pump.pk,
        removed=old.pk,
        installed=new.pk,
    )
    client = client_for(Role.AFTER_SALES)
    now = page(client, "crm:trace-thing", pump.pk)
    built = page(client, "crm:trace-thing", pump.pk, **{"as": "built"})
    assert {line.thing for line in now.context["chain"].lines if line.is_unit} == {new}
    assert {line.thing for line in built.context["chain"].lines if line.is_unit} == {old}
    assert "It is not as it was built" in now.content.decode()
    titles = [entry.title for entry in now.context["timeline"].entries]
    assert "NEW-MOTOR put in" in titles
    assert f"{old.number} taken out" in titles
    edges = {
        (edge["target"], edge["state"])
        for edge in built.context["graph"]["edges"]
        if edge["source"] == str(old.pk)
    }
    assert edges == {(str(pump.pk), "removed")}
    of_old = page(client, "crm:trace-thing", old.pk).context["timeline"].entries
    assert [entry.title for entry in of_old][-1] == f"Taken out of {pump.number}"


def test_a_value_is_shown_among_those_of_the_units_around_it(life, client_for) -> None:
    answer = page(client_for(Role.QUALITY), "crm:trace-thing", life.pumps[1].pk)
    [value] = answer.context["values"]
    assert (value.trend.count, round(value.trend.mean, 3)) == (3, 2.4)
    assert len(value.trend.points.split()) == 4
    # Over the upper limit: drawn above it.
    assert value.trend.own_y < value.trend.upper_y < value.trend.lower_y
    assert "Among 3 units made around it" in answer.content.decode()


def test_a_checks_answer_without_a_value_is_an_inspection(life, client_for) -> None:
    from traceability.models import Parameter

    look = Parameter.objects.create(code="FINAL", name="Final inspection")
    genealogy.process(
        fact=life.fact(EventKind.PROCESS, operation=90),
        readings=[NewReading(life.pumps[0].pk, parameter_id=look.pk, verdict=1)],
    )
    answer = page(client_for(Role.QUALITY), "crm:trace-thing", life.pumps[0].pk)
    assert [row.parameter for row in answer.context["inspections"]] == [look]
    assert "Passed" in answer.content.decode()


def test_the_drawing_is_extended_by_one_level_without_kits(life, client_for) -> None:
    client = client_for(Role.AFTER_SALES)
    graph = page(client, "crm:trace-graph", life.shafts[0].pk).json()
    numbers = {node["number"] for node in graph["nodes"]}
    assert numbers == {
        life.shafts[0].number,
        life.steel.number,
        *(pump.number for pump in life.pumps[:3]),
    }
    doubt = [edge for edge in graph["edges"] if not edge["sure"]]
    assert [edge["target"] for edge in doubt] == [str(life.pumps[2].pk)]
    assert not graph["capped"]
    assert page(client, "crm:trace-graph", 999_999).status_code == 404


@pytest.mark.parametrize("pk", [999_999_999, 2**70])
def test_what_is_not_there_is_not_found(db, client_for, pk) -> None:
    client = client_for(Role.QUALITY)
    for name in ("crm:trace-thing", "crm:trace-graph", "crm:impact"):
        assert page(client, name, pk).status_code == 404, name


def test_pages_cost_the_same_number_of_queries_however_much_there_is(life, client_for) -> None:
    client = client_for(Role.QUALITY)
    paths = {
        name: reverse(name, args=[pk])
        for name, pk in (
            ("crm:trace-thing", life.pumps[1].pk),
            ("crm:impact", life.steel.pk),
        )
    } | {"crm:trace": reverse("crm:trace") + "?q=SO-1", "crm:drill-list": "/trace/drills/"}

    def costs() -> dict[str, int]:
        found = {}
        for name, path in paths.items():
            client.get(path)
            with CaptureQueriesContext(connection) as queries:
                assert client.get(path).status_code == 200
            found[name] = len(queries)
        return found

    before = costs()
    for _more in range(6):
        lot, unit = LotFactory(), SerialUnitFactory(item=life.pumps[0].item)
        life.build([Built(lot.pk, Decimal(3))], [life.steel])
        genealogy.build(
            fact=life.fact(),
            outputs=[Built(unit.pk)],
            loaded=[Loaded(lot.pk, Decimal(1))],
            readings=[
                NewReading(unit.pk, parameter_id=life.torque.pk, value=Decimal("2.4"), verdict=1)
            ],
        )
        genealogy.replace_part(
            fact=life.fact(EventKind.REPLACEMENT),
            unit=life.pumps[1].pk,
            removed=SerialUnit.objects.filter(host=life.pumps[1].pk).latest("pk").pk,
            installed=SerialUnitFactory().pk,
        )
    after = costs()
    assert after == before
    assert after["crm:trace-thing"] < 40
    assert after["crm:impact"] < 30


# Impact.


def test_the_impact_shows_each_list_page_by_page(life, client_for, monkeypatch) -> None:
    monkeypatch.setattr("crm.views.impact.PAGE_SIZE", 2)
    client = client_for(Role.AFTER_SALES)
    answer = page(client, "crm:impact", life.steel.pk)
    assert answer.context["where"] == "shipped"
    shown = [row.unit.pk for row in answer.context["page"].object_list]
    second = page(client, "crm:impact", life.steel.pk, page=2)
    shown += [row.unit.pk for row in second.context["page"].object_list]
    assert shown == [pump.pk for pump in life.pumps[:3]]
    body = answer.content.decode()
    assert life.documents[0].customer.label in body
    assert "2 confirmed, 1 possible" in body
    other = page(client, "crm:impact", life.sound.pk, list="stoppable")
    assert [row.unit.pk for row in other.context["page"].object_list] == [life.pumps[3].pk]
    SerialUnit.objects.filter(pk=life.motors[3].pk).update(state=IdentityState.CONSUMED)
    coil = LotFactory()
    life.build([Built(life.motors[3].pk)], [coil])
    gone = page(client, "crm:impact", coil.pk, list="gone").content.decode()
    # Where it went: into the pump.
    assert reverse("crm:trace-thing", args=[life.pumps[3].pk]) in gone
    monkeypatch.setattr("crm.views.impact.PAGE_SIZE", 1)
    pages = [page(client, "crm:impact", life.steel.pk, by=number) for number in (1, 2)]
    customers = [[row.customer for row in answer.context["rows"]] for answer in pages]
    assert customers == [[document.customer] for document in life.documents[:2]]


def test_after_sales_holds_with_a_reason_and_quality_lifts(life, client_for) -> None:
    hold = reverse("crm:impact-hold", args=[life.sound.pk])
    client = client_for(Role.AFTER_SALES)
    assert "Say why" in client.post(hold, follow=True).content.decode()
    answer = client.post(hold, {"reason": "cracks"}, follow=True)
    assert "On hold: 3 lots and units" in answer.content.decode()
    [row] = Containment.objects.all()
    assert row.title == f"Lot {life.sound.number} · {life.sound.item.code}"
    again = client.post(hold, {"reason": "cracks"}, follow=True)
    assert "on hold already" in again.content.decode()
    lift = reverse("crm:containment-release", args=[row.pk])
    assert client.post(lift, {"reason": "fine"}).status_code == 403
    assert client_for(Role.MANAGER).post(hold, {"reason": "x"}).status_code == 403
    quality = client_for(Role.QUALITY)
    back = reverse("crm:impact", args=[life.sound.pk])
    assert "Lift the holds" in quality.get(back).content.decode()
    answer = quality.post(lift, {"reason": "inspected", "back": back})
    assert answer.headers["Location"] == back
    assert not Hold.objects.filter(released_at__isnull=True).exists()
    elsewhere = quality.post(lift, {"reason": "x", "back": "https://evil.example/"})
    assert elsewhere.headers["Location"] == reverse("crm:trace")


def test_files_come_as_csv_and_xlsx_and_as_nothing_else(life, client_for) -> None:
    client = client_for(Role.MANAGER)
    for kind, start in (("csv", b"\xef\xbb\xbf"), ("xlsx", b"PK")):
        answer = page(client, "crm:impact-file", life.steel.pk, kind)
        assert answer.content.startswith(start)
        assert f'filename="impact.{kind}"' in answer.headers["Content-Disposition"]
    assert page(client, "crm:impact-file", life.steel.pk, "pdf").status_code == 404


def problem_form(answer, **data):
    """What the dialog of an impact sends; the first choices, as a browser would."""
    form = answer.context["problem_form"]
    key, item = form["idempotency_key"].value(), form.fields["item"].choices[0][0]
    return {"idempotency_key": key, "item": item, "known_as": "", **data}


def test_from_an_impact_to_the_nonconformance_with_all_that_can_be_stopped(
    life, client_for
) -> None:
    client = client_for(Role.AFTER_SALES)
    url = reverse("crm:impact-nonconformance", args=[life.sound.pk])
    client.post(reverse("crm:impact-hold", args=[life.sound.pk]), {"reason": "cracks"})
    answer = page(client, "crm:impact", life.sound.pk)
    # Why it is held is what is wrong; what customers may have comes before what is inside it.
    assert answer.context["problem_form"]["problem"].value() == "cracks"
    items = [pk for pk, _label in answer.context["problem_form"].fields["item"].choices]
    assert items == [unit.item_id for unit in life.pumps[3:]] + [
        lot.item_id for lot in (life.sound, life.shafts[1])
    ]
    sent = problem_form(answer, problem="Cracks in the shaft")
    refused = client.post(url, {**sent, "problem": ""}, follow=True)
    assert "Say what is wrong." in refused.content.decode()
    answer = client.post(url, sent, follow=True)
    found = Nonconformance.objects.get()
    assert answer.redirect_chain == [(reverse("mes:nonconformance", args=[found.number]), 302)]
    assert (found.source, found.item_id) == ("trace", life.pumps[3].item_id)
    assert (found.references, found.problem) == ([life.sound.number], "Cracks in the shaft")
    stoppable = {life.sound.pk, life.shafts[1].pk, life.pumps[3].pk}
    assert {row.lot_id or row.unit_id for row in found.things.all()} == stoppable
    assert found.things.filter(hold__released_at__isnull=True).count() == 3
    # Where to it leads back from there.
    for place in (reverse("crm:trace-thing", args=[life.pumps[3].pk]), "/trace/?q="):
        assert place in answer.content.decode()
    # Sent twice it is reported once, and another suspect goes into what is open.
    assert client.post(url, sent).headers["Location"] == answer.redirect_chain[0][0]
    other = page(client, "crm:impact", life.pumps[0].pk)
    assert (found.number, f"{found.number} · Cracks in the shaft") in (
        other.context["problem_form"].fields["known_as"].choices
    )
    client.post(other.context["urls"]["problem"], problem_form(other, known_as=found.number))
    assert Nonconformance.objects.get().things.filter(unit=life.pumps[0].pk).exists()


def test_a_unit_goes_to_the_nonconformance_of_its_ticket_and_who_may_not_hold_reports_none(
    life, client_for
) -> None:
    complaints.note(
        item_id=life.pumps[3].item_id,
        thing=life.pumps[3].pk,
        reference="AS-2026-1",
        symptom="LOOSE",
        at=timezone.now(),
    )
    url = reverse("crm:impact-nonconformance", args=[life.pumps[3].pk])
    manager = client_for(Role.MANAGER)
    answer = page(manager, "crm:impact", life.pumps[3].pk)
    assert answer.context["problem_form"] is None
    assert manager.post(url, {}).status_code == 403
    client = client_for(Role.QUALITY)
    answer = page(client, "crm:impact", life.pumps[3].pk)
    client.post(url, problem_form(answer, problem="Loose"))
    assert Nonconformance.objects.get().references == ["AS-2026-1"]


def test_a_machine_and_a_window_are_asked_held_and_filed(life, client_for) -> None:
    client = client_for(Role.QUALITY)
    query = {
        "machine": str(life.other.pk),
        "since": "2026-10-31T00:00",
        "until": "2026-11-03T00:00",
    }
    answer = page(client, "crm:impact-cause", **query)
    assert answer.context["summary"].total.total == 2
    assert life.other.code in answer.context["suspect"].title
    stopped = client.post(answer.context["urls"]["hold"], {"reason": "worn spindle"}, follow=True)
    assert "On hold: 1 lot or unit" in stopped.content.decode()
    assert len(client.get(answer.context["urls"]["csv"]).content.splitlines()) == 3
    sent = problem_form(answer, problem="Worn spindle")
    told = client.post(answer.context["urls"]["problem"], sent, follow=True)
    assert "Worn spindle" in told.content.decode()
    assert Nonconformance.objects.get().references == []
    # What is asked wrongly is told; what is not asked shows the form.
    wrong = page(client, "crm:impact-cause", since="2026-11-03T00:00", until="2026-11-01T00:00")
    for told in ("Name a machine", "ends before it begins"):
        assert told in wrong.content.decode()
    assert "Nothing is asked yet" in page(client, "crm:impact-cause").content.decode()
    for name in ("crm:impact-cause-hold", "crm:impact-cause-nonconformance"):
        assert client.post(reverse(name), {"reason": "x"}).status_code == 404
    assert page(client, "crm:impact-cause-file", "csv").status_code == 404


def test_what_is_kept_of_a_suspected_person_is_a_number(life, client_for) -> None:
    """After-sales reads it too, and may not know the name."""
    person = life.person
    person.roles, person.first_name, person.last_name = ["operator"], "Olga", "Canary"
    person.save()
    window = {"since": "2026-10-31T00:00", "until": "2026-11-30T00:00"}
    client = client_for(Role.QUALITY)
    answer = page(client, "crm:impact-cause", operator=str(person.pk), **window)
    assert "Canary" in answer.context["suspect"].title
    client.post(answer.context["urls"]["hold"], {"reason": "a slip"})
    [row] = Containment.objects.all()
    assert "Canary" not in row.title
    assert str(person.pk) in row.title


def test_what_failed_units_share_is_ranked_and_leads_on(life, client_for) -> None:
    client = client_for(Role.QUALITY)
    first, second = life.pumps[:2]
    answer = page(client, "crm:trace-shared", sn=f"{first.number}, {second.number};NO-SUCH")
    compared = answer.context["compared"]
    assert (compared.failed, compared.good) == (2, 2)
    assert (compared.traits[0].kind, compared.traits[0].name) == ("Machine", life.machine.code)
    assert answer.context["unknown"] == ["NO-SUCH"]
    assert client.get(compared.traits[0].url).context["summary"].total.total == 2
    assert "Name at least two" in page(client, "crm:trace-shared", sn=first.number).content.decode()


# Drills.


def test_a_drill_runs_from_start_to_signature(life, client_for) -> None:
    client = client_for(Role.AFTER_SALES)
    start = reverse("crm:drill-start")
    assert "no such lot" in client.post(start, {"lot": "?"}, follow=True).content.decode()
    LotFactory(number=life.steel.number)
    several = client.post(start, {"lot": life.steel.number}, follow=True)
    assert "Several lots" in several.content.decode()
    assert not RecallDrill.objects.exists()
    running = client.post(start, {"lot_id": life.steel.pk}, follow=True)
    assert "The clock runs" in running.content.decode()
    drill = RecallDrill.objects.get()
    finish = reverse("crm:drill-finish", args=[drill.pk])
    done = client.post(finish, {"remark": "November"}, follow=True).content.decode()
    for told in ("100 %", "as it was signed", "November"):
        assert told in done
    assert "finished and signed" in client.post(finish, follow=True).content.decode()
    assert DrillResult.objects.count() == 1
    rows = page(client, "crm:drill-list").content.decode()
    assert life.steel.number in rows


def test_the_navigation_leads_there_for_who_may(client_for) -> None:
    for role in Role:
        if role == Role.CUSTOMER:
            continue
        home = client_for(role).get("/", follow=True)
        sees = f'href="{reverse("crm:trace")}"' in home.content.decode()
        assert sees is (role in READERS or role == Role.ADMINISTRATOR), role
